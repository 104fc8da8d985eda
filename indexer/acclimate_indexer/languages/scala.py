"""Scala."""

from .language import Language

SCALA = Language(
    name="scala",
    extensions=(".scala", ".sc"),
    grammar=("tree_sitter_scala", "language"),
    blocks="braces",
    comment="//",
    lexer="java",
    spans="""
(compilation_unit) @block (block) @block (template_body) @block
(function_definition body: (block) @body)
(call_expression arguments: (arguments) @arguments) (arguments (_) @expression)
(val_definition value: (_) @expression) (var_definition value: (_) @expression)
(assignment_expression right: (_) @expression) (if_expression condition: (_ (_) @expression))
(import_declaration) @import (package_clause) @import (comment) @prose (block_comment) @prose
(function_definition) @symbol.function (function_declaration) @symbol.function
(class_definition) @symbol.class (object_definition) @symbol.class (trait_definition) @symbol.class
(call_expression function: (_) @call)
""",
)
