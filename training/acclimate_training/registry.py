"""The adapters of a repository: versions, what is known of them, and which one is in use.

An adapter is a folder that never changes: the weights and `adapter.json`, its lineage, written last. A version's name
and path are never used twice, since the engine's prefix cache is keyed by them. What changes (verdict, figures, tag) is
in `registry.sqlite` with the live pointer and the history; `Adapter.record` is both in one. If that file is lost, the
folders are still there: the adapters are found again, as not measured.
"""

import hashlib
import re
import secrets
import shutil
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from acclimate_indexer.durable import write_json
from acclimate_indexer.errors import AdapterError
from acclimate_indexer.home import RepositoryHome
from acclimate_indexer.models import LocalModel

from .adapter import CHANGING
from .adapter import Adapter as Adapter  # whoever uses the registry knows it from here
from .adapter_exchange import received, write_export
from .adapter_files import CONFIG, LINEAGE, checksums
from .adapter_folders import AdapterFolders, no_such, taken
from .registry_state import RegistryState
from .registry_store import Action, Event, RegistryStore

SCHEMA = 1
TAG = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
NO_TAGS = ("none", "auto")  # words of `acclimate adapters use`
_ACTIONS: dict[str, Action] = {"promoted": "promote", "trial": "trial", "rejected": "reject"}


class AdapterRegistry:
    """The adapters of one repository. Several processes may have one each."""

    def __init__(self, home: RepositoryHome) -> None:
        self._folders = AdapterFolders(home.adapters)
        self._state = RegistryState(home, self._folders)

    # What there is.

    def versions(self) -> list[Adapter]:
        """All whole adapters, oldest first. A damaged one is left out."""
        names = self._folders.names()  # before the facts: what lies there by now is in the store
        return self._folders.whole(names, self._state.facts())

    def damaged(self) -> list[str]:
        """The versions whose folders hold no adapter that can be read: they can be deleted, and nothing else."""
        whole = {adapter.version for adapter in self.versions()}
        return [name for name in self._folders.names() if name not in whole]

    def get(self, version: str) -> Adapter:
        """The adapter of this version.

        Raises:
            AdapterError: There is none, or its lineage cannot be read.
        """
        return self._folders.read(version, self._state.facts_of(version))

    def get_verified(self, version: str) -> Adapter:
        """The adapter of this version, with its weights as they were written.

        Raises:
            AdapterError: There is none, or it is damaged.
        """
        adapter = self.get(version)
        adapter.verify()
        return adapter

    def resolve(self, text: str) -> str:
        """The version that a person means by its name, its tag, or the beginning of its name.

        Raises:
            AdapterError: None or several are meant.
        """
        names, tagged = self._folders.names(), self._state.tags().get(text)
        if text in names:
            return text
        if tagged in names:
            return tagged
        meant = [name for name in names if text and name.startswith(text)]
        if len(meant) > 1:
            raise AdapterError(f"{text!r} begins {len(meant)} versions: {', '.join(meant)}. Give more of one.")
        if not meant:
            raise no_such(text)
        return meant[0]

    def live(self) -> Adapter | None:
        """The adapter in use; None if there is none, or it is no longer whole."""
        version = self._state.pointer()
        try:
            return None if version is None else self.get(version)
        except AdapterError:
            return None

    def newest_usable(self) -> Adapter | None:
        """What `auto` means: the newest that was neither rejected nor withdrawn."""
        return next((adapter for adapter in reversed(self.versions()) if adapter.may_be_used), None)

    def history(self) -> list[Event]:
        """All that was decided, oldest first."""
        return self._state.history()

    # How one comes and goes.

    def new_version(self, repository_name: str, now: datetime) -> str:
        """A name that was never used: the second it was made in, and chance."""
        return f"{repository_name}-{now.astimezone(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(2)}"

    def partial(self, version: str) -> Path:
        """Where a trainer writes the adapter before it is published."""
        return self._folders.partial(version)

    def remove_partials(self) -> None:
        """Removes what was interrupted; for the one who holds the training lock."""
        self._folders.remove_leftovers()

    def publish(self, partial_folder: Path, record: Mapping[str, Any]) -> Adapter:
        """Makes a written peft folder the adapter `record["version"]`: lineage last, then the name.

        Raises:
            AdapterError: The version was there before, or the folder holds no adapter.
            DiskFull: There is no room.
        """
        if not (partial_folder / CONFIG).is_file():
            raise AdapterError(f"{str(partial_folder)!r} holds no adapter.")
        version, facts = str(record["version"]), _sealed(partial_folder, record)
        with self._state.writing() as store:
            self._place(store, partial_folder, version, facts)
        return self.get(version)

    def import_(
        self, folder: Path, *, repository: str, models: Sequence[LocalModel], base: LocalModel | None = None
    ) -> Adapter:
        """Takes in a plain peft folder, ours or a stranger's, as a new version that is not measured.

        Args:
            folder: Where it lies; only read.
            repository: The name in the prompt's header, where the folder does not say.
            models: The base models on this machine.
            base: The one it was made for, where the folder does not say by its checksum.

        Raises:
            AdapterError: It is damaged, no safetensors, cannot be served, or was made for another base model.
            DiskFull: There is no room.
        """
        now = datetime.now(UTC)
        version = self.new_version(repository, now)
        made_here = {"version": version, "created": now.isoformat(timespec="seconds")}
        with self._folders.incoming(version) as incoming:
            lineage = received(folder, incoming, models=models, base=base)
            facts = _sealed(incoming, {"repository": repository} | lineage | made_here)
            with self._state.writing() as store:
                self._place(store, incoming, version, facts)
                store.append("import", version, before=store.pointer(), reason=f"From {folder.name!r}.")
        return self.get(version)

    def export(self, version: str, folder: Path) -> None:
        """Writes the adapter as a plain peft folder with all that is known of it, for other programs and machines.

        Raises:
            AdapterError: It is damaged, or the folder is not empty.
            DiskFull: There is no room.
        """
        adapter = self.get_verified(version)
        write_export(adapter.folder, adapter.record, folder)

    def delete(self, version: str, *, force: bool = False) -> None:
        """Removes an adapter, also a damaged one. Its name is never given again.

        Raises:
            AdapterError: There is none, or it is in use and `force` is not given.
        """
        with self._state.writing() as store:
            before = store.pointer()
            if before == version and not force:
                raise AdapterError(
                    f"The adapter {version!r} is in use. Choose another first (`acclimate adapters use none`), "
                    "or say `--force`."
                )
            hidden = self._folders.hide(version)
            store.add(version)
            store.remove(version)
            if before == version:
                store.point_at(None)
            store.append("delete", version, before=before, reason="")
        shutil.rmtree(hidden, ignore_errors=True)

    # What is said about one.

    def update(self, adapter: Adapter, changes: Mapping[str, Any]) -> Adapter:
        """Sets these keys of its record, and leaves the others to whoever else sets them now.

        Raises:
            AdapterError: It is gone.
        """
        with self._state.writing() as store:
            self._put(store, adapter.version, changes, before=store.pointer())
        return self.get(adapter.version)

    def judge(self, adapter: Adapter, changes: Mapping[str, Any]) -> Adapter:
        """`update` with a verdict, which is followed in the same moment.

        What may be used is in use then, unless it was withdrawn. What is rejected is not, and if it was, the adapter
        before it is again.
        """
        version, state = adapter.version, changes["verdict"]["state"]
        with self._state.writing() as store:
            before = store.pointer()
            if state != "rejected" and not self.get(version).is_withdrawn:
                store.point_at(version)
            self._put(store, version, changes, before=before)
            if state == "rejected" and before == version:
                self._go_back(store, changes["verdict"].get("reason", ""))
        return self.get(version)

    def tag(self, version: str, name: str | None) -> Adapter:
        """Gives it a name of its own; None takes the name away.

        Raises:
            AdapterError: Another adapter has this name, or it is no name.
        """
        if name is not None and (not TAG.fullmatch(name) or name in NO_TAGS):
            raise AdapterError(f"{name!r} is no tag: letters, digits, dots, dashes, and not {' or '.join(NO_TAGS)}.")
        with self._state.writing() as store:
            adapter = self.get(version)
            store.add(version)  # it may have been brought by hand
            if name is not None:
                self._free(name, store, version)
            store.set_tag(version, name)
            store.append("tag", version, before=store.pointer(), reason=f"{adapter.tag} is now {name}.")
        return self.get(version)

    # Which one is in use.

    def set_live(self, version: str | None, reason: str = "") -> None:
        """Moves the pointer; None takes every adapter out of use.

        Raises:
            AdapterError: There is no such adapter.
        """
        with self._state.writing() as store:
            if version is not None:
                self.get(version)
            if (before := store.pointer()) != version:
                store.point_at(version)
                store.append("use", version, before=before, reason=reason)

    def promote(self, version: str, reason: str) -> Adapter:
        """Takes it into use as proven. Where the gate did not say so, the record says that it was forced.

        Raises:
            AdapterError: There is no such adapter, or it is damaged.
        """
        with self._state.writing() as store:
            adapter, before = self.get_verified(version), store.pointer()
            changes: dict[str, Any] = {"withdrawn": False, "withdrawn_reason": ""}
            if adapter.state != "promoted":
                by_hand = {"state": "promoted", "reason": f"Promoted by hand: {reason}"}
                changes |= {"verdict": adapter.record["verdict"] | by_hand, "forced": True}
            store.put(version, changes)
            store.point_at(version)
            store.append("promote", version, before=before, reason=reason)
        return self.get(version)

    def rollback(self, reason: str, *, of: str | None = None) -> Adapter | None:
        """Withdraws the adapter in use, and goes back to the one before it that is whole and may be used.

        Args:
            reason: A sentence, kept in the history and beside the adapter.
            of: The version that did not do well. If another one is in use by now, nothing happens: of several who
                watched the same adapter, one rolls back.

        Returns:
            What is in use now; None is the base model.

        Raises:
            AdapterError: No adapter is in use.
        """
        with self._state.writing() as store:
            current = store.pointer()
            if current is None and of is None:
                raise AdapterError("No adapter is in use, so there is nothing to go back from.")
            if current is not None and of in (None, current):
                store.put(current, {"withdrawn": True, "withdrawn_reason": reason})
                self._go_back(store, reason)
        return self.live()

    def withdraw(self, version: str, reason: str) -> Adapter | None:
        """Marks it as not to be chosen again, and rolls back if it is in use. Gives what is in use now.

        Raises:
            AdapterError: There is no such adapter.
        """
        with self._state.writing() as store:
            self.get(version)
            store.put(version, {"withdrawn": True, "withdrawn_reason": reason})
            store.append("withdraw", version, before=store.pointer(), reason=reason)
            if store.pointer() == version:
                self._go_back(store, reason)
        return self.live()

    # Inside a transaction. `self.get` reads what the last one left.

    def _place(self, store: RegistryStore, partial: Path, version: str, facts: Mapping[str, Any]) -> None:
        if not store.add(version):
            raise taken(version)
        store.put(version, facts)
        self._folders.place(partial, version)  # last: a reader finds an adapter with what is known of it

    def _put(self, store: RegistryStore, version: str, changes: Mapping[str, Any], *, before: str | None) -> None:
        known = self.get(version)
        store.add(version)
        store.put(version, changes)
        verdict = changes.get("verdict")
        if verdict is not None and (verdict["state"] != known.state or store.pointer() != before):
            store.append(_ACTIONS[verdict["state"]], version, before=before, reason=verdict.get("reason", ""))

    def _go_back(self, store: RegistryStore, reason: str) -> None:
        """Moves the pointer to what was in use before and still may be; to the base model if there is none."""
        current = store.pointer()
        earlier = dict.fromkeys(event.live for event in reversed(store.history()))
        to = next((version for version in earlier if version != current and self._may_return(version, current)), None)
        store.point_at(to)
        store.append("rollback", to, before=current, reason=reason)

    def _may_return(self, version: str | None, current: str | None) -> bool:
        try:
            adapter = self.get_verified(version or "")
        except AdapterError:
            return False
        try:
            base = self.get(current or "").base_identity
        except AdapterError:  # what is in use is damaged: whatever was before is better
            base = adapter.base_identity
        return adapter.may_be_used and adapter.base_identity == base

    def _free(self, tag: str, store: RegistryStore, version: str) -> None:
        holder = store.tagged(tag)
        if holder is None or holder == version:
            return
        if holder in self._folders.names():
            raise AdapterError(
                f"{tag!r} is the tag of {holder!r}. Give that one another: `acclimate adapters tag {holder} NAME`."
            )
        store.set_tag(holder, None)  # whoever deleted it was killed in between


def _sealed(partial: Path, record: Mapping[str, Any]) -> dict[str, Any]:
    """Writes the lineage and makes sure that all is on the disk; gives the part of the record that may change."""
    lineage = {name: value for name, value in record.items() if name not in CHANGING}
    write_json(partial / LINEAGE, {"schema": SCHEMA, **lineage, "files": checksums(partial)})
    facts = {name: value for name, value in record.items() if name in CHANGING and name != "tag"}
    return facts | {"lineage_sha256": hashlib.sha256((partial / LINEAGE).read_bytes()).hexdigest()}
