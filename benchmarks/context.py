"""Our retrieval against a plain one: bm25s, the five best windows of 64 lines, at the same number of tokens.

Pairs are the held-out ones of a repository, in the state at its split. Two figures: which share of the identifiers that
belong into the middle, and are not in sight of the cursor, retrieval shows; and, with `ACCLIMATE_TEST_MODEL`, the loss
of the middle in nats a token that the base model has with what it is shown. With `ACCLIMATE_EMBEDDING_MODEL`
embeddings take part. Without repositories, one is made of the standard library.
"""

import argparse
import json
import os
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.embeddings import Embeddings
from benchmarks.indexer import standard_library

from acclimate_indexer.blob_store import BlobStore
from acclimate_indexer.context.index import ContextIndex
from acclimate_indexer.context.terms import terms
from acclimate_indexer.dataset import mine
from acclimate_indexer.home import Home
from acclimate_indexer.mining.options import MiningOptions
from acclimate_indexer.mining.state import CommitState
from acclimate_indexer.models import LocalModel
from acclimate_indexer.pairs import CompletionPair, Snippet
from acclimate_indexer.prompts import Cursor, PromptBudget, PromptBuilder
from acclimate_indexer.repository import Repository
from acclimate_training.evaluation.intervals import Observation, estimate

WINDOW_LINES, WINDOWS = 64, 5  # of the plain retrieval
QUERY_LINES = 6  # before the cursor, for the plain retrieval; with 20 it finds less on average
BUDGETS = (512, 1_024)  # tokens of context
CHARACTERS_PER_TOKEN = 3.0  # few enough that all of it fits the budget: code has about 3.4
PAIRS, LOSS_PAIRS = 300, 80

_IDENTIFIER = re.compile(r"[^\W\d]\w{2,}")
Retrieve = Callable[[CompletionPair, int], tuple[Snippet, ...]]


def main(repositories: Sequence[Path] = ()) -> dict[str, Any]:
    """Figures by repository."""
    with tempfile.TemporaryDirectory(prefix="acclimate-bench-") as temporary:
        folder = Path(temporary)
        named = repositories or [standard_library(folder / "standard-library", every=4)]
        return {
            path.resolve().parent.name if path.name == "repo" else path.resolve().name: _figures(path, folder)
            for path in named
        }


def _figures(path: Path, folder: Path) -> dict[str, Any]:
    repository = Repository.open(path)
    home = Home.default({"ACCLIMATE_HOME": str(folder)}).create().for_repository(repository.common_directory)
    dataset = mine(repository, home)
    pairs = list(dataset.pairs("test"))[:PAIRS]
    state = CommitState.at(
        repository,
        str(dataset.manifest["split_commit"]),
        store=BlobStore.open(home.blobs),
        options=MiningOptions(),
        held_out_share=0.0,
        report=lambda _done, _of: None,
    )
    ours, built = _ours(state)
    retrievals: dict[str, Retrieve] = {"none": lambda _pair, _tokens: (), "ours": ours, "bm25s": _plain(state)}
    figures: dict[str, Any] = {"files": len(state.files), "pairs": len(pairs), "index_seconds": built}
    if embedding_model := os.environ.get("ACCLIMATE_EMBEDDING_MODEL"):
        embeddings = Embeddings(state, Path(embedding_model))
        retrievals["embeddings"] = lambda pair, tokens: embeddings(pair, int(tokens * CHARACTERS_PER_TOKEN))
        figures["embeddings_milliseconds_a_window"] = embeddings.milliseconds_a_window
    model = _model()
    for tokens in BUDGETS:
        for name, retrieve in retrievals.items():
            started = time.perf_counter()
            contexts = [retrieve(pair, tokens) for pair in pairs]
            seconds = time.perf_counter() - started
            figures[f"{name}_{tokens}_milliseconds"] = 1000 * seconds / len(pairs)
            figures[f"{name}_{tokens}_recall"] = _recall(pairs, contexts, tokens)
        if model is not None:
            figures |= _losses(pairs[:LOSS_PAIRS], retrievals, tokens, model)
    return figures


def _ours(state: CommitState) -> tuple[Retrieve, float]:
    started = time.perf_counter()
    index = ContextIndex(state.facts(state.files), state.text_of_path())
    seconds = time.perf_counter() - started

    def retrieve(pair: CompletionPair, tokens: int) -> tuple[Snippet, ...]:
        cursor = Cursor(path=pair.path, language=pair.language, prefix=pair.prefix, suffix=pair.suffix)
        return index.snippets(cursor, max_characters=int(tokens * CHARACTERS_PER_TOKEN))

    return retrieve, seconds


def _plain(state: CommitState) -> Retrieve:
    """The five best windows by bm25s, best first, none of the pair's own file."""
    import bm25s

    windows: list[Snippet] = []
    for file in state.files:
        lines = state.source(file).text.split("\n")
        starts = range(0, len(lines), WINDOW_LINES)
        windows += [Snippet(path=file.path, text="\n".join(lines[at : at + WINDOW_LINES])) for at in starts]
    retriever = bm25s.BM25()
    retriever.index([list(terms(window.text)) or ["_"] for window in windows], show_progress=False)

    def retrieve(pair: CompletionPair, tokens: int) -> tuple[Snippet, ...]:
        query = list(terms("\n".join(pair.prefix.split("\n")[-QUERY_LINES:])))
        if not query:
            return ()
        found, _ = retriever.retrieve([query], k=min(len(windows), 50), show_progress=False)
        others = [windows[number] for number in found[0] if windows[number].path != pair.path]
        return _cut(others[:WINDOWS], tokens)

    return retrieve


def _cut(snippets: Iterable[Snippet], tokens: int) -> tuple[Snippet, ...]:
    """As much as there is room for; the last one loses its end."""
    room = int(tokens * CHARACTERS_PER_TOKEN)
    kept = []
    for snippet in snippets:
        if room <= 0:
            break
        kept.append(Snippet(path=snippet.path, text=snippet.text[:room]))
        room -= len(snippet.text)
    return tuple(kept)


def _recall(pairs: Sequence[CompletionPair], contexts: Sequence[tuple[Snippet, ...]], tokens: int) -> float:
    """The mean of `recalled` over the pairs that have names to recall."""
    found = (recalled(pair, context, tokens) for pair, context in zip(pairs, contexts, strict=True))
    return statistics.fmean(share for share in found if share is not None)


def recalled(pair: CompletionPair, context: Sequence[Snippet], tokens: int) -> float | None:
    """The share of unseen identifiers of the middle that are shown; None where there are none."""
    seen = set(_IDENTIFIER.findall(pair.prefix[-900:] + pair.suffix[:330]))  # what 256 and 96 tokens hold
    wanted = set(_IDENTIFIER.findall(pair.middle)) - seen
    shown = "\n".join(snippet.text for snippet in context)[: int(tokens * CHARACTERS_PER_TOKEN)]
    return len(wanted & set(_IDENTIFIER.findall(shown))) / len(wanted) if wanted else None


def _model() -> LocalModel | None:
    folder = os.environ.get("ACCLIMATE_TEST_MODEL")
    return LocalModel.from_manifest(Path(folder)) if folder else None


def _losses(
    pairs: Sequence[CompletionPair],
    retrievals: dict[str, Retrieve],
    tokens: int,
    model: LocalModel,
) -> dict[str, Any]:
    """The mean loss with each retrieval, and what ours has less than the plain one, with its interval."""
    builder = PromptBuilder.load(model.folder, model.fim, PromptBudget(context=tokens))
    losses: dict[str, list[tuple[float, int]]] = {name: [] for name in retrievals}
    for pair in pairs:
        for name, retrieve in retrievals.items():
            losses[name].append(_nats(pair, retrieve(pair, tokens), builder, model))
    figures: dict[str, Any] = {}
    for name, found in losses.items():
        figures[f"{name}_{tokens}_loss"] = sum(nats for nats, _ in found) / sum(count for _, count in found)
    for other in (name for name in retrievals if name != "ours"):
        rows = zip(pairs, losses["ours"], losses[other], strict=True)
        result = estimate(
            [Observation(cluster=pair.path, value=(one[0] - two[0]) / one[1], weight=one[1]) for pair, one, two in rows]
        )
        assert result is not None
        figures[f"ours_less_{other}_{tokens}"] = result.mean
        figures[f"ours_less_{other}_{tokens}_interval"] = f"{result.low:.3f} to {result.high:.3f}"
    return figures


_LOADED: dict[str, Any] = {}  # the model, once


def _nats(
    pair: CompletionPair, context: tuple[Snippet, ...], builder: PromptBuilder, model: LocalModel
) -> tuple[float, int]:
    import torch

    from acclimate_training.batches import collated
    from acclimate_training.encoding import Example
    from acclimate_training.evaluation.loss import middle_nats
    from acclimate_training.hardware import device
    from acclimate_training.trainer import load_base

    if not _LOADED:
        _LOADED["model"] = load_base(model, device()).eval()
    cursor = Cursor(path=pair.path, language=pair.language, prefix=pair.prefix, suffix=pair.suffix)
    prompt = builder.prompt(cursor, repository="repository", context=context)
    batch = collated(
        [Example(prompt=prompt, target=builder.target(pair.middle, prefix=pair.prefix))], builder.end_of_text_id
    )
    with torch.inference_mode():
        nats, count = middle_nats(_LOADED["model"], batch)
    return float(nats), count


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("repositories", nargs="+", type=Path)
    print(json.dumps(main(parser.parse_args(sys.argv[1:]).repositories), indent=1))
