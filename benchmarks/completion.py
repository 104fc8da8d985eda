"""Completion as somebody at the keyboard has it: what it saves, what it costs the engine, what the server adds.

`python -m benchmarks.completion --stock` also measures vLLM's own adapter arithmetic, in an engine without our plugin.

Two engines run one after another: the real model, and a tiny one with random weights that takes a few milliseconds a
token, as an engine on a GPU does. Everything is measured from outside: a client of the real server process, a proxy
between server and engine, and the engine's own counters.
"""

import argparse
import asyncio
import json
import os
import tempfile
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.adapter_speed import adapter_against_base, in_stock_vllm
from benchmarks.bare import against_a_bare_call, warm_lines
from benchmarks.early_stop import early_stop
from benchmarks.keystrokes import keystrokes
from benchmarks.material import number_from
from benchmarks.overhead import overhead
from benchmarks.replay import Replayed, replayed
from benchmarks.served import Served, served
from benchmarks.subject import Subject
from benchmarks.trace import COMPLETION as TRACED
from benchmarks.trace import cost
from benchmarks.workspace import RANDOM
from tests.support.engine import MODEL, MODEL_FOLDER, home_with_model
from tests.support.random_adapter import write_random_adapter
from tests.support.tiny_model import SERVED_HEAD_SIZE, tiny_model

from acclimate_indexer.errors import ModelError, RuntimeMissing, UsageError
from acclimate_indexer.home import Home
from acclimate_indexer.models import LocalModel, local_model
from acclimate_server.completion.adapters import NONE
from acclimate_server.engine.options import EngineOptions
from acclimate_server.runtime.find import find_runtime

PARTS = ("adapter", "bare", "early_stop", "headline", "overhead", "trace")
ON_THE_REAL_MODEL = frozenset(PARTS[:4])
MINUTES = "ACCLIMATE_BENCH_MINUTES"  # of typing, for the trace and for the headline each
DEFAULT_MINUTES = 4  # two dozen lines: enough for the costs, too little for a headline
BASE, ADAPTED = "base+retrieval", "adapter+retrieval"
TINY_WORDS = "a tiny one with random weights"  # in place of a name: whoever reads a record must know it

HEADLINES = (
    "overhead_ms_median",
    "overhead_ms_p99",
    "total_over_bare",
    "requests_per_keystroke",
    "wasted_token_share",
    "generated_over_shown",
    "answered_pause_share",
    "keystrokes_saved",
    "shown_wrong_share",
    "warm_line_seconds_median",
)


def main(repositories: list[Path], *, parts: Sequence[str] = (), stock: bool = False) -> dict[str, Any]:
    """The figures of some parts, or of all; seconds are medians, a ratio of rates is adapter over base.

    Raises:
        UsageError: No part has such a name.
    """
    if unknown := set(parts) - set(PARTS):
        raise UsageError(f"No part is called {sorted(unknown)[0]!r}. There are {', '.join(PARTS)}.")
    wanted = frozenset(parts or PARTS)
    try:
        runtime = find_runtime(Home.default())
        named = os.environ.get(MODEL_FOLDER)
        model = LocalModel.from_manifest(Path(named)) if named else local_model(Home.default(), MODEL)
    except (RuntimeMissing, ModelError) as error:
        return {"skipped": str(error)}
    options = EngineOptions(runtime_python=runtime.python, device=runtime.device)
    named_repositories = repositories or [Path(__file__).parent]
    figures: dict[str, Any] = {"device": runtime.device}
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(folder=Path(folder), options=options, repositories=named_repositories)
        if wanted & ON_THE_REAL_MODEL or stock:
            home = home_with_model(Path(folder) / "real", model.folder)
            figures |= {"model": model.name} | asyncio.run(bench.on_the_real_model(home, wanted, stock=stock))
        if wanted - ON_THE_REAL_MODEL:
            home = Home.default({"ACCLIMATE_HOME": str(Path(folder) / "tiny")}).create()
            model = tiny_model(home, head_size=SERVED_HEAD_SIZE, is_endless=True)
            parts_found = asyncio.run(bench.on_a_tiny_model(home, model, wanted))
            figures |= {name: {"model": TINY_WORDS} | part for name, part in parts_found.items()}
    for name in HEADLINES:
        found = [part[name] for part in figures.values() if isinstance(part, dict) and name in part]
        figures |= {name: found[-1]} if found else {}
    return figures


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What the parts are measured on."""

    folder: Path
    options: EngineOptions
    repositories: Sequence[Path]

    async def on_the_real_model(self, home: Home, wanted: Collection[str], *, stock: bool) -> dict[str, Any]:
        """The parts that depend on what the model writes, or on how long a real one takes."""
        model = local_model(home, MODEL)
        subjects = [Subject.of(path, home, model) for path in self.repositories]
        first, figures = subjects[0], dict[str, Any]()
        folder, random_adapter = first.workspace.folder, self.folder / "random adapter"
        if "adapter" in wanted or stock:
            write_random_adapter(model.folder, random_adapter, seed=0)
        async with served(home, self.options, model) as engine:
            if "adapter" in wanted:
                figures["adapter"] = await adapter_against_base(engine.client, model, random_adapter)
            if "bare" in wanted:
                figures["bare"] = await against_a_bare_call(engine, folder, first.files)
                adapter = first.adapter or first.random_adapter(home, model)
                figures["bare"] |= await warm_lines(engine, folder, first.files, adapter=adapter)
            if "early_stop" in wanted:
                figures["early_stop"] = await early_stop(engine, folder, first.files, adapter=first.adapter or NONE)
            if "headline" in wanted:
                figures["headline"] = await _headline(engine, subjects)
        if stock:
            figures["adapter in stock vLLM"] = await in_stock_vllm(home, self.options, model, random_adapter)
        return figures

    async def on_a_tiny_model(self, home: Home, model: LocalModel, wanted: Collection[str]) -> dict[str, Any]:
        """The parts for which an engine must be fast, whatever it writes."""
        subjects = [Subject.of(path, home, model) for path in self.repositories]
        figures: dict[str, Any] = {}
        async with served(home, self.options, model) as engine:
            if "overhead" in wanted:
                figures["overhead"] = await overhead(engine, subjects[0].workspace.folder, subjects[0].files)
            if "trace" in wanted:
                adapters = [{RANDOM: subject.random_adapter(home, model)} for subject in subjects]
                figures["trace"] = cost(await _replayed(engine, subjects, adapters, TRACED))
        return figures


async def _headline(engine: Served, subjects: Sequence[Subject]) -> dict[str, Any]:
    """What each setting saved; the figure of the whole is the adapter's, where there is one."""
    adapters = [{BASE: NONE} | ({ADAPTED: each.adapter} if each.adapter else {}) for each in subjects]
    replays = await _replayed(engine, subjects, adapters)
    settings = {name: [each for each in replays if each.setting == name] for name in (BASE, ADAPTED)}
    figures: dict[str, Any] = {name: keystrokes(found) for name, found in settings.items() if found}
    if not figures:
        return {"skipped": "no hunk was short enough for the minutes"}
    of = ADAPTED if ADAPTED in figures else BASE
    return figures | {"of": of} | {name: figures[of][name] for name in ("keystrokes_saved", "shown_wrong_share")}


async def _replayed(
    engine: Served,
    subjects: Sequence[Subject],
    adapters: Sequence[dict[str, str]],
    completion: dict[str, Any] | None = None,
) -> list[Replayed]:
    minutes = number_from(MINUTES, DEFAULT_MINUTES) / len(subjects)
    return [
        each
        for subject, chosen in zip(subjects, adapters, strict=True)
        async for each in replayed(
            engine, subject.workspace, subject.hunks, chosen, minutes=minutes, completion=completion
        )
    ]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("repositories", nargs="*", type=Path)
    parser.add_argument("--parts", type=lambda text: text.split(","), default=(), help=f"of {', '.join(PARTS)}")
    parser.add_argument("--stock", action="store_true", help="also measure vLLM's own adapter arithmetic")
    arguments = parser.parse_args()
    print(json.dumps(main(arguments.repositories, parts=arguments.parts, stock=arguments.stock), indent=1))
