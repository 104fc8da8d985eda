"""The tree of an open document keeps up with its text."""

import random
from pathlib import Path

import pytest

from acclimate_indexer.document_tree import EDIT_SECONDS, DocumentTree, ParsedText
from acclimate_indexer.languages.language import Language
from acclimate_indexer.languages.plain import plain_language
from acclimate_indexer.languages.python import PYTHON
from acclimate_indexer.languages.registry import LANGUAGES, language_of

FIXTURES = sorted(path for path in (Path(__file__).parent / "languages").iterdir() if path.suffix != ".json")
# What people type, and where bytes and characters differ; half a surrogate pair is what editors send now and then.
TYPED = (
    "(",
    ")",
    "{",
    "}",
    '"',
    "'",
    "\n",
    "\n    ",
    "\t",
    "#",
    "//",
    "/*",
    "*/",
    "x",
    "é",
    "😀",
    "\ud800",
    '"""',
    "\r\n",
)


def parsed_text(text: str, language: Language) -> ParsedText:
    document = DocumentTree(language)
    document.update(text)
    assert document.parsed is not None
    return document.parsed


def edited(text: str, choice: random.Random) -> str:
    start = choice.randrange(len(text) + 1)
    end = min(len(text), start + choice.choice((0, 0, 0, 1, 3, 30)))
    return text[:start] + "".join(choice.choices(TYPED, k=choice.choice((0, 1, 1, 2, 5)))) + text[end:]


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: str(path.name))
def test_a_tree_that_was_kept_up_to_date_is_that_of_the_text(path: Path) -> None:
    language = language_of(path.name)
    assert language is not None
    choice, whole = random.Random(0), path.read_text(encoding="utf-8")
    document, text, alike = DocumentTree(language), whole, 0
    document.update(text)
    for _ in range(60):
        text = edited(whole if choice.random() < 0.1 else text, choice)
        document.update(text)
        kept, fresh = document.parsed, parsed_text(text, language)

        assert kept is not None
        assert (kept.text, kept.data) == (text, text.encode("utf-8", errors="replace"))
        assert kept.tree.root_node.has_error == fresh.tree.root_node.has_error
        assert kept.tree.root_node.end_byte == fresh.tree.root_node.end_byte
        alike += str(kept.tree.root_node) == str(fresh.tree.root_node)
    assert alike >= 57  # how it recovers from an error depends on what it knew before, now and then


def test_a_text_with_an_edit_is_parsed_beside_the_old_one() -> None:
    before = parsed_text('price = "größer 😀"\ntotal = price\n', PYTHON)
    after = before.with_edit(9, 15, "kleiner", seconds=60)

    assert after is not None
    assert after.text == 'price = "kleiner 😀"\ntotal = price\n'
    assert str(after.tree.root_node) == str(parsed_text(after.text, PYTHON).tree.root_node)
    assert before.text == 'price = "größer 😀"\ntotal = price\n'
    assert before.data[before.tree.root_node.end_byte - 14 :] == b"total = price\n"


@pytest.mark.parametrize("text", ["größe😀 = 1", "a\ud800b = '😀'", "plain = 1", ""])
def test_bytes_are_told_of_characters(text: str) -> None:
    parsed = parsed_text(text, PYTHON)

    for offset in range(len(text) + 1):
        assert parsed.byte_at(offset) == len(text[:offset].encode("utf-8", errors="replace"))


def test_half_a_surrogate_pair_is_as_good_as_a_question_mark() -> None:
    document = DocumentTree(PYTHON)
    document.update("x = '?'")
    document.update("x = '\ud800'")

    assert document.parsed is not None
    assert document.parsed.text == "x = '\ud800'"


def test_a_language_without_a_grammar_has_no_tree_and_costs_nothing() -> None:
    document = DocumentTree(plain_language(".abap"))
    document.update("x = 1.")

    assert document.is_quick
    assert document.parsed is None
    assert document.text == "x = 1."


def test_the_first_parse_is_not_for_the_event_loop_and_edits_are() -> None:
    document = DocumentTree(PYTHON)
    assert not document.is_quick
    document.update("x = 1\n")

    assert document.is_quick


def test_text_that_takes_too_long_has_no_tree_until_it_is_another() -> None:
    document = DocumentTree(PYTHON)
    document.update("x = 1\n" * 20_000, seconds=0.0)
    assert document.parsed is None
    assert not document.is_quick

    document.update("x = 1\n" * 20_000)
    assert document.parsed is not None


def test_an_edit_that_takes_too_long_is_made_up_for_later() -> None:
    document = DocumentTree(PYTHON)
    document.update("x = 1\n" * 20_000)
    document.update("(x = 1\n" * 20_000, seconds=0.0)
    assert document.parsed is None

    document.update("x = 2\n" * 20_000)
    assert document.parsed is not None
    assert document.parsed.text == "x = 2\n" * 20_000


def test_what_is_no_code_is_not_tried_again_before_it_has_changed() -> None:
    document = DocumentTree(PYTHON)
    document.update("(" * 100_000)
    document.update("x = 1\n" * 16_000)
    assert document.parsed is None  # about as long as what was hopeless

    document.update("x = 1\n" * 20_000)
    assert document.parsed is not None


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda language: str(language.name))
@pytest.mark.parametrize("text", ["(" * 100_000, "if (x) {\n" * 20_000, "x = " + "[" * 50_000 + "]" * 50_000])
def test_hostile_text_ends_no_process(language: Language, text: str) -> None:
    document = DocumentTree(language)
    document.update(text)
    document.update(text + "x", seconds=EDIT_SECONDS)

    assert document.text == text + "x"
