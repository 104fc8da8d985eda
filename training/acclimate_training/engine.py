"""Client of an OpenAI-compatible vLLM: completions from token ids, adapters loaded and unloaded while it runs.

Cancelling the task that awaits `complete`, or closing the iterator of `stream`, closes the HTTP request, and vLLM
then aborts the generation. Use `contextlib.aclosing(client.stream(...))` where the loop may be left early: an
abandoned generator is closed only when the event loop gets round to it.
"""

import asyncio
import json
import math
import time
from collections.abc import AsyncGenerator, AsyncIterator, Container, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from acclimate_indexer.errors import AdapterError, EngineError, EngineRefused, EngineUnavailable

from .engine_address import EngineAddress as EngineAddress  # whoever asks an engine knows it from here

PRIORITY_COMPLETION = 0  # lower goes first: somebody waits for a completion with a finger in the air
PRIORITY_REVIEW = 10
PRIORITY_EVALUATION = 20

CONNECT_SECONDS = 5.0  # a loopback connection takes milliseconds, a far one less than this
ANSWER_SECONDS = 300.0  # a long prompt behind sixteen others on a processor without a GPU
IDLE_SECONDS = 4.0  # a connection that was not used for longer may be closed: vLLM does it after five
HEALTH_SECONDS = 5.0  # an engine that cannot say "well" in this time is not well
LIKELIEST_TOKENS = 20  # as many as vLLM tells unless it was started to tell more
END_SECONDS = 1.0  # between an answer's last piece and the end of its stream lie milliseconds
DETAIL_CHARACTERS = 300  # of the engine's own words in a message


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """What the engine generated.

    Attributes:
        token_ids: Including a stop token, if one ended it.
        finish_reason: `stop` (a stop token), `length` (max_tokens), `abort`.
        tokens: The text of each token and what it cost the model, where that was asked for.
    """

    text: str
    token_ids: tuple[int, ...]
    finish_reason: str
    tokens: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """What the engine generated since the last piece.

    Attributes:
        text: May be empty, where a token gave no text of its own.
        nats: What each of its tokens cost the model (minus its log-probability), a stop token included; empty where
            the engine does not say.
        finish_reason: Of the last piece: `stop` (a stop token), `length` (max_tokens), `abort`; else empty.
    """

    text: str
    nats: tuple[float, ...] = ()
    finish_reason: str = ""


class EngineClient:
    """Talks to one engine. Connections are kept open between calls; `aclose` closes them.

    Raises:
        EngineError: `engine.ca_file` cannot be used.
    """

    def __init__(self, address: EngineAddress, *, answer_seconds: float = ANSWER_SECONDS) -> None:
        self.address = address
        self._takes_priorities = True
        self._warming: asyncio.Task[bool] | None = None
        self._leaving: set[asyncio.Task[None]] = set()
        self._used = -math.inf  # when a connection was
        self._http = address.http(httpx.Timeout(answer_seconds, connect=CONNECT_SECONDS))

    async def aclose(self) -> None:
        """Closes the connections; running requests are aborted."""
        for task in (*self._leaving, *([] if self._warming is None else [self._warming])):
            task.cancel()
        await self._http.aclose()

    async def is_healthy(self) -> bool:
        """Whether the engine can serve now. Never raises."""
        try:
            status = (await self._http.get("/health", timeout=HEALTH_SECONDS)).status_code
        except httpx.HTTPError:
            return False
        self._used = time.monotonic()
        return status == httpx.codes.OK

    async def base_model(self) -> str:
        """The name under which the base model is served.

        Raises:
            EngineUnavailable: Nothing answers.
            EngineRefused: It answers with an error, or serves nothing.
        """
        for card in await self._models():
            if not card.get("parent"):
                return str(card["id"])
        raise EngineRefused(f"The engine at {self.address.url!r} serves no model.", status=200, detail="")

    async def adapters(self) -> set[str]:
        """Names of the adapters that can be asked for now."""
        return {str(card["id"]) for card in await self._models() if card.get("parent")}

    async def load_adapter(self, name: str, path: Path) -> None:
        """Makes the peft folder `path` available as `name`; when this returns it is usable. Twice does no harm.

        Requests that run finish on the adapter that they began with.

        Raises:
            EngineRefused: The folder is no adapter for this base, or its rank is above what the engine was started for.
            AdapterError: The engine cannot read it, or has another adapter of this name.
        """
        there = await asyncio.to_thread(self.address.path_of_adapter, name, path)
        try:
            await self._post("/v1/load_lora_adapter", {"lora_name": name, "lora_path": there})
        except EngineRefused as error:
            if "already been loaded" not in error.detail:
                raise _load_refused(error, self.address.url, there) from error
            await self._check_loaded(name, there)

    async def _check_loaded(self, name: str, there: str) -> None:
        """Several people may use one engine, and load adapters of theirs."""
        with suppress(EngineRefused):  # an engine that does not tell is believed
            for card in await self._models():
                if card["id"] == name and card.get("root", there) != there:
                    raise AdapterError(
                        f"The engine at {self.address.url!r} has another adapter of the name {name!r}, from "
                        f"{card['root']!r}. Train again: a new adapter gets a new name."
                    )

    async def remove_old_copies(self, origin: Path, keep: Container[str]) -> None:
        """Has the engine forget what was copied for it out of `origin` and is not needed any more; then deletes it.

        In this order: an engine that is asked for an adapter whose folder has gone dies of it.

        Raises:
            EngineError: It cannot be asked, or the folder cannot be written.
        """
        shared = self.address.shared
        if shared is None:
            return
        for name in await asyncio.to_thread(shared.old_copies, origin, keep):
            await self.unload_adapter(name)
            await asyncio.to_thread(shared.remove, name)

    async def unload_adapter(self, name: str) -> None:
        """Forgets an adapter; one that is not loaded does no harm."""
        try:
            await self._post("/v1/unload_lora_adapter", {"lora_name": name})
        except EngineRefused as error:
            if error.status != httpx.codes.NOT_FOUND:
                raise

    async def complete(
        self,
        prompt_ids: Sequence[int],
        *,
        model: str,
        max_tokens: int,
        stop_token_ids: Sequence[int] = (),
        priority: int = PRIORITY_COMPLETION,
        pattern: str = "",
    ) -> Completion:
        """Generates greedily until a stop token or `max_tokens`.

        Args:
            pattern: A regular expression that the whole answer must match. Its tokens then tell their costs, each
                among those that the pattern allows there: vLLM takes log-probabilities after it has masked the rest.

        Raises:
            EngineUnavailable: Nothing answers, or the connection was cut.
            EngineRefused: The engine answers with an error, e.g. an unknown model or a prompt that is too long.
        """
        body = _completion_body(prompt_ids, model, max_tokens, stop_token_ids)
        body["return_token_ids"] = True
        if pattern:
            body |= {"structured_outputs": {"regex": pattern}, "logprobs": 0}
        async with self._completion(body, priority) as response:
            await response.aread()
            with _answers_named(self.address.url):
                choice = response.json()["choices"][0]
                told = choice.get("logprobs") or {}
                return Completion(
                    text=choice["text"],
                    token_ids=tuple(choice.get("token_ids") or ()),
                    finish_reason=str(choice["finish_reason"]),
                    tokens=tuple(
                        (str(token), -float(each))
                        for token, each in zip(told.get("tokens") or (), told.get("token_logprobs") or (), strict=True)
                        if each is not None
                    ),
                )

    async def next_tokens(
        self, prompt_ids: Sequence[int], *, model: str, priority: int = PRIORITY_COMPLETION
    ) -> dict[str, float]:
        """The likeliest tokens after a prompt with their probabilities, of all that the model might write.

        Raises as `complete` does.
        """
        body = _completion_body(prompt_ids, model, 1, ()) | {"logprobs": LIKELIEST_TOKENS}
        async with self._completion(body, priority) as response:
            await response.aread()
            with _answers_named(self.address.url):
                (likeliest,) = response.json()["choices"][0]["logprobs"]["top_logprobs"]
                return {str(token): math.exp(float(each)) for token, each in likeliest.items()}

    async def stream(
        self,
        prompt_ids: Sequence[int],
        *,
        model: str,
        max_tokens: int,
        stop_token_ids: Sequence[int] = (),
        priority: int = PRIORITY_COMPLETION,
        temperature: float = 0.0,
        seed: int = 0,
    ) -> AsyncGenerator[Piece]:
        """What is generated, as it is; closing the iterator aborts the generation. Raises as `complete` does.

        To close it costs no time: whoever has the last piece need not wait for the end of the stream.

        Args:
            temperature: 0 is greedy, and takes no notice of the seed.
        """
        body = _completion_body(prompt_ids, model, max_tokens, stop_token_ids) | {"stream": True, "logprobs": 0}
        if temperature:
            body |= {"temperature": temperature, "seed": seed}
        async with AsyncExitStack() as opened:
            response = await opened.enter_async_context(self._completion(body, priority))
            lines = response.aiter_lines()
            async for line in lines:
                if (piece := self._piece_in(line)) is None:
                    continue
                try:
                    yield piece
                except GeneratorExit:
                    self._leave(opened.pop_all(), lines, is_over=bool(piece.finish_reason))
                    raise

    def _piece_in(self, line: str) -> Piece | None:
        """What a line of a stream holds, if anything."""
        data = line.removeprefix("data:").strip()
        if not line.startswith("data:") or data == "[DONE]":
            return None
        with _answers_named(self.address.url):
            event = json.loads(data)
            if error := event.get("error"):
                raise _refused(self.address.url, int(error.get("code") or 500), str(error.get("message")))
            piece = _piece(event["choices"][0]) if event["choices"] else Piece(text="")
        return piece if piece.text or piece.nats or piece.finish_reason else None

    def _leave(self, opened: AsyncExitStack, lines: AsyncIterator[str], *, is_over: bool) -> None:
        """Closes a response behind the back of who has read enough of it."""
        task = asyncio.create_task(self._read_out(opened, lines) if is_over else self._close(opened))
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    async def _read_out(self, opened: AsyncExitStack, lines: AsyncIterator[str]) -> None:
        """Reads what follows the last piece, so that the connection serves the next request."""
        with suppress(EngineError, TimeoutError):  # nothing was to come
            async with opened, asyncio.timeout(END_SECONDS):
                async for _ in lines:
                    pass

    async def _close(self, opened: AsyncExitStack) -> None:
        """Closes the connection, which aborts the generation, and opens another one."""
        await opened.aclose()
        self._used = -math.inf
        self.warm_up()

    def warm_up(self) -> None:
        """Opens a connection for the next request, if none may be open: connecting takes as long as all else."""
        is_warming = self._warming is not None and not self._warming.done()
        if not is_warming and time.monotonic() - self._used > IDLE_SECONDS:
            self._warming = asyncio.create_task(self.is_healthy())

    async def token_nats(self, token_ids: Sequence[int], *, model: str) -> list[float]:
        """What each token but the first costs after those before it, in nats, as the engine computes it.

        This is for comparing the engine with a trainer: it fills no prefix cache and uses none.

        Raises:
            EngineUnavailable: Nothing answers, or the connection was cut.
            EngineRefused: The engine answers with an error.
        """
        body = _completion_body(token_ids, model, 1, ()) | {"prompt_logprobs": 0}
        async with self._completion(body, PRIORITY_EVALUATION) as response:
            await response.aread()
            with _answers_named(self.address.url):
                given = response.json()["choices"][0]["prompt_logprobs"]
                pairs = zip(token_ids[1:], given[1:], strict=True)
                return [-float(each[str(token)]["logprob"]) for token, each in pairs]

    async def metrics(self) -> str:
        """The engine's own counters in Prometheus' text format."""
        async with self._response("GET", "/metrics") as response:
            await response.aread()
            return response.text

    async def _models(self) -> list[dict[str, Any]]:
        async with self._response("GET", "/v1/models") as response:
            await response.aread()
            with _answers_named(self.address.url):
                return list(response.json()["data"])

    async def _post(self, path: str, body: dict[str, Any]) -> None:
        async with self._response("POST", path, body) as response:
            await response.aread()

    @asynccontextmanager
    async def _completion(self, body: dict[str, Any], priority: int) -> AsyncIterator[httpx.Response]:
        """Asks with the priority; an engine that was not started for priorities is asked without from then on."""
        if priority and self._takes_priorities:
            is_accepted = False
            try:
                async with self._response("POST", "/v1/completions", body | {"priority": priority}) as response:
                    is_accepted = True
                    yield response
                    return
            except EngineRefused as error:
                if is_accepted or "riority" not in error.detail:
                    raise
                self._takes_priorities = False
        async with self._response("POST", "/v1/completions", body) as response:
            yield response

    @asynccontextmanager
    async def _response(
        self, method: str, path: str, body: dict[str, Any] | None = None
    ) -> AsyncIterator[httpx.Response]:
        self._used = -math.inf  # unless it is read to its end its connection is closed
        with _failures_named(self.address.url):
            async with self._http.stream(method, path, json=body) as response:
                if response.status_code >= httpx.codes.BAD_REQUEST:
                    raise _refusal(
                        self.address.url, response.status_code, (await response.aread()).decode("utf-8", "replace")
                    )
                yield response
                self._used = time.monotonic()


def _piece(choice: dict[str, Any]) -> Piece:
    given = (choice.get("logprobs") or {}).get("token_logprobs") or ()
    return Piece(
        text=choice["text"],
        nats=tuple(-float(each) for each in given if each is not None),
        finish_reason=str(choice.get("finish_reason") or ""),
    )


def _completion_body(
    prompt_ids: Sequence[int], model: str, max_tokens: int, stop_token_ids: Sequence[int]
) -> dict[str, Any]:
    return {
        "model": model,
        "prompt": list(prompt_ids),
        "max_tokens": max_tokens,
        "stop_token_ids": list(stop_token_ids),
        "temperature": 0,
        "skip_special_tokens": True,
    }


@contextmanager
def _failures_named(url: str) -> Iterator[None]:
    """Turns what can happen on the wire into our errors.

    Raises:
        EngineUnavailable: Nothing listens, or the connection was cut or went silent.
        EngineError: Nobody vouches for the engine's certificate.
    """
    try:
        yield
    except (httpx.ConnectError, httpx.ConnectTimeout) as error:
        if "CERTIFICATE_VERIFY_FAILED" in str(error):
            raise EngineError(
                f"The certificate of the engine at {url!r} is not one to trust ({error}). Set `engine.ca_file` to the "
                "authority's, if it is your own."
            ) from error
        raise EngineUnavailable(f"No engine answers at {url!r}: it is not started, or has ended.") from error
    except httpx.TimeoutException as error:
        raise EngineUnavailable(f"The engine at {url!r} did not answer in time. It may be overloaded.") from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        reason = str(error) or type(error).__name__
        raise EngineUnavailable(f"The connection to the engine at {url!r} failed: {reason}.") from error


@contextmanager
def _answers_named(url: str) -> Iterator[None]:
    """Turns an answer that is not vLLM's into our error."""
    try:
        yield
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise EngineRefused(
            f"What answers at {url!r} does not speak vLLM's API. Set `engine.url` to a vLLM server.",
            status=200,
            detail=repr(error),
        ) from error


def _refusal(url: str, status: int, text: str) -> EngineRefused | EngineUnavailable:
    try:
        detail = str(json.loads(text)["error"]["message"])
    except (ValueError, KeyError, TypeError):
        detail = text
    if status == httpx.codes.SERVICE_UNAVAILABLE:
        return EngineUnavailable(f"The engine at {url!r} is not ready: {_short(detail) or 'still loading'}.")
    return _refused(url, status, detail)


def _refused(url: str, status: int, detail: str) -> EngineRefused:
    if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        message = f"The engine at {url!r} refused the key. Check `engine.key`."
    else:
        message = f"The engine at {url!r} refused the request (HTTP {status}): {_short(detail) or 'it gave no reason'}"
    return EngineRefused(message, status=status, detail=detail)


def _load_refused(error: EngineRefused, url: str, there: str) -> EngineRefused:
    """The same with what to do, where a vLLM that somebody else started lacks something."""
    if error.status in (httpx.codes.NOT_FOUND, httpx.codes.METHOD_NOT_ALLOWED) and "adapter" not in error.detail:
        hint = "takes no adapters while it runs. Start it with `VLLM_ALLOW_RUNTIME_LORA_UPDATING=True`"
    elif "LoRA is not enabled" in error.detail:
        hint = "serves no adapters. Start it with `--enable-lora`"
    elif error.status == httpx.codes.NOT_FOUND:
        hint = (
            f"does not find {there!r}. Check `engine.adapters_folder` and `engine.adapters_folder_there`: "
            "a folder that its user can read"
        )
    else:
        return error
    return EngineRefused(f"The engine at {url!r} {hint}.", status=error.status, detail=error.detail)


def _short(detail: str) -> str:
    line = " ".join(detail.split())
    return line if len(line) <= DETAIL_CHARACTERS else line[:DETAIL_CHARACTERS] + "…"
