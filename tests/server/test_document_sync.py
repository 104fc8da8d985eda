"""Ten thousand random edits: the server's text is the client's, whatever the client counts in."""

import asyncio
import json
import random
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from lsprotocol import types
from pygls.io_ import run_async

from acclimate_indexer.home import Home
from acclimate_server.app import create_server
from acclimate_server.documents import Document
from acclimate_server.language_server import AcclimateServer

URI = "file:///project/app.py"
EDITS = 10_000
MAX_UNITS = 400  # of the text: many edits meet at its ends, and beside one another
PIECES = (
    *("a", "é", "e\u0301", "ß", "漢", "😋", "👩\u200d👩\u200d👧", "𝒳", "\u2028", "\u0085", "\f", "\x0b", "\x1c", "\0"),
    *("\n", "\r\n", "\r", "\t", " ", '"', "\\", "def f(x):", "x = 1\r\n", "😋\n", "\n\n", "\r\r\n", "\ufeff"),
)
HALVES = ("\ud83d", "\ude0b")  # only a client that counts in UTF-16 has them


class Client:
    """An editor's text as a list of what the editor moves over, and its positions, by no code of ours.

    Attributes:
        atoms: Characters; where the client counts in UTF-16, code units: it may stand between two of a pair.
        width: How many units an atom counts.
    """

    def __init__(self, encoding: types.PositionEncodingKind, choice: random.Random) -> None:
        self.encoding, self.choice = encoding, choice
        self.atoms: list[str] = []
        self.width: Callable[[str], int] = lambda _: 1
        if encoding == types.PositionEncodingKind.Utf8:
            self.width = lambda atom: len(atom.encode())

    @property
    def text(self) -> str:
        """With what makes up a pair as one character."""
        return "".join(self.atoms).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")

    def edit(self) -> dict[str, Any]:
        """Edits the text; gives the change as it is sent."""
        new = "".join(self.choice.choices(self._pieces(), k=self.choice.choice((0, 1, 1, 1, 2, 5))))
        if self.choice.random() < 0.01:
            self.atoms = self._split(new)
            return {"text": new}
        lines = list(self._lines())
        first = self.choice.randrange(len(lines))
        last = min(len(lines) - 1, first + self.choice.choice((0, 0, 0, 0, 1, 3)))
        if len(self.atoms) > MAX_UNITS:
            last = len(lines) - 1
        spots = [self._spot(lines, first), self._spot(lines, last)]
        if self.choice.random() < 0.6:
            spots[1] = spots[0]
        (start, from_position), (end, to_position) = sorted(spots)
        self.atoms[start:end] = self._split(new)
        return {"range": {"start": _position(from_position), "end": _position(to_position)}, "text": new}

    def _spot(self, lines: list[tuple[int, int]], line: int) -> tuple[int, tuple[int, int]]:
        """A place on the line, and its position; at times one beyond the line's end, or the text's."""
        start, end = lines[line]
        at = self.choice.choice((start, end, self.choice.randint(start, end)))
        if at == len(self.atoms) and self.choice.random() < 0.2:
            return at, (len(lines) + self.choice.randrange(3), self.choice.randrange(5))
        beyond = self.choice.choice((0, 0, 0, 1, 7, 10**6)) if at == end else 0
        return at, (line, sum(map(self.width, self.atoms[start:at])) + beyond)

    def _lines(self) -> Iterator[tuple[int, int]]:
        """Where each line begins and ends, without what ends it."""
        start = at = 0
        while at < len(self.atoms):
            if self.atoms[at] in "\r\n":
                yield start, at
                at += 1 if self.atoms[at : at + 2] == ["\r", "\n"] else 0
                start = at + 1
            at += 1
        yield start, at

    def _pieces(self) -> tuple[str, ...]:
        return (*PIECES, *HALVES) if self.encoding == types.PositionEncodingKind.Utf16 else PIECES

    def _split(self, text: str) -> list[str]:
        if self.encoding != types.PositionEncodingKind.Utf16:
            return list(text)
        data = text.encode("utf-16-le", "surrogatepass")
        return [chr(data[at] | data[at + 1] << 8) for at in range(0, len(data), 2)]


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("encoding", list(types.PositionEncodingKind))
async def test_after_each_of_ten_thousand_random_edits_the_servers_text_is_the_clients(
    home: Home, encoding: types.PositionEncodingKind, seed: int
) -> None:
    client = Client(encoding, random.Random(seed))
    server = create_server(home)
    await receive(server, id=1, method="initialize", params=initialize_params(encoding))
    await receive(server, method="textDocument/didOpen", params={"textDocument": opened_document("")})
    edits = version = 0
    while edits < EDITS:
        changes = [client.edit() for _ in range(client.choice.choice((1, 5, 10, 20)))]
        edits, version = edits + len(changes), version + 1
        identifier = {"uri": URI, "version": version}
        params = {"textDocument": identifier, "contentChanges": changes}
        await receive(server, method="textDocument/didChange", params=params)

        assert document(server).source == client.text, f"{edits} edits"
        assert document(server)._starts == Document(URI, source=client.text)._starts
    await server.close()


async def test_a_day_of_typing_leaves_nothing_behind_in_the_protocol(home: Home) -> None:
    server = create_server(home)
    await receive(server, id=1, method="initialize", params=initialize_params(types.PositionEncodingKind.Utf16))
    await receive(server, method="textDocument/didOpen", params={"textDocument": opened_document("")})
    for version in range(100):
        identifier = {"uri": URI, "version": version}
        params = {"textDocument": identifier, "contentChanges": [{"text": "x"}]}
        await receive(server, method="textDocument/didChange", params=params)

    assert not server.protocol._request_futures
    await server.close()


@pytest.mark.parametrize("versions", [[3, 2, 2], [None, None], [0, None, -1]])
async def test_changes_count_whatever_their_numbers(home: Home, versions: list[int | None]) -> None:
    server = create_server(home)
    await receive(server, id=1, method="initialize", params=initialize_params(types.PositionEncodingKind.Utf16))
    await receive(server, method="textDocument/didOpen", params={"textDocument": opened_document("") | {"version": 9}})
    for number, version in enumerate(versions):
        here = {"line": 0, "character": number}
        change = {"range": {"start": here, "end": here}, "text": str(number)}
        params = {"textDocument": {"uri": URI, "version": version}, "contentChanges": [change]}
        await receive(server, method="textDocument/didChange", params=params)

    assert document(server).source == "".join(map(str, range(len(versions))))
    await server.close()


async def test_folders_come_and_go_and_one_that_is_renamed_stays(home: Home) -> None:
    server = create_server(home)
    params = initialize_params(types.PositionEncodingKind.Utf16) | {"workspaceFolders": [folder("shop")]}
    await receive(server, id=1, method="initialize", params=params)
    changes: list[tuple[list[str], list[str], set[str]]] = [
        (["bank"], [], {"shop", "bank"}),
        (["shop"], ["shop"], {"shop", "bank"}),
        ([], ["bank"], {"shop"}),
        ([], ["bank"], {"shop"}),
    ]
    for added, removed, left in changes:
        event = {"added": [folder(name) for name in added], "removed": [folder(name) for name in removed]}
        await receive(server, method="workspace/didChangeWorkspaceFolders", params={"event": event})

        assert {each.name for each in server.workspace.folders.values()} == left
    await server.close()


async def receive(server: AcclimateServer, **message: Any) -> None:
    """Has the server read one message as it comes over the wire."""
    body = json.dumps({"jsonrpc": "2.0"} | message).encode()
    reader = asyncio.StreamReader()
    reader.feed_data(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
    reader.feed_eof()
    await run_async(threading.Event(), reader, server.protocol)


def initialize_params(encoding: types.PositionEncodingKind) -> dict[str, Any]:
    capabilities = {"general": {"positionEncodings": [encoding]}}
    return {"processId": None, "rootUri": None, "capabilities": capabilities}


def folder(name: str) -> dict[str, str]:
    return {"uri": f"file:///project/{name}", "name": name}


def opened_document(text: str) -> dict[str, Any]:
    return {"uri": URI, "languageId": "python", "version": 0, "text": text}


def document(server: AcclimateServer) -> Document:
    found = server.workspace.text_documents[URI]
    assert isinstance(found, Document)
    return found


def _position(position: tuple[int, int]) -> dict[str, int]:
    return {"line": position[0], "character": position[1]}
