"""An answer is written as its file is."""

import pytest

from acclimate_indexer.file_style import in_style_of

CASES = {
    "line ends of Windows": ("a\r\n", "\r\nb\r\n", "x\ny", "x\r\ny"),
    "and not twice": ("a\r\n", "\r\n", "x\r\ny", "x\r\ny"),
    "line ends of Unix": ("a\n", "\n", "x\r\ny", "x\ny"),
    "mostly of Unix": ("a\nb\nc\r\n", "\n", "x\ny", "x\ny"),
    "tabs": ("func f() {\n\tg()\n", "\n}\n", "if a {\n        h()\n    }", "if a {\n\t\th()\n\t}"),
    "two spaces": ("f() {\n  g()\n", "\n}\n", "if a {\n\t\th()\n\t}", "if a {\n    h()\n  }"),
    "the narrower of two depths": ("f() {\n    if a {\n        g()\n", "\n", "h(\n\ti)", "h(\n    i)"),
    "comments are not indented": ("/**\n *  So.\n */\nf() {\n\tg()\n", "\n", "h(\n    i)", "h(\n\ti)"),
    "a file of both is left alone": ("f() {\n  a\n\tb\n", "\n", "h(\n    i)\n\tj", "h(\n    i)\n\tj"),
    "a file without any is left alone": ("a\n", "\n", "x\n\ty\n    z", "x\n\ty\n    z"),
    "white space in a line is text": ("f() {\n\tg()\n", "\n", "x =    1", "x =    1"),
}


@pytest.mark.parametrize(("prefix", "suffix", "answer", "written"), CASES.values(), ids=CASES)
def test_an_answer_has_the_style_of_its_file(prefix: str, suffix: str, answer: str, written: str) -> None:
    assert in_style_of(answer, prefix=prefix, suffix=suffix) == written
