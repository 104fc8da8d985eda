"""What the editor may show: the engine, the adapter, a training, and why nothing was completed.

Sent as the notification `acclimate/status` whenever it changes, and given by the command `acclimate.status`.
"""

import asyncio
import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

NOTIFICATION = "acclimate/status"
MIN_INTERVAL_SECONDS = 0.1  # progress comes often; a status bar that is repainted more than that flickers

EngineWord = Literal["stopped", "starting", "ready", "failed"]
AdapterWord = Literal["none", "loading", "in use", "failed"]
ReviewWord = Literal["off", "idle", "waiting", "reviewing"]
IndexWord = Literal["none", "building", "ready", "failed"]
TrainingWord = Literal["running", "finished", "cancelled", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineStatus:
    state: EngineWord = "stopped"
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelStatus:
    name: str
    variant: str
    precision: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AdapterStatus:
    """Of the repository that was completed in last.

    Attributes:
        setting: What was asked for: `auto`, `none` or a version.
        state: `none` (the base model completes, as asked), `loading` (it completes until then), `in use` or `failed`.
        version: What completes now; None is the bare base model.
        reason: Why it failed.
    """

    repository: str | None = None
    setting: str = "auto"
    state: AdapterWord = "none"
    version: str | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexStatus:
    """What retrieval knows of the folders that documents were opened in, of all of them together.

    Attributes:
        state: `none` (no document was opened yet, or nothing is retrieved where it lies), `building` (prompts show
            nothing of some folder's other files), `ready` or `failed`.
        done: Files that are known, of so many.
        reason: Why it failed.
    """

    state: IndexWord = "none"
    done: int = 0
    of: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingStatus:
    """The last training.

    Attributes:
        is_automatic: It started by itself, since retraining was due and nobody was at work.
    """

    run: str
    repository: str
    is_automatic: bool = False
    state: TrainingWord = "running"
    phase: str = ""
    step: int = 0
    of: int = 0
    seconds_left: float | None = None
    loss: float | None = None
    message: str = ""
    reason: str = ""
    adapter: str | None = None
    verdict: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewStatus:
    """Reviews of what is saved.

    Attributes:
        state: `waiting` while a save is left to settle, and until an editor that saves by itself is idle.
        reason: Why the file that was saved last was not reviewed, or not by all.
        reviewers: What each has to go by, or why it is silent.
    """

    state: ReviewWord = "idle"
    reason: str = ""
    reviewers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftStatus:
    """How far the repository that was worked in last is beyond the data of its adapter.

    Attributes:
        commit: Of these data; None without an adapter, or where its record names none.
        share: `lines`, of the lines that were mined for the adapter.
        loss_rise: Nats per token, on code that was committed since; None where it was not measured.
        exceeds: Retraining is due.
        said: The same for a person, with the command that mends it.
    """

    repository: str
    commit: str | None
    lines: int
    share: float
    commits: int
    days: float
    loss_rise: float | None
    exceeds: bool
    said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """Everything at once; small enough to be sent whole.

    Attributes:
        drift: None until it was counted, and outside a repository.
        completion: Why the last request was answered with nothing, or empty.
        completed_by: The adapter that answered the last request; None is the base model, also while one is loaded.
        warnings: What was wrong in the settings.
    """

    engine: EngineStatus = EngineStatus()
    model: ModelStatus | None = None
    adapter: AdapterStatus = AdapterStatus()
    index: IndexStatus = IndexStatus()
    training: TrainingStatus | None = None
    drift: DriftStatus | None = None
    review: ReviewStatus = ReviewStatus()
    completion: str = ""
    completed_by: str | None = None
    warnings: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self)


class StatusBoard:
    """Keeps the status and tells its listener of changes, in order, at most ten times a second.

    Lives on the event loop; other threads come in through `call_soon_threadsafe`.
    """

    def __init__(self, notify: Callable[[dict[str, Any]], None]) -> None:
        self._notify = notify
        self._sent: Status | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.now = Status()

    def update(self, **changes: Any) -> None:
        """Replaces fields of the status; nothing is sent if nothing changed."""
        self.now = dataclasses.replace(self.now, **changes)
        if self.now != self._sent and self._timer is None:
            self._send()

    def close(self) -> None:
        """Sends nothing from now on."""
        if self._timer is not None:
            self._timer.cancel()
        self._notify = lambda _: None

    def _send(self) -> None:
        self._sent = self.now
        self._timer = asyncio.get_running_loop().call_later(MIN_INTERVAL_SECONDS, self._tick)
        self._notify(self.now.to_json())

    def _tick(self) -> None:
        self._timer = None
        if self.now != self._sent:
            self._send()
