"""An engine behind TLS whose certificate no public authority has signed."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trustme
from tests.support.fake_engine import BASE, FakeEngine, fake_engine
from tests.training.test_engine_sleep import SleepyEngine

from acclimate_indexer.errors import EngineError
from acclimate_training.engine import EngineClient
from acclimate_training.engine_address import EngineAddress
from acclimate_training.engine_sleep import can_sleep


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """Somebody's own."""
    return trustme.CA()


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> Path:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


def encrypted(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


@pytest.fixture
async def engine(authority: trustme.CA) -> AsyncIterator[FakeEngine]:
    async with fake_engine(encrypted(authority)) as engine:
        yield engine


async def test_an_engine_with_a_certificate_that_is_named_is_believed(engine: FakeEngine, ca_file: Path) -> None:
    client = EngineClient(EngineAddress(url=engine.url, key="k", ca_file=ca_file))

    assert engine.url.startswith("https://")
    assert await client.is_healthy()
    assert await client.base_model() == BASE
    pieces = [piece.text async for piece in client.stream([1, 2], model=BASE, max_tokens=4)]
    await client.aclose()

    assert "".join(pieces) == "name"


async def test_one_that_nobody_vouches_for_is_not(engine: FakeEngine) -> None:
    client = EngineClient(EngineAddress(url=engine.url, key="k"))

    with pytest.raises(EngineError, match=r"certificate.*`engine.ca_file`"):
        await client.base_model()

    await client.aclose()
    assert engine.asked == []


async def test_what_sleeps_and_wakes_an_engine_believes_the_same(authority: trustme.CA, ca_file: Path) -> None:
    with SleepyEngine() as sleepy:
        sleepy.socket = encrypted(authority).wrap_socket(sleepy.socket, server_side=True)
        serving = asyncio.create_task(asyncio.to_thread(sleepy.serve_forever))
        url = sleepy.address.url.replace("http:", "https:")

        assert await asyncio.to_thread(can_sleep, EngineAddress(url=url, key="k", ca_file=ca_file))
        assert not await asyncio.to_thread(can_sleep, EngineAddress(url=url, key="k"))
        sleepy.shutdown()
        await serving


async def test_a_file_without_certificates_is_named(tmp_path: Path) -> None:
    empty = tmp_path / "empty.pem"
    empty.touch()

    for path in (empty, tmp_path / "missing.pem"):
        with pytest.raises(EngineError, match=r"`engine.ca_file` is .*holds no certificates"):
            EngineClient(EngineAddress(url="https://gpu.example", ca_file=path))
