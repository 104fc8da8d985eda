"""Types a hunk in real time into the real server, and asks after every key, as VS Code does."""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.author import Author, Tally
from benchmarks.editor import Editor, Kind, Request
from benchmarks.typing_trace import TypedHunk

PAUSE_SECONDS = 0.6  # from here on somebody waits


async def typed(editor: Editor, path: Path, hunk: TypedHunk, delays: Sequence[float]) -> Tally:
    """What it took to write the hunk into the file at `path`, with so many seconds before each stroke."""
    editor.open(path, hunk.language, hunk.before, hunk.offset)
    author = Author(hunk.strokes)
    request = editor.ask(Kind.Automatic)  # the cursor has just come here
    changed = time.perf_counter()
    while not author.is_done:
        taken = await _taken(author, request, changed + delays[len(hunk.strokes) - author.strokes_left])
        if time.perf_counter() - changed > PAUSE_SECONDS:
            author.tally.pauses += 1
            if taken or author.sees_a_proposal:
                author.tally.helped += 1
            elif request.answered is not None:
                author.tally.empty.append((request.sent, request.answered))
        editor.insert(taken or author.type())
        changed = time.perf_counter()
        if taken and request.command is not None:
            editor.run(request.command)
        editor.take_back(request)
        request = editor.ask(Kind.Automatic)
    editor.take_back(request)
    assert editor.text == hunk.after, "what was taken is what the author would have typed"
    return author.tally


async def _taken(author: Author, request: Request, due: float) -> str:
    """What the author takes before the next key is due; nothing if that comes first."""
    while True:
        if request.answered is not None:
            author.see(request.text, now=request.answered)
        reads_at = author.reads_at
        if reads_at is not None and reads_at <= min(due, time.perf_counter()):
            if taken := author.read():
                return taken
            continue
        until = due if reads_at is None else min(due, reads_at)
        if until <= time.perf_counter():
            return ""
        await _over(request, until)


async def _over(request: Request, until: float) -> None:
    """Returns when the request is answered, at the latest at `until`."""
    seconds = until - time.perf_counter()
    if request.is_over.is_set():
        await asyncio.sleep(max(0.0, seconds))
        return
    try:
        async with asyncio.timeout(seconds):
            await request.is_over.wait()
    except TimeoutError:
        return
