"""Faults that were planted, and the sound twin of each: which are seen, and which of the twins are commented on.

One set is written by hand (`seeded_faults`). The other is made of functions of the repository that came after the
split, spoiled as the miner spoils others for training (`mining.faults`): the adapter has learnt from faults of this
make, the base has not. What no model is ever shown (a secret) is counted as missed, and as withheld.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from textwrap import dedent
from typing import Any

from benchmarks.asked_reviews import Models
from benchmarks.held_out_history import HeldOutHistory
from benchmarks.line_scores import Remark
from benchmarks.review_conventions import share_interval
from benchmarks.seeded_faults import SEEDED_FAULTS

from acclimate_indexer.filters.personal import personal_spans
from acclimate_indexer.filters.secrets import has_secret
from acclimate_indexer.languages.language import Language
from acclimate_indexer.languages.registry import language_named
from acclimate_indexer.linting import lints
from acclimate_indexer.mining.conventions.record import LintedRule
from acclimate_indexer.mining.faults import FAULTS
from acclimate_indexer.mining.reviews.surroundings import MAX_HUNK_LINES, whole_lines
from acclimate_indexer.mining.seeded import spoiled
from acclimate_indexer.pairs import ReviewComment, ReviewPair
from acclimate_indexer.review.linter import FAULTS as FAULT_RULES
from acclimate_training.evaluation.contenders import Model
from acclimate_training.evaluation.reviews.questions import ReviewQuestion

KINDS = frozenset(each.kind for each in SEEDED_FAULTS)
BY_HAND, OF_THE_REPOSITORY = "by_hand", "of_the_repository"
MAX_OF_A_KIND = 8  # of the repository's own functions: a minute of asking for all
MIN_LINES = 4  # a shorter function is nothing to review
EVEN = 0.5  # of the chance of a comment: more likely than none
PATH = "shop/parts.py"  # of what was written by hand: it must not tell what is wrong
UNKNOWN_NAMES = ("F401", "F811", "F821")  # of a function that stands by itself: they say nothing about it


@dataclass(frozen=True, slots=True, kw_only=True)
class SeededQuestion:
    """One side of a pair; `faulty` are the lines that were spoiled, counted from 0, and none in the sound twin."""

    origin: str
    kind: str
    pair: int
    faulty: range | None
    question: ReviewQuestion

    @property
    def code(self) -> str:
        return self.question.pair.hunk

    @property
    def is_withheld(self) -> bool:
        return has_secret(self.code) or bool(personal_spans(self.code))

    def is_hit(self, remark: Remark) -> bool:
        """Whether the remark is about the fault; in a twin every remark is about none."""
        return self.faulty is None or any(map(remark.is_near, self.faulty))


def seeded_questions(history: HeldOutHistory, models: Models) -> list[SeededQuestion]:
    """Both sides of all pairs, one of every kind before a second of any: there may be no time for all."""
    python = language_named("python")
    assert python is not None, "one of the languages that come along"
    found: list[SeededQuestion] = []
    for number, fault in enumerate(SEEDED_FAULTS):
        pair = _pair(fault.code)
        found += _sides(BY_HAND, fault.kind, number, pair, fault.spoiled, models, python)
    for number, (kind, pair, bad, language) in enumerate(_of_the_repository(history)):
        found += _sides(OF_THE_REPOSITORY, kind, number, pair, bad, models, language)
    nth: Counter[tuple[str, str]] = Counter()
    turn: dict[tuple[str, int], int] = {}
    for each in found[::2]:
        turn[each.origin, each.pair] = nth[each.origin, each.kind]
        nth[each.origin, each.kind] += 1
    return sorted(found, key=lambda each: (each.origin, turn[each.origin, each.pair], each.pair))


def seeded_figures(questions: Sequence[SeededQuestion], models: Models, linted: Sequence[LintedRule]) -> dict[str, Any]:
    """Recall and false alarms of each reviewer, together and by kind."""
    figures: dict[str, Any] = {}
    for origin in (BY_HAND, OF_THE_REPOSITORY):
        some = [each for each in questions if each.origin == origin]
        if some:
            said = {"linter_reviewer": _linted(some, [each.rule for each in linted])}
            said |= {"ruff_faults": _linted(some, FAULT_RULES)}
            figures[origin] = {"pairs": len(some) // 2, **{name: _shares(some, each) for name, each in said.items()}}
            for model in models.stores:
                figures[origin]["prompted_base" if model == "base" else model] = _of_a_model(some, models, model)
    return figures


def _of_a_model(questions: Sequence[SeededQuestion], models: Models, model: Model) -> dict[str, Any]:
    """A model speaks where its first token holds a comment likelier than none, wherever it would stand.

    In a function of a few lines that makes little of a difference, so recall is what it is at best.
    """
    known = models.stores[model].reviews
    asked = [each for each in questions if each.is_withheld or each.question.digest(model) in known]
    speaks = {
        number: [Remark(first=0, last=len(each.code))]
        for number, each in enumerate(asked)
        if not each.is_withheld and models.chance(each.question, model) > EVEN
    }
    return {"asked": len(asked), **_shares(asked, speaks), **_ranked(asked, models, model)}


def _ranked(questions: Sequence[SeededQuestion], models: Models, model: Model) -> dict[str, Any]:
    """How often a comment is held likelier on the fault than on its twin; a tie counts half, as a coin would."""
    chances: dict[int, dict[bool, float]] = defaultdict(dict)
    for each in questions:
        if not each.is_withheld:
            chances[each.pair][each.faulty is not None] = models.chance(each.question, model)
    whole = [both for both in chances.values() if len(both) == 2]
    if not whole:
        return {}
    right = sum(both[True] > both[False] for both in whole)
    ties = sum(both[True] == both[False] for both in whole)  # of numbers with eight bits of precision many are
    return {"fault_likelier_than_twin": round((right + ties / 2) / len(whole), 4), "pairs": len(whole), "ties": ties}


def _linted(questions: Sequence[SeededQuestion], rules: Sequence[str]) -> dict[int, list[Remark]]:
    found: dict[int, list[Remark]] = defaultdict(list)
    files = {
        str(number): (each.question.pair.path, f"{dedent(each.code)}\n")  # a method stands by itself, too
        for number, each in enumerate(questions)
        if each.question.pair.language == "python"
    }
    for name, lint in lints(files, rules=rules) if rules else ():
        if not lint.rule.startswith(UNKNOWN_NAMES):
            found[int(name)].append(Remark(first=lint.line, last=lint.line))
    return found


def _shares(questions: Sequence[SeededQuestion], remarks: dict[int, list[Remark]]) -> dict[str, Any]:
    kinds: dict[str, Counter[str]] = defaultdict(Counter)
    for number, each in enumerate(questions):
        is_hit = any(map(each.is_hit, remarks.get(number, ())))
        side = "twins" if each.faulty is None else "faults"
        hits = "alarms" if each.faulty is None else "seen"
        kinds[each.kind].update({side: 1, hits: int(is_hit), "withheld": int(each.is_withheld)})
    total = sum(kinds.values(), Counter[str]())
    return _share(total) | {"by_kind": {kind: _share(counted) for kind, counted in sorted(kinds.items())}}


def _share(counted: Counter[str]) -> dict[str, Any]:
    shares: dict[str, Any] = {"faults": counted["faults"], "twins": counted["twins"], "withheld": counted["withheld"]}
    for name, hits, of in (("recall", "seen", "faults"), ("false_alarms", "alarms", "twins")):
        if counted[of]:
            shares[name] = round(counted[hits] / counted[of], 4)
            shares[f"{name}_interval"] = [round(end, 4) for end in share_interval(counted[hits], counted[of])]
    return shares


def _of_the_repository(history: HeldOutHistory) -> Iterator[tuple[str, ReviewPair, str, Language]]:
    """Functions that hold a line which came after the split, each spoiled once."""
    planted: Counter[str] = Counter()
    seen: set[str] = set()
    for file in reversed(history.reviewable):
        source = file.target.source
        for symbol in source.outline.symbols:
            lines = source.lines(symbol.span)
            is_short = MIN_LINES <= len(lines) <= MAX_HUNK_LINES
            if symbol.kind != "function" or not symbol.body or not is_short or file.lines.isdisjoint(lines):
                continue
            text = whole_lines(source, lines.start, lines.stop - 1).text
            clean = ReviewPair(
                language=source.language.name,
                path=source.path,
                commit=file.commit,
                hunk=text,
                comment=None,
                source="seeded",
            )
            fitting = [each for each in FAULTS if each.kind in KINDS and clean.language in each.languages]
            for fault in sorted(fitting, key=lambda each: planted[each.kind]):
                found = spoiled(fault, source, symbol, clean) if planted[fault.kind] < MAX_OF_A_KIND else None
                if found is not None and text not in seen:
                    seen.add(text)
                    planted[fault.kind] += 1
                    yield fault.kind, clean, found.positive.hunk, source.language
                    break


def _pair(code: str) -> ReviewPair:
    return ReviewPair(language="python", path=PATH, commit="", hunk=code, comment=None, source="seeded")


def _sides(
    origin: str, kind: str, number: int, clean: ReviewPair, bad: str, models: Models, language: Language
) -> list[SeededQuestion]:
    faulty = spoiled_lines(clean.hunk, bad)
    comment = ReviewComment(line=faulty.start + 1, lines=len(faulty), severity="warning", message="", suggestion="")
    sides = (
        (None, clean),
        (faulty, ReviewPair(**{**clean.to_json(), "hunk": bad, "comment": comment})),
    )
    return [
        SeededQuestion(origin=origin, kind=kind, pair=number, faulty=lines, question=models.question(pair, language))
        for lines, pair in sides
    ]


def spoiled_lines(sound: str, bad: str) -> range:
    """The lines of the bad text that differ; where lines are only missing, the one that took their place."""
    blocks = SequenceMatcher(None, sound.split("\n"), bad.split("\n"), autojunk=False).get_opcodes()
    changed = [(start, stop) for tag, _, _, start, stop in blocks if tag != "equal"]
    first = min(start for start, _ in changed)
    return range(first, max(first + 1, *(stop for _, stop in changed)))
