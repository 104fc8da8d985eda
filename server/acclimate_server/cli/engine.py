"""`acclimate engine`: holds the local engine in the foreground, or ends it."""

import argparse
import asyncio
from typing import Any

from acclimate_indexer.errors import EngineUnavailable

from ..completion.base_model import installed_model
from ..completion.connection import READY_SECONDS, engine_options
from ..engine.lease import EngineLease, read_engine_state, stop_engine
from .context import Context
from .verb import DONE, Verbs, add_model_option, add_verb


def register(verbs: Verbs, shared: argparse.ArgumentParser) -> None:
    parser = add_verb(
        verbs,
        shared,
        "engine",
        run,
        summary="keep the local engine (vLLM) running, or end it",
        description="The engine is started by whoever needs it and ends by itself after its last user. By hand, "
        "this verb keeps it loaded until Ctrl-C, so that editors find it ready; `stop` ends it, "
        "whoever uses it.",
        examples="acclimate engine\nacclimate engine stop\nacclimate engine status --json",
    )
    parser.add_argument("action", nargs="?", choices=("run", "stop", "status"), default="run")
    add_model_option(parser)


def run(arguments: argparse.Namespace, context: Context) -> int:
    if arguments.action == "stop":
        stopped = asyncio.run(stop_engine(context.home))
        context.terminal.show("The engine has ended." if stopped else "No engine runs.")
        context.terminal.finish({"stopped": stopped})
        return DONE
    if arguments.action == "status":
        state = read_engine_state(context.home)
        context.terminal.show(engine_words(state))
        context.terminal.finish({"engine": state})
        return DONE
    return asyncio.run(_hold(arguments, context))


def engine_words(state: dict[str, Any] | None) -> str:
    """One line about the local engine."""
    if state is None:
        return "No engine runs. It is started when an editor or `acclimate adapt` needs it."
    where = f"at {state.get('url', '?')}, process {state.get('pid', '?')}"
    return f"Engine: {state.get('state', 'running')} {where}, model {state.get('base', '?')}."


async def _hold(arguments: argparse.Namespace, context: Context) -> int:
    settings = context.settings(model__name=arguments.model)
    model = installed_model(context.home, settings.model.name)
    lease = await EngineLease.acquire(context.home, engine_options(context.home, settings), model)
    try:
        context.terminal.say(f"Loading {model.name} ({model.variant}, {model.precision}); this takes about a minute.")
        await lease.wait_ready(READY_SECONDS)
        context.terminal.show(f"The engine is ready at {lease.address.url}. Ctrl-C lets it go.")
        context.terminal.finish({"url": lease.address.url, "model": model.name})
        ended = asyncio.Event()
        lease.on_change(lambda state: ended.set() if state.state != "ready" else None)
        await ended.wait()
    finally:
        reason = lease.state.reason
        await lease.release()
    raise EngineUnavailable(reason or "The engine has ended.")
