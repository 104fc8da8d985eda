"""What evaluations left on disk, read again for people."""

import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.evaluated import evaluated_shop

from acclimate_indexer.errors import AdapterError, ModelMissing
from acclimate_indexer.home import Home, RepositoryHome
from acclimate_indexer.repository import Repository
from acclimate_training.evaluation.kept import blind_pairs, examples, kept_results
from acclimate_training.registry import Adapter, AdapterRegistry


def home_of(home: Home, shop: Path) -> RepositoryHome:
    return home.for_repository(Repository.open(shop).common_directory)


def test_places_are_plain_records_in_the_order_of_asking(home: Home, tmp_path: Path) -> None:
    shop, adapter = evaluated_shop(home, tmp_path, {"base": "a\nb", "adapter": "c", "control": "d"})

    held = kept_results(home, home_of(home, shop), adapter)
    found = examples(held.measured())

    assert len(found) == len(held.questions) > 5
    for record, question in zip(found, held.questions, strict=True):
        pair = question.pair
        assert record | {"answers": None} == {
            "path": pair.path,
            "language": "python",
            "place": pair.place,
            "prefix": pair.prefix,
            "middle": pair.middle,
            "suffix": pair.suffix,
            "answers": None,
        }
        assert [name for name in record["answers"] if "+" not in name] == ["base", "control", "adapter"]
        assert record["answers"]["adapter"] == "c"


def test_who_did_not_answer_is_left_out(home: Home, tmp_path: Path) -> None:
    shop, adapter = evaluated_shop(home, tmp_path, {"adapter": "c"})

    measured = kept_results(home, home_of(home, shop), adapter).measured()

    models = {name.partition("+")[0] for record in examples(measured) for name in record["answers"]}
    assert models == {"adapter"}  # with retrieval, too, where nothing was retrieved: that is the same prompt
    assert blind_pairs(measured) == []


def test_nothing_answered_is_nothing_to_show(home: Home, tmp_path: Path) -> None:
    shop, adapter = evaluated_shop(home, tmp_path, {})

    assert examples(kept_results(home, home_of(home, shop), adapter).measured()) == []


def test_blind_pairs_show_what_the_editor_would_have_shown(home: Home, tmp_path: Path) -> None:
    shop, adapter = evaluated_shop(home, tmp_path, {"base": "first", "adapter": "second"})
    measured = kept_results(home, home_of(home, shop), adapter).measured()

    pairs = blind_pairs(measured)

    assert [pair.name for pair in pairs] == [question.name for question in measured.questions]
    assert {(pair.base, pair.adapter) for pair in pairs} == {("first", "second")}
    assert (pairs[0].prefix, pairs[0].suffix) == (measured.questions[0].pair.prefix, measured.questions[0].pair.suffix)


def without(adapter: Adapter, **changes: object) -> Adapter:
    return Adapter(version=adapter.version, folder=adapter.folder, record=adapter.record | changes)


def test_what_is_missing_is_said(home: Home, tmp_path: Path) -> None:
    shop, adapter = evaluated_shop(home, tmp_path, {"base": "first"})
    kept = home_of(home, shop)

    for gone in ({"hash": "0" * 16}, {"hash": None}, {}, None):
        with pytest.raises(AdapterError, match="the data set that it learnt from is not here"):
            kept_results(home, kept, without(adapter, dataset=gone))
    with pytest.raises(ModelMissing):
        kept_results(home, kept, without(adapter, base=adapter.record["base"] | {"name": "gone"}))


def test_neither_torch_nor_numpy_is_needed_to_read_them(home: Home, tmp_path: Path) -> None:
    shop, adapter = evaluated_shop(home, tmp_path, {"base": "first", "adapter": "second"})
    program = """
import sys
from pathlib import Path
sys.modules |= dict.fromkeys(("torch", "transformers", "numpy"))
from acclimate_indexer.home import Home
from acclimate_training.evaluation.kept import blind_pairs, examples, kept_results
from acclimate_training.registry import AdapterRegistry
home = Home.default()
kept = home.for_repository(Path(sys.argv[1]))
measured = kept_results(home, kept, AdapterRegistry(kept).get(sys.argv[2])).measured()
print(len(blind_pairs(measured)), len(examples(measured)))
"""

    done = subprocess.run(
        [sys.executable, "-P", "-c", program, str(Repository.open(shop).common_directory), adapter.version],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stderr == ""
    one, other = map(int, done.stdout.split())
    assert one == other > 5
    assert AdapterRegistry(home_of(home, shop)).get(adapter.version).record["seed"] == 3
