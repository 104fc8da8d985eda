"""A version as a whole evaluation leaves it, with figures like those of a first probe; and one that is hostile."""

import math
import random
from typing import Any

from tests.support.judged_reviews import review_record

VERSION = "shop-20260401T101500-3f2a"
EXACT = {  # exact match and loss by contender
    "base": (0.042, 1.571),
    "base+retrieval": (0.055, 1.498),
    "prompted": (0.078, 1.452),
    "control": (0.138, 1.004),
    "control+retrieval": (0.147, 0.991),
    "adapter": (0.193, 0.902),
    "adapter+retrieval": (0.201, 0.887),
}
PROMPTS = {"base": 412, "base+retrieval": 1043, "prompted": 1988, "control": 412, "adapter": 412}


def figures(exact: float, loss: float, prompt: float, *, n: int = 312) -> dict[str, Any]:
    """One contender's figures."""
    half = 1.96 * math.sqrt(exact * (1 - exact) / n)
    found: dict[str, Any] = {
        "exact_match": exact,
        "exact_match_raw": exact * 0.8,
        "edit_similarity": 0.31 + exact,
        "identifier_f1": 0.36 + exact,
        "first_line_match": exact + 0.05,
        "loss": loss,
        "stop_rate": 0.61 + exact,
        "length_ratio": 1.9 - 2 * exact,
        "parse_share": 0.78 + exact,
        "invented_names": 0.21 - exact / 2,
        "retired_names": 0.006,
        "prompt_tokens": prompt,
        "latency_ms": 180 + prompt / 4,
    }
    around = {f"{name}_interval": [value * 0.93, value * 1.07] for name, value in found.items()}
    return found | around | {"exact_match_interval": [max(0, exact - half), exact + half], "n": n, "loss_n": n}


def less(candidate: str, opponent: str) -> dict[str, Any]:
    """One paired difference."""
    exact, loss = (left - right for left, right in zip(EXACT[candidate], EXACT[opponent], strict=True))
    return {
        "exact_match": exact,
        "exact_match_interval": [exact - 0.034, exact + 0.034],
        "mcnemar_p": 0.0004 if exact > 0.034 else 0.31,
        "loss": loss,
        "loss_interval": [loss - 0.05, loss + 0.05],
        "n": 312,
        "loss_n": 312,
    }


def metrics() -> dict[str, Any]:
    """As `acclimate evaluate` leaves them."""
    contenders = {
        name: figures(*EXACT[name], PROMPTS.get(name, 1043) * (1.0 if "+" not in name else 1.01)) for name in EXACT
    }
    opponents = [name for name in EXACT if not name.startswith("adapter")]
    pairs = {"adapter": opponents, "adapter+retrieval": opponents, "base+retrieval": ["base"]}
    small = {name: figures(*EXACT[name], 400, n=41) for name in ("base", "control", "adapter")}
    large = {name: figures(*EXACT[name], 400, n=271) for name in ("base", "control", "adapter")}
    return {
        "split": "test",
        "contenders": contenders,
        "differences": {name: {each: less(name, each) for each in others} for name, others in pairs.items()},
        "strata": {
            "language": {"python": large, "typescript": small},
            "place": {"rest_of_line": large, "block": small, "body": small},
            "age": {"old_file": large, "new_file": small},
            "needs": {"file": large, "repository": small},
        },
        "documentation": {
            "base": {"bleu": 8.1, "chrf": 21.4, "section_match": 0.42, "n": 37},
            "adapter": {"bleu": 14.9, "chrf": 30.2, "section_match": 0.78, "n": 37},
        },
        "general": {
            "contenders": {
                "base": {"infilling_exact_match": 0.69, "infilling_exact_match_interval": [0.6, 0.78], "n": 100},
                "adapter": {"infilling_exact_match": 0.68, "infilling_exact_match_interval": [0.59, 0.77], "n": 100},
            },
            "differences": {
                "adapter": {"infilling_exact_match": -0.01, "infilling_exact_match_interval": [-0.03, 0.01], "n": 100}
            },
            "notes": [],
        },
        "loss_by_reach": {
            "control": {
                "near": {"loss": 0.01, "loss_interval": [-0.03, 0.05], "loss_n": 101, "share": -0.01},
                "far": {"loss": -0.08, "loss_interval": [-0.12, -0.04], "loss_n": 120, "share": 0.17},
                "out of reach": {"loss": -0.19, "loss_interval": [-0.25, -0.13], "loss_n": 91, "share": 0.84},
            }
        },
        "review": review_record()["review"],
        "power_points": 3.4,
        "not_measured": ["loss through vLLM"],
        "notes": ["The repository is young: 41 of 312 places lie in files made after the split."],
    }


def record(version: str = VERSION, **changes: Any) -> dict[str, Any]:
    """The record of a promoted version."""
    return {
        "version": version,
        "created": "2026-04-01T10:15:00+00:00",
        "repository": "shop",
        "base": {
            "name": "qwen2.5-coder-0.5b",
            "identity": "9f2c51d0a3b7@2+original",
            "source_sha256": "9f2c51d0a3b7c8e1",
            "variant": "base",
            "precision": "bfloat16",
        },
        "dataset": {"hash": "15ec6b81223e7d68", "commit": "dcaa4296d111981ffb31ac3eba90bb63e1eb5ab9"},
        "minutes": 25,
        "seed": 0,
        "device": "cpu",
        "hardware": {"processor": "2 cores with AVX-512 BF16", "memory": "24 GB"},
        "steps": 400,
        "resumed_at": 0,
        "seconds": 1482.3,
        "tokens": 531_204,
        "tokens_per_second": 358.4,
        "recipe": {"rank": 16, "alpha": 32, "learning_rate": 4e-4, "layers": "upper_half", "batch": 4},
        "recipe_fingerprint": "0a1b2c3d4e5f6071",
        "prompt_budget": {"prefix": 256, "suffix": 128, "context": 640},
        "libraries": {"torch": "2.9.0", "transformers": "4.57.1", "peft": "0.18.0"},
        "curve": curve(),
        "metrics": metrics(),
        "verdict": verdict(),
        "calibration": review_record()["calibration"],
        "review_verdict": review_record()["review_verdict"],
    } | changes


def verdict() -> dict[str, Any]:
    """What the gate said."""
    return {
        "state": "promoted",
        "reason": "Exact match of adapter+retrieval is 5.4 points above that of control+retrieval, the best without "
        "training here (95% interval +2.0 to +8.8, n 312).",
        "candidate": "adapter+retrieval",
        "checks": [
            {"name": "gain", "passed": True, "said": "+5.4 points, at least 1.5 are asked."},
            {"name": "strata", "passed": False, "said": "typescript got worse."},
            {"name": "engine_agrees", "passed": None, "said": "The loss through vLLM was not measured."},
        ],
    }


def curve(steps: int = 400) -> list[dict[str, Any]]:
    """A noisy descent with a validation every fifty steps."""
    rng = random.Random(7)
    points: list[dict[str, Any]] = []
    for step in range(1, steps + 1):
        loss = 0.95 + 0.8 * math.exp(-step / 70)
        points.append({"step": step, "loss": round(loss + rng.gauss(0, 0.13), 4)})
        if step % 50 == 0:
            points[-1]["validation_loss"] = round(loss + 0.06, 4)
    return points


def manifest() -> dict[str, Any]:
    """Of the data set."""
    return {
        "schema": 1,
        "hash": "15ec6b81223e7d68",
        "commit": "dcaa4296d111981ffb31ac3eba90bb63e1eb5ab9",
        "split_commit": "e198f6e859220afd35bc2fb2fd5d404d7c0882ca",
        "split": "time+file",
        "counts": {
            "kind": {
                "completion": {"train": 2855, "validation": 92, "test": 312},
                "documentation": {"train": 240, "validation": 13, "test": 37},
                "review": {"train": 461, "validation": 25, "test": 68},
            },
            "language": {"python": {"train": 2556, "validation": 90, "test": 283}},
        },
        "places": {"rest_of_line": {"train": 1313, "validation": 42, "test": 178}},
        "with_context": 1771,
        "strata": {"held_out_file": 5, "new_file": 41, "old_file": 266},
        "dropped": {"near_duplicate": 245, "secret": 4, "stands_in_training": 8, "trivial": 1200},
        "files": {"generated": 3, "mined": 194},
        "secrets": ["tests/test_auth.py:34", "tests/test_auth.py:81"],
    }


def examples(won: int = 14, lost: int = 4) -> list[dict[str, Any]]:
    """Held-out places with answers, in the order of asking."""
    kinds = ["won"] * won + ["lost"] * lost + ["both"] * 6 + ["neither"] * 9
    random.Random(1).shuffle(kinds)
    return [example(number, kind) for number, kind in enumerate(kinds)]


def example(number: int, kind: str) -> dict[str, Any]:
    """One place; `kind` says who is right."""
    right, wrong = f"basket.total_{number}(currency)", "sum(item.price for item in items)"
    return {
        "path": f"shop/checkout/step_{number}.py",
        "language": "python",
        "place": "rest_of_line",
        "prefix": f"def pay(basket, currency):\n    # step {number}\n    total = ",
        "middle": right,
        "suffix": "\n    return charge(total)\n",
        "answers": {
            "base": wrong + "\n\ndef test_pay():",
            "control+retrieval": right if kind in ("lost", "both") else wrong,
            "adapter+retrieval": right + " " if kind in ("won", "both") else wrong,
        },
    }
