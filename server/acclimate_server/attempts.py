"""What was started by itself in a repository, and when: remembered, so that a restart begins nothing a second time."""

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from acclimate_indexer.durable import write_json
from acclimate_indexer.home import RepositoryHome

RETRAIN_PAUSE = timedelta(hours=12)  # twice a day: a training keeps a laptop's fans up for a quarter of an hour
EVALUATE_PAUSE = timedelta(hours=1)
VAIN_PAUSE = timedelta(days=1)  # after one that measured nothing new: what was in its way seldom goes by itself


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempts:
    """The attempts of one repository. Written only by who holds its `Claim`."""

    home: RepositoryHome

    def may_retrain(self, commit: str, now: datetime) -> bool:
        """Not a second time on one commit, and not soon after the last time."""
        last = self._read().get("retrain", {})
        return last.get("commit") != commit and _is_over(last.get("at"), RETRAIN_PAUSE, now)

    def retraining(self, commit: str, now: datetime) -> None:
        """Remembers that a retraining begins."""
        self._write("retrain", {"commit": commit, "at": now.isoformat()})

    def may_evaluate(self, version: str, metrics: Any, now: datetime) -> bool:
        """Not soon after the last time, and for a day not if that brought nothing."""
        last = self._read().get("evaluate", {})
        was_vain = last.get("version") == version and last.get("metrics") == _digest(metrics)
        return _is_over(last.get("at"), VAIN_PAUSE if was_vain else EVALUATE_PAUSE, now)

    def evaluating(self, version: str, metrics: Any, now: datetime) -> None:
        """Remembers that an evaluation begins, and what was known before."""
        self._write("evaluate", {"version": version, "metrics": _digest(metrics), "at": now.isoformat()})

    def _read(self) -> dict[str, dict[str, Any]]:
        try:
            record = json.loads(self.home.attempts.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        if not isinstance(record, dict):
            return {}
        return {name: value for name, value in record.items() if isinstance(value, dict)}

    def _write(self, name: str, attempt: dict[str, str]) -> None:
        write_json(self.home.attempts, {"schema": 1, **self._read(), name: attempt})


def _is_over(at: Any, pause: timedelta, now: datetime) -> bool:
    """Whether a pause since `at` has ended; a moment in the future is from a clock that was wrong."""
    try:
        last = datetime.fromisoformat(at).astimezone(UTC)
    except (TypeError, ValueError):
        return True
    return not timedelta() <= now - last < pause


def _digest(record: Any) -> str:
    return hashlib.sha256(json.dumps(record, sort_keys=True, default=str).encode()).hexdigest()[:16]
