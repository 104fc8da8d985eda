"""What becomes of completions, inferred from nothing but the edits after them."""

import random

import pytest
from tests.support.offers import URI, HandClock, Heard, Typist

from acclimate_server.feedback.edit import Edit
from acclimate_server.feedback.taking import taking
from acclimate_server.feedback.watch import MAX_TAKEN_OVER, Watch

DOCUMENT = "import shop\n\ndef total(prices):\n    result = |\n    return result\n"
ANSWER = "sum(price.net for price in prices)"


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def watch(heard: Heard, clock: HandClock) -> Watch:
    return Watch(heard, clock)


@pytest.fixture
def typist(watch: Watch, clock: HandClock) -> Typist:
    return Typist(DOCUMENT, watch, clock)


# Accepted.


def test_an_offer_that_is_put_in_at_once_is_accepted(typist: Typist, heard: Heard) -> None:
    typist.offer(ANSWER)
    typist.insert(ANSWER)

    assert heard.fates == [("1", "accepted", len(ANSWER))]
    assert heard.decisions[0][1].text == ANSWER


def test_an_offer_that_is_typed_to_its_end_is_accepted(typist: Typist, heard: Heard) -> None:
    typist.offer(ANSWER)
    typist.type(ANSWER[:-1])
    assert heard.fates == []
    typist.type(ANSWER[-1])

    assert heard.fates == [("1", "accepted", len(ANSWER))]


def test_the_rest_of_an_answer_is_the_same_offer(typist: Typist, heard: Heard) -> None:
    typist.offer(ANSWER)
    typist.type(ANSWER[:4])
    typist.offer(ANSWER[4:])
    typist.type(ANSWER[4:9])
    typist.offer(ANSWER[9:])
    typist.insert(ANSWER[9:])

    assert heard.fates == [("1", "accepted", len(ANSWER))]
    assert heard.decisions[0][1].shown == len(ANSWER)


def test_the_rest_of_an_answer_may_end_elsewhere(typist: Typist, heard: Heard) -> None:
    typist.offer("sum(prices)")
    typist.type("sum(prices")
    typist.offer(", start=1)")
    typist.insert(", start=1)")

    assert heard.fates == [("1", "accepted", len("sum(prices, start=1)"))]
    assert heard.decisions[0][1].shown == len("sum(prices, start=1)")


def test_words_that_are_taken_one_by_one_to_the_end_are_accepted(typist: Typist, heard: Heard) -> None:
    typist.offer(ANSWER)
    for word in ("sum", "(price", ".net for price", " in prices)"):
        typist.insert(word)

    assert heard.fates == [("1", "accepted", len(ANSWER))]


def test_an_item_that_replaces_the_word_before_the_cursor_is_accepted(typist: Typist, heard: Heard) -> None:
    typist.insert("su")
    typist.offer(ANSWER[2:])
    typist.before = typist.before[:-2]
    typist.insert(ANSWER)

    assert heard.fates == [("1", "accepted", len(ANSWER) - 2)]


def test_an_item_that_replaces_what_stands_behind_the_cursor_is_accepted(
    watch: Watch, clock: HandClock, heard: Heard
) -> None:
    typist = Typist("total = sum(|)\n", watch, clock)
    typist.offer("prices, start=1)")
    typist.after = "\n"
    typist.insert("prices, start=1)")

    assert heard.fates == [("1", "accepted", len("prices, start=1)"))]


@pytest.mark.parametrize("document", [DOCUMENT, DOCUMENT.replace("|", "|)")])
def test_brackets_that_the_editor_closes_are_no_other_text(
    watch: Watch, clock: HandClock, heard: Heard, document: str
) -> None:
    typist = Typist(document, watch, clock)
    typist.offer("sum(prices)")
    typist.type("sum")
    typist.insert("(", closing=")")
    typist.type("prices")

    assert heard.fates == [("1", "accepted", len("sum(prices)"))]


def test_the_indentation_that_the_editor_adds_is_no_other_text(watch: Watch, clock: HandClock, heard: Heard) -> None:
    typist = Typist("if ready:|\n", watch, clock)
    typist.offer("\n    start()")
    typist.insert("\n    ")
    typist.type("start")
    typist.insert("(", closing=")")

    assert heard.fates == [("1", "accepted", len("\n    start()"))]


def test_several_lines_that_the_editor_indents_anew_are_accepted_as_they_stand(typist: Typist, heard: Heard) -> None:
    typist.offer("[\n  1,\n  2,\n]")
    typist.insert("[\n        1,\n        2,\n    ]")

    assert heard.fates == [("1", "accepted", len("[\n        1,\n        2,\n    ]"))]
    assert heard.decisions[0][1].text == "[\n        1,\n        2,\n    ]"


def test_a_document_with_carriage_returns_counts_alike(watch: Watch, clock: HandClock, heard: Heard) -> None:
    typist = Typist(DOCUMENT.replace("\n", "\r\n"), watch, clock)
    typist.offer("[\n    1,\n]")
    typist.insert("[\r\n    1,\r\n]")
    clock.advance(30)

    assert heard.decisions[0][1].text == "[\n    1,\n]"
    assert heard.kept == [("1", "30_seconds", len("[\n    1,\n]"))]


def test_any_of_several_candidates_may_be_taken(typist: Typist, heard: Heard) -> None:
    typist.offer(ANSWER, others=("max(prices)", "min(prices)"))
    typist.type("m")
    typist.insert("in(prices)")

    assert heard.fates == [("1", "accepted", len("min(prices)"))]


def test_the_command_of_an_item_counts_whatever_the_editor_made_of_the_text(
    typist: Typist, watch: Watch, heard: Heard, clock: HandClock
) -> None:
    typist.offer(ANSWER, id="before the edit")
    watch.accepted("before the edit")
    typist.insert("SUM(...)")
    typist.offer(ANSWER, id="after the edit")
    typist.insert("SUM(...)")
    watch.accepted("after the edit")
    clock.advance(60)

    assert heard.fates == [("before the edit", "accepted", len(ANSWER)), ("after the edit", "accepted", len(ANSWER))]


def test_edit_and_command_are_one_acceptance(typist: Typist, watch: Watch, heard: Heard, clock: HandClock) -> None:
    typist.offer(ANSWER)
    typist.insert(ANSWER)
    watch.accepted("1")
    watch.accepted("never offered")
    clock.advance(60)

    assert heard.fates == [("1", "accepted", len(ANSWER))]


# In part, and not.


def test_a_beginning_and_then_something_else_is_partly(typist: Typist, heard: Heard, clock: HandClock) -> None:
    typist.offer(ANSWER)
    typist.insert("sum(price")
    typist.type("s)")
    clock.advance(60)

    assert heard.fates == [("1", "partly", len("sum(price"))]
    assert heard.decisions[0][1].text is None


def test_how_the_edits_are_cut_makes_no_difference(typist: Typist, heard: Heard, clock: HandClock) -> None:
    typist.offer(ANSWER)
    typist.insert("sum(prices)")
    clock.advance(60)

    assert heard.fates == [("1", "partly", len("sum(price"))]


def test_a_beginning_and_then_nothing_for_ten_seconds_is_partly(typist: Typist, heard: Heard, clock: HandClock) -> None:
    typist.offer(ANSWER)
    typist.type("sum")
    clock.advance(9.8)
    assert heard.fates == []
    clock.advance(0.2)

    assert heard.fates == [("1", "partly", 3)]


def test_something_else_is_a_rejection(typist: Typist, heard: Heard, clock: HandClock) -> None:
    typist.offer(ANSWER)
    typist.type("0")
    clock.advance(1)

    assert heard.fates == [("1", "rejected", 0)]


def test_an_edit_elsewhere_is_a_rejection(typist: Typist, heard: Heard, clock: HandClock) -> None:
    typist.offer(ANSWER)
    typist.after = typist.after.replace("return result", "return 0")
    typist.insert("")
    clock.advance(1)

    assert heard.fates == [("1", "rejected", 0)]


def test_what_stood_there_before_was_not_taken(watch: Watch, clock: HandClock, heard: Heard) -> None:
    typist = Typist("show(|)\nend\n", watch, clock)
    typist.offer(")")
    typist.after = typist.after.replace("end", "end()")
    typist.insert("")
    clock.advance(1)

    assert heard.fates == [("1", "rejected", 0)]


def test_what_was_typed_and_deleted_again_is_a_rejection(typist: Typist, heard: Heard, clock: HandClock) -> None:
    typist.offer(ANSWER)
    typist.type("su")
    typist.delete(2)
    typist.delete()
    clock.advance(1)

    assert heard.fates == [("1", "rejected", 0)]


def test_nothing_for_ten_seconds_is_a_rejection(typist: Typist, heard: Heard, clock: HandClock) -> None:
    typist.offer_at_once(ANSWER)
    clock.advance(9.9)
    assert heard.fates == []
    clock.advance(0.1)

    assert heard.fates == [("1", "rejected", 0)]


def test_a_newer_offer_ends_the_older_one(typist: Typist, heard: Heard) -> None:
    typist.offer(ANSWER, id="older")
    typist.offer("max(prices)", id="newer")
    typist.insert("max(prices)")

    assert heard.fates == [("older", "rejected", 0), ("newer", "accepted", len("max(prices)"))]


def test_nobody_refused_what_nobody_could_read(typist: Typist, heard: Heard, clock: HandClock) -> None:
    typist.offer_at_once(ANSWER, id="replaced")
    clock.advance(0.2)
    typist.offer_at_once(ANSWER, id="typed over")
    clock.advance(0.2)
    typist.type("0")
    clock.advance(60)

    assert heard.fates == []


def test_who_asked_did_read_it(typist: Typist, heard: Heard, clock: HandClock) -> None:
    typist.offer_at_once(ANSWER, id="asked", is_automatic=False)
    typist.type("0")
    clock.advance(60)

    assert heard.fates == [("asked", "rejected", 0)]


def test_closing_a_document_decides_what_is_open(typist: Typist, watch: Watch, heard: Heard, clock: HandClock) -> None:
    typist.offer(ANSWER)
    typist.type("sum")
    watch.closed(URI)
    watch.closed("file:///never/opened")
    clock.advance(60)

    assert heard.fates == [("1", "partly", 3)]


def test_closing_the_watch_leaves_nothing_undecided(
    typist: Typist, watch: Watch, heard: Heard, clock: HandClock
) -> None:
    typist.offer(ANSWER, id="taken")
    typist.insert(ANSWER)
    typist.offer("\n", id="doubtful")
    typist.type("0")
    typist.offer("1", id="open")
    watch.close()
    clock.advance(600)

    assert set(heard.fates) == {
        ("taken", "accepted", len(ANSWER)),
        ("doubtful", "rejected", 0),
        ("open", "rejected", 0),
    }
    assert heard.kept == []


# What is still there.


def test_what_was_taken_is_looked_for_twice(typist: Typist, heard: Heard, clock: HandClock) -> None:
    typist.offer(ANSWER)
    typist.insert(ANSWER)
    clock.advance(29.9)
    assert heard.kept == []
    clock.advance(0.1)
    assert heard.kept == [("1", "30_seconds", len(ANSWER))]
    clock.advance(300)

    assert heard.kept[1:] == [("1", "5_minutes", len(ANSWER))]


def test_what_was_taken_is_found_where_edits_have_moved_it(typist: Typist, heard: Heard, clock: HandClock) -> None:
    typist.offer(ANSWER)
    typist.insert(ANSWER)
    typist.before = "".join(f"import module_{number}\n" for number in range(400)) + typist.before
    typist.insert("\n")
    typist.before = typist.before.replace("import module_7\n", "")
    typist.insert("")
    clock.advance(30)

    assert heard.kept == [("1", "30_seconds", len(ANSWER))]


def test_a_copy_far_away_is_not_what_was_taken(watch: Watch, clock: HandClock, heard: Heard) -> None:
    typist = Typist(f"copy = {ANSWER}\n" + "pass\n" * 400 + "result = |\n", watch, clock)
    typist.offer(ANSWER)
    typist.insert(ANSWER)
    typist.delete(len(ANSWER))
    clock.advance(30)

    assert heard.kept == [("1", "30_seconds", 0)]


def test_of_a_text_that_was_changed_its_runs_of_words_count(typist: Typist, heard: Heard, clock: HandClock) -> None:
    typist.offer(ANSWER)
    typist.insert(ANSWER)
    typist.before = typist.before.replace("price.net", "price.gross")
    typist.insert("")
    clock.advance(30)

    assert heard.kept == [("1", "30_seconds", len(ANSWER) - len("net"))]


def test_a_formatter_that_rewrites_the_file_loses_nothing(typist: Typist, heard: Heard, clock: HandClock) -> None:
    typist.offer(ANSWER)
    typist.insert(ANSWER)
    typist.rewrite(f"import shop  # all\n\n\ndef total(prices):\n        result = {ANSWER}|\n        return  result\n")
    clock.advance(30)

    assert heard.kept == [("1", "30_seconds", len(ANSWER))]


def test_what_is_no_longer_watched_costs_nothing(typist: Typist, watch: Watch, clock: HandClock) -> None:
    typist.offer("0")
    typist.type("1")
    assert watch._documents == {}
    typist.offer(ANSWER)
    typist.insert(ANSWER)
    clock.advance(300)

    assert watch._documents == {}
    assert clock.timers == []


def test_only_the_last_texts_of_a_document_are_looked_for(typist: Typist, heard: Heard, clock: HandClock) -> None:
    for number in range(MAX_TAKEN_OVER + 5):
        typist.offer_at_once(f"value_{number}\n", id=str(number))
        typist.insert(f"value_{number}\n")
    clock.advance(30)

    assert [id_ for id_, _, _ in heard.kept] == [str(number) for number in range(5, MAX_TAKEN_OVER + 5)]


# Places.


def test_places_move_as_the_text_around_them_does() -> None:
    choice = random.Random(3)
    for _ in range(2_000):
        old = "".join(choice.choices("ab\n", k=choice.randrange(12)))
        at, gone = choice.randrange(len(old) + 1), choice.randrange(4)
        new = old[:at] + "".join(choice.choices("ab\n", k=choice.randrange(4))) + old[at + gone :]
        edit = Edit.between(old, new)
        start = choice.randrange(len(old) + 1)
        end = choice.randrange(start, len(old) + 1)
        moved_start, moved_end = edit.moved(start, end)

        assert edit.is_empty == (old == new)
        assert 0 <= moved_start <= moved_end <= len(new)
        after = min(edit.same_after, min(len(old), len(new)) - edit.same_before)
        if end <= edit.same_before or start >= len(old) - after:
            assert new[moved_start:moved_end] == old[start:end]
        if at >= start and at + gone <= end:
            assert edit.is_within(start, end)


@pytest.mark.parametrize(
    ("typed", "text", "characters", "is_whole", "is_open"),
    [
        ("", "abc", 0, False, True),
        ("ab", "abc", 2, False, True),
        ("abc", "abc", 3, True, False),
        ("abcd", "abc", 3, True, False),
        ("abd", "abc", 2, False, False),
        ("f()", "f(x)", 2, False, True),
        ("f)", "f(x)", 1, False, False),
        ('f("")', 'f("a")', 3, False, True),
        ("{\n    \n}", "{\n    go()\n}", 6, False, True),
        ("\n", "\n  a", 0, False, True),
        ("x = ", "x =1", 3, False, True),
    ],
)
def test_what_is_taken_of_a_text(typed: str, text: str, characters: int, is_whole: bool, is_open: bool) -> None:
    found = taking(typed, text)

    assert (found.characters, found.is_whole, found.is_open) == (characters, is_whole, is_open)
