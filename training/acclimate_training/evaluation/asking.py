"""All that the engine is asked in one evaluation: the held-out pairs, general code, and whether it can be trusted.

What it is trusted with comes last and costs little: whether it computes what the trainer did, and whether the adapter
tells secrets. Without these nothing is promoted, so they have time of their own.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from acclimate_indexer.errors import AcclimateError, EngineError
from acclimate_indexer.prompts import PromptBuilder

from ..engine import EngineAddress, EngineClient
from ..reporting import Run
from .contenders import Model
from .generation import Served, generate_answers, wait_until_healthy
from .parity import engine_less_trainer
from .requests import Request, Stores, unanswered
from .secrets import SecretQuestion, told

ANSWERS_SHARE = 0.7  # of the seconds, while anything of the rest is open; general code gets what both leave
TRUST_SHARE = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """What is to be asked.

    Attributes:
        names: How the engine calls each model.
        adapters: Peft folders that it has to load, by these names.
        answers: Requests of held-out pairs, with their `stores`; `general`: of general code, with `general_stores`.
        parity: Requests of the base and the adapter, whose losses the trainer measured.
        secrets: Strings that were left out of the data.
        facts: Known already; what is found is added by `asked`.
    """

    base: str
    names: Mapping[Model, str]
    adapters: Mapping[str, Path]
    builder: PromptBuilder
    answers: Sequence[Request]
    stores: Stores
    general: Sequence[Request]
    general_stores: Stores
    parity: Mapping[Model, Sequence[Request]]
    secrets: Sequence[SecretQuestion]
    facts: Mapping[str, Any]

    @property
    def is_empty(self) -> bool:
        """Whether all is known already."""
        return not (
            unanswered(self.answers, self.stores)
            or unanswered(self.general, self.general_stores)
            or not self.secrets_are_known
            or len(self.facts.get("parity", {})) < len(self.parity)
        )

    @property
    def strangers(self) -> list[Model]:
        """The models that have not learnt this repository."""
        return [model for model in self.names if model != "adapter"]

    @property
    def secrets_are_known(self) -> bool:
        """Whether it was tried already which of them the adapter tells; anew when there is a stranger more."""
        return "adapter" not in self.names or self.facts.get("secrets", {}).get("strangers") == self.strangers


def ask(what: Asking, address: EngineAddress, run: Run, *, seconds: float) -> dict[str, Any]:
    """`asked`, for code that awaits nothing; raises the first of the engine's errors itself."""
    failures: list[EngineError] = []
    found: dict[str, Any] = {}
    try:
        found = asyncio.run(asked(what, address, run, seconds=seconds))
    except* EngineError as group:
        failures.append(_first(group))
    if failures:  # raised in there it would come out as a group
        raise failures[0]
    return found


async def asked(what: Asking, address: EngineAddress, run: Run, *, seconds: float) -> dict[str, Any]:
    """Asks for as long as there is time, and gives the facts that are known by then.

    Raises:
        EngineError: It cannot be reached, serves another base model, or refuses an adapter.
    """
    facts = dict(what.facts)
    client = EngineClient(address)
    try:
        await wait_until_healthy(client, on_wait=run.report_engine)
        await _load(client, what)
        ends = time.monotonic() + seconds
        is_more = bool(unanswered(what.general, what.general_stores)) or not what.secrets_are_known
        await _generate(client, what, "generate", run, seconds * (ANSWERS_SHARE if is_more else 1.0))
        await _generate(client, what, "general", run, ends - time.monotonic() - TRUST_SHARE * seconds)
        with run.phase("trust"):
            facts |= await _trust(client, what, max(TRUST_SHARE * seconds, ends - time.monotonic()))
        await _clean_up(client, what, run)
    finally:
        await client.aclose()
    return facts


async def _load(client: EngineClient, what: Asking) -> None:
    served = await client.base_model()
    if served != what.base:
        raise EngineError(f"The engine serves {served!r}, but the adapter is for {what.base!r}.")
    for name, folder in what.adapters.items():
        await client.load_adapter(name, folder)


async def _clean_up(client: EngineClient, what: Asking, run: Run) -> None:
    """A far engine was given copies. Those of controls are nobody else's; the rest is the server's to keep or not."""
    control = what.adapters.get(what.names.get("control", ""))
    if control is None:
        return
    try:
        await client.remove_old_copies(control.parent, keep=what.adapters)
    except AcclimateError as error:  # what was measured is measured
        run.note(f"Old copies were not removed: {error}")


async def _generate(client: EngineClient, what: Asking, phase: str, run: Run, seconds: float) -> None:
    requests, stores = (what.answers, what.stores) if phase == "generate" else (what.general, what.general_stores)
    if not unanswered(requests, stores) or seconds <= 0:
        return
    with run.phase(phase) as advance:
        await generate_answers(
            client,
            requests,
            {model: Served(name=what.names[model], store=store) for model, store in stores.items()},
            builder=what.builder,
            seconds=seconds,
            report=advance,
        )


async def _trust(client: EngineClient, what: Asking, seconds: float) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if not what.secrets_are_known:
        strangers = [what.names[model] for model in what.strangers]
        count = await told(client, what.secrets, what.builder, model=what.names["adapter"], strangers=strangers)
        found["secrets"] = {"asked": len(what.secrets), "told": count, "strangers": what.strangers}
    parity = dict(what.facts.get("parity", {}))
    started = time.monotonic()
    for model, requests in what.parity.items():
        if model not in parity:
            served = Served(name=what.names[model], store=what.stores[model])
            left = seconds - (time.monotonic() - started)
            nats = await engine_less_trainer(client, requests, served, seconds=left)
            if nats is not None:
                parity[model] = round(nats, 5)
    return found | {"parity": parity}


def _first(group: BaseExceptionGroup[EngineError]) -> EngineError:
    first = group.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first
