"""How a verb joins the parser."""

import argparse
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .context import Context

Run = Callable[[argparse.Namespace, Context], int]
Verbs = Any  # argparse's collection of subparsers; its class is private

DONE = 0
HELP_COLUMNS = 100  # wide enough to read, narrow enough for half a screen


def add_verb(
    verbs: Verbs, shared: argparse.ArgumentParser, name: str, run: Run, *, summary: str, description: str, examples: str
) -> argparse.ArgumentParser:
    """A verb's own parser; `examples` are lines that can be typed as they are."""
    parser: argparse.ArgumentParser = verbs.add_parser(
        name,
        help=summary,
        description=textwrap.fill(description, HELP_COLUMNS),
        epilog="examples:\n" + "\n".join(f"  {line}" for line in examples.strip().splitlines()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        parents=[shared],
    )
    parser.set_defaults(run=run)
    return parser


def add_repository(parser: argparse.ArgumentParser) -> None:
    """The optional PATH that most verbs take."""
    parser.add_argument(
        "repository",
        nargs="?",
        type=Path,
        default=Path(),
        metavar="REPO",
        help="a git repository, or a folder in one (default: where you are)",
    )


def add_training_options(parser: argparse.ArgumentParser) -> None:
    """What bounds a training."""
    parser.add_argument("--minutes", type=float, metavar="N", help="bounds the training itself (training.minutes)")
    parser.add_argument(
        "--max-pairs", type=int, metavar="N", help="train on at most so many pairs (training.max_pairs)"
    )
    parser.add_argument(
        "--force", action="store_true", help="train on too few pairs, and use the adapter whatever the comparison says"
    )


def add_evaluation_options(parser: argparse.ArgumentParser) -> None:
    """What bounds a comparison."""
    parser.add_argument(
        "--evaluation-minutes", type=float, metavar="N", help="bounds the comparison (evaluation.minutes)"
    )


def add_model_option(parser: argparse.ArgumentParser) -> None:
    """Which base model."""
    parser.add_argument("--model", metavar="NAME", help="base model: a name, or the path of a folder (model.name)")
