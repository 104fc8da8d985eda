"""Java."""

from .language import Language

JAVA = Language(
    name="java",
    extensions=(".java",),
    grammar=("tree_sitter_java", "language"),
    blocks="braces",
    comment="//",
    lexer="java",
    spans="""
(program) @block (block) @block (class_body) @block (interface_body) @block (constructor_body) @block
(method_declaration body: (block) @body) (constructor_declaration body: (constructor_body) @body)
(lambda_expression body: (block) @body)
(method_invocation arguments: (argument_list) @arguments)
(object_creation_expression arguments: (argument_list) @arguments) (argument_list (_) @expression)
(variable_declarator value: (_) @expression) (assignment_expression right: (_) @expression)
(return_statement (_) @expression) (if_statement condition: (_ (_) @expression))
(enhanced_for_statement value: (_) @expression)
(import_declaration) @import (package_declaration) @import (line_comment) @prose (block_comment) @prose
(method_declaration) @symbol.function (constructor_declaration) @symbol.function
(class_declaration) @symbol.class (interface_declaration) @symbol.class (enum_declaration) @symbol.class
(record_declaration) @symbol.class
(method_invocation name: (_) @call) (object_creation_expression type: (_) @call)
""",
)
