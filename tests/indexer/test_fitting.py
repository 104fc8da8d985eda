"""What of an answer may stand in a document."""

import ast
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

import acclimate_indexer
from acclimate_indexer.document_tree import DocumentTree
from acclimate_indexer.fitting import fitting, prepare
from acclimate_indexer.languages.plain import plain_language
from acclimate_indexer.languages.registry import LANGUAGES, language_named, language_of
from acclimate_indexer.mining.completion import completion_candidates
from acclimate_indexer.mining.source import Source

FIXTURES = sorted(path for path in (Path(__file__).parent / "languages").iterdir() if path.suffix != ".json")
OWN = sorted(Path(acclimate_indexer.__file__).parent.glob("*.py"))


def document(language: str, text: str) -> DocumentTree:
    known = language_named(language)
    assert known is not None
    opened = DocumentTree(known)
    opened.update(text)
    return opened


def fitted(language: str, marked: str, insertion: str, *, replaced: int = 0) -> str:
    """What of an answer may stand at the `|` of a text."""
    before, _, after = marked.partition("|")
    return fitting(document(language, before + after), insertion, len(before), replaced=replaced)


WHOLE = {
    "what completes a line": ("python", "x = |\ny = 1\n", "f(a)"),
    "what completes a call": ("python", "f(|)\n", "a, b=[1]"),
    "what closes what the line opened": ("python", "x = f(g(|\ny = 1\n", "a), b)"),
    "a body": ("python", "def f():|\n\ny = 1\n", "\n    x = 1\n    return x"),
    "a body below its head": ("python", "def f():\n    |\n\ny = 1\n", "for x in y:\n        x()\n    return y"),
    "code in a call that is not closed yet": ("python", "x = [\n    f(a),\n    |\n\n\ny = 1\n", "f(b),"),
    "words in a comment": ("python", "# so |\nx = 1\n", "(it is"),
    "words in a docstring": ("python", 'def f():\n    """|"""\n', "It's (so"),
    "another branch": ("python", "if a:\n    b\n|\nc\n", "elif d:\n    e\nelse:\n    f"),
    "a line beside an error elsewhere": ("python", "import\n\n\ndef f():\n    x = |\n", "g(1)"),
    "a block in braces": ("javascript", "function f() {|\n", "\n  return g(a);\n}"),
    "bytes that are no characters": ("python", "größe = '😀' + |\n", "f('ß')"),
}


@pytest.mark.parametrize(("language", "marked", "insertion"), WHOLE.values(), ids=WHOLE)
def test_what_fits_is_shown_whole(language: str, marked: str, insertion: str) -> None:
    assert fitted(language, marked, insertion) == insertion


NOTHING = {
    "a bracket too many": ("python", "x = |\ny = 1\n", "f(a))"),
    "a bracket too few": ("python", "x = |\ny = 1\n", "f(a"),
    "a bracket that the line has already": ("python", "f(|)\n", "a)"),
    "a line too deep": ("python", "def f():\n    a = 1\n    |\n    return a\n", "  b = 2"),
    "a dedent to nowhere": ("python", "def f():\n    a = 1\n|\n    return a\n", "  b = 2"),
    "a clause of nothing": ("python", "def f():\n    |\n", "else:\n        b"),
    "two values in a row": ("python", "f(|)\n", "a b"),
    "a brace too many": ("javascript", "function f() {\n  |\n}\ng();\n", "h(); }"),
    "a string that is not closed": ("go", "package a\n\nvar x = f(|)\n", '"a'),
}


@pytest.mark.parametrize(("language", "marked", "insertion"), NOTHING.values(), ids=NOTHING)
def test_what_would_break_the_document_is_not_shown(language: str, marked: str, insertion: str) -> None:
    assert fitted(language, marked, insertion) == ""


def test_an_answer_that_breaks_off_is_shown_as_far_as_it_goes() -> None:
    body = "def f():\n    |\n\n\ny = 1\n"
    statement = "total = price(\n        order,\n    )"

    assert fitted("python", body, f"{statement}\n    return round(tot") == statement
    assert fitted("python", body, f"{statement}\n    return round(\n        total,\n        ra") == statement
    assert fitted("python", body, "total = price(\n        order") == ""
    assert fitted("python", "größe()\r\n|\r\ny = 1\r\n", "a('😀')\r\nb(") == "a('😀')"


def test_what_is_replaced_counts_as_gone() -> None:
    assert fitted("python", "x = f(a|, b)\ny = 1\n", ")", replaced=4) == ")"
    assert fitted("python", "x = f(a|, b)\ny = 1\n", ")") == ""


def test_what_was_prepared_is_not_parsed_again() -> None:
    opened = document("python", "import a\n\n\n" + "x = f()\n" * 4_000)
    assert opened.parsed is not None

    prepare(opened, 22)
    part, begin = opened.parsed.part_around(22, 22)

    assert opened.parsed.part_around(22, 22) == (part, begin)
    assert fitting(opened, "(", 22) == ""
    assert opened.parsed.part_around(22, 22)[0] is part


def test_without_a_tree_all_is_shown() -> None:
    opened = DocumentTree(plain_language(".abap"))
    opened.update("x = 1.\n")

    assert fitting(opened, "((", 4) == "(("


def true_holes(path: Path) -> Iterator[tuple[str, int, int]]:
    language = language_of(path.name)
    assert language is not None
    text = path.read_text(encoding="utf-8")
    source = Source.of(path=path.name, blob="0", commit="1", language=language, text=text)
    for candidate in completion_candidates(source, count=12, seed=0).found:
        yield text, *candidate.span


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: str(path.name))
def test_what_people_wrote_is_never_held_back(path: Path) -> None:
    language = language_of(path.name)
    assert language is not None
    for text, start, end in true_holes(path):
        opened = document(language.name, text[:start] + text[end:])

        assert fitting(opened, text[start:end], start) == text[start:end]


def parses(text: str) -> bool:
    try:
        ast.parse(text)
    except SyntaxError:
        return False
    return True


def damaged(middle: str, choice: random.Random) -> str:
    """With a bracket more or less, or a line that is a column off."""
    at = choice.randrange(len(middle) + 1)
    brackets = [place for place, character in enumerate(middle) if character in "()[]{}"]
    breaks = [place for place, character in enumerate(middle) if character == "\n"]
    if breaks and choice.random() < 0.5:
        at = choice.choice(breaks) + 1
        return f"{middle[:at]} {middle[at:]}"
    if brackets and choice.random() < 0.5:
        at = choice.choice(brackets)
        return middle[:at] + middle[at + 1 :]
    return middle[:at] + choice.choice("()[]{}") + middle[at:]


def test_of_our_own_code_the_true_lines_pass_and_most_damaged_ones_do_not() -> None:
    choice = random.Random(0)
    counts: Counter[str] = Counter()
    for path in OWN:
        for text, start, end in true_holes(path):
            opened = document("python", text[:start] + text[end:])
            middle, broken = text[start:end], damaged(text[start:end], choice)
            counts["true"] += 1
            counts["true held back"] += fitting(opened, middle, start) != middle
            if not parses(text[:start] + broken + text[end:]):
                counts["broken"] += 1
                counts["broken held back"] += fitting(opened, broken, start) != broken

    assert counts["true"] > 150
    assert counts["true held back"] == 0
    assert counts["broken"] > 50
    assert counts["broken held back"] > 0.75 * counts["broken"]


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda language: str(language.name))
def test_any_answer_in_any_text_gives_a_beginning_of_it(language: object) -> None:
    choice = random.Random(0)
    name = next(each.name for each in LANGUAGES if each is language)

    def noise(most: int) -> str:
        return "".join(choice.choices("(){}[]\"'`\n\t ab:#/*\\\r,é😀\ud800$=", k=choice.randrange(most)))

    for _ in range(60):
        text, insertion = noise(60), noise(20)
        offset = choice.randrange(len(text) + 1)
        found = fitting(document(name, text), insertion, offset, replaced=min(3, len(text) - offset))

        assert insertion.startswith(found)
