"""Where lines went, and what was said about them."""

import random

from acclimate_indexer.review.line_map import LineMap, LineStarts
from acclimate_indexer.review.target import as_ranges, without
from acclimate_indexer.syntax import Span

BEFORE = "import a\n\ndef one():\n    return a\n\ndef two():\n    return 2\n"
AFTER = "import a\nimport b\n\ndef one():\n    return b\n\ndef two():\n    return 2\n"


def test_a_line_is_found_where_it_went() -> None:
    moves = LineMap(BEFORE, AFTER)

    assert [moves.line(number) for number in range(8)] == [0, 2, 3, None, 5, 6, 7, 8]


def test_a_span_keeps_its_text_or_is_gone() -> None:
    moves = LineMap(BEFORE, AFTER)
    start = BEFORE.index("two")
    moved = moves.span(Span(start, start + 3))
    altered = BEFORE.index("return a")

    assert moved is not None
    assert AFTER[moved.start : moved.end] == "two"
    assert moves.span(Span(altered, altered + 3)) is None


def test_a_span_of_two_lines_between_which_something_was_put_is_gone() -> None:
    assert LineMap("a\nb\n", "a\nnew\nb\n").span(Span(0, 3)) is None
    assert LineMap("a\nb\n", "new\na\nb\n").span(Span(0, 3)) == Span(4, 7)


def test_ranges_keep_what_is_left_of_them() -> None:
    assert LineMap(BEFORE, AFTER).ranges((range(4), range(6, 8))) == (range(1), range(2, 4), range(7, 9))


def test_every_line_that_is_found_reads_as_before() -> None:
    choice = random.Random(0)
    for _ in range(200):
        old, new = ([choice.choice("abcd") for _ in range(choice.randrange(12))] for _ in range(2))
        moves = LineMap("\n".join(old), "\n".join(new))
        found = [(number, moves.line(number)) for number in range(len(old))]
        kept = [(one, other) for one, other in found if other is not None]

        assert all(old[one] == new[other] for one, other in kept)
        assert sorted(other for _, other in kept) == [other for _, other in kept]


def test_lines_are_told_by_their_characters() -> None:
    starts = LineStarts(["ab", "", "c"])

    assert [starts.line_of(character) for character in range(5)] == [0, 0, 0, 1, 2]
    assert starts.lines_of(Span(1, 5)) == range(3)
    assert starts.lines_of(Span(3, 3)) == range(1, 2)


def test_lines_are_taken_out_of_ranges() -> None:
    assert without((range(5), range(8, 10)), (range(1, 3), range(9, 20))) == (range(1), range(3, 5), range(8, 9))
    assert as_ranges([3, 1, 2, 2, 7]) == (range(1, 4), range(7, 8))
