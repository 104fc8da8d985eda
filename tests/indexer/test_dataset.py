"""From a repository to a data set on disk."""

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.git_folder import GitFolder, module

from acclimate_indexer.completion_cut import cut
from acclimate_indexer.dataset import Dataset, MiningOptions, Stages, latest_dataset, mine
from acclimate_indexer.errors import DatasetError, UsageError
from acclimate_indexer.home import RepositoryHome
from acclimate_indexer.mining.split import held_out
from acclimate_indexer.pairs import SPLITS, CompletionKind, CompletionPair

OLD = ("orders", "invoices", "customers", "parcels", "returns", "coupons", "taxes", "gifts", "stock", "carriers")
NEW = ("wishes", "ratings", "refunds", "bundles", "alerts", "badges", "events", "labels")


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> GitFolder:
    """A repository with a year behind it: ten files in the past, eight more in the last weeks."""
    shop = GitFolder.new(tmp_path_factory.mktemp("year") / "shop")
    for number, name in enumerate(OLD):
        shop.commit({f"src/{name}.py": module(name)}, day=number * 20)
    for number, name in enumerate(NEW):
        shop.commit({f"src/{name}.py": module(name), "src/orders.py": module("orders", 7 + number)}, day=330 + number)
    return shop


@pytest.fixture
def aged_shop(year: GitFolder, shop: GitFolder) -> GitFolder:
    """A copy of that repository."""
    shutil.copytree(year.path, shop.path, dirs_exist_ok=True)
    return shop


KINDS: tuple[CompletionKind, ...] = ("completion", "documentation")


def every(dataset: Dataset) -> list[CompletionPair]:
    return [pair for split in SPLITS for kind in KINDS for pair in dataset.pairs(split, kind)]


def test_a_repository_with_a_past_is_split_by_time(aged_shop: GitFolder, shop_home: RepositoryHome) -> None:
    repository = aged_shop.open()
    dataset = mine(repository, shop_home)
    train, test = list(dataset.pairs("train")), list(dataset.pairs("test"))

    assert dataset.manifest["split"] == "time+file"
    assert dataset.counts["completion"] == {split: len(list(dataset.pairs(split))) for split in SPLITS}
    assert len(train) > 50
    assert len(test) >= 20
    split_time = repository.commit_time(dataset.manifest["split_commit"])
    assert {pair.commit for pair in train} == {dataset.manifest["split_commit"]}
    assert all(repository.commit_time(pair.commit) > split_time for pair in test)
    known = "".join(pair.prefix + pair.middle + pair.suffix for pair in train)
    added_names = [name for name in NEW if f"src/{name}.py" in {pair.path for pair in test}]
    late = [name for name in added_names if f"{name}_total" in known]
    assert not late
    assert sum(dataset.manifest["strata"].values()) == len(test)


def test_a_test_pair_stands_in_the_commit_that_added_it(aged_shop: GitFolder, shop_home: RepositoryHome) -> None:
    for pair in mine(aged_shop.open(), shop_home).pairs("test"):
        text = aged_shop.git("show", f"{pair.commit}:{pair.path}")

        assert (pair.prefix + pair.middle + pair.suffix).strip() == text.strip()


def test_lines_that_stood_before_the_split_are_no_test(shop: GitFolder, shop_home: RepositoryHome) -> None:
    for number, name in enumerate(OLD):
        shop.commit({f"src/{name}.py": module(name)}, day=number * 20)
    for number, name in enumerate(OLD):
        moved = f"{module(NEW[number % len(NEW)] + str(number))}\n\n{module(name)}"
        shop.commit({f"moved/{name}.py": moved}, day=330 + number)
    dataset = mine(shop.open(), shop_home)

    assert dataset.manifest["split"] == "time+file"
    assert dataset.manifest["dropped"]["stood_before_the_split"] > 10
    for pair in dataset.pairs("test"):
        assert f"compute_{Path(pair.path).stem}(" not in pair.middle


def test_a_young_repository_is_split_by_file(shop: GitFolder, shop_home: RepositoryHome) -> None:
    shop.commit({f"src/{name}.py": module(name) for name in OLD}, day=0)
    shop.commit({f"src/{name}.py": module(name) for name in NEW}, day=5)
    dataset = mine(shop.open(), shop_home)
    paths = {split: {pair.path for pair in dataset.pairs(split)} for split in SPLITS}

    assert dataset.manifest["split"] == "file"
    assert paths["test"]
    assert not paths["train"] & (paths["test"] | paths["validation"])


def test_a_file_that_is_held_out_stays_held_out() -> None:
    before = [f"src/{number}.py" for number in range(500)]
    held = held_out(before, 0.05)

    assert 10 < len(held) < 50
    assert held <= held_out([*before, *(f"lib/{number}.py" for number in range(500))], 0.05)
    assert len(held_out(["a.py", "b.py"], 0.0)) == 1
    assert not held_out(["a.py"], 0.0)


def test_every_pair_ends_where_the_served_cut_ends(aged_shop: GitFolder, shop_home: RepositoryHome) -> None:
    dataset = mine(aged_shop.open(), shop_home)
    for pair in (pair for split in SPLITS for pair in dataset.pairs(split)):
        assert cut(pair.middle, language=pair.language, prefix=pair.prefix, suffix=pair.suffix) == pair.middle


def test_nothing_is_mined_twice(aged_shop: GitFolder, shop_home: RepositoryHome) -> None:
    first, steps = mine(aged_shop.open(), shop_home), []
    again = mine(aged_shop.open(), shop_home, stages=Stages(lambda done, of, _: steps.append((done, of))))

    assert (again.hash, again.folder, steps) == (first.hash, first.folder, [])
    assert latest_dataset(shop_home).hash == first.hash


def test_another_commit_or_setting_is_another_data_set(aged_shop: GitFolder, shop_home: RepositoryHome) -> None:
    first = mine(aged_shop.open(), shop_home)
    other = mine(aged_shop.open(), shop_home, MiningOptions(max_pairs=20))
    aged_shop.commit({"src/more.py": module("more")}, day=340)
    third = mine(aged_shop.open(), shop_home)

    assert len({first.hash, other.hash, third.hash}) == 3
    assert other.counts["completion"]["train"] == 20
    assert latest_dataset(shop_home).hash == third.hash


def test_the_same_repository_gives_the_same_bytes_anywhere(
    aged_shop: GitFolder, shop_home: RepositoryHome, tmp_path: Path
) -> None:
    aged_shop.git("clone", "-q", "--bare", ".", str(tmp_path / "elsewhere" / "shop.git"))
    copy = GitFolder(tmp_path / "elsewhere" / "shop.git")
    other_home = replace(shop_home, root=tmp_path / "other home")
    one, two = mine(aged_shop.open(), shop_home), mine(copy.open(), other_home)

    assert {file.name: file.read_bytes() for file in one.folder.iterdir()} == {
        file.name: file.read_bytes() for file in two.folder.iterdir()
    }


def test_progress_is_told_up_to_the_end(aged_shop: GitFolder, shop_home: RepositoryHome) -> None:
    steps: list[tuple[int, int]] = []
    mine(aged_shop.open(), shop_home, stages=Stages(lambda done, of, _: steps.append((done, of))))

    assert [done for done, _ in steps] == sorted(done for done, _ in steps)
    assert len({of for _, of in steps}) == 1
    assert steps[-1][0] == steps[-1][1]


def test_the_first_pairs_are_balanced_over_the_files_that_changed_last(
    aged_shop: GitFolder, shop_home: RepositoryHome
) -> None:
    first = [pair.path for pair in mine(aged_shop.open(), shop_home).pairs("train")][:8]

    assert len(set(first)) == 8


def test_files_that_cannot_be_mined_do_no_harm(shop: GitFolder, shop_home: RepositoryHome) -> None:
    shop.write({f"src/{name}.py": module(name) for name in OLD})
    (shop.path / "huge.py").write_bytes(b"x = 1\n" * (50 * 1024 * 1024 // 6))
    (shop.path / "link.py").symlink_to("src/orders.py")
    shop.commit(
        {
            "latin.py": ("größe = 1\n" * 50).encode("latin-1"),
            "copy.py": module("orders"),
            "node_modules/a.js": "function f() {\n  return compute(1);\n}\n",
            "broken.py": "def f(:\n" * 200,
            "empty.py": "",
            "dataclasses.py": module("shadow"),
            "tokenizers/__init__.py": "raise SystemExit('imported')\n",
            "generated.py": "# @generated\n" + module("made"),
        }
    )
    dataset = mine(shop.open(), shop_home)

    assert {pair.path for pair in every(dataset)} <= {"dataclasses.py", "broken.py", "tokenizers/__init__.py"} | {
        f"src/{name}.py" for name in OLD
    } | {"copy.py"}
    files = dataset.manifest["files"]
    assert (files["too_large"], files["not_text"], files["vendored"], files["generated"], files["duplicate"]) == (
        1,
        1,
        1,
        1,
        1,
    )


def test_paths_can_be_excluded(aged_shop: GitFolder, shop_home: RepositoryHome) -> None:
    dataset = mine(aged_shop.open(), shop_home, MiningOptions(exclude=("src/o*.py", "src/gifts.py")))

    assert not {pair.path for pair in every(dataset)} & {"src/orders.py", "src/gifts.py"}


def test_a_secret_never_reaches_the_disk(shop: GitFolder, shop_home: RepositoryHome) -> None:
    key = "AKIA" + "QX7Z4M2P9L5K3J8H"
    shop.commit({f"{name}.py": f"{module(name)}\n\nKEY = '{key}'\n\n{module(name + 's')}" for name in OLD})
    dataset = mine(shop.open(), shop_home)

    assert dataset.counts["completion"]["train"] > 10
    assert not any(key.encode() in file.read_bytes() for file in dataset.folder.iterdir())


def test_nothing_of_the_machine_is_written(aged_shop: GitFolder, shop_home: RepositoryHome, tmp_path: Path) -> None:
    dataset = mine(aged_shop.open(), shop_home)

    assert not any(os.fsencode(tmp_path) in file.read_bytes() for file in dataset.folder.iterdir())
    assert json.loads((dataset.folder / "conventions.json").read_text(encoding="utf-8"))["schema"] == 1


def test_a_repository_without_a_known_language_gets_one_sentence(shop: GitFolder, shop_home: RepositoryHome) -> None:
    shop.commit({"README.md": "Hello\n", "a.cob": "DISPLAY 'X'.\n"})

    with pytest.raises(DatasetError, match="no file that can be mined"):
        mine(shop.open(), shop_home)


def test_a_repository_that_yields_nothing_gets_one_sentence(shop: GitFolder, shop_home: RepositoryHome) -> None:
    shop.commit({"a.py": "x\n"})

    with pytest.raises(DatasetError, match="Not one pair"):
        mine(shop.open(), shop_home)
    assert not list(shop_home.datasets.glob("*"))


def test_too_few_pairs_are_a_data_set_all_the_same(shop: GitFolder, shop_home: RepositoryHome) -> None:
    shop.commit({"a.py": module("orders", 1)})
    dataset = mine(shop.open(), shop_home)

    assert 0 < sum(dataset.counts["completion"].values()) < 10


def test_a_damaged_or_missing_data_set_gets_one_sentence(shop_home: RepositoryHome) -> None:
    with pytest.raises(DatasetError, match="no data set of this repository yet"):
        latest_dataset(shop_home)
    folder = shop_home.datasets / "abc"
    folder.mkdir(parents=True)
    with pytest.raises(DatasetError, match="There is no data set 'abc'"):
        Dataset.open(folder)
    (folder / "manifest.json").write_text("{", encoding="utf-8")
    with pytest.raises(DatasetError, match="is damaged"):
        Dataset.open(folder)
    with pytest.raises(DatasetError, match="no data set of this repository yet"):
        latest_dataset(shop_home)


def test_settings_are_checked() -> None:
    assert MiningOptions.from_settings({"exclude": ["a/**"], "max_pairs": 5}).exclude == ("a/**",)
    with pytest.raises(UsageError, match=r"no setting 'mining.max_pear'"):
        MiningOptions.from_settings({"max_pear": 5})
    with pytest.raises(UsageError, match=r"'mining.max_pairs' cannot be 'many'"):
        MiningOptions.from_settings({"max_pairs": "many"})
