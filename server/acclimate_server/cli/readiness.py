"""Gets ready what a run needs: the runtime and the base model, downloaded where they are missing."""

from collections.abc import Callable
from pathlib import Path

from acclimate_indexer.errors import ModelMissing, RuntimeMissing
from acclimate_indexer.home import Home
from acclimate_indexer.models import LocalModel, catalogue_entry, local_model
from acclimate_training.model_store.choose import resolve_model_name
from acclimate_training.model_store.fetch import fetch_model, require_licence
from acclimate_training.model_store.folder import add_folder

from ..completion.base_model import chosen_model_name
from ..completion.connection import runtime_python
from ..runtime.find import Runtime, find_runtime
from ..runtime.install import install_runtime
from ..settings import Settings
from .terminal import Phases, Terminal

Report = Callable[[str, int, int], None]


def ready_runtime(home: Home, settings: Settings, terminal: Terminal) -> Runtime:
    """The runtime; installs it if it is missing and nobody configured another one.

    Before so much is downloaded it is made sure that the base model that the settings name can be had.

    Raises:
        UsageError: No model is called so.
        LicenceNotAccepted: Its licence restricts use and was not accepted.
        RuntimeMissing: The configured interpreter lacks it, or the installation failed.
    """
    configured = runtime_python(settings)
    try:
        return find_runtime(home, configured)
    except RuntimeMissing:
        if configured is not None:
            raise
    _require_model(home, settings)
    with terminal.progress() as phases:
        return install_runtime(home, _reporting(phases))


def _require_model(home: Home, settings: Settings) -> None:
    if "/" in settings.model.name:
        return  # a folder; `ready_model` reads it
    name, _ = resolve_model_name(settings.model.name, home=home, hub_reachable=lambda: False)
    try:
        local_model(home, name)
    except ModelMissing:
        require_licence(catalogue_entry(name), is_accepted=settings.model.accept_licence)


def ready_model(home: Home, settings: Settings, runtime: Runtime, terminal: Terminal) -> LocalModel:
    """The base model that the settings name; fetches and converts it if it is missing.

    Raises:
        ModelError: It cannot be had, or its licence was not accepted.
        DiskFull: There is no room.
    """
    name = settings.model.name
    if "/" in name:
        return add_folder(Path(name).expanduser(), home)
    name, sentence = chosen_model_name(home, name, runtime.device)
    if sentence:
        terminal.say(sentence)
    try:
        return local_model(home, name)
    except ModelMissing:
        return fetched(home, name, settings, runtime, terminal)


def fetched(home: Home, name: str, settings: Settings, runtime: Runtime, terminal: Terminal) -> LocalModel:
    """The model `name` of the catalogue, downloaded, verified and converted."""
    entry = catalogue_entry(name)
    with terminal.progress() as phases:
        return fetch_model(
            entry,
            home,
            runtime_python=runtime.python,
            accept_licence=settings.model.accept_licence,
            report=_reporting(phases),
        )


def _reporting(phases: Phases) -> Report:
    def report(title: str, step: int, of: int) -> None:
        phases.update(title, step, of)

    return report
