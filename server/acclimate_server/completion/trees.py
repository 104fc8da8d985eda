"""The syntax trees of the documents that are completed in."""

import asyncio
from collections import OrderedDict
from concurrent.futures import Executor

from acclimate_indexer.document_tree import EDIT_SECONDS, DocumentTree
from acclimate_indexer.languages.registry import language_named

MAX_TREES = 32  # a tree takes some ten times the memory of its text


class Trees:
    """One tree a document, as far as it was completed in lately."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self._trees: OrderedDict[str, DocumentTree] = OrderedDict()

    async def of(self, document: str, language: str, text: str) -> DocumentTree:
        """The tree of a document that has this text: at once where only a little has changed."""
        tree = self._trees.get(document)
        if tree is None or tree.language.name != language:
            known = language_named(language)
            assert known is not None, "nothing else is completed"
            tree = self._trees[document] = DocumentTree(known)
        self._trees.move_to_end(document)
        if len(self._trees) > MAX_TREES:
            self._trees.popitem(last=False)
        if tree.is_quick:
            tree.update(text, seconds=EDIT_SECONDS)
        else:
            await asyncio.get_running_loop().run_in_executor(self._executor, tree.update, text)
        return tree

    def forget(self, document: str) -> None:
        """The document was closed."""
        self._trees.pop(document, None)
