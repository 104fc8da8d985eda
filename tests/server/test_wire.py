"""Headers of messages, good and bad, through a pipe that stays open."""

import asyncio
import json
import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from lsprotocol import types
from pygls.io_ import run_async

from acclimate_indexer.home import Home
from acclimate_server.app import create_server
from acclimate_server.language_server import AcclimateServer
from acclimate_server.wire import MAX_BODY_BYTES, MessageReader

PARAMS = b'{"processId": null, "rootUri": null, "capabilities": {}}'
BODY = b'{"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": %s}' % PARAMS
GOOD = b"Content-Length: %d\r\n\r\n%s" % (len(BODY), BODY)


class Replies:
    """What the server writes."""

    def __init__(self) -> None:
        self.data = b""
        self.written = asyncio.Event()

    def write(self, data: bytes) -> None:
        self.data += data
        self.written.set()

    def close(self) -> None:
        """Nothing to close."""


@contextmanager
def pipe() -> Iterator[tuple[MessageReader, int]]:
    """A reader, and where to write what it reads."""
    read_end, write_end = os.pipe()
    with (
        ThreadPoolExecutor(max_workers=1) as executor,
        os.fdopen(read_end, "rb") as stream,
        os.fdopen(write_end, "wb"),  # closed first: a thread may still be reading
    ):
        yield MessageReader(stream, executor), write_end


@pytest.mark.parametrize(
    "header",
    [
        b"Content-Length: %d\r\n\r\n",
        b"content-length:%d\r\n\r\n",
        b"Content-Type: application/vscode-jsonrpc; charset=utf-8\r\nContent-Length: %d\r\n\r\n",
        b"Content-Length: %d\r\nX-Odd: \xff\r\n\r\n",
        b"Content-Length: %d\n\n",
        b"Content-Length: 0\r\n\r\nContent-Length: %d\r\n\r\n",
    ],
)
async def test_a_header_may_be_written_in_several_ways(home: Home, header: bytes) -> None:
    server = create_server(home)
    replies = Replies()
    server.protocol.set_writer(replies)
    with pipe() as (reader, end):
        os.write(end, header % len(BODY) + BODY)
        reading = asyncio.create_task(run_async(threading.Event(), reader, server.protocol))
        async with asyncio.timeout(20):
            await replies.written.wait()
        reading.cancel()

    assert b'"capabilities"' in replies.data
    await server.close()


@pytest.mark.parametrize(
    "header",
    [
        b"\r\n",
        b"Content-Lenght: 10\r\n\r\n",
        b"Content-Length: ten\r\n\r\n",
        b"Content-Length: -10\r\n\r\n",
        b"Content-Length: %d\r\n\r\n" % (MAX_BODY_BYTES + 1),
        b"Content-Length: 99999999999999999999\r\n\r\n",
        b"{" * 10_000,
        b"\x16\x03\x01\x02\x00\x01\r\n",
    ],
)
async def test_what_is_no_header_ends_the_messages_although_the_pipe_stays_open(home: Home, header: bytes) -> None:
    server = create_server(home)
    replies = Replies()
    server.protocol.set_writer(replies)
    with pipe() as (reader, end):
        os.write(end, GOOD + header + BODY + GOOD)
        async with asyncio.timeout(20):
            await run_async(threading.Event(), reader, server.protocol)

    assert replies.data.count(b'"capabilities"') == 1
    await server.close()


@pytest.mark.parametrize("size", [1, 7, 10_000])
async def test_messages_are_the_same_in_whatever_pieces_they_come(home: Home, size: int) -> None:
    server = create_server(home)
    replies = Replies()
    server.protocol.set_writer(replies)
    other = b'{"jsonrpc": "2.0", "id": 2, "method": "unknown"}'
    messages = GOOD + b"Content-Length: %d\r\n\r\n%s" % (len(other), other) + b"\r\n"  # which ends them
    with pipe() as (reader, end):
        reading = asyncio.create_task(run_async(threading.Event(), reader, server.protocol))
        for start in range(0, len(messages), size):
            os.write(end, messages[start : start + size])
            await asyncio.sleep(0)
        async with asyncio.timeout(20):
            await reading

    assert replies.data.count(b'"capabilities"') == 1
    assert replies.data.count(b'"id": 2') == 1
    await server.close()


async def test_a_request_is_begun_before_the_change_after_it_is_read(home: Home, tmp_path: Path) -> None:
    server = create_server(home)
    server.protocol.set_writer(Replies())
    texts: list[str] = []

    async def seen(ls: AcclimateServer, params: types.HoverParams) -> None:
        texts.append(ls.workspace.get_text_document(params.text_document.uri).source)

    server.feature(types.TEXT_DOCUMENT_HOVER)(seen)
    document = {"uri": (tmp_path / "a.py").as_uri(), "version": 2}
    item = {**document, "languageId": "python", "text": "old"}
    position = {"line": 0, "character": 0}
    messages = [
        {"id": 1, "method": "initialize", "params": json.loads(PARAMS)},
        {"method": "textDocument/didOpen", "params": {"textDocument": item}},
        {"id": 2, "method": "textDocument/hover", "params": {"textDocument": document, "position": position}},
        {"method": "textDocument/didChange", "params": {"textDocument": document, "contentChanges": [{"text": "new"}]}},
    ]
    bodies = [json.dumps({"jsonrpc": "2.0"} | message).encode() for message in messages]
    with pipe() as (reader, end):
        os.write(end, b"".join(b"Content-Length: %d\r\n\r\n%s" % (len(body), body) for body in bodies) + b"\r\n")
        async with asyncio.timeout(20):
            await run_async(threading.Event(), reader, server.protocol)

    assert texts == ["old"]
    await server.close()
