"""One adapter: a plain peft folder, its lineage, and what is known of it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from acclimate_indexer.errors import AdapterError
from acclimate_indexer.prompts import PromptBudget

from .adapter_files import LINEAGE, changed_file, refuse_pickles
from .evaluation.calibration import Calibration, calibrations_of
from .evaluation.contenders import BASE, BASE_RETRIEVAL
from .reviewing.verdict import NOT_MEASURED as REVIEWS_NOT_MEASURED

NOT_MEASURED: dict[str, Any] = {
    "state": "rejected",
    "reason": "Not measured on held-out code yet: `acclimate evaluate` does.",
    "candidate": None,
    "checks": [],
}
# What is known of an adapter before anything was said about it.
DEFAULTS: dict[str, Any] = {
    "verdict": NOT_MEASURED,
    "forced": False,
    "withdrawn": False,
    "withdrawn_reason": "",
    "tag": None,
    "review_verdict": REVIEWS_NOT_MEASURED,
}
CHANGING = (*DEFAULTS, "metrics", "calibration")  # of a record; the rest is lineage, which never changes


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapter:
    """A whole adapter. Its record holds the lineage and what is known of it in one."""

    version: str
    folder: Path
    record: dict[str, Any]

    @property
    def base_name(self) -> str:
        return str(self.record["base"]["name"])

    @property
    def base_identity(self) -> str:
        """The weights it was trained against; it fits no others."""
        return str(self.record["base"]["identity"])

    @property
    def state(self) -> str:
        """`promoted`, `trial` or `rejected`."""
        return str(self.record["verdict"]["state"])

    @property
    def reason(self) -> str:
        """Why it is in this state, or was withdrawn."""
        said = str(self.record["verdict"].get("reason", ""))
        return f"Withdrawn: {self.record['withdrawn_reason']}" if self.is_withdrawn else said

    @property
    def is_withdrawn(self) -> bool:
        """It was in use and did not do well: it comes back by hand only."""
        return bool(self.record["withdrawn"])

    @property
    def may_be_used(self) -> bool:
        """Neither rejected nor withdrawn."""
        return self.state != "rejected" and not self.is_withdrawn

    @property
    def tag(self) -> str | None:
        """A short name for people."""
        tag = self.record["tag"]
        return None if tag is None else str(tag)

    @property
    def uses_retrieval(self) -> bool:
        """Whether it is asked best with code of the repository in the prompt, by its evaluation."""
        return bool(self.record["verdict"].get("candidate") == "adapter+retrieval")

    @property
    def prompt_budget(self) -> PromptBudget:
        """What it was trained with, and therefore is to be served with."""
        return PromptBudget(**self.record["prompt_budget"])

    @property
    def repository(self) -> str:
        """The name in the prompt's header."""
        return str(self.record["repository"])

    @property
    def calibration(self) -> dict[str, Calibration]:
        """By contender, its own and its base's, how far a confidence can be trusted; empty where none was measured."""
        return calibrations_of(self.record)

    @property
    def files(self) -> dict[str, str]:
        """SHA-256 by name; empty for an adapter that an earlier version of acclimate made."""
        return dict(self.record.get("files", {}))

    def checked(self) -> "Adapter":
        """Itself, if all that others ask of it is there.

        Raises:
            KeyError, TypeError, ValueError: It is not.
        """
        _ = (self.base_name, self.base_identity, self.reason, self.prompt_budget, self.repository, self.files)
        if not isinstance(self.record["verdict"]["state"], str):
            raise TypeError("the verdict has no state")
        return self

    def verify(self) -> None:
        """Compares every file with its checksum; to be asked whenever the weights are about to be loaded.

        Raises:
            AdapterError: A file is damaged, missing, or of a kind that is never loaded.
        """
        refuse_pickles(self.folder)
        expected = self.files
        if lineage := self.record.get("lineage_sha256"):
            expected[LINEAGE] = lineage
        if (name := changed_file(self.folder, expected)) is not None:
            raise AdapterError(
                f"The adapter {self.version!r} is corrupt: {name!r} is not what was written. "
                f"Delete it (`acclimate adapters delete {self.version}`) and train again."
            )


def known_of(lineage: Mapping[str, Any], facts: Mapping[str, Any]) -> dict[str, Any]:
    """A record: what was said last counts. The lineage of an earlier version of acclimate has a verdict in it."""
    return {**DEFAULTS, **lineage, **facts}


def base_calibration(adapters: Iterable[Adapter], base_identity: str) -> dict[str, Calibration]:
    """What evaluations here have found of a base model: the last of these adapters counts, whatever its own verdict."""
    found: dict[str, Calibration] = {}
    for adapter in adapters:
        if adapter.base_identity == base_identity:
            known = adapter.calibration
            found |= {each.name: known[each.name] for each in (BASE, BASE_RETRIEVAL) if each.name in known}
    return found
