"""`initialize`, `initialized`, `shutdown` and changed settings."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from lsprotocol import types

from ..automatic_training import AutomaticTraining
from ..language_server import AcclimateServer
from ..parent import end_with, running_process
from . import completion
from .diagnostics import publish
from .training_progress import train_automatically

SECTION = "acclimate"


def initialize(ls: AcclimateServer, params: types.InitializeParams) -> None:
    """Remembers the editor's settings. Nothing is started yet: the answer must come within a second."""
    ls.initial_options = _options(params.initialization_options)
    if (editor := running_process(params.process_id)) is not None:
        ls.keep(end_with(editor))
    document = params.capabilities.text_document
    if document is None or document.inline_completion is None:
        ls.feature(types.TEXT_DOCUMENT_COMPLETION, completion.OPTIONS)(completion.completion)


def initialized(ls: AcclimateServer, _: types.InitializedParams) -> None:
    """Opens the session: settings, then the engine, and the watch over idle hours, in the background."""
    ls.session.reviews.publish = partial(publish, ls)
    ls.session.configure(ls.initial_options)
    ls.keep(AutomaticTraining(ls.session, partial(train_automatically, ls)).run())


async def configuration_changed(ls: AcclimateServer, params: types.DidChangeConfigurationParams) -> None:
    """Takes the new settings; an editor that sends none with the notice is asked for them."""
    options = _options(params.settings)
    workspace = ls.client_capabilities.workspace
    if not options and workspace is not None and workspace.configuration:
        item = types.ConfigurationItem(section=SECTION)
        answer = await ls.workspace_configuration_async(types.ConfigurationParams(items=[item]))
        options = _options(answer[0] if answer else None)
    ls.session.configure(options)
    ls.session.tell_adapter()


def shutdown(ls: AcclimateServer, _: None) -> None:
    """Asks a training to end; the rest is given back when the process ends."""
    if ls.session.training is not None:
        ls.session.training.cancel("The editor was closed.")


def _options(sent: Any) -> dict[str, Any]:
    """Editors send the settings themselves, or under the section's name."""
    if not isinstance(sent, Mapping):
        return {}
    inner = sent.get(SECTION, sent)
    return dict(inner) if isinstance(inner, Mapping) else {}
