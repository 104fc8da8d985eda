"""What the page about a version is made of: savings, numbers, charts, markup, and a person's judgements."""

import pytest

from acclimate_training.report.blind import (
    BlindPair,
    adapter_is_first,
    blind_record,
    chosen,
    judgement,
    read_judgements,
    sign_test,
)
from acclimate_training.report.charts import smoothed, ticks
from acclimate_training.report.figures import bare, difference, finding, with_unit
from acclimate_training.report.markup import element, prose, visible
from acclimate_training.report.page import page
from acclimate_training.report.payback import savings
from acclimate_training.report.subject import Subject


def test_a_prefill_speed_turns_tokens_into_completions() -> None:
    contenders = {"adapter": {"prompt_tokens": 400}, "base+retrieval": {"prompt_tokens": 1000}}

    [saving] = savings({"prefill_tokens_per_second": 3000}, contenders, 1500.0)

    assert (saving.opponent, saving.tokens, saving.seconds, saving.completions) == ("base+retrieval", 600, 0.2, 7500)


def test_without_a_prefill_speed_the_latencies_decide() -> None:
    contenders = {
        "adapter": {"prompt_tokens": 400, "latency_ms": 250},
        "base+retrieval": {"prompt_tokens": 1000, "latency_ms": 500},
        "prompted": {"prompt_tokens": 2000, "latency_ms": 240},
    }

    retrieval, prompted = savings({}, contenders, 1500.0)

    assert (retrieval.seconds, retrieval.completions) == (0.25, 6000)
    assert prompted.completions is None
    assert "never: no time is saved" in page(Subject(version="v", record={"metrics": {"contenders": contenders}}))


def test_saved_tokens_without_any_speed_pay_back_nothing_known() -> None:
    contenders = {"adapter": {"prompt_tokens": 400}, "prompted": {"prompt_tokens": 1000}}

    [saving] = savings({}, contenders, 1500.0)

    assert (saving.seconds, saving.completions) == (None, None)
    assert savings({}, {"adapter": {"prompt_tokens": 400}}, 1500.0) == []


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (with_unit("exact_match", 0.1754), "17.5 %"),
        (difference("exact_match", 0.0331), "+3.3 points"),
        (difference("exact_match", -0.0331), "−3.3 points"),
        (difference("exact_match", -0.0001), "0.0 points"),
        (with_unit("loss", 1.5706), "1.571 nats/token"),
        (with_unit("prompt_tokens", 1988.4), "1,988 tokens"),
        (bare("something_new", 0.12345), "0.123"),
        (finding("exact_match", (0.01, 0.2)), "better"),
        (finding("loss", (0.01, 0.2)), "worse"),
        (finding("loss", (-0.2, -0.01)), "better"),
        (finding("exact_match", (-0.01, 0.2)), "inconclusive"),
        (finding("length_ratio", (0.01, 0.2)), "different"),
        (finding("exact_match", None), "no interval"),
    ],
)
def test_numbers_have_a_unit_and_sensible_digits(written: str, expected: str) -> None:
    assert written == expected


def test_ticks_are_round_and_few() -> None:
    assert ticks(0, 0.245) == pytest.approx([0, 0.05, 0.1, 0.15, 0.2])
    assert ticks(-0.04, 0.19) == pytest.approx([0, 0.05, 0.1, 0.15])
    assert ticks(1, 1) == [1]


def test_the_running_mean_goes_over_a_twentieth_of_the_steps() -> None:
    points = [(float(step), float(step % 2)) for step in range(100)]

    means = smoothed(points)

    assert [step for step, _ in means] == [step for step, _ in points]
    assert all(0.3 < mean < 0.7 for _, mean in means)


def test_markup_is_made_by_escaping_alone() -> None:
    assert element("p", "a<b", title='"') == '<p title="&quot;">a&lt;b</p>'
    assert prose("run `acclimate <x>` now") == "run <code>acclimate &lt;x&gt;</code> now"
    assert prose("a ` b") == "a ` b"
    assert visible("a\x1b[2J\u202eb\ud800\r\n\tc") == "a␛[2J[U+202E]b\ufffd\n\tc"


def blind_pairs(count: int) -> list[BlindPair]:
    return [
        BlindPair(name=f"p{n}", path=f"f{n}.py", language="python", prefix="", suffix="", base="b", adapter=f"a{n}")
        for n in range(count)
    ]


def test_a_seed_decides_places_and_sides_whatever_the_answers_are() -> None:
    pairs = blind_pairs(60)

    first = chosen(pairs, judged={}, seed=5, at_most=20)
    assert first == chosen(pairs[::-1], judged={}, seed=5, at_most=20)
    assert first != chosen(pairs, judged={}, seed=6, at_most=20)
    assert 18 < sum(adapter_is_first(5, pair.name) for pair in pairs) < 42


def test_going_on_keeps_the_judged_places_even_when_there_are_more() -> None:
    first = chosen(blind_pairs(30), judged={}, seed=5, at_most=10)
    judged = read_judgements({"blind": blind_record({pair.name: "tie" for pair in first[:4]}, seed=5)})

    again = chosen(blind_pairs(90), judged=judged, seed=5, at_most=10)

    assert len(again) == 10
    assert {pair.name for pair in first[:4]} <= {pair.name for pair in again}


def test_a_choice_is_counted_from_the_adapters_point_of_view() -> None:
    assert judgement("1", adapter_first=True) == judgement("2", adapter_first=False) == "better"
    assert judgement("2", adapter_first=True) == judgement("1", adapter_first=False) == "worse"


@pytest.mark.parametrize(
    ("better", "worse", "p"), [(0, 0, 1.0), (5, 5, 1.0), (1, 0, 1.0), (7, 2, 0.1797), (10, 0, 0.00195), (2, 7, 0.1797)]
)
def test_the_sign_test_is_exact_and_two_sided(better: int, worse: int, p: float) -> None:
    assert sign_test(better, worse) == pytest.approx(p, abs=5e-5)


def test_a_spoilt_sheet_is_an_empty_one() -> None:
    assert read_judgements({"blind": {"judgements": {"a": "better", "b": "nonsense", "c": 3}}}) == {"a": "better"}
    assert read_judgements({"blind": "x"}) == {}
