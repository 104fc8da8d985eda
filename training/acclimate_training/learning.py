"""The training phase: from a data set to an adapter of this repository and the control that it is measured against.

Nothing is trained a second time: an unchanged training gives the adapter that there is, and controls are cached. The
adapter and its control both begin from the primer (`primer`), whose training takes a third of the minutes if there is
none yet; while a control of the right length is missing, half of what is left is its. Where an earlier adapter fits
(`parentage`), the training begins from it or afresh, whichever does better (`start`).
"""

import math
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from acclimate_indexer.errors import AdapterError, DiskFull, TooFewPairs
from acclimate_indexer.home import RepositoryHome
from acclimate_indexer.pairs import CompletionPair

from . import checkpoints
from .control import Control, Controls, General
from .control_training import control_beside, control_of_version
from .encoding import Example, encoded, schedule
from .lineage import Setting, lineage
from .mix import kinds_trained
from .primer import primed
from .recipe import MIN_PAIRS, ExampleKind
from .recipe_choice import data_words
from .registry import Adapter, AdapterRegistry
from .reporting import Run
from .start import Origin
from .task import Lesson
from .teaching import examples_of, taught

ROOM_BYTES = 500 * 10**6  # three checkpoints of an adapter on a 7B model, each with two moments a weight
PAIRS_PER_SECOND = {"cpu": 4, "cuda": 200}  # above what they train: what is never seen need not be encoded (2 ms each)


@dataclass(frozen=True, slots=True, kw_only=True)
class Learnt:
    """What the training phase gives.

    Attributes:
        is_new: The adapter was trained now.
        control: None if there is no general code on this machine.
    """

    adapter: Adapter
    is_new: bool
    control: Control | None


def learn(
    run: Run, setting: Setting, general: General, home: RepositoryHome, origin: Callable[[], Origin | None]
) -> Learnt:
    """The adapter of this setting and its control, trained as far as they are not there.

    Args:
        origin: Looks for an earlier adapter to begin from; asked only if something is trained.

    Raises:
        TooFewPairs: The repository gives too little to learn from.
        DiskFull: There is no room for checkpoints.
        TrainingError: The training diverged.
    """
    controls = Controls(folder=run.home.controls, setting=setting, general=general)
    controls.remove_damaged(run.note)
    registry = AdapterRegistry(home)
    adapter = _trained_before(run, setting, registry)
    is_new = adapter is None
    if adapter is None:
        _require_room(home.root)
        adapter = _trained_adapter(run, setting, general, controls, home, origin())
    else:
        checkpoints.remove_of(home, _fingerprint(setting, adapter.record.get("primer")))
    control = control_beside(run, setting, controls, adapter, home)
    if control is not None and adapter.record.get("control") != control.version:
        adapter = registry.update(adapter, {"control": control.version})
    return Learnt(adapter=adapter, is_new=is_new, control=control)


def published(run: Run, setting: Setting, lesson: Lesson, home: RepositoryHome, facts: Mapping[str, Any]) -> Adapter:
    """Trains a lesson of this repository, and makes what comes of it an adapter, with these facts in its record."""
    registry = AdapterRegistry(home)
    created = datetime.now(UTC)
    version = registry.new_version(setting.repository, created)
    registry.remove_partials()
    partial = registry.partial(version)
    trained = taught(run, setting, lesson, home, partial)
    recipe = setting.recipe
    ordered = schedule(
        lesson.examples, steps=trained.steps, batch=recipe.batch, micro_batch=recipe.micro_batch, seed=setting.seed
    )
    kinds = kinds_trained(ordered[: trained.stopped_at * recipe.batch])
    for sentence in data_words(kinds):
        run.note(sentence)
    record = lineage(setting, trained, version=version, created=created, begun_at=lesson.begin_at)
    record["trained_pairs"] = kinds
    adapter = registry.publish(partial, {**record, **facts})
    checkpoints.remove_all(home)
    return adapter


def _trained_before(run: Run, setting: Setting, registry: AdapterRegistry) -> Adapter | None:
    """The newest adapter of this setting whose weights are what was written."""
    for adapter in reversed(registry.versions()):
        if adapter.record.get("fingerprint") != setting.fingerprint:
            continue
        try:
            adapter.verify()
        except AdapterError as error:
            run.note(f"{error} This run does the latter.")
            continue
        return adapter
    return None


def _trained_adapter(
    run: Run, setting: Setting, general: General, controls: Controls, home: RepositoryHome, origin: Origin | None
) -> Adapter:
    examples = enough_examples(run, setting, general)
    start = primed(run, setting, controls, home)
    primer = start.primer
    lengths = replace(controls, after=primer).rungs()
    if origin is not None:  # which control is wanted is known only when the better start is
        lengths &= replace(controls, after=control_of_version(origin.version, run, home)).rungs()
    lesson = Lesson(
        phase="train",
        examples=examples,
        validation=_validation(setting),
        fingerprint=_fingerprint(setting, None if primer is None else primer.version),
        shared_unless=frozenset(lengths),
        minutes=start.minutes,
        origin=origin,
        begin_at=None if primer is None else primer.origin,
    )
    adapter = published(run, setting, lesson, home, {"forced": run.job.force})
    if (parent := adapter.record["parent"]) is not None:
        run.note(f"The training began from {parent}, which did better than to begin afresh.")
    return adapter


def _fingerprint(setting: Setting, primer: str | None) -> str:
    """Of the training, for checkpoints."""
    return setting.fingerprint if primer is None else f"{setting.fingerprint}-{primer}"


def enough_examples(run: Run, setting: Setting, general: General) -> list[Example]:
    fewest = math.ceil(MIN_PAIRS / (1 - setting.recipe.general_share))  # general code does not count
    at_most = setting.max_pairs or max(fewest, int(setting.minutes * 60 * PAIRS_PER_SECOND[setting.device]))
    dataset, share = setting.dataset, setting.recipe.general_share
    found: dict[ExampleKind, Iterable[CompletionPair]] = {
        "completion": dataset.pairs("train"),
        "documentation": dataset.pairs("train", "documentation"),
        "general": general.pairs("replay", int(share * at_most), run) if share else (),
    }
    examples = examples_of(setting, found, dataset.reviews("train"), at_most=at_most)
    own = sum(example.kind != "general" for example in examples)
    if not own or (own < MIN_PAIRS and not run.job.force):
        raise TooFewPairs(
            f"The repository gives {own} training pairs; a training needs at least {MIN_PAIRS}. "
            "Commit more code, widen `mining.*`, or override with `--force`.",
            pairs=own,
            needed=MIN_PAIRS,
        )
    return examples


def _validation(setting: Setting) -> list[Example]:
    """What a training is watched with, asked as the server asks."""
    pairs = setting.dataset.pairs("validation")
    return [encoded(pair, setting.builder, repository=setting.repository) for pair in pairs]


def _require_room(folder: Path) -> None:
    """Before minutes of work: the libraries that write checkpoints do not say clearly that a disk is full."""
    free = shutil.disk_usage(folder).free
    if free < ROOM_BYTES:
        raise DiskFull(
            f"A training needs {ROOM_BYTES // 10**6} MB for checkpoints, but where {str(folder)!r} is there are "
            f"{free // 10**6} MB. Free some space, then run it again."
        )
