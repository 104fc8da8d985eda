"""The registry in company: several writers, readers among them, and writers that are killed in the middle."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.adapter_folder import publish, write_peft_folder

from acclimate_indexer.errors import DiskFull
from acclimate_indexer.home import RepositoryHome
from acclimate_training.registry import AdapterRegistry

ROUNDS = 30
START = """
import os, signal, sys
from pathlib import Path
from acclimate_indexer.home import RepositoryHome
from acclimate_training.registry import AdapterRegistry

home = RepositoryHome(root=Path(sys.argv[1]))
registry = AdapterRegistry(home)

def die_at(event, ending):
    # Python's own audit events tell when the process is about to do it: no part of ours is replaced.
    def hear(name, arguments):
        if name == event and any(str(argument).endswith(ending) for argument in arguments):
            os.kill(os.getpid(), signal.SIGKILL)
    sys.addaudithook(hear)
"""


@pytest.fixture
def home(tmp_path: Path) -> RepositoryHome:
    return RepositoryHome(root=tmp_path / "shop-12345678")


def child(home: RepositoryHome, code: str, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-P", "-c", START + code, str(home.root), *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    out, err = process.communicate(timeout=120)
    return process.returncode, out + err


def published_pointer(home: RepositoryHome) -> str | None:
    version: str | None = json.loads(home.live.read_text(encoding="utf-8"))["version"]
    return version


def test_nothing_is_lost_when_several_processes_write_at_once(home: RepositoryHome) -> None:
    publish(AdapterRegistry(home), "shop-1")
    code = f"""
for number in range({ROUNDS}):
    registry.update(registry.get("shop-1"), {{f"{{sys.argv[2]}} {{number}}": number}})
    registry.tag("shop-1", f"{{sys.argv[2]}}-{{number}}")
"""
    writers = [child(home, code, name) for name in ("one", "two", "three")]
    results = [ended(writer) for writer in writers]

    assert results == [(0, "")] * 3
    record = AdapterRegistry(home).get("shop-1").record
    assert all(record[f"{name} {number}"] == number for name in ("one", "two", "three") for number in range(ROUNDS))
    assert len(AdapterRegistry(home).history()) == 3 * ROUNDS


def test_a_registry_that_several_processes_begin_is_one(home: RepositoryHome) -> None:
    for number in range(6):
        write_peft_folder(home.adapters / f".partial-shop-{number}")
    code = """
from tests.support.adapter_folder import record
version = sys.argv[2]
registry.publish(registry.partial(version), record(version))
registry.set_live(version)
"""
    path = f"import sys; sys.path.insert(0, {str(Path(__file__).parents[2])!r})\n"
    begun = [child(home, path + code, f"shop-{number}") for number in range(6)]
    results = [ended(process) for process in begun]

    assert results == [(0, "")] * 6
    registry = AdapterRegistry(home)
    assert {adapter.tag for adapter in registry.versions()} == {f"v{number}" for number in range(1, 7)}
    last = registry.history()[-1].version
    assert len(registry.history()) == 6
    assert last == published_pointer(home)
    assert not list(home.root.glob("*damaged*"))


def test_a_reader_never_sees_half_of_a_change(home: RepositoryHome) -> None:
    registry = AdapterRegistry(home)
    for number in (1, 2):
        publish(registry, f"shop-{number}")
    registry.set_live("shop-1")
    write = f"""
for number in range({ROUNDS}):
    for version in ("shop-1", "shop-2"):
        registry.set_live(version)
        registry.update(registry.get("shop-1"), {{"one": number, "two": number}})
"""
    read = f"""
for number in range({2 * ROUNDS}):
    adapter, record = registry.live(), registry.get("shop-1").record
    assert adapter is not None and adapter.version in ("shop-1", "shop-2"), adapter
    assert record.get("one") == record.get("two"), record
    assert len(registry.versions()) == 2
"""
    processes = [child(home, write), child(home, read), child(home, write), child(home, read)]
    results = [ended(process) for process in processes]

    assert results == [(0, "")] * 4
    assert published_pointer(home) == registry.history()[-1].live


def test_a_writer_that_is_killed_at_any_moment_leaves_all_or_nothing(home: RepositoryHome) -> None:
    registry = AdapterRegistry(home)
    for number in (1, 2):
        publish(registry, f"shop-{number}")
    code = """
number = 0
while True:
    number += 1
    registry.judge(registry.get(f"shop-{1 + number % 2}"), {
        "verdict": {"state": "trial" if number % 3 else "rejected", "reason": str(number)}, "metrics": {"n": number},
    })
    print(number, flush=True)
"""
    for after in (1, 2, 3, 5, 8):
        process = child(home, code)
        assert process.stdout is not None
        for _ in range(after):
            process.stdout.readline()
        process.kill()  # wherever it is
        process.communicate()
        live, states = registry.live(), registry.versions()

        assert len(states) == 2
        assert all(
            adapter.reason == str(adapter.record["metrics"]["n"]) for adapter in states if "metrics" in adapter.record
        )
        assert live is None or live.state != "rejected"
        assert published_pointer(home) == (None if live is None else live.version) == registry.history()[-1].live


def test_what_a_killed_writer_had_begun_is_undone_and_holds_nobody_up(home: RepositoryHome) -> None:
    registry = AdapterRegistry(home)
    publish(registry, "shop-1")
    code = """
with registry._state.writing() as store:
    store.put("shop-1", {"metrics": {"n": 1}})
    print("in", flush=True)
    signal.pause()
"""
    process = child(home, code)
    assert process.stdout is not None
    process.stdout.readline()
    assert "metrics" not in registry.get("shop-1").record  # readers wait for nobody
    process.kill()
    process.communicate()

    assert registry.update(registry.get("shop-1"), {"metrics": {"n": 2}}).record["metrics"] == {"n": 2}


@pytest.mark.parametrize(
    ("event", "ending"), [("os.rename", "adapter.json"), ("os.rename", "/shop-1"), ("os.rename", "registry.sqlite")]
)
def test_a_publication_that_is_killed_can_be_done_again(home: RepositoryHome, event: str, ending: str) -> None:
    write_peft_folder(home.adapters / ".partial-shop-1")
    root = str(Path(__file__).parents[2])
    code = f"""
sys.path.insert(0, {root!r})
from tests.support.adapter_folder import record
die_at(sys.argv[2], sys.argv[3])
registry.publish(registry.partial("shop-1"), record("shop-1"))
"""
    code_and_words = ended(child(home, code, event, ending))
    registry = AdapterRegistry(home)
    found = registry.versions()
    adapter = publish(registry, "shop-1")

    assert code_and_words == (-signal.SIGKILL, "")
    assert found == []
    assert (adapter.tag, adapter.state, registry.resolve("v1")) == ("v1", "trial", "shop-1")
    adapter.verify()


@pytest.mark.parametrize(("event", "ending"), [("os.rename", ".deleted-shop-1"), ("shutil.rmtree", ".deleted-shop-1")])
def test_a_deletion_that_is_killed_leaves_a_whole_adapter_or_none(
    home: RepositoryHome, event: str, ending: str
) -> None:
    registry = AdapterRegistry(home)
    publish(registry, "shop-1")
    code, words = ended(child(home, 'die_at(sys.argv[2], sys.argv[3])\nregistry.delete("shop-1")', event, ending))

    assert (code, words) == (-signal.SIGKILL, "")
    if event == "os.rename":
        registry.get_verified("shop-1")
        registry.delete("shop-1")
    assert registry.versions() == []
    registry.remove_partials()
    assert list(home.adapters.iterdir()) == []


def test_a_pointer_whose_copy_was_not_made_is_followed_by_the_next_reader(home: RepositoryHome) -> None:
    registry = AdapterRegistry(home)
    for number in (1, 2):
        publish(registry, f"shop-{number}")
    registry.set_live("shop-1")
    code, _ = ended(child(home, 'die_at("os.rename", "live.json")\nregistry.set_live("shop-2")'))

    assert code == -signal.SIGKILL
    assert published_pointer(home) == "shop-1"
    live = registry.live()
    assert live is not None and live.version == "shop-2"
    assert published_pointer(home) == "shop-2"


def test_a_full_disk_is_said_and_loses_nothing(home: RepositoryHome) -> None:
    registry = AdapterRegistry(home)
    publish(registry, "shop-1")
    code = """
import resource
from acclimate_indexer.errors import DiskFull
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))  # writes beyond that fail
try:
    registry.update(registry.get("shop-1"), {"metrics": {"text": "x" * 1_000_000}})
except DiskFull as error:
    print(error)
"""
    done = ended(child(home, code))

    assert done == (0, f"{_full(home.registry)}\n")
    assert "metrics" not in registry.get("shop-1").record
    assert registry.update(registry.get("shop-1"), {"metrics": {"n": 1}}).record["metrics"] == {"n": 1}


def _full(path: Path) -> DiskFull:
    return DiskFull(f"The disk is full: {os.fspath(path)!r} could not be written. Free some space, then run it again.")
