"""The one object that each of our commands takes, and the folder that is open where it names no other."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from ..language_server import AcclimateServer


def argument_of(arguments: tuple[Any, ...]) -> Mapping[str, Any]:
    """The object; empty if none was given.

    Raises:
        JsonRpcException: There are more, or it is something else.
    """
    given = [argument for argument in arguments if argument is not None]
    if not given:
        return {}
    if len(given) > 1 or not isinstance(given[0], Mapping):
        raise refused("The command takes one object as its argument.", code=types.ErrorCodes.InvalidParams)
    return given[0]


def opened_folder(ls: AcclimateServer) -> Path | None:
    """The first folder that the editor has open."""
    return next(iter(ls.opened_folders()), None)


def refused(message: str, code: int = types.LSPErrorCodes.RequestFailed) -> JsonRpcException:
    """An error that the editor shows as it is."""
    return JsonRpcException(message, code)
