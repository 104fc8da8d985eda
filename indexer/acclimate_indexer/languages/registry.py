"""The languages that can be mined: one declarative entry each.

`spans` is a tree-sitter query. Its captures mean:
- `@block`: its named children are statements (a file, a function's block, the members of a class);
- `@body`: the block of a function, braces included where there are any;
- `@arguments`: the argument list of a call, parentheses included;
- `@expression`: a value where one is expected: assigned, returned, passed, asked;
- `@import`: a statement that is typed by tools more often than by people;
- `@prose`: comments and documentation, in which no hole is made.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tree_sitter import Language as Grammar
    from tree_sitter import Query


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """A language, named as in the language server protocol.

    Attributes:
        grammar: Module that holds the tree-sitter grammar, and the function in it.
        braces: Blocks stand in braces; otherwise they are indented.
    """

    name: str
    extensions: tuple[str, ...]
    grammar: tuple[str, str]
    braces: bool
    spans: str

    @property
    def distribution(self) -> str:
        """The package that brings the grammar."""
        return self.grammar[0].replace("_", "-")


_PYTHON = """
(module) @block (block) @block
(function_definition body: (block) @body)
(call arguments: (argument_list) @arguments)
(assignment right: (_) @expression) (augmented_assignment right: (_) @expression)
(return_statement (_) @expression) (keyword_argument value: (_) @expression) (default_parameter value: (_) @expression)
(typed_default_parameter value: (_) @expression) (pair value: (_) @expression) (for_statement right: (_) @expression)
(if_statement condition: (_) @expression) (while_statement condition: (_) @expression)
(assert_statement (_) @expression)
(import_statement) @import (import_from_statement) @import (future_import_statement) @import
(comment) @prose (expression_statement . (string) @prose .)
"""
_SCRIPT = """
(program) @block (statement_block) @block (class_body) @block
(function_declaration body: (statement_block) @body) (function_expression body: (statement_block) @body)
(method_definition body: (statement_block) @body) (arrow_function body: (statement_block) @body)
(call_expression arguments: (arguments) @arguments) (new_expression arguments: (arguments) @arguments)
(variable_declarator value: (_) @expression) (assignment_expression right: (_) @expression)
(return_statement (_) @expression) (pair value: (_) @expression) (if_statement condition: (_ (_) @expression))
(ternary_expression condition: (_) @expression) (arguments (_) @expression)
(import_statement) @import (comment) @prose
"""
_TYPED_SCRIPT = _SCRIPT + "(interface_body) @block (enum_body) @block\n"
_GO = """
(source_file) @block (statement_list) @block
(function_declaration body: (block) @body) (method_declaration body: (block) @body) (func_literal body: (block) @body)
(call_expression arguments: (argument_list) @arguments) (argument_list (_) @expression)
(short_var_declaration right: (_) @expression) (assignment_statement right: (_) @expression)
(var_spec value: (_) @expression) (return_statement (_) @expression) (if_statement condition: (_) @expression)
(keyed_element (_) (_) @expression) (range_clause right: (_) @expression)
(import_declaration) @import (package_clause) @import (comment) @prose
"""
_RUST = """
(source_file) @block (block) @block (declaration_list) @block
(function_item body: (block) @body) (closure_expression body: (block) @body)
(call_expression arguments: (arguments) @arguments) (arguments (_) @expression)
(let_declaration value: (_) @expression) (assignment_expression right: (_) @expression)
(return_expression (_) @expression) (field_initializer value: (_) @expression)
(if_expression condition: (_) @expression)
(match_arm value: (_) @expression) (const_item value: (_) @expression) (for_expression value: (_) @expression)
(use_declaration) @import (extern_crate_declaration) @import (line_comment) @prose (block_comment) @prose
"""
_JAVA = """
(program) @block (block) @block (class_body) @block (interface_body) @block (constructor_body) @block
(method_declaration body: (block) @body) (constructor_declaration body: (constructor_body) @body)
(lambda_expression body: (block) @body)
(method_invocation arguments: (argument_list) @arguments)
(object_creation_expression arguments: (argument_list) @arguments) (argument_list (_) @expression)
(variable_declarator value: (_) @expression) (assignment_expression right: (_) @expression)
(return_statement (_) @expression) (if_statement condition: (_ (_) @expression))
(enhanced_for_statement value: (_) @expression)
(import_declaration) @import (package_declaration) @import (line_comment) @prose (block_comment) @prose
"""
_C = """
(translation_unit) @block (compound_statement) @block (field_declaration_list) @block
(function_definition body: (compound_statement) @body)
(call_expression arguments: (argument_list) @arguments) (argument_list (_) @expression)
(init_declarator value: (_) @expression) (assignment_expression right: (_) @expression)
(return_statement (_) @expression) (conditional_expression condition: (_) @expression)
(preproc_include) @import (comment) @prose
"""
_CPP = _C + "(declaration_list) @block (lambda_expression body: (compound_statement) @body)\n"

LANGUAGES: tuple[Language, ...] = (
    Language(
        name="python",
        extensions=(".py", ".pyi"),
        grammar=("tree_sitter_python", "language"),
        braces=False,
        spans=_PYTHON,
    ),
    Language(
        name="javascript",
        extensions=(".js", ".jsx", ".mjs", ".cjs"),
        grammar=("tree_sitter_javascript", "language"),
        braces=True,
        spans=_SCRIPT,
    ),
    Language(
        name="typescript",
        extensions=(".ts", ".mts", ".cts"),
        grammar=("tree_sitter_typescript", "language_typescript"),
        braces=True,
        spans=_TYPED_SCRIPT,
    ),
    Language(
        name="typescriptreact",
        extensions=(".tsx",),
        grammar=("tree_sitter_typescript", "language_tsx"),
        braces=True,
        spans=_TYPED_SCRIPT,
    ),
    Language(name="go", extensions=(".go",), grammar=("tree_sitter_go", "language"), braces=True, spans=_GO),
    Language(name="rust", extensions=(".rs",), grammar=("tree_sitter_rust", "language"), braces=True, spans=_RUST),
    Language(name="java", extensions=(".java",), grammar=("tree_sitter_java", "language"), braces=True, spans=_JAVA),
    Language(name="c", extensions=(".c", ".h"), grammar=("tree_sitter_c", "language"), braces=True, spans=_C),
    Language(
        name="cpp",
        extensions=(".cc", ".cpp", ".cxx", ".hpp", ".hh", ".hxx", ".h++", ".c++"),
        grammar=("tree_sitter_cpp", "language"),
        braces=True,
        spans=_CPP,
    ),
)
_BY_EXTENSION = {extension: language for language in LANGUAGES for extension in language.extensions}


def language_of(path: str) -> Language | None:
    """The language of a file by its extension, or None if it is not mined."""
    name = path.rpartition("/")[2]
    stem, dot, extension = name.rpartition(".")
    return _BY_EXTENSION.get(f".{extension.lower()}") if dot and stem else None


def grammar_versions() -> dict[str, str]:
    """Which grammar packages spans depend on."""
    return {name: version(name) for name in sorted({"tree-sitter", *(each.distribution for each in LANGUAGES)})}


@cache
def grammar(language: Language) -> "Grammar":
    """The grammar, loaded at its first use."""
    from tree_sitter import Language as Grammar

    module, function = language.grammar
    load: Callable[[], object] = getattr(import_module(module), function)
    return Grammar(load())


@cache
def spans_query(language: Language) -> "Query":
    """The compiled `spans` of a language."""
    from tree_sitter import Query

    return Query(grammar(language), language.spans)
