"""The live view: the work tree as it stands, updated a file at a time, kept by blob."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.indexer.test_context import CART, FILES, PRICES, README
from tests.support.git_folder import GitFolder

from acclimate_indexer.blob_store import BlobStore
from acclimate_indexer.context.live import LiveContext
from acclimate_indexer.context.origin import GitWorkTree
from acclimate_indexer.dataset import MiningOptions, mine
from acclimate_indexer.errors import RepositoryError
from acclimate_indexer.home import RepositoryHome
from acclimate_indexer.pairs import Snippet
from acclimate_indexer.prompts import Cursor

CURSOR = Cursor(path="shop/cart.py", language="python", prefix=CART, suffix=")\n    return result\n")
SIGNATURE = "def with_tax(price: Decimal, *, rate: Decimal) -> Decimal:"


@pytest.fixture
def store(shop_home: RepositoryHome) -> Iterator[BlobStore]:
    with closing(BlobStore.open(shop_home.blobs)) as opened:
        yield opened


def live(shop: GitFolder, store: BlobStore) -> LiveContext:
    context = LiveContext(GitWorkTree(shop.open()), store, MiningOptions())
    context.refresh()
    return context


def shown(context: LiveContext) -> tuple[Snippet, ...]:
    return context.snippets(CURSOR, max_characters=2_000)


def texts(context: LiveContext) -> str:
    return "\n".join(snippet.text for snippet in shown(context))


def stored(home: RepositoryHome) -> set[str]:
    """The analyses that are kept; what is remembered of the past is not named by a blob."""
    with closing(sqlite3.connect(home.blobs)) as connection:
        return {key for (key,) in connection.execute("SELECT key FROM findings") if ":" in key}


def test_what_lies_in_the_work_tree_is_shown(shop: GitFolder, store: BlobStore) -> None:
    shop.commit({**FILES, "README.md": README})
    shop.write({"shop/prices.py": PRICES.replace("rate: Decimal", "factor: Decimal")})  # changed, not committed
    (shop.path / "weather/forecast.py").unlink()
    context = live(shop, store)

    assert SIGNATURE.replace("rate:", "factor:") in texts(context)
    assert SIGNATURE not in texts(context)
    assert "barometer.read_pressure" not in texts(context)
    assert {snippet.path for snippet in shown(context)} >= {"shop/prices.py", "shop/report.py"}


def test_one_changed_file_is_all_that_is_read_anew(
    shop: GitFolder, store: BlobStore, shop_home: RepositoryHome
) -> None:
    shop.commit(FILES)
    context = live(shop, store)
    before = stored(shop_home)
    shop.write(
        {"shop/prices.py": PRICES.replace("with_tax", "with_tax_of"), "shop/new.py": "def open_cart():\n    1\n"}
    )
    context.update("shop/prices.py")
    context.update("shop/new.py")
    (shop.path / "shop/report.py").unlink()
    context.update("shop/report.py")

    assert len(stored(shop_home) - before) == 2
    assert "def with_tax_of(price" in texts(context)
    assert SIGNATURE not in texts(context)
    assert "print_report" not in texts(context)
    assert shown(context) == shown(live(shop, store))  # as if all had been read now


def test_an_index_of_many_changes_answers_like_a_new_one(shop: GitFolder, store: BlobStore) -> None:
    shop.commit(FILES)
    context = live(shop, store)
    for number in range(20):
        shop.write({"shop/report.py": FILES["shop/report.py"].replace("customer", f"customer_{number % 3}")})
        context.update("shop/report.py")
        context.update("weather/forecast.py")

    assert shown(context) == shown(live(shop, store))


def test_unsaved_text_counts_until_the_file_is_closed(
    shop: GitFolder, store: BlobStore, shop_home: RepositoryHome
) -> None:
    shop.commit(FILES)
    context = live(shop, store)
    before = stored(shop_home)
    context.overlay("shop/prices.py", PRICES.replace("rate: Decimal", "unsaved: Decimal"))
    context.overlay("shop/draft.py", "def with_draft(cart, result):\n    return cart.lines, result\n" * 4)
    edited = texts(context)
    context.refresh()
    refreshed = texts(context)
    context.discard("shop/prices.py")
    context.discard("shop/draft.py")

    assert "unsaved: Decimal" in edited
    assert "with_draft" in edited
    assert refreshed == edited
    assert SIGNATURE in texts(context)
    assert "with_draft" not in texts(context)
    assert stored(shop_home) == before  # a buffer never reaches the disk


def test_documentation_is_kept_up_to_date_too(shop: GitFolder, store: BlobStore) -> None:
    shop.commit({**FILES, "README.md": README})
    context = live(shop, store)
    said = "# Carts\n\nThe total of all cart lines is a result that with_tax makes of prices.\n"
    shop.write({"README.md": said})
    context.update("README.md")
    saved = texts(context)
    context.overlay("README.md", said.replace("prices", "unsaved prices"))
    edited = texts(context)
    (shop.path / "README.md").unlink()
    context.discard("README.md")

    assert "that with_tax makes of prices" in saved
    assert "that with_tax makes of unsaved prices" in edited
    assert "README.md" not in {snippet.path for snippet in shown(context)}


def test_a_damaged_analysis_is_made_anew(shop: GitFolder, store: BlobStore, shop_home: RepositoryHome) -> None:
    shop.commit(FILES)
    context = live(shop, store)
    store.put_many(dict.fromkeys(stored(shop_home), b"damaged"))
    context.update("shop/prices.py")

    assert SIGNATURE in texts(context)


def test_mining_and_the_live_view_do_each_others_work(
    shop: GitFolder, store: BlobStore, shop_home: RepositoryHome
) -> None:
    shop.commit(FILES)
    live(shop, store)
    before = stored(shop_home)
    mine(shop.open(), shop_home)

    assert len(before) == len(FILES)
    assert stored(shop_home) == before
    mine(shop.open(), shop_home, MiningOptions(exclude=("weather/*",)))
    assert stored(shop_home) == before  # in no data set any more, but in the live view


def test_a_file_that_changed_unnoticed_is_not_shown_with_its_old_lines(shop: GitFolder, store: BlobStore) -> None:
    shop.commit(FILES)
    context = live(shop, store)
    shop.write({"shop/report.py": "x = 1\n" * 50 + FILES["shop/report.py"]})

    assert "shop/report.py" not in {snippet.path for snippet in shown(context)}


def test_secrets_of_the_work_tree_are_not_shown(shop: GitFolder, store: BlobStore) -> None:
    key = "AKIA" + "QX7Z4M2P9L5K3J8H"
    shop.commit(FILES)
    context = live(shop, store)
    report = FILES["shop/report.py"].replace(
        "        print", f"        key = '{key}'  # order customer total\n        print"
    )
    shop.write({"shop/report.py": report})
    context.update("shop/report.py")
    saved = texts(context)
    context.overlay("shop/report.py", report)

    assert key not in saved + texts(context)
    assert "for order in orders" in texts(context)


def test_links_and_foreign_paths_lead_nowhere(shop: GitFolder, store: BlobStore, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/prices.py").write_text(PRICES, encoding="utf-8")
    shop.commit({"shop/cart.py": CART, "shop/report.py": "x = 1\n"})
    (shop.path / "shop/report.py").unlink()
    (shop.path / "shop/report.py").symlink_to(tmp_path / "outside/prices.py")
    (shop.path / "linked").symlink_to(tmp_path / "outside")
    (shop.path / "loop").symlink_to("loop")
    os.mkfifo(shop.path / "pipe.py")
    context = live(shop, store)
    for path in ("linked/prices.py", "../outside/prices.py", "loop/a.py", "pipe.py", "shop", "a\0b.py", ""):
        context.update(path)

    assert shown(context) == ()


def test_a_bare_repository_has_nothing_live(shop: GitFolder, tmp_path: Path) -> None:
    shop.commit(FILES)
    shop.git("clone", "-q", "--bare", ".", str(tmp_path / "bare.git"))

    with pytest.raises(RepositoryError, match="has no work tree"):
        GitWorkTree(GitFolder(tmp_path / "bare.git").open())
