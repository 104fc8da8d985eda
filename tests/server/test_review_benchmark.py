"""The benchmark of reviews: what counts as faulty, how comments on it are counted, and that its faults are faults."""

import ast
import math
from collections import Counter
from pathlib import Path

import pytest
from benchmarks.asked_reviews import Models, builder_of, pieces, stores_of, weighted
from benchmarks.convention_replay import Replay
from benchmarks.held_out_history import HeldOutHistory
from benchmarks.line_scores import Place, Remark, best_threshold, counts, f05_difference, figures, shown
from benchmarks.review_replay import CHURNED, EVERY_LINE, MINED, SILENT, Free, budget_figures
from benchmarks.seeded_faults import SEEDED_FAULTS
from benchmarks.seeded_review import spoiled_lines
from tests.support.fake_engine import BASE, fake_engine
from tests.support.git_folder import GitFolder
from tests.support.tiny_model import TINY, write_manifest, write_tokenizer

from acclimate_indexer.home import Home
from acclimate_indexer.languages.python import PYTHON
from acclimate_indexer.pairs import ReviewPair
from acclimate_training.engine import EngineAddress, EngineClient
from acclimate_training.reviewing.prompts import ReviewPrompts

START = "import json\n\n\ndef total(prices):\n    return sum(prices)\n"
WRONG = "\n\ndef mean(prices):\n    return total(prices) / len(prices)\n"
RIGHT = WRONG.replace("len(prices)", "max(1, len(prices))")
FINE = "\n\ndef shown(prices):\n    return json.dumps(prices)\n\n\n# in cents\nUNIT = 100\n\n\nLIMIT = 7\n"


@pytest.fixture
def shop(tmp_path: Path) -> GitFolder:
    return GitFolder.new(tmp_path / "shop")


def fixed(shop: GitFolder, text: str, *, day: int, subject: str = "Fix a crash without prices") -> None:
    shop.write({"app.py": text})
    shop.git("commit", "-q", "-a", "-m", subject, day=day)


def place(*, faulty: set[int], path: str = "a.py", is_late: bool = False, weight: float = 1.0) -> Place:
    lines = frozenset(range(40))
    return Place(path=path, commit="c", lines=lines, faulty=frozenset(faulty), is_late=is_late, weight=weight)


def models_of(home: Home, kept: Path, url: str = "http://127.0.0.1:9") -> Models:
    """The base alone, of a model without weights."""
    folder = home.model(TINY)
    folder.mkdir(parents=True)
    write_tokenizer(folder)
    model = write_manifest(folder, TINY)
    builder = builder_of(model, None)
    return Models(
        client=EngineClient(EngineAddress(url=url)),
        builder=builder,
        prompts={"base": ReviewPrompts.of_adapter(builder, repository="shop")},
        names={"base": BASE},
        stores=stores_of(kept / "kept", model, None),
    )


def pair(number: int) -> ReviewPair:
    hunk = f"def total_{number}(prices):\n    return sum(prices)"
    return ReviewPair(language="python", path="a.py", commit="c", hunk=hunk, comment=None, source="saved")


def remark(line: int, confidence: float = 1.0) -> Remark:
    return Remark(first=line, last=line, confidence=confidence)


def test_a_comment_counts_within_three_lines() -> None:
    assert counts((place(faulty={10, 30}), [remark(13), remark(14), Remark(first=25, last=27)])) == (2, 3, 2, 2)
    assert counts((place(faulty={10, 30}), [remark(14)])) == (0, 1, 0, 2)


def test_figures_are_of_sums_over_files() -> None:
    found = figures([(place(faulty={10}), [remark(10), remark(30)]), (place(faulty={5, 30}, path="b.py"), [remark(4)])])

    assert (found["precision"], found["recall"]) == (pytest.approx(2 / 3, abs=1e-4), pytest.approx(2 / 3, abs=1e-4))
    assert found["f0.5"] == pytest.approx(2 / 3, abs=1e-4)
    low, high = found["precision_interval"]
    assert (low, high) == (0.5, 1.0)  # either file alone


def test_a_place_of_a_sample_counts_by_its_weight() -> None:
    clean = place(faulty=set(), weight=3.0)
    found = figures([(place(faulty={10}), [remark(10)]), (clean, [remark(1)]), (clean, [])])

    assert (found["comments"], found["precision"]) == (2, 0.25)


def test_silence_has_no_precision_and_finds_nothing() -> None:
    found = figures([(place(faulty={10}), [])])

    assert "precision" not in found
    assert (found["recall"], found["f0.5"]) == (0.0, 0.0)


def test_the_threshold_is_the_one_that_wrong_comments_do_not_pass() -> None:
    rows = [(place(faulty={10}), [remark(10, 0.8), remark(30, 0.6)]), (place(faulty=set()), [remark(1, 0.7)])]

    assert best_threshold(rows) == 0.8
    assert [len(said) for _, said in shown(rows, 0.65)] == [1, 1]
    assert best_threshold(rows[1:]) is None


def test_a_difference_is_of_the_same_places() -> None:
    here = place(faulty={10})

    assert f05_difference([(here, [remark(10)])], [(here, [])])["f0.5"] == 1.0


def test_a_line_is_faulty_if_a_correction_changes_it(shop: GitFolder, home: Home) -> None:
    start = shop.commit({"app.py": START})
    added = shop.commit({"app.py": START + WRONG + FINE}, day=1)
    fixed(shop, START + WRONG + FINE.replace("100", "1"), day=2, subject="Change the unit")
    fixed(shop, START + RIGHT + FINE.replace("100", "1"), day=3)
    repository = shop.open()
    replay = Replay(repository, home.for_repository(repository.common_directory), commits=0)

    history = HeldOutHistory.after(replay, start)

    first = next(file for file in history.files if file.commit == added)
    lines = first.target.text.split("\n")
    assert [lines[line] for line in first.faulty] == ["    return total(prices) / len(prices)"]
    assert "UNIT = 100" in {lines[line] for line in first.lines}  # changed, too, but not as a correction
    assert history.corrections == 1


def test_what_costs_nothing_is_counted_on_the_same_lines(shop: GitFolder, home: Home) -> None:
    start = shop.commit({"app.py": START})
    shop.commit({"app.py": START + WRONG + FINE}, day=1)
    fixed(shop, START + RIGHT + FINE, day=2)
    repository = shop.open()
    replay = Replay(repository, home.for_repository(repository.common_directory), commits=0)
    free = Free(history=HeldOutHistory.after(replay, start))

    table = {name: figures(rows) for name, rows in free.whole().items()}

    assert {each["faulty_lines"] for each in table.values()} == {1}
    assert (table[MINED]["comments"], table[SILENT]["recall"], table[EVERY_LINE]["recall"]) == (0, 0.0, 1.0)
    assert table[CHURNED]["comments"] == free.history.working_days == 1  # a Friday and a Saturday
    assert budget_figures(free)["comments_a_working_day_on_uncorrected_code"] == 0.0


def test_every_kind_of_fault_was_planted_five_times_in_code_that_parses() -> None:
    kinds = Counter(each.kind for each in SEEDED_FAULTS)

    assert len(kinds) == 7
    assert min(kinds.values()) >= 5
    for each in SEEDED_FAULTS:
        assert ast.dump(ast.parse(each.code)) != ast.dump(ast.parse(each.spoiled))
        assert spoiled_lines(each.code, each.spoiled)


def test_what_was_asked_stands_for_all_of_its_kind(shop: GitFolder, home: Home, tmp_path: Path) -> None:
    start = shop.commit({"app.py": START})
    shop.commit({"app.py": START + WRONG + FINE}, day=1)
    fixed(shop, START + RIGHT + FINE, day=2)
    for number in range(4):
        shop.commit({f"more_{number}.py": FINE.replace("shown", f"shown_{number}")}, day=3 + number)
    repository = shop.open()
    replay = Replay(repository, home.for_repository(repository.common_directory), commits=0)
    every = pieces(HeldOutHistory.after(replay, start).reviewable, models_of(home, tmp_path))
    is_faulty = [bool(piece.place.faulty) for piece in every]
    assert is_faulty == sorted(is_faulty, reverse=True)
    assert is_faulty.count(True) == 1

    asked = weighted(every[:3], every)

    assert [piece.place.weight for piece in asked] == [1.0, *[(len(every) - 1) / 2] * 2]


async def test_only_the_likeliest_are_asked_for_a_comment_and_nothing_is_asked_twice(
    home: Home, tmp_path: Path
) -> None:
    async with fake_engine() as engine:
        engine.likeliest = [{"null": math.log(0.9), "{": math.log(0.1)}] * 9 + [{"{": 0.0}]
        engine.pieces = [
            '{"line": 1, "lines": 1, "severity": "warning", "message": "total is wrong", "suggestion": ""}'
        ]
        models = models_of(home, tmp_path, engine.url)
        questions = [models.question(pair(number), PYTHON) for number in range(10)]
        await models.ask(questions, seconds=60)
        first = len(engine.asked)
        await models.ask(questions, seconds=60)
        await models.client.aclose()
        await engine.left_alone()

        assert sum("structured_outputs" in body for body in engine.asked) == 1
        assert len(engine.asked) == first
        assert models.finished(questions) == questions


async def test_who_is_certain_of_everything_is_asked_about_a_tenth_all_the_same(home: Home, tmp_path: Path) -> None:
    async with fake_engine() as engine:
        engine.likeliest = [{"{": 0.0}] * 20
        engine.pieces = [
            '{"line": 1, "lines": 1, "severity": "warning", "message": "total is wrong", "suggestion": ""}'
        ]
        models = models_of(home, tmp_path, engine.url)
        questions = [models.question(pair(number), PYTHON) for number in range(20)]
        await models.ask(questions, seconds=60)
        await models.client.aclose()
        await engine.left_alone()

        assert sum("structured_outputs" in body for body in engine.asked) == 2
        assert models.likeliest(questions) == {"base": questions[:2]}
        assert models.finished(questions) == questions
