"""Retrieval by embeddings, for comparison: windows of lines by the cosine of their vectors.

Needs the folder of a sentence transformer with mean pooling (BERT and its kin) in `ACCLIMATE_EMBEDDING_MODEL`.
"""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from acclimate_indexer.context.index import LINES_AFTER, LINES_BEFORE
from acclimate_indexer.mining.state import CommitState
from acclimate_indexer.pairs import CompletionPair, Snippet

WINDOW_LINES = 20  # as long as ours
BEFORE, AFTER = LINES_BEFORE, LINES_AFTER  # lines of the query; as many as ours
MAX_TOKENS = 256  # what such models were trained with
BATCH = 64


class Embeddings:
    """The windows of a commit, each with its vector."""

    def __init__(self, state: CommitState, folder: Path) -> None:
        from transformers import AutoModel, AutoTokenizer

        self._tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        self._model: Any = AutoModel.from_pretrained(folder, local_files_only=True).eval()
        self._windows: list[Snippet] = []
        for file in state.files:
            lines = state.source(file).text.split("\n")
            self._windows += [
                Snippet(path=file.path, text=text)
                for at in range(0, len(lines), WINDOW_LINES)
                if (text := "\n".join(lines[at : at + WINDOW_LINES]).strip("\n")).strip()
            ]
        started = time.perf_counter()
        self._vectors = self._embedded([window.text for window in self._windows])
        self.milliseconds_a_window = 1000 * (time.perf_counter() - started) / max(1, len(self._windows))

    def __call__(self, pair: CompletionPair, characters: int) -> tuple[Snippet, ...]:
        """The most similar windows of other files, as many as there is room for."""
        before, after = pair.prefix.split("\n")[-BEFORE:], pair.suffix.split("\n")[:AFTER]
        query = self._embedded(["\n".join([*before, *after])])[0]
        order = (self._vectors @ query).argsort(descending=True).tolist()
        found: list[Snippet] = []
        for number in order[:200]:
            window = self._windows[number]
            if window.path != pair.path and len(window.text) <= characters:
                characters -= len(window.text)
                found.append(window)
        return tuple(found)

    def _embedded(self, texts: Sequence[str]) -> Any:
        """One vector of length 1 a text, in rows; similar lengths share a batch."""
        import torch

        order = sorted(range(len(texts)), key=lambda number: len(texts[number]))
        rows: list[Any] = [None] * len(texts)
        with torch.inference_mode():
            for at in range(0, len(order), BATCH):
                numbers = order[at : at + BATCH]
                some = [texts[number] for number in numbers]
                batch = self._tokenizer(some, padding=True, truncation=True, max_length=MAX_TOKENS, return_tensors="pt")
                states = self._model(**batch).last_hidden_state
                mask = batch["attention_mask"].unsqueeze(-1)
                means = (states * mask).sum(1) / mask.sum(1)
                vectors = torch.nn.functional.normalize(means, dim=1)
                for number, vector in zip(numbers, vectors, strict=True):
                    rows[number] = vector
        return torch.stack(rows)
