"""`acclimate review`: what an editor would say on save, about changes of any size, for people and for CI."""

import argparse
import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.text import Text

from acclimate_indexer.dataset import newest_dataset
from acclimate_indexer.errors import AcclimateError, DatasetError, UsageError
from acclimate_indexer.file_text import uniform
from acclimate_indexer.home import RepositoryHome
from acclimate_indexer.repository import Repository
from acclimate_indexer.review.finding import Finding
from acclimate_indexer.review.line_map import LineStarts
from acclimate_indexer.review.revisions import ChangedFile, changed_in_index, changed_in_work_tree, changed_since
from acclimate_indexer.review.target import ReviewTarget, changed_lines
from acclimate_training.engine import EngineClient
from acclimate_training.registry import AdapterRegistry
from acclimate_training.report.markup import visible

from ..completion.adapters import check_usable, chosen_adapter
from ..completion.base_model import Prompts
from ..completion.connection import model_and_options
from ..review.explanations import evidence_words
from ..review.ground import Ground, Panel
from ..review.model import Voice, voice_of, why_silent
from ..review.reviewers import findings_of
from ..review.sarif import sarif_log
from ..review.scope import language_to_review, why_not_reviewed
from ..review.voice import spoken
from ..settings import ReviewSettings, Settings
from .context import Context
from .dismissals import list_dismissed, undo
from .mine import mined_here
from .pipeline import held_engine, opened_repository
from .terminal import Terminal
from .verb import DONE, Verbs, add_verb

READY_SECONDS = 300.0  # the engine loads a small model in about a minute on a processor
FINDINGS = 1  # the exit code that says so, for CI
INCOMPLETE = AcclimateError.exit_code  # nothing was found, but not everybody looked
STYLES = {"critical": "bold red", "warning": "yellow", "suggestion": "cyan"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviewed:
    """What was reviewed and found; `texts` by path.

    Attributes:
        reviewers: What each goes by, or why it is off.
        failed: By reviewer, why it did not say anything of some paths.
    """

    reviewers: dict[str, str]
    findings: list[Finding] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    failed: dict[str, dict[str, str]] = field(default_factory=dict)


def register(verbs: Verbs, shared: argparse.ArgumentParser) -> None:
    parser = add_verb(
        verbs,
        shared,
        "review",
        run,
        summary="comments on what was changed",
        description="Reviews the lines that differ from the last commit, by the conventions of this repository's "
        "history, its team's rules, the linter's rules that it acts upon, and the model where its evaluation proved "
        "that it should speak. With FILE all lines of it, also of one that was not added to git yet. Exits with 1 if "
        "there is something to say, and with 3 if there is nothing but a reviewer failed. Mines the "
        "repository first where that was never done.",
        examples="acclimate review                        what was changed since the last commit\n"
        "acclimate review --staged               what is about to be committed\n"
        "acclimate review --since origin/main --sarif > review.sarif\n"
        "acclimate review src/cart.py            all of a file\n"
        "acclimate review --dismissed            what is not said any more; `--undo N` takes one back",
    )
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help="review all lines of these files")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--staged", action="store_true", help="what is staged for the next commit")
    which.add_argument("--since", metavar="REV", help="what was committed since REV and HEAD parted")
    which.add_argument("--dismissed", action="store_true", help="list the comments that were dismissed")
    which.add_argument("--undo", type=int, metavar="N", help="say again what was dismissed as number N of that list")
    parser.add_argument("--sarif", action="store_true", help="print SARIF 2.1.0 on stdout, for code hosts and editors")
    parser.add_argument(
        "--repository", "-C", type=Path, default=Path(), metavar="REPO", help="the repository (default: where you are)"
    )


def run(arguments: argparse.Namespace, context: Context) -> int:
    is_about_dismissals = arguments.dismissed or arguments.undo is not None
    if arguments.files and (arguments.staged or arguments.since is not None or is_about_dismissals):
        raise UsageError("FILE reviews whole files: leave it out, or --staged, --since, --dismissed and --undo.")
    if arguments.sarif and (arguments.json or is_about_dismissals):
        raise UsageError("--sarif prints findings, and nothing else: leave it out, or --json, --dismissed and --undo.")
    repository = opened_repository(arguments.files[0].parent if arguments.files else arguments.repository)
    home = context.home.create().for_repository(repository.common_directory)
    if is_about_dismissals:
        return _dismissals(arguments, repository, home, context.terminal)
    settings = context.settings(repository.work_tree)
    _mine_once(repository, home, settings, context)
    files = list(_files(arguments, repository))
    found = asyncio.run(_found(Ground(repository, home), settings, files, context))
    _show(found, context.terminal, as_sarif=arguments.sarif)
    if found.findings:
        return FINDINGS
    return INCOMPLETE if found.failed else DONE


def _dismissals(arguments: argparse.Namespace, repository: Repository, home: RepositoryHome, terminal: Terminal) -> int:
    if arguments.undo is None:
        list_dismissed(repository, home, terminal)
    else:
        undo(arguments.undo, home, terminal)
    return DONE


def _mine_once(repository: Repository, home: RepositoryHome, settings: Settings, context: Context) -> None:
    try:
        newest_dataset(home)
    except DatasetError:
        context.terminal.say("This repository was not mined yet: its history is read first.")
        mined_here(repository, home, settings, context)


def _files(arguments: argparse.Namespace, repository: Repository) -> Iterator[ChangedFile]:
    if arguments.files:
        return _whole_files(arguments.files, repository)
    if arguments.staged:
        return changed_in_index(repository)
    if arguments.since is not None:
        return changed_since(repository, arguments.since)
    return changed_in_work_tree(repository)


def _whole_files(paths: Sequence[Path], repository: Repository) -> Iterator[ChangedFile]:
    """Files as if all their lines were new.

    Raises:
        UsageError: One is not there, no text, or lies elsewhere.
    """
    root = repository.work_tree
    for path in paths:
        resolved = path.expanduser().resolve()
        if root is None or not resolved.is_relative_to(root):
            raise UsageError(f"{str(path)!r} does not lie in the work tree of {repository.name!r}.")
        try:
            text = uniform(resolved.read_bytes().decode("utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"{str(path)!r} cannot be read as UTF-8 text: {error}.") from error
        yield ChangedFile(path=resolved.relative_to(root).as_posix(), before="", after=text)


async def _found(ground: Ground, settings: Settings, files: Sequence[ChangedFile], context: Context) -> Reviewed:
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="review") as executor:
        async with _voice(ground.home, settings, context) as voice:
            loop = asyncio.get_running_loop()
            panel = await loop.run_in_executor(executor, ground.panel, settings.review, voice, executor)
            return await _reviewed(ground, panel, settings.review, files, context.terminal)


@asynccontextmanager
async def _voice(home: RepositoryHome, settings: Settings, context: Context) -> AsyncIterator[Voice]:
    """The adapter that the settings ask for, with an engine for as long as the block runs if it may speak."""
    async with AsyncExitStack() as held:
        try:
            voice = await _loaded(home, settings, context, held)
        except AcclimateError as error:  # the other reviewers need no engine
            voice = Voice(why_not=str(error))
        yield voice


async def _loaded(home: RepositoryHome, settings: Settings, context: Context, held: AsyncExitStack) -> Voice:
    """The adapter, loaded into an engine that is held until the stack ends, or why it says nothing.

    Raises:
        AcclimateError: It should speak and cannot: no base model, runtime or engine, or the adapter is damaged.
    """
    adapter = chosen_adapter(AdapterRegistry(home), settings.adapter)
    why_not = why_silent(adapter, settings.review)
    if why_not or adapter is None:
        return Voice(why_not=why_not)
    model, _ = model_and_options(context.home, settings)
    check_usable(adapter, model.identity)
    lease = await held.enter_async_context(held_engine(context.home, settings, model))
    await lease.wait_ready(READY_SECONDS)
    client = EngineClient(lease.address)
    held.push_async_callback(client.aclose)
    await client.load_adapter(adapter.version, adapter.folder)
    return voice_of(adapter, client, Prompts(model=model), settings.review)


async def _reviewed(
    ground: Ground, panel: Panel, wanted: ReviewSettings, files: Sequence[ChangedFile], terminal: Terminal
) -> Reviewed:
    dismissals = ground.dismissals()
    found = Reviewed(reviewers=panel.words)
    with terminal.progress() as phases:
        for number, file in enumerate(files):
            phases.update("Reviewing", number, len(files))
            language = language_to_review(file.path, "")
            why = why_not_reviewed(wanted, file.path, language, file.after)
            if why or language is None:
                found.skipped[file.path] = why
                continue
            changed = changed_lines(file.before, file.after)
            target = ReviewTarget(path=file.path, language=language, text=file.after, changed=changed)
            answer = await findings_of(target, panel.reviewers, timeout_seconds=wanted.timeout_seconds)
            lines = file.after.split("\n")
            found.texts[file.path] = file.after
            found.findings.extend(spoken(answer.found, lines, language, dismissals=dismissals, wanted=wanted))
            for name, why in answer.silent.items():
                found.failed.setdefault(name, {})[file.path] = why
        phases.update("Reviewing", len(files), len(files))
    return found


def _show(found: Reviewed, terminal: Terminal, *, as_sarif: bool) -> None:
    if as_sarif:
        print(json.dumps(sarif_log(found.findings, found.texts), indent=1))
    else:
        for each in found.findings:
            terminal.show(_words(each, found.texts[each.path]))
    terminal.say(_summary(found))
    terminal.finish(
        {
            "findings": [_record(each, found.texts[each.path]) for each in found.findings],
            "files": sorted(found.texts),
            "skipped": found.skipped,
            "reviewers": found.reviewers | _failures(found),
        }
    )


def _words(found: Finding, text: str) -> Text:
    line, column = _place(found, text)
    words = Text(f"{_in_one_line(found.path)}:{line}:{column}: ")
    words.append(found.severity, STYLES[found.severity])
    words.append(f" {_in_one_line(f'{found.code}: {found.message}')}")
    for each in found.evidence[:1]:
        words.append(f"\n    {_in_one_line(evidence_words(each))}", "dim")
    return words


def _in_one_line(text: str) -> str:
    """Anybody's text, so that it neither drives the terminal nor looks like another finding."""
    return visible(text).replace("\n", "\N{SYMBOL FOR NEWLINE}")


def _record(found: Finding, text: str) -> dict[str, Any]:
    """As in `Finding`, with places in lines and columns from 1."""
    line, column = _place(found, text)
    return found.to_json() | {"line": line, "column": column}


def _place(found: Finding, text: str) -> tuple[int, int]:
    line = LineStarts(text.split("\n")).lines_of(found.span).start
    return line + 1, found.span.start - (text.rfind("\n", 0, found.span.start) + 1) + 1


def _summary(found: Reviewed) -> str:
    said = f"{_counted(len(found.findings), 'comment')}, {_counted(len(found.texts), 'file')} reviewed."
    off = {name: words for name, words in found.reviewers.items() if words.startswith("off: ")}
    return said + "".join(f"\nReview by {name} {words}" for name, words in (off | _failures(found)).items())


def _failures(found: Reviewed) -> dict[str, str]:
    """For people: which reviewers did not speak of all files, and why."""
    return {name: f"failed in {_counted(len(whys), 'file')}: {_first(whys)}" for name, whys in found.failed.items()}


def _first(whys: dict[str, str]) -> str:
    path, why = next(iter(whys.items()))
    return f"{_in_one_line(path)}: {why}"


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
