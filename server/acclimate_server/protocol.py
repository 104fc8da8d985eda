"""pygls' protocol with the faults of version 2.1.1 mended; nothing of acclimate in here.

- Whoever asks is answered. pygls gives no reply to a request whose parameters cannot be read, to one after `shutdown`,
  nor to a batch, and the client waits for ever.
- What is asked before `initialize` is refused as LSP says; in pygls the handlers run, and find no workspace.
- Only the outermost object of a message is one. pygls takes every object in it that has a key "jsonrpc" for another.
- A change without a number, as LSP allowed until 3.16, counts. pygls leaves it out, and the text is wrong from then on.
- The reasons that cattrs gives for a refusal quote the message, source code included: they enter no log.
- A response to nothing that was asked is dropped. pygls lets it end a request of the client's with the same id.
- What is done is forgotten. pygls keeps something of every notification for as long as the server lives.
- `shutdown` while a command runs is answered. pygls changes the table that it walks through (its issue 606).
- A command whose request is cancelled ends. pygls only says so, and the command runs on.
- A folder that is removed and added in one notice stays: so a client renames it.
"""

import logging
from collections.abc import Callable, Generator
from functools import partial
from typing import Any
from urllib.parse import unquote

from cattrs import Converter
from lsprotocol import types
from pygls.exceptions import (
    JsonRpcException,
    JsonRpcInvalidParams,
    JsonRpcInvalidRequest,
    JsonRpcMethodNotFound,
    JsonRpcServerNotInitialized,
)
from pygls.lsp.server import LanguageServer
from pygls.protocol.json_rpc import JsonRPCNotification, JsonRPCRequestMessage, JsonRPCResponseMessage
from pygls.protocol.language_server import LanguageServerProtocol, lsp_method

from .documents import Documents

log = logging.getLogger(__name__)


class Protocol(LanguageServerProtocol):
    """pygls' protocol, mended."""

    def __init__(self, server: LanguageServer, converter: Converter) -> None:
        super().__init__(server, converter)
        self._is_initialized = False

    @lsp_method(types.INITIALIZE)
    def lsp_initialize(self, params: types.InitializeParams) -> Generator[Any, Any, types.InitializeResult]:
        result = yield from super().lsp_initialize(params)
        self._workspace = Documents.of(self.workspace)
        self._is_initialized = True
        return result

    @lsp_method(types.SHUTDOWN)
    def lsp_shutdown(self, *args: Any) -> Generator[Any, Any, None]:
        own = self.msg_id  # while the handler works, other messages come
        if (handler := self.fm.features.get(types.SHUTDOWN)) is not None:
            yield handler, args, None
        for message_id, future in list(self._request_futures.items()):
            if message_id != own and not future.done():
                future.cancel()
        self._shutdown = True

    @lsp_method(types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS)
    def lsp_workspace__did_change_workspace_folders(
        self, params: types.DidChangeWorkspaceFoldersParams
    ) -> Generator[Any, Any, None]:
        for folder in params.event.removed:
            self.workspace.remove_folder(folder.uri)
        params.event.removed = []
        yield from super().lsp_workspace__did_change_workspace_folders(params)

    def structure_message(self, data: dict[str, Any]) -> Any:
        """Leaves an object as it is: the JSON reader asks for each, however deep; `handle_message` reads the whole."""
        return data

    def handle_message(self, message: Any) -> None:
        """Does what a message asks for, or says why not to whoever asked."""
        try:
            read = self._read(message)
        except JsonRpcException as refusal:
            self._refuse(message, refusal)
        else:
            if read is not None:
                super().handle_message(read)

    def _execute_handler(
        self,
        msg_id: str | int,
        handler: Callable[..., Any],
        callback: Callable[[Any], None],
        args: tuple[Any, ...] | None = None,
        kwargs: dict[str, Any] | None = None,
    ) -> None:
        super()._execute_handler(msg_id, handler, callback, args, kwargs)
        if (future := self._request_futures.get(msg_id)) is not None:
            future.add_done_callback(lambda _: self._request_futures.pop(msg_id, None))
            if isinstance(callback, partial) and (request := callback.keywords.get("result_future")) is not None:
                request.add_done_callback(lambda done: done.cancelled() and future.cancel())

    def _read(self, message: Any) -> Any:
        """The message in the type of its method; None if it answers nothing that was asked.

        Raises:
            JsonRpcException: It is no message, comes at the wrong time, or cannot be read.
        """
        if not isinstance(message, dict) or message.get("jsonrpc") != self.VERSION:
            raise JsonRpcInvalidRequest("A message is one object of JSON-RPC 2.0; there are no batches.")
        if "method" not in message:
            return self._read_response(message)
        method = message["method"]
        if not isinstance(method, str) or ("id" in message and not _is_id(message["id"])):
            raise JsonRpcInvalidRequest("A method is a string, and an id is a string or an integer.")
        self._check_time_of(method)
        if method != types.CANCEL_REQUEST and method not in self.fm.builtin_features and method not in self.fm.features:
            raise JsonRpcMethodNotFound.of(method)
        kind = self.get_message_type(method) or (JsonRPCRequestMessage if "id" in message else JsonRPCNotification)
        if "id" in message and not hasattr(kind, "id"):
            raise JsonRpcInvalidRequest(f"{method!r} is a notification: it has no id.")
        if method == types.TEXT_DOCUMENT_DID_CHANGE:
            self._number(message.get("params"))
        try:
            return self._converter.structure({"params": None} | message, kind)
        except Exception as error:  # whatever somebody else's message makes cattrs and its hooks raise
            raise JsonRpcInvalidParams(f"The parameters of {method!r} cannot be read.") from error

    def _read_response(self, message: dict[str, Any]) -> Any:
        """The answer to a request of ours. One that cannot be read ends what waits for it, too."""
        asked = message.get("id")
        if not isinstance(asked, str) or asked not in self._result_types:
            log.warning("A response to nothing that was asked is left out.")
            return None
        kind = self._result_types.pop(asked) or JsonRPCResponseMessage
        try:
            return self._converter.structure(message, types.ResponseErrorMessage if "error" in message else kind)
        except Exception as error:  # as above
            refusal = JsonRpcInvalidParams("The response to a request of the server cannot be read.")
            if (waiting := self._request_futures.pop(asked, None)) is not None:
                waiting.set_exception(refusal)
            raise refusal from error

    def _check_time_of(self, method: str) -> None:
        """Before `initialize` and after `shutdown` little is to be done."""
        if self._shutdown and method != types.EXIT:
            raise JsonRpcInvalidRequest("The server was shut down.")
        if not self._is_initialized and method not in (types.INITIALIZE, types.EXIT):
            raise JsonRpcServerNotInitialized("The first request is `initialize`.")
        if self._is_initialized and method == types.INITIALIZE:
            raise JsonRpcInvalidRequest("The server is initialized already.")

    def _number(self, change: Any) -> None:
        """Gives a change without a version the next one."""
        document = change.get("textDocument") if isinstance(change, dict) else None
        if isinstance(document, dict) and document.get("version") is None and isinstance(document.get("uri"), str):
            known = self.workspace.text_documents.get(unquote(document["uri"]))  # how pygls keeps them
            document["version"] = 1 + ((known and known.version) or 0)

    def _refuse(self, message: Any, refusal: JsonRpcException) -> None:
        """Says why not to whoever waits for an answer. A response is not answered, nor is a notification."""
        log.warning("A message is left out: %s", refusal)
        if isinstance(message, dict) and not ("method" in message and "id" in message):
            return
        asked = message["id"] if isinstance(message, dict) and _is_id(message["id"]) else None
        error = {"code": refusal.code, "message": refusal.message}
        self._send_data({"jsonrpc": self.VERSION, "id": asked, "error": error})  # pygls leaves an id of null out


def _is_id(value: object) -> bool:
    return isinstance(value, (str, int)) and not isinstance(value, bool)
