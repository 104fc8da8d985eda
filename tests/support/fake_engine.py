"""A loopback server that answers like vLLM where a test is about our handling of HTTP: errors, cuts, cancellation.

It generates nothing: it streams the text that it is told to. Where vLLM itself matters, tests use vLLM.
As a program it takes vLLM's command line, so that a supervisor can own it: see `stand_in_runtime`.
"""

import argparse
import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from itertools import zip_longest
from typing import Any

BASE = "fake-base"
LEAVING_SECONDS = 60.0  # a whole editor ends meanwhile, on a machine that may be busy


class FakeEngine:
    """What it should say, and what it was asked.

    Attributes:
        base: What its model is called.
        pieces: The completion, in the pieces that it is streamed in.
        pieces_of: The completion of some models, instead of `pieces`.
        finish_reason: How a stream ends that is read to its end.
        sampled: The completions of the seeds from 1, where it is asked with a temperature; without any, the others.
        nats: What each token of a prompt costs every model that is asked for that.
        costs: What each piece of the completion costs, as one token; of the pieces beyond these it does not say.
        likeliest: Log-probabilities of the tokens that may come first, where one asks for these: one set a question,
            the last of them for all further ones.
        pause_seconds: Between two pieces.
        forgets: Names of adapters that loading seems to accept and completing does not know, once each.
        refuses: What it says instead of loading any adapter; empty where it loads them.
        dies_after: So many completions; then it is gone as if it had been killed. None lets it live.
        sent: How many pieces were streamed.
        closed_early: How many streams were closed by the client before their end.
    """

    def __init__(self) -> None:
        self.url = ""
        self.base = BASE
        self.pieces = ["name"]
        self.pieces_of: dict[str, list[str]] = {}
        self.finish_reason = "stop"
        self.sampled: list[list[str]] = []
        self.nats = 2.0
        self.costs: list[float] = []
        self.likeliest: list[dict[str, float]] = [{"null": 0.0}]
        self.pause_seconds = 0.0
        self.forgets: list[str] = []
        self.refuses = ""
        self.dies_after: int | None = None
        self.adapters: dict[str, str] = {}
        self.asked: list[dict[str, Any]] = []
        self.loads: list[str] = []
        self.sent = 0
        self.closed_early = 0
        self.is_healthy = True
        self._server: asyncio.Server | None = None
        self._connections: dict[asyncio.Task[Any], asyncio.StreamWriter] = {}

    async def start(self, encryption: ssl.SSLContext | None = None, port: int = 0) -> asyncio.Server:
        """Listens on a port of the loopback address, a free one if none is named."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port, ssl=encryption)
        self.url = f"http{'s' if encryption else ''}://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self._server

    async def left_alone(self) -> None:
        """Returns when every client has hung up: no socket is open then."""
        async with asyncio.timeout(LEAVING_SECONDS):
            while self._connections:  # one that hangs up may come back for a last word
                await asyncio.wait(self._connections)

    async def end(self) -> None:
        """Hangs up on whoever is still there: a test that failed leaves no socket to the next one."""
        self._die()
        await self.left_alone()

    def _die(self) -> None:
        assert self._server is not None
        self._server.close()
        for writer in self._connections.values():
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections[task] = writer
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while (request := await _request(reader)) is not None:
                await self._answer(*request, reader, writer)
        del self._connections[task]
        writer.close()

    async def _answer(
        self, path: str, body: dict[str, Any], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        if path == "/health":
            return await _reply(writer, 200 if self.is_healthy else 503, {})
        if path == "/v1/models":
            cards = [
                {"id": self.base},
                *({"id": name, "parent": self.base, "root": path} for name, path in self.adapters.items()),
            ]
            return await _reply(writer, 200, {"data": cards})
        if path == "/v1/load_lora_adapter":
            self.loads.append(body["lora_name"])
            if self.refuses:
                return await _reply(writer, 400, {"error": {"message": self.refuses}})
            self.adapters[body["lora_name"]] = body["lora_path"]
            return await _reply(writer, 200, {})
        if path == "/v1/unload_lora_adapter":
            known = self.adapters.pop(body["lora_name"], None) is not None
            return await _reply(writer, 200 if known else 404, {})
        if path == "/metrics":
            return await _reply(writer, 200, {})
        self.asked.append(body)
        if self.dies_after is not None and len(self.asked) > self.dies_after:
            self._die()
            raise ConnectionResetError
        model = body["model"]
        if model in self.forgets:
            self.forgets.remove(model)
            self.adapters.pop(model, None)
        if model != self.base and model not in self.adapters:
            return await _reply(writer, 404, {"error": {"message": f"The model {model} does not exist."}})
        pieces = self.pieces_of.get(model, self.pieces)
        if body.get("temperature") and self.sampled:
            pieces = self.sampled[body["seed"] - 1]
        if body.get("stream"):
            return await self._stream(pieces, reader, writer)
        choice: dict[str, Any] = {"text": "".join(pieces), "finish_reason": self.finish_reason}
        if body.get("logprobs"):
            first = self.likeliest.pop(0) if len(self.likeliest) > 1 else self.likeliest[0]
            choice["logprobs"] = {"top_logprobs": [first]}
        elif "logprobs" in body:
            told = [-cost for _, cost in zip_longest(pieces, self.costs[: len(pieces)], fillvalue=0.0)]
            choice["logprobs"] = {"tokens": pieces, "token_logprobs": told}
        if "prompt_logprobs" in body:
            costs = ({str(token): {"logprob": -self.nats, "rank": 1}} for token in body["prompt"][1:])
            choice["prompt_logprobs"] = [None, *costs]
        return await _reply(writer, 200, {"choices": [choice]})

    async def _stream(self, pieces: list[str], reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")
        end = asyncio.create_task(reader.read(1))  # the client sends nothing more: what comes is its goodbye
        for piece, cost in zip_longest(pieces, self.costs[: len(pieces)]):
            told = {} if cost is None else {"logprobs": {"token_logprobs": [-cost]}}
            writer.write(f"data: {json.dumps({'choices': [{'text': piece, **told}]})}\n\n".encode())
            await writer.drain()
            self.sent += 1
            await asyncio.wait([end], timeout=self.pause_seconds)
            if end.done():
                self.closed_early += 1
                raise ConnectionResetError
        last = {"choices": [{"text": "", "finish_reason": self.finish_reason}]}
        writer.write(f"data: {json.dumps(last)}\n\ndata: [DONE]\n\n".encode())
        await writer.drain()
        end.cancel()
        raise ConnectionResetError


@asynccontextmanager
async def fake_engine(encryption: ssl.SSLContext | None = None) -> AsyncIterator[FakeEngine]:
    """A fake engine on a free port of the loopback address."""
    engine = FakeEngine()
    await engine.start(encryption)
    try:
        yield engine
    finally:
        await engine.end()


async def _request(reader: asyncio.StreamReader) -> tuple[str, dict[str, Any]] | None:
    line = await reader.readline()
    if not line:
        return None
    length = 0
    while (header := await reader.readline()).strip():
        name, _, value = header.decode().partition(":")
        length = int(value) if name.lower() == "content-length" else length
    body = await reader.readexactly(length)
    return line.split()[1].decode(), json.loads(body) if body else {}


async def _reply(writer: asyncio.StreamWriter, status: int, record: dict[str, Any]) -> None:
    body = json.dumps(record).encode()
    writer.write(f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
    await writer.drain()


async def _main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--piece", action="append")
    parser.add_argument("--served-model-name")
    parser.add_argument("--port", type=int)
    told, _ = parser.parse_known_args()
    engine = FakeEngine()
    engine.base, engine.pieces = told.served_model_name, told.piece
    await (await engine.start(port=told.port)).serve_forever()


if __name__ == "__main__":
    asyncio.run(_main())
