"""Completions that were taken and committed are learnt from, if the user wants that, and never held-out code."""

from collections.abc import Iterable
from contextlib import closing
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from tests.support.git_folder import GitFolder, module
from tests.support.outcomes import OUTCOME

from acclimate_indexer.completion_feedback import CompletionFeedback
from acclimate_indexer.dataset import Dataset, MiningOptions, mine
from acclimate_indexer.home import RepositoryHome
from acclimate_indexer.languages.registry import language_of
from acclimate_indexer.mining.source import Source
from acclimate_indexer.mining.taken import PLACE, by_path, taken_candidates

NAMES = (
    "order",
    "invoice",
    "stock",
    "till",
    "voucher",
    "basket",
    "refund",
    "parcel",
    "label",
    "shelf",
    "coupon",
    "vat",
)
LEARN = MiningOptions(learn_taken=True)


def _take(home: RepositoryHome, path: str, *places: tuple[str, str], kept: bool = True) -> None:
    """Notes that these texts were taken behind these beginnings of lines, and committed."""
    with closing(CompletionFeedback.open(home.completions)) as store:
        for number, (before, text) in enumerate(places):
            taken = replace(
                OUTCOME,
                id=f"{path}-{number}",
                path=path,
                fate="accepted",
                taken=len(text),
                before=before,
                text=text,
                head="1",
            )
            store.add(taken)
            store.note_kept(taken.id, "commit", len(text) if kept else 1)


def _place(name: str, number: int = 2) -> tuple[str, str]:
    return f"    total_{name} = sum(", f"order.{name}_{number} for order in orders)"


def _taken(dataset: Dataset) -> list[tuple[str, str]]:
    return [(pair.path, pair.middle) for pair in dataset.pairs("train") if pair.place == PLACE]


def _committed(shop: GitFolder, names: Iterable[str] = NAMES) -> None:
    shop.commit({f"src/{name}.py": module(name) for name in names})


def test_what_was_taken_is_learnt_first_and_as_it_was_asked(shop: GitFolder, shop_home: RepositoryHome) -> None:
    _committed(shop)
    for name in NAMES:
        _take(shop_home, f"src/{name}.py", _place(name))
    dataset = mine(shop.open(), shop_home, LEARN)
    pairs = list(dataset.pairs("train"))
    count = len(_taken(dataset))

    assert count > len(NAMES) / 2
    assert [pair.place for pair in pairs[:count]] == [PLACE] * count
    for pair in pairs[:count]:
        name = Path(pair.path).stem
        assert (pair.prefix.split("\n")[-1], pair.middle) == _place(name)
        assert pair.prefix + pair.middle + pair.suffix == module(name)


def test_no_other_hole_overlaps_one_that_was_taken(shop: GitFolder, shop_home: RepositoryHome) -> None:
    _committed(shop)
    for name in NAMES:
        _take(shop_home, f"src/{name}.py", *(_place(name, number) for number in range(6)))
    pairs = list(mine(shop.open(), shop_home, LEARN).pairs("train"))
    spans: dict[str, list[tuple[int, int]]] = {}
    for pair in pairs:
        assert pair.prefix + pair.middle + pair.suffix == module(Path(pair.path).stem)
        spans.setdefault(pair.path, []).append((len(pair.prefix), len(pair.prefix) + len(pair.middle)))

    for found in spans.values():
        found.sort()
        assert all(one[1] <= other[0] for one, other in pairwise(found))


def test_held_out_files_are_never_learnt_from(shop: GitFolder, shop_home: RepositoryHome) -> None:
    _committed(shop)
    for name in NAMES:
        _take(shop_home, f"src/{name}.py", _place(name))
    dataset = mine(shop.open(), shop_home, LEARN)
    held_out = {pair.path for pair in (*dataset.pairs("test"), *dataset.pairs("validation"))}

    assert held_out
    assert not held_out & {path for path, _ in _taken(dataset)}


def test_what_is_asked_since_the_split_is_never_learnt_from(shop: GitFolder, shop_home: RepositoryHome) -> None:
    for day, functions in ((0, 3), (20, 3), (100, 6)):
        shop.commit({f"src/{name}.py": module(name, functions) for name in NAMES}, day=day)
    for name in NAMES:
        _take(shop_home, f"src/{name}.py", _place(name, 1), _place(name, 5))
    dataset = mine(shop.open(), shop_home, LEARN)
    taken = _taken(dataset)

    assert dataset.manifest["split"] == "time+file"
    assert taken
    assert {middle for _, middle in taken} <= {_place(name, 1)[1] for name in NAMES}


def test_without_the_setting_nothing_changes(shop: GitFolder, shop_home: RepositoryHome) -> None:
    _committed(shop)
    before = mine(shop.open(), shop_home)
    _take(shop_home, "src/till.py", _place("till"))
    after = mine(shop.open(), shop_home)

    assert before.hash == after.hash
    assert _taken(after) == []


def test_what_is_learnt_names_another_data_set(shop: GitFolder, shop_home: RepositoryHome) -> None:
    _committed(shop)
    nothing = mine(shop.open(), shop_home, LEARN)
    for name in NAMES:
        _take(shop_home, f"src/{name}.py", _place(name), kept=False)
    lost = mine(shop.open(), shop_home, LEARN)
    for name in NAMES:
        _take(shop_home, f"src/{name}.py", _place(name))  # noted before, and found in a later commit
    kept = mine(shop.open(), shop_home, LEARN)

    assert nothing.hash == lost.hash != kept.hash
    assert _taken(kept)


def test_a_text_is_found_by_its_line(tmp_path: Path) -> None:
    language = language_of("a.py")
    assert language is not None
    text = "xresult = total(items)\nresult = total(items)\nother = other(items)\n"
    source = Source.of(path="a.py", blob="1", commit="1", language=language, text=text)
    home = RepositoryHome(root=tmp_path)
    _take(home, "a.py", ("result = ", "total(items)"), ("gone = ", "total(items)"), ("result = tot", "al(items)"))
    with closing(CompletionFeedback.open(home.completions)) as store:
        texts = by_path(store.kept_texts())
    found = taken_candidates(source, texts["a.py"])

    assert [text[each.span.start : each.span.end] for each in found] == ["total(items)"]
    assert text[: found[0].span.start].endswith("\nresult = ")
