"""Which held-out hunks are asked about, and how each is put to base and adapter."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial

from acclimate_indexer.dataset import Dataset
from acclimate_indexer.languages.language import Language
from acclimate_indexer.languages.registry import language_named
from acclimate_indexer.pairs import ReviewPair
from acclimate_indexer.prompts import PromptBuilder

from ...encoding import Example
from ...reviewing.asking import Prompt
from ...reviewing.prompts import ReviewPrompts
from ..contenders import Model
from ..questions import file_balanced

REVIEWERS: tuple[Model, ...] = ("adapter", "base")


@dataclass(frozen=True, kw_only=True)
class ReviewQuestion:
    """A held-out hunk, and how it is put. Results are stored under the digest of what was asked.

    Not slotted, so that the digests are remembered.
    """

    pair: ReviewPair
    language: Language
    prompts: Mapping[Model, ReviewPrompts]

    def prompt(self, model: Model) -> Prompt:
        """How this model is asked about a hunk that stands where this one does."""
        return partial(self.prompts[model].prompt, path=self.pair.path, language=self.pair.language)

    def digest(self, model: Model) -> str:
        """Under which name what this model holds of it is stored."""
        return self._digests[model]

    @cached_property
    def _digests(self) -> dict[Model, str]:
        return dict(zip(self.prompts, map(self._digest_of, self.prompts), strict=True))

    def _digest_of(self, model: Model) -> str:
        return Example(prompt=tuple(self.prompt(model)(self.pair.hunk)), target=(), kind="review").digest()


def review_questions(
    dataset: Dataset, builder: PromptBuilder, *, repository: str, seed: int, rules: str = ""
) -> list[ReviewQuestion]:
    """The held-out hunks of a data set, one of every file before a second of any.

    Those of the validation part are asked, too: they are as unseen as the others, and there are never enough.
    """
    prompts: dict[Model, ReviewPrompts] = {
        "adapter": ReviewPrompts.of_adapter(builder, repository=repository, rules=rules),
        "base": ReviewPrompts.of_base(
            builder,
            repository=repository,
            trained_on=dataset.reviews("train"),
            conventions=dataset.conventions(),
            rules=rules,
        ),
    }
    held_out = [*dataset.reviews("test"), *dataset.reviews("validation")]
    return list(_questions(file_balanced(held_out, seed=seed), prompts))


def _questions(pairs: Iterable[ReviewPair], prompts: Mapping[Model, ReviewPrompts]) -> Iterable[ReviewQuestion]:
    hunks: set[str] = set()
    for pair in pairs:
        language = language_named(pair.language)
        if language is not None and pair.hunk not in hunks:
            hunks.add(pair.hunk)
            yield ReviewQuestion(pair=pair, language=language, prompts=prompts)
