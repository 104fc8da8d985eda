"""`python -P -m acclimate_server.runtime`: the interpreter that trains and serves, as one line on stdout."""

import sys

from acclimate_indexer.errors import AcclimateError
from acclimate_indexer.home import Home

from .find import find_runtime


def main() -> int:
    try:
        sys.stdout.write(f"{find_runtime(Home.default()).python}\n")
    except AcclimateError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
