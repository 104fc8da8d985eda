"""`python -P -m acclimate_server.runtime [ARGUMENT…]`: runs the interpreter that trains and serves, with this core.

Without arguments its path is one line on stdout.
"""

import os
import sys

from acclimate_indexer.errors import AcclimateError
from acclimate_indexer.home import Home
from acclimate_training.core import CORE_VARIABLE, this_core

from .find import find_runtime


def main(arguments: list[str]) -> int:
    try:
        python = str(find_runtime(Home.default()).python)
    except AcclimateError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    if arguments:
        environment = os.environ | {CORE_VARIABLE: this_core()}
        os.execve(python, [python, *arguments], environment)  # noqa: S606 - no shell is wanted
    sys.stdout.write(f"{python}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
