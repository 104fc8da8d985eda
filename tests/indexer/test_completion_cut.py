"""Where an answer ends."""

import random
import time

import pytest

from acclimate_indexer.completion_cut import Mode, cut, is_complete, mode_at

CASES = {
    "a line ends at its end": ("python", "x = ", "foo(a)\ny = 2", "", "foo(a)"),
    "a bracket of the answer goes on over lines": ("python", "x = ", "foo(\n    a,\n)\ny", "", "foo(\n    a,\n)"),
    "a bracket of the cursor's line goes on over lines": ("python", "x = foo(", "\n    a\n)\ny", "", "\n    a\n)"),
    "a bracket that the suffix closes is left to it": ("python", "x = foo(", "a, b)\ny", ")\n", "a, b"),
    "only as many brackets are left as it closes": ("python", "x = f(g(", "b), c)\n", ")\n", "b), c"),
    "a bracket in a string is text": ("python", "x = ", "':('\ny = 1", "", "':('"),
    "a bracket in a comment is text": ("python", "x = ", "1  # :(\ny = 1", "", "1  # :("),
    "a triple quote goes on over lines": ("python", "x = ", '"""a\n\nb"""\ny', "", '"""a\n\nb"""'),
    "a body is one block": ("python", "def f():", "\n    a\n\n    b\nc", "", "\n    a\n\n    b"),
    "a body on the head's line is a line": ("python", "if x:", " return\ny", "", " return"),
    "a first line is not left of its opener": ("python", "    if x:", "\n    y", "", ""),
    "below an opener blank lines belong to the block": ("python", "def f():\n    ", "a\n\n    b\nc", "", "a\n\n    b"),
    "elsewhere a blank line ends the paragraph": ("python", "def f():\n    z\n    ", "a\n\n    b\nc", "", "a"),
    "a blank line inside a nested block does not": (
        "python",
        "def f():\n    z\n    ",
        "for a in b:\n        c\n\n        d\n    e\n\n    f",
        "",
        "for a in b:\n        c\n\n        d\n    e",
    ),
    "a dedent ends": ("python", "def f():\n    z\n    ", "a\nb", "", "a"),
    "a mapping's key opens no block": ("python", 'x = {\n    "key":', ' 1,\n    "b": 2', "", " 1,"),
    "in a docstring an apostrophe is text": (
        "python",
        'def f():\n    """A.\n\n    It ',
        "isn't (\n    x",
        "",
        "isn't (",
    ),
    "in a comment an apostrophe is text": ("python", "# it ", "isn't (\nx", "", "isn't ("),
    "whole lines of the suffix are not repeated": (
        "python",
        "def f():\n    z\n    ",
        "a = 1\n    bb = 2\n    cc = 3\n    dd = 4\n",
        "\n    bb = 2\n    cc = 3\n    dd = 4\n",
        "a = 1",
    ),
    "nor when the answer breaks off in them": (
        "python",
        "def f():\n    z\n    ",
        "a = 1\n    bb = 2\n    cc",
        "\n    bb = 2\n    cc = 3\n",
        "a = 1",
    ),
    "the rest of the line is not repeated": ("python", "f(", "a, b)", ", b)\n", "a"),
    "a closer of the answer's own stays": ("python", "f(", "g(x)", ")\n", "g(x)"),
    "a quote that the suffix closes is left to it": ("python", 'print("hel', 'lo"', '")\n', "lo"),
    "a braced block is closed": ("javascript", "  if (x) {", "\n    f();\n  }\n  g();", "", "\n    f();\n  }"),
    "but not twice": ("javascript", "  if (x) {", "\n    f();\n  }\n  g();", "\n  }\n", "\n    f();"),
    "an outer brace closes something else": (
        "javascript",
        "  if (x) {",
        "\n    f();\n  }\n  g();",
        "\n}\n",
        "\n    f();\n  }",
    ),
    "a brace that was opened above ends": ("c", "    ", "f();\n  }\n  g();", "", "f();"),
    "a case is a block": ("go", "\tcase 1:", "\n\t\tf()\n\tcase 2:", "", "\n\t\tf()"),
    "a lifetime opens no string": (
        "rust",
        "fn f<'a>(x: &'a str) -> ",
        "&'a str {\n    x\n}\nfn g",
        "",
        "&'a str {\n    x\n}",
    ),
    "a template goes on over lines": ("typescript", "const a = ", "`x\ny`;\nb", "", "`x\ny`;"),
    "white space at the end is stripped": ("python", "x = ", "1  \n\n", "", "1"),
    "windows line ends are white space": ("python", "x = ", "1\r\ny = 2", "\r\n", "1"),
    "an unknown language is cut like C": ("cobol", "x = ", "f(\n1);\ny", "", "f(\n1);"),
}


@pytest.mark.parametrize(("language", "prefix", "completion", "suffix", "kept"), CASES.values(), ids=CASES)
def test_an_answer_ends_where(language: str, prefix: str, completion: str, suffix: str, kept: str) -> None:
    assert cut(completion, language=language, prefix=prefix, suffix=suffix) == kept


def test_a_stream_is_complete_exactly_when_more_text_changes_nothing() -> None:
    choice = random.Random(0)
    languages = ("python", "javascript", "rust", "go", "java", "c", "unknown")

    def noise(length: int) -> str:
        return "".join(choice.choice("(){}[]\"'`\n\t ab:#/*\\\r,é😀") for _ in range(choice.randrange(length)))

    for _ in range(5_000):
        language, prefix, text, suffix = choice.choice(languages), noise(30), noise(40), noise(30)
        whole = cut(text, language=language, prefix=prefix, suffix=suffix)
        part = text[: choice.randrange(len(text) + 1)]
        assert text.startswith(whole)
        if is_complete(part, language=language, prefix=prefix, suffix=suffix):
            assert cut(part, language=language, prefix=prefix, suffix=suffix) == whole


def test_a_stream_is_not_complete_while_it_may_still_repeat_the_suffix() -> None:
    where = {"language": "python", "prefix": "try:\n    ", "suffix": "\n    break\nelse:\n    more()\nlast()\n"}
    begun = "write()\n    break\nelse"

    assert not is_complete(begun, **where)
    assert is_complete(f"{begun}where()", **where)
    assert cut(f"{begun}where()", **where) == "write()\n    break"
    assert is_complete(f"{begun}:\n    more()\nl", **where)
    assert cut(f"{begun}:\n    more()\nl", **where) == "write()"


def test_a_stream_that_repeats_the_suffix_is_complete_exactly_when_more_text_changes_nothing() -> None:
    choice = random.Random(0)
    lines = ("a", "  a", "b(", "  b", "if a:", "  break", "", "  )", "  return aa", "}")

    def noise(most: int) -> str:
        return "\n".join(choice.choices(lines, k=choice.randrange(most)))

    complete = 0
    for _ in range(5_000):
        prefix, suffix = noise(3) + choice.choice(("\n  ", "\n", " ")), "\n" + noise(5)
        text = noise(3) + suffix[: choice.randrange(len(suffix) + 1)] + noise(4)
        whole = cut(text, language="python", prefix=prefix, suffix=suffix)
        part = text[: choice.randrange(len(text) + 1)]
        if is_complete(part, language="python", prefix=prefix, suffix=suffix):
            complete += 1
            assert cut(part, language="python", prefix=prefix, suffix=suffix) == whole
    assert complete > 500


MODES: dict[str, tuple[str, str, str, Mode]] = {
    "in a line": ("python", "x = ", "\n", "line"),
    "before code": ("python", "    ", "x = 1\n", "line"),
    "behind a head": ("python", "def f():", "\n", "block"),
    "on a blank line": ("python", "x\n    ", "\n", "lines"),
    "behind a brace": ("javascript", "f() {", "\n", "line"),
}


@pytest.mark.parametrize(("language", "prefix", "suffix", "mode"), MODES.values(), ids=MODES)
def test_the_place_says_what_an_answer_may_hold(language: str, prefix: str, suffix: str, mode: Mode) -> None:
    assert mode_at(language=language, prefix=prefix, suffix=suffix) == mode


def test_a_stream_is_complete_as_soon_as_the_next_line_has_begun() -> None:
    assert not is_complete("a\n", language="python", prefix="def f():\n    ", suffix="")
    assert not is_complete("a\n    b", language="python", prefix="def f():\n    ", suffix="")
    assert is_complete("a\nb", language="python", prefix="def f():\n    ", suffix="")
    assert is_complete("a\n", language="python", prefix="x = ", suffix="")


@pytest.mark.parametrize("text", ["(" * 50_000, '"' * 50_000, "\n" * 50_000, "`" + "\\" * 49_999, "a\n " * 15_000])
def test_hostile_text_is_cut_in_no_time(text: str) -> None:
    started = time.perf_counter()
    for language in ("python", "javascript", "rust", "go", "java", "c"):
        cut(text, language=language, prefix=text[:16_000], suffix=text[:8_000])

    assert time.perf_counter() - started < 5
