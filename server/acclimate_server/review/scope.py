"""Which files are reviewed, and which of their lines."""

from fnmatch import fnmatchcase

from acclimate_indexer.document_tree import DocumentTree
from acclimate_indexer.filters.generated import unwanted_path, unwanted_text
from acclimate_indexer.languages.language import Language
from acclimate_indexer.languages.registry import language_named, language_of

from ..settings import ReviewSettings

MAX_CHARACTERS = 2_000_000  # some 50,000 lines; no person wrote more into one file


def language_to_review(path: str, language_id: str) -> Language | None:
    """The language of a file by its name, else by what the editor says."""
    return language_of(path) or language_named(language_id)


def why_not_reviewed(wanted: ReviewSettings, path: str, language: Language | None, text: str) -> str:
    """Why a file is not reviewed at all; empty if it is."""
    if not wanted.enabled:
        return "Review is switched off: `review.enabled`."
    if language is None:
        return "The language of this file is not one that acclimate reviews."
    if wanted.languages and language.name not in wanted.languages:
        return f"Review of {language.name} is switched off: `review.languages`."
    if any(fnmatchcase(path, glob) for glob in wanted.exclude):
        return "This file is left out: `review.exclude`."
    if len(text) > MAX_CHARACTERS:
        return f"This file has {len(text):,} characters; up to {MAX_CHARACTERS:,} are reviewed."
    if why := unwanted_path(path) or unwanted_text(text):
        return f"This file is not what people write: {why.replace('_', ' ')}."
    return ""


def is_broken(language: Language, text: str, committed: str) -> bool:
    """Whether a file does not parse that did when it was committed: somebody is in the middle of something."""
    return _has_errors(language, text) and not _has_errors(language, committed)


def _has_errors(language: Language, text: str) -> bool:
    if language.grammar is None:
        return False
    tree = DocumentTree(language)
    tree.update(text)
    return tree.parsed is None or tree.parsed.tree.root_node.has_error
