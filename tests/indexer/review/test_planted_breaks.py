"""Where the benchmark breaks a convention on purpose: only where that is a use of the old name."""

import pytest
from benchmarks.convention_replay import Replay
from benchmarks.planted_breaks import planted_breaks
from tests.support.git_folder import GitFolder
from tests.support.reviewed import conventions, prevalence, replacement

from acclimate_indexer.home import RepositoryHome
from acclimate_indexer.mining.conventions.record import Prevalence, Replacement

TOLD = replacement("send_note", "tell_all")


@pytest.mark.parametrize(
    ("text", "convention", "outcome"),
    [
        ("def run(shop):\n    shop.tell_all(1)\n", TOLD, "restored"),
        ("class Shop:\n    def tell_all(self, note):\n        pass\n", TOLD, None),
        ("def run(\n    tell_all: bool = True,\n):\n    pass\n", TOLD, None),
        ("NAMES = ['tell_all']\n", TOLD, None),
        ("class TellAll(NewBoard):\n    pass\n", replacement("OldBoard", "NewBoard"), "restored"),
        ("class NewBoard(Base):\n    pass\n", replacement("OldBoard", "NewBoard"), None),
        ("import argparse\nargparse.Action\n", replacement("optparse", "argparse", kind="import"), "restored"),
        ("import argparse\n", replacement("optparse", "argparse"), None),
        ("x = argparse.Action\n", replacement("optparse", "argparse"), None),
        ("def open_cart(x):\n    pass\n", prevalence("python functions", "snake_case"), "restored"),
        ("def run(x):\n    pass\n", prevalence("python functions", "snake_case"), None),
    ],
)
def test_a_break_is_a_use(
    shop: GitFolder, shop_home: RepositoryHome, text: str, convention: Replacement | Prevalence, outcome: str | None
) -> None:
    alive = f"import {convention.new}\n" * 3 if outcome and isinstance(convention, Replacement) else ""
    shop.commit({"a.py": text, "b.py": alive})
    repository = shop.open()
    state, _ = Replay(repository, shop_home, commits=0).mined(repository.head())
    breaks = planted_breaks(repository, state, conventions(convention))

    assert [each.outcome for each in breaks] == ([outcome] if outcome else [])


def test_what_no_longer_holds_is_not_said(shop: GitFolder, shop_home: RepositoryHome) -> None:
    shop.commit({"a.py": "def run(shop):\n    shop.tell_all(1)\n", "b.py": "import tell_all\n" * 2})
    repository = shop.open()
    state, _ = Replay(repository, shop_home, commits=0).mined(repository.head())

    assert [each.outcome for each in planted_breaks(repository, state, conventions(TOLD))] == ["silent"]
