"""Reviews of held-out history, on its natural mix of hunks, against the corrections that followed.

Two windows. `whole`: some hundred commits, reviewed by all that costs nothing. `unseen`: the commits after the split of
an adapter's data, and every reviewer on the very same pieces, weighted where they are a sample. A model that its
verdict keeps silent is counted as silent; what it would be worth stands beside it: with its surest comments, one a
working day, and on the later half of the commits, with the threshold that is best on the earlier half.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from math import inf
from typing import Any

from benchmarks.asked_reviews import Models, Piece, pieces, weighted
from benchmarks.held_out_history import ChangedFile, HeldOutHistory, remark_of
from benchmarks.line_scores import Remark, Row, best_threshold, counts, f05_difference, figures, shown

from acclimate_training.evaluation.contenders import Model
from acclimate_training.reviewing.verdict import ReviewVerdict

MINED, SILENT, OWN_LINTER = "conventions+linter", "silent", "own_linter"
CHURNED, EVERY_HUNK, EVERY_LINE = "most_churned", "every_hunk", "every_line"
MODELS: dict[Model, str] = {"base": "prompted_base", "adapter": "adapter"}


Table = dict[str, list[Row]]


@dataclass(frozen=True, kw_only=True)
class Free:
    """What the reviewers say that ask no model."""

    history: HeldOutHistory

    @cached_property
    def mined(self) -> list[list[Remark]]:
        """Of conventions and linter, for each file of the history, tests too."""
        files = self.history.files
        return [[remark_of(found, file.target) for found in self.history.mined_findings(file)] for file in files]

    @cached_property
    def own(self) -> dict[int, list[Remark]]:
        """Of the repository's own linter, by the file."""
        found = self.history.own_linter()
        return {id(file): found.get(number, []) for number, file in enumerate(self.history.reviewable)}

    def mined_of(self, file: ChangedFile) -> list[Remark]:
        return self._mined_by_file[id(file)]

    @cached_property
    def _mined_by_file(self) -> dict[int, list[Remark]]:
        return {id(file): said for file, said in zip(self.history.files, self.mined, strict=True)}

    def whole(self) -> Table:
        """On the lines that every commit changed, tests aside."""
        files = self.history.reviewable
        mined: list[Row] = [(file.place, self.mined_of(file)) for file in files]
        hunks = [[_middle(lines) for lines in file.target.changed] for file in files]
        at_most = self.comments_to_match(mined)
        return {
            MINED: mined,
            SILENT: [(file.place, []) for file in files],
            OWN_LINTER: [(file.place, self.own[id(file)]) for file in files],
            CHURNED: _churned(files, [(file.place, said) for file, said in zip(files, hunks, strict=True)], at_most),
            EVERY_HUNK: [(file.place, said) for file, said in zip(files, hunks, strict=True)],
            EVERY_LINE: [(file.place, [Remark(first=line, last=line) for line in file.lines]) for file in files],
        }

    def on(self, asked: Sequence[Piece]) -> Table:
        """On the pieces that a model was asked about, each by itself; one comment a working day for those that rank."""
        files, places = [piece.file for piece in asked], [piece.place for piece in asked]
        hunks: list[Row] = [(place, [_of_lines(place.lines)] if place.lines else []) for place in places]
        mined: list[Row] = [
            (place, _within(self.mined_of(file), place.lines)) for file, place in zip(files, places, strict=True)
        ]
        return {
            MINED: mined,
            SILENT: [(place, []) for place in places],
            OWN_LINTER: [
                (place, _within(self.own[id(file)], place.lines)) for file, place in zip(files, places, strict=True)
            ],
            CHURNED: _churned(files, hunks, self.history.working_days),
            EVERY_HUNK: hunks,
            EVERY_LINE: [(place, [Remark(first=line, last=line) for line in place.lines]) for place in places],
        }

    def comments_to_match(self, mined: Sequence[Row]) -> int:
        """As many as conventions and linter make; where those hardly speak, as many as the budget allows."""
        return max(sum(len(said) for _, said in mined), self.history.working_days)


def whole_figures(free: Free) -> dict[str, Any]:
    """What asks no model, on all commits."""
    return _described(free.history) | {
        "faulty_lines": sum(len(file.faulty) for file in free.history.reviewable),
        "lines": sum(len(file.lines) for file in free.history.reviewable),
        "reviewers": {name: figures(rows) for name, rows in free.whole().items()},
    }


def budget_figures(free: Free, model: Sequence[Row] = ()) -> dict[str, Any]:
    """Comments on code that was never corrected, tests included, by working day.

    Args:
        model: What the adapter says as it is served.
    """
    mined = [(file.place, said) for file, said in zip(free.history.files, free.mined, strict=True)]
    days = free.history.working_days
    wrong = {MINED: _wrong(mined), "model": _wrong(model)}
    return _described(free.history) | {
        "comments": sum(len(said) for _, said in mined),
        "comments_on_uncorrected_code": wrong,
        "comments_a_working_day_on_uncorrected_code": sum(wrong.values()) / days,
    }


async def unseen_figures(free: Free, models: Models, verdict: ReviewVerdict, *, seconds: float) -> dict[str, Any]:
    """Every reviewer on the same pieces of the commits that no training saw.

    Raises:
        EngineError: The models cannot be asked.
    """
    every = pieces(free.history.reviewable, models)
    questions = [piece.question for piece in every]
    await models.ask(questions, seconds=seconds)
    known = {question.digest("base") for question in models.finished(questions)}
    asked = weighted([piece for piece in every if piece.question.digest("base") in known], every)
    table = free.on(asked)
    said: Mapping[str, list[Row]] = {
        MODELS[model]: [piece.row(models, model) for piece in asked] for model in models.stores
    }
    served: Table = {}
    if "adapter" in models.stores:
        served["adapter_as_served"] = shown(said["adapter"], verdict.threshold)
    surest = {f"{name}_within_budget": _surest(rows, free.history.working_days) for name, rows in said.items()}
    return _described(free.history) | {
        "pieces": len(every),
        "asked": len(asked),
        "asked_faulty": sum(bool(piece.place.faulty) for piece in asked),
        "faulty": sum(bool(piece.place.faulty) for piece in every),
        "open": sum(models.is_asked(each) for each in questions) - len(asked),
        "faulty_ranked_above_clean": {MODELS[model]: _ranked(every, models, model) for model in models.stores},
        "asked_to_the_end_from_chance": {
            MODELS[model]: _rounded(models.chance(likeliest[-1], model)) if likeliest else None
            for model, likeliest in models.likeliest(questions).items()
        },
        "verdict": {"state": "on" if verdict.is_on else "off", "reason": verdict.reason},
        "reviewers": {name: figures(rows) for name, rows in {**table, **served, **surest}.items()},
        "later_half": _later_half(table, said),
        "budget": budget_figures(free, served.get("adapter_as_served", ())),
    }


def _later_half(table: Table, said: Mapping[str, list[Row]]) -> dict[str, Any]:
    """Thresholds from the earlier commits, figures from the later ones."""
    thresholds = {name: best_threshold(_half(rows, is_late=False)) for name, rows in said.items()}
    late: Table = {name: _half(rows, is_late=True) for name, rows in table.items()}
    for name, rows in said.items():
        threshold = thresholds[name]
        late[name] = shown(_half(rows, is_late=True), inf if threshold is None else threshold)
    differences = {
        f"{name} less {other}": f05_difference(late[name], rows)
        for name in said
        for other, rows in late.items()
        if other != name and (name == "adapter" or other not in said)
    }
    return {
        "thresholds": {name: _rounded(each) for name, each in thresholds.items()},
        "earlier_half_at_them": {
            name: figures(shown(_half(rows, is_late=False), inf if each is None else each))
            for (name, rows), each in zip(said.items(), thresholds.values(), strict=True)
        },
        "reviewers": {name: figures(rows) for name, rows in late.items()},
        "differences": differences,
    }


def _ranked(every: Sequence[Piece], models: Models, model: Model) -> float | None:
    """How often the first token holds a comment likelier on a faulty piece than on a clean one; a coin's is 0.5."""
    chances: dict[bool, list[float]] = {True: [], False: []}
    for piece in every:
        if models.is_asked(piece.question):
            chances[bool(piece.place.faulty)].append(models.chance(piece.question, model))
    pairs = [(bad > good) + (bad == good) / 2 for bad in chances[True] for good in chances[False]]
    return round(sum(pairs) / len(pairs), 4) if pairs else None


def _surest(rows: Sequence[Row], at_most: int) -> list[Row]:
    """With the surest comments alone, at least one; each counts by the weight of its place."""
    sure = sorted(((each.confidence, place.weight) for place, said in rows for each in said), reverse=True)
    together = accumulate(weight for _, weight in sure)
    fitting = [confidence for (confidence, _), weight in zip(sure, together, strict=True) if weight <= at_most]
    return shown(rows, min(fitting, default=sure[0][0] if sure else inf))


def _half(rows: Sequence[Row], *, is_late: bool) -> list[Row]:
    return [row for row in rows if row[0].is_late == is_late]


def _wrong(rows: Sequence[Row]) -> float:
    return float(sum(said - right for right, said, _, _ in map(counts, rows)))


def _churned(files: Sequence[ChangedFile], hunks: Sequence[Row], at_most: int) -> list[Row]:
    """One comment a hunk, on those of the files alone that were changed most often before."""
    often = sorted(range(len(hunks)), key=lambda number: (-files[number].churn, number))
    room, kept = float(at_most), dict[int, Sequence[Remark]]()
    for number in often:
        place, said = hunks[number]
        kept[number] = said[: max(0, round(room / place.weight))]
        room -= place.weight * len(kept[number])
    return [(place, kept[number]) for number, (place, _) in enumerate(hunks)]


def _middle(lines: range) -> Remark:
    at = lines[len(lines) // 2]
    return Remark(first=at, last=at)


def _of_lines(lines: frozenset[int]) -> Remark:
    at = sorted(lines)[len(lines) // 2]
    return Remark(first=at, last=at)


def _within(remarks: Sequence[Remark], lines: frozenset[int]) -> list[Remark]:
    return [each for each in remarks if any(line in lines for line in range(each.first, each.last + 1))]


def _described(history: HeldOutHistory) -> dict[str, Any]:
    return {
        "after": history.state.commit,
        "until": history.commits[-1].sha,
        "commits": len(history.commits),
        "correcting_commits": history.corrections,
        "working_days": history.working_days,
        "own_linter_rules": list(history.own_rules.chosen),
        "linter_rules": [each.rule for each in history.linted],
    }


def _rounded(value: float | None) -> float | None:
    """None, too, for a value that nothing reaches."""
    return None if value is None or value == inf else round(value, 4)
