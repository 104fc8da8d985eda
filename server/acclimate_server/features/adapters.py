"""`workspace/executeCommand`: what is known of a repository, which adapter completes there, and the page about one.

The argument may name a `repository`, any folder in it; without, it is the folder that is open.
"""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from lsprotocol import types

from acclimate_indexer.errors import AcclimateError
from acclimate_training.registry import AdapterRegistry

from ..language_server import AcclimateServer
from ..overview import overview as overview_of
from ..reports import kept_examples, meant_adapter, report_on
from ..session import OpenRepository
from .arguments import argument_of, opened_folder, refused

OVERVIEW = "acclimate.overview"
PROMOTE = "acclimate.adapters.promote"
ROLLBACK = "acclimate.adapters.rollback"
USE = "acclimate.adapters.use"
REPORT = "acclimate.report"

NO_ADAPTER = "none"

T = TypeVar("T")


async def overview(ls: AcclimateServer, *arguments: Any) -> dict[str, Any]:
    """Adapters, acceptance, data, drift and the last training of `{repository?}`."""
    return await _done(
        ls, argument_of(arguments), lambda opened: overview_of(opened.repository, opened.home, opened.settings)
    )


async def use(ls: AcclimateServer, *arguments: Any) -> dict[str, Any]:
    """Has `{repository?, version, reason?}` complete from now on; the version `none` is the bare base model."""
    argument = argument_of(arguments)
    wanted, reason = _text(argument, "version"), str(argument.get("reason") or "Chosen in the editor.")

    def change(opened: OpenRepository) -> None:
        registry = AdapterRegistry(opened.home)
        known = None if wanted == NO_ADAPTER else registry.get_verified(registry.resolve(wanted)).version
        registry.set_live(known, reason)

    return await _changed(ls, argument, change)


async def promote(ls: AcclimateServer, *arguments: Any) -> dict[str, Any]:
    """Takes `{repository?, version, reason}` into use as proven; the reason is kept in the history."""
    argument = argument_of(arguments)
    wanted, reason = _text(argument, "version"), _text(argument, "reason")

    def change(opened: OpenRepository) -> None:
        registry = AdapterRegistry(opened.home)
        registry.promote(registry.resolve(wanted), reason)

    return await _changed(ls, argument, change)


async def rollback(ls: AcclimateServer, *arguments: Any) -> dict[str, Any]:
    """Withdraws the adapter in use of `{repository?, reason}`, and goes back to the one before."""
    argument = argument_of(arguments)
    reason = _text(argument, "reason")
    return await _changed(ls, argument, lambda opened: AdapterRegistry(opened.home).rollback(reason))


async def report(ls: AcclimateServer, *arguments: Any) -> dict[str, Any]:
    """Writes the page about `{repository?, version?, withCode?}` and gives `{report, version}`."""
    argument = argument_of(arguments)
    version, with_code = argument.get("version"), argument.get("withCode") is True

    def write(opened: OpenRepository) -> dict[str, Any]:
        adapter = meant_adapter(AdapterRegistry(opened.home), None if version is None else str(version))
        examples, _ = kept_examples(ls.session.home, opened.home, adapter)
        path = opened.home.report(adapter.version)
        report_on(adapter, opened.home, path, examples, with_code=with_code)
        return {"report": str(path), "version": adapter.version}

    return await _done(ls, argument, write)


async def _changed(
    ls: AcclimateServer, argument: Mapping[str, Any], change: Callable[[OpenRepository], object]
) -> dict[str, Any]:
    """Changes which adapter is in use, has it loaded at once, and gives `{live}`."""

    def change_and_look(opened: OpenRepository) -> dict[str, Any]:
        change(opened)
        live = AdapterRegistry(opened.home).live()
        return {"live": None if live is None else live.version}

    answer = await _done(ls, argument, change_and_look)
    ls.session.refresh_adapters()
    ls.session.activity.news.set()  # the drift is another one
    return answer


async def _done(ls: AcclimateServer, argument: Mapping[str, Any], work: Callable[[OpenRepository], T]) -> T:
    """Does the work on the repository that is meant, in the session's threads."""
    folder = argument.get("repository") or opened_folder(ls)
    if not isinstance(folder, str | Path):
        raise refused("Which repository? Open a folder, or give `repository`.", code=types.ErrorCodes.InvalidParams)
    try:
        opened = await ls.session.open_repository(Path(folder))
        return await asyncio.get_running_loop().run_in_executor(ls.session.executor, work, opened)
    except AcclimateError as error:
        raise refused(str(error)) from error


def _text(argument: Mapping[str, Any], name: str) -> str:
    value = argument.get(name)
    if not isinstance(value, str) or not value.strip():
        raise refused(f"`{name}` is missing.", code=types.ErrorCodes.InvalidParams)
    return value.strip()
