"""`acclimate report` and `acclimate blind`: the page on disk, the browser, and a person's judgement."""

import argparse
import io
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import MakeRepository
from tests.support.evaluated import evaluated_shop
from tests.support.report_sample import examples, metrics, record

from acclimate_indexer.errors import AdapterError
from acclimate_indexer.home import Home, RepositoryHome
from acclimate_indexer.prompts import PromptBudget
from acclimate_indexer.repository import Repository
from acclimate_server.cli import blind, report
from acclimate_server.cli.context import Context
from acclimate_server.cli.main import _shared_options, main
from acclimate_training.registry import Adapter, AdapterRegistry
from acclimate_training.report.blind import BlindPair, adapter_is_first

DONE, USAGE, FORESEEN = 0, 2, 3
OLD, NEW = "shop-20260301T090000-11aa", "shop-20260401T101500-3f2a"
ESCAPE = "\x1b[2J"  # would clear the terminal


@pytest.fixture
def repository(make_repository: MakeRepository) -> Path:
    return make_repository({"app.py": "def total(prices):\n    return sum(prices)\n"})


@pytest.fixture
def kept(home: Home, repository: Path) -> RepositoryHome:
    """A repository with two adapters, of which none is in use."""
    found = home.for_repository(Repository.open(repository).common_directory)
    registry = AdapterRegistry(found)
    for version, created in ((OLD, "2026-03-01T09:00:00+00:00"), (NEW, "2026-04-01T10:15:00+00:00")):
        partial = registry.partial(version)
        (partial / "adapter_config.json").write_text("{}", encoding="utf-8")
        registry.publish(partial, record(version, created=created, prompt_budget=PromptBudget().to_json()))
    return found


def last_line(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])
    return found


def test_the_report_of_the_newest_version_lies_beside_its_adapter(
    kept: RepositoryHome, repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["report", "-C", str(repository), "--json"])

    path = kept.root / "reports" / f"{NEW}.html"
    assert code == DONE
    assert last_line(capsys) == {"report": str(path), "version": NEW, "opened": False}
    assert path.stat().st_mode & 0o777 == 0o600
    assert OLD in path.read_text(encoding="utf-8")


def test_the_report_is_about_the_version_in_use_or_the_one_asked_for(
    kept: RepositoryHome, repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    AdapterRegistry(kept).set_live(OLD)

    main(["report", "-C", str(repository), "--json"])
    in_use = last_line(capsys)
    main(["report", NEW, "-C", str(repository), "--json"])
    asked_for = last_line(capsys)

    assert (in_use["version"], asked_for["version"]) == (OLD, NEW)


def test_the_path_is_printed_where_nobody_sits_at_a_terminal(
    kept: RepositoryHome, repository: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "elsewhere" / "page.html"

    code = main(["report", "-C", str(repository), "--output", str(path)])

    assert code == DONE
    assert capsys.readouterr().out == f"{path}\n"
    assert path.stat().st_mode & 0o777 == 0o600
    assert not (kept.root / "reports").exists()


def test_a_browser_is_given_the_page(kept: RepositoryHome, repository: Path, tmp_path: Path) -> None:
    browser, seen = tmp_path / "browser", tmp_path / "seen"
    browser.write_text(f'#!/bin/sh\necho "$1" > "{seen}"\n', encoding="utf-8")
    browser.chmod(0o700)
    program = "import sys; from acclimate_server.cli.main import main; sys.exit(main(sys.argv[1:]))"

    done = subprocess.run(
        [sys.executable, "-P", "-c", program, "report", "--open", "--json"],
        cwd=repository,
        env=os.environ | {"BROWSER": str(browser)},
        capture_output=True,
        text=True,
        check=True,
    )

    assert seen.read_text(encoding="utf-8") == f"{(kept.root / 'reports' / NEW).as_uri()}.html\n"
    assert json.loads(done.stdout)["opened"] is True


@pytest.mark.parametrize("verb", ["report", "blind"])
def test_a_version_that_is_not_there_is_one_sentence(
    kept: RepositoryHome, repository: Path, verb: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for version in ("nope", "../../etc/passwd"):
        code = main([verb, version, "-C", str(repository)])

        assert code == FORESEEN
        assert f"acclimate: No adapter is called {version!r}" in capsys.readouterr().err


@pytest.mark.parametrize("verb", ["report", "blind"])
def test_a_repository_without_an_adapter_is_told_how_to_get_one(
    home: Home, repository: Path, verb: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main([verb, "-C", str(repository)])

    assert code == FORESEEN
    assert "has no adapter yet. Make one: `acclimate adapt`." in capsys.readouterr().err


def test_a_file_that_cannot_be_written_is_one_sentence(
    kept: RepositoryHome, repository: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "folder").mkdir()

    code = main(["report", "-C", str(repository), "--output", str(tmp_path / "folder")])

    assert code == USAGE
    assert "could not be written" in capsys.readouterr().err
    assert list(tmp_path.glob(".folder*")) == []


def call(register: Any, verb: str, *arguments: str) -> int:
    """Runs one verb as `main` does, with what it takes its places from given."""
    parser = argparse.ArgumentParser()
    register(parser.add_subparsers(), _shared_options())
    parsed = parser.parse_args([verb, *arguments])
    return int(parsed.run(parsed, Context.of(parsed)))


def test_code_reaches_the_page_only_with_leave(kept: RepositoryHome, repository: Path) -> None:
    def register(verbs: Any, shared: argparse.ArgumentParser) -> None:
        report.register(verbs, shared, lambda *_: examples())

    path = kept.report(NEW)
    call(register, "report", "-C", str(repository))
    without = path.read_text(encoding="utf-8")
    call(register, "report", "-C", str(repository), "--with-code")
    with_code = path.read_text(encoding="utf-8")

    assert "step_0.py" in without and "basket.total_" not in without
    assert "basket.total_" in with_code


PAIRS = [
    BlindPair(
        name=f"pair-{number}",
        path=f"shop/{ESCAPE}file_{number}.py",
        language="python",
        prefix=f"value_{number} = ",
        suffix="\nprint()\n",
        base=f"first_answer({number})",
        adapter=f"first_answer({number})  " if number % 3 == 0 else f"second_answer({number}){ESCAPE}",
    )
    for number in range(9)  # of which three are answered alike
]


def judge(
    monkeypatch: pytest.MonkeyPatch, repository: Path, keys: str, *arguments: str, pairs: Sequence[BlindPair] = PAIRS
) -> int:
    def register(verbs: Any, shared: argparse.ArgumentParser) -> None:
        blind.register(verbs, shared, lambda *_: pairs)

    monkeypatch.setattr(sys, "stdin", io.StringIO(keys))
    return call(register, "blind", "-C", str(repository), *arguments)


def newest(kept: RepositoryHome) -> Adapter:
    return AdapterRegistry(kept).get(NEW)


def test_a_person_judges_and_the_counts_are_kept(
    kept: RepositoryHome, repository: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code = judge(monkeypatch, repository, "1\nx\n2\nT\n1\ns\n1\n", "--seed", "4", "--json")

    captured = capsys.readouterr()
    found = json.loads(captured.out.splitlines()[-1])["blind"]
    kept_metrics = newest(kept).record["metrics"]
    assert code == DONE
    assert found["better"] + found["worse"] == 4
    assert (found["tie"], found["seed"], len(found["judgements"])) == (3 + 1, 4, 8)
    assert kept_metrics["blind"] == found
    assert kept_metrics["contenders"] == metrics()["contenders"]
    assert captured.err.count("Which is better?") == 7


def test_nobody_is_told_which_is_which_and_the_counts_are_the_adapters(
    kept: RepositoryHome, repository: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    judge(monkeypatch, repository, "1\n" * 6, "--seed", "1")

    captured = capsys.readouterr()
    shown, _, said = captured.out.partition("Of 9 places")
    better = sum(adapter_is_first(1, pair.name) for pair in PAIRS if not pair.is_identical)
    assert 0 < better < 6
    assert "adapter" not in shown + captured.err and "base" not in shown + captured.err
    assert f"the adapter is better at {better}, worse at {6 - better}, a tie at 3" in said
    assert "second_answer(1)" in shown and "file_0" not in shown
    assert ESCAPE not in captured.out and "␛[2J" in captured.out


def test_an_interrupted_test_goes_on_where_it_stopped(
    kept: RepositoryHome, repository: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    judge(monkeypatch, repository, "1\n1\nq\n", "--seed", "1")
    first = dict(newest(kept).record["metrics"]["blind"]["judgements"])
    capsys.readouterr()
    judge(monkeypatch, repository, "2\n2\n", "--seed", "8")  # the input ends
    second = newest(kept).record["metrics"]["blind"]
    asked = capsys.readouterr().out.count("value_")
    judge(monkeypatch, repository, "t\nt\n", "--seed", "8")

    last = newest(kept).record["metrics"]["blind"]
    assert len(first) == 3 + 2
    assert first.items() <= second["judgements"].items() <= last["judgements"].items()
    assert second["seed"] == 1
    assert asked == 3  # two judged, and the one at which the input ended
    assert sorted(last["judgements"]) == sorted(pair.name for pair in PAIRS)


def test_as_many_places_as_asked_for_are_judged(
    kept: RepositoryHome, repository: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    judge(monkeypatch, repository, "t\n" * 9, "--pairs", "4")
    first = newest(kept).record["metrics"]["blind"]
    capsys.readouterr()
    judge(monkeypatch, repository, "1\n" * 9, "--pairs", "4")

    assert (first["tie"], len(first["judgements"])) == (4, 4)
    assert newest(kept).record["metrics"]["blind"] == first
    assert "4 places, 0 to judge" in capsys.readouterr().err


def test_what_an_evaluation_wrote_meanwhile_stays(
    kept: RepositoryHome, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = AdapterRegistry(kept)
    sheet = blind.Sheet(registry, NEW, seed=0)
    registry.update(newest(kept), {"metrics": metrics() | {"power_points": 1.5}})

    sheet.keep({"pair-1": "better"})

    found = newest(kept).record["metrics"]
    assert found["power_points"] == 1.5
    assert found["blind"]["better"] == 1


def test_without_an_answer_of_both_it_says_what_to_do(
    kept: RepositoryHome, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(AdapterError, match="Run `acclimate evaluate` first"):
        judge(monkeypatch, repository, "", pairs=())


def test_without_the_data_set_there_is_nothing_to_judge_and_a_report_without_places(
    kept: RepositoryHome, repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    judged = main(["blind", "-C", str(repository)])
    reason = capsys.readouterr().err
    written = main(["report", "-C", str(repository)])

    assert (judged, written) == (FORESEEN, DONE)
    assert "the data set that it learnt from is not here" in reason
    assert "Places won and lost are left out of the report. " in capsys.readouterr().err


def test_what_an_evaluation_has_kept_is_judged_and_reported(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shop, adapter = evaluated_shop(home, tmp_path, {"base": "wrong_answer()", "adapter": "other_answer()"})
    monkeypatch.setattr(sys, "stdin", io.StringIO("t\n" * 20))

    judged = main(["blind", "-C", str(shop), "--pairs", "3", "--json"])
    found = last_line(capsys)
    written = main(["report", "-C", str(shop), "--with-code", "--json"])

    assert (judged, written) == (DONE, DONE)
    assert (found["version"], found["blind"]["tie"]) == (adapter.version, 3)
    page = Path(last_line(capsys)["report"]).read_text(encoding="utf-8")
    assert "3" in page.partition("judged by a person")[2][:2000]
    assert "were right with adapter alone (won)" in page


def test_no_places_at_all_is_usage(kept: RepositoryHome, repository: Path) -> None:
    assert main(["blind", "-C", str(repository), "--pairs", "0"]) == USAGE
