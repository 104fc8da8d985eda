"""Bash and its relatives."""

from .language import Language

BASH = Language(
    name="shellscript",
    extensions=(".sh", ".bash", ".zsh", ".ksh"),
    grammar=("tree_sitter_bash", "language"),
    blocks="keywords",
    comment="#",
    lexer="bash",
    spans="""
(program) @block (compound_statement) @block (do_group) @block
(function_definition body: (compound_statement) @body)
(variable_assignment value: (_) @expression)
(test_command (_) @expression)
(comment) @prose
((command name: (command_name) @_name) @import (#any-of? @_name "source" "."))
(function_definition) @symbol.function
(command name: (_) @call)
""",
)
