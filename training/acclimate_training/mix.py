"""What a training is fed, and in which proportions: the most useful first, each kind with its share from the front.

However short a run is, its first pairs are mixed as a long run's are. Where one kind has no more pairs, the others fill
its places.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice

from acclimate_indexer.pairs import CompletionPair, ReviewPair
from acclimate_indexer.prompts import PromptBuilder

from .encoding import Example, encoded_review, training_examples
from .recipe import ExampleKind, Recipe


def lessons(
    pairs: Mapping[ExampleKind, Iterable[CompletionPair]],
    reviews: Iterable[ReviewPair],
    builder: PromptBuilder,
    recipe: Recipe,
    *,
    repository: str,
    at_most: int,
) -> list[Example]:
    """Examples of all kinds in the recipe's mix; `pairs` holds the kinds `completion`, `documentation`, `general`.

    Encoding a pair takes milliseconds, so that no more than `at_most` of a kind are.
    """
    found: dict[ExampleKind, Sequence[Example]] = {
        kind: training_examples(
            islice(some, at_most),
            builder,
            repository=repository,
            max_target_tokens=recipe.max_target_tokens,
            retrieval_share=recipe.retrieval_share,
            around_weight=recipe.around_weight,
            kind=kind,
        )
        for kind, some in pairs.items()
    }
    asked = (encoded_review(pair, builder, repository=repository) for pair in islice(reviews, at_most))
    found["review"] = [example for example in asked if len(example.target) <= recipe.max_target_tokens]
    return list(islice(mixed(found, recipe.shares), at_most))


def mixed(found: Mapping[ExampleKind, Sequence[Example]], shares: Mapping[ExampleKind, float]) -> Iterator[Example]:
    """All examples of kinds with a share; every beginning holds the kinds in their shares, as near as may be."""
    left: dict[ExampleKind, Iterator[Example]] = {
        kind: iter(found.get(kind, ())) for kind, share in shares.items() if share > 0
    }
    given: Counter[ExampleKind] = Counter(dict.fromkeys(left, 0))
    while left:
        whole, so_far = sum(shares[each] for each in left), given.total() + 1
        kind = max(left, key=lambda each: shares[each] / whole * so_far - given[each])
        example = next(left[kind], None)
        if example is None:
            del left[kind]  # the others take its places
            del given[kind]
        else:
            given[kind] += 1
            yield example


def kinds_trained(examples: Iterable[Example]) -> dict[ExampleKind, int]:
    """How many different pairs of each kind a training saw."""
    return dict(Counter(example.kind for example in {each.digest(): each for each in examples}.values()))
