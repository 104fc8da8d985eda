"""Replays hunks through the real server until the time is over, under one setting or in turns under several."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.author import Tally
from benchmarks.editor import Editor
from benchmarks.engine_proxy import Exchange
from benchmarks.pace import human_pace
from benchmarks.served import GENERATED, Served
from benchmarks.typing_trace import TypedHunk
from benchmarks.typist import typed
from benchmarks.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """A hunk that was typed, and what that cost the engine.

    Attributes:
        setting: Under which it was typed.
        exchanges: The completions that the engine was asked for.
        generated: Tokens, by the engine's own count.
        taken_back: When the editor cancelled a request.
        answered: When one was answered.
    """

    setting: str
    hunk: TypedHunk
    tally: Tally
    exchanges: tuple[Exchange, ...]
    generated: int
    taken_back: tuple[float, ...]
    answered: tuple[float, ...]


async def replayed(
    engine: Served,
    workspace: Workspace,
    hunks: Sequence[TypedHunk],
    adapters: Mapping[str, str],
    *,
    minutes: float,
    completion: Mapping[str, Any] | None = None,
) -> AsyncIterator[Replayed]:
    """Types hunk after hunk, each with every one of `adapters`, by the name of the setting; who is first alternates.

    Every time a fresh server sees the commit before the hunk's, and the pace is the same. A hunk that would take longer
    than what is left of the minutes is passed over.
    """
    ends = time.monotonic() + minutes * 60
    for turn, hunk in enumerate(hunks):
        delays = human_pace(hunk.strokes, seed=turn)
        left = ends - time.monotonic()
        if sum(delays) * len(adapters) > left:
            continue
        await asyncio.to_thread(workspace.check_out, hunk.parent)
        for setting in list(adapters) if turn % 2 == 0 else reversed(list(adapters)):
            say = f"{setting}: {len(hunk.strokes)} keys of {hunk.path}, {left:.0f} seconds left"
            print(say, file=sys.stderr)
            path = workspace.folder / hunk.path
            async with engine.editor(workspace.folder, adapter=adapters[setting], completion=completion) as desk:
                await desk.ready(path, hunk.language, hunk.before)
                yield await _counted(engine, desk.editor, setting, path, hunk, delays)


async def _counted(
    engine: Served, editor: Editor, setting: str, path: Path, hunk: TypedHunk, delays: Sequence[float]
) -> Replayed:
    await engine.idle()
    before, first, asked = await engine.counted(), len(engine.proxy.exchanges), len(editor.requests)
    tally = await typed(editor, path, hunk, delays)
    await engine.idle()
    after = await engine.counted()
    return Replayed(
        setting=setting,
        hunk=hunk,
        tally=tally,
        exchanges=tuple(engine.proxy.exchanges[first:]),
        generated=round(after[GENERATED] - before[GENERATED]),
        taken_back=tuple(editor.taken_back),
        answered=tuple(each.answered for each in editor.requests[asked:] if each.answered is not None),
    )
