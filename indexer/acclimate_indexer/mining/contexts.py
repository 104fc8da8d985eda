"""Puts retrieved code before pairs, so that an adapter works with retrieval and without.

Of the training pairs half carry retrieved code, a quarter of those nothing but distractors: an adapter must not come to
trust what stands there, nor to need it. Every held-out pair carries what retrieval finds; whoever measures without
leaves it away.
"""

import hashlib
import random
from collections import Counter
from dataclasses import replace

from acclimate_indexer.context.index import ContextIndex
from acclimate_indexer.pairs import CompletionPair
from acclimate_indexer.prompts import Cursor

from .held_out_lines import HeldOutLines
from .progress import Stages, told
from .state import CommitState

CONTEXT_SHARE = 0.5
DISTRACTOR_SHARE = 0.25  # of these
MAX_CONTEXT_CHARACTERS = 3_600  # about 1,000 tokens: twice what a processor's prompt has room for


Parts = tuple[list[CompletionPair], list[CompletionPair], list[CompletionPair]]  # train, validation, test


def in_context(
    state: CommitState, parts: Parts, held_lines: HeldOutLines, *, seed: int, stages: Stages, dropped: Counter[str]
) -> Parts:
    """The pairs with what retrieval finds: for training in the files that are learnt from, else in the whole state."""
    train, validation, test = parts
    total = sum(map(len, parts))
    with stages.stage("index") as advance:
        index = ContextIndex(state.facts(state.learnt_files(), advance), state.text_of_path())
    with stages.stage("context") as advance:
        found = [with_context(pair, index, seed, CONTEXT_SHARE) for pair in told(train, advance, total)]
        train = [_without_held_out(pair, held_lines, dropped) for pair in found]
        for file in state.held_out_files():
            index.replace(file.path, state.analyses[file.path].facts())
        advance(len(train), total)
        validation = [with_context(pair, index, seed, 1.0) for pair in validation]
        advance(len(train) + len(validation), total)
        test = [with_context(pair, index, seed, 1.0) for pair in test]
    return train, validation, test


def _without_held_out(pair: CompletionPair, held_lines: HeldOutLines, dropped: Counter[str]) -> CompletionPair:
    """Documentation may quote what is held out."""
    if not pair.context or not any(held_lines.found_in(snippet.text) for snippet in pair.context):
        return pair
    dropped["context_held_out"] += 1
    return replace(pair, context=())


def with_context(pair: CompletionPair, index: ContextIndex, seed: int, share: float) -> CompletionPair:
    """The pair, in a share of the cases with context. Whether, the pair alone decides."""
    named = f"{seed}\0{pair.path}\0{pair.commit}\0{len(pair.prefix)}\0{pair.middle}".encode("utf-8", errors="replace")
    choice = random.Random(int.from_bytes(hashlib.sha256(named).digest()[:8]))  # noqa: S311 - repeatable, not secret
    if choice.random() >= share:
        return pair
    cursor = Cursor(path=pair.path, language=pair.language, prefix=pair.prefix, suffix=pair.suffix)
    if share < 1 and choice.random() < DISTRACTOR_SHARE:
        return replace(pair, context=index.distractors(cursor, choice, MAX_CONTEXT_CHARACTERS))
    return replace(pair, context=index.snippets(cursor, max_characters=MAX_CONTEXT_CHARACTERS))
