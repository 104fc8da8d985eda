"""`acclimate model`: the catalogue of base models, and what of it is on this machine."""

import argparse
from pathlib import Path
from typing import Any

from rich.table import Table

from acclimate_indexer.errors import UsageError
from acclimate_indexer.models import LocalModel, catalogue, local_models
from acclimate_training.model_store.folder import add_folder

from .context import Context
from .readiness import fetched, ready_runtime
from .verb import DONE, Verbs, add_verb


def register(verbs: Verbs, shared: argparse.ArgumentParser) -> None:
    parser = add_verb(
        verbs,
        shared,
        "model",
        run,
        summary="list, fetch or add base models",
        description="`list` shows the catalogue and what is on this machine. `fetch` downloads a model, resumes "
        "where a download stopped, and verifies it before anything uses it. `add` takes a model "
        "folder of your own.",
        examples="acclimate model\nacclimate model fetch qwen2.5-coder-0.5b\n"
        "acclimate model fetch NAME --accept-licence      for a model whose licence restricts its use\n"
        "acclimate model add ~/models/my-coder",
    )
    parser.add_argument("action", nargs="?", choices=("list", "fetch", "add"), default="list")
    parser.add_argument("name", nargs="?", metavar="NAME", help="a name of the list, or for `add` a folder")
    parser.add_argument("--accept-licence", action="store_true", help="accept a licence that restricts use")


def run(arguments: argparse.Namespace, context: Context) -> int:
    if arguments.action == "list":
        return _list(context)
    if not arguments.name:
        raise UsageError(f"Which one? `acclimate model {arguments.action} NAME`; `acclimate model` lists them.")
    context.home.create()
    if arguments.action == "add":
        model = add_folder(Path(arguments.name).expanduser(), context.home)
    else:
        settings = context.settings(
            model__name=arguments.name, model__accept_licence=True if arguments.accept_licence else None
        )
        runtime = ready_runtime(context.home, settings, context.terminal)
        model = fetched(context.home, arguments.name, settings, runtime, context.terminal)
    context.terminal.show(
        f"{model.name} is ready in {model.folder} ({'verified' if model.verified else 'unverified'})."
    )
    context.terminal.finish(_record(model))
    return DONE


def _list(context: Context) -> int:
    here = {model.name: model for model in local_models(context.home)}
    table = Table(title="Base models", title_justify="left")
    for column in ("here", "name", "variant", "precision", "licence"):
        table.add_column(column, overflow="fold")
    for entry in catalogue().values():
        licence = f"{entry.licence} (restricted)" if entry.restricted else entry.licence
        table.add_row("*" if entry.name in here else "", entry.name, entry.variant, entry.precision, licence)
    for name in sorted(set(here) - set(catalogue())):
        table.add_row("*", name, here[name].variant, here[name].precision, here[name].licence)
    context.terminal.show(table)
    context.terminal.finish({"catalogue": list(catalogue()), "here": [_record(model) for model in here.values()]})
    return DONE


def _record(model: LocalModel) -> dict[str, Any]:
    return {
        "name": model.name,
        "folder": str(model.folder),
        "variant": model.variant,
        "precision": model.precision,
        "licence": model.licence,
        "verified": model.verified,
        "identity": model.identity,
    }
