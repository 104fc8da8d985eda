"""`textDocument/codeAction`: what can be done at the cursor, or about the comments in a range."""

from lsprotocol import types

from ..language_server import AcclimateServer
from . import documenting, review_actions

OPTIONS = types.CodeActionOptions(code_action_kinds=[*review_actions.KINDS, documenting.KIND])


async def code_actions(ls: AcclimateServer, params: types.CodeActionParams) -> list[types.CodeAction]:
    """Those about comments first: they concern what is wrong."""
    return [
        *await review_actions.review_actions(ls, params),
        *await documenting.doc_comment_actions(ls, params),
    ]
