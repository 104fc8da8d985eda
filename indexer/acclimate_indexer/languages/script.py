"""JavaScript, TypeScript and their form with markup in it."""

from .language import Language

_SCRIPT = """
(program) @block (statement_block) @block (class_body) @block
(function_declaration body: (statement_block) @body) (function_expression body: (statement_block) @body)
(method_definition body: (statement_block) @body) (arrow_function body: (statement_block) @body)
(call_expression arguments: (arguments) @arguments) (new_expression arguments: (arguments) @arguments)
(variable_declarator value: (_) @expression) (assignment_expression right: (_) @expression)
(return_statement (_) @expression) (pair value: (_) @expression) (if_statement condition: (_ (_) @expression))
(ternary_expression condition: (_) @expression) (arguments (_) @expression)
(import_statement) @import (comment) @prose
(function_declaration) @symbol.function (generator_function_declaration) @symbol.function
(method_definition) @symbol.function (class_declaration) @symbol.class
(lexical_declaration (variable_declarator value: [(arrow_function) (function_expression)]) @symbol.function) @wrapper
(export_statement) @wrapper (decorator) @attribute
(call_expression function: (_) @call) (new_expression constructor: (_) @call)
"""
_TYPED = """
(interface_body) @block (enum_body) @block
(interface_declaration) @symbol.class (enum_declaration) @symbol.class (type_alias_declaration) @symbol.class
(abstract_class_declaration) @symbol.class (method_signature) @symbol.function
"""

JAVASCRIPT = Language(
    name="javascript",
    extensions=(".js", ".jsx", ".mjs", ".cjs"),
    grammar=("tree_sitter_javascript", "language"),
    blocks="braces",
    comment="//",
    lexer="script",
    spans=_SCRIPT,
)
TYPESCRIPT = Language(
    name="typescript",
    extensions=(".ts", ".mts", ".cts"),
    grammar=("tree_sitter_typescript", "language_typescript"),
    blocks="braces",
    comment="//",
    lexer="script",
    spans=_SCRIPT + _TYPED,
)
TYPESCRIPT_REACT = Language(
    name="typescriptreact",
    extensions=(".tsx",),
    grammar=("tree_sitter_typescript", "language_tsx"),
    blocks="braces",
    comment="//",
    lexer="script",
    spans=_SCRIPT + _TYPED,
)
