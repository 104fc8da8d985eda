"""What one answer is worth: equality, names, syntax and length, in the languages that differ most."""

from typing import Any

import pytest

from acclimate_indexer.fragment import Member, fragment
from acclimate_indexer.languages.registry import language_named
from acclimate_training.evaluation.metrics import ASSESSED, Answer, Assessment, assess


def judged(
    middle: str,
    served: str,
    *,
    language: str = "python",
    prefix: str = "total = ",
    suffix: str = "\n",
    **others: Any,
) -> Assessment:
    given: dict[str, Any] = {"generated": served, "stopped": True} | others
    return assess(Answer(language=language, prefix=prefix, middle=middle, suffix=suffix, served=served, **given))


def test_an_answer_is_judged_as_served_and_the_raw_text_beside_it() -> None:
    found = judged("a + b", "a + b  ", generated="a + b\nprint(a)\n", stopped=False)

    assert (found.exact_match, found.exact_match_raw, found.stop_rate) == (1, 0, 0)
    assert found.edit_similarity == 1
    assert found.length_ratio == 15 / 5


def test_a_raw_match_needs_an_end_that_the_model_made_itself() -> None:
    assert judged("a + b", "a + b").exact_match_raw == 1
    assert judged("a + b", "a + b", stopped=False).exact_match_raw == 0


def test_the_first_line_counts_by_itself() -> None:
    found = judged("x = 1\ny = 2", "x = 1\ny = 3", prefix="")

    assert (found.first_line_match, found.exact_match) == (1, 0)


@pytest.mark.parametrize(
    ("language", "prefix", "middle", "served", "suffix", "f1"),
    [
        # self, total and tax against self, total and rate: two of three on both sides
        ("python", "def f(self):\n    return ", "self.total(tax)", "self.total(rate)", "\n", 2 / 3),
        # `this`, `return` and `new` are keywords: items, Till against items, map, Till
        (
            "typescript",
            "class A { f() { ",
            "return new Till(this.items);",
            "return new Till(this.items.map());",
            " } }",
            0.8,
        ),
        # s, Total, err against s, Total; `:=` and `if` are no names
        ("go", "package a\nfunc f(s *S) {\n\t", "err := s.Total()", "if s.Total() {}", "\n}\n", 0.8),
        # String is a name of the library, `final` and `int` are not: two equal ones of two and three
        ("java", "class A { void f() { ", "final int total = rate;", "String total = rate;", " } }", 0.8),
        ("python", "x = ", "1 + 2", "3", "\n", 1.0),  # no names on either side
        ("python", "x = ", "a", "1", "\n", 0.0),
        ("python", "x = ", "a + a", "a", "\n", 2 / 3),  # as often as they stand
        ("cobol", "", "MOVE A TO B", "MOVE A TO C", "", 0.75),  # without a grammar every word is a name
    ],
)
def test_names_are_compared_by_hand_counted_f1(
    language: str, prefix: str, middle: str, served: str, suffix: str, f1: float
) -> None:
    found = judged(middle, served, language=language, prefix=prefix, suffix=suffix)

    assert found.identifier_f1 == pytest.approx(f1)


def test_a_name_that_the_hole_cuts_in_two_counts_whole() -> None:
    found = fragment("ma", prefix="x = self.na", suffix="()\n", language=language_named("python"))

    assert found.members == (Member("nama", "self"),)


@pytest.mark.parametrize(
    ("language", "prefix", "middle", "broken", "suffix"),
    [
        ("python", "def f():\n    return ", "(a + b)", "(a + b", "\n\n\ndef g():\n    pass\n"),
        ("typescript", "function f() {\n  ", "return { a: 1 };", "return { a: 1 ;", "\n}\n"),
        ("go", "package a\n\nfunc f() int {\n\t", "return g(1)", "return g(1", "\n}\n"),
        ("java", "class A {\n  int f() {\n    ", "return g(1);", "return g(1;", "\n  }\n}\n"),
    ],
)
def test_an_answer_that_breaks_the_file_does_not_parse(
    language: str, prefix: str, middle: str, broken: str, suffix: str
) -> None:
    assert judged(middle, middle, language=language, prefix=prefix, suffix=suffix).parse_share == 1
    assert judged(middle, broken, language=language, prefix=prefix, suffix=suffix).parse_share == 0


def test_a_file_that_was_broken_before_is_not_held_against_the_answer() -> None:
    found = judged("a", "b", prefix=")]\n\ntotal = ", suffix="\n")

    assert found.parse_share == 1


def test_what_cannot_be_told_is_none() -> None:
    found = judged("MOVE A TO B", "MOVE A TO C", language="cobol")

    assert (found.parse_share, found.invented_names, found.retired_names) == (None, None, None)


def test_an_empty_answer_is_worth_nothing_but_parses_or_not() -> None:
    found = judged("a + b", "", generated="")

    assert (found.exact_match, found.edit_similarity, found.identifier_f1, found.length_ratio) == (0, 0, 0, 0)


def test_an_empty_answer_within_an_import_imports_nothing() -> None:
    found = fragment("", prefix="from shop im", suffix="port cart\n", language=language_named("python"))

    assert (found.imports, found.other_imports) == ((), ("from shop import cart",))
    assert judged("im", "", generated="", prefix="from shop ", suffix="port cart\n").exact_match == 0


@pytest.mark.parametrize("hostile", ["\ud800", "\0", "(" * 20_000, "a." * 20_000, "'" * 5_000])
def test_no_answer_is_too_odd_to_be_judged(hostile: str) -> None:
    for language in ("python", "typescript", "go", "java"):
        assert judged("a + b", hostile, language=language).exact_match == 0


def test_the_figures_are_named_as_the_record_names_them() -> None:
    assert ASSESSED == (
        "exact_match",
        "exact_match_raw",
        "edit_similarity",
        "identifier_f1",
        "first_line_match",
        "stop_rate",
        "length_ratio",
        "parse_share",
        "invented_names",
        "retired_names",
    )
