"""PHP."""

from .language import Language

PHP = Language(
    name="php",
    extensions=(".php",),
    grammar=("tree_sitter_php", "language_php"),
    blocks="braces",
    comment="//",
    lexer="php",
    spans="""
(program) @block (compound_statement) @block (declaration_list) @block
(function_definition body: (compound_statement) @body) (method_declaration body: (compound_statement) @body)
(anonymous_function body: (compound_statement) @body)
(function_call_expression arguments: (arguments) @arguments)
(member_call_expression arguments: (arguments) @arguments)
(scoped_call_expression arguments: (arguments) @arguments)
(object_creation_expression (arguments) @arguments)
(argument (_) @expression) (assignment_expression right: (_) @expression) (return_statement (_) @expression)
(if_statement condition: (_ (_) @expression)) (array_element_initializer (_) @expression .)
(namespace_use_declaration) @import (namespace_definition) @import (comment) @prose
(function_definition) @symbol.function (method_declaration) @symbol.function
(class_declaration) @symbol.class (interface_declaration) @symbol.class (trait_declaration) @symbol.class
(enum_declaration) @symbol.class
(function_call_expression function: (_) @call) (member_call_expression name: (_) @call)
(scoped_call_expression name: (_) @call)
""",
)
