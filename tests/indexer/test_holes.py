"""Holes in files of every language."""

import random
from pathlib import Path

import pytest

from acclimate_indexer.completion_cut import cut
from acclimate_indexer.languages.language import Language
from acclimate_indexer.languages.registry import LANGUAGES, language_of
from acclimate_indexer.mining.completion import completion_candidates, pair_of
from acclimate_indexer.mining.holes import MIX, HoleFinder
from acclimate_indexer.mining.source import Source
from acclimate_indexer.pairs import CompletionPair
from acclimate_indexer.syntax import syntax_of

FIXTURES = {
    path.suffix: path for path in sorted((Path(__file__).parent / "languages").iterdir()) if path.suffix != ".json"
}
PYTHON = FIXTURES[".py"].read_text(encoding="utf-8")
WITHOUT_ARGUMENTS = {"shellscript"}  # words behind a command are no list


def fixture(language: Language) -> str:
    return next(FIXTURES[each] for each in language.extensions if each in FIXTURES).read_text(encoding="utf-8")


def pairs_of(source: Source, *, count: int, seed: int, within: tuple[range, ...] | None = None) -> list[CompletionPair]:
    found = completion_candidates(source, count=count, seed=seed, within=within).found
    return [pair_of(source, candidate) for candidate in found]


def source(text: str, language: Language) -> Source:
    return Source(path=f"a{language.extensions[0]}", blob="0", commit="1", language=language, text=text)


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda language: language.name)
def test_every_language_has_holes_of_every_place(language: Language) -> None:
    finder = HoleFinder(source(fixture(language), language), random.Random(0))
    drawn = [hole for hole in (finder.draw() for _ in range(500)) if hole is not None]

    wanted = set(MIX) - ({"arguments"} if language.name in WITHOUT_ARGUMENTS else set())
    assert {hole.place for hole in drawn} == wanted


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda language: language.name)
def test_a_pair_is_whole_and_ends_where_the_cut_ends(language: Language) -> None:
    text = fixture(language)
    pairs = [pair for seed in range(20) for pair in pairs_of(source(text, language), count=5, seed=seed)]

    assert len(pairs) >= 20
    for pair in pairs:
        around = {"language": pair.language, "prefix": pair.prefix, "suffix": pair.suffix}
        assert pair.prefix + pair.middle + pair.suffix == text
        assert cut(pair.middle, **around) == pair.middle
        assert cut(pair.middle + pair.suffix, **around) == pair.middle


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda language: language.name)
def test_spans_are_counted_in_characters(language: Language) -> None:
    text = fixture(language)
    syntax = syntax_of(text, language)

    assert all(text[span.start] == "(" and text[span.end - 1] == ")" for span in syntax.arguments)
    assert any("😀" in text[span.start : span.end] for span in syntax.prose)
    assert {text[symbol.signature.start : symbol.signature.end].split("(")[0].split()[-1] for symbol in syntax.symbols}
    assert syntax.damage == 0


def test_holes_lie_within_the_lines_that_are_asked_for() -> None:
    python = LANGUAGES[0]
    within = (range(7, 11),)
    pairs = pairs_of(source(PYTHON, python), count=9, seed=1, within=within)

    assert pairs
    for pair in pairs:
        first = pair.prefix.count("\n") + pair.middle.startswith("\n")
        assert first in within[0]
        assert first + pair.middle.strip("\n").count("\n") in within[0]


def test_the_same_file_gives_the_same_pairs_and_another_seed_others() -> None:
    python = LANGUAGES[0]

    def middles(seed: int) -> list[str]:
        return [pair.middle for pair in pairs_of(source(PYTHON, python), count=9, seed=seed)]

    assert middles(1) == middles(1)
    assert middles(1) != middles(2)


@pytest.mark.parametrize(
    "text",
    [
        "(\n" * 30_000,
        "[\n" * 8_000 + "]\n" * 8_000,
        "x = a" + ".b()" * 200 + "\n",
        "if x:\n" + "\n".join(" " * depth + "if x:" for depth in range(400)),
        "x = '''" + "\n" * 30_000,
        "\ufeff\r\n\r\n\x00\x01" + "}" * 10_000,
        "def f(\n" * 3_000,
        "a\n" * 8_000,
    ],
)
def test_hostile_files_are_survived(text: str) -> None:
    for language in LANGUAGES:
        for pair in pairs_of(source(text, language), count=2, seed=0):
            assert pair.middle


def test_a_secret_is_never_in_a_pair() -> None:
    key = "AKIA" + "QX7Z4M2P9L5K3J8H"
    lines = PYTHON.splitlines(keepends=True) * 4
    lines.insert(len(lines) // 2, f"SESSION = '{key}'\n")
    pairs = [pair for seed in range(30) for pair in pairs_of(source("".join(lines), LANGUAGES[0]), count=9, seed=seed)]

    assert pairs
    assert not any(key in part for pair in pairs for part in (pair.prefix, pair.middle, pair.suffix))


def test_a_file_is_known_by_its_extension() -> None:
    names = {name: language_of(name) for name in ("a/b.py", "a.TSX", "Makefile", ".py", "a.py/b", "a.pyc", "x.h")}

    assert {name: language and language.name for name, language in names.items()} == {
        "a/b.py": "python",
        "a.TSX": "typescriptreact",
        "Makefile": None,
        ".py": None,
        "a.py/b": None,
        "a.pyc": None,
        "x.h": "c",
    }
