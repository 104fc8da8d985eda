"""What a model is asked for a missing doc-comment is what mining would cut, and nothing but a comment is put in."""

from pathlib import Path

import pytest

from acclimate_indexer.doc_comment_check import NO_COMMENT, why_no_doc_comment
from acclimate_indexer.languages.language import Language
from acclimate_indexer.languages.registry import LANGUAGES, language_named, language_of
from acclimate_indexer.mining.completion import Candidate, windowed
from acclimate_indexer.mining.documentation import PLACE, doc_flaw, documentation_candidates
from acclimate_indexer.mining.source import Source
from acclimate_indexer.syntax import outline_of
from acclimate_indexer.undocumented import DocPlace, doc_place

FOLDER = Path(__file__).parent / "languages"
SOURCES = sorted(path for path in FOLDER.iterdir() if path.suffix != ".json")

PYTHON = '''import functools


@functools.cache
def price(order,
          rate):  # of today
    """What an order costs with its taxes."""
    # the shop rounds
    return order.total * rate


class Shop:
    """Sells whatever people want to buy."""

    till = None

    @property
    def owner(self):
        """Who has to pay the taxes of the shop."""

        def name():
            \'\'\'The name as it is written on the door.\'\'\'
            return self.till.name

        return name()
'''
TYPESCRIPT = """@Injectable()
export class Shop {
\t/** Where all of the money is kept. */
\t@Input()
\t@Required({
\t\tname: 'till',
\t})
\ttill(): Till {
\t\treturn this.inner;
\t}
}

/**
 * What an order costs with its taxes.
 */
export const price = (order: Order): number => {
\treturn order.total;
};
"""
RUST = """mod shop {
    /// What an order costs with its taxes.
    ///
    /// It is rounded up.
    #[inline]
    #[must_use]
    pub fn price(order: &Order) -> f64 {
        order.total
    }
}
"""
C = """/* What an order costs with its taxes. */
typedef struct price {
    int cents;
} price_t;
"""
TEXTS = {
    **{path.name: path.read_text(encoding="utf-8") for path in SOURCES},
    "a.py": PYTHON,
    "a.ts": TYPESCRIPT,
    "a.rs": RUST,
    "a.c": C,
}


def language(name: str) -> Language:
    found = language_named(name)
    assert found is not None
    return found


def place_in(text: str, of: str, at: str) -> DocPlace | None:
    """The place around where `at` begins."""
    return doc_place(text, outline_of(text, language(of)), language(of), text.index(at))


def refusal(text: str, of: str, at: str, comment: str) -> str:
    place = place_in(text, of, at)
    assert place is not None
    return why_no_doc_comment(comment, place, text, outline_of(text, language(of)), language(of))


@pytest.mark.parametrize("name", TEXTS)
def test_without_its_doc_comment_a_definition_is_asked_as_mining_asks_for_it(name: str) -> None:
    text, of = TEXTS[name], language_of(name)
    assert of is not None
    source = Source(path=name, blob="", commit="", language=of, text=text)
    tried = 0
    for symbol in source.syntax.symbols:
        mined = None if symbol.doc is None else windowed(source, PLACE, symbol.doc)
        if not isinstance(mined, Candidate):
            continue
        start, end = mined.span
        first, last = text.rfind("\n", 0, start) + 1, text.index("\n", end) + 1
        bare, comment = text[:first] + text[last:], text[start:end]
        cursor = symbol.span.start - (last - first if start < symbol.span.start else 0)
        outline = outline_of(bare, of)

        place = doc_place(bare, outline, of, cursor)
        assert place is not None
        assert place.with_comment(bare, comment) == text
        asked = place.cursor(path=name, language=of.name, text=bare)
        assert (asked.prefix, asked.suffix) == (text[mined.first : start], text[end : mined.last])
        assert not why_no_doc_comment(comment, place, bare, outline, of) or doc_flaw(comment)
        tried += 1

    assert tried >= len(documentation_candidates(source).found) > 0 or of.name == "csharp"  # tags alone say little
    assert tried > 0


def test_every_language_is_asked_about() -> None:
    assert {found.name for name in TEXTS if (found := language_of(name))} == {each.name for each in LANGUAGES}


NESTED = """@cache
def price():
    return 1


class Shop:
    def outer(self):
        def inner():
            deep = 2
        result = inner()
"""


@pytest.mark.parametrize(
    ("at", "name"),
    [("@cache", "price"), ("return 1", "price"), ("class Shop", "Shop"), ("deep", "inner"), ("result", "outer")],
)
def test_the_innermost_definition_counts(at: str, name: str) -> None:
    place = place_in(NESTED, "python", at)

    assert place is not None
    assert place.name == name


@pytest.mark.parametrize(
    ("of", "text"),
    [
        ("python", 'def f(|):\n    """What an order costs."""\n    return 1\n'),
        ("python", "def f(): return |1\n"),
        ("rust", "#[inline]\n|\nfn f() {}\n"),
        ("python", "x = |1\n\n\ndef f():\n    return 1\n"),
        ("typescript", "// What an order costs.\nfunction f() {\n  return |1;\n}\n"),
        ("typescript", "class A {\n  a() {} b() { return |1; }\n}\n"),
        ("typescript", "class A {\n  /** What it costs. */\n  @Input() a() { return |1; }\n}\n"),
        ("go", "package a\n\ntype (\n\tA struct{}\n\tB struct{|}\n)\n"),
    ],
)
def test_where_no_doc_comment_is_missing_or_none_has_room_there_is_no_place(of: str, text: str) -> None:
    offset = text.index("|")
    text = text.replace("|", "")

    assert doc_place(text, outline_of(text, language(of)), language(of), offset) is None


def test_a_comment_before_a_python_function_is_no_docstring() -> None:
    place = place_in("# TODO: taxes\ndef f():\n    return 1\n", "python", "def")

    assert place is not None
    assert place.offset == len("# TODO: taxes\ndef f():\n")


def test_a_place_moves_with_what_is_typed_above_and_is_lost_by_what_is_typed_in_it() -> None:
    text = "package a\n\nfunc F() {\n\treturn\n}\n\nvar x = 1\n"
    place = place_in(text, "go", "func")
    assert place is not None
    above = text.replace("package a\n", "package a\n\nvar y = 2\n")
    moved = place.moved(text, above)

    assert place.moved(text, text.replace("x = 1", "x = 12")) == place
    assert moved == place_in(above, "go", "func")
    assert place.moved(text, text.replace("return", "panic(1)")) is None
    assert place.moved(text, text.replace("\n\nfunc", "func")) is None


PYTHON_FUNCTION = "def price(order):\n    return order.total\n"
SCRIPT_FUNCTION = "function price(order) {\n  return order.total;\n}\n"


@pytest.mark.parametrize(
    ("of", "text", "comment"),
    [
        ("python", PYTHON_FUNCTION, '"""What an order costs."""\n    order.sell()'),
        ("python", PYTHON_FUNCTION, '"""What an order costs.'),
        ("python", PYTHON_FUNCTION, 'f"""What an order costs {order.sell()}."""'),
        ("python", PYTHON_FUNCTION, '"""What an order costs.""" + order.sell()'),
        ("python", PYTHON_FUNCTION, "# What an order costs."),
        ("python", PYTHON_FUNCTION, "What an order costs."),
        ("python", "class A:\n    def price(self):\n        return 1\n", "# What an order costs."),
        ("javascript", SCRIPT_FUNCTION, "/** What an order costs. */\nsell(order);"),
        ("javascript", SCRIPT_FUNCTION, "sell(order); // What an order costs."),
        ("javascript", SCRIPT_FUNCTION, "/** What an order costs."),
        ("javascript", SCRIPT_FUNCTION, "// What an order costs.\u2028sell(order)"),
        ("javascript", SCRIPT_FUNCTION, "// What an order \u202ecosts."),
        ("javascript", SCRIPT_FUNCTION, "/** What an order costs. */\n"),
        ("java", "class A {\n    int b() { return 1; }\n}\n", "// What an order \\u000a costs."),
        ("rust", "fn price() {}\n", "/// What an order\n#[cfg(test)]\n/// costs altogether."),
        ("rust", "fn price() {}\n", "//! What an order costs."),
        ("c", "int price(void) {\n    return 1;\n}\n", "// What an order costs \\"),
        ("php", "<?php\nfunction price() {\n    return 1;\n}\n", "// What an order costs ?> <b>"),
    ],
)
def test_what_is_more_or_less_than_a_doc_comment_is_refused(of: str, text: str, comment: str) -> None:
    name = "A" if "class A" in text and of == "python" else "b" if of == "java" else "price"

    assert refusal(text, of, name, comment) == NO_COMMENT


@pytest.mark.parametrize(
    ("comment", "reason"),
    [
        ("", "proposed nothing"),
        ('"""' + "Costs of orders. " * 200 + '"""', "longer than"),
        ('"""Order."""', "says nothing"),
        ('"""Uses the key AKIAIOSFODNN7EXAMPLQ of the shop."""', "secret"),
        ('"""Ask jane.doe@acme-shop.com what an order costs."""', "address"),
    ],
)
def test_a_doc_comment_that_teaches_nothing_or_tells_too_much_is_refused(comment: str, reason: str) -> None:
    assert reason in refusal(PYTHON_FUNCTION, "python", "price", comment)


def test_a_doc_comment_in_its_place_is_taken() -> None:
    assert refusal(PYTHON_FUNCTION, "python", "price", '"""What an order costs, with `f"{x}"` in it."""') == ""
    assert refusal(SCRIPT_FUNCTION, "javascript", "price", "/**\n * What an order costs.\n */") == ""
