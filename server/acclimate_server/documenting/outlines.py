"""The outlines of the documents in which somebody moves: editors ask for code actions wherever the cursor goes."""

import asyncio
from collections import OrderedDict
from concurrent.futures import Executor

from acclimate_indexer.languages.language import Language
from acclimate_indexer.syntax import Outline, outline_of

MAX_OUTLINES = 8  # nobody moves in more documents at a time


class Outlines:
    """One outline a document, of the text that it had last."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self._known: OrderedDict[str, tuple[str, Language, Outline]] = OrderedDict()

    async def of(self, document: str, language: Language, text: str) -> Outline:
        """The outline of a document that has this text; another thread parses it where it has changed."""
        known = self._known.get(document)
        if known is None or known[:2] != (text, language):
            outline = await asyncio.get_running_loop().run_in_executor(self._executor, outline_of, text, language)
            known = self._known[document] = (text, language, outline)
        self._known.move_to_end(document)
        if len(self._known) > MAX_OUTLINES:
            self._known.popitem(last=False)
        return known[2]

    def forget(self, document: str) -> None:
        """The document was closed."""
        self._known.pop(document, None)
