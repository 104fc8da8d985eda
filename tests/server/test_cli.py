"""The command line: help, exit codes, one sentence a failure."""

import asyncio
import contextlib
import io
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import pytest
from tests.conftest import MakeRepository, run_git
from tests.engine.stand_in import stand_in_model, write_stand_in
from tests.support.engine import until

from acclimate_indexer.home import Home
from acclimate_indexer.repository import Repository
from acclimate_server.cli.demonstration import acclimate_command
from acclimate_server.cli.main import VERBS, main
from acclimate_server.engine.lease import EngineLease
from acclimate_server.engine.options import EngineOptions
from acclimate_server.settings import as_markdown
from acclimate_training.registry import AdapterRegistry

NAMES = [verb.__name__.rpartition(".")[2].replace("importing", "import") for verb in VERBS]  # a word of Python's
DONE, USAGE, FORESEEN = 0, 2, 3
SHOP = "def total(prices):\n    result = sum(prices)\n    return round(result, 2)\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    returncode: int
    stdout: str
    stderr: str


def acclimate(*arguments: str | Path, folder: Path | None = None) -> Done:
    """Runs the command line in this process: a dozen interpreters would only take time."""
    out, err, before = io.StringIO(), io.StringIO(), Path.cwd()
    os.chdir(folder or before)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main([str(argument) for argument in arguments])
    except SystemExit as ending:  # how argparse ends
        code = int(ending.code or 0)
    finally:
        os.chdir(before)
    return Done(returncode=code, stdout=out.getvalue(), stderr=err.getvalue())


def one_sentence(done: Done) -> str:
    """The only line of stderr that is an error."""
    errors = [line for line in done.stderr.splitlines() if line.startswith("acclimate: ")]
    assert len(errors) == 1, done.stderr
    assert "Traceback" not in done.stderr
    return errors[0]


@pytest.mark.parametrize("name", NAMES)
def test_every_verb_explains_itself_with_examples(name: str) -> None:
    done = acclimate(name, "--help")

    assert done.returncode == DONE
    assert f"acclimate {name}" in done.stdout.split("examples:")[1]
    assert "--json" in done.stdout


def test_a_wrong_verb_or_option_is_usage() -> None:
    assert acclimate("nope").returncode == USAGE
    assert acclimate("adapt", "--nope").returncode == USAGE
    assert acclimate().returncode == USAGE


@pytest.mark.parametrize("verb", ["adapt", "mine", "train", "evaluate", "adapters"])
def test_a_folder_without_git_is_one_sentence(home: Home, tmp_path: Path, verb: str) -> None:
    done = acclimate(verb, folder=tmp_path)

    assert done.returncode == FORESEEN
    assert "is not inside a git repository" in one_sentence(done)


def test_an_empty_repository_is_one_sentence(home: Home, tmp_path: Path) -> None:
    run_git(tmp_path, "init", "--quiet", str(tmp_path))
    done = acclimate("adapt", tmp_path)

    assert done.returncode == FORESEEN
    assert "has no commits yet" in one_sentence(done)


def test_a_folder_that_does_not_exist_is_one_sentence(home: Home, tmp_path: Path) -> None:
    done = acclimate("mine", tmp_path / "nowhere")

    assert done.returncode == FORESEEN
    assert "does not exist" in one_sentence(done)


def test_mining_says_what_it_found(home: Home, make_repository: MakeRepository) -> None:
    repository = make_repository({"shop.py": SHOP})
    done = acclimate("mine", repository, "--json")

    assert done.returncode == DONE, done.stderr
    result = json.loads(done.stdout)
    assert {"hash", "commit", "counts", "dropped", "seconds"} <= set(result)
    assert set(result["counts"]) == {"kind", "language", "split"}
    assert set(result["counts"]["kind"]["completion"]) == {"train", "validation", "test"}
    assert result["counts"]["language"]["python"]["train"] == result["counts"]["split"]["train"] > 0
    assert result["seconds"] > 0


def test_one_file_is_explained(home: Home, make_repository: MakeRepository) -> None:
    repository = make_repository({"shop.py": SHOP, "vendor/other.py": SHOP})
    told = json.loads(acclimate("mine", repository, "--explain", "shop.py", "--json").stdout)
    foreign = acclimate("mine", repository, "--explain", "vendor/other.py")
    missing = acclimate("mine", repository, "--explain", "nope.py")

    assert {hole["outcome"] for hole in told["holes"]} == {"train"}
    assert all(hole["text"] in SHOP for hole in told["holes"])
    assert "Nothing is taken of vendor/other.py: vendored." in foreign.stdout
    assert missing.returncode == FORESEEN
    assert "'nope.py' is no file of commit" in one_sentence(missing)


def test_data_sets_are_listed_shown_and_compared(home: Home, make_repository: MakeRepository) -> None:
    repository = make_repository({"shop.py": SHOP, "other.py": SHOP.replace("total", "sum_of")})
    none = acclimate("dataset", "show", folder=repository)
    first = json.loads(acclimate("mine", repository, "--json").stdout)["hash"]
    excluded = ("--set", 'mining.exclude=["other.py"]')
    second = json.loads(acclimate("mine", repository, "--json", *excluded).stdout)["hash"]
    listed = json.loads(acclimate("dataset", "--json", folder=repository).stdout)["datasets"]
    shown = json.loads(acclimate("dataset", "show", first[:6], "--json", folder=repository).stdout)
    diff = json.loads(acclimate("dataset", "diff", first, second, "--json", folder=repository).stdout)

    assert "There is no data set of this repository yet" in one_sentence(none)
    assert {each["hash"] for each in listed} == {first, second}
    assert shown["hash"] == first
    assert diff["changed"]["settings"][1]["exclude"] == ["other.py"]
    assert diff["pairs"]["train"]["removed"] > 0
    assert acclimate("dataset", "diff", first, folder=repository).returncode == USAGE
    assert "begins the hash of 0 data sets" in one_sentence(acclimate("dataset", "show", "zz", folder=repository))


def test_review_comments_are_imported(home: Home, make_repository: MakeRepository) -> None:
    repository = make_repository({"shop.py": SHOP})
    comments = repository / "comments.jsonl"
    key = "AKIA" + "QX7Z4M2P9L5K3J8H"
    lines = [
        {"path": "shop.py", "line": 2, "commit": "ab12", "body": "This adds up prices of all shops"},
        {"path": "shop.py", "line": 2, "commit": "ab12", "body": f"Use {key}"},
        {"path": "shop.py", "line": 0},
    ]
    comments.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    done = acclimate("import", "reviews", comments, "--json", folder=repository)
    again = json.loads(acclimate("import", "reviews", comments, "--json", folder=repository).stdout)

    assert done.returncode == DONE, done.stderr
    result = json.loads(done.stdout)
    assert (result["imported"], result["with_secrets"], len(result["problems"])) == (1, 1, 1)
    assert key not in done.stdout + done.stderr
    assert (again["imported"], again["known"]) == (0, 1)
    assert acclimate("import", "reviews", "nope.jsonl", folder=repository).returncode == USAGE


def test_a_repository_without_a_known_language_is_one_sentence_or_nothing_mined(
    home: Home, make_repository: MakeRepository
) -> None:
    done = acclimate("mine", make_repository({"notes.txt": "hello\n"}), "--json")

    assert done.returncode in (DONE, FORESEEN)
    if done.returncode == FORESEEN:
        assert one_sentence(done)


def test_training_without_a_model_names_the_way_to_get_one(home: Home, make_repository: MakeRepository) -> None:
    done = acclimate("train", make_repository({"a.py": "x = 1\n"}))

    assert done.returncode == FORESEEN
    assert "No base model is on this machine yet" in one_sentence(done)


def test_a_model_that_is_not_here_is_named(home: Home, make_repository: MakeRepository) -> None:
    done = acclimate("train", make_repository({"a.py": "x = 1\n"}), "--model", "qwen2.5-coder-0.5b")

    assert done.returncode == FORESEEN
    assert "acclimate model fetch qwen2.5-coder-0.5b" in one_sentence(done)


@pytest.mark.parametrize("command", [("model", "fetch", "gpt-17"), ("doctor", "--fix", "--model", "gpt-17")])
def test_a_model_that_nobody_knows_is_usage_and_nothing_is_installed_for_it(
    home: Home, command: tuple[str, ...]
) -> None:
    done = acclimate(*command)

    assert done.returncode == USAGE
    assert "No model is called 'gpt-17'" in one_sentence(done)
    assert not home.runtime("any").parent.exists()


def test_a_licence_that_was_not_accepted_is_said_before_anything_is_installed(home: Home) -> None:
    done = acclimate("model", "fetch", "qwen2.5-coder-3b")

    assert done.returncode == FORESEEN
    assert "--accept-licence" in one_sentence(done)
    assert not home.runtime("any").parent.exists()


def test_status_works_where_nothing_is(home: Home, tmp_path: Path) -> None:
    done = acclimate("status", tmp_path, "--json")

    assert done.returncode == DONE
    record = json.loads(done.stdout)
    assert (record["engine"], record["models"], record["repository"]) == (None, [], None)


def test_no_engine_to_stop_is_no_error(home: Home) -> None:
    done = acclimate("engine", "stop", "--json")

    assert (done.returncode, json.loads(done.stdout)) == (DONE, {"stopped": False})


def test_no_engine_to_free_or_to_count_is_said(home: Home) -> None:
    freed = acclimate("engine", "free", "--json")
    counted = acclimate("engine", "metrics")

    assert (freed.returncode, json.loads(freed.stdout)) == (DONE, {"freed": False})
    assert counted.returncode == FORESEEN
    assert "No engine runs" in one_sentence(counted)


async def test_the_engines_counters_are_printed_as_they_are_and_freeing_ends_it(home: Home, tmp_path: Path) -> None:
    model, options = stand_in_model(tmp_path / "model"), EngineOptions(runtime_python=write_stand_in(tmp_path))
    lease = await EngineLease.acquire(home, options, model)
    await lease.wait_ready(20)

    counted = await asyncio.to_thread(acclimate, "engine", "metrics")
    freed = await asyncio.to_thread(acclimate, "engine", "free", "--json")

    assert counted.stdout == "vllm:num_requests_running 0.0\n"
    assert json.loads(freed.stdout) == {"freed": True}
    await until(lambda: lease.state.state == "stopped")
    assert "freed by `acclimate engine free`" in lease.state.reason
    await lease.release()


def test_a_setting_can_be_given_and_a_bad_one_is_usage(home: Home, make_repository: MakeRepository) -> None:
    repository = make_repository({"a.py": "x = 1\n"})

    assert "is no setting" in one_sentence(acclimate("mine", repository, "--set", "nope=1"))
    assert "is a secret" in one_sentence(acclimate("mine", repository, "--set", "engine.key=abc"))
    done = acclimate("mine", repository, "--set", "training.minutes=long")
    assert done.returncode == USAGE
    assert "training.minutes must be a number" in one_sentence(done)


def test_a_settings_file_with_a_fault_is_a_note_and_no_failure(home: Home, make_repository: MakeRepository) -> None:
    repository = make_repository({"shop.py": SHOP, ".acclimate/config.toml": '[engine]\nurl = "http://far"\n'})
    done = acclimate("mine", repository)

    assert done.returncode == DONE, done.stderr
    assert "may not set engine.url" in done.stderr


@pytest.mark.parametrize("place", ["app.py", "app.py:1", "app.py:0:1", "app.py:x:1", "nowhere.py:1:1", "app.py:99:1"])
def test_a_place_that_is_none_is_usage(home: Home, tmp_path: Path, place: str) -> None:
    (tmp_path / "app.py").write_text("x = 1\n", encoding="utf-8")
    done = acclimate("complete", place, folder=tmp_path)

    assert done.returncode == USAGE
    assert one_sentence(done)


def test_a_file_that_is_not_utf8_is_one_sentence(home: Home, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_bytes(b"x = '\xff'\n")
    done = acclimate("complete", "app.py:1:1", folder=tmp_path)

    assert done.returncode == FORESEEN
    assert "cannot be read as UTF-8" in one_sentence(done)


def test_completing_without_a_model_is_one_sentence(home: Home, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("x = 1\n", encoding="utf-8")
    done = acclimate("complete", "app.py:1:5", folder=tmp_path)

    assert done.returncode == FORESEEN
    assert "No base model is on this machine yet" in done.stderr or "acclimate doctor --fix" in one_sentence(done)


def test_the_pointer_moves_only_to_what_exists(home: Home, make_repository: MakeRepository) -> None:
    repository = make_repository({"a.py": "x = 1\n"})

    assert acclimate("adapters", "use", "none", folder=repository).returncode == DONE
    assert acclimate("adapters", "use", folder=repository).returncode == USAGE
    done = acclimate("adapters", "use", "shop-1", folder=repository)
    assert done.returncode == FORESEEN
    assert "No adapter is called 'shop-1'" in one_sentence(done)
    assert AdapterRegistry(home.for_repository(Repository.open(repository).common_directory)).live() is None


def test_forgetting_removes_what_was_derived_and_asks_first(home: Home, make_repository: MakeRepository) -> None:
    repository = make_repository({"a.py": "x = 1\n"})
    root = home.for_repository(Repository.open(repository).common_directory).root
    (root / "adapters").mkdir(parents=True)
    (root / "adapters/x").write_text("x", encoding="utf-8")

    refused = acclimate("forget", repository)
    assert (refused.returncode, root.exists()) == (USAGE, True)
    done = acclimate("forget", repository, "--yes", "--json")
    assert (done.returncode, json.loads(done.stdout)["files"], root.exists()) == (DONE, 1, False)
    assert (repository / "a.py").exists()


def test_the_settings_table_is_what_the_readme_shows() -> None:
    done = acclimate("doctor", "--settings")

    assert (done.returncode, done.stdout) == (DONE, as_markdown())


def test_the_console_script_and_the_module_are_the_same_command() -> None:
    for command in ([sys.executable, "-P", "-m", "acclimate_server"], [acclimate_command()]):
        done = subprocess.run([*command, "--version"], capture_output=True, text=True, check=True)

        assert done.stdout == f"acclimate {version('acclimate')}\n"
