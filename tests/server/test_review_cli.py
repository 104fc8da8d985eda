"""`acclimate review`: scopes, exit codes, JSON and SARIF, of a real history."""

import json
from pathlib import Path

import pytest
from sarif_pydantic import Sarif
from tests.server.test_cli import DONE, USAGE, acclimate
from tests.support.git_folder import GitFolder, module
from tests.support.migrated import NEW, OLD, home_of, migrated

from acclimate_indexer.feedback import FeedbackStore
from acclimate_indexer.home import Home
from acclimate_indexer.languages.registry import language_of
from acclimate_indexer.review.dismissals import dismiss
from acclimate_indexer.review.finding import Finding
from acclimate_indexer.review.target import ReviewTarget
from acclimate_indexer.syntax import Span

FINDINGS = 1
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
    assert acclimate("review", "--since", "nobody", "--repository", shop.path).returncode == USAGE


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
    assert acclimate("review", "--sarif", "--json", "--repository", shop.path).returncode == USAGE


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
