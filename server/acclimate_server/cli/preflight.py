"""What this machine offers, said before anything is installed."""

from acclimate_indexer.errors import AcclimateError
from acclimate_indexer.home import Home

from ..runtime.preflight import Preflight, preflight
from .terminal import Terminal


def say_preflight(home: Home, terminal: Terminal, *, everything: bool = False) -> Preflight:
    """Checks, and says where this will run and what is missing."""
    found = preflight(home)
    for check in found.checks:
        if everything or not check.ok or check.name == "GPU":
            terminal.say(f"{'ok' if check.ok else '..'}  {check.name}: {check.sentence}")
    return found


def require_fit(found: Preflight) -> None:
    """Stops before anything is downloaded in vain.

    Raises:
        AcclimateError: Something must be mended first.
    """
    for check in found.checks:
        if check.blocking and not check.ok:
            raise AcclimateError(check.sentence)
