"""What a model is asked about a hunk: whether there is anything to say, what, and whether its fix settles that.

The first question takes one token, and most hunks end with it. It is put without any structure: only then do the
engine's probabilities tell how sure the model is, since a structure allows nothing else.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from acclimate_indexer.languages.language import Language
from acclimate_indexer.pairs import ReviewComment

from ..engine import PRIORITY_REVIEW, EngineClient
from .answers import COMMENT, MAX_TOKENS, Chance, Said, chance_of, parsed, said_by
from .checks import corrected, flaw

Prompt = Callable[[str], Sequence[int]]  # of a hunk


@dataclass(frozen=True, slots=True, kw_only=True)
class Opinion:
    """What a model holds of a hunk.

    Attributes:
        chance: That it comments.
        said: What it says then; None if that was not asked.
        settled: How likely it is to say nothing of the hunk with its suggestion; None if that was not asked.
    """

    chance: Chance
    said: Said | None = None
    settled: float | None = None

    @property
    def confidence(self) -> float:
        """That a comment is called for, stands where it should, and that its fix leaves nothing to say.

        It falls with every question, so that one that is too low early needs no more of them.
        """
        placed = 1.0 if self.said is None else self.said.placed
        settled = 1.0 if self.settled is None else self.settled
        return self.chance.comment * placed * settled

    def comment(self, hunk: str, language: Language) -> ReviewComment | None:
        """The comment, if it is one that may be shown."""
        if self.said is None or not self.said.is_whole:
            return None
        found = parsed(self.said.text, line_count=hunk.count("\n") + 1)
        return None if found is None or flaw(found, hunk, language) else found


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Puts the questions to one model of an engine.

    Attributes:
        stop_ids: Tokens that end an answer.
    """

    client: EngineClient
    model: str
    stop_ids: Sequence[int]
    priority: int = PRIORITY_REVIEW

    async def opinion(
        self, hunk: str, language: Language, prompt: Prompt, *, at_least: float, least_chance: float
    ) -> Opinion:
        """What the model holds of a hunk; where its confidence would be too low no more is asked.

        Raises:
            EngineError: It cannot be asked.
        """
        opinion = Opinion(chance=await self.chance(prompt(hunk)))
        if opinion.confidence < max(at_least, least_chance):
            return opinion
        return await self.pursued(opinion, hunk, language, prompt, at_least=at_least)

    async def pursued(
        self, opinion: Opinion, hunk: str, language: Language, prompt: Prompt, *, at_least: float = 0.0
    ) -> Opinion:
        """The same with what the model says, and, if that can be used, with its second look."""
        opinion = replace(opinion, said=await self._said(prompt(hunk)))
        comment = opinion.comment(hunk, language)
        if comment is None or opinion.confidence < at_least:
            return opinion
        after = await self.chance(prompt(corrected(comment, hunk)))
        return replace(opinion, settled=1.0 - after.comment)

    async def chance(self, prompt: Sequence[int]) -> Chance:
        """How likely the model is to comment on the hunk of this prompt."""
        return chance_of(await self.client.next_tokens(prompt, model=self.model, priority=self.priority))

    async def _said(self, prompt: Sequence[int]) -> Said:
        """What the model says if it has to say something: whether it should is for `chance` to tell."""
        completion = await self.client.complete(
            prompt,
            model=self.model,
            max_tokens=MAX_TOKENS,
            stop_token_ids=self.stop_ids,
            priority=self.priority,
            pattern=COMMENT,
        )
        return said_by(completion)
