"""Work-done progress: shown under the client's token, or under one of ours if the client takes it."""

import secrets

from lsprotocol import types

from ..language_server import AcclimateServer


def progress_token(ls: AcclimateServer, given: types.ProgressToken | None, name: str) -> types.ProgressToken | None:
    """The client's token, or one of ours if the client can take it; None shows no progress."""
    if given is not None:
        return given
    window = ls.client_capabilities.window
    if window is None or not window.work_done_progress:
        return None
    return f"acclimate-{name}-{secrets.token_hex(2)}"  # pygls refuses a token that it has seen


async def begin_progress(
    ls: AcclimateServer,
    token: types.ProgressToken,
    begin: types.WorkDoneProgressBegin,
    *,
    given: types.ProgressToken | None,
) -> None:
    """Shows that the work begins. A token of ours is announced first, and from then on the client may cancel it."""
    if token != given:
        await ls.work_done_progress.create_async(token)
    ls.work_done_progress.begin(token, begin)
