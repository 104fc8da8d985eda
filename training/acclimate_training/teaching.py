"""A lesson within a run: its examples by the setting's recipe, and its training here or on several GPUs."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from acclimate_indexer.home import RepositoryHome
from acclimate_indexer.pairs import CompletionPair, ReviewPair

from . import checkpoints
from .encoding import Example
from .lineage import Setting
from .mix import lessons
from .recipe import ExampleKind
from .reporting import Run
from .task import Lesson, Task, loaded, performed
from .together import performed_together, processes_for

if TYPE_CHECKING:
    from .course import Trained


def examples_of(
    setting: Setting,
    pairs: Mapping[ExampleKind, Iterable[CompletionPair]],
    reviews: Iterable[ReviewPair],
    *,
    at_most: int,
) -> list[Example]:
    """Pairs of these kinds in the recipe's mix."""
    return lessons(pairs, reviews, setting.builder, setting.recipe, repository=setting.repository, at_most=at_most)


def taught(run: Run, setting: Setting, lesson: Lesson, home: RepositoryHome, target: Path) -> "Trained":
    """Trains a new adapter and writes it into the target as a peft folder."""
    processes = processes_for(run.share, setting.recipe)
    if processes > 1:  # they share the pairs in another order than one alone
        lesson = replace(lesson, fingerprint=f"{lesson.fingerprint}-{processes}")
    task = Task(
        lesson=lesson,
        model=setting.model,
        recipe=setting.recipe,
        device=setting.device,
        seed=setting.seed,
        threads=run.job.threads,
        minutes=setting.minutes if lesson.minutes is None else lesson.minutes,
        pad_id=setting.builder.end_of_text_id,
        checkpoints=run.folder / "checkpoints",
        target=target,
        share=run.share,
    )
    checkpoints.adopt(task.checkpoints, home, lesson.fingerprint)
    with run.room_for_a_model():
        trained = _performed(run, task, processes)
    for sentence in trained.notes:
        run.note(sentence)
    return trained


def _performed(run: Run, task: Task, processes: int) -> "Trained":
    phase = task.lesson.phase
    if processes > 1:
        with run.phase(phase):
            return performed_together(
                task, processes, run.folder / "together", lambda step: run.report_step(phase, step)
            )
    with run.phase("load"):
        model = loaded(task)
    with run.phase(phase):
        return performed(task, model, lambda step: run.report_step(phase, step))
