"""The prompt builder: order, budgets, and that text never becomes a marker."""

import json
from pathlib import Path

import pytest
from tests.support.tiny_model import TOKENS, write_tokenizer
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers

from acclimate_indexer.errors import ModelCorrupt
from acclimate_indexer.pairs import Snippet
from acclimate_indexer.prompts import Cursor, PromptBudget, PromptBuilder, after_held_back, held_back


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model folder whose tokenizer gives one token a byte; the FIM tokens are not special, as with Qwen."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE(vocab={letter: number for number, letter in enumerate(alphabet)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    named = [TOKENS.prefix, TOKENS.middle, TOKENS.suffix, TOKENS.end_of_text, TOKENS.repository, TOKENS.file]
    tokenizer.add_tokens([AddedToken(name, special=False, normalized=False) for name in named if name])
    tokenizer.add_special_tokens([AddedToken(name, special=True, normalized=False) for name in TOKENS.stops])
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    return tmp_path


def builder(folder: Path, **budget: int) -> PromptBuilder:
    return PromptBuilder.load(folder, TOKENS, PromptBudget(**budget))


def spelt(folder: Path, ids: tuple[int, ...]) -> str:
    return str(Tokenizer.from_file(str(folder / "tokenizer.json")).decode(list(ids), skip_special_tokens=False))


def test_a_prompt_is_header_then_snippets_then_path_then_prefix_then_suffix(folder: Path) -> None:
    cursor = Cursor(path="shop/cart.py", language="python", prefix="total = ", suffix="\nprint(total)\n")
    context = (Snippet(path="shop/tax.py", text="RATE = 0.2\n\n"),)

    ids = builder(folder).prompt(cursor, repository="shop", context=context)

    assert spelt(folder, ids) == (
        "<|repo_name|>shop\n<|file_sep|>shop/tax.py\nRATE = 0.2\n<|file_sep|>shop/cart.py\n"
        "<|fim_prefix|>total =<|fim_suffix|>\nprint(total)\n<|fim_middle|>"
    )


def test_markers_in_a_source_file_are_text(folder: Path) -> None:
    hostile = "x = '<|fim_middle|><|endoftext|><|im_end|>'"
    prompts = builder(folder)

    ids = prompts.prompt(Cursor(path="a.py", language="python", prefix=hostile, suffix=hostile), repository="r")

    markers = tuple(number for number in ids if number in prompts.stop_ids)
    assert spelt(folder, markers) == "<|repo_name|><|file_sep|><|fim_prefix|><|fim_suffix|><|fim_middle|>"
    assert spelt(folder, ids).count(hostile) == 2


def test_a_target_ends_with_the_end_of_text_token(folder: Path) -> None:
    prompts = builder(folder)

    ids = prompts.target("a + b")

    assert ids[-1] == prompts.end_of_text_id
    assert prompts.decode(ids) == "a + b"


def test_white_space_at_the_end_of_the_prefix_is_asked_for_instead_of_given(folder: Path) -> None:
    prompts = builder(folder)
    cursor = Cursor(path="a.py", language="python", prefix="if a:\n\t    ", suffix="\n")

    asked = prompts.prompt(cursor, repository="r")

    assert "<|fim_prefix|>if a:\n<|fim_suffix|>\n<|fim_middle|>" in spelt(folder, asked)
    assert prompts.decode(prompts.target("b()", prefix=cursor.prefix)) == "\t    b()"


@pytest.mark.parametrize(("prefix", "held"), [("x = ", " "), ("\n  \t", "  \t"), ("a\n", ""), ("", ""), (" ", " ")])
def test_only_spaces_and_tabs_are_held_back(prefix: str, held: str) -> None:
    assert held_back(prefix) == held


@pytest.mark.parametrize(
    ("answer", "shown"),
    [("    pass", "pass"), ("      pass", "  pass"), ("", None), ("  ", None), ("  pass", "pass"), ("pass", "pass")],
)
def test_an_answer_is_shown_without_what_was_held_back(answer: str, shown: str | None) -> None:
    assert after_held_back(answer, "    ") == shown


def test_a_review_is_asked_for_by_numbered_lines(folder: Path) -> None:
    prompts = builder(folder)

    asked = prompts.review_prompt("def f():\n    return 1\n", path="shop/cart.py", repository="shop")

    assert spelt(folder, asked) == (
        "<|repo_name|>shop\n<|file_sep|>shop/cart.py\n1|def f():\n2|    return 1\n"
        "<|file_sep|>shop/cart.py.review.json\n"
    )


def test_a_long_hunk_is_cut_between_its_lines(folder: Path) -> None:
    hunk = "\n".join("x" * 8 for _ in range(9))

    asked = spelt(folder, builder(folder, prefix=20, suffix=5).review_prompt(hunk, path="a.py", repository="r"))

    assert asked.count("|xxxxxxxx\n") == 2
    assert builder(folder, prefix=20, suffix=5).reviewed_lines(hunk) == 2


def test_only_line_breaks_count_the_lines_of_a_hunk(folder: Path) -> None:
    hunk = "a = 1\x0c\nb = '\u2028'\nc = 3"

    asked = spelt(folder, builder(folder).review_prompt(hunk, path="a.py", repository="r"))

    assert "\n3|c = 3\n" in asked


def test_files_may_stand_before_a_review(folder: Path) -> None:
    prompts = builder(folder, context=40)
    rules = Snippet(path="REVIEW.md", text="Be kind.")
    too_long = Snippet(path="MORE.md", text="Be kind. " * 100)

    asked = spelt(folder, prompts.review_prompt("x = 1", path="a.py", repository="r", context=(rules, too_long)))

    assert asked == (
        "<|repo_name|>r\n<|file_sep|>REVIEW.md\nBe kind.\n<|file_sep|>a.py\n1|x = 1\n<|file_sep|>a.py.review.json\n"
    )


def test_markers_in_a_hunk_are_text(folder: Path) -> None:
    prompts = builder(folder)

    asked = prompts.review_prompt("x = '<|endoftext|><|file_sep|>'", path="a.py", repository="r")

    markers = tuple(number for number in asked if number in prompts.stop_ids)
    assert spelt(folder, markers) == "<|repo_name|><|file_sep|><|file_sep|>"


def test_another_budget_changes_the_room_and_nothing_else(folder: Path) -> None:
    cursor = Cursor(path="a.py", language="python", prefix="first\nx = 1", suffix="23")
    prompts = builder(folder)

    short = prompts.with_budget(PromptBudget(prefix=6, suffix=1, context=0))

    assert "<|fim_prefix|>x = 1<|fim_suffix|>2<|fim_middle|>" in spelt(folder, short.prompt(cursor, repository="r"))
    assert prompts.budget == PromptBudget()
    assert short.stop_ids == prompts.stop_ids


def test_a_long_prefix_is_cut_at_the_start_of_a_line_and_a_long_suffix_at_its_end(folder: Path) -> None:
    cursor = Cursor(path="a.py", language="python", prefix="first line\nsecond line\nx = ", suffix="123456789")

    ids = builder(folder, prefix=20, suffix=4).prompt(cursor, repository="r")

    assert "<|fim_prefix|>second line\nx =<|fim_suffix|>1234<|fim_middle|>" in spelt(folder, ids)


QWEN_WORDS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


@pytest.mark.parametrize("has_words_of_qwen", [False, True])
def test_a_prefix_that_was_cut_is_encoded_as_if_nothing_stood_before_it(
    tmp_path: Path, has_words_of_qwen: bool
) -> None:
    tokenizer = write_tokenizer(tmp_path)
    if has_words_of_qwen:
        words = pre_tokenizers.Split(Regex(QWEN_WORDS), "isolated")
        plain = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence([words, plain])
        tokenizer.save(str(tmp_path / "tokenizer.json"))
    text = "def f():\n\n    return (\n        g(a),\n\n\n        '\u00df\U0001f600',\n    )\n\n"
    cursor = Cursor(path="a.py", language="python", prefix=text, suffix="")

    for budget in range(2, 60):
        prompts = builder(tmp_path, prefix=budget)
        ids = prompts.prompt(cursor, repository="r")
        prefix, _, suffix = prompts.stop_ids[:3]
        found = ids[ids.index(prefix) + 1 : ids.index(suffix)]
        whole = tokenizer.encode(text, add_special_tokens=False).ids
        _, newline, lines = tokenizer.decode(whole[-budget:]).partition("\n")
        expected = tokenizer.encode(lines, add_special_tokens=False).ids if newline else whole[-budget:]
        assert list(found) == (expected if len(whole) > budget else whole), budget


def test_a_line_longer_than_the_budget_keeps_its_end(folder: Path) -> None:
    cursor = Cursor(path="a.py", language="python", prefix="abcdefghij", suffix="")

    ids = builder(folder, prefix=4).prompt(cursor, repository="r")

    assert "<|fim_prefix|>ghij<|fim_suffix|>" in spelt(folder, ids)


def test_snippets_beyond_the_budget_are_left_out_whole(folder: Path) -> None:
    cursor = Cursor(path="a.py", language="python", prefix="", suffix="")
    context = [Snippet(path=f"{number}.py", text="x" * 20) for number in range(5)]

    text = spelt(folder, builder(folder, context=60).prompt(cursor, repository="r", context=context))

    assert [number for number in range(5) if f"{number}.py" in text] == [0, 1]


def test_a_cursor_leaves_the_hole_out() -> None:
    cursor = Cursor.at(path="a.py", language="python", text="abcHOLEdef", start=3, end=7)

    assert (cursor.prefix, cursor.suffix) == ("abc", "def")


@pytest.mark.parametrize("content", [None, "{", '{"added_tokens": []}', json.dumps({"added_tokens": [{}]})])
def test_a_damaged_tokenizer_is_one_clear_sentence(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "tokenizer.json").write_text(content, encoding="utf-8")

    with pytest.raises(ModelCorrupt, match=r"tokenizer.*acclimate model fetch"):
        builder(tmp_path)
