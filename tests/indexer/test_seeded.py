"""Planted faults: each kind spoils what it should, says so, and is undone by its suggestion."""

import ast
import random
import re
import sysconfig
from collections import Counter
from pathlib import Path

import pytest

from acclimate_indexer.languages.registry import language_of
from acclimate_indexer.mining.faults import FAULTS
from acclimate_indexer.mining.reviews.fixes import Reviewed
from acclimate_indexer.mining.reviews.surroundings import whole_lines
from acclimate_indexer.mining.seeded import Seeds, spoiled
from acclimate_indexer.mining.source import Source
from acclimate_indexer.pairs import ReviewPair

# Kind, file, good line or lines, what the fault makes of them; `|` parts lines.
CASES = [
    (
        "sql_interpolation",
        "a.py",
        'db.execute("SELECT * FROM t WHERE id = %s", (key,))',
        'execute(f"SELECT * FROM t WHERE id = {key}")',
    ),
    (
        "sql_interpolation",
        "a.ts",
        "await db.query('SELECT a FROM t WHERE id = $1', [key]);",
        "db.query(`SELECT a FROM t WHERE id = ${key}`)",
    ),
    (
        "sql_interpolation",
        "a.go",
        'rows := db.Query("SELECT a FROM t WHERE id = $1", key)',
        'db.Query("SELECT a FROM t WHERE id = " + key + "")',
    ),
    ("swapped_comparison", "a.py", "if size < limit:|    pass", "if size > limit:"),
    ("swapped_comparison", "a.java", "while (size >= limit) {|  f();|}", "while (size <= limit) {"),
    ("off_by_one", "a.py", "for i in range(len(items)):|    f(i)", "range(len(items) + 1)"),
    ("off_by_one", "a.py", "for i in range(1, count + 1):|    f(i)", "range(1, count):"),
    ("off_by_one", "a.c", "for (int i = 0; i < count; i++) {|  f(i);|}", "i <= count;"),
    ("inverted_condition", "a.py", "if not ready:|    pass", "if ready:"),
    ("inverted_condition", "a.py", "if name is not None:|    pass", "if name is None:"),
    ("inverted_condition", "a.js", "if (!ready) {|  f();|}", "if (ready) {"),
    ("inverted_condition", "a.go", "if !ready {|  f()|}", "if ready {"),
    ("missing_await", "a.js", "const found = await load(key);", "const found = load(key);"),
    ("missing_await", "a.rs", "let found = load(key).await;", "let found = load(key);"),
    ("missing_null_check", "a.py", "if key is None:|    return 0", None),
    ("missing_null_check", "a.ts", "if (key === null) {|  return 0;|}", None),
    ("unchecked_error", "a.go", "if err != nil {|  return err|}", None),
    ("swapped_arguments", "a.py", "result = joined(first, second)", "joined(second, first)"),
    ("swallowed_exception", "a.py", "try:|    f()|except ValueError:|    raise Wrong(key)", "    pass"),
    ("swallowed_exception", "a.ts", "try {|  f();|} catch (error) {|  throw error;|}", "} catch (error) {\n    }"),
    (
        "resource_not_closed",
        "a.py",
        "with open(key) as file:|    f(file)|    g(file)",
        "file = open(key)\n    f(file)\n    g(file)",
    ),
    ("resource_not_closed", "a.go", "defer file.Close()", None),
    ("wrong_operator", "a.py", "if ready and steady:|    pass", "if ready or steady:"),
    ("wrong_operator", "a.rs", "if ready || steady {|  f();|}", "if ready && steady {"),
    ("assignment_in_condition", "a.c", "if (state == open) {|  f();|}", "if (state = open) {"),
    ("identity_comparison", "a.py", 'if name == "all":|    pass', 'if name is "all":'),
    ("identity_comparison", "a.ts", "const same = left === right;", "left == right"),
    ("unsafe_call", "a.py", "found = yaml.safe_load(key)", "yaml.unsafe_load(key)"),
    ("unsafe_call", "a.py", "return hmac.compare_digest(key, other)", "return key == other"),
    ("unsafe_call", "a.ts", "node.textContent = key;", "node.innerHTML = key;"),
    ("broad_except", "a.py", "try:|    f()|except KeyError as error:|    pass", "except Exception as error:"),
    ("wrong_variable", "a.py", "self.one = one|self.two = two", "self.two = one"),
]
BRACES = {
    ".js": "async function act(key) {\n%s\n}",
    ".ts": "async function act(key) {\n%s\n}",
    ".go": "func act(key string) error {\n%s\n}",
    ".java": "class A {\n  void act(int key) {\n%s\n  }\n}",
    ".c": "int act(int key) {\n%s\n}",
    ".rs": "async fn act(key: u32) {\n%s\n}",
    ".py": "def act(self, key):\n%s",
}


def _clean(path: str, text: str) -> tuple[Source, ReviewPair]:
    language = language_of(path)
    assert language is not None
    if path.endswith(".go"):
        text = "package a\n\n" + text
    source = Source.of(path=path, blob="b", commit="c", language=language, text=text)
    symbol = next(symbol for symbol in source.syntax.symbols if symbol.kind == "function")
    lines = source.lines(symbol.span)
    place = whole_lines(source, lines.start, lines.stop - 1)
    return source, ReviewPair(
        language=language.name, path=path, commit="c", hunk=place.text, comment=None, source="settled"
    )


def _made(path: str, text: str, *kinds: str) -> list[Reviewed]:
    source, clean = _clean(path, text)
    symbol = next(symbol for symbol in source.syntax.symbols if symbol.kind == "function")
    fitting = (fault for fault in FAULTS if fault.kind in kinds and clean.language in fault.languages)
    return [found for fault in fitting if (found := spoiled(fault, source, symbol, clean)) is not None]


def _function(path: str, code: str) -> str:
    lines = ["before();", *re.split(r"(?<!\|)\|(?!\|)", code), "after();"]
    return BRACES[path[1:]] % "\n".join(
        f"    {line}".replace(";", "" if path.endswith(".py") else ";") for line in lines
    )


@pytest.mark.parametrize(("kind", "path", "good", "bad"), CASES)
def test_a_fault_is_planted_and_its_suggestion_mends_it(kind: str, path: str, good: str, bad: str | None) -> None:
    (found,) = _made(path, _function(path, good), kind)
    positive, twin = found.positive, found.after

    assert positive.comment is not None
    assert twin is not None
    assert positive.source == twin.source == f"seeded:{kind}"
    assert bad is None or bad in positive.hunk
    assert positive.hunk != twin.hunk
    assert "{" not in positive.comment.message
    lines = positive.hunk.split("\n")
    first = positive.comment.line - 1
    put = positive.comment.suggestion.split("\n")
    assert twin.hunk == "\n".join([*lines[:first], *put, *lines[first + positive.comment.lines :]])


def test_a_default_is_spoiled_only_in_the_head() -> None:
    text = "def act(names: list[str] | None = None):\n    names: list[str] | None = None\n    return names\n"
    (found,) = _made("a.py", text, "mutable_default")

    assert found.positive.comment is not None
    assert found.positive.hunk.startswith("def act(names: list[str] | None = []):\n    names: list[str] | None = None")
    assert found.positive.comment.message == "The default of names is mutable, and shared by all calls"


def test_a_lost_return_is_the_last_one() -> None:
    (found,) = _made("a.py", "def act(key):\n    if key:\n        return f(1)\n    return f(2)\n", "missing_return")

    assert found.positive.hunk.endswith("    f(2)")
    assert "return f(1)" in found.positive.hunk


def test_comments_and_strings_are_not_spoiled() -> None:
    text = 'def act(key):\n    """\n    if not ready:\n    """\n    # if not ready:\n    f("", "if x and y")\n'

    assert _made("a.py", text, "inverted_condition", "wrong_operator") == []


def test_at_least_ten_kinds_are_planted_in_the_standard_library_and_still_parse() -> None:
    seeds = Seeds(48, random.Random(0))
    kinds: Counter[str] = Counter()
    for name in ("argparse", "zipfile", "tarfile", "asyncio/streams", "http/client", "mailbox", "shutil", "ast"):
        path = Path(sysconfig.get_path("stdlib")) / f"{name}.py"
        language = language_of("a.py")
        assert language is not None
        source = Source.of(
            path=f"{name}.py", blob=name, commit="c", language=language, text=path.read_text(encoding="utf-8")
        )
        for symbol in source.syntax.symbols:
            lines = source.lines(symbol.span)
            if symbol.kind != "function" or len(lines) > 60:
                continue
            place = whole_lines(source, lines.start, lines.stop - 1)
            clean = ReviewPair(language="python", path="a.py", commit="c", hunk=place.text, comment=None, source="s")
            found = seeds.planted(source, symbol, clean)
            if found is None:
                continue
            kinds[found.positive.source] += 1
            if not found.positive.source.endswith(("missing_await", "identity_comparison")):
                indented = "\n".join(f" {line}" for line in found.positive.hunk.split("\n"))
                ast.parse(f"if True:\n{indented}\n")

    assert len(kinds) >= 10, kinds
    assert max(kinds.values()) <= 4


def test_hostile_code_costs_little() -> None:
    for line in ("if " + "a " * 50_000, "x = " * 30_000, "range(" * 30_000, "for ;" * 30_000, "f(" + "a, " * 30_000):
        for fault in FAULTS:
            next(fault.pattern.finditer(f"    {line}\n" * 3), None)
