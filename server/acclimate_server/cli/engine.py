"""`acclimate engine`: holds, starts, ends or frees the local engine, and tells how it does."""

import argparse
import asyncio
from typing import Any

from acclimate_indexer.errors import EngineUnavailable
from acclimate_training.engine import EngineClient
from acclimate_training.engine_address import EngineAddress

from ..completion.base_model import installed_model
from ..completion.connection import READY_SECONDS, engine_options
from ..engine.freeing import free_engine
from ..engine.lease import EngineLease, read_engine_state, running_engine, stop_engine
from .context import Context
from .verb import DONE, Verbs, add_model_option, add_verb

ACTIONS = ("run", "start", "stop", "free", "status", "metrics")


def register(verbs: Verbs, shared: argparse.ArgumentParser) -> None:
    parser = add_verb(
        verbs,
        shared,
        "engine",
        run,
        summary="keep the local engine (vLLM) running, end it, or get its memory back",
        description="The engine is started by whoever needs it and ends by itself after its last user. By hand, "
        "this verb keeps it loaded until Ctrl-C, so that editors find it ready; `start` loads it and goes. `stop` ends "
        "it, whoever uses it; editors start it again. `free` gives its memory back within 3 seconds, and no editor "
        "starts it again until a completion is asked for by hand, an editor gets the focus, or `start`. `metrics` "
        "prints what the engine counts, as Prometheus reads it: have a timer write it to a file for node_exporter's "
        "textfile collector, since the engine's key and port change.",
        examples="acclimate engine\nacclimate engine free\nacclimate engine status --json\n"
        "acclimate engine metrics > acclimate.prom",
    )
    parser.add_argument("action", nargs="?", choices=ACTIONS, default="run")
    add_model_option(parser)


def run(arguments: argparse.Namespace, context: Context) -> int:
    if arguments.action == "stop":
        stopped = asyncio.run(stop_engine(context.home))
        context.terminal.show("The engine has ended." if stopped else "No engine runs.")
        context.terminal.finish({"stopped": stopped})
        return DONE
    if arguments.action == "free":
        freed = asyncio.run(free_engine(context.home.create(), "`acclimate engine free`"))
        context.terminal.show("The engine is gone, and its memory is free." if freed else "No engine runs.")
        context.terminal.finish({"freed": freed})
        return DONE
    if arguments.action == "status":
        state = read_engine_state(context.home)
        context.terminal.show(engine_words(state))
        context.terminal.finish({"engine": state})
        return DONE
    if arguments.action == "metrics":
        metrics = asyncio.run(_metrics(context))
        if not context.terminal.as_json:
            print(metrics, end="")  # as it is: a program reads it
        context.terminal.finish({"metrics": metrics})
        return DONE
    return asyncio.run(_hold(arguments, context))


def engine_words(state: dict[str, Any] | None) -> str:
    """One line about the local engine."""
    if state is None:
        return "No engine runs. It is started when an editor or `acclimate adapt` needs it."
    where = f"at {state.get('url', '?')}, process {state.get('pid', '?')}"
    return f"Engine: {state.get('state', 'running')} {where}, model {state.get('base', '?')}."


async def _metrics(context: Context) -> str:
    """The counters of the engine of the settings, else of the local one.

    Raises:
        EngineUnavailable: None runs.
    """
    settings, record = context.settings(), running_engine(context.home)
    address = engine_options(context.home, settings).remote if settings.engine.url else None
    if address is None and record is not None:
        address = EngineAddress(url=record["url"], key=record["key"])
    if address is None:
        raise EngineUnavailable(engine_words(None))
    client = EngineClient(address)
    try:
        return await client.metrics()
    finally:
        await client.aclose()


async def _hold(arguments: argparse.Namespace, context: Context) -> int:
    settings = context.settings(model__name=arguments.model)
    model = installed_model(context.home, settings.model.name)
    lease = await EngineLease.acquire(context.home, engine_options(context.home, settings), model)
    try:
        context.terminal.say(f"Loading {model.name} ({model.variant}, {model.precision}); this takes about a minute.")
        await lease.wait_ready(READY_SECONDS)
        is_held = arguments.action == "run"
        context.terminal.show(f"The engine is ready at {lease.address.url}.{' Ctrl-C lets it go.' if is_held else ''}")
        context.terminal.finish({"url": lease.address.url, "model": model.name})
        if not is_held:
            return DONE  # with somebody else's lease it goes on, without one for `engine.idle_seconds`
        ended = asyncio.Event()
        lease.on_change(lambda state: ended.set() if state.state != "ready" else None)
        await ended.wait()
    finally:
        reason = lease.state.reason
        await lease.release()
    raise EngineUnavailable(reason or "The engine has ended.")
