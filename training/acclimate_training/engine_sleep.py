"""The engine's GPU for the training: put the engine to sleep, and have it awake and itself again afterwards.

A sleeping vLLM (level 1) keeps its weights in the machine's memory and its process alive; waking takes a second or two.
It must have been started with `--enable-sleep-mode` and `VLLM_SERVER_DEV_MODE=1`, as ours is on a GPU.

Waking has been seen to leave weights damaged without a word (vLLM's issues 29341, 53888). So every wake is followed by
a canary, also that of an engine whose training was killed: what it answered before stays in a file until it has
answered the same again.

Against a real vLLM on CUDA: written, not run. The order of the requests and the errors are tested.
"""

import json
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import httpx
from filelock import FileLock, Timeout

from acclimate_indexer.durable import write_json
from acclimate_indexer.errors import EngineError, EngineRefused, EngineUnavailable
from acclimate_indexer.home import Home

from .engine_address import EngineAddress

logger = logging.getLogger(__name__)

SLEEP_SECONDS = 120.0  # a 7B model moves to the machine's memory in about ten
CANARY_TOKENS = 8
SCHEMA = 1


@contextmanager
def engine_asleep(address: EngineAddress, canary: Sequence[int], *, model: str, home: Home) -> Iterator[None]:
    """Within the block the engine sleeps; after it, however it ends, the engine is awake and answers as before.

    Args:
        canary: Token ids of a prompt; the engine must continue it with the same tokens before and after.
        model: The base model's name at the engine.

    Raises:
        EngineUnavailable: Nothing answers, or the engine did not wake.
        EngineRefused: The engine was not started so that it can sleep.
        EngineError: Awake again, it answers otherwise than before.
    """
    with address.blocking_http(SLEEP_SECONDS) as http:
        before = {"model": model, "canary": list(canary), "answer": _answer(http, canary, model)}
        write_json(home.engine_canary, {"schema": SCHEMA, **before}, mode=0o600)
        _ask(http, "POST", "/sleep", params={"level": 1, "mode": "wait"})  # what is being generated is finished
        try:
            yield
        finally:
            wake(http)
            is_itself = _is_itself(http, address, home)
        if not is_itself:
            raise EngineError(changed_words(address))


def changed_words(address: EngineAddress) -> str:
    """What to do about an engine that woke up as another."""
    return (
        f"The engine at {address.url!r} woke up but does not answer as before. Start it anew: "
        "`acclimate engine stop`; the next request starts it."
    )


def can_sleep(address: EngineAddress) -> bool:
    """Whether the engine was started so that it can."""
    with address.blocking_http(SLEEP_SECONDS) as http:
        try:
            return "is_sleeping" in _ask(http, "GET", "/is_sleeping")
        except EngineError:
            return False


def wake_after_training(address: EngineAddress, home: Home) -> bool:
    """Wakes an engine that a killed training left asleep, unless another training needs it to sleep.

    Gives False for one that is not itself any more and must be started anew.
    """
    lock = FileLock(home.training_lock)
    try:
        with lock.acquire(timeout=0):
            return wake_if_asleep(address, home)
    except Timeout:
        logger.info("a training runs: the engine is left as it is")
    except EngineError as error:  # whoever asks it next hears that it does not answer
        logger.warning("the engine could not be asked whether it sleeps: %s", error)
    return True


def wake_if_asleep(address: EngineAddress, home: Home) -> bool:
    """Wakes an engine whose training was killed before it could, and says whether it may be trusted.

    It may not if it answers otherwise than before it slept, or if it slept and nobody has noted how it answered.

    Raises:
        EngineUnavailable: Nothing answers, or the engine did not wake.
    """
    with address.blocking_http(SLEEP_SECONDS) as http:
        try:
            is_asleep = bool(_ask(http, "GET", "/is_sleeping").get("is_sleeping"))
        except EngineRefused:
            return True
        if is_asleep:
            wake(http)
        return _is_itself(http, address, home) if is_asleep or home.engine_canary.exists() else True


def _is_itself(http: httpx.Client, address: EngineAddress, home: Home) -> bool:
    """The canary: whether the engine answers as was noted before it slept. The note stays until it does."""
    try:
        before: Any = json.loads(home.engine_canary.read_text(encoding="utf-8"))
        is_itself = bool(_answer(http, before["canary"], before["model"]) == before["answer"])
    except (OSError, ValueError, KeyError, TypeError, EngineRefused) as error:
        logger.warning("the engine at %s could not be compared with itself: %r", address.url, error)
        return False
    if is_itself:
        home.engine_canary.unlink(missing_ok=True)
    return is_itself


def wake(http: httpx.Client) -> None:
    """Wakes the engine, weights and cache."""
    if _ask(http, "POST", "/wake_up").get("status") == "sleeping":
        raise EngineUnavailable("The engine did not wake up. Start it anew: `acclimate engine stop`.")
    logger.info("the engine is awake")


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
