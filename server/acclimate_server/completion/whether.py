"""Whether there is anything to ask at a place."""

from fnmatch import fnmatchcase
from pathlib import Path

from acclimate_indexer.cursor_syntax import CursorSyntax
from acclimate_indexer.languages.registry import LANGUAGES, language_of

from ..session import Place, Session
from ..settings import CompletionSettings

OTHER_NAMES = {"javascriptreact": "javascript"}  # of languages that LSP tells apart and the table does not


def language_at(path: Path | None, language_id: str) -> str:
    """The language of a document by its name, else by what the editor says; empty if it is none of ours."""
    known = language_of(path.name) if path is not None else None
    if known is not None:
        return known.name
    name = OTHER_NAMES.get(language_id, language_id)
    return name if name in {language.name for language in LANGUAGES} else ""


def why_not(session: Session, place: Place, language: str, *, characters: int, is_automatic: bool) -> str:
    """Why nothing is completed in a document of so many characters; empty if it is."""
    wanted = place.settings.completion
    if not wanted.enabled:
        return "Completion is switched off: `completion.enabled`."
    if not language:
        return "The language of this file is not one that acclimate completes."
    if wanted.languages and language not in wanted.languages:
        return f"Completion in {language} is switched off: `completion.languages`."
    if any(fnmatchcase(place.path, glob) for glob in wanted.exclude):
        return "This file is left out: `completion.exclude`."
    if characters > wanted.max_file_characters:
        return f"This file has {characters:,} characters, more than `completion.max_file_characters` allows."
    if is_automatic and wanted.automatic == "never":
        return "Completion while you type is switched off: `completion.automatic`. Ask for it by hand."
    return session.speed.why_too_slow() if is_automatic and wanted.automatic == "auto" else ""


def why_not_while_typing(settings: CompletionSettings, syntax: CursorSyntax) -> str:
    """Why nothing is asked at a place while somebody types; empty if it is."""
    if syntax.zone == "string" and not settings.in_strings:
        return "Completion in strings is switched off: `completion.in_strings`."
    if syntax.zone == "comment" and not settings.in_comments:
        return "Completion in comments is switched off: `completion.in_comments`."
    return ""
