"""Every address of the engine but `/health` asks for the key."""

from typing import Any

import httpx
import pytest

from acclimate_vllm_plugin.keyed import Keyed


async def served(scope: Any, _receive: Any, send: Any) -> None:
    """An application that answers everybody."""
    assert scope["type"] == "http"
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"answered"})


async def status(path: str, headers: dict[str, str]) -> int:
    transport = httpx.ASGITransport(app=Keyed(served))
    async with httpx.AsyncClient(transport=transport, base_url="http://engine") as http:
        return (await http.get(path, headers=headers)).status_code


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VLLM_API_KEY", "right")


@pytest.mark.parametrize("path", ["/metrics", "/sleep", "/collective_rpc", "/v1/models", "/health/", "/docs"])
async def test_nothing_is_told_without_the_key(path: str) -> None:
    assert await status(path, {"Authorization": "Bearer right"}) == 200
    assert await status(path, {}) == 401
    assert await status(path, {"Authorization": "Bearer wrong"}) == 401
    assert await status(path, {"Authorization": "right"}) == 401


async def test_everybody_may_ask_whether_it_is_there() -> None:
    assert await status("/health", {}) == 200


async def test_a_websocket_without_the_key_is_closed() -> None:
    sent: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    await Keyed(served)({"type": "websocket", "path": "/v1/realtime", "headers": []}, receive, send)

    assert [message["type"] for message in sent] == ["websocket.close"]
