"""Texts and conventions that mean no good: nothing is raised, nothing hangs, fixes stay within the text."""

import random
from pathlib import Path

import pytest
from tests.support.reviewed import findings, prevalence, replacement

from acclimate_indexer.languages.registry import LANGUAGES
from acclimate_indexer.mining.conventions.record import Prevalence, Replacement
from acclimate_indexer.review.finding import fixed
from acclimate_indexer.review.rules import RULES_FILE, TeamRules

FIXTURES = sorted(path for path in (Path(__file__).parents[1] / "languages").iterdir() if path.suffix != ".json")
PIECES = (
    "send_note(1)",
    '"',
    "'''",
    "/*",
    "*/",
    "`",
    "#",
    "//",
    "\\",
    "(",
    "def openCart(",
    "import requests",
    "\0",
    "é",
    "\n",
)
NASTY = (
    replacement("(a+)+$", "b"),
    replacement(".*", "["),
    replacement("x" * 10_000, "y"),
    replacement("", "nothing"),
    replacement("a..b", "c"),
    replacement("send_note", "\\1\\g<0>"),
    prevalence("python functions", "(((("),
    prevalence("functions", "snake_case"),
    prevalence("", ""),
    prevalence("folders", "no rule at all"),
    prevalence("own libraries", ""),
    prevalence("http client", "nothing known"),
    prevalence("decorator ", "(("),
    prevalence("python logging", ".*"),
)


def test_names_with_the_characters_of_patterns_are_taken_letter_by_letter() -> None:
    text = "logging.info(1)\nsend_note(1)\n@((\nimport requests\ndef openCart():\n    pass\n" + "a" * 50 + "!\n"

    found = {each.code: each for each in findings("a.py", text, *NASTY)}
    assert fixed(text, found["replaced-name"].fix).split("\n")[1] == "\\1\\g<0>(1)"


@pytest.mark.parametrize(
    "line", ["x." * 100_000, "send_note(" * 100_000, "'" * 99_999, "@" + "a" * 100_000, " " * 10**6]
)
def test_a_huge_line_is_data(line: str) -> None:
    assert findings("a.py", f"{line}\n", replacement("send_note", "tell_all"), *NASTY) == []


@pytest.mark.parametrize("fixture", FIXTURES, ids=lambda path: path.name)
def test_damaged_files_of_every_language_give_fixes_within_the_text(fixture: Path) -> None:
    choice = random.Random(0)
    every: list[Replacement | Prevalence] = [replacement("send_note", "tell_all"), prevalence("http client", "httpx")]
    functions = [f"{language.name} functions" for language in LANGUAGES]
    every += [prevalence(role, "snake_case") for role in functions]
    rules = TeamRules(on=frozenset(functions))
    for _ in range(40):
        text = fixture.read_text(encoding="utf-8")
        for _ in range(5):
            at = choice.randrange(len(text))
            text = text[:at] + choice.choice(PIECES) + text[at + choice.randrange(3) :]
        for found in findings(fixture.name, text, *every, rules=rules):
            assert 0 <= found.span.start < found.span.end <= len(text)
            assert all(text[edit.span.start : edit.span.end] == found.subject for edit in found.fix)


def test_lines_that_are_not_there_say_nothing() -> None:
    assert findings("a.py", "", *NASTY, changed=(range(5),)) == []
    assert findings("a.py", "send_note(1)", replacement("send_note", "a"), changed=(range(3, 9),)) == []


def test_a_rule_about_a_letter_is_no_burden_in_a_long_file() -> None:
    rules = TeamRules.read({RULES_FILE: "- use `bb` instead of `a`\n- use `[` instead of `(`\n"})
    lines = 4_000

    assert len(findings("a.py", "x = a(a, a)\n" * lines, rules=rules)) == 2 * lines
