"""Every language, from its fixture: what is found in it is written down in a golden file beside it.

`python tests/indexer/test_languages.py` writes the golden files anew; look at what changed before you commit it.
"""

import json
import logging
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from acclimate_indexer.filters.generated import is_markup
from acclimate_indexer.languages import registry
from acclimate_indexer.languages.language import Language
from acclimate_indexer.languages.plain import plain_extensions, plain_language
from acclimate_indexer.languages.registry import LANGUAGES, language_of, language_of_text, languages_for
from acclimate_indexer.syntax import Span, syntax_of

FOLDER = Path(__file__).parent / "languages"
SOURCES = sorted(path for path in FOLDER.iterdir() if path.suffix != ".json")
MACHINE = """MACHINE press
    INPUT sheet, pressure
    STATE idle
        ON start(sheet) -> pressing
        LOG "started", sheet.id
    STATE pressing
        ON done -> idle
        force := pressure * area(sheet)
-- The press of the second hall.
MACHINE saw
    INPUT board
    STATE cutting
        ON cut(board, depth) -> idle
"""


def found_in(path: Path) -> dict[str, Any]:
    text = path.read_text(encoding="utf-8")
    language = language_of(path.name)
    assert language is not None
    syntax = syntax_of(text, language)

    def shown(span: Span | None) -> str | None:
        return None if span is None else text[span.start : span.end]

    return {
        "language": language.name,
        "symbols": [
            {"name": each.name, "kind": each.kind, "signature": shown(each.signature), "doc": shown(each.doc)}
            for each in syntax.symbols
        ],
        "imports": [shown(span) for span in syntax.import_statements],
        "calls": list(syntax.calls),
        "arguments": [shown(span) for span in syntax.arguments],
        "statements": [len(block) for block in syntax.blocks],
        "bodies": len(syntax.bodies),
    }


def golden(path: Path) -> Path:
    return FOLDER / f"{path.name}.json"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_a_language_is_read_as_its_golden_file_says(path: Path) -> None:
    assert found_in(path) == json.loads(golden(path).read_text(encoding="utf-8"))


def test_every_language_has_a_fixture() -> None:
    assert {language.name for language in LANGUAGES} == {found_in(path)["language"] for path in SOURCES}


def test_a_header_with_classes_is_cplusplus() -> None:
    header = language_of("shop.h")
    assert header is not None

    assert language_of_text(header, "shop.h", "struct shop { int till; };\n").name == "c"
    assert language_of_text(header, "shop.h", "class Shop {\n};\n").name == "cpp"
    assert language_of_text(header, "shop.h", "int f(std::string name);\n").name == "cpp"


def test_many_files_of_an_unknown_extension_are_a_language() -> None:
    paths = [f"machines/{number}.mach" for number in range(20)]
    named = languages_for([*paths, "a.py"])

    assert named("machines/3.mach") == plain_language(".mach")
    assert named("a.py") is language_of("a.py")
    assert languages_for(paths[:19])("machines/3.mach") is None
    assert not plain_extensions([f"data/{number}.json" for number in range(50)], frozenset())


def test_markup_is_no_language_without_a_grammar() -> None:
    assert is_markup("<topic id='1'>\n  <title>Carts</title>\n  <para>\n    They roll.\n  </para>\n</topic>\n")
    assert not is_markup(MACHINE)


def test_a_language_without_a_grammar_is_read_by_lines_and_indentation() -> None:
    syntax = syntax_of(MACHINE, plain_language(".mach"))
    texts = [[MACHINE[start:end].split("\n")[0] for start, end in block] for block in syntax.blocks]

    assert ["MACHINE press", "MACHINE saw"] in texts
    assert ["ON start(sheet) -> pressing", 'LOG "started", sheet.id'] in texts
    assert [symbol.name for symbol in syntax.symbols] == ["press", "saw"]
    assert [MACHINE[start:end] for start, end in syntax.prose] == ["-- The press of the second hall."]
    assert "(board, depth)" in [MACHINE[start:end] for start, end in syntax.arguments]
    assert "pressure * area(sheet)" in [MACHINE[start:end] for start, end in syntax.expressions]


MOON = Language(
    name="moon",
    extensions=(".moon",),
    grammar=("tree_sitter_lua", "language"),
    blocks="keywords",
    comment="--",
    lexer="lua",
    spans="(chunk) @block",
)
BROKEN = "not a language"


def test_a_team_may_bring_a_language_of_its_own_and_a_broken_one_does_no_harm(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    points = [
        EntryPoint(name="moon", group=registry.ENTRY_POINTS, value=f"{__name__}:MOON"),
        EntryPoint(name="broken", group=registry.ENTRY_POINTS, value=f"{__name__}:BROKEN"),
        EntryPoint(name="gone", group=registry.ENTRY_POINTS, value="no_such_module_here:X"),
    ]
    monkeypatch.setattr(registry, "entry_points", lambda group: points if group == registry.ENTRY_POINTS else [])
    registry.known_languages.cache_clear()
    try:
        with caplog.at_level(logging.WARNING):
            known = registry.known_languages()
    finally:
        registry.known_languages.cache_clear()

    assert [language.name for language in known if language not in LANGUAGES] == ["moon"]
    assert "broken" in caplog.text
    assert "gone" in caplog.text


if __name__ == "__main__":
    for each in SOURCES:
        golden(each).write_text(json.dumps(found_in(each), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
