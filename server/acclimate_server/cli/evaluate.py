"""`acclimate evaluate`: the base and an adapter on the same held-out code."""

import argparse
import asyncio

from .comparison import show_comparison
from .context import Context
from .pipeline import opened_repository, run_with_engine
from .reviews import reviews_shown
from .verb import DONE, Verbs, add_evaluation_options, add_model_option, add_repository, add_verb

NO_BOUND_MINUTES = 7 * 24 * 60.0  # a week: longer than any evaluation; Ctrl-C loses nothing


def register(verbs: Verbs, shared: argparse.ArgumentParser) -> None:
    parser = add_verb(
        verbs,
        shared,
        "evaluate",
        run,
        summary="compare an adapter with the base on held-out code",
        description="Completes the same held-out places with the base model, a control adapter and the adapter, with "
        "retrieval and without, measures exact match, loss and more with 95% intervals, and gives a verdict. "
        "What the adapter comments on in held-out changes is judged beside it. "
        "What was generated is kept: a second call goes on where the first one stopped.",
        examples="acclimate evaluate\nacclimate evaluate --adapter shop-20260401T101500-3f2a --evaluation-minutes 20\n"
        "acclimate evaluate --continue      for as long as it takes until everything is measured",
    )
    add_repository(parser)
    add_evaluation_options(parser)
    add_model_option(parser)
    parser.add_argument("--adapter", metavar="VERSION", help="the adapter (default: the newest)")
    parser.add_argument(
        "--continue",
        dest="to_the_end",
        action="store_true",
        help="go on until every contender has answered every pair",
    )
    parser.add_argument("--force", action="store_true", help="take the adapter into use whatever the comparison says")


def run(arguments: argparse.Namespace, context: Context) -> int:
    repository = opened_repository(arguments.repository)
    minutes = arguments.evaluation_minutes
    if arguments.to_the_end and minutes is None:
        minutes = NO_BOUND_MINUTES
    settings = context.settings(repository.work_tree, model__name=arguments.model, evaluation__minutes=minutes)
    result = asyncio.run(
        run_with_engine(
            repository,
            settings,
            context,
            phases=("evaluate",),
            force=arguments.force,
            adapter=arguments.adapter,
        )
    )
    show_comparison(result, context.terminal)
    for shown in reviews_shown(result):
        context.terminal.show(shown)
    context.terminal.finish(result)
    return DONE
