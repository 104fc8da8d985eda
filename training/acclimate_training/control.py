"""The control: an adapter of the same recipe and as many steps, trained on code that is not this repository's.

It is what an adapter must beat to have learnt the repository and not just how a hole is filled. A control is cached by
all that it depends on: base, recipe, steps, device and its very pairs, so that repositories of one language share it.

An adapter that began from the primer, or from an earlier one, has had more steps than this training gave it, and a
control of these alone would flatter it. Its control therefore begins from the primer, too, or where the earlier one's
ended, and takes as many steps more: as many in all, in as many schedules, for no more time than half of the minutes,
whatever the adapter's ancestry.
"""

import hashlib
import json
import secrets
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from acclimate_indexer.dataset import Dataset
from acclimate_indexer.durable import disk_full_named, write_json
from acclimate_indexer.general.code import GeneralCode
from acclimate_indexer.general.own import OwnCode
from acclimate_indexer.general.parts import Part
from acclimate_indexer.general.sources import Root
from acclimate_indexer.pairs import CompletionPair
from acclimate_indexer.repository import Repository

from .adapter_files import changed_file, checksums
from .encoding import Example
from .lineage import Setting
from .reporting import Run
from .start import Origin

SCHEMA = 1
MANIFEST = "control.json"  # written last
SPARE = 1.25  # times the pairs that are seen: the middles of some are too long
MIX_PARTS = 20  # repositories whose languages have the same twentieths share primers and controls
MAX_PAIRS = 20_000  # an hour's training on a GPU; more general code teaches nothing further


@dataclass(frozen=True, slots=True, kw_only=True)
class General:
    """Code that is not the repository's, in the repository's mix of languages.

    Attributes:
        languages: Each language's share, in twentieths (`language_mix`).
    """

    code: GeneralCode
    languages: dict[str, float]

    @classmethod
    def beside(
        cls, repository: Repository, dataset: Dataset, run: Run, *, roots: Sequence[Root] | None = None
    ) -> "General":
        """What these roots hold, else this machine, without what is the repository's own after all."""
        with run.phase("general code"):
            own = OwnCode.of(repository, dataset.commit)
            code = GeneralCode.found(
                exclude=own, work_tree=repository.work_tree, cache=run.home.general_code, roots=roots
            )
        counts = dataset.manifest["counts"]["language"]
        return cls(code=code, languages=language_mix({name: int(each["train"]) for name, each in counts.items()}))

    def pairs(self, part: Part, count: int, run: Run) -> tuple[CompletionPair, ...]:
        """At most so many pairs of a part; what had to be used instead of the wanted is noted."""
        with run.phase("general code") as advance:
            found = self.code.pairs(
                part, self.languages, count, seed=run.job.seed, advance=lambda done, of: advance(done, of, None)
            )
        for sentence in found.notes():
            run.note(sentence)
        return found.pairs


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """A trained control: a plain peft folder; `version` is its name in the engine and of its results."""

    version: str
    folder: Path

    @property
    def record(self) -> dict[str, Any]:
        """What its manifest says of its training."""
        found: dict[str, Any] = json.loads((self.folder / MANIFEST).read_text(encoding="utf-8"))
        return found

    @property
    def total_steps(self) -> int:
        """That it was trained, those of what it went on from included."""
        record = self.record
        return int(record.get("total_steps") or record["steps"])

    @property
    def origin(self) -> Origin:
        """To begin a training from; it has learnt nothing of a repository."""
        return Origin(version=self.version, weights=self.folder, total_steps=self.total_steps, learnt_from=())

    @classmethod
    def named(cls, version: str, folder: Path, note: Callable[[str], None]) -> "Control | None":
        """The control of a version in the folder of all, if it is still there and whole."""
        return cls.whole(folder / version.removeprefix("control-"), note)

    @classmethod
    def whole(cls, folder: Path, note: Callable[[str], None]) -> "Control | None":
        """The control in a folder, if every file is what was written. `note` hears of one that is damaged."""
        if not (folder / MANIFEST).is_file():
            return None
        try:
            files: dict[str, str] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["files"]
            changed = changed_file(folder, files)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            changed = MANIFEST
        if changed is not None:
            note(f"The control {folder.name!r} is corrupt ({changed!r} is not what was written) and was not used.")
            return None
        return cls(version=f"control-{folder.name}", folder=folder)


@dataclass(frozen=True, slots=True, kw_only=True)
class Controls:
    """The controls that fit one setting and one mix of languages, by their steps.

    `after` is the control that they go on from; None for those that begin afresh.
    """

    folder: Path
    setting: Setting
    general: General
    after: Control | None = None

    def rungs(self) -> set[int]:
        """For how many steps there is one."""
        found = (
            place.parent.name.split("-")[1].partition(".") for place in self.folder.glob(f"{self._key}-*/{MANIFEST}")
        )
        return {int(steps) for steps, _, begun in found if begun == self._begun}

    def pairs(self, steps: int, run: Run) -> tuple[CompletionPair, ...]:
        """What a control of so many steps learns: as many pairs as the adapter sees at most, and some to spare."""
        return self.general.pairs("control", min(MAX_PAIRS, int(SPARE * steps * self.setting.recipe.batch)), run)

    def found(self, steps: int, pairs: Sequence[CompletionPair]) -> Control | None:
        """The control of these steps and pairs, if it was trained before."""
        for place in sorted(self.folder.glob(f"{self._name(steps, pairs)}-*/{MANIFEST}")):
            return Control(version=f"control-{place.parent.name}", folder=place.parent)
        return None

    def fingerprint(self, steps: int, pairs: Sequence[CompletionPair]) -> str:
        """Of its training, for checkpoints."""
        return f"control-{self._name(steps, pairs)}"

    def partial(self) -> Path:
        """Where one is written before `publish`."""
        return self.folder / f".partial-{secrets.token_hex(4)}"

    def publish(self, partial: Path, steps: int, pairs: Sequence[CompletionPair], record: dict[str, Any]) -> Control:
        """Makes a written peft folder a control. Its name is never used twice, since an engine may remember it."""
        facts = {"steps": steps, **record, "after": None if self.after is None else self.after.version}
        facts["total_steps"] = steps + (0 if self.after is None else self.after.total_steps)
        write_json(partial / MANIFEST, {"schema": SCHEMA, **facts, "files": checksums(partial)})
        folder = self.folder / f"{self._name(steps, pairs)}-{secrets.token_hex(2)}"
        with disk_full_named(folder):
            partial.replace(folder)
        return Control(version=f"control-{folder.name}", folder=folder)

    def remove_partials(self) -> None:
        """Deletes what interrupted trainings left; for the one who holds the training lock."""
        for folder in self.folder.glob(".partial-*"):
            shutil.rmtree(folder, ignore_errors=True)

    def remove_damaged(self, note: Callable[[str], None]) -> None:
        """Deletes those of this setting that are damaged; for the one who holds the training lock."""
        for place in self.folder.glob(f"{self._key}-*/{MANIFEST}"):
            if Control.whole(place.parent, note) is None:
                shutil.rmtree(place.parent, ignore_errors=True)

    def fresh(self, examples: list[Example], steps: int) -> list[Example]:
        """With those first that what it goes on from has not seen, as far as there are any."""
        seen = 0 if self.after is None else self.after.total_steps * self.setting.recipe.batch
        at = max(0, min(seen, len(examples) - steps * self.setting.recipe.batch))
        return examples[at:] + examples[:at]

    @property
    def _begun(self) -> str:
        return "" if self.after is None else hashlib.sha256(self.after.version.encode()).hexdigest()[:8]

    @property
    def _key(self) -> str:
        mix = {name: round(share) for name, share in sorted(self.general.languages.items())}
        setting = self.setting
        parts = [setting.model.identity, setting.recipe.fingerprint(), setting.device, setting.seed, mix]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:12]

    def _name(self, steps: int, pairs: Sequence[CompletionPair]) -> str:
        digest = hashlib.sha256()
        for pair in pairs:
            digest.update(json.dumps(pair.to_json()).encode("utf-8", errors="replace"))
        begun = f".{self._begun}" if self._begun else ""
        return f"{self._key}-{steps}{begun}-{digest.hexdigest()[:8]}"


def language_mix(pairs: Mapping[str, int]) -> dict[str, float]:
    """A repository's languages in twentieths of its pairs; one that has less than half of one is left out."""
    total = sum(pairs.values())
    parts = {name: float(round(MIX_PARTS * count / total)) for name, count in pairs.items() if count}
    return {name: part for name, part in parts.items() if part} or dict.fromkeys(parts, 1.0)
