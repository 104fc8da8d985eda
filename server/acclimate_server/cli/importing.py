"""`acclimate import`: what people said about this code elsewhere."""

import argparse
from pathlib import Path

from acclimate_indexer.feedback import FeedbackStore, import_reviews

from .context import Context
from .pipeline import opened_repository
from .verb import DONE, Verbs, add_verb


def register(verbs: Verbs, shared: argparse.ArgumentParser) -> None:
    parser = add_verb(
        verbs,
        shared,
        "import",
        run,
        summary="take in review comments from elsewhere",
        description="Reads review comments, one JSON object a line with `path`, `line`, `commit` and `body`; the names "
        "that GitHub exports them by are understood, too. The next mining uses those whose line was changed "
        "afterwards. A comment with a secret in it is not stored.",
        examples="acclimate import reviews comments.jsonl",
    )
    parser.add_argument("what", choices=("reviews",))
    parser.add_argument("file", type=Path, metavar="FILE", help="a file of JSON lines")
    parser.add_argument(
        "--repository", "-C", type=Path, default=Path(), metavar="REPO", help="the repository (default: where you are)"
    )


def run(arguments: argparse.Namespace, context: Context) -> int:
    repository = opened_repository(arguments.repository)
    home = context.home.create().for_repository(repository.common_directory)
    summary = import_reviews(arguments.file, FeedbackStore(home.feedback))
    context.terminal.show(summary.words())
    context.terminal.finish(summary.to_json())
    return DONE
