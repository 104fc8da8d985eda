"""Rust."""

from .language import Language

RUST = Language(
    name="rust",
    extensions=(".rs",),
    grammar=("tree_sitter_rust", "language"),
    blocks="braces",
    comment="//",
    lexer="rust",
    spans="""
(source_file) @block (block) @block (declaration_list) @block
(function_item body: (block) @body) (closure_expression body: (block) @body)
(call_expression arguments: (arguments) @arguments) (arguments (_) @expression)
(let_declaration value: (_) @expression) (assignment_expression right: (_) @expression)
(return_expression (_) @expression) (field_initializer value: (_) @expression)
(if_expression condition: (_) @expression)
(match_arm value: (_) @expression) (const_item value: (_) @expression) (for_expression value: (_) @expression)
(use_declaration) @import (extern_crate_declaration) @import (line_comment) @prose (block_comment) @prose
(attribute_item) @attribute (function_item) @symbol.function
(function_signature_item) @symbol.function (macro_definition) @symbol.function
(struct_item) @symbol.class (enum_item) @symbol.class (trait_item) @symbol.class (type_item) @symbol.class
(call_expression function: (_) @call) (macro_invocation macro: (_) @call)
""",
)
