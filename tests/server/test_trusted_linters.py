"""The repository's own linters, which run what it says: real ones, asked only where the user trusts them."""

import asyncio
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import files
from pathlib import Path
from typing import Any

import psutil
import pytest
from lsprotocol import types
from tests.support.git_folder import GitFolder
from tests.support.lsp import connected
from tests.support.migrated import migrated
from tests.support.reviewed import target_of

from acclimate_indexer.errors import ReviewError
from acclimate_indexer.home import Home
from acclimate_indexer.review.finding import Finding, fixed
from acclimate_indexer.review.rules import TeamRules
from acclimate_indexer.review.target import ReviewTarget
from acclimate_server.review.ground import Ground
from acclimate_server.review.model import Voice
from acclimate_server.review.reviewers import findings_of
from acclimate_server.review.trusted import trusted_linters
from acclimate_server.settings import ReviewSettings
from acclimate_training.engine_address import ENGINE_KEY

NODE_MODULES = Path(__file__).parents[2] / "vscode-extension/node_modules"
TRUSTED = ReviewSettings(trust_linters=True)
CALLED = "x = '😀'; y = eval(x)\n"
LOOSE = "const x = '😀'; let y = x;\nconsole.log(y == null);\n"
SCRIPT_RULES = '{ "prefer-const": "error", "eqeqeq": "warn", "no-var": "error" }'
MANUAL = types.TextDocumentSaveReason.Manual


@pytest.fixture
def shop(tmp_path: Path) -> GitFolder:
    return GitFolder.new(tmp_path / "shop")


def with_pylint(shop: GitFolder, settings: str = "") -> Path:
    """Sets pylint up as a project does; the file is written by its settings, which are a program."""
    mark = shop.path.parent / "ran"
    hook = f"[MAIN]\ninit-hook=open({str(mark)!r}, 'w').close()\n"
    shop.write({".pylintrc": f"{hook}disable=all\nenable=eval-used,unused-import,syntax-error\n{settings}"})
    place(shop, ".venv/bin/pylint", installed_pylint())
    return mark


def installed_pylint() -> Path:
    """The development dependency's, which is not beside the interpreter where that is the runtime's."""
    [found] = [each for each in files("pylint") or () if each.name == "pylint" and each.parent.name == "bin"]
    return Path(str(found.locate())).resolve()


def with_eslint(shop: GitFolder) -> None:
    if not (NODE_MODULES / ".bin/eslint").exists():
        pytest.skip("ESLint is not there: `make vsix` installs it")
    shop.write({"eslint.config.mjs": f"export default [{{ rules: {SCRIPT_RULES} }}];\n"})
    (shop.path / "node_modules").symlink_to(NODE_MODULES)


def place(shop: GitFolder, name: str, program: Path) -> None:
    link = shop.path / name
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(program)


def with_script(shop: GitFolder, script: str) -> None:
    """A pylint of the test's own."""
    shop.write({".pylintrc": "", ".venv/bin/pylint": f"#!/bin/sh\n{script}\n"})
    (shop.path / ".venv/bin/pylint").chmod(0o755)


async def said(shop: GitFolder, target: ReviewTarget, rules: str = "") -> list[Finding]:
    [linter] = trusted_linters(shop.path, TeamRules.read({".acclimate/review.md": rules}), asyncio.Semaphore(1))
    return await linter.review(target)


def underlined(text: str, found: Sequence[Finding]) -> list[str]:
    return [text[each.span.start : each.span.end] for each in found]


async def test_pylint_says_what_the_repository_has_set(shop: GitFolder) -> None:
    with_pylint(shop)
    [found] = await said(shop, target_of("shop/a.py", CALLED))

    assert (found.reviewer, found.code, found.subject, found.severity) == (
        *("linter", "pylint:eval-used", "eval-used", "suggestion"),
    )
    assert underlined(CALLED, [found]) == ["eval(x)"]  # behind a character of four bytes
    assert found.message.endswith("pylint says so, as this repository has set it.")


async def test_eslint_says_what_the_repository_has_set_and_its_fix(shop: GitFolder) -> None:
    with_eslint(shop)
    constant, equal = await said(shop, target_of("shop/a.js", LOOSE))

    assert (constant.code, constant.severity, equal.code, equal.severity) == (
        *("eslint:prefer-const", "warning", "eslint:eqeqeq", "suggestion"),
    )
    assert underlined(LOOSE, [constant, equal]) == ["y", "=="]  # behind a character of two units
    assert fixed(LOOSE, constant.fix) == LOOSE.replace("let y", "const y")


async def test_a_file_that_eslint_ignores_has_no_comments(shop: GitFolder) -> None:
    with_eslint(shop)

    assert await said(shop, target_of("shop/a.ts", LOOSE)) == []  # nothing is set for its kind


async def test_a_name_with_a_dash_is_a_files(shop: GitFolder) -> None:
    with_pylint(shop)

    assert len(await said(shop, target_of("--disable=eval-used.py", CALLED))) == 1


@pytest.mark.parametrize(
    ("text", "changed", "codes"),
    [
        (f"import os\n{CALLED}", range(1, 3), ["pylint:eval-used"]),  # only new lines are spoken of
        (f"{CALLED}{CALLED}", range(1, 2), []),  # a rule that was broken before is lived with
        ("x = (\n", range(1), []),  # somebody is in the middle of something
    ],
)
async def test_new_kinds_in_new_lines_are_said(shop: GitFolder, text: str, changed: range, codes: list[str]) -> None:
    with_pylint(shop)

    found = await said(shop, target_of("shop/a.py", text, changed=(changed,)))

    assert [each.code for each in found] == codes


async def test_other_languages_are_not_asked_about(shop: GitFolder) -> None:
    mark = with_pylint(shop)

    assert await said(shop, target_of("shop/a.js", LOOSE)) == []
    assert not mark.exists()


async def test_the_team_may_switch_a_rule_off(shop: GitFolder) -> None:
    with_pylint(shop)

    assert await said(shop, target_of("shop/a.py", CALLED), "- off: pylint:eval-used\n") == []


@pytest.mark.parametrize("is_trusted", [False, True])
async def test_nothing_runs_unless_the_user_trusts_it(shop: GitFolder, home: Home, is_trusted: bool) -> None:
    shop.commit({"shop/a.py": CALLED})
    mark = with_pylint(shop)
    repository = shop.open()
    with ThreadPoolExecutor(max_workers=1) as executor:
        ground = Ground(repository, home.create().for_repository(repository.common_directory))
        wanted = TRUSTED if is_trusted else ReviewSettings()
        panel = ground.panel(wanted, Voice(), executor)
        found = await findings_of(target_of("shop/a.py", CALLED), panel.reviewers, timeout_seconds=60)

    assert mark.exists() is is_trusted
    assert [each.code for each in found.found] == ["pylint:eval-used"] * is_trusted
    assert ("pylint by .pylintrc" in panel.words["linter"]) is is_trusted


async def test_what_is_set_up_but_not_installed_is_said(shop: GitFolder, home: Home) -> None:
    shop.commit({"pyproject.toml": "[tool.pylint.main]\n"})
    repository = shop.open()
    ground = Ground(repository, home.create().for_repository(repository.common_directory))
    words = ground.words(TRUSTED, "")["linter"]

    assert words.startswith("off: ")
    assert "no pylint: .venv/bin/pylint or venv/bin/pylint is missing" in words


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("echo 'no such plugin' >&2; exit 32", "pylint of this repository failed: no such plugin"),
        ("exit 1", "failed: It printed nothing."),
        ("""echo '[{"line": 99, "column": 0, "endLine": null, "endColumn": null}]'""", "pylint of this repository"),
    ],
)
async def test_a_linter_that_fails_says_why(shop: GitFolder, script: str, why: str) -> None:
    with_script(shop, script)

    with pytest.raises(ReviewError, match=why):
        await said(shop, target_of("shop/a.py", CALLED))


async def test_the_engines_key_is_not_shown_to_it(shop: GitFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENGINE_KEY, "sesame")
    with_script(shop, "env > seen; echo '[]'")

    assert await said(shop, target_of("shop/a.py", CALLED)) == []
    assert "PATH=" in (shop.path / "seen").read_text()
    assert "sesame" not in (shop.path / "seen").read_text()


async def test_one_that_takes_too_long_is_gone_with_all_that_it_started(shop: GitFolder) -> None:
    with_script(shop, "echo $$ > pid; sleep 600 & echo $! > child; wait")
    linters = list(trusted_linters(shop.path, TeamRules(), asyncio.Semaphore(1)))
    found = await findings_of(target_of("shop/a.py", CALLED), linters, timeout_seconds=2)

    assert "review.timeout_seconds" in found.silent["linter"]
    for name in ("pid", "child"):
        assert await asyncio.to_thread(is_gone, int((shop.path / name).read_text()))


def is_gone(pid: int) -> bool:
    """Whether a process ends within ten seconds; nobody may have asked yet how it did."""
    for _ in range(200):
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.05)
    return False


async def test_it_is_published_on_saving(tmp_path: Path, home: Home) -> None:
    shop = migrated(tmp_path / "shop", home)
    with_pylint(shop)
    path = shop.path / "src/order.py"
    text = f"{path.read_text()}\n\n{CALLED}"
    options: dict[str, Any] = {"completion": {"enabled": False}, "review": {"trust_linters": True}}
    async with connected(shop.path, options) as editor:
        editor.open(path, text)
        editor.save(path, MANUAL)
        [found] = await editor.diagnostics_where(path, bool)

    assert (found.source, found.code) == ("acclimate", "pylint:eval-used")
