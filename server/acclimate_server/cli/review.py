"""`acclimate review`: what an editor would say on save, about changes of any size, for people and for CI."""

import argparse
import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.text import Text

from acclimate_indexer.dataset import newest_dataset
from acclimate_indexer.errors import DatasetError, UsageError
from acclimate_indexer.file_text import uniform
from acclimate_indexer.home import RepositoryHome
from acclimate_indexer.repository import Repository
from acclimate_indexer.review.finding import Finding
from acclimate_indexer.review.line_map import LineStarts
from acclimate_indexer.review.revisions import ChangedFile, changed_in_index, changed_in_work_tree, changed_since
from acclimate_indexer.review.target import ReviewTarget, changed_lines
from acclimate_training.engine import EngineClient
from acclimate_training.registry import AdapterRegistry

from ..completion.base_model import Prompts, installed_model
from ..review.explanations import evidence_words
from ..review.ground import Ground, Panel
from ..review.model import Voice, voice_of, why_silent
from ..review.reviewers import review
from ..review.sarif import sarif_log
from ..review.scope import language_to_review, why_not_reviewed
from ..settings import ReviewSettings, Settings
from .context import Context
from .dismissals import list_dismissed, undo
from .mine import mined_here
from .pipeline import held_engine, opened_repository
from .terminal import Terminal
from .verb import DONE, Verbs, add_verb

READY_SECONDS = 300.0  # the engine loads a small model in about a minute on a processor
FINDINGS = 1  # the exit code that says so, for CI
STYLES = {"critical": "bold red", "warning": "yellow", "suggestion": "cyan"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviewed:
    """What was reviewed and found; `texts` by path."""

    findings: list[Finding]
    texts: dict[str, str]
    skipped: dict[str, str]
    reviewers: dict[str, str]


def register(verbs: Verbs, shared: argparse.ArgumentParser) -> None:
    parser = add_verb(
        verbs,
        shared,
        "review",
        run,
        summary="comments on what was changed",
        description="Reviews the lines that differ from the last commit, by the conventions of this repository's "
        "history, its team's rules, and the linter's rules that it acts upon. With FILE all lines of it. Exits with 1 "
        "if there is something to say. Mines the repository first where that was never done.",
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
    parser.add_argument("--repository", type=Path, default=Path(), metavar="REPO", help="default: where you are")


def run(arguments: argparse.Namespace, context: Context) -> int:
    is_about_dismissals = arguments.dismissed or arguments.undo is not None
    if arguments.files and (arguments.staged or arguments.since or is_about_dismissals):
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
    return FINDINGS if found.findings else DONE


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
    return changed_since(repository, arguments.since) if arguments.since else changed_in_work_tree(repository)


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
        async with _voice(ground, settings, context) as voice:
            loop = asyncio.get_running_loop()
            panel = await loop.run_in_executor(executor, ground.panel, settings.review, voice, executor)
            return await _reviewed(ground, panel, settings.review, files, context.terminal)


@asynccontextmanager
async def _voice(ground: Ground, settings: Settings, context: Context) -> AsyncIterator[Voice]:
    """The adapter in use, with an engine for as long as the block runs if it may speak."""
    live = AdapterRegistry(ground.home).live()
    why_not = why_silent(live, settings.review)
    if why_not or live is None:
        yield Voice(why_not=why_not)
        return
    model = installed_model(context.home, settings.model.name)
    async with held_engine(context.home, settings, model) as lease:
        await lease.wait_ready(READY_SECONDS)
        client = EngineClient(lease.address)
        try:
            await client.load_adapter(live.version, live.folder)
            yield voice_of(live, client, Prompts(model=model), settings.review)
        finally:
            await client.aclose()


async def _reviewed(
    ground: Ground, panel: Panel, wanted: ReviewSettings, files: Sequence[ChangedFile], terminal: Terminal
) -> Reviewed:
    dismissals = ground.dismissals()
    found = Reviewed(findings=[], texts={}, skipped={}, reviewers=panel.words)
    with terminal.progress() as phases:
        for number, file in enumerate(files):
            phases.update("Reviewing", number, len(files))
            language = language_to_review(file.path, "")
            why = why_not_reviewed(wanted, file.path, language, file.after)
            if why or language is None:
                found.skipped[file.path] = why
                continue
            lines = changed_lines(file.before, file.after)
            target = ReviewTarget(path=file.path, language=language, text=file.after, changed=lines)
            found.texts[file.path] = file.after
            found.findings.extend(await review(target, panel.reviewers, dismissals=dismissals, wanted=wanted))
        phases.update("Reviewing", len(files), len(files))
    return found


def _show(found: Reviewed, terminal: Terminal, *, as_sarif: bool) -> None:
    if as_sarif:
        print(json.dumps(sarif_log(found.findings, found.texts), indent=1))
        return
    for each in found.findings:
        terminal.show(_words(each, found.texts[each.path]))
    terminal.say(_summary(found))
    terminal.finish(
        {
            "findings": [_record(each, found.texts[each.path]) for each in found.findings],
            "files": sorted(found.texts),
            "skipped": found.skipped,
            "reviewers": found.reviewers,
        }
    )


def _words(found: Finding, text: str) -> Text:
    line, column = _place(found, text)
    words = Text(f"{found.path}:{line}:{column}: ")
    words.append(found.severity, STYLES[found.severity])
    words.append(f" {found.code}: {found.message}")
    for each in found.evidence[:1]:
        words.append(f"\n    {evidence_words(each)}", "dim")
    return words


def _record(found: Finding, text: str) -> dict[str, Any]:
    """As in `Finding`, with places in lines and columns from 1."""
    line, column = _place(found, text)
    return found.to_json() | {"line": line, "column": column}


def _place(found: Finding, text: str) -> tuple[int, int]:
    line = LineStarts(text.split("\n")).lines_of(found.span).start
    return line + 1, found.span.start - (text.rfind("\n", 0, found.span.start) + 1) + 1


def _summary(found: Reviewed) -> str:
    files = f"{len(found.texts):,} file{'' if len(found.texts) == 1 else 's'} reviewed"
    silent = [f"{name} {words}" for name, words in found.reviewers.items() if words.startswith("off: ")]
    said = f"{len(found.findings):,} comment{'' if len(found.findings) == 1 else 's'}"
    return f"{said}, {files}." + "".join(f"\nReview by {each}" for each in silent)
