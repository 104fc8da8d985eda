"""An adapter that does worse in use than the one before it goes, and only then."""

import random
from dataclasses import replace

import pytest
from tests.support.adapter_folder import publish
from tests.support.outcomes import note, offers

from acclimate_indexer.feedback_summary import use_of
from acclimate_indexer.home import Home, RepositoryHome
from acclimate_server.feedback.verdict import (
    MIN_OFFERS,
    SIGNIFICANCE,
    maybe_roll_back,
    p_of_larger,
    p_of_lower_share,
    verdict_on_use,
)
from acclimate_server.settings import FeedbackSettings, Settings
from acclimate_training.registry import AdapterRegistry

PROMOTED = {"verdict": {"state": "promoted", "reason": "Better by 3 points."}}


@pytest.fixture
def shop_home(home: Home) -> RepositoryHome:
    return home.for_repository(home.data / "shop")


@pytest.fixture
def registry(shop_home: RepositoryHome) -> AdapterRegistry:
    return AdapterRegistry(shop_home)


def _live(registry: AdapterRegistry) -> str | None:
    live = registry.live()
    return None if live is None else live.version


def _verdict(
    accepted: int, before: int, *, n: int = 100, times: tuple[float, float] = (100, 100), adapter: str | None = "v1"
) -> str | None:
    now = use_of(offers(n, accepted=accepted, adapter="v2", milliseconds=times[0]))
    return verdict_on_use(now, use_of(offers(n, accepted=before, adapter=adapter, milliseconds=times[1])))


def test_far_fewer_acceptances_are_a_reason() -> None:
    assert _verdict(10, 40) == "Fewer completions were accepted: 10 of 100 (10%), and 40% before (p = 4.8e-07)."


@pytest.mark.parametrize(("accepted", "before"), [(30, 40), (40, 40), (60, 40), (0, 0), (100, 100)])
def test_what_may_be_chance_or_is_better_is_no_reason(accepted: int, before: int) -> None:
    assert _verdict(accepted, before) is None


def test_too_few_offers_are_no_reason() -> None:
    assert _verdict(0, MIN_OFFERS - 1, n=MIN_OFFERS - 1, times=(900, 100)) is None


def test_slower_answers_are_a_reason() -> None:
    assert (_verdict(40, 40, times=(150, 100)) or "").startswith(
        "It answered slower: in 150 ms (median), and in 100 ms"
    )


def test_a_little_slower_is_none_however_sure_it_is() -> None:
    assert _verdict(40, 40, times=(120, 100)) is None


def test_answers_that_cost_the_engine_nothing_are_not_timed() -> None:
    now = [replace(each, milliseconds=None) for each in offers(100, accepted=40, adapter="v2", milliseconds=900)]

    assert verdict_on_use(use_of(now), use_of(offers(100, accepted=40, adapter="v1"))) is None


def test_an_adapter_may_be_slower_than_the_base_model() -> None:
    assert _verdict(40, 40, times=(150, 100), adapter=None) is None
    assert _verdict(10, 40, adapter=None) is not None


def test_looking_often_finds_no_difference_that_is_none() -> None:
    choice = random.Random(5)
    before = use_of(offers(2_000, accepted=600, adapter="v1"))
    wrong = 0
    for _ in range(200):
        outcomes = [
            replace(each, fate="accepted" if choice.random() < 0.3 else "rejected", milliseconds=None)
            for each in offers(1_000, accepted=0, adapter="v2")
        ]
        wrong += any(
            verdict_on_use(use_of(outcomes[:count]), before) is not None for count in range(50, 1_001, MIN_OFFERS)
        )

    assert wrong <= 200 * SIGNIFICANCE * 3


def test_the_tests_give_the_known_figures() -> None:
    # scipy 1.17: chi2_contingency([[15, 35], [30, 30]], correction=False).pvalue / 2
    assert round(p_of_lower_share(15, 50, 30, 60), 4) == 0.0168
    # mannwhitneyu([3, 4, 4, 6], [1, 2, 3, 4, 5], alternative="greater", use_continuity=False, method="asymptotic")
    assert round(p_of_larger([3, 4, 4, 6], [1, 2, 3, 4, 5]), 4) == 0.1301
    assert p_of_larger([1, 1], [1, 1]) == 1.0


def test_an_adapter_that_is_taken_less_goes(shop_home: RepositoryHome, registry: AdapterRegistry) -> None:
    for version in ("shop-1", "shop-2"):
        registry.judge(publish(registry, version), PROMOTED)
    note(shop_home, [*offers(60, accepted=30, adapter="shop-1"), *offers(60, accepted=5, adapter="shop-2")])
    reason = maybe_roll_back(shop_home, Settings())

    assert reason is not None
    assert (_live(registry), registry.get("shop-2").is_withdrawn) == ("shop-1", True)
    assert registry.history()[-1].reason == reason
    assert maybe_roll_back(shop_home, Settings()) is None


def test_the_first_adapter_is_compared_with_the_base_model_that_it_is_for(
    shop_home: RepositoryHome, registry: AdapterRegistry
) -> None:
    registry.judge(publish(registry, "shop-1"), PROMOTED)
    other = [replace(each, model="other") for each in offers(60, accepted=40, adapter=None)]
    note(shop_home, [*other, *offers(60, accepted=5, adapter="shop-1")])
    first = maybe_roll_back(shop_home, Settings())
    note(shop_home, offers(60, accepted=40, adapter=None))
    second = maybe_roll_back(shop_home, Settings())

    assert first is None
    assert second is not None
    assert _live(registry) is None


@pytest.mark.parametrize(
    "settings",
    [Settings(feedback=FeedbackSettings(rollback=False)), Settings(adapter="shop-2"), Settings(adapter="none")],
)
def test_what_a_person_has_settled_stays(
    shop_home: RepositoryHome, registry: AdapterRegistry, settings: Settings
) -> None:
    for version in ("shop-1", "shop-2"):
        registry.judge(publish(registry, version), PROMOTED)
    note(shop_home, [*offers(60, accepted=30, adapter="shop-1"), *offers(60, accepted=5, adapter="shop-2")])

    assert maybe_roll_back(shop_home, settings) is None
    assert _live(registry) == "shop-2"


def test_an_adapter_that_a_person_chose_stays(shop_home: RepositoryHome, registry: AdapterRegistry) -> None:
    for version in ("shop-1", "shop-2"):
        registry.judge(publish(registry, version), PROMOTED)
    registry.set_live("shop-1", "I like it better.")
    note(shop_home, [*offers(60, accepted=30, adapter="shop-2"), *offers(60, accepted=5, adapter="shop-1")])

    assert maybe_roll_back(shop_home, Settings()) is None
    assert _live(registry) == "shop-1"


def test_it_is_not_compared_with_what_was_withdrawn(shop_home: RepositoryHome, registry: AdapterRegistry) -> None:
    for version in ("shop-1", "shop-2"):
        registry.judge(publish(registry, version), PROMOTED)
    registry.withdraw("shop-1", "It repeats itself.")
    note(shop_home, [*offers(60, accepted=30, adapter="shop-1"), *offers(60, accepted=5, adapter="shop-2")])

    assert maybe_roll_back(shop_home, Settings()) is None


def test_what_was_offered_before_it_came_back_does_not_count(
    shop_home: RepositoryHome, registry: AdapterRegistry
) -> None:
    registry.judge(publish(registry, "shop-1"), PROMOTED)
    registry.judge(publish(registry, "shop-2"), PROMOTED)
    note(shop_home, [*offers(60, accepted=30, adapter="shop-1"), *offers(60, accepted=5, adapter="shop-2")])
    registry.set_live("shop-1")
    registry.promote("shop-2", "It was the proxy.")

    assert maybe_roll_back(shop_home, Settings()) is None


def test_nothing_happens_where_nothing_is_known(shop_home: RepositoryHome, registry: AdapterRegistry) -> None:
    assert maybe_roll_back(shop_home, Settings()) is None
    note(shop_home, offers(60, accepted=5, adapter=None))
    assert maybe_roll_back(shop_home, Settings()) is None
    registry.judge(publish(registry, "shop-1"), PROMOTED)
    assert maybe_roll_back(shop_home, Settings()) is None
