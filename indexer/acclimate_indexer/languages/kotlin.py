"""Kotlin."""

from .language import Language

KOTLIN = Language(
    name="kotlin",
    extensions=(".kt", ".kts"),
    grammar=("tree_sitter_kotlin", "language"),
    blocks="braces",
    comment="//",
    lexer="java",
    spans="""
(source_file) @block (block) @block (class_body) @block
(function_declaration (function_body (block) @body))
(call_expression (value_arguments) @arguments) (value_argument (_) @expression .)
(property_declaration (variable_declaration) (_) @expression) (return_expression (_) @expression)
(if_expression condition: (_) @expression) (assignment (_) (_) @expression)
(import) @import (package_header) @import (line_comment) @prose (block_comment) @prose
(function_declaration) @symbol.function (class_declaration) @symbol.class (object_declaration) @symbol.class
(call_expression . (_) @call)
""",
)
