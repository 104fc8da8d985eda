"""`acclimate blind`: a person judges base against adapter without knowing which is which."""

import argparse
import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Literal

from rich.console import Group
from rich.panel import Panel
from rich.text import Text

from acclimate_indexer.errors import AdapterError, UsageError
from acclimate_indexer.home import RepositoryHome
from acclimate_training.registry import Adapter, AdapterRegistry
from acclimate_training.report.blind import (
    BlindPair,
    Judgement,
    adapter_is_first,
    blind_record,
    chosen,
    judgement,
    read_judgements,
)
from acclimate_training.report.figures import probability
from acclimate_training.report.markup import visible
from acclimate_training.report.reading import count, part

from ..reports import meant_adapter
from .context import Context
from .pipeline import opened_repository
from .report import add_version
from .terminal import Terminal
from .verb import DONE, Verbs, add_verb

PAIRS = 20  # judged in a quarter of an hour; more make the sign test sharper
LINES_BEFORE = 12  # of code above the cursor: enough to see what was asked, and both answers still fit a screen
LINES_AFTER = 4
QUESTION = "Which is better? 1, 2, t (tie), s (skip), q (quit): "

Key = Literal["1", "2", "t", "s", "q"]
KEYS: dict[str, Key] = {"1": "1", "2": "2", "t": "t", "s": "s", "q": "q"}
BlindPairs = Callable[[RepositoryHome, Adapter], Sequence[BlindPair]]


def register(verbs: Verbs, shared: argparse.ArgumentParser, blind_pairs: BlindPairs | None = None) -> None:
    """Adds the verb. `blind_pairs` gives the held-out places that both base and adapter have answered.

    None takes what the evaluations have kept.
    """
    parser = add_verb(
        verbs,
        shared,
        "blind",
        partial(run, blind_pairs=blind_pairs),
        summary="judge base against adapter yourself, without knowing which is which",
        description="Shows held-out places one by one with two answers, one of the base and one of the adapter, in "
        "an order that a seed decides. Say which is better. Places where both answers are the same count as ties "
        "and are not shown. Every judgement is kept at once: a second call goes on where the first one stopped. "
        "The counts stand in the report.",
        examples="acclimate blind\nacclimate blind shop-20260401T101500-3f2a --pairs 40",
    )
    add_version(parser)
    parser.add_argument("--pairs", type=int, default=PAIRS, metavar="N", help=f"how many places (default: {PAIRS})")
    parser.add_argument("--seed", type=int, metavar="N", help="decides places and order (default: training.seed)")


def run(arguments: argparse.Namespace, context: Context, *, blind_pairs: BlindPairs | None) -> int:
    if arguments.pairs < 1:
        raise UsageError(f"--pairs takes a positive number, not {arguments.pairs}.")
    repository = opened_repository(arguments.repository)
    home = context.home.for_repository(repository.common_directory)
    registry = AdapterRegistry(home)
    adapter = meant_adapter(registry, arguments.version)
    wanted = context.settings(repository.work_tree).training.seed if arguments.seed is None else arguments.seed
    sheet = Sheet(registry, adapter.version, seed=wanted)
    answered = _kept(context, home, adapter) if blind_pairs is None else blind_pairs(home, adapter)
    pairs = chosen(answered, judged=sheet.judgements, seed=sheet.seed, at_most=arguments.pairs)
    if not pairs:
        raise AdapterError(
            f"No held-out place has an answer of both the base and {adapter.version!r}. Run `acclimate evaluate` first."
        )
    _judge(pairs, sheet, context.terminal)
    context.terminal.show(_summary(sheet.record))
    context.terminal.finish({"version": adapter.version, "blind": sheet.record})
    return DONE


def _kept(context: Context, home: RepositoryHome, adapter: Adapter) -> Sequence[BlindPair]:
    from acclimate_training.evaluation.kept import blind_pairs, kept_results  # parsers take a while to import

    return blind_pairs(kept_results(context.home, home, adapter).measured())


class Sheet:
    """What was judged so far, kept in the adapter's record after every judgement."""

    def __init__(self, registry: AdapterRegistry, version: str, *, seed: int) -> None:
        self._registry, self._version = registry, version
        metrics = part(registry.get(version).record, "metrics")
        self.judgements = read_judgements(metrics)
        kept = count(part(metrics, "blind"), "seed")
        self.seed = kept if kept is not None and self.judgements else seed  # going on keeps the order begun with

    @property
    def record(self) -> dict[str, Any]:
        return blind_record(self.judgements, self.seed)

    def keep(self, judged: dict[str, Judgement]) -> None:
        """Adds judgements. The record is read anew: an evaluation may have gone on meanwhile."""
        if not judged:
            return
        self.judgements |= judged
        adapter = self._registry.get(self._version)
        self._registry.update(adapter, {"metrics": part(adapter.record, "metrics") | {"blind": self.record}})


def _judge(pairs: Sequence[BlindPair], sheet: Sheet, terminal: Terminal) -> None:
    sheet.keep({pair.name: "tie" for pair in pairs if pair.is_identical and pair.name not in sheet.judgements})
    open_pairs = [pair for pair in pairs if pair.name not in sheet.judgements]
    terminal.say(f"{len(pairs)} places, {len(open_pairs)} to judge; the rest are judged, or both answers are the same.")
    for number, pair in enumerate(open_pairs, start=1):
        adapter_first = adapter_is_first(sheet.seed, pair.name)
        terminal.show(_place(pair, f"{number} of {len(open_pairs)}", adapter_first=adapter_first))
        key = _key()
        if key == "q":
            return
        if key == "t":
            sheet.keep({pair.name: "tie"})
        elif key != "s":
            sheet.keep({pair.name: judgement(key, adapter_first=adapter_first)})


def _key() -> Key:
    """The next key, taken with the line it stands on; the end of the input is `q`."""
    while True:
        print(QUESTION, end="", file=sys.stderr, flush=True)
        line = sys.stdin.readline()
        if not line:
            print(file=sys.stderr)
            return "q"
        if (key := KEYS.get(line.strip().lower())) is not None:
            return key


def _place(pair: BlindPair, which: str, *, adapter_first: bool) -> Group:
    before = "\n".join(pair.prefix.split("\n")[-LINES_BEFORE:])
    after = "\n".join(pair.suffix.split("\n")[:LINES_AFTER])
    answers = (pair.adapter, pair.base) if adapter_first else (pair.base, pair.adapter)
    about = Text(visible(f"{which}: {pair.path} ({pair.language})"))
    return Group(
        Panel(Text(visible(f"{before}▏{after}")), title=about, title_align="left"),
        *(
            Panel(Text(visible(answer) or "(nothing)"), title=Text(str(number)), title_align="left")
            for number, answer in enumerate(answers, start=1)
        ),
    )


def _summary(record: dict[str, Any]) -> str:
    decided = record["better"] + record["worse"]
    judged = decided + record["tie"]
    if not judged:
        return "Nothing was judged."
    chance = probability(record["p"]) if decided else "none: every place is a tie"
    return (
        f"Of {judged} places the adapter is better at {record['better']}, worse at {record['worse']}, "
        f"a tie at {record['tie']} (sign test without ties, p: {chance}). Kept; `acclimate report` shows it."
    )
