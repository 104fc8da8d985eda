"""`acclimate status` shows what became of completions, and `acclimate forget --feedback` removes it."""

import json
from pathlib import Path

import pytest
from tests.conftest import MakeRepository
from tests.server.test_cli import DONE, USAGE, acclimate
from tests.support.outcomes import note, offers

from acclimate_indexer.home import Home, RepositoryHome
from acclimate_indexer.repository import Repository


@pytest.fixture
def shop(home: Home, make_repository: MakeRepository) -> Path:
    return make_repository({"a.py": "x = 1\n"})


@pytest.fixture
def shop_home(shop: Path, home: Home) -> RepositoryHome:
    return home.for_repository(Repository.open(shop).common_directory)


def test_the_status_says_how_completions_were_received(shop: Path, shop_home: RepositoryHome) -> None:
    note(shop_home, [*offers(40, accepted=10, adapter=None), *offers(20, accepted=10, adapter="shop-1")])
    said = json.loads(acclimate("status", shop, "--json").stdout)["repository"]["completions"]
    base, adapter = sorted(said, key=lambda use: use["n"], reverse=True)
    shown = acclimate("status", shop).stdout

    assert (base["adapter"], base["model"], base["n"], base["acceptance"]) == (None, "tiny", 40, 0.25)
    assert (adapter["adapter"], adapter["n"], adapter["accepted"]) == ("shop-1", 20, 10)
    assert adapter["acceptance_interval"][0] < 0.5 < adapter["acceptance_interval"][1]
    assert set(adapter["milliseconds"]) == {"n", "p50", "p90", "p99"}
    assert "Completions by the base model tiny: 40 offered, 10 accepted (25%" in " ".join(shown.split())
    assert "Completions by shop-1: 20 offered, 10 accepted (50%" in " ".join(shown.split())


def test_the_status_of_a_repository_without_completions_says_nothing_of_them(
    shop: Path, shop_home: RepositoryHome
) -> None:
    done = acclimate("status", shop, "--json")

    assert json.loads(done.stdout)["repository"]["completions"] == []
    assert not shop_home.completions.exists()


def test_feedback_alone_can_be_forgotten_and_it_asks_first(shop: Path, shop_home: RepositoryHome) -> None:
    note(shop_home, offers(5, accepted=1, adapter="shop-1"))
    shop_home.feedback.write_text("{}\n", encoding="utf-8")

    assert acclimate("forget", shop, "--feedback").returncode == USAGE
    assert len(json.loads(acclimate("status", shop, "--json").stdout)["repository"]["completions"]) == 1
    done = acclimate("forget", shop, "--feedback", "--yes", "--json")
    assert (done.returncode, json.loads(done.stdout)["offers"]) == (DONE, 5)
    assert json.loads(acclimate("status", shop, "--json").stdout)["repository"]["completions"] == []
    assert shop_home.feedback.exists()


def test_forgetting_feedback_where_there_is_none_is_no_error(shop: Path, shop_home: RepositoryHome) -> None:
    done = acclimate("forget", shop, "--feedback", "--json")

    assert (done.returncode, json.loads(done.stdout)["offers"]) == (DONE, 0)
    assert not shop_home.completions.exists()
