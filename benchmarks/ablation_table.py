"""What an ablation found, as figures and as a table in Markdown."""

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.held_out import PairLoss, accuracy, accuracy_difference, difference, exact, loss

DEFAULT = "default"

_HEAD = (
    "variant",
    "steps",
    "tokens",
    "labelled",
    "seconds",
    "loss",
    "less default",
    "without end",
    "with retrieval",
    "less default",
    "in its own prompt",
    "right tokens",
    "less default",
    "exact",
    "exact with retrieval",
)


def figures(records: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Of each variant what it took, its losses, and their differences to the default's, with intervals."""
    default = _losses(records[DEFAULT]) if DEFAULT in records else {}
    found = {}
    for name, record in records.items():
        row = {key: record[key] for key in ("steps", "tokens", "labelled_tokens", "seconds")}
        for form, losses in _losses(record).items():
            row |= _of_form(form.replace(" ", "_"), losses, default.get(form) if name != DEFAULT else None)
        found[name] = row
    return found


def _losses(record: Mapping[str, Any]) -> dict[str, list[PairLoss]]:
    return {form: [PairLoss.from_json(each) for each in record["losses"].get(form, ())] for form in record["losses"]}


def _of_form(form: str, losses: Sequence[PairLoss], default: Sequence[PairLoss] | None) -> dict[str, Any]:
    row: dict[str, Any] = {
        f"loss_{form}": loss(losses),
        f"loss_{form}_without_end": loss(losses, with_end=False),
        f"right_{form}": accuracy(losses),
        f"exact_{form}": exact(losses),
    }
    if default is not None:
        for suffix, with_end in (("", True), ("_without_end", False)):
            estimated = difference(losses, default, with_end=with_end)
            row[f"difference_{form}{suffix}"] = estimated.mean
            row[f"difference_{form}{suffix}_interval"] = [estimated.low, estimated.high]
        right = accuracy_difference(losses, default)
        row |= {f"right_difference_{form}": right.mean, f"right_difference_{form}_interval": [right.low, right.high]}
    return row


def markdown(setting: Mapping[str, Any], records: Mapping[str, Mapping[str, Any]], clock: str) -> str:
    """The table with what it was measured on."""
    rows = [" | ".join(_HEAD), " | ".join("---" for _ in _HEAD)]
    rows += [" | ".join(_cells(name, row)) for name, row in figures(records).items()]
    head = [
        f"# Ablation on {setting['repository']}",
        "",
        "One field of the recipe changed at a time, every training given "
        f"{setting['seconds']:g} seconds ({clock}); `make bench-ablation REPOS=path`.",
        f"Commit {setting['commit']}, model {setting['model']}, device {setting['device']}, "
        f"{setting['held_out_pairs']} held-out pairs.",
        "Losses are nats a token of the middle and its end; differences are paired, with 95% intervals by file.",
        "Right is a token that the model would have chosen itself; an answer is exact if all of its tokens are.",
        "`seed 1` is the default once more: what it differs by is chance.",
        "What is chosen by this table must not be reported on the same repository.",
        "",
    ]
    return "\n".join([*head, *(f"| {row} |" for row in rows), ""])


def _cells(name: str, row: Mapping[str, Any]) -> list[str]:
    return [
        name,
        f"{row['steps']}",
        f"{row['tokens']:,}",
        f"{row['labelled_tokens']:,}",
        f"{row['seconds']:.0f}",
        f"{row['loss_plain']:.3f}",
        _difference(row, "plain"),
        f"{row['loss_plain_without_end']:.3f}",
        f"{row['loss_retrieval']:.3f}",
        _difference(row, "retrieval"),
        f"{row['loss_own_prompt']:.3f}" if "loss_own_prompt" in row else "",
        f"{row['right_plain']:.3f}",
        _difference(row, "plain", kind="right_difference"),
        f"{row['exact_plain']:.3f}",
        f"{row['exact_retrieval']:.3f}",
    ]


def _difference(row: Mapping[str, Any], form: str, *, kind: str = "difference") -> str:
    if f"{kind}_{form}" not in row:
        return ""
    low, high = row[f"{kind}_{form}_interval"]
    return f"{row[f'{kind}_{form}']:+.3f} ({low:+.3f} to {high:+.3f})"
