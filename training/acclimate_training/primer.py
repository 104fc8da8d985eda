"""The primer: an adapter that knows how a hole is filled and where to stop, and nothing of this repository.

Most of what a short training learns is just that: on openai-agents-python 97% of what 200 pairs took off the loss was
format, since a control on other code did as well. It is the same for every repository, so it is learnt once for a base
and a recipe, from code that is not the repository's, and kept; every training of a repository begins from it, and all
of its steps can teach the repository. It is the first part of the control, too, so that both have had as many steps.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from acclimate_indexer.home import RepositoryHome
from acclimate_indexer.pairs import CompletionPair

from . import checkpoints
from .control import Control, Controls
from .control_training import general_examples, train_control
from .lineage import Setting
from .recipe import steps_for
from .reporting import Run
from .task import Lesson

PRIMER_STEPS = 50  # at most: the format is learnt by then, and each of a repository's own steps teaches more
PRIMER_SHARE = 1 / 3  # of the minutes, if there is none: the adapter and its control have the rest
# Of its manifest: the training in whose minutes it was trained, and the steps that time alone kept it from.
MADE_FOR, MOST_STEPS = "made_for", "most_steps"


@dataclass(frozen=True, slots=True, kw_only=True)
class Primed:
    """What a training begins from, and the minutes that are left to it."""

    primer: Control | None
    minutes: float


def primed(run: Run, setting: Setting, controls: Controls, home: RepositoryHome) -> Primed:
    """The primer of this setting: the longest that there is, or a new one if these minutes allow a longer one.

    A resumed training finds the one that was made for it, and has as many minutes left as it had.

    Raises:
        TrainingError: The training diverged.
        DiskFull: There is no room for checkpoints.
    """
    pairs = controls.pairs(PRIMER_STEPS, run)
    if not pairs:
        return Primed(primer=None, minutes=setting.minutes)
    known = [found for steps in sorted(controls.rungs()) if (found := controls.found(steps, pairs)) is not None]
    own = next((each for each in known if each.record.get(MADE_FOR) == setting.fingerprint), None)
    if own is None and known and _is_long_enough(known[-1], setting):
        return Primed(primer=known[-1], minutes=setting.minutes)
    if own is not None:
        checkpoints.remove_of(home, _fingerprint(setting))  # a kill may have come before they were
    primer = own or _trained(run, setting, controls, pairs, home)
    spent = 0.0 if primer is None else float(primer.record["seconds"]) / 60
    return Primed(primer=primer, minutes=max(setting.minutes - spent, 0.0))


def _fingerprint(setting: Setting) -> str:
    """Of its training, for checkpoints."""
    return f"primer-{setting.fingerprint}"


def _is_long_enough(primer: Control, setting: Setting) -> bool:
    record: dict[str, Any] = primer.record
    steps, seconds = int(record["steps"]), float(record["seconds"])
    most = int(record.get(MOST_STEPS, PRIMER_STEPS))
    return steps >= most or steps_for(setting.minutes * PRIMER_SHARE, seconds / steps, max_steps=most) <= steps


def _trained(
    run: Run, setting: Setting, controls: Controls, pairs: Sequence[CompletionPair], home: RepositoryHome
) -> Control | None:
    """As many steps as its minutes allow, and no pair twice."""
    examples = general_examples(run, setting, pairs)[: PRIMER_STEPS * setting.recipe.batch]
    if not examples:
        return None
    run.note("A primer was trained on general code: how a hole is filled. It is kept for all repositories.")
    lesson = Lesson(
        phase="primer",
        examples=examples,
        validation=(),
        fingerprint=_fingerprint(setting),
        minutes=setting.minutes * PRIMER_SHARE,
    )
    once_each = replace(setting, recipe=replace(setting.recipe, max_epochs=1.0))
    most = steps_for(math.inf, 1.0, max_steps=len(examples) // setting.recipe.batch)
    facts = {MADE_FOR: setting.fingerprint, MOST_STEPS: most}
    return train_control(run, once_each, controls, lesson, pairs, home, facts)
