"""How much the engine generates for what is shown."""

import sys
from pathlib import Path
from typing import Any

from benchmarks.editor import Kind
from benchmarks.places import SourceFile, places
from benchmarks.served import GENERATED, Served
from tokenizers import Tokenizer

PLACES = 40  # every other at the beginning of a line, where longer answers are given


async def early_stop(engine: Served, folder: Path, files: list[SourceFile], *, adapter: str) -> dict[str, Any]:
    """Tokens generated, by the engine's own count, over tokens shown, summed over what was shown."""
    tokenizer = Tokenizer.from_file(str(engine.model.folder / "tokenizer.json"))
    generated = shown = answers = 0
    async with engine.editor(folder, adapter=adapter) as desk:
        await desk.ready(folder / files[0].path, files[0].language, files[0].text)
        for number, place in zip(range(PLACES), places(files, seed=1), strict=False):
            print(f"early stop: {number} of {PLACES} places", file=sys.stderr)
            offset = place.line_start if number % 2 else place.offset
            desk.editor.open(folder / place.file.path, place.file.language, place.without_rest(offset), offset)
            await engine.idle()
            before = await engine.counted()
            request = desk.editor.ask(Kind.Invoked)
            await request.is_over.wait()
            await engine.idle()
            if request.text:
                answers += 1
                generated += round((await engine.counted())[GENERATED] - before[GENERATED])
                shown += len(tokenizer.encode(request.text, add_special_tokens=False).ids)
    return {
        "answers": answers,
        "places": PLACES,
        "tokens_generated": generated,
        "tokens_shown": shown,
        "generated_over_shown": generated / max(1, shown),
    }
