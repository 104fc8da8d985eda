"""The table of languages, and which language a file is in.

A language is added by an entry here and a fixture in the tests. A team adds one of its own with a package that names
an object of class `Language` under the entry point group `acclimate.languages`.
"""

import logging
import re
from collections.abc import Callable, Iterable
from functools import cache
from importlib.metadata import EntryPoint, entry_points, version

from .bash import BASH
from .c import CPP, C
from .csharp import CSHARP
from .go import GO
from .java import JAVA
from .kotlin import KOTLIN
from .language import Language, spans_query
from .lua import LUA
from .php import PHP
from .plain import plain_extensions, plain_language
from .python import PYTHON
from .ruby import RUBY
from .rust import RUST
from .scala import SCALA
from .script import JAVASCRIPT, TYPESCRIPT, TYPESCRIPT_REACT
from .swift import SWIFT

logger = logging.getLogger(__name__)

_ONLY_CPP = re.compile(r"^\s*(?:class|namespace|template|using)\b|\w::\w", re.MULTILINE)

ENTRY_POINTS = "acclimate.languages"
LANGUAGES: tuple[Language, ...] = (
    PYTHON,
    JAVASCRIPT,
    TYPESCRIPT,
    TYPESCRIPT_REACT,
    JAVA,
    GO,
    RUST,
    C,
    CPP,
    CSHARP,
    KOTLIN,
    SCALA,
    RUBY,
    PHP,
    SWIFT,
    LUA,
    BASH,
)


@cache
def known_languages() -> tuple[Language, ...]:
    """Ours, and those that installed packages bring; for an extension that both know, theirs."""
    return (*LANGUAGES, *filter(None, map(_loaded, sorted(entry_points(group=ENTRY_POINTS)))))


def language_of(path: str) -> Language | None:
    """The language of a file by its extension, or None if there is no entry for it."""
    return _by_extension().get(extension_of(path))


def languages_for(paths: Iterable[str]) -> Callable[[str], Language | None]:
    """What tells the language of a path in a repository with these files.

    An extension that no entry knows and that many files share is a language, too: it goes by lines and indentation.
    """
    plain = {extension: plain_language(extension) for extension in plain_extensions(paths, frozenset(_by_extension()))}
    return lambda path: language_of(path) or plain.get(extension_of(path))


def extensions_in(paths: Iterable[str]) -> list[str]:
    """The extensions of all known languages, and of those that only a repository with these files has."""
    known = _by_extension()
    return sorted({*known, *plain_extensions(paths, frozenset(known))})


def language_of_text(language: Language, path: str, text: str) -> Language:
    """The language of a file whose text is known: a header that its name calls C may be C++."""
    return CPP if language is C and path.endswith(".h") and _ONLY_CPP.search(text) else language


def language_named(name: str) -> Language | None:
    return next((language for language in known_languages() if language.name == name), None)


def are_related(path: str, language: str) -> bool:
    """Whether the file at `path` may define what code in a language calls, as TypeScript calls JavaScript."""
    one, two = language_of(path), language_named(language)
    return (one is not None and two is not None and one.lexer == two.lexer) or extension_of(path) == f".{language}"


def extension_of(path: str) -> str:
    """With its dot, in small letters; empty for a name without one."""
    stem, dot, extension = path.rpartition("/")[2].rpartition(".")
    return f".{extension.lower()}" if dot and stem else ""


@cache
def grammar_versions() -> dict[str, str]:
    """Which grammar packages spans depend on."""
    named = {each.distribution for each in known_languages() if each.distribution is not None}
    return {name: version(name) for name in sorted({"tree-sitter", *named})}


@cache
def _by_extension() -> dict[str, Language]:
    return {extension: language for language in known_languages() for extension in language.extensions}


def _loaded(entry_point: EntryPoint) -> Language | None:
    """A language of somebody else's; None, with a warning, if it cannot be used."""
    try:
        language: object = entry_point.load()
        if isinstance(language, Language) and language.grammar is not None:
            spans_query(language)
    except Exception as error:  # noqa: BLE001 - somebody else's code, at its border: whatever it raises, ours goes on
        logger.warning("The language %r cannot be used: %s", entry_point.name, error)
        return None
    if not isinstance(language, Language):
        logger.warning("The language %r cannot be used: it is no `Language` of acclimate's.", entry_point.name)
        return None
    return language
