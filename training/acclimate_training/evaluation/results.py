"""What was measured, pair by pair, kept on disk: nothing is measured twice, and a stopped evaluation goes on.

A file belongs to one model: a base model's identity, and the adapter's version if there is one. A result is named by
the digest of the token ids that it was asked with, so that another prompt is another result.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from acclimate_indexer.durable import disk_full_named


@dataclass(frozen=True, slots=True, kw_only=True)
class LossResult:
    """Nats of the whole middle, its end-of-text token included."""

    example: str
    nats: float
    tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationResult:
    """What a model answered.

    Attributes:
        stopped: It ended by itself, not at the limit of tokens, and was not cut off.
        prompt_tokens: How long the prompt was; 0 if an older version did not note it.
        milliseconds: From asking to the end, among the other requests of the evaluation; 0 if it was not noted.
        confidence: In the part that is shown; None if nothing is, the engine did not say, or an older version asked.
    """

    example: str
    text: str
    stopped: bool
    prompt_tokens: int = 0
    milliseconds: float = 0.0
    confidence: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewResult:
    """What a model held of a hunk; see `acclimate_training.reviewing.asking`.

    Attributes:
        chance: That it comments; `decided`: of how much of what it might have written that is told.
        text: What it says then; empty if that was not asked.
        is_whole: The text ended by itself.
        placed: Probability of the line that it names.
        settled: How likely it is to say nothing after its suggestion; None if that was not asked.
    """

    example: str
    chance: float
    decided: float
    text: str = ""
    is_whole: bool = False
    placed: float = 0.0
    likelihood: float = 0.0
    settled: float | None = None


class ResultStore:
    """One model's results. A line is appended as soon as it is known."""

    def __init__(self, folder: Path, *, model_identity: str, adapter: str | None = None) -> None:
        digest = hashlib.sha256(f"{model_identity}\n{adapter or ''}".encode()).hexdigest()[:8]
        readable = re.sub(r"[^A-Za-z0-9_.-]+", "-", adapter or f"base-{model_identity.partition('@')[0]}")
        self._path = folder / f"{readable}-{digest}.jsonl"
        self.losses: dict[str, LossResult] = {}
        self.generations: dict[str, GenerationResult] = {}
        self.reviews: dict[str, ReviewResult] = {}
        for record in self._records():
            self._remember(record)

    def add_loss(self, result: LossResult) -> None:
        self.losses[result.example] = result
        self._append("loss", asdict(result))

    def add_generation(self, result: GenerationResult) -> None:
        self.generations[result.example] = result
        self._append("generation", asdict(result))

    def add_review(self, result: ReviewResult) -> None:
        self.reviews[result.example] = result
        self._append("review", asdict(result))

    def _append(self, kind: str, result: dict[str, Any]) -> None:
        with disk_full_named(self._path):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a", encoding="utf-8") as file:
                # A line opens with the newline: what a killed writer left of its last line then spoils only that one.
                file.write("\n" + json.dumps({"kind": kind, **result}))

    def _records(self) -> Iterator[dict[str, Any]]:
        try:
            lines = self._path.read_text(encoding="utf-8", errors="replace").split("\n")
        except FileNotFoundError:
            return
        for line in filter(None, lines):
            try:
                yield json.loads(line)
            except ValueError:
                continue

    def _remember(self, record: dict[str, Any]) -> None:
        try:
            if record["kind"] == "loss":
                loss = LossResult(example=record["example"], nats=record["nats"], tokens=record["tokens"])
                self.losses[loss.example] = loss
            elif record["kind"] == "generation":
                generation = GenerationResult(
                    example=record["example"],
                    text=record["text"],
                    stopped=record["stopped"],
                    prompt_tokens=record.get("prompt_tokens", 0),
                    milliseconds=record.get("milliseconds", 0.0),
                    confidence=record.get("confidence"),
                )
                self.generations[generation.example] = generation
            elif record["kind"] == "review":
                review = ReviewResult(**{key: value for key, value in record.items() if key != "kind"})
                self.reviews[review.example] = review
        except (KeyError, TypeError):
            return  # written by another version; measured again
