"""From what the tokens of an answer cost to one number: only those of the part that is shown count."""

import math

import pytest

from acclimate_indexer.confidence import Certainty, confidence_of


def heard(*pieces: tuple[str, tuple[float, ...]]) -> Certainty:
    certainty = Certainty()
    for text, nats in pieces:
        certainty.add(text, nats)
    return certainty


def test_confidence_is_the_probability_of_the_whole_text() -> None:
    assert confidence_of([math.log(2), math.log(4)]) == pytest.approx(1 / 8)
    assert confidence_of([0.0, 0.0]) == 1.0


def test_one_doubtful_token_among_sure_ones_is_not_averaged_away() -> None:
    sure = [0.01] * 9

    assert confidence_of([*sure, 3.0]) < confidence_of([0.2] * 10)


def test_what_is_cut_away_counts_for_nothing() -> None:
    certainty = heard(("total", (0.1,)), (" + tax", (0.2,)), ("\n", (0.4,)), ("def", (9.0,)), ("", (5.0,)))

    assert certainty.written == "total + tax\ndef"
    assert certainty.confidence("total + tax") == confidence_of([0.1, 0.2])
    assert certainty.confidence("total") == confidence_of([0.1])


def test_the_token_that_reaches_beyond_the_end_counts() -> None:
    certainty = heard(("total", (0.1,)), (")\n\n", (0.7,)), ("x", (9.0,)))

    assert certainty.confidence("total)") == confidence_of([0.1, 0.7])


def test_of_several_tokens_in_a_piece_those_count_that_its_shown_part_needs() -> None:
    certainty = heard(("a + b\ndef", (0.1, 0.2, 0.3, 0.4, 9.0)))

    assert certainty.confidence("a + b") == confidence_of([0.1, 0.2, 0.3])


def test_a_token_without_text_of_its_own_counts_where_a_shown_one_follows() -> None:
    certainty = heard(("ü", (0.1,)), ("", (0.5,)), ("é", (0.2,)), ("", (4.0,)))

    assert certainty.confidence("üé") == confidence_of([0.1, 0.5, 0.2])


def test_indentation_that_the_model_wrote_again_does_not_move_the_end() -> None:
    certainty = heard(("    ", (0.1,)), ("return", (0.2,)), (" x", (0.3,)), ("\n", (9.0,)))

    assert certainty.confidence("return x") == confidence_of([0.1, 0.2, 0.3])
    assert certainty.confidence("  return x") == confidence_of([0.1, 0.2, 0.3])


@pytest.mark.parametrize("shown", ["", "  \n", "something else"])
def test_what_the_model_did_not_write_has_no_confidence(shown: str) -> None:
    assert heard(("total", (0.1,))).confidence(shown) is None


def test_an_engine_that_does_not_say_what_tokens_cost_gives_no_confidence() -> None:
    assert heard(("total", ())).confidence("total") is None
    assert heard(("total", (0.1,)), (" + tax", ())).confidence("total + tax") is None


def test_what_was_typed_meanwhile_is_certain() -> None:
    certainty = heard(("to", (3.0,)), ("tal", (0.1,)), ("()", (0.2,)))

    assert certainty.confidence("tal()", typed="to") == confidence_of([0.1, 0.2])
    assert certainty.confidence("al()", typed="tot") == confidence_of([0.2])  # the token of the t is half typed
    assert certainty.confidence("", typed="total()") is None
