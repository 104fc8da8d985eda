"""Which lines of a text are under review."""

import random

from acclimate_indexer.review.finding import Edit, fixed
from acclimate_indexer.review.line_map import MAX_COMPARED_LINES
from acclimate_indexer.review.target import changed_lines
from acclimate_indexer.syntax import Span


def test_nothing_changed_is_nothing_to_review() -> None:
    assert changed_lines("a\nb\n", "a\nb\n") == ()


def test_only_new_and_altered_lines_are_under_review() -> None:
    assert changed_lines("a\nb\nc\nd\n", "a\nB\nc\nnew\nd\n") == (range(1, 2), range(3, 4))


def test_a_line_that_was_taken_out_leaves_nothing_to_review() -> None:
    assert changed_lines("a\nb\nc\n", "a\nc\n") == ()


def test_a_new_file_is_reviewed_whole() -> None:
    assert changed_lines("", "a\nb\n") == (range(2),)


def test_one_line_of_many_thousands_is_found_alone() -> None:
    lines = [f"line {number}" for number in range(20_000)]
    altered = [*lines[:12_000], "another", *lines[12_001:]]
    assert changed_lines("\n".join(lines), "\n".join(altered)) == (range(12_000, 12_001),)


def test_where_too_much_changed_all_between_counts() -> None:
    old = [f"old {number}" for number in range(MAX_COMPARED_LINES + 1)]
    new = [f"new {number}" for number in range(MAX_COMPARED_LINES + 1)]
    assert changed_lines("\n".join(["top", *old]), "\n".join(["top", *new])) == (range(1, len(new) + 1),)


def test_what_is_not_under_review_stood_there_before_in_this_order() -> None:
    choice = random.Random(0)
    for _ in range(200):
        before, after = ([choice.choice("abcd") for _ in range(choice.randrange(12))] for _ in range(2))
        changed = changed_lines("\n".join(before), "\n".join(after))
        rest = iter(before)
        left = [line for number, line in enumerate(after) if not any(number in lines for lines in changed)]
        assert all(line in rest for line in left)  # a subsequence: `in` moves the iterator on


def test_edits_are_made_from_the_end_so_that_none_moves_another() -> None:
    fix = (Edit(span=Span(0, 1), text="one"), Edit(span=Span(2, 3), text=""))
    assert fixed("a b c", fix) == "one  c"
