"""Distances of texts, intervals, stored results, and in which order pairs are asked."""

import random
from pathlib import Path

import pytest

from acclimate_indexer.pairs import CompletionPair
from acclimate_training.evaluation.intervals import Observation, estimate
from acclimate_training.evaluation.metrics import edit_similarity, levenshtein
from acclimate_training.evaluation.questions import file_balanced
from acclimate_training.evaluation.results import GenerationResult, LossResult, ResultStore


@pytest.mark.parametrize(
    ("left", "right", "distance"),
    [("", "", 0), ("", "abc", 3), ("abc", "", 3), ("kitten", "sitting", 3), ("flaw", "lawn", 2), ("a" * 200, "b", 200)],
)
def test_levenshtein_of_known_texts(left: str, right: str, distance: int) -> None:
    assert levenshtein(left, right) == distance


def test_levenshtein_agrees_with_the_table_of_distances() -> None:
    rng = random.Random(1)
    for _ in range(300):
        left, right = ("".join(rng.choices("abc", k=rng.randrange(80))) for _ in range(2))

        assert levenshtein(left, right) == _by_table(left, right)


def _by_table(left: str, right: str) -> int:
    row = list(range(len(right) + 1))
    for index, letter in enumerate(left, start=1):
        following = [index]
        for column, other in enumerate(right, start=1):
            following.append(min(row[column] + 1, following[-1] + 1, row[column - 1] + (letter != other)))
        row = following
    return row[-1]


def test_edit_similarity_is_one_for_equal_texts_and_zero_for_strangers() -> None:
    assert edit_similarity("", "") == 1
    assert edit_similarity("total", "total") == 1
    assert edit_similarity("aaa", "bbb") == 0
    assert edit_similarity("kitten", "sitting") == pytest.approx(4 / 7)


def test_an_interval_of_equal_values_is_a_point() -> None:
    found = estimate([Observation(cluster=str(number % 5), value=0.25) for number in range(20)])

    assert found is not None
    assert (found.mean, found.low, found.high, found.n) == (0.25, 0.25, 0.25, 20)


def test_an_interval_of_many_independent_values_is_the_textbook_one() -> None:
    rng = random.Random(3)
    found = estimate([Observation(cluster=str(number), value=rng.gauss(1.0, 2.0)) for number in range(400)])

    assert found is not None
    assert (found.high - found.low) / 2 == pytest.approx(1.96 * 2.0 / 20, rel=0.12)
    assert found.low < found.mean < found.high


def test_pairs_of_one_file_count_as_one_witness() -> None:
    def halfwidth(clusters: int) -> float:
        found = estimate([Observation(cluster=str(n % clusters), value=float(n % clusters % 2)) for n in range(200)])
        assert found is not None
        return found.high - found.low

    assert halfwidth(10) > 2 * halfwidth(200)


def test_a_mean_is_weighted() -> None:
    found = estimate([Observation(cluster="a", value=1.0, weight=3), Observation(cluster="b", value=5.0, weight=1)])

    assert found is not None
    assert found.mean == 2.0


def test_nothing_observed_is_no_estimate() -> None:
    assert estimate([]) is None


def test_results_are_found_again(tmp_path: Path) -> None:
    store = ResultStore(tmp_path, model_identity="tiny@0", adapter="shop-1")
    store.add_loss(LossResult(example="one", nats=3.0, tokens=2))
    store.add_generation(GenerationResult(example="one", text="a\nb", stopped=True, confidence=0.25))

    again = ResultStore(tmp_path, model_identity="tiny@0", adapter="shop-1")
    assert again.losses == store.losses
    assert again.generations == store.generations
    assert not ResultStore(tmp_path, model_identity="tiny@1", adapter="shop-1").losses
    assert not ResultStore(tmp_path, model_identity="tiny@0").losses


def test_an_answer_of_an_older_version_is_read_without_what_it_did_not_note(tmp_path: Path) -> None:
    store = ResultStore(tmp_path, model_identity="tiny@0")
    store.add_generation(GenerationResult(example="one", text="a", stopped=True, prompt_tokens=9, milliseconds=3.0))
    (path,) = tmp_path.iterdir()
    path.write_text('{"kind": "generation", "example": "two", "text": "b", "stopped": false}\n', encoding="utf-8")

    again = ResultStore(tmp_path, model_identity="tiny@0")

    assert again.generations == {"two": GenerationResult(example="two", text="b", stopped=False)}
    assert again.generations["two"].confidence is None


def test_a_torn_line_spoils_only_itself(tmp_path: Path) -> None:
    store = ResultStore(tmp_path, model_identity="tiny@0")
    store.add_loss(LossResult(example="one", nats=3.0, tokens=2))
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes() + b'\n{"kind": "loss", "exam')
    ResultStore(tmp_path, model_identity="tiny@0").add_loss(LossResult(example="two", nats=1.0, tokens=1))

    assert set(ResultStore(tmp_path, model_identity="tiny@0").losses) == {"one", "two"}


def pair(path: str, middle: str = "a + b") -> CompletionPair:
    return CompletionPair(
        kind="completion",
        language="python",
        path=path,
        commit="0" * 40,
        prefix="x = ",
        middle=middle,
        suffix="\n",
        place="rest_of_line",
    )


def test_every_beginning_of_the_sample_is_spread_over_the_files() -> None:
    pairs = [pair(f"{number % 4}.py", str(number)) for number in range(12)]
    chosen = file_balanced(pairs, seed=0)

    assert {item.path for item in chosen[:4]} == {"0.py", "1.py", "2.py", "3.py"}
    assert chosen == file_balanced(iter(pairs), seed=0)
    assert chosen != file_balanced(pairs, seed=1)
    assert len(chosen) == 12
