"""How often answers of some confidence are right on held-out code, and from which confidence on they are shown.

Answers are sorted by confidence and put together into steps, each of which was right more often than the one below it
(isotonic regression, by pooling adjacent violators) and rests on ten answers at least. To a precision belongs the
lowest step down to which so large a share of the answers is right. A share of few answers promises little: what counts
is its lower bound (Wilson's, one-sided), and pairs of one file are one witness.

Where no step reaches the precision the one that promises most is shown as long as it is of some use: an editor that
never shows anything gets switched off. What is right less than half as often as was asked for is not shown.

A confidence is a probability in the eyes of the model (`acclimate_indexer.confidence`), and means about the same to
every one; a model that was never measured is judged by `BUILT_IN`.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import Any, Self

from .contenders import SERVED, Contender

MIN_ANSWERS = 50  # fewer say nothing about a threshold
STEP_ANSWERS = 10  # of a step: three of three right are no certainty
ASSURANCE_Z = 0.5244  # of 100 such bounds 70 hold
STILL_OF_USE = 0.5  # of the precision that was asked for; what is right less often disturbs more than it helps
DIGITS = 6  # of a confidence: a long answer's is small


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedAnswer:
    """An answer that would have been shown, and what became of it."""

    confidence: float
    is_right: bool
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """All answers of at least this confidence, those of the steps above included."""

    confidence: float
    answers: int
    right: int
    files: int

    @property
    def assured(self) -> float:
        """The share of right ones that may be promised of others."""
        share, witnesses, z = self.right / self.answers, self.files, ASSURANCE_Z
        spread = z * math.sqrt(share * (1 - share) / witnesses + (z / (2 * witnesses)) ** 2)
        return max(0.0, (share + z * z / (2 * witnesses) - spread) / (1 + z * z / witnesses))


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """One contender's steps, from the most certain answers down to all of them, the last one's confidence being 0."""

    steps: tuple[Step, ...]

    @classmethod
    def of(cls, answers: Iterable[JudgedAnswer]) -> Self | None:
        """The calibration by these answers; None if they are too few."""
        ordered = sorted(answers, key=lambda each: each.confidence, reverse=True)
        if len(ordered) < MIN_ANSWERS:
            return None
        steps: list[Step] = []
        end = 0
        for block in _pooled(ordered):
            end += len(block)
            known = ordered[:end]
            steps.append(
                Step(
                    confidence=_rounded(block[-1].confidence) if end < len(ordered) else 0.0,
                    answers=end,
                    right=sum(each.is_right for each in known),
                    files=len({each.path for each in known}),
                )
            )
        return cls(steps=tuple(steps))

    @classmethod
    def from_record(cls, record: Any) -> Self | None:
        """What `to_json` wrote; None for what another version wrote otherwise."""
        try:
            steps = tuple(Step(**{key: each[key] for key in Step.__slots__}) for each in record["steps"])
        except (KeyError, TypeError):
            return None
        return cls(steps=steps) if steps else None

    def to_json(self) -> dict[str, Any]:
        return {"n": self.n, "steps": [asdict(each) for each in self.steps]}

    @property
    def n(self) -> int:
        """By how many answers it was made."""
        return self.steps[-1].answers

    def shown(self, precision: float) -> Step | None:
        """What is shown where so large a share is to be right; None where nothing is."""
        reached = [each for each in self.steps if each.assured >= precision]
        if reached:
            return reached[-1]
        best = max(self.steps, key=lambda each: each.assured)
        return best if best.assured >= STILL_OF_USE * precision else None

    def threshold(self, precision: float) -> float:
        """The confidence from which on answers are shown; 0 shows all, infinity none."""
        shown = self.shown(precision)
        return math.inf if shown is None else shown.confidence

    def is_reached(self, precision: float) -> bool:
        """Whether so large a share of what is shown may be promised to be right."""
        shown = self.shown(precision)
        return shown is not None and shown.assured >= precision

    def shows(self, confidence: float | None, precision: float) -> bool:
        """Whether an answer is shown. Of an engine that gives no confidence all are."""
        return confidence is None or confidence >= self.threshold(precision)

    def probability(self, confidence: float) -> float:
        """How often an answer of this confidence is right."""
        at = next(number for number, step in enumerate(self.steps) if confidence >= step.confidence)
        step, above = self.steps[at], self.steps[at - 1] if at else None
        answers, right = (0, 0) if above is None else (above.answers, above.right)
        return (step.right - right) / (step.answers - answers)


# The 0.5B base on fastmcp at b14b137f, without retrieval, 2026-11-26: at 0.5 it shows 39% of the answers, 56% of them
# right, which is 89% of what is right in characters. Of two adapters its thresholds show less than their own would
# (40% where 57%, 29% where 45%), of which 69% and 70% are right: where nothing was measured, that is the safe side.
BUILT_IN = Calibration(
    steps=(
        Step(confidence=0.89, answers=13, right=12, files=12),
        Step(confidence=0.73, answers=25, right=21, files=23),
        Step(confidence=0.454, answers=47, right=35, files=42),
        Step(confidence=0.347, answers=58, right=40, files=48),
        Step(confidence=0.287, answers=71, right=45, files=57),
        Step(confidence=0.23, answers=81, right=46, files=63),
        Step(confidence=0.127, answers=106, right=48, files=84),
        Step(confidence=0.062, answers=122, right=49, files=90),
        Step(confidence=0.0, answers=204, right=49, files=126),
    )
)


def is_right(shown: str, middle: str) -> bool:
    """Whether all that is shown would be kept: the true code begins with it, trailing white space left out."""
    return bool(shown.strip()) and middle.rstrip().startswith(shown.rstrip())


def calibrations_of(record: Mapping[str, Any]) -> dict[str, Calibration]:
    """The calibrations of completions in an adapter's record, by the contender's name."""
    written = (record.get("calibration") or {}).get("completion") or {}
    read = {name: Calibration.from_record(each) for name, each in written.items()}
    return {name: each for name, each in read.items() if each is not None}


def with_calibrations(record: Mapping[str, Any], completion: Mapping[str, Any]) -> dict[str, Any]:
    """What a record knows, and what was measured now: that counts, and what could not be told now stays."""
    known = record.get("calibration") or {}
    return {**known, "completion": {**(known.get("completion") or {}), **completion}}


def calibration_for(known: Mapping[str, Calibration], contender: Contender) -> Calibration:
    """By which its answers are judged: its own, else its model's asked the other way, else what is built in."""
    others = (each for each in SERVED if each.model == contender.model)
    return next((known[each.name] for each in (contender, *others) if each.name in known), BUILT_IN)


def _pooled(ordered: Sequence[JudgedAnswer]) -> list[list[JudgedAnswer]]:
    """Blocks of answers, the most certain first: each large enough, and right more often than the next."""
    blocks: list[list[JudgedAnswer]] = []
    for _, same in groupby(ordered, key=lambda each: _rounded(each.confidence)):
        blocks.append(list(same))
        while len(blocks) > 1 and (len(blocks[-2]) < STEP_ANSWERS or _share(blocks[-1]) >= _share(blocks[-2])):
            blocks[-2:] = [blocks[-2] + blocks[-1]]
    if len(blocks) > 1 and len(blocks[-1]) < STEP_ANSWERS:  # its share is lower, and so is that of both together
        blocks[-2:] = [blocks[-2] + blocks[-1]]
    return blocks


def _share(block: Sequence[JudgedAnswer]) -> float:
    return sum(each.is_right for each in block) / len(block)


def _rounded(confidence: float) -> float:
    return float(f"{confidence:.{DIGITS}g}")
