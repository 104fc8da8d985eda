"""The adapter among the reviewers: only where its evaluation proved that it should speak."""

from dataclasses import dataclass

from acclimate_indexer.review import finding
from acclimate_indexer.review.finding import Finding
from acclimate_indexer.review.rules import TeamRules
from acclimate_indexer.review.target import ReviewTarget
from acclimate_training.adapter import Adapter
from acclimate_training.engine import EngineClient
from acclimate_training.reviewing.reviewer import ModelReviewer
from acclimate_training.reviewing.verdict import review_verdict_of

from ..completion.base_model import Prompts
from ..settings import ReviewSettings

NOT_WANTED = "`review.model`"
NO_ADAPTER = "no adapter of this repository is in use"


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """Whether a model speaks; `why_not` says why none does, and is empty where `reviewer` is given."""

    reviewer: ModelReviewer | None = None
    why_not: str = ""


def why_silent(adapter: Adapter | None, wanted: ReviewSettings) -> str:
    """Why no model speaks, whatever engine there is; empty if the adapter does."""
    if wanted.model == "never":
        return NOT_WANTED
    if adapter is None:
        return NO_ADAPTER
    verdict = review_verdict_of(adapter.record)
    return "" if verdict.is_on else verdict.reason


def voice_of(
    adapter: Adapter | None, client: EngineClient | None, prompts: Prompts | None, wanted: ReviewSettings
) -> Voice:
    """The adapter that is loaded in an engine, as a reviewer.

    Args:
        client: None, as is `prompts`, while no engine is ready.
    """
    why_not = why_silent(adapter, wanted)
    if why_not or adapter is None or client is None or prompts is None:
        return Voice(why_not=why_not or NO_ADAPTER)
    verdict = review_verdict_of(adapter.record)
    reviewer = ModelReviewer(
        client=client,
        builder=prompts.of(adapter.prompt_budget),
        model=adapter.version,
        repository=adapter.repository,
        threshold=verdict.threshold,
        least_chance=verdict.least_chance,
    )
    return Voice(reviewer=reviewer)


def model_words(why_not: str, version: str | None) -> str:
    """For people: who speaks, or why nobody does."""
    return f"off: {why_not}" if why_not else f"the adapter {version}"


class SpeakingModel:
    """The model with what the team asks of its reviewers."""

    name: finding.Reviewer = "model"
    looks_again = False  # dozens of tokens for each piece of code

    def __init__(self, reviewer: ModelReviewer, rules: TeamRules, *, identity: str) -> None:
        self.identity = identity
        self._reviewer = reviewer
        self._rules = rules

    async def review(self, target: ReviewTarget) -> list[Finding]:
        return list(self._rules.worded(await self._reviewer.review(target, rules=self._rules.prose)))
