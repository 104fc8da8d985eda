"""Puts retrieved code before pairs, so that an adapter works with retrieval and without.

Of the training pairs half carry retrieved code, a quarter of those nothing but distractors: an adapter must not come to
trust what stands there, nor to need it. Every held-out pair carries what retrieval finds; whoever measures without
leaves it away.
"""

import hashlib
import random
from collections.abc import Callable, Iterable
from dataclasses import replace

from acclimate_indexer.context.index import ContextIndex
from acclimate_indexer.pairs import CompletionPair
from acclimate_indexer.prompts import Cursor

CONTEXT_SHARE = 0.5
DISTRACTOR_SHARE = 0.25  # of these
MAX_CONTEXT_CHARACTERS = 3_600  # about 1,000 tokens: twice what a processor's prompt has room for


def with_contexts(
    pairs: Iterable[CompletionPair], index: ContextIndex, *, seed: int, share: float, report: Callable[[int], None]
) -> list[CompletionPair]:
    """The pairs, a share of them with context. Which, a pair alone decides."""
    found = []
    for number, pair in enumerate(pairs):
        found.append(_with_context(pair, index, seed, share))
        report(number)
    return found


def _with_context(pair: CompletionPair, index: ContextIndex, seed: int, share: float) -> CompletionPair:
    named = f"{seed}\0{pair.path}\0{pair.commit}\0{len(pair.prefix)}\0{pair.middle}".encode("utf-8", errors="replace")
    choice = random.Random(int.from_bytes(hashlib.sha256(named).digest()[:8]))  # noqa: S311 - repeatable, not secret
    if choice.random() >= share:
        return pair
    cursor = Cursor(path=pair.path, language=pair.language, prefix=pair.prefix, suffix=pair.suffix)
    if share < 1 and choice.random() < DISTRACTOR_SHARE:
        return replace(pair, context=index.distractors(cursor, choice, MAX_CONTEXT_CHARACTERS))
    return replace(pair, context=index.snippets(cursor, max_characters=MAX_CONTEXT_CHARACTERS))
