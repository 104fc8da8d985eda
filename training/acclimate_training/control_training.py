"""Trains the control of an adapter, as far as it is not there (`control` says what it is)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from acclimate_indexer.errors import AdapterError
from acclimate_indexer.home import RepositoryHome
from acclimate_indexer.pairs import CompletionKind, CompletionPair

from . import checkpoints
from .control import Control, Controls
from .encoding import Example
from .lineage import Setting
from .parentage import total_steps
from .recipe import ExampleKind, rungs
from .registry import Adapter, AdapterRegistry
from .reporting import Run
from .task import Lesson
from .teaching import examples_of, taught


def control_of(adapter: Adapter, run: Run) -> Control | None:
    """The control that an adapter was trained beside, if it is still there and whole."""
    version = adapter.record.get("control")
    return None if version is None else Control.named(version, run.home.controls, run.note)


def primer_of(adapter: Adapter, run: Run) -> Control | None:
    """The primer that an adapter began from, if it did and that is still there and whole."""
    version = adapter.record.get("primer")
    return None if version is None else Control.named(version, run.home.controls, run.note)


def control_of_version(version: str, run: Run, home: RepositoryHome) -> Control | None:
    """The control of an adapter by its version; None also where that adapter is gone."""
    try:
        return control_of(AdapterRegistry(home).get(version), run)
    except AdapterError:
        return None


def control_beside(
    run: Run, setting: Setting, controls: Controls, adapter: Adapter, home: RepositoryHome
) -> Control | None:
    """The control that has had as many steps as the adapter and what it began from (`control` says how).

    Where what it would go on from is gone, one of the next rung is trained from nothing: that may take longer, but does
    not flatter.
    """
    steps, total, record = int(adapter.record["steps"]), total_steps(adapter), adapter.record
    if (parent := record.get("parent")) is not None:
        controls = replace(controls, after=control_of_version(str(parent), run, home))
    else:
        controls = replace(controls, after=primer_of(adapter, run))
    if controls.after is None and steps < total:
        steps = total = next(rung for rung in rungs() if rung >= total)
    pairs = controls.pairs(total, run)
    if not pairs:
        run.note("There is no general code on this machine, so no control was trained: the adapter cannot be judged.")
        return None
    if found := controls.found(steps, pairs):
        checkpoints.remove_of(home, controls.fingerprint(steps, pairs))
        return found
    run.note(f"A control of {total} steps was trained on general code; it is kept for later runs.")
    examples = general_examples(run, setting, pairs)
    lesson = Lesson(
        phase="control",
        examples=controls.fresh(examples, steps),
        validation=(),
        fingerprint=controls.fingerprint(steps, pairs),
        steps=steps,
        begin_at=None if controls.after is None else controls.after.origin,
    )
    return train_control(run, setting, controls, lesson, pairs, home, {}) if examples else None


def general_examples(run: Run, setting: Setting, pairs: Sequence[CompletionPair]) -> list[Example]:
    """What a control learns of these pairs."""
    by_kind: dict[ExampleKind, Iterable[CompletionPair]] = {
        "completion": _of_kind(pairs, "completion"),
        "documentation": _of_kind(pairs, "documentation"),
    }
    examples = examples_of(setting, by_kind, (), at_most=len(pairs))
    if not examples:
        run.note("The general code on this machine gives no pair that is short enough: nothing was trained on it.")
    return examples


def train_control(
    run: Run,
    setting: Setting,
    controls: Controls,
    lesson: Lesson,
    pairs: Sequence[CompletionPair],
    home: RepositoryHome,
    facts: Mapping[str, Any],
) -> Control:
    """Trains a lesson of general code and keeps what comes of it, with these facts in its manifest."""
    controls.remove_partials()
    partial = controls.partial()
    trained = taught(run, setting, lesson, home, partial)
    record = {"tokens": trained.tokens, "seconds": round(trained.seconds, 1), "languages": controls.general.languages}
    control = controls.publish(partial, trained.steps, pairs, {**record, **facts})
    checkpoints.remove_all(home)
    return control


def _of_kind(pairs: Iterable[CompletionPair], kind: CompletionKind) -> list[CompletionPair]:
    return [pair for pair in pairs if pair.kind == kind]
