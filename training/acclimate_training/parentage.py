"""Which earlier adapter a training may begin from.

It must be of the same shape, for the same base and the same prompts, and must not have learnt what is now asked: its
data end at or before the split of the new ones, on the same main line, and none of its files is held out by now. What
cannot be shown, since a data set is no longer here, counts as no. One thing is not looked for: a line that was deleted
before the new split and written again after it.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass

from acclimate_indexer.dataset import Dataset
from acclimate_indexer.errors import AdapterError, DatasetError
from acclimate_indexer.home import RepositoryHome
from acclimate_indexer.mining.split import commits_since
from acclimate_indexer.pairs import CompletionKind
from acclimate_indexer.repository import Repository

from .evaluation.unfinished import REFIT_OF
from .lineage import Setting
from .registry import Adapter, AdapterRegistry
from .start import Origin

logger = logging.getLogger(__name__)

SHAPE = ("method", "rank", "alpha", "targets", "layers")  # of a recipe: with another, the weights mean something else
KINDS: tuple[CompletionKind, ...] = ("completion", "documentation")


@dataclass(frozen=True, slots=True, kw_only=True)
class Parentage:
    """The adapters of a repository, seen from a training that is about to begin."""

    setting: Setting
    home: RepositoryHome
    repository: Repository

    def origin(self) -> Origin | None:
        """The adapter in use, else the newest that may be used, if it fits; None begins afresh."""
        for adapter in self._candidates():
            if why := self._why_not(adapter):
                logger.info("not begun from %s: %s", adapter.version, why)
                continue
            return origin_of(adapter)
        return None

    def _candidates(self) -> Iterator[Adapter]:
        """In the order in which they are wanted, none that was rejected or withdrawn."""
        registry = AdapterRegistry(self.home)
        live, versions = registry.live(), registry.versions()
        first = [] if live is None else [live.version, live.record.get(REFIT_OF)]
        yield from (each for name in first for each in versions if each.version == name and each.may_be_used)
        yield from (each for each in reversed(versions) if each.version not in first and each.may_be_used)

    def _why_not(self, adapter: Adapter) -> str:
        """Empty if it fits."""
        setting, record = self.setting, adapter.record
        recipe, known = setting.recipe.to_json(), record.get("recipe") or {}
        if record.get(REFIT_OF):
            return "it learnt everything up to its commit"
        if adapter.base_identity != setting.model.identity:
            return "it is for another base model"
        if any(name not in known or known[name] != recipe[name] for name in SHAPE):
            return "it is of another shape"
        if adapter.prompt_budget != setting.recipe.budget or adapter.repository != setting.repository:
            return "it was asked in another way"
        try:
            adapter.verify()
            return self._why_leaks(adapter)
        except (AdapterError, DatasetError) as error:
            return str(error)

    def _why_leaks(self, adapter: Adapter) -> str:
        """Raises DatasetError if what it learnt is not known any more."""
        split = str(self.setting.dataset.manifest["split_commit"])
        held_out = held_out_paths(self.setting.dataset)
        for name in learnt_from(adapter):
            learnt = Dataset.open(self.home.datasets / name)
            if commits_since(self.repository, split, str(learnt.manifest["split_commit"])) is None:
                return "it learnt code that is not of this history, or is newer than what is learnt now"
            if any(path in held_out for path in learnt_paths(learnt)):
                return "it learnt from files that are held out now"
        return "" if learnt_from(adapter) else "what it learnt from is not known"


def origin_of(adapter: Adapter) -> Origin:
    """The adapter as what a training begins from."""
    return Origin(
        version=adapter.version,
        weights=adapter.folder,
        total_steps=total_steps(adapter),
        learnt_from=learnt_from(adapter),
    )


def total_steps(adapter: Adapter) -> int:
    """That it was trained, those of its parents or its primer included."""
    return int(adapter.record.get("total_steps") or adapter.record["steps"])


def learnt_from(adapter: Adapter) -> tuple[str, ...]:
    """Hashes of the data sets that it and its parents learnt from, oldest first."""
    own = (adapter.record.get("dataset") or {}).get("hash")
    return tuple(map(str, adapter.record.get("learnt_from") or ([own] if own else [])))


def held_out_paths(dataset: Dataset) -> frozenset[str]:
    """The files that are held out whole and asked about."""
    validating = {pair.path for kind in KINDS for pair in dataset.pairs("validation", kind)}
    validating.update(pair.path for pair in dataset.reviews("validation"))
    tested = (pair for kind in KINDS for pair in dataset.pairs("test", kind))
    return frozenset(validating | {pair.path for pair in tested if pair.age == "held_out_file"})


def learnt_paths(dataset: Dataset) -> Iterator[str]:
    """The files of the training part; repeated as often as there are pairs."""
    yield from (pair.path for kind in KINDS for pair in dataset.pairs("train", kind))
    yield from (pair.path for pair in dataset.reviews("train"))
