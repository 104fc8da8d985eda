"""What a team says to its reviewers, and what a linter says that it acts upon, in a running server."""

from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types
from tests.support.git_folder import GitFolder
from tests.support.lsp import Editor, connected
from tests.support.migrated import OLD, migrated

from acclimate_indexer.dataset import MiningOptions, mine
from acclimate_indexer.home import Home
from acclimate_indexer.repository import Repository
from acclimate_server.review.team import team_rules

OPTIONS: dict[str, Any] = {"completion": {"enabled": False}}
MANUAL = types.TextDocumentSaveReason.Manual
NAMES = (".acclimate/review.md",)


async def said_of(editor: Editor, path: Path, text: str) -> list[tuple[Any, str]]:
    """The kind and the words of each comment on a text, once it was reviewed."""
    editor.open(path, text)
    editor.save(path, MANUAL)
    await editor.status_where(lambda status: status["review"]["state"] in ("waiting", "reviewing"))
    await editor.status_where(lambda status: status["review"]["state"] == "idle")
    last = editor.published[-1].diagnostics if editor.published else []
    return [(each.code, each.message) for each in last]


async def test_what_the_team_switched_off_is_not_said(tmp_path: Path, home: Home) -> None:
    shop = migrated(tmp_path / "shop", home)
    shop.write({NAMES[0]: f"# Reviews\n\n- off: replaced-name `{OLD}`\n"})
    async with connected(shop.path, OPTIONS) as editor:
        assert await said_of(editor, shop.path / "src/new.py", f"def remind(order):\n    {OLD}(order)\n") == []


async def test_what_the_team_wants_needs_no_history(shop: GitFolder) -> None:
    shop.commit({"a.py": "def a(order):\n    return order\n"})
    shop.write({NAMES[0]: "- use `as_proxy` instead of `from_client` — because the client may be shared.\n"})
    async with connected(shop.path, OPTIONS) as editor:
        [(code, words)] = await said_of(editor, shop.path / "b.py", "def b(order):\n    from_client(order)\n")
    assert code == "team-rule"
    assert "as_proxy" in words
    assert "the client may be shared" in words


async def test_a_linter_speaks_by_rules_that_were_acted_upon_and_no_others(shop: GitFolder, home: Home) -> None:
    names = [f"part_{number}" for number in range(8)]
    body = "def {name}(order):\n    try:\n        order.{name}()\n    except KeyError as e:\n        order.note(e)\n"
    shop.commit({f"{name}.py": body.format(name=name) + "        raise e\n" for name in names})
    for day, name in enumerate(names, 1):
        shop.commit({f"{name}.py": body.format(name=name) + "        raise\n"}, day=day)
    mine(Repository.open(shop.path), home.for_repository(shop.path / ".git"), MiningOptions(hold_out=False))
    new = "import os\n\n\n" + body.format(name="late") + "        raise e\n"
    async with connected(shop.path, OPTIONS) as editor:
        [(code, words)] = await said_of(editor, shop.path / "late.py", new)
        status = await editor.status_where(lambda status: status["review"]["state"] == "idle")
    assert code == "ruff:TRY201"
    assert "8 such places were put right in 8 commits" in words
    assert status["review"]["reviewers"]["linter"] == "ruff's TRY201"


def test_rules_from_outside_of_the_work_tree_are_not_read(tmp_path: Path) -> None:
    outside = tmp_path / "outside.md"
    outside.write_text("- off: replaced-name\n", encoding="utf-8")
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "link.md").symlink_to(outside)
    (tree / "own.md").write_text("Own words.\n", encoding="utf-8")
    rules = team_rules(tree, ["link.md", "../outside.md", str(outside), "own.md", "missing.md", "a\0b", "."])
    assert rules.prose == "Own words."
    assert not rules.off


@pytest.fixture
def shop(tmp_path: Path) -> GitFolder:
    return GitFolder.new(tmp_path / "shop")
