"""Lua."""

from .language import Language

LUA = Language(
    name="lua",
    extensions=(".lua",),
    grammar=("tree_sitter_lua", "language"),
    blocks="keywords",
    comment="--",
    lexer="lua",
    spans="""
(chunk) @block (block) @block
(function_declaration body: (block) @body) (function_definition body: (block) @body)
(function_call arguments: (arguments) @arguments) (arguments (_) @expression)
(assignment_statement (expression_list value: (_) @expression)) (return_statement (expression_list (_) @expression))
(if_statement condition: (_) @expression) (field value: (_) @expression)
(comment) @prose
((variable_declaration
   (assignment_statement (expression_list value: (function_call name: (identifier) @_name)))) @import
  (#eq? @_name "require"))
(function_declaration) @symbol.function
(function_call name: (_) @call)
""",
)
