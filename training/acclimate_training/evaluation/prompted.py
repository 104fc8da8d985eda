"""The opponent that trains nothing: the base, told in its prompt what an adapter would have learnt.

Before what retrieval finds stand the repository's conventions and a few pairs of the training part, in a stable order,
so that the engine's prefix cache holds them. They get as much room again as retrieval has.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace

from acclimate_indexer.dataset import Dataset
from acclimate_indexer.mining.conventions.record import Conventions
from acclimate_indexer.pairs import CompletionPair, Snippet
from acclimate_indexer.prompts import PromptBuilder

CONVENTIONS_PATH = "CONVENTIONS.md"
MAX_RULES = 12  # lines of the conventions' file: the best supported ones, about 200 tokens
SHOWN_PAIRS = 2  # a few examples: each costs a hundred tokens of every prompt
SHOWN_LINES = 6  # around the middle of an example


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompts:
    """How the pairs of one data set are put.

    Attributes:
        builder: As the server asks.
        roomier: With room for the conventions and examples beside what is retrieved.
        conventions: As a file of the prompt; None if none were found.
        shown: Pairs of the training part, by language and kind.
    """

    builder: PromptBuilder
    roomier: PromptBuilder
    repository: str
    conventions: Snippet | None
    shown: dict[tuple[str, str], tuple[Snippet, ...]]

    @classmethod
    def of(cls, dataset: Dataset, builder: PromptBuilder, *, repository: str) -> "Prompts":
        room = replace(builder.budget, context=2 * builder.budget.context)
        return cls(
            builder=builder,
            roomier=builder.with_budget(room),
            repository=repository,
            conventions=conventions_file(dataset.conventions()),
            shown=shown_pairs([*dataset.pairs("train"), *dataset.pairs("train", "documentation")]),
        )

    def lesson(self, pair: CompletionPair) -> tuple[Snippet, ...]:
        """What the prompt says about the repository before a pair of this language and kind."""
        examples = [each for each in self.shown.get((pair.language, pair.kind), ()) if each.path != pair.path]
        return (*([] if self.conventions is None else [self.conventions]), *examples[:SHOWN_PAIRS])


def conventions_file(conventions: Conventions) -> Snippet | None:
    """What the repository does throughout, as a short text."""
    lines = [f"- Use {each.new} instead of {each.old}." for each in conventions.replacements]
    lines += [f"- {each.role}: {each.rule}." for each in conventions.prevalence]
    if not lines:
        return None
    return Snippet(path=CONVENTIONS_PATH, text="\n".join(["# Conventions of this repository", *lines[:MAX_RULES]]))


def shown_pairs(pairs: Iterable[CompletionPair]) -> dict[tuple[str, str], tuple[Snippet, ...]]:
    """The first pairs of each language and kind, one more than are shown: one may be of the file that is asked."""
    shown: dict[tuple[str, str], list[Snippet]] = defaultdict(list)
    for pair in pairs:
        chosen = shown[pair.language, pair.kind]
        if len(chosen) <= SHOWN_PAIRS and all(each.path != pair.path for each in chosen):
            chosen.append(Snippet(path=pair.path, text=_excerpt(pair)))
    return {key: tuple(chosen) for key, chosen in shown.items()}


def _excerpt(pair: CompletionPair) -> str:
    """The middle in its place."""
    before, after = pair.prefix.splitlines(keepends=True), pair.suffix.splitlines(keepends=True)
    return "".join(before[-SHOWN_LINES:]) + pair.middle + "".join(after[: SHOWN_LINES // 2])
