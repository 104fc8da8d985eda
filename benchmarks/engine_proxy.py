"""A loopback proxy between the server and the engine: it hands everything on as it comes, and notes when.

So it is known from outside when a request was sent, what had come back when it was given up, and when the last byte was
there. All clocks are `time.perf_counter` of this process, in which the editor lives, too.
"""

import asyncio
import json
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

COMPLETIONS = "/v1/completions"


@dataclass(slots=True, kw_only=True)
class Exchange:
    """A completion that the engine was asked for.

    Attributes:
        arrived: When the whole request was here.
        chunks: What the engine answered, and when each piece was handed on.
        ended: When the answer was complete or the client had gone; None while it runs.
        is_given_up: The client went before the end.
    """

    body: dict[str, Any]
    arrived: float
    chunks: list[tuple[float, bytes]] = field(default_factory=list)
    ended: float | None = None
    is_given_up: bool = False

    def tokens(self, until: float = float("inf")) -> int:
        """How many tokens had been handed on by then."""
        return sum(_tokens(chunk) for at, chunk in self.chunks if at <= until)


class EngineProxy:
    """Listens on a free port of the loopback address.

    Attributes:
        exchanges: The completions, in the order in which they were asked for.
        is_salted: Every completion gets a `cache_salt` of its own: none finds anything in the engine's prefix cache.
    """

    def __init__(self, engine_url: str) -> None:
        self._engine = urlsplit(engine_url)
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[Any]] = set()
        self._one_ended = asyncio.Event()
        self.exchanges: list[Exchange] = []
        self.is_salted = False

    @property
    def url(self) -> str:
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)

    async def idle(self) -> None:
        """Returns when no completion is under way."""
        while any(exchange.ended is None for exchange in self.exchanges):
            self._one_ended.clear()
            await self._one_ended.wait()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            beyond, is_open = b"", True
            while is_open and (request := await _request(reader, beyond)) is not None:
                beyond, is_open = await self._handed_on(request, reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # either side has gone
        finally:
            self._connections.discard(task)
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def close(self) -> None:
        """Ends with all connections that are open."""
        assert self._server is not None
        self._server.close()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _handed_on(
        self, request: "_Request", reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> tuple[bytes, bool]:
        """What the client sent beyond its request, and whether it is still there."""
        exchange = None
        if request.path == COMPLETIONS:
            exchange = Exchange(body=json.loads(request.body), arrived=request.arrived)
            self.exchanges.append(exchange)
            if self.is_salted:
                request = request.with_body(json.dumps(exchange.body | {"cache_salt": secrets.token_hex(8)}).encode())
        engine, to_engine = await asyncio.open_connection(self._engine.hostname, self._engine.port)
        to_engine.write(request.head + request.body)
        answering = asyncio.create_task(_hand_back(engine, writer, exchange))
        leaving = asyncio.create_task(reader.read(1))  # nothing comes before the answer is complete but a goodbye
        try:
            await asyncio.wait((answering, leaving), return_when=asyncio.FIRST_COMPLETED)
            is_given_up = not answering.done()
        finally:
            for task in (answering, leaving):
                task.cancel()
            found = await asyncio.gather(answering, leaving, return_exceptions=True)
            to_engine.close()  # which aborts what the engine still generates
            if exchange is not None:
                exchange.ended = time.perf_counter()
                self._one_ended.set()
        if exchange is not None:
            exchange.is_given_up = is_given_up
        beyond = found[1] if isinstance(found[1], bytes) else b""
        has_left = is_given_up or found[0] is not True or (found[1] == b"")
        return beyond, not has_left


@asynccontextmanager
async def engine_proxy(engine_url: str) -> AsyncIterator[EngineProxy]:
    """A proxy in front of an engine."""
    proxy = EngineProxy(engine_url)
    await proxy.start()
    try:
        yield proxy
    finally:
        await proxy.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    path: str
    head: bytes
    body: bytes
    arrived: float

    def with_body(self, body: bytes) -> "_Request":
        lines = self.head.split(b"\r\n")
        kept = [line for line in lines if not line.lower().startswith(b"content-length:")]
        kept.insert(1, b"Content-Length: %d" % len(body))
        return _Request(path=self.path, head=b"\r\n".join(kept), body=body, arrived=self.arrived)


async def _request(reader: asyncio.StreamReader, beyond: bytes) -> _Request | None:
    """The next request; None if the client has gone."""
    head = await _head(reader, beyond)
    if not head:
        return None
    body = await reader.readexactly(int(_header(head, b"content-length") or 0))
    return _Request(path=head.split(b" ", 2)[1].decode(), head=head, body=body, arrived=time.perf_counter())


async def _hand_back(engine: asyncio.StreamReader, writer: asyncio.StreamWriter, exchange: Exchange | None) -> bool:
    """Hands an answer on piece by piece; whether the connection may serve another request."""
    head = await _head(engine)
    writer.write(head)
    if _header(head, b"transfer-encoding") == b"chunked":
        while piece := await _chunk(engine):
            await _hand_on(writer, piece, exchange)
            if piece.startswith(b"0\r\n"):
                return _header(head, b"connection") != b"close"
        return False
    length = _header(head, b"content-length")
    if length is not None:
        await _hand_on(writer, await engine.readexactly(int(length)), exchange)
        return _header(head, b"connection") != b"close"
    while piece := await engine.readline():  # its end is the end of the connection
        await _hand_on(writer, piece, exchange)
    return False


async def _hand_on(writer: asyncio.StreamWriter, piece: bytes, exchange: Exchange | None) -> None:
    """Raises ConnectionError once the client has gone."""
    writer.write(piece)
    await writer.drain()
    if exchange is not None:
        exchange.chunks.append((time.perf_counter(), piece))


async def _head(reader: asyncio.StreamReader, beyond: bytes = b"") -> bytes:
    """A request's or answer's first line and headers, up to the empty line; empty at the end of the connection."""
    head = beyond
    while line := await reader.readline():
        head += line
        if line == b"\r\n":
            return head
    return b""


async def _chunk(reader: asyncio.StreamReader) -> bytes:
    """A chunk of a chunked answer with its frame; empty if the connection ended."""
    size = await reader.readline()
    return size + await reader.readexactly(int(size, 16) + 2) if size.strip() else b""


def _header(head: bytes, name: bytes) -> bytes | None:
    for line in head.split(b"\r\n")[1:]:
        key, _, value = line.partition(b":")
        if key.strip().lower() == name:
            return value.strip().lower()
    return None


def _tokens(chunk: bytes) -> int:
    """How many tokens a piece of a streamed answer holds: those with a price, else one for any text."""
    count = 0
    for line in chunk.split(b"\n"):
        data = line.strip().removeprefix(b"data:").strip()
        if not line.startswith(b"data:") or data == b"[DONE]":
            continue
        for choice in json.loads(data).get("choices", ()):
            priced = (choice.get("logprobs") or {}).get("token_logprobs")
            count += len(priced) if priced is not None else bool(choice.get("text"))
    return count
