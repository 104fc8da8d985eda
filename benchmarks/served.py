"""Starts what a benchmark of completion needs: one real engine, the proxy in front of it, the real language server."""

import asyncio
import contextlib
import os
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.editor import Editor, Kind
from benchmarks.engine_proxy import EngineProxy, engine_proxy
from tests.support.engine import START_SECONDS

from acclimate_indexer.errors import EngineUnavailable
from acclimate_indexer.home import Home
from acclimate_indexer.models import LocalModel
from acclimate_server.cli.ask import AskedServer, asked_server
from acclimate_server.engine.lease import EngineLease, stop_engine
from acclimate_server.engine.options import EngineOptions
from acclimate_training.engine import EngineClient

GENERATED = "vllm:generation_tokens_total"
READY_SECONDS = 60.0  # for an adapter to be loaded while the base answers
SETTLE_SECONDS = 1.0  # for what a server does once in the background when it sees a repository for the first time
ABORT_SECONDS = 0.3  # for the engine to notice that a client has gone, and to have counted
POLL_SECONDS = 0.2

# What every benchmark here sets: completion while typing also on an engine that is slow, one answer instead of several
# to choose from, and code of the repository in every prompt.
COMPLETION = {"automatic": "always", "candidates": 1, "retrieval": "always"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """An editor, and the server that it talks to."""

    editor: Editor
    server: AskedServer
    adapter: str

    async def ready(self, path: Path, language: str, text: str) -> None:
        """Opens a document and returns when what is to complete there does.

        Raises:
            EngineUnavailable: The adapter was not loaded in time.
        """
        self.editor.open(path, language, text, 0)
        await self.editor.ask(Kind.Invoked).is_over.wait()  # now the server knows the repository
        found: dict[str, Any] = {}
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(READY_SECONDS):
                while (found := (await self.server.status())["adapter"])["state"] != self._wanted:  # noqa: ASYNC110  # of another process
                    await asyncio.sleep(POLL_SECONDS)
        if found["state"] != self._wanted:
            raise EngineUnavailable(f"The adapter is {found['state']!r} instead of {self._wanted!r}: {found['reason']}")
        await self.editor.ask(Kind.Invoked).is_over.wait()  # the engine's first request with an adapter takes longer
        await asyncio.sleep(SETTLE_SECONDS)

    @property
    def _wanted(self) -> str:
        return "none" if self.adapter == "none" else "in use"


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A real engine with a model, and a proxy in front of it that servers are pointed to."""

    home: Home
    model: LocalModel
    client: EngineClient
    proxy: EngineProxy

    @asynccontextmanager
    async def editor(
        self, folder: Path, *, adapter: str = "none", completion: Mapping[str, Any] | None = None
    ) -> AsyncIterator[Desk]:
        """An editor on a fresh server that has `folder` open."""
        options = {
            "engine": {"url": self.proxy.url, "key": self.client.address.key},
            "model": {"name": self.model.name},
            "adapter": adapter,
            "completion": COMPLETION | dict(completion or {}),
        }
        with environment("ACCLIMATE_HOME", str(self.home.data)):
            async with asked_server(folder, options) as server:
                await server.wait_engine(START_SECONDS)
                yield Desk(editor=Editor(server.client), server=server, adapter=adapter)

    async def idle(self) -> None:
        """Returns when the engine has nothing to do and has counted what it did."""
        await self.proxy.idle()
        await asyncio.sleep(ABORT_SECONDS)

    async def counted(self) -> dict[str, float]:
        """The engine's own counters, summed over their labels."""
        return counters(await self.client.metrics())


@asynccontextmanager
async def served(home: Home, options: EngineOptions, model: LocalModel) -> AsyncIterator[Served]:
    """An engine that serves the model, and ends with the block."""
    lease = await EngineLease.acquire(home, options, model)
    client = EngineClient(lease.address)
    try:
        await lease.wait_ready(START_SECONDS)
        async with engine_proxy(lease.address.url) as proxy:
            yield Served(home=home, model=model, client=client, proxy=proxy)
    finally:
        await client.aclose()
        await lease.release()
        await stop_engine(home)


def counters(metrics: str) -> dict[str, float]:
    """What Prometheus' text format says, summed over labels."""
    found: dict[str, float] = {}
    for name, value in re.findall(r"^(vllm:\w+)(?:\{.*\})? (\S+)$", metrics, re.MULTILINE):
        found[name] = found.get(name, 0.0) + float(value)
    return found


@contextlib.contextmanager
def environment(name: str, value: str) -> Iterator[None]:
    """A variable of the environment, which child processes see."""
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before
