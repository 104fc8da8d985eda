"""`acclimate adapters`: a repository's adapters, which one completes, and their ways in and out."""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import RenderableType

from acclimate_indexer.errors import AdapterError, UsageError
from acclimate_indexer.models import local_model, local_models
from acclimate_training.adapter_difference import difference
from acclimate_training.registry import Adapter, AdapterRegistry

from ..overview import summary
from .adapter_tables import adapter_details, adapter_list, difference_table
from .context import Context
from .pipeline import opened_repository
from .verb import DONE, Verbs, add_verb

NO_ADAPTER = "none"
AUTO = "auto"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One call: the words after the action, and what they are about."""

    words: list[str]
    arguments: argparse.Namespace
    context: Context
    registry: AdapterRegistry
    repository: str

    @property
    def version(self) -> str:
        """The version that the first word means."""
        return self.registry.resolve(self.words[0])

    @property
    def reason(self) -> str:
        """
        Raises:
            UsageError: None was given.
        """
        if not self.arguments.reason:
            raise UsageError("Why? Say it with `--reason TEXT`: it is kept in the history.")
        return str(self.arguments.reason)

    def answer(self, shown: RenderableType, result: dict[str, Any]) -> None:
        """Shows a result; the machine also hears what is in use now."""
        live = self.registry.live()
        self.context.terminal.show(shown)
        self.context.terminal.finish({**result, "live": None if live is None else live.version})


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """What is done, and the words that it takes; a word in brackets may be left out."""

    run: Callable[[Asked], None]
    takes: tuple[str, ...] = ()


def register(verbs: Verbs, shared: argparse.ArgumentParser) -> None:
    parser = add_verb(
        verbs,
        shared,
        "adapters",
        run,
        summary="list a repository's adapters, choose the one in use, bring them in and out",
        description="Every training makes an adapter, and none is overwritten. A version is given by its name, its "
        "tag, or the beginning of its name. `use` moves the pointer to another one; running editors follow within a "
        "request. `use none` goes back to the bare base model, and `use auto` takes the newest adapter that was "
        "neither rejected nor withdrawn. `rollback` withdraws the one in use and goes back to the one before it. "
        "`export` writes a plain peft folder, and `import` reads one: it is not used before it was evaluated.",
        examples="acclimate adapters\nacclimate adapters show v3\nacclimate adapters diff v2 v3\n"
        "acclimate adapters use shop-20260401T101500-3f2a\nacclimate adapters use none\n"
        'acclimate adapters promote v3 --reason "better in review"\n'
        'acclimate adapters rollback --reason "it repeats itself"\n'
        "acclimate adapters tag v3 spring      a name of its own; `tag v3 none` takes it away\n"
        "acclimate adapters export v3 ~/shop-adapter\nacclimate adapters import ~/theirs --base NAME\n"
        "acclimate adapters delete v1",
    )
    parser.add_argument("action", nargs="?", choices=tuple(ACTIONS), default="list")
    parser.add_argument("words", nargs="*", metavar="VERSION", help="a version, a tag or a folder, as the action asks")
    parser.add_argument("--reason", metavar="TEXT", help="why, for the history: `promote` and `rollback` ask for it")
    parser.add_argument("--base", metavar="NAME", help="import: the base model, where the folder does not name it")
    parser.add_argument("--force", action="store_true", help="delete: also the adapter in use")
    parser.add_argument(
        "--repository", "-C", type=Path, default=Path(), metavar="REPO", help="the repository (default: where you are)"
    )


def run(arguments: argparse.Namespace, context: Context) -> int:
    repository = opened_repository(arguments.repository)
    action = ACTIONS[arguments.action]
    least = sum(not word.startswith("[") for word in action.takes)
    if not least <= len(arguments.words) <= len(action.takes):
        usage = " ".join(("acclimate adapters", arguments.action, *action.takes))
        raise UsageError(f"It is `{usage}`. `acclimate adapters` lists what there is.")
    asked = Asked(
        words=arguments.words,
        arguments=arguments,
        context=context,
        registry=AdapterRegistry(context.home.for_repository(repository.common_directory)),
        repository=repository.name,
    )
    action.run(asked)
    return DONE


def _list(asked: Asked) -> None:
    live = asked.registry.live()
    records = [summary(adapter, live) for adapter in asked.registry.versions()]
    if damaged := asked.registry.damaged():
        words = f"Cannot be read: {', '.join(damaged)}. `acclimate adapters delete VERSION` removes one."
        asked.context.terminal.say(words)
    asked.answer(adapter_list(records, asked.repository), {"adapters": records, "damaged": damaged})


def _show(asked: Asked) -> None:
    adapter = asked.registry.get(asked.version) if asked.words else _one_to_show(asked.registry)
    try:
        adapter.verify()
        problem = ""
    except AdapterError as error:
        problem = str(error)
    events = [event for event in asked.registry.history() if adapter.version in (event.version, event.from_version)]
    known = {**adapter.record, "folder": str(adapter.folder), "problem": problem}
    shown = adapter_details(adapter, events, problem)
    asked.answer(shown, {**known, "history": [event.to_json() for event in events]})


def _one_to_show(registry: AdapterRegistry) -> Adapter:
    """The one in use, else the newest."""
    versions = registry.versions()
    if not versions:
        raise AdapterError("There is no adapter yet. Make one: `acclimate adapt`.")
    return registry.live() or versions[-1]


def _diff(asked: Asked) -> None:
    first, second = (asked.registry.get(asked.registry.resolve(word)) for word in asked.words)
    found = difference(first.record, second.record)
    asked.answer(difference_table(found), found)


def _use(asked: Asked) -> None:
    word, reason = asked.words[0], asked.arguments.reason or ""
    if word == NO_ADAPTER:
        asked.registry.set_live(None, reason)
    elif word == AUTO:
        newest = asked.registry.newest_usable()
        asked.registry.set_live(None if newest is None else newest.version, reason or "The newest that may be used.")
    else:
        adapter = asked.registry.get_verified(asked.version)
        if not adapter.may_be_used:
            asked.context.terminal.say(f"Note: it is {adapter.state}. {adapter.reason}")
        asked.registry.set_live(adapter.version, reason)
    _list(asked)


def _promote(asked: Asked) -> None:
    _tell(asked, asked.registry.promote(asked.version, asked.reason))


def _rollback(asked: Asked) -> None:
    _tell(asked, asked.registry.rollback(asked.reason))


def _tell(asked: Asked, adapter: Adapter | None) -> None:
    """Says what is in use now."""
    if adapter is None:
        asked.answer("In use: no adapter, the base model completes.", {"adapter": None})
    else:
        asked.answer(f"In use: {adapter.version} ({adapter.state}).", {"adapter": summary(adapter, adapter)})


def _delete(asked: Asked) -> None:
    version = asked.version
    asked.registry.delete(version, force=asked.arguments.force)
    asked.answer(f"Deleted: {version}.", {"deleted": version})


def _tag(asked: Asked) -> None:
    name = None if asked.words[1] == NO_ADAPTER else asked.words[1]
    adapter = asked.registry.tag(asked.version, name)
    asked.answer(f"{adapter.version} is tagged {adapter.tag or 'no more'}.", {"version": adapter.version, "tag": name})


def _export(asked: Asked) -> None:
    version, folder = asked.version, Path(asked.words[1]).expanduser().absolute()
    asked.registry.export(version, folder)
    asked.answer(f"{version} is in {folder}, a plain peft folder.", {"version": version, "folder": str(folder)})


def _import(asked: Asked) -> None:
    home, name = asked.context.home, asked.arguments.base
    adapter = asked.registry.import_(
        Path(asked.words[0]).expanduser().absolute(),
        repository=asked.repository,
        models=local_models(home),
        base=None if name is None else local_model(home, name),
    )
    words = f"{adapter.version} ({adapter.tag}) is here, and not in use: `acclimate evaluate` judges it."
    asked.answer(words, {"adapter": summary(adapter, None)})


ACTIONS = {
    "list": Action(run=_list),
    "show": Action(run=_show, takes=("[VERSION]",)),
    "diff": Action(run=_diff, takes=("VERSION", "VERSION")),
    "use": Action(run=_use, takes=("VERSION|none|auto",)),
    "promote": Action(run=_promote, takes=("VERSION",)),
    "rollback": Action(run=_rollback),
    "delete": Action(run=_delete, takes=("VERSION",)),
    "tag": Action(run=_tag, takes=("VERSION", "NAME")),
    "export": Action(run=_export, takes=("VERSION", "FOLDER")),
    "import": Action(run=_import, takes=("FOLDER",)),
}
