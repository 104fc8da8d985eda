"""Work-done progress: shown under the client's token, or under one of ours if the client takes it."""

import secrets

from lsprotocol import types

from ..language_server import AcclimateServer


async def progress_token(
    ls: AcclimateServer, given: types.ProgressToken | None, name: str
) -> types.ProgressToken | None:
    """The client's token, or one of ours if the client can take it; None shows no progress."""
    if given is not None:
        return given
    window = ls.client_capabilities.window
    if window is None or not window.work_done_progress:
        return None
    token = f"acclimate-{name}-{secrets.token_hex(2)}"  # pygls refuses a token that it has seen
    await ls.work_done_progress.create_async(token)
    return token
