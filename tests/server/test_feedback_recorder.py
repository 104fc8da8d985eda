"""What the watch sees is written in a thread, and looked for in the next commit."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.adapter_folder import publish
from tests.support.git_folder import GitFolder
from tests.support.offers import OFFER
from tests.support.outcomes import note, offers

from acclimate_indexer.completion_feedback import CompletionFeedback, Outcome
from acclimate_indexer.home import Home, RepositoryHome
from acclimate_server.feedback.offer import Offer
from acclimate_server.feedback.recorder import Recorder
from acclimate_server.feedback.watch import Decision
from acclimate_server.settings import FeedbackSettings, Settings
from acclimate_training.registry import AdapterRegistry

FILE = "def total(prices):\n    result = \n    return result\n"
ANSWER = "sum(prices)"
COMMITTED = FILE.replace("result = ", f"result = {ANSWER}")
TAKEN = Decision(fate="accepted", shown=len(ANSWER), taken=len(ANSWER), text=ANSWER)
REJECTED = Decision(fate="rejected", shown=len(ANSWER), taken=0)


@pytest.fixture
def shop(tmp_path: Path) -> GitFolder:
    folder = GitFolder.new(tmp_path / "shop")
    folder.commit({"till.py": FILE, "other.py": "x = 1\n"})
    return folder


@pytest.fixture
def shop_home(shop: GitFolder, home: Home) -> RepositoryHome:
    return home.for_repository(shop.path / ".git")


@pytest.fixture
def executor() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(max_workers=1) as threads:
        yield threads


def _offer(shop: GitFolder, id_: str = "1") -> Offer:
    return replace(OFFER, id=id_, repository=shop.open(), before="    result = ", text=ANSWER)


async def _record(
    home: Home, executor: ThreadPoolExecutor, *decisions: tuple[Offer, Decision], settings: Settings | None = None
) -> list[str]:
    """A session in which this was decided; gives why adapters were withdrawn."""
    reasons: list[str] = []
    recorder = Recorder(home, executor, lambda: settings or Settings(), reasons.append)
    for offer, decision in decisions:
        recorder.decided(offer, decision)
    if decisions and decisions[0][1].fate == "accepted":
        recorder.still_there(decisions[0][0], "30_seconds", 5)
    await recorder.close()
    return reasons


def _noted(home: RepositoryHome) -> list[Outcome]:
    with closing(CompletionFeedback.open(home.completions)) as store:
        return list(store.outcomes())


async def test_what_was_decided_is_written_when_the_session_ends(
    shop: GitFolder, home: Home, shop_home: RepositoryHome, executor: ThreadPoolExecutor
) -> None:
    await _record(home, executor, (_offer(shop), TAKEN), (_offer(shop, "2"), REJECTED))
    taken, rejected = _noted(shop_home)

    assert (taken.text, taken.before, taken.kept_30_seconds) == (ANSWER, "    result = ", 5)
    assert taken.head == shop.git("rev-parse", "HEAD")
    assert (rejected.fate, rejected.text) == ("rejected", None)


async def test_nothing_is_written_where_feedback_is_switched_off(
    shop: GitFolder, home: Home, shop_home: RepositoryHome, executor: ThreadPoolExecutor
) -> None:
    await _record(home, executor, (_offer(shop), TAKEN), settings=Settings(feedback=FeedbackSettings(keep=False)))

    assert not shop_home.completions.exists()


async def test_a_repository_that_is_gone_costs_the_others_nothing(
    shop: GitFolder, home: Home, shop_home: RepositoryHome, executor: ThreadPoolExecutor, tmp_path: Path
) -> None:
    gone = GitFolder.new(tmp_path / "gone")
    gone.commit({"a.py": "x = 1\n"})
    offer = _offer(gone, "gone")
    (gone.path / ".git").rename(tmp_path / "away")
    await _record(home, executor, (offer, REJECTED), (_offer(shop), REJECTED))

    assert [outcome.id for outcome in _noted(shop_home)] == ["1"]


async def test_a_text_that_was_committed_is_found(
    shop: GitFolder, home: Home, shop_home: RepositoryHome, executor: ThreadPoolExecutor
) -> None:
    await _record(home, executor, (_offer(shop), TAKEN))
    assert _noted(shop_home)[0].kept_commit is None
    shop.commit({"till.py": f"import shop\n\n\n{COMMITTED}"}, day=1)
    await _record(home, executor, (_offer(shop, "2"), REJECTED))

    assert _noted(shop_home)[0].kept_commit == len(ANSWER)


async def test_a_text_that_was_not_committed_with_its_file_is_lost(
    shop: GitFolder, home: Home, shop_home: RepositoryHome, executor: ThreadPoolExecutor
) -> None:
    await _record(home, executor, (_offer(shop), TAKEN))
    shop.commit({"till.py": FILE.replace("result = ", "result = max(prices)")}, day=1)
    await _record(home, executor, (_offer(shop, "2"), REJECTED))

    assert _noted(shop_home)[0].kept_commit == 0


async def test_a_commit_of_another_file_says_nothing(
    shop: GitFolder, home: Home, shop_home: RepositoryHome, executor: ThreadPoolExecutor
) -> None:
    await _record(home, executor, (_offer(shop), TAKEN))
    shop.commit({"other.py": "x = 2\n"}, day=1)
    await _record(home, executor, (_offer(shop, "2"), REJECTED))
    between = _noted(shop_home)[0].kept_commit
    shop.commit({"till.py": COMMITTED}, day=2)
    await _record(home, executor, (_offer(shop, "3"), REJECTED))

    assert between is None
    assert _noted(shop_home)[0].kept_commit == len(ANSWER)


async def test_another_branch_says_nothing_about_what_is_missing_there(
    shop: GitFolder, home: Home, shop_home: RepositoryHome, executor: ThreadPoolExecutor
) -> None:
    shop.git("branch", "old")
    shop.commit({"till.py": "# newer\n" + FILE}, day=1)
    await _record(home, executor, (_offer(shop), TAKEN))
    shop.git("checkout", "-q", "old")
    await _record(home, executor, (_offer(shop, "2"), REJECTED))

    assert _noted(shop_home)[0].kept_commit is None


async def test_an_adapter_that_is_refused_is_withdrawn_while_one_works(
    shop: GitFolder, home: Home, shop_home: RepositoryHome, executor: ThreadPoolExecutor
) -> None:
    registry = AdapterRegistry(shop_home)
    for version in ("shop-1", "shop-2"):
        registry.judge(publish(registry, version), {"verdict": {"state": "promoted", "reason": "Better."}})
    note(shop_home, [*offers(60, accepted=30, adapter="shop-1"), *offers(139, accepted=10, adapter="shop-2")])
    reasons = await _record(home, executor, (_offer(shop), REJECTED))
    live = registry.live()

    assert len(reasons) == 1
    assert live is not None
    assert live.version == "shop-1"
