"""`acclimate status`: what is on this machine, what runs, and what is known of a repository."""

import argparse
from typing import Any

from acclimate_indexer.errors import AcclimateError, AdapterError, RepositoryError
from acclimate_indexer.home import RepositoryHome
from acclimate_indexer.models import local_models
from acclimate_indexer.repository import Repository
from acclimate_training.registry import AdapterRegistry

from ..completion.adapters import chosen_adapter
from ..completion.connection import runtime_python
from ..engine.lease import read_engine_state
from ..keeping_up import current_drift
from ..overview import known_uses, last_run
from ..review.ground import Ground
from ..review.model import model_words, why_silent
from ..runtime.find import find_runtime
from ..settings import Settings
from ..words import progress_words
from .context import Context
from .engine import engine_words
from .pipeline import opened_repository
from .verb import DONE, Verbs, add_repository, add_verb


def register(verbs: Verbs, shared: argparse.ArgumentParser) -> None:
    parser = add_verb(
        verbs,
        shared,
        "status",
        run,
        summary="the engine, the models, the adapter in use, how completions were received, the last training",
        description="Says what is on this machine and what is known of a repository. Starts nothing.",
        examples="acclimate status\nacclimate status ~/code/shop --json",
    )
    add_repository(parser)


def run(arguments: argparse.Namespace, context: Context) -> int:
    record = {
        "engine": read_engine_state(context.home),
        "runtime": _runtime(context),
        "models": [model.name for model in local_models(context.home)],
        "repository": _repository(arguments, context),
        "data": str(context.home.data),
    }
    for line in _lines(record):
        context.terminal.show(line)
    context.terminal.finish(record)
    return DONE


def _runtime(context: Context) -> dict[str, Any]:
    try:
        found = find_runtime(context.home, runtime_python(context.settings()))
    except AcclimateError as error:
        return {"python": None, "reason": str(error)}
    return {"python": str(found.python), "device": found.device}


def _repository(arguments: argparse.Namespace, context: Context) -> dict[str, Any] | None:
    try:
        repository = opened_repository(arguments.repository)
    except RepositoryError:
        return None
    home = context.home.for_repository(repository.common_directory)
    registry = AdapterRegistry(home)
    live, adapters = registry.live(), len(registry.versions())
    settings = context.settings(repository.work_tree)
    return {
        "name": repository.name,
        "folder": str(home.root),
        "datasets": len(list(home.datasets.glob("*/manifest.json"))),
        "adapters": adapters,
        "live": None if live is None else live.version,
        "verdict": None if live is None else live.record["verdict"],
        "report": None if live is None else _report(home, live.version),
        "review": Ground(repository, home).words(settings.review, _speaking(registry, settings)),
        "drift": _drift(repository, home, context) if adapters else None,
        "completions": [use.to_json() | {"words": use.words()} for use in known_uses(home)],
        "last_run": _last_run(home),
    }


def _report(home: RepositoryHome, version: str) -> str | None:
    """Where the page about the adapter lies, if it was written."""
    page = home.report(version)
    return str(page) if page.is_file() else None


def _drift(repository: Repository, home: RepositoryHome, context: Context) -> dict[str, Any] | None:
    try:
        return current_drift(repository, home, context.settings(repository.work_tree)).to_json()
    except RepositoryError as error:
        context.terminal.say(f"Note: {error}")
        return None


def _last_run(home: RepositoryHome) -> dict[str, Any] | None:
    if (found := last_run(home)) is None:
        return None
    run, lines = found
    return {"id": run, "state": lines[-1].state or "running", "words": progress_words(lines[-1])}


def _lines(record: dict[str, Any]) -> list[str]:
    runtime, repository = record["runtime"], record["repository"]
    lines = [
        engine_words(record["engine"]),
        f"Runtime: {runtime['python']} ({runtime['device']})" if runtime["python"] else f"Runtime: {runtime['reason']}",
        f"Models: {', '.join(record['models']) or 'none yet'}",
    ]
    if repository is None:
        return [*lines, "Repository: none here."]
    lines += [
        f"Repository: {repository['name']}, {repository['datasets']} data sets, {repository['adapters']} adapters",
        f"Adapter in use: {repository['live'] or 'none, the base model completes'}",
    ]
    if (verdict := repository["verdict"]) is not None:
        lines.append(f"Verdict: {verdict['state']}. {verdict.get('reason', '')}")
        lines.append(f"Report: {repository['report'] or '`acclimate report` writes and opens it'}")
    if (drift := repository["drift"]) is not None:
        lines.append(f"Drift: {drift['said']}")
    lines += [f"Review by {name}: {words}" for name, words in repository["review"].items()]
    for use in repository["completions"]:
        lines.append(f"Completions by {use['adapter'] or 'the base model ' + use['model']}: {use['words']}")
    if (last := repository["last_run"]) is not None:
        lines.append(f"Last run: {last['id']}, {last['state']}: {last['words']}")
    return lines


def _speaking(registry: AdapterRegistry, settings: Settings) -> str:
    """Which adapter speaks in reviews, or why none does."""
    try:
        adapter = chosen_adapter(registry, settings.adapter)
    except AdapterError as error:
        return model_words(str(error), None)
    return model_words(why_silent(adapter, settings.review), None if adapter is None else adapter.version)
