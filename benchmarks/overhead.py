"""What the server adds to the engine's time: from the editor's question to the engine, and from the last byte back.

The question is written after the change that it is about, as editors do, so reading the change counts. What the client
and the proxy take themselves (JSON, pipes) counts, too: this is the plain figure. While one types the server prepares
its question within the pause that it waits anyway, which is taken off; asked by hand there is no pause.
"""

import asyncio
import math
import statistics
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from benchmarks.editor import Kind
from benchmarks.places import SourceFile, long_file, places
from benchmarks.served import Desk, Served

SAMPLES = 200  # the 99th percentile is then the third largest
SAMPLES_UNDER_LOAD = 40
LOAD = 4  # generations that run at all times while the figure under load is taken
LOAD_TOKENS = 512
SAMPLES_BY_HAND = 60
PAUSE_SECONDS = 0.5  # longer than the server ever waits by itself, so that it is exactly this
MAX_TOKENS = 16  # a line


async def overhead(engine: Served, folder: Path, files: list[SourceFile]) -> dict[str, Any]:
    """Milliseconds in our code, with the engine idle before each request and with it under load."""
    file = long_file(files)
    path = folder / file.path
    await asyncio.to_thread(path.write_text, file.text, encoding="utf-8")
    async with engine.editor(folder, completion={"max_tokens": MAX_TOKENS, "debounce_seconds": PAUSE_SECONDS}) as desk:
        await desk.ready(path, file.language, file.text)
        trips: list[float] = []
        idle = await _samples(engine, desk, file, trips, Kind.Automatic, count=SAMPLES, seed=0)
        by_hand = await _samples(engine, desk, file, trips, Kind.Invoked, count=SAMPLES_BY_HAND, seed=2)
        async with _load(engine):
            loaded = await _samples(engine, desk, file, [], Kind.Automatic, count=SAMPLES_UNDER_LOAD, seed=1)
    return {
        "lines": file.text.count("\n"),
        "samples": len(idle),
        "overhead_ms_median": statistics.median(idle),
        "overhead_ms_p99": _percentile(idle, 0.99),
        "by_hand_ms_median": statistics.median(by_hand),
        "by_hand_ms_p99": _percentile(by_hand, 0.99),
        "round_trip_ms_median": statistics.median(trips),
        "overhead_ms_median_under_load": statistics.median(loaded),
        "overhead_ms_p99_under_load": _percentile(loaded, 0.99),
    }


async def _samples(
    engine: Served, desk: Desk, file: SourceFile, trips: list[float], kind: Kind, *, count: int, seed: int
) -> list[float]:
    """Of places all over the file. An answer for which the engine was not asked says nothing here.

    Args:
        trips: Gets the milliseconds of a request for which the server does nothing, one a place.
    """
    found: list[float] = []
    for number, place in enumerate(places([file], seed=seed)):
        if number == count:
            break
        if number % 50 == 0:
            print(f"overhead: {number} of {count} places", file=sys.stderr)
        await engine.idle()
        trips.append(1000 * await desk.editor.round_trip())
        first = len(engine.proxy.exchanges)
        desk.editor.retype(place.offset)
        request = desk.editor.ask(kind)
        await request.is_over.wait()
        asked = engine.proxy.exchanges[first:]
        if asked and request.answered is not None:
            last = max(at for at, _ in asked[0].chunks if at <= request.answered)
            pause = PAUSE_SECONDS if kind == Kind.Automatic else 0.0
            found.append((asked[0].arrived - request.sent - pause + request.answered - last) * 1000)
    return found


@asynccontextmanager
async def _load(engine: Served) -> AsyncIterator[None]:
    """Keeps the engine generating for somebody else."""

    async def generate(number: int) -> None:
        while True:
            await engine.client.complete([number + 1] * 32, model=engine.model.name, max_tokens=LOAD_TOKENS)

    tasks = [asyncio.create_task(generate(number)) for number in range(LOAD)]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _percentile(values: list[float], share: float) -> float:
    return sorted(values)[math.ceil(share * len(values)) - 1]
