"""The table of documentation pairs: what the doc-comments are worth that each contender writes."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from .contenders import Contender
from .documentation import DOCUMENTATION_FIGURES, assess_documentation, corpus_words
from .intervals import Observation, estimates
from .measured import Measured
from .questions import Question
from .table import DIGITS, written


def documentation_table(measured: Measured, *, seed: int) -> dict[str, dict[str, Any]]:
    """Figures by contender. `bleu` and `chrf` are over all comments at once, with the interval of single comments."""
    rows = {each.name: _row(measured, each, measured.answered(each), seed) for each in measured.contenders}
    return {name: row for name, row in rows.items() if row["n"]}


def _row(measured: Measured, contender: Contender, answered: Sequence[Question], seed: int) -> dict[str, Any]:
    columns: dict[str, list[Observation]] = {figure: [] for figure in DOCUMENTATION_FIGURES}
    served = [measured.served(contender, question) or "" for question in answered]
    for question, text in zip(answered, served, strict=True):
        for figure, value in asdict(assess_documentation(question.pair, text)).items():
            if value is not None:
                columns[figure].append(Observation(cluster=question.pair.path, value=value))
    found = written(estimates(columns, seed=seed))
    words = corpus_words(served, [question.pair.middle for question in answered])
    if words is not None:
        found |= {"bleu": round(words.bleu, DIGITS), "chrf": round(words.chrf, DIGITS)}
    return found | {"n": len(answered)}
