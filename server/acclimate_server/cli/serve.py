"""`acclimate serve`: the language server on stdin and stdout."""

import argparse
import logging
import os
import sys

from .context import Context
from .verb import Verbs, add_verb


def register(verbs: Verbs, shared: argparse.ArgumentParser) -> None:
    parser = add_verb(
        verbs,
        shared,
        "serve",
        run,
        summary="the language server, for an editor to start",
        description="Speaks the Language Server Protocol on stdin and stdout. An editor starts it; by hand it "
        "only waits. The log goes to stderr and holds no source code.",
        examples="acclimate serve\nacclimate serve --set adapter=none\n"
        "acclimate serve -v          more in the log, e.g. why the engine is not ready",
    )
    parser.add_argument("--stdio", action="store_true", help="the default; some editors insist on saying it")


def run(arguments: argparse.Namespace, context: Context) -> int:  # noqa: ARG001  # every verb is called alike
    from ..app import serve  # the other verbs need no language server

    code = 1
    try:
        code = serve(context.home, context.flags)
    except Exception:
        logging.getLogger(__name__).exception("The language server has failed")
    finally:
        sys.stderr.flush()
        os._exit(code)  # a thread that still reads stdin would hold up the end until the editor closes the pipe
