"""C#."""

from .language import STRINGS, Language

CSHARP = Language(
    name="csharp",
    extensions=(".cs", ".csx"),
    grammar=("tree_sitter_c_sharp", "language"),
    blocks="braces",
    comment="//",
    lexer="java",
    strings=STRINGS | {"interpolated_string_expression"},
    spans="""
(compilation_unit) @block (block) @block (declaration_list) @block
(method_declaration body: (block) @body) (constructor_declaration body: (block) @body)
(local_function_statement body: (block) @body) (lambda_expression body: (block) @body)
(invocation_expression arguments: (argument_list) @arguments)
(object_creation_expression arguments: (argument_list) @arguments)
(argument (_) @expression) (assignment_expression right: (_) @expression) (return_statement (_) @expression)
(variable_declarator name: (_) (_) @expression) (if_statement condition: (_) @expression)
(foreach_statement right: (_) @expression) (arrow_expression_clause (_) @expression)
(using_directive) @import (comment) @prose
(method_declaration) @symbol.function (constructor_declaration) @symbol.function
(local_function_statement) @symbol.function (property_declaration) @symbol.function
(class_declaration) @symbol.class (interface_declaration) @symbol.class (struct_declaration) @symbol.class
(record_declaration) @symbol.class (enum_declaration) @symbol.class
(invocation_expression function: (_) @call) (object_creation_expression type: (_) @call)
""",
)
