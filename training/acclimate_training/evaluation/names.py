"""Names that an answer makes up, and names that the repository has given up.

An invented name is an import, a call or a member (an attribute, a field, a method) in the answer whose word stands
nowhere: not in the text around the hole or elsewhere in the answer by itself, not in any file of the repository at the
split commit (`vocabulary`), and, for Python, neither in the standard library nor in the environment that lies in the
work tree. Each name counts once an answer. What an answer defines or assigns to is not invented.

It is called so only where that could be checked:
- what is reached through a name that an import of the file brings from a module that was not read is left aside, and so
  is what is imported from such a module;
- of an import outside of the repository only the first name of the module is checked;
- a member of anything else exists if its word stands anywhere in the sets above, whatever the type.

So the figure is a lower bound for Python. For other languages no library is read: a method of the standard library
that no file of the repository has used yet counts as invented, for all contenders alike. The true middles have names
that are new to the repository, too: `floor` says how many, and a contender is to be read against it.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Self

from acclimate_indexer.fragment import Fragment, Import, fragment
from acclimate_indexer.languages.language import Language
from acclimate_indexer.languages.registry import language_named
from acclimate_indexer.mining.conventions.record import Conventions
from acclimate_indexer.pairs import CompletionPair
from acclimate_indexer.python_library import PythonLibrary, installed_library, standard_library
from acclimate_indexer.repository import Repository
from acclimate_indexer.vocabulary import Vocabulary, vocabulary_at, words_of

NEAR_CHARACTERS = 80  # on both sides of an answer that a retired name may begin or end in
# First names of modules that come with a language, so that a repository need not have used them yet.
_NODE = """
assert buffer child_process cluster crypto dns events fs http http2 https module net node os path perf_hooks process
querystring readline stream string_decoder timers tls tty url util v8 vm worker_threads zlib
"""
_VIRTUAL_MACHINES = "java javax jdk kotlin kotlinx scala System Microsoft Foundation Swift UIKit"
_STANDARD_MODULES: dict[str, frozenset[str]] = {
    "script": frozenset(_NODE.split()),
    "java": frozenset(_VIRTUAL_MACHINES.split()),
    "rust": frozenset(("std", "core", "alloc", "crate", "self", "super")),
    "c": frozenset(("std",)),
}
_QUOTED = re.compile(r"""["'<]([^"'<>\n]+)["'>]""")
# What an import names itself: aliases, and what a script calls a module's default.
_GIVEN = re.compile(r"\bas\s+\w+|^import\s+(?:type\s+)?\w+(?=\s*,|\s+from\b)")
_KEYWORDS = frozenset(("import", "from", "as", "type", "use", "pub", "using", "static"))
_OWN = (".", "@/", "~/", "crate::", "self::", "super::")  # what modules of the repository itself begin with
_PYTHON_MODULE = re.compile(r"(?:^|,)\s*([\w.]+)")
_PYTHON_FROM = re.compile(r"\s*from\s+(\.*)\s*([\w.]*)\s+import\b")
_DOTTED = re.compile(
    r"\s*(?:import|from|use|using|open|require(?:_once)?|include(?:_once)?)\s+(?:static\s+|type\s+)?\\?([\w.:\\]+)"
)


@dataclass(frozen=True, kw_only=True)
class KnownNames:
    """What exists, for one data set: made once, asked for thousands of answers.

    Attributes:
        vocabulary: Of the repository at the split commit.
        standard: The Python library's names; `installed`: those of the environment in the work tree.
    """

    vocabulary: Vocabulary
    conventions: Conventions
    standard: PythonLibrary
    installed: PythonLibrary

    @classmethod
    def of(cls, repository: Repository, commit: str, conventions: Conventions) -> Self:
        """The names at a commit, which is the split's: later names nobody could know. It takes seconds.

        Raises:
            RepositoryError: The commit is not there.
        """
        vocabulary = vocabulary_at(repository, commit)
        is_python = bool(vocabulary.own_modules)
        wanted = vocabulary.python_modules - vocabulary.own_modules
        return cls(
            vocabulary=vocabulary,
            conventions=conventions,
            standard=standard_library() if is_python else PythonLibrary(),
            installed=installed_library(repository.work_tree, wanted) if is_python else PythonLibrary(),
        )

    def invented(self, found: Fragment, *, prefix: str, suffix: str, language: Language) -> tuple[str, ...]:
        """The made-up names of an answer, each once, in the order of imports, calls and members."""
        unread = frozenset(
            word
            for statement in (*(each.statement for each in found.imports), *found.other_imports)
            if not self._is_read(statement, language)
            for word in words_of(statement)
        )
        used = (*found.calls, *(member.name for member in found.members if member.root not in unread))
        imported = (name for each in found.imports for name in self._to_check(each, language))
        names = dict.fromkeys((*imported, *(name for name in used if name not in unread | found.bound)))
        unknown = (name for name in names if not self.exists(name, language.name))
        return tuple(name for name in unknown if not _stands_in(name, prefix) and not _stands_in(name, suffix))

    def retired(self, piece: str, *, prefix: str = "", suffix: str = "") -> tuple[str, ...]:
        """The names in an answer that the repository replaced by others, each once, in their order."""
        if self._retired is None or not piece:
            return ()
        before = prefix[-NEAR_CHARACTERS:]
        text = before + piece + suffix[:NEAR_CHARACTERS]
        start, end = len(before), len(before) + len(piece)
        matches = (match for match in self._retired.finditer(text) if match.start() < end and match.end() > start)
        return tuple(dict.fromkeys(match[0] for match in matches))

    def exists(self, name: str, language: str) -> bool:
        """Whether the repository or, for Python, a library that was read has this name."""
        word = name.strip("$@?!")  # marks of some languages, which are no part of a word elsewhere
        if word in self.vocabulary.words:
            return True
        return language == "python" and (word in self.standard.words or word in self.installed.words)

    def is_own(self, name: str) -> bool:
        """Whether the repository has this name, and the libraries that are known do not."""
        return name in self.vocabulary.words and not (name in self.standard.words or name in self.installed.words)

    @cached_property
    def _retired(self) -> re.Pattern[str] | None:
        names = sorted({each.old for each in self.conventions.replacements}, key=lambda name: (-len(name), name))
        return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, names))})(?!\w)") if names else None

    def _to_check(self, found: Import, language: Language) -> Iterator[str]:
        """Words of an import that must exist: all but the names it gives, or the first of a module from elsewhere."""
        if self._is_read(found.statement, language):
            asked = frozenset(words_of(_GIVEN.sub(" ", found.statement))) - _KEYWORDS
            yield from (word for word in found.written if word in asked)
            return
        for module in _modules_of(found.statement, language):
            first = next(iter(words_of(module)), "")
            if first in found.written and not self._has_module(module, first, language):
                yield first

    def _is_read(self, statement: str, language: Language) -> bool:
        """Whether all names of the modules that a statement imports are among the words."""
        return all(self._is_read_module(module, language) for module in _modules_of(statement, language))

    def _is_read_module(self, module: str, language: Language) -> bool:
        if module.startswith(_OWN):
            return True
        whole = (self.vocabulary.own_modules, self.standard.modules, self.installed.modules)
        return language.name == "python" and any(module.partition(".")[0] in each for each in whole)

    def _has_module(self, module: str, first: str, language: Language) -> bool:
        """Whether a module from elsewhere is known by its first name."""
        if language.name == "python":
            known = (self.vocabulary.python_modules, self.installed.partly)
            return self._is_read_module(module, language) or any(first in each for each in known)
        if language.lexer == "go" and "." not in module.partition("/")[0]:
            return True  # the standard library: modules from elsewhere begin with a host
        return first in self.vocabulary.words or first in _STANDARD_MODULES.get(language.lexer, frozenset())


def floor(pairs: Sequence[CompletionPair], known: KnownNames) -> float | None:
    """How many invented names a true middle has on average: what is new to the repository, or could not be read.

    None if no pair is in a language with a grammar.
    """
    counts = [
        len(invented)
        for pair in pairs
        if (invented := invented_in(pair.middle, pair.prefix, pair.suffix, pair.language, known)) is not None
    ]
    return sum(counts) / len(counts) if counts else None


def invented_in(piece: str, prefix: str, suffix: str, language: str, known: KnownNames) -> tuple[str, ...] | None:
    """The invented names of a piece of code in its place; None without a grammar."""
    found = language_named(language)
    if found is None or found.grammar is None:
        return None
    parsed = fragment(piece, prefix=prefix, suffix=suffix, language=found)
    return known.invented(parsed, prefix=prefix, suffix=suffix, language=found)


def _modules_of(statement: str, language: Language) -> tuple[str, ...]:
    """What a statement imports from, as it is written; nothing where it cannot be told."""
    if language.name == "python":
        if source := _PYTHON_FROM.match(statement):
            return (source[1] + source[2],)
        return tuple(_PYTHON_MODULE.findall(statement.removeprefix("import")))
    if quoted := _QUOTED.findall(statement):
        return tuple(quoted)
    dotted = _DOTTED.match(statement)
    return (dotted[1],) if dotted else ()


@lru_cache(maxsize=4096)
def _whole_word(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w){re.escape(name)}(?!\w)")


def _stands_in(name: str, text: str) -> bool:
    return name in text and _whole_word(name).search(text) is not None
