"""Mining as a whole: what must hold for every data set."""

import json
import multiprocessing
import random
import sqlite3
import zlib
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from tests.indexer.test_secrets import planted
from tests.support.git_folder import GitFolder, module

from acclimate_indexer.blob_store import BlobStore
from acclimate_indexer.dataset import Dataset, MiningOptions, Stages, mine
from acclimate_indexer.errors import DatasetError, RepositoryError
from acclimate_indexer.explanation import explained
from acclimate_indexer.feedback import FeedbackStore
from acclimate_indexer.filters.secrets import secret_spans
from acclimate_indexer.home import Home, RepositoryHome
from acclimate_indexer.mining.analysis import FileAnalysis
from acclimate_indexer.mining.held_out_lines import require_no_leak
from acclimate_indexer.pairs import SPLITS, CompletionPair, ReviewPair, Snippet
from acclimate_indexer.repository import Repository

NAMES = tuple(f"{first}_{second}" for first in ("till", "cart", "order", "stock") for second in ("in", "out", "back"))


def old_shop(shop: GitFolder, *, extra: str = "") -> GitFolder:
    """A repository with a year of history, and corrections in it."""
    for number, name in enumerate(NAMES):
        shop.commit({f"src/{name}.py": module(name) + extra}, day=number * 20)
    for number, name in enumerate(NAMES):
        fixed = module(name).replace(f"{name}_rate * 3:", f"{name}_rate * 3 + 1:")
        shop.write({f"src/{name}.py": fixed + extra})
        shop.git("add", "-A")
        shop.git("commit", "-qm", f"Fix wrong limit of {name} when the rate is zero", day=250 + number)
    for number in range(60):
        shop.commit({f"later/{number}.py": module(f"late{number}", 2)}, day=440 + number)
    return shop


def all_texts(dataset: Dataset) -> str:
    return "".join(file.read_text(encoding="utf-8") for file in sorted(dataset.folder.iterdir()))


def test_a_language_without_a_grammar_gives_sensible_pairs(shop: GitFolder, shop_home: RepositoryHome) -> None:
    shop.commit({f"machines/{number}.mach": machine(number) for number in range(24)})
    dataset = mine(shop.open(), shop_home)
    pairs = list(dataset.pairs("train"))

    assert len(pairs) > 40
    assert {pair.language for pair in pairs} == {"mach"}
    assert {"statement", "block", "arguments", "rest_of_line"} <= {pair.place for pair in pairs}
    for pair in pairs:
        assert pair.middle.strip() == pair.middle.rstrip("\n").lstrip("\n").strip()
        assert len(pair.middle) >= 3


def test_the_past_of_a_language_without_a_grammar_counts_too(shop: GitFolder, shop_home: RepositoryHome) -> None:
    shop.commit({f"machines/{number}.mach": machine(number) for number in range(24)})
    for number in range(24, 64):
        shop.commit({f"machines/{number}.mach": machine(number)}, day=200 + number)
    dataset = mine(shop.open(), shop_home)

    assert dataset.manifest["split"] == "time+file"
    assert len(list(dataset.pairs("test"))) >= 20


def machine(number: int) -> str:
    choice = random.Random(number)
    parts = choice.sample(("sheet", "board", "pipe", "rod", "plate", "wire", "cube", "cone"), 4)
    return "".join(
        f"MACHINE {part}_press_{number}\n"
        f"    INPUT {part}, pressure_{number}\n"
        f"    STATE idle\n"
        f"        ON start({part}, limit_{choice.randrange(99)}) -> pressing\n"
        f'        LOG "started {part}", {part}.id\n'
        f"    STATE pressing\n"
        f"        ON done -> idle\n"
        f"        force_{part} := pressure_{number} * area({part}, {choice.randrange(9)})\n\n"
        for part in parts
    )


def test_two_worktrees_give_one_data_set(shop: GitFolder, shop_home: RepositoryHome, tmp_path: Path) -> None:
    old_shop(shop)
    shop.git("worktree", "add", "-q", "--detach", str(tmp_path / "other tree"))
    one = mine(shop.open(), shop_home)
    two = mine(Repository.open(tmp_path / "other tree"), replace(shop_home, root=tmp_path / "other home"))

    assert one.hash == two.hash
    assert {file.name: file.read_bytes() for file in one.folder.iterdir()} == {
        file.name: file.read_bytes() for file in two.folder.iterdir()
    }


def test_a_second_mining_reads_only_what_changed(shop: GitFolder, shop_home: RepositoryHome) -> None:
    shop.commit({f"src/{name}.py": module(name) for name in NAMES})
    mine(shop.open(), shop_home)
    before = stored_keys(shop_home)
    shop.commit({"src/till_in.py": module("till_in", 9)})
    mine(shop.open(), shop_home)

    assert len(before - stored_keys(shop_home)) == 1
    assert len(stored_keys(shop_home) - before) == 1


def test_what_is_remembered_of_the_past_changes_nothing(
    shop: GitFolder, shop_home: RepositoryHome, tmp_path: Path
) -> None:
    old_shop(shop)
    mine(shop.open(), shop_home)
    before = stored_keys(shop_home, past=True)
    shop.commit({"later/new.py": module("new_shop", 2)}, day=600)
    again = mine(shop.open(), shop_home)
    fresh = mine(shop.open(), replace(shop_home, root=tmp_path / "other home"))
    now = stored_keys(shop_home, past=True)

    assert again.hash == fresh.hash
    assert len(before) > 20
    assert len(now - before) <= 0.2 * len(now)


def stored_keys(home: RepositoryHome, *, past: bool = False) -> set[str]:
    """What is kept of the files of the commit, or of those of the past, which are not named by their blob."""
    with sqlite3.connect(home.blobs) as connection:
        keys = {key for (key,) in connection.execute("SELECT key FROM findings")}
    return {key for key in keys if past != (":" in key)}


@pytest.mark.parametrize("size", [3, 30], ids=["in one process", "in several"])
def test_an_interrupted_mining_goes_on_where_it_was(shop: GitFolder, shop_home: RepositoryHome, size: int) -> None:
    large = {f"src/{name}{number}.py": module(f"{name}{number}", 60) for name in NAMES for number in range(size)}
    shop.commit(dict(list(large.items())[: 6 * size]))

    def interrupt(_done: int, _of: int, said: str) -> None:
        if said.startswith("files") and not said.startswith(("files 0 ", "files:")) and " of " in said:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        mine(shop.open(), shop_home, stages=Stages(interrupt))
    kept = stored_keys(shop_home)
    dataset = mine(shop.open(), shop_home)

    assert kept
    assert kept <= stored_keys(shop_home)
    assert dataset.counts["completion"]["train"] > 50


def test_two_processes_may_mine_one_repository(shop: GitFolder, shop_home: RepositoryHome) -> None:
    shop.commit({f"src/{name}{number}.py": module(f"{name}{number}", 20) for name in NAMES for number in range(8)})
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        hashes = list(pool.map(mined_hash, [shop.path] * 2, [shop_home] * 2))

    assert hashes[0] == hashes[1]
    assert Dataset.open(shop_home.datasets / hashes[0]).counts["completion"]["train"] > 100
    assert [folder.name for folder in shop_home.datasets.iterdir()] == [hashes[0]]


def mined_hash(path: Path, home: RepositoryHome) -> str:
    return mine(Repository.open(path), home).hash


def pair(
    middle: str, *, path: str = "a.py", prefix: str = "x = 1\n", context: tuple[Snippet, ...] = ()
) -> CompletionPair:
    return CompletionPair(
        kind="completion",
        language="python",
        path=path,
        commit="1",
        prefix=prefix,
        middle=middle,
        suffix="\ny = 2\n",
        context=context,
        place="statement",
    )


@pytest.mark.parametrize(
    "learnt",
    [
        pair("total = price * rate"),
        pair("z = 3", prefix="if late:\n    total = price * rate\n"),
        pair("z = 3", context=(Snippet(path="b.md", text="for example\n    total = price * rate\n"),)),
        pair("z = 3", path="held.py"),
        ReviewPair(
            language="python", path="b.py", commit="1", hunk="total = price * rate\n", comment=None, source="after"
        ),
    ],
)
def test_a_data_set_that_leaks_is_not_written(learnt: CompletionPair | ReviewPair) -> None:
    held_out = [pair("total = price * rate", path="held.py")]

    require_no_leak(held_out, [pair("other = price / rate")], frozenset(("held.py",)))
    with pytest.raises(DatasetError, match="would leak held-out code"):
        require_no_leak(held_out, [learnt], frozenset(("held.py",)))


def test_three_kinds_of_pairs_are_mined(shop: GitFolder, shop_home: RepositoryHome) -> None:
    dataset = mine(old_shop(shop).open(), shop_home)
    reviews = [review for split in SPLITS for review in dataset.reviews(split)]
    said = {review.comment.message for review in reviews if review.comment is not None}

    assert set(dataset.counts) == {"completion", "documentation", "review"}
    assert all(pair.middle.startswith('"""') for pair in dataset.pairs("train", "documentation"))
    assert any("wrong limit" in message for message in said)
    for split in ("train", "validation"):
        commented = [review for review in dataset.reviews(split) if review.comment is not None]
        assert len(list(dataset.reviews(split))) >= 4 * len(commented)


def test_half_of_the_training_pairs_carry_context_and_all_held_out_ones(
    shop: GitFolder, shop_home: RepositoryHome
) -> None:
    dataset = mine(old_shop(shop).open(), shop_home)
    train, test = list(dataset.pairs("train")), list(dataset.pairs("test"))
    share = sum(bool(pair.context) for pair in train) / len(train)

    assert 0.3 < share < 0.7
    assert all(pair.context for pair in test)
    assert all(snippet.path != pair.path for pair in (*train, *test) for snippet in pair.context)
    standing = {entry.path for entry in shop.open().files(str(dataset.manifest["split_commit"]))}
    assert {snippet.path for pair in (*train, *test) for snippet in pair.context} <= standing


def test_a_test_pair_tells_whether_its_file_is_old_new_or_held_out(shop: GitFolder, shop_home: RepositoryHome) -> None:
    old_shop(shop)
    for number, name in enumerate(NAMES):
        shop.commit({f"src/{name}.py": module(name) + module(f"{name}_again", 2)}, day=510 + number)
    dataset = mine(shop.open(), shop_home)

    before = {entry.path for entry in shop.open().files(dataset.manifest["split_commit"])}
    pairs = list(dataset.pairs("test"))
    ages = Counter(pair.age for pair in pairs)
    assert dataset.manifest["split"] == "time+file"
    assert ages["new_file"] > 0
    assert ages["old_file"] > 0
    assert dataset.manifest["strata"] == dict(ages)
    assert all((pair.path in before) == (pair.age == "old_file") for pair in pairs if pair.age != "held_out_file")
    assert {pair.age for split in ("train", "validation") for pair in dataset.pairs(split)} == {""}


def test_without_a_split_by_time_every_test_pair_is_of_a_file_held_out_whole(
    shop: GitFolder, shop_home: RepositoryHome
) -> None:
    shop.commit({f"src/{name}{number}.py": module(f"{name}{number}") for name in NAMES for number in range(3)})
    dataset = mine(shop.open(), shop_home)

    assert dataset.manifest["split"] == "file"
    assert {pair.age for pair in dataset.pairs("test")} == {"held_out_file"}


def test_a_pair_of_an_older_data_set_has_no_age() -> None:
    pair = CompletionPair(
        kind="completion",
        language="python",
        path="a.py",
        commit="1",
        prefix="",
        middle="x",
        suffix="",
        place="body",
        age="new_file",
    )
    record = pair.to_json()

    assert CompletionPair.from_json(record) == pair
    assert CompletionPair.from_json({name: value for name, value in record.items() if name != "age"}).age == ""


def test_what_a_repository_has_given_up_is_never_a_target(shop: GitFolder, shop_home: RepositoryHome) -> None:
    files = {f"src/{name}.py": module(name).replace(f"notify_{name}(", "shop.send_note(") for name in NAMES}
    shop.commit(files)
    names = list(files)
    for number in range(4):
        for path in names[number * 3 : number * 3 + 3]:
            files[path] = files[path].replace("shop.send_note(", "shop.notifier.tell(")
        shop.commit(files, day=number)
    stale = module("stale", 1).replace("notify_stale(", "shop.send_note(")
    shop.commit({"src/stale.py": stale, **files}, day=9)
    dataset = mine(shop.open(), shop_home)
    replaced = {each.old: each.new for each in dataset.conventions().replacements}

    assert replaced == {"send_note": "notifier.tell"}
    assert dataset.manifest["dropped"]["retired_name"] >= 1
    assert not any(dataset.conventions().retired_in(pair.middle) for pair in dataset.pairs("train"))


def test_feedback_makes_another_data_set(shop: GitFolder, shop_home: RepositoryHome) -> None:
    shop.commit({f"src/{name}.py": module(name) for name in NAMES})
    one = mine(shop.open(), shop_home)
    FeedbackStore(shop_home.feedback).add("dismissed", {"path": "src/till_in.py", "line": 3, "message": "Too long"})
    two = mine(shop.open(), shop_home)

    assert one.hash != two.hash


def test_a_dismissal_is_learnt_from_as_clean_code(shop: GitFolder, shop_home: RepositoryHome) -> None:
    head = shop.commit({f"src/{name}.py": module(name) for name in NAMES})
    learnt = {pair.path for pair in mine(shop.open(), shop_home).reviews("train")}
    hunk = "def remind(customer):\n    return letters.compose(customer, tone='kind')"
    said = {"path": min(learnt), "language": "python", "commit": head, "hunk": hunk}
    FeedbackStore(shop_home.feedback).add("dismissed", {**said, "code": "a", "subject": "b", "message": "Too kind"})
    reviews = list(mine(shop.open(), shop_home).reviews("train"))

    assert [(pair.hunk, pair.comment) for pair in reviews if pair.source == "dismissed"] == [(hunk, None)]


def test_a_file_can_be_explained(shop: GitFolder, shop_home: RepositoryHome) -> None:
    key = "AKIA" + "QX7Z4M2P9L5K3J8H"
    shop.commit(
        {
            **{f"src/{name}.py": module(name) for name in NAMES},
            "src/keys.py": f"{module('keys')}\n\nKEY = '{key}'\n",
            "vendor/other.py": module("other"),
        }
    )
    dataset = mine(shop.open(), shop_home)
    with closing(BlobStore.open(shop_home.blobs)) as store:
        told = {
            path: explained(shop.open(), path, MiningOptions(), dataset, store)
            for path in ("src/keys.py", "vendor/other.py")
        }
        with pytest.raises(RepositoryError, match=r"'src/none.py' is no file"):
            explained(shop.open(), "src/none.py", MiningOptions(), dataset, store)
    keys = told["src/keys.py"]

    assert {hole.outcome for hole in keys.holes} & {*SPLITS}
    assert keys.secrets == (module("keys").count("\n") + 3,)
    assert key not in json.dumps(keys.to_json())
    assert told["vendor/other.py"].reason == "vendored"


def test_no_planted_secret_reaches_anything_that_is_kept(shop: GitFolder, home: Home, tmp_path: Path) -> None:
    choice = random.Random(7)
    sets = [planted(random.Random(seed)) for seed in range(6)]
    secrets = [text for each in sets for text in each.values()]
    for number, name in enumerate(NAMES):
        here = secrets[number::12]
        shop.commit({f"src/{name}.py": with_lines(module(name), here, choice), f"docs/{name}.md": "\n\n".join(here)},
                    day=number * 20)  # fmt: skip
    for number, name in enumerate(NAMES):
        gone = with_lines(module(name), secrets[number::12], choice)
        fixed = gone.replace(f"{name}_rate * 3:", f"{name}_rate * 3 + 1:").replace(secrets[number].split("\n")[0], "")
        shop.write(
            {f"src/{name}.py": fixed, f"config/{name}.yaml": secrets[number], f"config/{name}.sh": secrets[number]}
        )
        shop.git("add", "-A")
        shop.git("commit", "-qm", f"Fix wrong limit of {name} for {secrets[number + 12]}", day=250 + number)
    for number in range(60):
        shop.commit(
            {f"later/{number}.py": with_lines(module(f"late{number}"), secrets[number::60], choice)}, day=440 + number
        )
    shop_home = home.for_repository(shop.path / ".git")
    store = FeedbackStore(shop_home.feedback)
    kept = [
        store.add("review", {"path": "src/till_in.py", "line": 1, "commit": "a", "message": each}) for each in secrets
    ]
    dataset = mine(shop.open(), shop_home)

    assert len(secrets) >= 200
    assert len(sets[0]) >= 20
    assert not any(kept)
    assert dataset.counts["completion"]["train"] > 50
    found = leaked(secrets, stored_texts(shop_home))
    assert not found


def test_a_secret_that_one_place_gives_away_is_left_out_everywhere(shop: GitFolder, shop_home: RepositoryHome) -> None:
    key, name = "Kq7vX2mWz9Lp4Rt8", "till-drawer-name"
    used = module("used").replace("    if ", f"    # {key} in {name}: nothing here says what it is\n    if ")
    shop.commit(
        {f"src/{each}.py": module(each) for each in NAMES}
        | {"src/keys.py": f'{module("keys")}\npassword = "{key}"\ntoken = "{name}"\n', "src/used.py": used}
        | {"src/open.py": module("open").replace("reason='open", f"reason='{name}")}
    )
    assert not secret_spans(used)

    dataset = mine(shop.open(), shop_home)

    kept = "".join(map(dataset.text, SPLITS))
    assert key not in kept
    assert name in kept
    assert dataset.manifest["dropped"]["secret_elsewhere"] >= 3


def with_lines(text: str, lines: list[str], choice: random.Random) -> str:
    """The text with other lines somewhere between its own, as comments or as they are."""
    parts = text.split("\n\n\n")
    for line in lines:
        parts.insert(choice.randrange(1, len(parts)), f"# {line}" if "\n" not in line else line)
    return "\n\n\n".join(parts)


def stored_texts(home: RepositoryHome) -> str:
    """All that is kept of a repository, unpacked."""
    texts = [
        file.read_text(encoding="utf-8", errors="replace")
        for file in sorted(home.root.rglob("*"))
        if file.is_file() and "sqlite" not in file.name
    ]
    with sqlite3.connect(home.blobs) as connection:
        rows = list(connection.execute("SELECT key, data FROM findings"))
    for key, data in rows:
        if ":" not in key:  # of the past
            texts.append(zlib.decompress(data).decode())
            continue
        analysis = FileAnalysis.from_bytes(data)
        packed = (part for part in (analysis.packed_facts, analysis.packed_conventions) if part)
        texts += [data.decode("utf-8", "replace"), *(zlib.decompress(part).decode() for part in packed)]
    return "\n".join(texts)


def leaked(secrets: list[str], kept: str) -> Counter[str]:
    """The longest words of the secrets that stand in what is kept: what a secret consists of, not what is around it."""
    return Counter(
        word
        for secret in secrets
        for word in [max(secret.replace('"', " ").replace("'", " ").split(), key=len)]
        if len(word) >= 12 and word in kept
    )
