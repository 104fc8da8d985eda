"""Swift."""

from .language import Language

SWIFT = Language(
    name="swift",
    extensions=(".swift",),
    grammar=("tree_sitter_swift", "language"),
    blocks="braces",
    comment="//",
    lexer="java",
    spans="""
(source_file) @block (statements) @block (class_body) @block (protocol_body) @block
(function_declaration body: (function_body) @body)
(call_expression (call_suffix (value_arguments) @arguments)) (value_argument value: (_) @expression)
(property_declaration value: (_) @expression) (assignment result: (_) @expression)
(control_transfer_statement result: (_) @expression) (if_statement condition: (_) @expression)
(import_declaration) @import (comment) @prose (multiline_comment) @prose
(function_declaration) @symbol.function (protocol_function_declaration) @symbol.function
(class_declaration) @symbol.class (protocol_declaration) @symbol.class
(call_expression . (_) @call)
""",
)
