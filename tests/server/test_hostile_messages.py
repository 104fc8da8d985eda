"""A thousand messages that no good client sends: the server lives, answers whoever asks, and serves on."""

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types
from tests.support.raw_server import RawServer, raw_server

from acclimate_indexer.home import Home

MESSAGES = 1_000
SECRET = "def the_text_of_the_user(): pass"
URI = "file:///project/app.py"
METHODS = (
    types.TEXT_DOCUMENT_INLINE_COMPLETION,
    types.TEXT_DOCUMENT_COMPLETION,
    types.TEXT_DOCUMENT_DID_OPEN,
    types.TEXT_DOCUMENT_DID_CHANGE,
    types.TEXT_DOCUMENT_DID_CLOSE,
    types.TEXT_DOCUMENT_DID_SAVE,
    types.NOTEBOOK_DOCUMENT_DID_OPEN,
    types.NOTEBOOK_DOCUMENT_DID_CHANGE,
    types.NOTEBOOK_DOCUMENT_DID_CLOSE,
    types.WORKSPACE_DID_CHANGE_CONFIGURATION,
    types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS,
    types.WORKSPACE_EXECUTE_COMMAND,
    types.WINDOW_WORK_DONE_PROGRESS_CANCEL,
    types.CANCEL_REQUEST,
    types.SET_TRACE,
    types.INITIALIZE,
    types.INITIALIZED,
    "acclimate/nothing",
    "$/nothing",
    "",
    "textDocument/\ud800",
)
ODD: tuple[Any, ...] = (
    *(None, True, -1, 0, 1.5, 2**31, 2**63, 10**400, 1e308, "", "\ud800", "\0", "😋", [], [[]], {}, {"jsonrpc": "2.0"}),
    *({"jsonrpc": "2.0", "id": 1, "method": "shutdown"}, "file:///project/app.py", "untitled:x", "file://[", SECRET),
)
NO_JSON = (
    *(
        b"",
        b"{",
        b"nonsense",
        b"\xff\xfe\x00",
        b'{"jsonrpc": "2.0", "id": 1',
        b"\xef\xbb\xbf{}",
        b'"\\ud800',
        b"9" * 5_000,
    ),
    *(
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"jsonrpc": "2.0", "id": NaN}',
        b"null",
        b"1",
        b'"text"',
        b"[]",
        b"[1, 2]",
        b"9" * 5_000,
    ),
    *(b'[{"jsonrpc": "2.0", "id": 2, "method": "shutdown"}]', b'{"jsonrpc": "1.0", "id": "old", "method": "shutdown"}'),
)


class Fuzz:
    """Messages by chance. `asked` are the ids of those that are requests, and must be answered."""

    def __init__(self, seed: int) -> None:
        self.choice = random.Random(seed)
        self.asked: list[str] = []

    def bodies(self, count: int, *, is_initialized: bool) -> Iterator[bytes]:
        """The bodies of so many messages; none of them initializes a server that is to be."""
        kinds = (self._mangled, self._mangled, self._mangled, self._misplaced, self._no_request, self._no_json)
        while count:
            asked = len(self.asked)
            body = self.choice.choice(kinds)()
            if not is_initialized and b'"initialize"' in body:
                del self.asked[asked:]
                continue
            count -= 1
            yield body

    def _mangled(self) -> bytes:
        """A request or notification of which a part is missing, or something else."""
        method = self.choice.choice(METHODS)
        message = {"jsonrpc": "2.0", "method": method, "params": self._mangle(_good_params(self.choice))}
        if self.choice.random() < 0.6:
            message["id"] = self._id()
        if self.choice.random() < 0.1:
            del message["params"]
        return json.dumps(message).encode()

    def _misplaced(self) -> bytes:
        """What could be right elsewhere: on a document that is not open, or is, cancelling nothing, beginning again."""
        uri = self.choice.choice((URI, "file:///project/never.py", "untitled:Untitled-1", "vscode-notebook-cell:/a#b"))
        document = {"uri": uri, "version": self.choice.choice((-5, 0, 3, 3, 2**31 - 1)), "languageId": "python"}
        spot = {"line": self.choice.choice((0, 9, 2**31 - 1)), "character": self.choice.choice((0, 7, 2**31 - 1))}
        change = {"range": {"start": spot, "end": {"line": 0, "character": 3}}, "text": self.choice.choice("a\n\ud800")}
        method, params = self.choice.choice(
            (
                ("textDocument/didOpen", {"textDocument": document | {"text": SECRET}}),
                ("textDocument/didChange", {"textDocument": document, "contentChanges": [change]}),
                ("textDocument/didClose", {"textDocument": document}),
                ("$/cancelRequest", {"id": self.choice.choice((1, "x", "request 3"))}),
                ("notebookDocument/didClose", {"notebookDocument": document, "cellTextDocuments": [document]}),
                ("initialize", {"capabilities": {}}),
            )
        )
        message: dict[str, Any] = {"jsonrpc": "2.0", "method": method, "params": params}
        return json.dumps(message | ({"id": self._id()} if method == "initialize" else {})).encode()

    def _no_request(self) -> bytes:
        """A response that nobody waits for, or an object that is nothing at all."""
        message: dict[str, Any] = {
            "jsonrpc": "2.0",
            self.choice.choice(("result", "error", "x")): self.choice.choice(ODD),
        }
        odd = self.choice.choice((*ODD, *self.asked[-3:]))
        return json.dumps(message | {"id": odd, **self.choice.choice(({}, {"jsonrpc": odd}))}).encode()

    def _no_json(self) -> bytes:
        return self.choice.choice(NO_JSON)

    def _id(self) -> str:
        self.asked.append(f"request {len(self.asked)}")
        return self.asked[-1]

    def _mangle(self, value: Any) -> Any:
        """The value with about one of its parts damaged."""
        if self.choice.random() < 0.12:
            return self.choice.choice(ODD)
        if isinstance(value, dict):
            kept = {key: self._mangle(part) for key, part in value.items() if self.choice.random() > 0.03}
            return kept | ({"odd": self.choice.choice(ODD)} if self.choice.random() < 0.05 else {})
        return [self._mangle(part) for part in value] if isinstance(value, list) else value


def _good_params(choice: random.Random) -> dict[str, Any]:
    """Parameters that hold what any of the methods needs."""
    item = {"uri": choice.choice((URI, "untitled:x")), "languageId": "python", "version": 1, "text": SECRET}
    spot = {"line": choice.randrange(3), "character": choice.randrange(40)}
    cell = {"kind": choice.choice((1, 2)), "document": item["uri"]}
    return {
        "textDocument": item,
        "position": spot,
        "context": {"triggerKind": choice.choice((1, 2))},
        "contentChanges": [{"range": {"start": spot, "end": spot}, "text": "x"}, {"text": SECRET}],
        "notebookDocument": item | {"notebookType": "jupyter-notebook", "cells": [cell]},
        "cellTextDocuments": [item],
        "change": {"cells": {"structure": {"array": {"start": 0, "deleteCount": 1, "cells": [cell]}}}},
        "settings": {"acclimate": {"completion": {"debounce_seconds": 0.0}}},
        "event": {"added": [{"uri": "file:///project", "name": "project"}], "removed": []},
        "command": choice.choice(("acclimate.status", "acclimate.cancel", "nothing")),
        "arguments": [choice.choice(ODD)],
        "capabilities": {"general": {"positionEncodings": ["utf-8"]}},
        "id": "request 1",
        "token": "t",
        "value": "off",
    }


@pytest.mark.parametrize("seed", [1, 2])
def test_a_server_that_got_a_thousand_bad_messages_serves_on(home: Home, tmp_path: Path, seed: int) -> None:
    fuzz = Fuzz(seed)
    with (tmp_path / "log").open("wb") as log, raw_server(tmp_path, log) as server:
        for body in fuzz.bodies(MESSAGES // 10, is_initialized=False):
            server.write(body)
        assert "result" in server.initialize()
        for body in fuzz.bodies(MESSAGES, is_initialized=True):
            server.write(body)

        for request in fuzz.asked:
            server.answer_to(request)
        assert_serves(server)
        assert all(len(server.answers(request)) == 1 for request in fuzz.asked)
    assert "the_text_of_the_user" not in (tmp_path / "log").read_text(encoding="utf-8", errors="replace")


def assert_serves(server: RawServer) -> None:
    """Opens a document, edits it and completes in it, and ends the server as it should end."""
    server.send({"id": "open", "method": "workspace/executeCommand", "params": {"command": "acclimate.status"}})
    assert "engine" in server.answer_to("open")["result"]
    document = {"uri": "file:///project/other.py", "languageId": "python", "version": 1, "text": "x = \n"}
    server.send({"method": "textDocument/didOpen", "params": {"textDocument": document}})
    params = {"textDocument": document, "position": {"line": 0, "character": 4}, "context": {"triggerKind": 1}}
    server.send({"id": "ask", "method": "textDocument/inlineCompletion", "params": params})
    assert server.answer_to("ask")["result"] == {"items": []}
    server.send({"id": "end", "method": "shutdown"})
    assert server.answer_to("end")["result"] is None
    server.send({"id": "late", "method": "textDocument/inlineCompletion", "params": params})
    assert server.answer_to("late")["error"]["code"] == types.ErrorCodes.InvalidRequest
    server.send({"method": "exit"})
    assert server.process.wait(20) == 0
