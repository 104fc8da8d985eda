"""`acclimate review`: scopes, exit codes, JSON and SARIF, of a real history."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from sarif_pydantic import Sarif
from tests.server.test_cli import DONE, USAGE, acclimate
from tests.support.git_folder import GitFolder, module
from tests.support.migrated import NEW, OLD, home_of, migrated

from acclimate_indexer.dataset import mine
from acclimate_indexer.feedback import FeedbackStore
from acclimate_indexer.home import Home
from acclimate_indexer.languages.registry import language_of
from acclimate_indexer.review.dismissals import dismiss
from acclimate_indexer.review.finding import Finding
from acclimate_indexer.review.target import ReviewTarget
from acclimate_indexer.syntax import Span

FINDINGS, UNFORESEEN = 1, 4
BAD = f"\n\ndef remind(order):\n    {OLD}(1, limit=2)\n    return order\n"


@pytest.fixture
def shop(tmp_path: Path, home: Home) -> GitFolder:
    return migrated(tmp_path / "shop", home)


def order_with(shop: GitFolder, text: str) -> str:
    return (shop.path / "src/order.py").read_text(encoding="utf-8") + text


def test_what_was_changed_is_said_with_place_proof_and_replacement(shop: GitFolder) -> None:
    text = order_with(shop, BAD)
    shop.write({"src/order.py": text})
    done = acclimate("review", "--repository", shop.path, "--json")
    said = json.loads(done.stdout.splitlines()[-1])
    [found] = said["findings"]

    assert done.returncode == FINDINGS
    assert (found["path"], found["code"], found["subject"]) == ("src/order.py", "replaced-name", OLD)
    assert text.split("\n")[found["line"] - 1][found["column"] - 1 :].startswith(OLD)
    assert [edit["text"] for edit in found["fix"]] == [NEW]
    assert found["evidence"][0]["commit"] == shop.git("rev-parse", "HEAD")
    assert said["files"] == ["src/order.py"]
    assert said["reviewers"]["model"].startswith("off: ")


def test_who_takes_a_change_back_everywhere_is_not_told_to_make_it(shop: GitFolder) -> None:
    for file in shop.path.rglob("*.py"):
        file.write_text(file.read_text(encoding="utf-8").replace(NEW, OLD), encoding="utf-8")
    done = acclimate("review", "--repository", shop.path)

    assert done.returncode == DONE
    assert "0 comments, " in done.stderr
    assert "0 comments, 0 files" not in done.stderr


def test_nothing_to_say_is_done_and_the_rest_of_a_file_is_left_alone(shop: GitFolder) -> None:
    shop.commit({"src/order.py": order_with(shop, BAD)}, day=9)
    shop.write({"src/order.py": order_with(shop, "\n\nLIMIT = 2\n")})
    done = acclimate("review", "--repository", shop.path)
    assert done.returncode == DONE
    assert "0 comments, 1 file reviewed." in done.stderr
    assert done.stdout == ""


def test_what_is_staged_is_reviewed_as_it_is_staged(shop: GitFolder) -> None:
    shop.write({"src/order.py": order_with(shop, BAD)})
    assert acclimate("review", "--staged", "--repository", shop.path).returncode == DONE
    shop.git("add", "-A")
    assert acclimate("review", "--staged", "--repository", shop.path).returncode == FINDINGS


def test_a_range_of_commits_is_reviewed(shop: GitFolder) -> None:
    shop.commit({"src/order.py": order_with(shop, BAD)}, day=9)
    assert acclimate("review", "--repository", shop.path).returncode == DONE
    assert acclimate("review", "--since", "HEAD~1", "--repository", shop.path).returncode == FINDINGS
    for nothing in ("nobody", ""):
        assert acclimate("review", "--since", nothing, "--repository", shop.path).returncode == USAGE
        assert acclimate("review", "--since", nothing, shop.path / "src/order.py").returncode == USAGE


def test_a_file_is_reviewed_whole(shop: GitFolder, tmp_path: Path) -> None:
    shop.commit({"src/order.py": order_with(shop, BAD)}, day=9)
    assert acclimate("review", shop.path / "src/order.py").returncode == FINDINGS
    assert acclimate("review", shop.path / "src/missing.py").returncode == USAGE


def test_sarif_is_all_that_is_printed_and_another_implementation_reads_it(shop: GitFolder) -> None:
    shop.write({"src/order.py": order_with(shop, BAD)})
    done = acclimate("review", "--sarif", "--repository", shop.path)
    [result] = Sarif.model_validate(json.loads(done.stdout)).runs[0].results or []
    assert done.returncode == FINDINGS
    assert result.rule_id == "replaced-name"
    assert "1 comment, 1 file reviewed." in done.stderr
    assert acclimate("review", "--sarif", "--json", "--repository", shop.path).returncode == USAGE


def test_a_line_is_whole_and_drives_no_terminal(shop: GitFolder, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FILTER_BRANCH_SQUELCH_WARNING", "1")  # it would wait for somebody to read it
    shop.git("filter-branch", "-f", "--msg-filter", "printf 'Moved \\033[31m'")
    mine(shop.open(), home_of(shop, home))
    name = "src/\x1b]0;mine\x07/" + "long/" * 30 + "or\nder.py"
    shop.commit({name: "import os\n"})
    shop.write({name: f"import os{BAD}", ".acclimate/review.md": f"- word: replaced-name `{OLD}`: Call \x1b[2Jours.\n"})
    done = acclimate("review", "--repository", shop.path)
    said, proof = done.stdout.splitlines()

    assert said.startswith(f"src/␛]0;mine␇/{'long/' * 30}or␤der.py:4:5: warning replaced-name: Call ␛[2Jours.")
    assert proof.endswith(": Moved ␛[31m")
    assert "\x1b" not in done.stderr


@pytest.mark.parametrize(
    ("added", "commit", "reviewed"),
    [
        ("src", (), {"src/order.py", "src/new.py"}),
        ("src/new.py", ("-a",), {"src/order.py", "src/new.py"}),
        ("src", ("src/order.py",), {"src/order.py"}),
    ],
)
@pytest.mark.parametrize("options", ["--staged", ""])
def test_a_hook_reviews_what_is_about_to_be_committed(
    shop: GitFolder, added: str, commit: tuple[str, ...], reviewed: set[str], options: str
) -> None:
    hook = shop.path / ".git/hooks/pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\n'{sys.executable}' -P -m acclimate_server review {options}\n", encoding="utf-8")
    hook.chmod(0o755)
    shop.write({"src/order.py": order_with(shop, BAD), "src/new.py": f"import os{BAD}"})
    shop.git("add", added)
    before = shop.git("rev-parse", "HEAD")
    with pytest.raises(subprocess.CalledProcessError) as refused:
        shop.git("commit", "-m", "Not yet", *commit)

    assert {line.partition(":")[0] for line in refused.value.stderr.splitlines() if ": warning " in line} == reviewed
    assert shop.git("rev-parse", "HEAD") == before


def test_a_fault_of_ours_is_told_from_findings(shop: GitFolder, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = subprocess.run(
        [sys.executable, "-P", "-m", "acclimate_server", "review", "-C", str(shop.path)],
        env=os.environ | {"ACCLIMATE_HOME": str(tmp_path / "file")},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == UNFORESEEN
    assert "Traceback" in done.stderr
    assert "FileExistsError" in done.stderr


def test_a_repository_that_was_not_mined_is_mined_first(home: Home, tmp_path: Path) -> None:
    shop = GitFolder.new(tmp_path / "fresh")
    shop.commit({f"src/{name}.py": module(name, 3) for name in ("order", "till", "stock")})
    done = acclimate("review", "--repository", shop.path)
    assert done.returncode == DONE
    assert "was not mined yet" in done.stderr
    assert "was not mined yet" not in acclimate("review", "--repository", shop.path).stderr


def test_what_was_dismissed_in_an_editor_is_not_said(shop: GitFolder, home: Home) -> None:
    text = order_with(shop, BAD)
    shop.write({"src/order.py": text})
    start, language = text.index(OLD), language_of("a.py")
    assert language is not None
    target = ReviewTarget(path="src/order.py", language=language, text=text, changed=())
    found = Finding(
        path=target.path,
        span=Span(start, start + len(OLD)),
        severity="warning",
        reviewer="conventions",
        code="replaced-name",
        subject=OLD,
        message="",
    )
    dismiss(FeedbackStore(home_of(shop, home).feedback), found, target, scope="here", commit="")
    assert acclimate("review", "--repository", shop.path).returncode == DONE


def test_the_teams_rules_hold_here_too(shop: GitFolder) -> None:
    shop.write({"src/order.py": order_with(shop, BAD), ".acclimate/review.md": f"- off: replaced-name {OLD}\n"})
    assert acclimate("review", "--repository", shop.path).returncode == DONE
