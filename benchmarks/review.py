"""How often a review on save is right: history replayed, conventions followed, faults planted, comments a day counted.

The models are asked in a real engine, for `ACCLIMATE_BENCH_MINUTES` a repository; what they said is kept under
`build/`, and a run goes on where the last one stopped. A repository's adapter is asked about commits after the split of
its data alone; one without an adapter is asked about by the prompted base.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from benchmarks import review_conventions
from benchmarks.asked_reviews import Models, builder_of, stores_of
from benchmarks.convention_replay import Replay
from benchmarks.held_out_history import HeldOutHistory
from benchmarks.material import number_from
from benchmarks.review_replay import Free, budget_figures, unseen_figures, whole_figures
from benchmarks.seeded_review import seeded_figures, seeded_questions
from benchmarks.served import served
from benchmarks.workspace import adapter_of
from tests.support.engine import MODEL, MODEL_FOLDER, home_with_model

from acclimate_indexer.dataset import Dataset, latest_dataset
from acclimate_indexer.errors import DatasetError, ModelError, RuntimeMissing, UsageError
from acclimate_indexer.home import Home, RepositoryHome
from acclimate_indexer.models import LocalModel, local_model
from acclimate_indexer.repository import Repository
from acclimate_server.engine.options import EngineOptions
from acclimate_server.runtime.find import find_runtime
from acclimate_training.adapter import Adapter
from acclimate_training.engine import EngineClient
from acclimate_training.reviewing.prompts import ReviewPrompts
from acclimate_training.reviewing.verdict import review_verdict_of

PARTS = ("replay", "conventions", "seeded", "budget")
ON_A_MODEL = frozenset({"replay", "seeded"})
KEPT = Path("build") / "review"
COMMITS = 210  # the window without a model: what the issue of reviews asks for, and a few that change no code
MINUTES = "ACCLIMATE_BENCH_MINUTES"  # of asking, a repository and part
DEFAULT_MINUTES = 4  # two hundred pieces of code on two cores
NO_SPLIT = "no data set that is split by time: `acclimate adapt` makes one"


def main(repositories: Sequence[Path], *, parts: Sequence[str] = ()) -> dict[str, Any]:
    """The figures of some parts, or of all.

    Raises:
        UsageError: No part has such a name.
    """
    if unknown := set(parts) - set(PARTS):
        raise UsageError(f"No part is called {sorted(unknown)[0]!r}. There are {', '.join(PARTS)}.")
    if not repositories:
        return {"skipped": "a history is needed: name repositories with REPOS='path path'"}
    wanted = frozenset(parts or PARTS)
    subjects = [Subject.of(path) for path in repositories]
    figures: dict[str, Any] = {}
    if "replay" in wanted:
        figures["replay"] = {each.name: {"whole": whole_figures(each.free)} for each in subjects}
    if "budget" in wanted:
        figures["budget"] = {each.name: budget_figures(each.free) for each in subjects}
    if "conventions" in wanted:
        figures["conventions"] = review_conventions.main(repositories)
    if wanted & ON_A_MODEL:
        try:
            asyncio.run(_on_a_model(subjects, wanted, figures))
        except (RuntimeMissing, ModelError) as error:
            figures["models"] = {"skipped": str(error)}
    return figures


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A repository, and what there is of it.

    Attributes:
        home: Of the user, where its adapters and data sets are.
    """

    repository: Repository
    home: RepositoryHome

    @classmethod
    def of(cls, path: Path) -> "Subject":
        repository = Repository.open(path)
        return cls(repository=repository, home=Home.default().for_repository(repository.common_directory))

    @property
    def name(self) -> str:
        return self.repository.name

    @cached_property
    def replay(self) -> Replay:
        home = Home.default({"ACCLIMATE_HOME": str((KEPT / "home").resolve())}).create()
        return Replay(self.repository, home.for_repository(self.repository.common_directory), commits=COMMITS)

    @cached_property
    def free(self) -> Free:
        """The newest commits, as many as there are if they are fewer."""
        at = max(0, len(self.replay.line) - 1 - COMMITS)
        return Free(history=HeldOutHistory.after(self.replay, self.replay.line[at].sha))

    def dataset(self, adapter: Adapter | None) -> Dataset | None:
        """What the adapter learnt from; else the newest."""
        try:
            if adapter is not None:
                return Dataset.open(self.home.datasets / str(adapter.record["dataset"]["hash"]))
            return latest_dataset(self.home)
        except DatasetError:
            return None


async def _on_a_model(subjects: Sequence[Subject], wanted: frozenset[str], figures: dict[str, Any]) -> None:
    """Adds what the models say.

    Raises:
        RuntimeMissing, ModelError: There is no engine, or nothing to serve.
        EngineError: It cannot be asked.
    """
    async with _engine() as (client, model):
        figures["model"] = model.identity
        for subject in subjects:
            adapter = adapter_of(subject.repository, model)
            dataset = subject.dataset(adapter)
            split = dataset.manifest.get("split_commit") if dataset is not None else None
            if dataset is None or not split:
                figures.setdefault("replay", {}).setdefault(subject.name, {})["unseen"] = {"skipped": NO_SPLIT}
                continue
            models = await _models(subject, client, model, adapter, dataset)
            free = Free(history=HeldOutHistory.after(subject.replay, str(split)))
            seconds = 60.0 * number_from(MINUTES, DEFAULT_MINUTES)
            if "replay" in wanted:
                verdict = review_verdict_of({} if adapter is None else adapter.record)
                figures["replay"][subject.name]["unseen"] = await unseen_figures(free, models, verdict, seconds=seconds)
            if "seeded" in wanted:
                questions = seeded_questions(free.history, models)
                shown = [each.question for each in questions if not each.is_withheld]
                await models.ask(shown, seconds=seconds, with_comments=False)
                figures.setdefault("seeded", {})[subject.name] = seeded_figures(questions, models, free.history.linted)


@asynccontextmanager
async def _engine() -> AsyncIterator[tuple[EngineClient, LocalModel]]:
    """A real engine with the real model."""
    runtime = find_runtime(Home.default())
    named = os.environ.get(MODEL_FOLDER)
    found = LocalModel.from_manifest(Path(named)) if named else local_model(Home.default(), MODEL)
    options = EngineOptions(runtime_python=runtime.python, device=runtime.device)
    with tempfile.TemporaryDirectory() as folder:
        home = home_with_model(Path(folder) / "real", found.folder)
        model = local_model(home, MODEL)
        async with served(home, options, model) as engine:
            yield engine.client, model


async def _models(
    subject: Subject, client: EngineClient, model: LocalModel, adapter: Adapter | None, dataset: Dataset
) -> Models:
    """Base and adapter, each with all that it is to be told, and nothing of what came after the split."""
    builder = builder_of(model, adapter)
    name = subject.name if adapter is None else adapter.repository
    base = ReviewPrompts.of_base(
        builder, repository=name, trained_on=dataset.reviews("train"), conventions=dataset.conventions()
    )
    models = Models(
        client=client,
        builder=builder,
        prompts={"base": base},
        names={"base": model.name},
        stores=stores_of(KEPT / subject.name, model, adapter),
    )
    if adapter is None:
        return models
    await client.load_adapter(adapter.version, adapter.folder)
    return models.with_adapter(adapter.version, ReviewPrompts.of_adapter(builder, repository=name))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("repositories", nargs="+", type=Path)
    parser.add_argument("--parts", type=lambda text: text.split(","), default=(), help=f"of {', '.join(PARTS)}")
    arguments = parser.parse_args(sys.argv[1:])
    print(json.dumps(main(arguments.repositories, parts=arguments.parts), indent=1))
