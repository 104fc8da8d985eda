"""What may be used."""

import pytest

from acclimate_training.gate import verdict


def test_a_lower_loss_beyond_doubt_is_a_trial() -> None:
    found = verdict({"loss": -0.5, "loss_interval": [-0.6, -0.4], "loss_n": 60})

    assert found.state == "trial"
    assert found.may_be_used
    assert found.reason == (
        "Held-out loss differs from the base's by -0.500 nats a token (95% interval -0.600 to -0.400, n 60): lower."
    )


@pytest.mark.parametrize("interval", [[-0.6, 0.0], [-0.1, 0.3], [0.1, 0.2]])
def test_anything_else_is_rejected(interval: list[float]) -> None:
    found = verdict({"loss": sum(interval) / 2, "loss_interval": interval, "loss_n": 60})

    assert found.state == "rejected"
    assert not found.may_be_used


def test_nothing_measured_is_rejected() -> None:
    assert verdict({"loss_n": 0}).state == "rejected"


def test_force_is_a_trial_that_says_what_was_measured() -> None:
    found = verdict({"loss": 0.2, "loss_interval": [0.1, 0.3], "loss_n": 5}, force=True)

    assert found.state == "trial"
    assert "forced" in found.reason
    assert "+0.200" in found.reason


def test_a_handful_of_pairs_proves_nothing() -> None:
    found = verdict({"loss": -0.5, "loss_interval": [-0.6, -0.4], "loss_n": 2})

    assert found.state == "rejected"
    assert "fewer than 20 pairs" in found.reason
