"""What this machine offers, said before anything is installed."""

from acclimate_indexer.home import Home

from ..runtime.preflight import Preflight, preflight
from ..settings import Settings
from .terminal import Terminal


def say_preflight(home: Home, settings: Settings, terminal: Terminal) -> Preflight:  # noqa: ARG001
    """Checks and says; what cannot work raises later, where it is needed, with its own sentence."""
    found = preflight(home)
    for check in found.checks:
        terminal.say(f"{'ok' if check.ok else '!!'}  {check.name}: {check.sentence}")
    return found
