"""A repository that is completed in: a copy of it, what people typed there, and the adapter that it has."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from benchmarks.places import SourceFile, source_files
from benchmarks.typing_trace import TypedHunk, spread_over_files, typed_hunks
from benchmarks.workspace import RANDOM, Workspace, adapter_of, bring, bring_random

from acclimate_indexer.home import Home
from acclimate_indexer.models import LocalModel
from acclimate_indexer.repository import Repository


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Where completion is measured.

    Attributes:
        hunks: None that the adapter can have learnt from.
        adapter: The version that completes in the copy, where the repository has one for this model.
    """

    workspace: Workspace
    hunks: list[TypedHunk]
    files: list[SourceFile]
    adapter: str | None

    @classmethod
    def of(cls, path: Path, home: Home, model: LocalModel) -> Self:
        """Copies the repository around `path`, and its adapter into `home`."""
        origin = Repository.open(path)
        workspace = Workspace.copied(origin, home.data / "workspaces")
        adapter = adapter_of(origin, model)
        since = None
        if adapter is not None:
            bring(adapter, workspace.adapters(home))
            since = str(adapter.record["dataset"]["split_commit"])
        return cls(
            workspace=workspace,
            hunks=spread_over_files(typed_hunks(origin, since=since), seed=0),
            files=source_files(origin),
            adapter=None if adapter is None else adapter.version,
        )

    def random_adapter(self, home: Home, model: LocalModel) -> str:
        """An adapter that no training made: it takes as long as any other."""
        bring_random(model, self.workspace.origin.name, self.workspace.adapters(home), home.data / RANDOM)
        return RANDOM
