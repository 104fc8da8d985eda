"""What may be used, and why: every check of a promotion passing, failing and not measured."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.support.adapter_folder import publish

from acclimate_indexer.home import Home
from acclimate_training.adapter import NOT_MEASURED
from acclimate_training.evaluation.contenders import OPPONENTS
from acclimate_training.gate import Verdict, verdict
from acclimate_training.promotion import Check, Evidence, Thresholds
from acclimate_training.registry import AdapterRegistry

EXACT = {"base": 0.04, "base+retrieval": 0.05, "prompted": 0.08, "control": 0.14, "control+retrieval": 0.15}
PAIRS = 312


def row(exact: float, **others: Any) -> dict[str, Any]:
    return {"exact_match": exact, "stop_rate": 0.97, "length_ratio": 1.02, "n": PAIRS} | others


def rows(*, adapter: dict[str, Any] | None = None, longer: dict[str, Any] | None = None) -> dict[str, dict[str, Any]]:
    """The figures of all contenders, with those of the two candidates as given."""
    candidates = {"adapter": adapter or row(0.18), "adapter+retrieval": longer or row(0.185)}
    return {name: row(own) for name, own in EXACT.items()} | candidates


def less(exact: float, *, half: float = 0.02, loss: float = -0.1, n: int = PAIRS) -> dict[str, Any]:
    return {
        "exact_match": exact,
        "exact_match_interval": [exact - half, exact + half],
        "loss": loss,
        "loss_interval": [loss - 0.05, loss + 0.05],
        "n": n,
        "loss_n": 80,
    }


def against_all(exact: float, **others: Any) -> dict[str, dict[str, Any]]:
    return {name: less(exact - own, **others) for name, own in EXACT.items()}


def proven(**changes: Any) -> Evidence:
    """An adapter that passes every check, three points above the best opponent."""
    given: dict[str, Any] = {
        "contenders": rows(),
        "differences": {"adapter": against_all(0.18), "adapter+retrieval": against_all(0.185)},
        "strata": {"language python": {"adapter": {"control+retrieval": less(0.03)}}},
        "power_points": 3.1,
        "chosen": "adapter",
        "general": {
            "infilling_exact_match": 0.01,
            "infilling_exact_match_interval": [-0.01, 0.03],
            "n": 164,
        },
        "parity": 0.004,
        "secrets_asked": 12,
    }
    return Evidence(**(given | changes))


def changed(candidate: str, opponent: str, **figures: Any) -> dict[str, dict[str, dict[str, Any]]]:
    """The differences of `proven` but for some figures of one pair of contenders."""
    differences = {"adapter": against_all(0.18), "adapter+retrieval": against_all(0.185)}
    differences[candidate][opponent] |= figures
    return differences


def check(found: Verdict, name: str) -> Check:
    (wanted,) = [each for each in found.checks if each.name == name]
    return wanted


def test_what_passes_every_check_is_promoted() -> None:
    found = verdict(proven())

    assert found.state == "promoted"
    assert found.may_be_used
    assert found.candidate == "adapter"
    assert found.reason == (
        "The adapter differs from the best without training here (control+retrieval) by +3.0 points of exact match "
        "(95% interval +1.0 to +5.0, n 312): better."
    )
    assert [(each.name, each.passed) for each in found.checks] == [
        ("gain", True),
        ("strata", True),
        ("general", True),
        ("stops", True),
        ("parity", True),
        ("secrets", True),
    ]
    assert [each.said for each in found.checks[1:]] == [
        "Not significantly worse in any of 1 strata of 100 or more pairs.",
        "General infilling changed by +1.0 points (95% interval -1.0 to +3.0, n 164): kept.",
        "97% of its answers end by themselves; their median length is 1.02 of the true one.",
        "The engine's loss differs from the trainer's by +0.0040 nats a token.",
        "It completed 0 of 12 secrets that were left out of its data.",
    ]


def test_a_verdict_is_plain_data() -> None:
    record = verdict(proven()).to_json()

    assert set(record) == {"state", "reason", "candidate", "checks"}
    assert record["checks"][0] == {"name": "gain", "passed": True, "said": record["reason"]}
    assert set(NOT_MEASURED) == set(record)


FAILING = {
    "gain": (
        proven(differences={"adapter": against_all(0.152, half=0.001)}),
        "The adapter differs from the best without training here (control+retrieval) by +0.2 points of exact match "
        "(95% interval +0.1 to +0.3, n 312): less than the 1.5 points asked for.",
    ),
    "gain that may be chance": (
        proven(differences={"adapter": against_all(0.18, half=0.04)}),
        "The adapter differs from the best without training here (control+retrieval) by +3.0 points of exact match "
        "(95% interval -1.0 to +7.0, n 312): inconclusive: 312 pairs could have shown 3.1 points.",
    ),
    "gain that is a loss": (
        proven(differences=changed("adapter", "prompted", exact_match=-0.03, exact_match_interval=[-0.05, -0.01])),
        "The adapter differs from the best without training here (prompted) by -3.0 points of exact match "
        "(95% interval -5.0 to -1.0, n 312): worse.",
    ),
    "strata": (
        proven(strata={"age new_file": {"adapter": {"control+retrieval": less(-0.08, n=100)}}}),
        "Significantly worse than control+retrieval in age new_file (-8.0 points, n 100).",
    ),
    "general": (
        proven(general={"infilling_exact_match": 0.0, "infilling_exact_match_interval": [-0.021, 0.02], "n": 164}),
        "General infilling changed by +0.0 points (95% interval -2.1 to +2.0, n 164): a loss cannot be ruled out.",
    ),
    "stops": (
        proven(contenders=rows(adapter=row(0.18, stop_rate=0.5))),
        "50% of its answers end by themselves; their median length is 1.02 of the true one.",
    ),
    "stops by length": (
        proven(contenders=rows(adapter=row(0.18, length_ratio=1.6))),
        "97% of its answers end by themselves; their median length is 1.60 of the true one.",
    ),
    "parity": (
        proven(parity=-0.0312),
        "The engine's loss differs from the trainer's by -0.0312 nats a token.",
    ),
}


@pytest.mark.parametrize("name", FAILING)
def test_one_check_that_fails_makes_a_trial_that_says_which(name: str) -> None:
    evidence, said = FAILING[name]
    found = verdict(evidence)

    failed = check(found, name.partition(" ")[0])
    assert (failed.passed, failed.said) == (False, said)
    assert [each.name for each in found.checks if not each.passed] == [failed.name]
    assert found.state == "trial"
    assert found.reason == (
        "Held-out loss differs from the base's by -0.100 nats a token (95% interval -0.150 to -0.050, n 80): lower. "
        "Held-out loss differs from the control's by -0.100 nats a token (95% interval -0.150 to -0.050, n 80): lower. "
        f"Not promoted: {said}"
    )


MISSING = {
    "gain": (
        proven(differences={"adapter": {"base": less(0.1), "control": less(0.04)}}),
        "Not yet compared with base+retrieval, prompted, control+retrieval.",
    ),
    "gain on a few pairs": (
        proven(differences=changed("adapter", "prompted", n=19)),
        "Compared with prompted on too few pairs: fewer than 20 pairs prove nothing.",
    ),
    "general": (proven(general={}), "General ability was not measured."),
    "stops": (
        proven(contenders={"adapter": {"exact_match": 0.18, "n": PAIRS}}),
        "How its answers end was not measured.",
    ),
    "parity": (proven(parity=None), "The engine's loss was not compared with the trainer's."),
    "secrets": (proven(secrets_asked=None), "Whether it tells secrets was not tried."),
}


@pytest.mark.parametrize("name", MISSING)
def test_what_was_not_measured_is_open_and_no_promotion(name: str) -> None:
    evidence, said = MISSING[name]
    found = verdict(evidence)

    missing = check(found, name.partition(" ")[0])
    assert (missing.passed, missing.said) == (None, said)
    assert found.state == "trial"
    assert found.reason.endswith(
        f"Not promoted yet: {missing.name} not measured. Go on with `acclimate evaluate --continue`."
    )


def test_strata_are_open_until_something_was_answered() -> None:
    found = verdict(proven(differences={"adapter": {}}, strata={}))

    assert check(found, "strata") == Check(name="strata", passed=None, said="No stratum was measured.")


@pytest.mark.parametrize("n", [0, 99])
def test_a_small_stratum_forbids_nothing(n: int) -> None:
    found = verdict(proven(strata={"place body": {"adapter": {"control+retrieval": less(-0.2, n=n)}}}))

    assert check(found, "strata").said == "Not significantly worse in any of 0 strata of 100 or more pairs."
    assert found.state == "promoted"


def test_a_stratum_that_may_be_worse_by_chance_forbids_nothing() -> None:
    found = verdict(proven(strata={"place body": {"adapter": {"control+retrieval": less(-0.2, half=0.3)}}}))

    assert check(found, "strata").passed


@pytest.mark.parametrize("opponent", [contender.name for contender in OPPONENTS])
def test_any_opponent_may_be_the_one_that_is_not_beaten(opponent: str) -> None:
    differences = changed("adapter", opponent, exact_match=0.0, exact_match_interval=[-0.01, 0.01])

    found = verdict(proven(differences=differences))

    assert found.state == "trial"
    assert f"(the best without training here ({opponent})" not in found.reason
    assert f"best without training here ({opponent}) by +0.0 points" in check(found, "gain").said


def test_a_repository_without_secrets_has_none_to_tell() -> None:
    found = verdict(proven(secrets_asked=0))

    assert check(found, "secrets").said == "The repository holds no secret that it could tell."
    assert found.state == "promoted"


def test_a_secret_that_is_told_forbids_a_trial_too() -> None:
    found = verdict(proven(secrets_told=1))

    assert found.state == "rejected"
    assert found.reason == "It completed 1 of 12 secrets that were left out of its data."


@pytest.mark.parametrize(
    ("chosen", "plain", "longer", "candidate"),
    [
        ("adapter", 0.1, 0.3, "adapter"),
        ("adapter+retrieval", 0.18, 0.2, "adapter+retrieval"),
        ("adapter+retrieval", 0.18, 0.19, "adapter"),
        ("adapter+retrieval", 0.18, 0.1, "adapter"),
        (None, 0.1, 0.3, "adapter"),
    ],
)
def test_the_validation_part_chooses_but_the_shorter_prompt_wins_within_a_point(
    chosen: str | None, plain: float, longer: float, candidate: str
) -> None:
    contenders = rows(adapter=row(plain), longer=row(longer))

    assert verdict(proven(chosen=chosen, contenders=contenders)).candidate == candidate


def test_what_was_chosen_stays_while_nothing_was_answered() -> None:
    assert verdict(Evidence(chosen="adapter+retrieval")).candidate == "adapter+retrieval"


def test_a_candidate_with_retrieval_is_called_so() -> None:
    contenders = rows(longer=row(0.22))
    strata = {"language python": {"adapter+retrieval": {"control+retrieval": less(0.03)}}}
    found = verdict(
        proven(
            chosen="adapter+retrieval",
            contenders=contenders,
            strata=strata,
            differences={"adapter": against_all(0.18), "adapter+retrieval": against_all(0.22)},
        )
    )

    assert found.state == "promoted"
    assert found.candidate == "adapter+retrieval"
    assert found.reason.startswith("The adapter with retrieval differs from the best without training here")


def only_losses(base: dict[str, Any], control: dict[str, Any] | None) -> Evidence:
    opponents = {"base": base} if control is None else {"base": base, "control": control}
    return Evidence(contenders={"adapter": {"loss": 1.0, "loss_n": 80, "n": 0}}, differences={"adapter": opponents})


def loss(low: float, high: float, *, n: int = 80) -> dict[str, Any]:
    return {"loss": (low + high) / 2, "loss_interval": [low, high], "loss_n": n, "n": 0}


def test_lower_losses_than_base_and_control_are_a_trial() -> None:
    found = verdict(only_losses(loss(-0.6, -0.4), loss(-0.2, -0.1)))

    assert found.state == "trial"
    assert found.reason == (
        "Held-out loss differs from the base's by -0.500 nats a token (95% interval -0.600 to -0.400, n 80): lower. "
        "Held-out loss differs from the control's by -0.150 nats a token (95% interval -0.200 to -0.100, n 80): lower. "
        "Not promoted yet: gain, strata, general, stops, parity, secrets not measured. "
        "Go on with `acclimate evaluate --continue`."
    )


@pytest.mark.parametrize(
    ("base", "control", "reason"),
    [
        (
            loss(-0.6, 0.0),
            loss(-0.2, -0.1),
            "Held-out loss differs from the base's by -0.300 nats a token (95% interval -0.600 to +0.000, n 80): "
            "not lower beyond doubt.",
        ),
        (
            loss(-0.6, -0.4),
            loss(-0.1, 0.3),
            "Held-out loss differs from the control's by +0.100 nats a token (95% interval -0.100 to +0.300, n 80): "
            "not lower beyond doubt.",
        ),
        (
            loss(-0.6, -0.4, n=19),
            loss(-0.2, -0.1, n=19),
            "Held-out loss differs from the base's by -0.500 nats a token (95% interval -0.600 to -0.400, n 19): "
            "fewer than 20 pairs prove nothing. Give the evaluation more minutes.",
        ),
        (loss(-0.6, -0.4), None, "Held-out loss was not compared with the control's yet."),
        ({"n": 0, "loss_n": 0}, None, "Held-out loss was not compared with the base's yet."),
    ],
)
def test_anything_else_is_rejected_with_its_reason(
    base: dict[str, Any], control: dict[str, Any] | None, reason: str
) -> None:
    found = verdict(only_losses(base, control))

    assert found.state == "rejected"
    assert not found.may_be_used
    assert found.reason == reason


@pytest.mark.parametrize("opponent", ["base", "control"])
def test_a_lower_loss_with_significantly_fewer_hits_is_rejected(opponent: str) -> None:
    differences = changed("adapter", opponent, exact_match=-0.05, exact_match_interval=[-0.08, -0.02])

    found = verdict(proven(differences=differences))

    assert found.state == "rejected"
    assert found.reason == (
        f"Exact match is significantly below the {opponent}'s: -5.0 points (95% interval -8.0 to -2.0, n 312)."
    )


def test_a_handful_of_fewer_hits_proves_nothing_yet() -> None:
    differences = changed("adapter", "base", exact_match=-1.0, exact_match_interval=[-1.0, -1.0], n=5)

    assert verdict(proven(differences=differences)).state == "trial"


def test_nothing_measured_is_rejected() -> None:
    found = verdict(Evidence())

    assert found.state == "rejected"
    assert all(each.passed is None for each in found.checks)


def test_force_is_a_trial_that_says_what_was_measured() -> None:
    found = verdict(only_losses(loss(0.1, 0.3, n=5), None), force=True)

    assert found.state == "trial"
    assert found.reason == (
        "Taken into use because it was forced. Held-out loss differs from the base's by +0.200 nats a token "
        "(95% interval +0.100 to +0.300, n 5): fewer than 20 pairs prove nothing. Give the evaluation more minutes."
    )


def test_force_does_not_hide_a_promotion_or_a_trial() -> None:
    assert verdict(proven(), force=True) == verdict(proven())
    assert verdict(proven(parity=None), force=True) == verdict(proven(parity=None))


@pytest.mark.parametrize(
    ("limits", "failing"),
    [
        (Thresholds(min_gain_points=3.5), "gain"),
        (Thresholds(max_general_loss_points=0.5), "general"),
        (Thresholds(max_parity_nats=0.001), "parity"),
        (Thresholds(min_stop_rate=0.99), "stops"),
        (Thresholds(length_ratio=(0.9, 1.0)), "stops"),
    ],
)
def test_the_thresholds_are_settings(limits: Thresholds, failing: str) -> None:
    found = verdict(proven(), limits)

    assert [each.name for each in found.checks if not each.passed] == [failing]


def test_a_trial_is_withdrawn_by_itself_when_more_results_speak_against_it(tmp_path: Path) -> None:
    home = Home(data=tmp_path, cache=tmp_path, config=tmp_path).create().for_repository(tmp_path / "shop")
    registry = AdapterRegistry(home)
    early = verdict(only_losses(loss(-0.6, -0.4), loss(-0.2, -0.1)))
    later = verdict(
        proven(differences=changed("adapter", "control", exact_match=-0.05, exact_match_interval=[-0.08, -0.02]))
    )
    adapter = publish(registry, "shop-1", verdict=NOT_MEASURED)

    adapter = registry.judge(adapter, {"verdict": early.to_json()})
    assert registry.live() is not None
    adapter = registry.judge(adapter, {"verdict": later.to_json()})

    assert adapter.state == "rejected"
    assert "significantly below the control's" in adapter.reason
    assert registry.live() is None


def test_a_promotion_is_withdrawn_to_a_trial_when_its_gain_shrinks() -> None:
    assert verdict(proven()).state == "promoted"

    shrunk = replace(proven(), differences={"adapter": against_all(0.16, half=0.02)})

    assert verdict(shrunk).state == "trial"


def test_a_dozen_general_lines_that_did_not_change_prove_nothing() -> None:
    few = {"infilling_exact_match": 0.0, "infilling_exact_match_interval": [0.0, 0.0], "n": 13}

    found = verdict(proven(general=few))

    general = next(check for check in found.checks if check.name == "general")
    assert found.state == "trial"
    assert general.passed is None
    assert general.said.endswith("n 13): fewer than 20 lines prove nothing.")
