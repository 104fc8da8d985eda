"""What the syntax says of a cursor."""

import random
import re
from pathlib import Path

import pytest

from acclimate_indexer.completion_cut import mode_at
from acclimate_indexer.cursor_syntax import CursorSyntax, cursor_syntax
from acclimate_indexer.document_tree import DocumentTree
from acclimate_indexer.languages.plain import plain_language
from acclimate_indexer.languages.registry import LANGUAGES, language_named, language_of

FIXTURES = sorted(path for path in (Path(__file__).parent / "languages").iterdir() if path.suffix != ".json")
MARKS = {".": "code", "s": "string", "c": "comment"}


def document(language: str, text: str) -> DocumentTree:
    known = language_named(language)
    assert known is not None
    opened = DocumentTree(known)
    opened.update(text)
    return opened


def at_mark(language: str, marked: str) -> CursorSyntax:
    """The syntax at the `|` of a text."""
    before, _, after = marked.partition("|")
    return cursor_syntax(document(language, before + after), len(before))


def zones(language: str, text: str) -> str:
    opened = document(language, text)
    letters = {zone: letter for letter, zone in MARKS.items()}
    return "".join(letters[cursor_syntax(opened, offset).zone] for offset in range(len(text) + 1))


# One mark for each place between two characters: the first stands before the first character, the last at the end.
ZONES = {
    "quotes are code, what is between them is not": ("python", "f('ab', x)", "...sss....."),
    "an interpolation is code": ("python", 'f"a{b}c"', ".sss..ss."),
    "a docstring is a string": ("python", 'def f():\n    """A."""', "." * 14 + "sssssss."),
    "a comment goes on at its end": ("python", "a  # b", "....ccc"),
    "on the next line it has ended": ("python", "# b\nc", ".ccc.."),
    "one byte is not one character": ("python", "# 😀é\n'ß'", ".cccc.ss."),
    "a template's holes are code": ("javascript", "`a${b}c`;", ".ss...ss.."),
    "a block comment ends where it is closed": ("javascript", "/* a */ b", ".cccccc..."),
    "markup's attributes are strings": ("typescriptreact", 'x = <p a="b">c</p>', "." * 10 + "ss......."),
    "a character is a string": ("java", "class A { char c = 'a'; }", "." * 20 + "ss...."),
    "a raw string is one": ("go", "package a\nvar x = `b`", "." * 19 + "ss."),
    "documentation ends with its line": ("rust", "/// a\nfn f() {}", ".ccccc.........."),
    "a lifetime is no string": ("rust", "fn f<'a>() {}", ".............."),
    "an include is a string": ("c", '#include "a.h"', "." * 10 + "ssss."),
    "a raw string of C++ is one": ("cpp", 'x = R"(a)";', "....." + "sssss.."),
    "an interpolated string of C# has holes": ("csharp", 'x = $"a{b}c";', ".....sss..ss.."),
    "so has one of Kotlin": ("kotlin", 'val x = "a${b}c"', "........." + "ss...ss."),
    "and one of Scala": ("scala", 'val x = s"a${b}c"', ".........." + "ss...ss."),
    "and one of Ruby": ("ruby", 'x = "a#{b}c"', "....." + "ss...ss."),
    "and one of Swift": ("swift", 'let x = "a\\(b)c"', "........." + "ss...ss."),
    "PHP has both quotes": ("php", "<?php f('a', \"b\");", "." * 9 + "ss..." + "ss..."),
    "Lua's long comment is closed": ("lua", "--[[a]] b()", ".cccccc....."),
    "Lua's long string is a string": ("lua", "x = [[a]]", "....." + "ssss."),
    "a variable in a string of the shell is code": ("shellscript", 'f "a $b c"', "...sss.sss."),
    "a here document is a string": ("shellscript", "cat <<E\nab\nE\n", "........." + "ss..."),
}


@pytest.mark.parametrize(("language", "text", "marks"), ZONES.values(), ids=ZONES)
def test_each_place_of_a_text_has_its_zone(language: str, text: str, marks: str) -> None:
    assert zones(language, text) == marks


UNFINISHED = {
    "a string that is not closed": ("python", 'print("hel|\nx = 1\n', "string"),
    "one behind a string that is": ("python", 'f("a", "b|\n', "string"),
    "code behind a string": ("python", 'f("a", b|\n', "code"),
    "a docstring that is not closed": ("python", 'def f():\n    """Does|\n    return 1\n', "string"),
    "its second line": ("python", 'def f():\n    """Does it.\n\n    As|\n\n    return 1\n', "string"),
    "a template that is not closed": ("javascript", "let x = `a|\nf();\n", "string"),
    "a comment that is not closed": ("javascript", "/* a|\nf();\n", "comment"),
    "a word of a comment in damaged code": ("python", "x = (  # so|\n)y\n", "comment"),
    "code below damaged code": ("python", "x = (\ny = 'a'|\n", "code"),
}


@pytest.mark.parametrize(("language", "marked", "zone"), UNFINISHED.values(), ids=UNFINISHED)
def test_half_written_code_has_zones_too(language: str, marked: str, zone: str) -> None:
    assert at_mark(language, marked).zone == zone


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: str(path.name))
def test_every_language_knows_its_strings_and_comments(path: Path) -> None:
    language = language_of(path.name)
    assert language is not None
    text = path.read_text(encoding="utf-8")
    marks = zones(language.name, text)
    comment = text.index("Größe 😀")
    *_, quoted = re.finditer(r"\"[^\"\n]+\"|'[\w./ ]{2,}'", text)

    assert set(marks[comment : comment + 7]) == ({"s"} if path.suffix == ".py" else {"c"})
    assert marks[quoted.start() : quoted.start() + 2] == ".s"
    assert marks.count(".") > len(text) / 3


BLOCKS = {
    "below a head": ("python", "def f():\n    |\n", "block"),
    "behind a head": ("python", "def f():|\n", "block"),
    "below a head, before less deep code": ("python", "def f():\n    |\n\nx = 1\n", "block"),
    "below a head over several lines": ("python", "def f(\n    a,\n) -> int:\n    |\n", "block"),
    "below documentation": ("python", 'def f():\n    """Does it."""\n    |\n', "block"),
    "below documentation over several lines": (
        "python",
        'def f():\n    """Does it.\n\n    So.\n    """\n\n    |\n',
        "block",
    ),
    "below a comment": ("python", "if x:\n    # so it is\n    |\n", "block"),
    "before a body that is there": ("python", "def f():\n    |\n    return 1\n", "lines"),
    "among statements": ("python", "def f():\n    a = 1\n    |\n    return a\n", "lines"),
    "in a line": ("python", "x = |\n", "line"),
    "before code": ("python", "x = | + 1\n", "line"),
    "behind a head that has a body": ("python", "if x:|\n    y()\n", "line"),
    "a mapping's key": ("python", 'x = {\n    "a":|\n}\n', "line"),
    "between braces": ("javascript", "function f() {\n  |\n}\n", "block"),
    "between braces in one line": ("javascript", "function f() {|}\n", "block"),
    "behind a brace that is not closed": ("go", "func f() {|\n", "block"),
    "between braces with a body": ("java", "class A {\n  |\n  int a;\n}\n", "lines"),
    "a case": ("go", "switch x {\ncase 1:\n\t|\ncase 2:\n\tf()\n}\n", "block"),
    "a method of Ruby": ("ruby", "def f\n  |\nend\n", "block"),
    "a block of Ruby": ("ruby", "each do |\n  x\nend\n", "line"),
    "a one-line method of Ruby": ("ruby", "if a then b end\n|\n", "lines"),
    "a function of Lua": ("lua", "local function f()\n  |\nend\n", "block"),
    "a loop of the shell": ("shellscript", "for x in a; do\n  |\ndone\n", "block"),
}


@pytest.mark.parametrize(("language", "marked", "wanted"), BLOCKS.values(), ids=BLOCKS)
def test_the_syntax_says_how_much_is_wanted(language: str, marked: str, wanted: str) -> None:
    found = at_mark(language, marked)

    assert found.wanted == wanted
    assert found.is_empty_body == (wanted == "block")


@pytest.mark.parametrize(
    ("marked", "is_middle"),
    [("f(|)", False), ('f("|")', False), ("f(|) + 1", True), ("x = |  # so", False), ("x|, y", True), ("[a|],", False)],
)
def test_what_only_closes_something_is_no_code_behind_the_cursor(marked: str, is_middle: bool) -> None:
    assert at_mark("python", marked).is_middle_of_line == is_middle


def test_lines_are_wanted_only_where_the_cut_lets_them_through() -> None:
    choice = random.Random(0)
    for path in FIXTURES:
        language = language_of(path.name)
        assert language is not None
        text = path.read_text(encoding="utf-8")
        opened = document(language.name, text)
        for offset in choice.sample(range(len(text)), 60):
            found = cursor_syntax(opened, offset)
            mode = mode_at(language=language.name, prefix=text[:offset], suffix=text[offset:])

            assert (found.wanted == "lines") == (mode == "lines" and not found.is_empty_body)
            assert not found.is_middle_of_line or found.wanted == "line"


def test_without_a_tree_the_zone_is_unknown_and_the_rest_is_not() -> None:
    opened = DocumentTree(plain_language(".abap"))
    opened.update("if x = 'a'.\n")

    assert cursor_syntax(opened, 9) == CursorSyntax(
        zone="unknown", is_middle_of_line=True, is_empty_body=False, wanted="line"
    )


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda language: str(language.name))
def test_any_place_of_any_text_is_answered(language: object) -> None:
    choice = random.Random(0)
    name = next(each.name for each in LANGUAGES if each is language)
    for _ in range(40):
        text = "".join(choice.choices("(){}[]\"'`\n\t ab:#/*\\\r,é😀\ud800$", k=choice.randrange(40)))
        opened = document(name, text)
        for offset in range(len(text) + 1):
            cursor_syntax(opened, offset)
