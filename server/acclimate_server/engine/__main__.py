"""`python -P -m acclimate_server.engine DATA CACHE CONFIG`: the supervisor, detached from whoever started it."""

import logging
import os
import sys
from pathlib import Path

from acclimate_indexer.home import Home

from .supervisor import run_supervisor


def main(arguments: list[str]) -> None:
    """Goes into the background, then runs."""
    data, cache, config = map(Path, arguments)
    if os.fork():
        os._exit(0)  # whoever started us need not wait for our end, and we are nobody's zombie
    logging.basicConfig(level=logging.INFO, format="%(asctime)s supervisor: %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)  # a line for every look at the health
    run_supervisor(Home(data=data, cache=cache, config=config))


if __name__ == "__main__":
    main(sys.argv[1:])
