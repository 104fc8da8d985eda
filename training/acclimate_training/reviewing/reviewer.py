"""The adapter as a reviewer of what was changed."""

import asyncio
from dataclasses import dataclass
from functools import partial

from acclimate_indexer.mining.source import Source
from acclimate_indexer.pairs import ReviewComment
from acclimate_indexer.prompts import PromptBuilder
from acclimate_indexer.review.finding import Edit, Finding
from acclimate_indexer.review.target import ReviewTarget
from acclimate_indexer.syntax import Span

from ..engine import EngineClient
from .asking import Asker
from .hunks import MAX_HUNKS, Hunk, hunks_of
from .prompts import ReviewPrompts

CODE = "model"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelReviewer:
    """Asks one model of one engine.

    Attributes:
        builder: With the budget that the model was trained with.
        model: How the engine calls it.
        repository: The name in the prompts' header, as it was trained with.
        threshold: The confidence from which on a comment is a finding.
        least_chance: Of a comment on a hunk, for it to be asked about any further.
    """

    client: EngineClient
    builder: PromptBuilder
    model: str
    repository: str
    threshold: float
    least_chance: float

    async def review(self, target: ReviewTarget, *, rules: str = "", at_most: int = MAX_HUNKS) -> list[Finding]:
        """What the model has to say of the changed lines, the surest first.

        Cancelling ends the request that runs. One hunk is asked after the other, so that completions find room.

        Args:
            rules: What the team asks of its reviewers, in plain words.
            at_most: Hunks that are asked about, from the beginning of the file.

        Raises:
            EngineError: The engine cannot be asked about all of them.
        """
        prompts = ReviewPrompts.of_adapter(self.builder, repository=self.repository, rules=rules)
        found: list[Finding] = []
        for hunk in await asyncio.to_thread(hunks_of, target, self.builder, at_most=at_most):
            found += await self._findings(hunk, target, prompts)
        return sorted(found, key=lambda each: each.confidence or 0.0, reverse=True)

    async def _findings(self, hunk: Hunk, target: ReviewTarget, prompts: ReviewPrompts) -> list[Finding]:
        """One, or none."""
        language = target.source.language
        asker = Asker(client=self.client, model=self.model, stop_ids=self.builder.stop_ids)
        prompt = partial(prompts.prompt, path=target.path, language=language.name)
        opinion = await asker.opinion(
            hunk.place.text, language, prompt, at_least=self.threshold, least_chance=self.least_chance
        )
        comment = opinion.comment(hunk.place.text, language)
        if comment is None or opinion.confidence < self.threshold:
            return []
        first = hunk.place.first + comment.line - 1
        if not any(hunk.is_changed(line) for line in range(first, first + comment.lines)):
            return []
        return [_finding(comment, first, target, opinion.confidence)]


def _finding(comment: ReviewComment, first: int, target: ReviewTarget, confidence: float) -> Finding:
    message = " ".join(comment.message.split())
    return Finding(
        path=target.path,
        span=_underlined(target.source, first, comment.lines),
        severity=comment.severity,
        reviewer="model",
        code=CODE,
        subject=message,
        message=message,
        fix=(_edit(target.source, first, comment),),
        confidence=confidence,
    )


def _underlined(source: Source, first: int, count: int) -> Span:
    """The lines, without the white space around them."""
    start, end = source.line_starts[first], _end(source, first + count - 1)
    code = source.text[start:end]
    return (
        Span(start, end)
        if not code.strip()
        else Span(start + len(code) - len(code.lstrip()), start + len(code.rstrip()))
    )


def _edit(source: Source, first: int, comment: ReviewComment) -> Edit:
    """What puts the suggestion in place of the lines; where there is none, their line breaks go, too."""
    start, end = source.line_starts[first], _end(source, first + comment.lines - 1)
    if not comment.suggestion:
        return Edit(span=Span(start, min(len(source.text), end + 1)), text="")
    return Edit(span=Span(start, end), text=comment.suggestion)


def _end(source: Source, line: int) -> int:
    """Where a line ends, before its line break."""
    return source.line_end(source.line_starts[line])
