"""C and C++."""

from .language import Language

_C = """
(translation_unit) @block (compound_statement) @block (field_declaration_list) @block
(function_definition body: (compound_statement) @body)
(call_expression arguments: (argument_list) @arguments) (argument_list (_) @expression)
(init_declarator value: (_) @expression) (assignment_expression right: (_) @expression)
(return_statement (_) @expression) (conditional_expression condition: (_) @expression)
(preproc_include) @import (comment) @prose
(function_definition) @symbol.function (declaration declarator: (function_declarator)) @symbol.function
(declaration declarator: (pointer_declarator declarator: (function_declarator))) @symbol.function
(struct_specifier body: (_)) @symbol.class (enum_specifier body: (_)) @symbol.class (type_definition) @symbol.class
(call_expression function: (_) @call)
"""
_ONLY_CPP = """
(declaration_list) @block (lambda_expression body: (compound_statement) @body)
(template_declaration) @wrapper (class_specifier body: (_)) @symbol.class
(field_declaration declarator: (function_declarator)) @symbol.function
(using_declaration) @import
"""

C = Language(
    name="c",
    extensions=(".c", ".h"),
    grammar=("tree_sitter_c", "language"),
    blocks="braces",
    comment="//",
    lexer="c",
    spans=_C,
)
CPP = Language(
    name="cpp",
    extensions=(".cc", ".cpp", ".cxx", ".hpp", ".hh", ".hxx", ".h++", ".c++"),
    grammar=("tree_sitter_cpp", "language"),
    blocks="braces",
    comment="//",
    lexer="c",
    spans=_C + _ONLY_CPP,
)
