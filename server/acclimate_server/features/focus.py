"""`acclimate/focus`: our own notification, since LSP has none. The editor's window got the focus, or lost it."""

from typing import Any

from ..language_server import AcclimateServer

FOCUS = "acclimate/focus"


def focus_changed(ls: AcclimateServer, params: Any) -> None:
    """`{focused}`: with the focus an engine is there, warm before the first request."""
    if getattr(params, "focused", False) is True:  # pygls makes an object of what it has no type for
        ls.session.connection.wake(is_asked_for=True)
