"""Who reviews, and the review itself: all reviewers side by side, duplicates merged.

The language server and the command line both call `findings_of`, and ask `voice` what of it is to be said.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from typing import Protocol

from acclimate_indexer.errors import AcclimateError, RepositoryError
from acclimate_indexer.repository import Repository
from acclimate_indexer.review import finding
from acclimate_indexer.review.finding import Finding
from acclimate_indexer.review.line_map import LineStarts
from acclimate_indexer.review.target import ReviewTarget, without

from .merge import merged
from .voice import most_important

MAX_FINDINGS = 200  # of a reviewer in a file: who gets more has a migration to make, and no review to read

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """What a judgement rests on, by name, and where its evidence is."""

    identity: str
    repository: Repository


class Reviewer(Protocol):
    """One who looks at changed code. What it finds lies in the lines under review."""

    @property
    def name(self) -> finding.Reviewer: ...

    @property
    def looks_again(self) -> bool:
        """Whether it is asked about all changed lines whenever the text is another, not about new ones alone.

        For who costs little, and judges a line by the rest of the text: an import that is not used yet may be so later.
        """
        ...

    @property
    def identity(self) -> str:
        """What its judgement rests on, e.g. the hash of a data set: where that changes, it is asked again."""
        ...

    async def review(self, target: ReviewTarget) -> list[Finding]:
        """What it has to say of the target.

        Raises:
            AcclimateError: It cannot speak; the others can.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What was found, duplicates merged; `silent` says why some reviewers said nothing."""

    found: list[Finding] = field(default_factory=list)
    silent: dict[str, str] = field(default_factory=dict)


async def findings_of(
    target: ReviewTarget, reviewers: Iterable[Reviewer], *, timeout_seconds: float, known: tuple[range, ...] = ()
) -> Findings:
    """What the reviewers find. One who fails, or takes too long, takes nothing away from the others.

    Args:
        known: Lines that only those are asked about who look again.
    """
    new = replace(target, changed=without(target.changed, known))
    targets = [(each, target if each.looks_again else new) for each in reviewers]
    asked = [(each, lines) for each, lines in targets if lines.changed]
    answers = await asyncio.gather(*(_asked(each, lines, timeout_seconds) for each, lines in asked))
    by_reviewer = list(zip((each for each, _ in asked), answers, strict=True))
    return Findings(
        found=merged(
            (found for _, answer in by_reviewer if not isinstance(answer, str) for found in answer),
            LineStarts(target.text.split("\n")),
        ),
        silent={each.name: answer for each, answer in by_reviewer if isinstance(answer, str)},
    )


async def _asked(reviewer: Reviewer, target: ReviewTarget, timeout_seconds: float) -> list[Finding] | str:
    """What a reviewer finds, or why it does not say."""
    try:
        async with asyncio.timeout(timeout_seconds):
            return most_important(await reviewer.review(target), MAX_FINDINGS)
    except TimeoutError:
        why = f"It took longer than `review.timeout_seconds`, {timeout_seconds:g}."
    except AcclimateError as error:
        why = str(error)
    except Exception as error:
        log.exception("A reviewer failed: %s", reviewer.name)
        why = f"It failed: {type(error).__name__}: {error}"
    log.warning("No review of %s by %s: %s", target.path, reviewer.name, why)
    return why


class MinedReviewer:
    """A reviewer that goes by what was mined of a repository, and by what its team says; it asks no model."""

    def __init__(
        self, name: finding.Reviewer, found: Callable[[ReviewTarget], list[Finding]], basis: Basis, executor: Executor
    ) -> None:
        """Takes what it finds in a target, and what that rests on. Both are used in the executor alone."""
        self.name: finding.Reviewer = name
        self.looks_again = True
        self.identity = basis.identity
        self._found = found
        self._repository = basis.repository
        self._executor = executor

    async def review(self, target: ReviewTarget) -> list[Finding]:
        return await asyncio.get_running_loop().run_in_executor(self._executor, self._with_details, target)

    def _with_details(self, target: ReviewTarget) -> list[Finding]:
        return with_details(self._found(target), self._repository)


def with_details(findings: Sequence[Finding], repository: Repository) -> list[Finding]:
    """The findings, their evidence with date and subject as far as the repository has the commits."""
    shas = dict.fromkeys(each.commit for found in findings for each in found.evidence)
    try:
        known = repository.details(list(shas))
    except RepositoryError:
        return list(findings)
    told = {
        sha: {"date": details.time.date().isoformat(), "subject": details.subject} for sha, details in known.items()
    }
    return [
        replace(found, evidence=tuple(replace(each, **told.get(each.commit, {})) for each in found.evidence))
        for found in findings
    ]
