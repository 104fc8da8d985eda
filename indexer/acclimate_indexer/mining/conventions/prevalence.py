"""What is done nearly everywhere: how things are named, what is imported for a purpose, who imports whom."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from itertools import islice, permutations

from .facts import ConventionFacts
from .prevailing import MIN_PLACES, NO_STYLE, prevailing
from .record import Prevalence
from .wrappers import wrappers

STYLES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("snake_case", re.compile(r"_*[a-z0-9]+(?:_[a-z0-9]+)*_*")),
    ("camelCase", re.compile(r"_*[a-z][a-z0-9]*(?:[A-Z][a-z0-9]*)+")),
    ("PascalCase", re.compile(r"_*[A-Z][a-z0-9]*(?:[A-Z][a-z0-9]*)*")),
)
# Ways to do the same thing, of which a repository mostly has one: by what it imports, and by what it calls. What
# another is made of is no other way: urllib3's errors and retries are needed beside requests.
ALTERNATIVE_MODULES = {
    "http client": ("httpx", "requests", "aiohttp", "urllib.request", "axios", "node-fetch"),
    "paths": ("pathlib", "os.path"),
    "tests": ("pytest", "unittest", "nose"),
    "json": ("json", "orjson", "ujson", "simplejson"),
    "asynchronous runtime": ("anyio", "asyncio", "trio"),
    "data classes": ("pydantic", "dataclasses", "attrs", "attr"),
}
LOGGERS = ("logger", "logging", "log", "LOG", "LOGGER", "_logger", "_log", "console", "print")
MAX_BORROWED = 500
OWN_ERRORS = "classes of its own"
LEVELS = frozenset(("debug", "info", "warning", "warn", "error", "exception", "critical", "fatal"))


def prevalence(facts: Mapping[str, ConventionFacts]) -> tuple[Prevalence, ...]:
    """What holds in nine of ten places or more, where there are twenty or more."""
    found = [
        *_styles(facts),
        *_modules(facts),
        *_logging(facts),
        *_errors(facts),
        *_decorators(facts),
        *_layers(facts),
        *wrappers(facts),
    ]
    return tuple(sorted(found, key=lambda each: (-each.of, each.role, each.rule)))


def _styles(facts: Mapping[str, ConventionFacts]) -> Iterable[Prevalence]:
    named: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for path, each in facts.items():
        for role, names in (("functions", each.functions), ("classes", each.classes)):
            named[f"{each.language} {role}"] += [(name, f"{name} in {path}") for name in names if len(name) > 1]
    for role, places in named.items():
        language, _, what = role.rpartition(" ")
        own = {name for name, _ in places}
        for found in prevailing(role, [(style_of(name), where) for name, where in places if not name.startswith("__")]):
            yield replace(found, borrowed=_borrowed(facts, language, found.rule, own)) if what == "functions" else found


def _borrowed(facts: Mapping[str, ConventionFacts], language: str, style: str, own: Collection[str]) -> tuple[str, ...]:
    """The names in other styles than the functions' that are most used in the code and are not of its own functions.

    They are called where an interface of somebody else's is; a function of such a name stands in for one of its.
    """
    used: Counter[str] = Counter()
    for each in facts.values():
        if each.language == language:
            for dotted, count in each.names.items():
                used[dotted.rpartition(".")[2]] += count
    styles = {name for name, _ in STYLES} - {style, "PascalCase"}  # which name classes
    names = (name for name, _ in sorted(used.items(), key=lambda item: (-item[1], item[0])) if name not in own)
    return tuple(islice((name for name in names if style_of(name) in styles), MAX_BORROWED))


def style_of(name: str) -> str:
    """The style of a name; `NO_STYLE` for one that mixes them."""
    return next((style for style, pattern in STYLES if pattern.fullmatch(name)), NO_STYLE)


def _modules(facts: Mapping[str, ConventionFacts]) -> Iterable[Prevalence]:
    for purpose, modules in ALTERNATIVE_MODULES.items():
        used = [
            (module, f"{module} in {path}")
            for path, each in facts.items()
            for module in modules
            if any(name == module or name.startswith(f"{module}.") for name in each.modules)
        ]
        yield from prevailing(purpose, used)


def _logging(facts: Mapping[str, ConventionFacts]) -> Iterable[Prevalence]:
    used: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for path, each in facts.items():
        for name, count in each.names.items():
            receiver, _, method = name.rpartition(".")
            if (receiver.rpartition(".")[2] in LOGGERS and method in LEVELS) or name == "print":
                used[each.language] += [(receiver or name, f"{name} in {path}")] * count
    for language, places in used.items():
        yield from prevailing(f"{language} logging", places)


def _errors(facts: Mapping[str, ConventionFacts]) -> Iterable[Prevalence]:
    """Whether errors are of the repository's own classes, or which foreign one it raises throughout."""
    own = {name for each in facts.values() for name in each.classes}
    raised: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for path, each in facts.items():
        for name, count in each.errors.items():
            way = OWN_ERRORS if name.rpartition(".")[2] in own else name
            raised[each.language] += [(way, f"{name} in {path}")] * count
    for language, places in raised.items():
        yield from prevailing(f"{language} errors", places)


def _decorators(facts: Mapping[str, ConventionFacts]) -> Iterable[Prevalence]:
    used: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for path, each in facts.items():
        for decorator, count in each.decorators.items():
            name = decorator.partition("(")[0]
            used[name] += [(decorator, f"{decorator} in {path}")] * count
    for name, places in used.items():
        if len({decorator for decorator, _ in places}) > 1:  # a decorator that has no arguments says nothing
            yield from prevailing(f"decorator {name}", places)


def _layers(facts: Mapping[str, ConventionFacts]) -> Iterable[Prevalence]:
    """Which folder imports which, and never the other way around."""
    folder_of = _folders(facts)
    imports: Counter[tuple[str, str]] = Counter()
    for path, each in facts.items():
        own = folder_of(path)
        for module in each.modules:
            other = folder_of(module.replace(".", "/").replace("::", "/") + "/")
            if own and other and own != other:
                imports[own, other] += 1
    folders = sorted({folder for pair in imports for folder in pair})
    for one, two in permutations(folders, 2):
        if imports[one, two] >= MIN_PLACES and not imports[two, one]:
            count = imports[one, two]
            rule = f"{one} imports {two}, never the other way around"
            yield Prevalence(role="folders", rule=rule, count=count, of=count, exceptions=())


def _folders(facts: Mapping[str, ConventionFacts]) -> Callable[[str], str]:
    """What tells the second-level folder of a path or a module, e.g. `shop/cart` of `src/shop/cart/line.py`."""
    known = Counter(inner_folder(path) for path in facts)
    folders = {folder for folder, count in known.items() if folder and count > 1}
    return lambda path: inner_folder(path) if inner_folder(path) in folders else ""


def inner_folder(path: str) -> str:
    parts = path.removeprefix("src/").split("/")[:-1]
    return "/".join(parts[:2]) if len(parts) > 1 else ""
