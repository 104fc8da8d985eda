"""The server against a bare HTTP call with the same prompt and as many tokens, and how long the rest of a line takes.

Both calls of a pair go through the proxy and carry a salt of their own, so neither finds anything in the engine's
prefix cache. Which prompt the server will send, and how many tokens it will read, is learnt from a second server
beforehand, so that either call can be the first.
"""

import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from benchmarks.editor import Editor, Kind, Request
from benchmarks.engine_proxy import COMPLETIONS, Exchange
from benchmarks.places import Place, SourceFile, places
from benchmarks.served import Served

PAIRS = 32
LINES = 20
TRIES = 3  # so many places for each that is wanted: some are answered without the engine
MAX_TOKENS = 32  # a long line
ANSWER_SECONDS = 120.0
COMPLETION = {"max_tokens": MAX_TOKENS, "debounce_seconds": 0.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Seconds through the server and bare, for as many tokens."""

    server: float
    bare: float
    tokens: int
    is_same_prompt: bool


async def against_a_bare_call(engine: Served, folder: Path, files: list[SourceFile]) -> dict[str, Any]:
    """Total time through the server over that of the bare call."""
    pairs: list[Pair] = []
    headers = {"Authorization": f"Bearer {engine.client.address.key}"}
    async with (
        engine.editor(folder, completion=COMPLETION) as scout,
        engine.editor(folder, completion=COMPLETION) as desk,
        httpx.AsyncClient(headers=headers, timeout=ANSWER_SECONDS, trust_env=False) as http,
    ):
        for each in (scout, desk):
            await each.ready(folder / files[0].path, files[0].language, files[0].text)
        for place in _some(files, PAIRS * TRIES):
            for each in (scout, desk):
                _show(each.editor, folder, place)
            _, told = await _asked(engine, scout.editor, place.offset)
            if told is not None and told.tokens():
                pair = await _pair(engine, http, desk.editor, place.offset, told, is_bare_first=len(pairs) % 2 == 0)
                pairs += [] if pair is None else [pair]
            if len(pairs) == PAIRS:
                break
            print(f"bare: {len(pairs)} of {PAIRS} pairs", file=sys.stderr)
    return {
        "pairs": len(pairs),
        "total_over_bare": statistics.median(each.server / each.bare for each in pairs),
        "total_over_bare_of_sums": sum(each.server for each in pairs) / sum(each.bare for each in pairs),
        "server_seconds_median": statistics.median(each.server for each in pairs),
        "bare_seconds_median": statistics.median(each.bare for each in pairs),
        "tokens_median": statistics.median(each.tokens for each in pairs),
        "prompts_that_differ": sum(not each.is_same_prompt for each in pairs),
    }


async def warm_lines(engine: Served, folder: Path, files: list[SourceFile], *, adapter: str) -> dict[str, Any]:
    """Seconds for the rest of a line with the adapter, after the engine has seen the beginning of the same prompt."""
    seconds: list[float] = []
    tokens: list[int] = []
    async with engine.editor(folder, adapter=adapter, completion=COMPLETION) as desk:
        await desk.ready(folder / files[0].path, files[0].language, files[0].text)
        for place in _some(files, LINES * TRIES):
            _show(desk.editor, folder, place)
            await _asked(engine, desk.editor, place.line_start)
            request, exchange = await _asked(engine, desk.editor, place.offset)
            if exchange is not None and exchange.tokens():
                seconds.append(request.seconds)
                tokens.append(exchange.tokens())
            if len(seconds) == LINES:
                break
            print(f"warm lines: {len(seconds)} of {LINES}", file=sys.stderr)
    return {
        "warm_lines": len(seconds),
        "warm_line_seconds_median": statistics.median(seconds),
        "warm_line_tokens_median": statistics.median(tokens),
    }


def _some(files: Sequence[SourceFile], count: int) -> list[Place]:
    return [place for _, place in zip(range(count), places(files, seed=0), strict=False)]


def _show(editor: Editor, folder: Path, place: Place) -> None:
    editor.open(folder / place.file.path, place.file.language, place.without_rest(place.offset), place.offset)


async def _pair(
    engine: Served, http: httpx.AsyncClient, editor: Editor, offset: int, told: Exchange, *, is_bare_first: bool
) -> Pair | None:
    """None if the server did not ask the engine this time."""
    engine.proxy.is_salted = True
    try:
        bare = await _bare(engine, http, told) if is_bare_first else None
        request, exchange = await _asked(engine, editor, offset)
        if exchange is None:
            return None
        if bare is None:
            bare = await _bare(engine, http, exchange)
    finally:
        engine.proxy.is_salted = False
    return Pair(
        server=request.seconds,
        bare=bare,
        tokens=exchange.tokens(),
        is_same_prompt=exchange.body["prompt"] == told.body["prompt"] and exchange.tokens() == told.tokens(),
    )


async def _asked(engine: Served, editor: Editor, offset: int) -> tuple[Request, Exchange | None]:
    """Asks after a keystroke, and what the engine was asked for that."""
    await engine.idle()
    first = len(engine.proxy.exchanges)
    editor.retype(offset)
    request = editor.ask(Kind.Invoked)
    await request.is_over.wait()
    asked = engine.proxy.exchanges[first:]
    return request, asked[0] if asked and request.answered is not None else None


async def _bare(engine: Served, http: httpx.AsyncClient, like: Exchange) -> float:
    """Seconds for the same request until as many tokens are there."""
    body = like.body | {"max_tokens": like.tokens(), "ignore_eos": True, "stop_token_ids": []}
    await engine.idle()
    started = time.perf_counter()
    async with http.stream("POST", engine.proxy.url + COMPLETIONS, json=body) as response:
        response.raise_for_status()
        async for _ in response.aiter_raw():
            pass
    return time.perf_counter() - started
