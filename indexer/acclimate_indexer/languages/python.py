"""Python."""

from .language import Language

PYTHON = Language(
    name="python",
    extensions=(".py", ".pyi"),
    grammar=("tree_sitter_python", "language"),
    blocks="indentation",
    comment="#",
    lexer="python",
    spans="""
(module) @block (block) @block
(function_definition body: (block) @body)
(call arguments: (argument_list) @arguments)
(assignment right: (_) @expression) (augmented_assignment right: (_) @expression)
(return_statement (_) @expression) (keyword_argument value: (_) @expression) (default_parameter value: (_) @expression)
(typed_default_parameter value: (_) @expression) (pair value: (_) @expression) (for_statement right: (_) @expression)
(if_statement condition: (_) @expression) (while_statement condition: (_) @expression)
(assert_statement (_) @expression)
(import_statement) @import (import_from_statement) @import (future_import_statement) @import
(comment) @prose (expression_statement . (string) @prose .)
(decorated_definition) @wrapper (function_definition) @symbol.function (class_definition) @symbol.class
(call function: (_) @call)
(block . (expression_statement . (string) @docstring .))
""",
)
