"""The engine's GPU for the training: put the engine to sleep, and have it awake and itself again afterwards.

A sleeping vLLM (level 1) keeps its weights in the machine's memory and its process alive; waking takes a second or two.
It must have been started with `--enable-sleep-mode` and `VLLM_SERVER_DEV_MODE=1`, as ours is on a GPU.

Against a real vLLM on CUDA: written, not run. The order of the requests and the errors are tested.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import httpx
from filelock import FileLock, Timeout

from acclimate_indexer.errors import EngineError, EngineRefused, EngineUnavailable
from acclimate_indexer.home import Home

from .engine import EngineAddress

logger = logging.getLogger(__name__)

SLEEP_SECONDS = 120.0  # a 7B model moves to the machine's memory in about ten
CANARY_TOKENS = 8


@contextmanager
def engine_asleep(address: EngineAddress, canary: Sequence[int], *, model: str) -> Iterator[None]:
    """Within the block the engine sleeps; after it, however it ends, the engine is awake and answers as before.

    Args:
        canary: Token ids of a prompt; the engine must continue it with the same tokens before and after.
        model: The base model's name at the engine.

    Raises:
        EngineUnavailable: Nothing answers, or the engine did not wake.
        EngineRefused: The engine was not started so that it can sleep.
        EngineError: Awake again, it answers otherwise than before.
    """
    with _client(address) as http:
        before = _answer(http, canary, model)
        _ask(http, "POST", "/sleep", params={"level": 1, "mode": "wait"})  # what is being generated is finished
        try:
            yield
        finally:
            wake(http)
        if _answer(http, canary, model) != before:
            raise EngineError(
                f"The engine at {address.url!r} woke up but does not answer as before. Start it anew: "
                "`acclimate engine stop`; the next request starts it."
            )


def can_sleep(address: EngineAddress) -> bool:
    """Whether the engine was started so that it can."""
    with _client(address) as http:
        try:
            return "is_sleeping" in _ask(http, "GET", "/is_sleeping")
        except EngineError:
            return False


def wake_after_training(address: EngineAddress, home: Home) -> None:
    """Wakes an engine that a killed training left asleep, unless another training needs it to sleep."""
    lock = FileLock(home.training_lock)
    try:
        with lock.acquire(timeout=0):
            wake_if_asleep(address)
    except Timeout:
        logger.info("a training runs: the engine is left as it is")
    except EngineError as error:  # whoever asks it next hears that it does not answer
        logger.warning("the engine could not be asked whether it sleeps: %s", error)


def wake_if_asleep(address: EngineAddress) -> bool:
    """Wakes an engine whose training was killed before it could, and says whether it slept.

    Raises:
        EngineUnavailable: Nothing answers, or the engine did not wake.
    """
    with _client(address) as http:
        try:
            is_asleep = bool(_ask(http, "GET", "/is_sleeping").get("is_sleeping"))
        except EngineRefused:
            return False
        if is_asleep:
            wake(http)
        return is_asleep


def wake(http: httpx.Client) -> None:
    """Wakes the engine, weights and cache."""
    if _ask(http, "POST", "/wake_up").get("status") == "sleeping":
        raise EngineUnavailable("The engine did not wake up. Start it anew: `acclimate engine stop`.")
    logger.info("the engine is awake")


def _client(address: EngineAddress) -> httpx.Client:
    return httpx.Client(
        base_url=address.url.rstrip("/").removesuffix("/v1"),
        headers={"Authorization": f"Bearer {address.key}"} if address.key else {},
        timeout=SLEEP_SECONDS,
        trust_env=not address.is_loopback,
    )


def _answer(http: httpx.Client, canary: Sequence[int], model: str) -> Any:
    body = {"model": model, "prompt": list(canary), "max_tokens": CANARY_TOKENS, "temperature": 0}
    choices = _ask(http, "POST", "/v1/completions", json=body | {"return_token_ids": True}).get("choices") or [{}]
    return choices[0].get("token_ids")


def _ask(http: httpx.Client, method: str, path: str, **arguments: Any) -> dict[str, Any]:
    try:
        response = http.request(method, path, **arguments)
    except httpx.HTTPError as error:
        reason = str(error) or type(error).__name__
        raise EngineUnavailable(f"The engine did not answer {path!r} ({reason}).") from error
    if response.status_code >= httpx.codes.BAD_REQUEST:
        hint = " It was not started so that it can sleep." if response.status_code == httpx.codes.NOT_FOUND else ""
        raise EngineRefused(
            f'The engine refused {path!r} (HTTP {response.status_code}).{hint} Set `training.gpu_policy` to "split".',
            status=response.status_code,
            detail=response.text,
        )
    try:
        answer = response.json()
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}
