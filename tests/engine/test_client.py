"""How the client takes what can go wrong over HTTP, against a small server that does what it is told."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager, suppress
from pathlib import Path

import pytest

from acclimate_indexer.errors import AdapterError, EngineRefused, EngineUnavailable
from acclimate_server.engine.child import free_port
from acclimate_training.engine import EngineAddress, EngineClient

Answer = Callable[[str, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def answering(answer: Answer, *, answer_seconds: float = 5.0) -> AsyncIterator[EngineClient]:
    """A client of a server that lets `answer` write what it likes to each request (head and body as text)."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = next((line.split(":")[1] for line in head.lower().splitlines() if "content-length" in line), "0")
        body = (await reader.readexactly(int(length))).decode()
        try:
            await answer(head + body, writer)
        except ConnectionError:
            pass  # the client has gone, as some tests want
        finally:
            writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        client = EngineClient(EngineAddress(url=f"http://127.0.0.1:{port}", key="k"), answer_seconds=answer_seconds)
        try:
            yield client
        finally:
            await client.aclose()


def always(status: int, body: object) -> Answer:
    """Answers each request with this status and JSON."""

    async def answer(_: str, writer: asyncio.StreamWriter) -> None:
        data = json.dumps(body).encode()
        head = f"HTTP/1.1 {status} X\r\nContent-Length: {len(data)}\r\nConnection: close\r\n\r\n"
        writer.write(head.encode() + data)
        await writer.drain()

    return answer


def complaint(message: str) -> dict[str, object]:
    return {"error": {"message": message, "code": 0}}


async def complete(client: EngineClient) -> str:
    return (await client.complete([1, 2], model="m", max_tokens=4)).text


@pytest.mark.parametrize(
    ("status", "words"), [(401, "refused the key"), (404, "HTTP 404.*no such model"), (500, "HTTP 500.*no such model")]
)
async def test_an_error_status_becomes_a_refusal_with_the_engines_words(status: int, words: str) -> None:
    async with answering(always(status, complaint("no such model"))) as client:
        with pytest.raises(EngineRefused, match=words) as caught:
            await complete(client)

    assert caught.value.status == status
    assert caught.value.detail == "no such model"


async def test_an_engine_that_is_still_loading_is_unavailable() -> None:
    async with answering(always(503, complaint(""))) as client:
        with pytest.raises(EngineUnavailable, match="still loading"):
            await complete(client)
        assert not await client.is_healthy()


async def test_nothing_listening_is_unavailable() -> None:
    client = EngineClient(EngineAddress(url=f"http://127.0.0.1:{free_port()}"))

    with pytest.raises(EngineUnavailable, match="No engine answers"):
        await complete(client)

    assert not await client.is_healthy()
    await client.aclose()


async def test_a_cut_connection_is_unavailable() -> None:
    async def cut(_: str, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{")
        await writer.drain()

    async with answering(cut) as client:
        with pytest.raises(EngineUnavailable, match=r"connection .* failed"):
            await complete(client)


async def test_a_silent_engine_is_given_up_after_the_answer_time() -> None:
    async def silent(_: str, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(2)

    async with answering(silent, answer_seconds=0.2) as client:
        with pytest.raises(EngineUnavailable, match="did not answer in time"):
            await complete(client)


@pytest.mark.parametrize("body", [[], {"choices": []}, "hello"])
async def test_something_else_that_answers_is_named(body: object) -> None:
    async with answering(always(200, body)) as client:
        with pytest.raises(EngineRefused, match="does not speak vLLM's API"):
            await complete(client)


async def test_an_adapter_that_is_loaded_already_is_a_success() -> None:
    async with answering(always(400, complaint("The lora adapter 'a' has already been loaded."))) as client:
        await client.load_adapter("a", Path("somewhere"))


async def test_an_adapter_that_does_not_fit_is_refused() -> None:
    async with answering(always(400, complaint("LoRA rank 64 is greater than max_lora_rank 16."))) as client:
        with pytest.raises(EngineRefused, match="rank 64"):
            await client.load_adapter("a", Path("somewhere"))


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (404, {"detail": "Not Found"}, "VLLM_ALLOW_RUNTIME_LORA_UPDATING=True"),
        (405, {"detail": "Method Not Allowed"}, "VLLM_ALLOW_RUNTIME_LORA_UPDATING=True"),
        (500, complaint("LoRA is not enabled. Use --enable-lora to enable LoRA."), "--enable-lora"),
        (404, complaint("Loading lora a failed: No adapter found for somewhere"), "engine.adapters_folder_there"),
    ],
)
async def test_what_an_engine_lacks_for_adapters_is_named(status: int, body: object, words: str) -> None:
    async with answering(always(status, body)) as client:
        with pytest.raises(EngineRefused, match=words):
            await client.load_adapter("a", Path("somewhere"))


async def test_an_adapter_of_the_same_name_that_is_not_ours_is_not_taken_for_ours() -> None:
    async def answer(request: str, writer: asyncio.StreamWriter) -> None:
        if request.startswith("POST"):
            return await always(400, complaint("The lora adapter 'a' has already been loaded."))(request, writer)
        return await always(200, {"data": [{"id": "a", "parent": "m", "root": "/theirs/a"}]})(request, writer)

    async with answering(answer) as client:
        await client.load_adapter("a", Path("/theirs/a"))
        with pytest.raises(AdapterError, match="another adapter of the name 'a', from '/theirs/a'"):
            await client.load_adapter("a", Path("/ours/a"))


async def test_unloading_an_unknown_adapter_does_no_harm() -> None:
    async with answering(always(404, complaint("cannot be found"))) as client:
        await client.unload_adapter("a")


async def test_an_engine_without_priorities_is_asked_without() -> None:
    asked: list[bool] = []
    done = {"choices": [{"text": "x", "token_ids": [5], "finish_reason": "stop"}]}

    async def answer(request: str, writer: asyncio.StreamWriter) -> None:
        asked.append('"priority"' in request)
        refused = always(400, complaint("Got priority 20 but Priority scheduling is not enabled."))
        await (refused if asked[-1] else always(200, done))(request, writer)

    async with answering(answer) as client:
        completion = await client.complete([1], model="m", max_tokens=1, priority=20)
        await client.complete([1], model="m", max_tokens=1, priority=20)

    assert asked == [True, False, False]
    assert (completion.text, completion.token_ids, completion.finish_reason) == ("x", (5,), "stop")


async def test_an_error_in_the_middle_of_a_stream_is_raised_after_the_text_before_it() -> None:
    async def answer(_: str, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        writer.write(b'data: {"choices": [{"text": "a"}]}\n\ndata: {"error": {"message": "died", "code": 500}}\n\n')
        await writer.drain()

    heard: list[str] = []
    async with answering(answer) as client:
        with pytest.raises(EngineRefused, match="died"):
            async for piece in client.stream([1], model="m", max_tokens=4):
                heard.append(piece.text)  # noqa: PERF401  a comprehension would lose what came before the error

    assert heard == ["a"]


async def test_leaving_a_stream_early_closes_the_request() -> None:
    closed = asyncio.Event()

    async def answer(_: str, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        try:
            while True:
                writer.write(b'data: {"choices": [{"text": "a"}]}\n\n')
                await writer.drain()
                await asyncio.sleep(0.01)
        finally:
            closed.set()

    async with answering(answer) as client:
        async with aclosing(client.stream([1], model="m", max_tokens=4)) as texts:
            async for _ in texts:
                break
        await asyncio.wait_for(closed.wait(), 5)


@pytest.mark.parametrize("leaves", [True, False])
async def test_the_connection_of_an_answer_serves_the_next_request(leaves: bool) -> None:
    connections = 0
    event = b'data: {"choices": [{"text": "a", "finish_reason": "length"}]}\n\n'
    is_read, is_closed = asyncio.Event(), asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        with suppress(asyncio.IncompleteReadError):  # the client has closed it
            while head := (await reader.readuntil(b"\r\n\r\n")).decode().lower():
                await reader.readexactly(int(head.partition("content-length:")[2].split()[0]))
                writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n" % (len(event), event))
                await is_read.wait()
                writer.write(b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n")
        writer.close()
        is_closed.set()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        client = EngineClient(EngineAddress(url=f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"))
        for _ in range(2):
            is_read.clear()
            async with aclosing(client.stream([1], model="m", max_tokens=4)) as pieces:
                async for _ in pieces:
                    before = asyncio.all_tasks()
                    if leaves:
                        break
                    is_read.set()
            left = asyncio.all_tasks() - before
            is_read.set()
            if left:
                await asyncio.wait(left, timeout=5)
        await client.aclose()
        await asyncio.wait_for(is_closed.wait(), 5)

    assert connections == 1


def test_the_key_is_in_no_representation() -> None:
    assert "secret" not in repr(EngineAddress(url="http://127.0.0.1:1", key="secret"))
