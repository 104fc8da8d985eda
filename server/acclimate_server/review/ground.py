"""What reviews of a work tree rest on: the text as it was committed, conventions, and what was dismissed.

All of it reads the disk or git. It is for one thread: the session's for reviews, so that a completion never waits.
"""

import asyncio
import hashlib
from concurrent.futures import Executor
from dataclasses import dataclass, field
from functools import partial

from acclimate_indexer.dataset import newest_dataset
from acclimate_indexer.errors import DatasetError
from acclimate_indexer.feedback import FeedbackStore
from acclimate_indexer.home import RepositoryHome
from acclimate_indexer.mining.conventions.record import Conventions
from acclimate_indexer.repository import Repository
from acclimate_indexer.review.conventions import convention_findings
from acclimate_indexer.review.dismissal_log import Scope
from acclimate_indexer.review.dismissals import Dismissals, dismiss
from acclimate_indexer.review.finding import Finding
from acclimate_indexer.review.lasting import still_holds
from acclimate_indexer.review.linter import linter_findings
from acclimate_indexer.review.rules import TeamRules
from acclimate_indexer.review.target import ReviewTarget

from ..settings import ReviewSettings
from .model import SpeakingModel, Voice, model_words
from .reviewers import Basis, MinedReviewer, Reviewer
from .team import team_rules
from .trusted import trusted_linters, trusted_words

NO_LINTED_RULES = "no rule of ruff's is one that this repository was seen to act upon"
DIGEST_CHARACTERS = 16
LINTERS_AT_ONCE = 2  # each takes a core for a second or more


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """The reviewers of a repository, and for the status what each goes by, or why it is silent."""

    reviewers: tuple[Reviewer, ...]
    words: dict[str, str]

    @property
    def basis(self) -> tuple[tuple[str, str], ...]:
        """What their judgement rests on."""
        return tuple((each.name, each.identity) for each in self.reviewers)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Mined:
    """What is known of a repository; `reason` says why nothing is."""

    conventions: Conventions = field(default_factory=Conventions)
    identity: str = ""
    reason: str = ""

    @property
    def is_mined(self) -> bool:
        return bool(self.identity)


class Ground:
    """One work tree. Not for use by several threads at once."""

    def __init__(self, repository: Repository, home: RepositoryHome) -> None:
        self.repository = repository
        self.home = home
        self._known = _Mined()
        self._dismissals = Dismissals()
        self._dismissed_at: tuple[int, int] | None = None
        self._linting = asyncio.Semaphore(LINTERS_AT_ONCE)

    def panel(self, wanted: ReviewSettings, voice: Voice, executor: Executor) -> Panel:
        """Who reviews here.

        Args:
            executor: What runs this thread, and no other.
        """
        known, rules = self._mined(), self.rules(wanted)
        basis = Basis(identity=f"{known.identity}/{_digest(rules)}", repository=self.repository)
        reviewers: list[Reviewer] = []
        if known.is_mined or rules.pinned:
            holds = partial(still_holds, self.repository)
            speak = partial(convention_findings, conventions=known.conventions, rules=rules, still_holds=holds)
            reviewers.append(MinedReviewer("conventions", speak, basis, executor))
        if known.conventions.linted:
            reviewers.append(MinedReviewer("linter", partial(_linted, known.conventions, rules), basis, executor))
        if wanted.trust_linters and self.repository.work_tree is not None:
            reviewers += trusted_linters(self.repository.work_tree, rules, self._linting)
        if voice.reviewer is not None:
            identity = f"{voice.reviewer.model}/{_digest(rules)}"
            reviewers.append(SpeakingModel(voice.reviewer, rules, identity=identity))
        return Panel(reviewers=tuple(reviewers), words=self._words(known, wanted, _words_of(voice)))

    def words(self, wanted: ReviewSettings, model: str) -> dict[str, str]:
        """For people: what each reviewer goes by here, or why it is silent; of the model what it is told."""
        return self._words(self._mined(), wanted, model)

    def rules(self, wanted: ReviewSettings) -> TeamRules:
        """What the team says."""
        return TeamRules() if self.repository.work_tree is None else team_rules(self.repository.work_tree, wanted.rules)

    def dismissals(self) -> Dismissals:
        """What was dismissed, by whatever editor: read again when the file has changed."""
        if self.has_news():
            self._dismissed_at = self._feedback_stamp()
            self._dismissals = Dismissals.read(FeedbackStore(self.home.feedback))
        return self._dismissals

    def dismiss(self, found: Finding, target: ReviewTarget, scope: Scope) -> None:
        """Remembers that somebody does not want to hear this.

        Raises:
            DiskFull: There is no room.
        """
        dismiss(FeedbackStore(self.home.feedback), found, target, scope=scope, commit=self.repository.head())

    def has_news(self) -> bool:
        """Whether something was dismissed since they were read."""
        return self._feedback_stamp() != self._dismissed_at

    def _feedback_stamp(self) -> tuple[int, int]:
        try:
            found = self.home.feedback.stat()
        except OSError:
            return 0, 0
        return found.st_mtime_ns, found.st_size

    def _words(self, known: _Mined, wanted: ReviewSettings, model: str) -> dict[str, str]:
        return {
            "conventions": f"off: {known.reason}" if known.reason else conventions_words(known.conventions),
            "linter": self._linter_words(known, wanted),
            "model": model,
        }

    def _linter_words(self, known: _Mined, wanted: ReviewSettings) -> str:
        rules = [each.rule for each in known.conventions.linted]
        tree = self.repository.work_tree if wanted.trust_linters else None
        own, missing = ([], []) if tree is None else trusted_words(tree)
        asked = [*([f"ruff's {', '.join(rules)}"] if rules else []), *own]
        return "; ".join([*asked, *missing]) if asked else f"off: {'; '.join([NO_LINTED_RULES, *missing])}"

    def _mined(self) -> _Mined:
        """The conventions of the newest data set, which are read once."""
        try:
            dataset = newest_dataset(self.home)
            if self._known.identity != dataset.hash:
                self._known = _Mined(conventions=dataset.conventions(), identity=dataset.hash)
        except DatasetError as error:
            return _Mined(reason=str(error))
        return self._known


def conventions_words(conventions: Conventions) -> str:
    """How much is known, for people."""
    replacements, habits = len(conventions.replacements), len(conventions.prevalence)
    return f"{_counted(replacements, 'replacement')} and {_counted(habits, 'habit')} known"


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _words_of(voice: Voice) -> str:
    return model_words(voice.why_not, None if voice.reviewer is None else voice.reviewer.model)


def _linted(conventions: Conventions, rules: TeamRules, target: ReviewTarget) -> list[Finding]:
    return list(rules.worded(linter_findings(target, conventions.linted)))


def _digest(rules: TeamRules) -> str:
    said = (rules.prose, rules.pinned, sorted(rules.on), sorted(rules.off), sorted(rules.words.items()))
    return hashlib.sha256(repr(said).encode("utf-8", errors="replace")).hexdigest()[:DIGEST_CHARACTERS]
