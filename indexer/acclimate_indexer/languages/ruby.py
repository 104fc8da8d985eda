"""Ruby."""

from .language import Language

RUBY = Language(
    name="ruby",
    extensions=(".rb", ".rake", ".gemspec"),
    grammar=("tree_sitter_ruby", "language"),
    blocks="keywords",
    comment="#",
    lexer="ruby",
    spans="""
(program) @block (body_statement) @block (block_body) @block (then) @block
(method body: (body_statement) @body) (singleton_method body: (body_statement) @body)
(do_block body: (body_statement) @body)
(call arguments: (argument_list "(") @arguments) (argument_list (_) @expression)
(assignment right: (_) @expression) (if condition: (_) @expression) (return (argument_list (_) @expression))
(comment) @prose
((call method: (identifier) @_name) @import (#any-of? @_name "require" "require_relative" "load" "autoload"))
(method) @symbol.function (singleton_method) @symbol.function (class) @symbol.class (module) @symbol.class
(call method: (_) @call)
""",
)
