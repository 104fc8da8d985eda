"""Go."""

from .language import Language

GO = Language(
    name="go",
    extensions=(".go",),
    grammar=("tree_sitter_go", "language"),
    blocks="braces",
    comment="//",
    lexer="go",
    spans="""
(source_file) @block (statement_list) @block
(function_declaration body: (block) @body) (method_declaration body: (block) @body) (func_literal body: (block) @body)
(call_expression arguments: (argument_list) @arguments) (argument_list (_) @expression)
(short_var_declaration right: (_) @expression) (assignment_statement right: (_) @expression)
(var_spec value: (_) @expression) (return_statement (_) @expression) (if_statement condition: (_) @expression)
(keyed_element (_) (_) @expression) (range_clause right: (_) @expression)
(import_declaration) @import (package_clause) @import (comment) @prose
(function_declaration) @symbol.function (method_declaration) @symbol.function
(type_declaration (type_spec) @symbol.class) @wrapper
(call_expression function: (_) @call)
""",
)
