"""All benchmarks in one table: `python benchmarks [NAME ...] [--repositories PATH ...] [--json]`.

Every figure is paired: ours and what it is held against run in the same process or engine, minutes apart at most, and
the ratio is what counts; these machines are too noisy for bare times.
"""

import argparse
import importlib
import json
import platform
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from acclimate_indexer.errors import UsageError

PLAIN_WIDTH = 120  # characters of a table in a log
NAMES = ("indexer", "context", "training", "completion", "harness")
BY_NAME_ONLY = ("ablation", "recency", "gpu", "review")  # for choosing defaults; for machines or time that not all have


def main(arguments: list[str] | None = None) -> int:
    """Runs the named benchmarks and prints their figures."""
    parser = argparse.ArgumentParser(prog="python benchmarks", description=__doc__)
    known = (*NAMES, *BY_NAME_ONLY)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"which ones (default: all but the last four): {', '.join(known)}"
    )
    parser.add_argument("--repositories", nargs="*", type=Path, default=[], help="real repositories to measure on")
    parser.add_argument("--json", action="store_true", help="print one JSON object as the last line")
    parser.add_argument(
        "--parts", type=lambda text: text.split(","), default=(), help="of completion or review only these"
    )
    parser.add_argument("--output", type=Path, help="where the ablation keeps its results, a line of JSON each")
    options = parser.parse_args(arguments)
    if unknown := set(options.names) - set(known):
        parser.error(f"no benchmark is called {sorted(unknown)[0]!r}; there are {', '.join(known)}")
    sys.path.insert(0, str(Path(__file__).parent.parent))
    results: dict[str, Any] = {"machine": {"processor": platform.processor() or platform.machine()}}
    for name in options.names or NAMES:
        module = importlib.import_module(f"benchmarks.{name}")
        try:
            results[name] = module.main(options.repositories, **_own_options(name, options))
        except UsageError as error:
            parser.error(str(error))
        results |= {key: results[name][key] for key in getattr(module, "HEADLINES", ()) if key in results[name]}
        Console(stderr=True, width=None if sys.stderr.isatty() else PLAIN_WIDTH).print(_table(name, results[name]))
    if options.json:
        print(json.dumps(results))
    return 0


def _own_options(name: str, options: argparse.Namespace) -> dict[str, Any]:
    """What only this benchmark takes."""
    parts = {"parts": options.parts}
    return {"ablation": {"output": options.output}, "completion": parts, "review": parts}.get(name, {})


def _table(name: str, figures: dict[str, Any]) -> Table:
    table = Table("figure", "value", title=name, title_justify="left")
    for key, value in _flat(figures):
        table.add_row(key, f"{value:.3f}" if isinstance(value, float) else str(value))
    return table


def _flat(figures: dict[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    rows: list[tuple[str, Any]] = []
    for key, value in figures.items():
        label = f"{prefix}{key}"
        rows += _flat(value, f"{label} · ") if isinstance(value, dict) else [(label, value)]
    return rows


if __name__ == "__main__":
    sys.exit(main())
