"""What one entry of the table of languages says.

`spans` is a tree-sitter query. Its captures mean:
- `@block`: its named children are statements (a file, a function's block, the members of a class);
- `@body`: the block of a function, braces included where there are any;
- `@arguments`: the argument list of a call, parentheses included;
- `@expression`: a value where one is expected: assigned, returned, passed, asked;
- `@import`: a statement that is typed by tools more often than by people;
- `@prose`: comments and documentation, in which no hole of code is made;
- `@symbol.function`, `@symbol.class`: a definition, whose name and body are the grammar's fields of that name;
- `@call`: what is called; its last word is the name;
- `@docstring`: documentation inside of the definition, at the start of its body;
- `@wrapper`: what stands around a definition and belongs to it;
- `@attribute`: what may stand between a definition and the comment that documents it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from tree_sitter import Language as Grammar
    from tree_sitter import Query

Blocks = Literal["braces", "indentation", "keywords"]
Lexer = Literal["python", "script", "go", "rust", "java", "c", "php", "ruby", "lua", "bash", "plain"]

_STRINGS = """
string string_literal raw_string raw_string_literal interpreted_string_literal verbatim_string_literal ansi_c_string
line_string_literal multi_line_string_literal multiline_string_literal template_string interpolated_string
encapsed_string bare_string xml_string heredoc_body nowdoc_body character char_literal character_literal rune_literal
"""
_COMMENTS = "comment line_comment block_comment multiline_comment html_comment xml_comment"
_INTERPOLATIONS = """
interpolation string_interpolation template_substitution interpolated_expression raw_str_interpolation
command_substitution process_substitution arithmetic_expansion expansion simple_expansion
"""
# What the grammars call a literal whose text is words, a comment, and code inside of a string. They agree enough.
STRINGS = frozenset(_STRINGS.split())
COMMENTS = frozenset(_COMMENTS.split())
INTERPOLATIONS = frozenset(_INTERPOLATIONS.split())


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """A language, named as in the language server protocol.

    Attributes:
        grammar: Module that holds the tree-sitter grammar, and the function in it; None to go by lines and indentation.
        blocks: What holds statements together: braces, indentation, or words such as `do` and `end`.
        comment: What begins a comment up to the end of the line.
        lexer: Whose strings and comments it has, as the cut of answers knows them.
        spans: The query; empty without a grammar.
        strings: The grammar's nodes that are literals of text; `comments`: that are comments.
        interpolations: Its nodes inside of strings that are code.
    """

    name: str
    extensions: tuple[str, ...]
    grammar: tuple[str, str] | None
    blocks: Blocks
    comment: str
    lexer: Lexer
    spans: str
    strings: frozenset[str] = STRINGS
    comments: frozenset[str] = COMMENTS
    interpolations: frozenset[str] = INTERPOLATIONS

    @property
    def braces(self) -> bool:
        return self.blocks == "braces"

    @property
    def distribution(self) -> str | None:
        """The package that brings the grammar."""
        return None if self.grammar is None else self.grammar[0].replace("_", "-")


@cache
def grammar(language: Language) -> "Grammar":
    """The grammar, loaded at its first use."""
    from tree_sitter import Language as Grammar

    assert language.grammar is not None, "a language without a grammar is not parsed"
    module, function = language.grammar
    load: Callable[[], object] = getattr(import_module(module), function)
    return Grammar(load())


@cache
def spans_query(language: Language) -> "Query":
    """The compiled `spans` of a language."""
    from tree_sitter import Query

    return Query(grammar(language), language.spans)
