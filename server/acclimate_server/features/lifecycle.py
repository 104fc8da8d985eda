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
    told = params.settings
    workspace = ls.client_capabilities.workspace
    if not _options(told) and workspace is not None and workspace.configuration:
        item = types.ConfigurationItem(section=SECTION)
        answer = await ls.workspace_configuration_async(types.ConfigurationParams(items=[item]))
        told = answer[0] if answer else None
    if told is None:
        return  # eglot gives the notice at the start, with nothing to say: what came with `initialize` stands
    ls.session.configure(_options(told))
    ls.session.tell_adapter()


async def shutdown(ls: AcclimateServer, _: None) -> None:
    """Asks a training to end, and writes down what is noted; the rest is given back when the process ends.

    Some editors, eglot for one, kill the process as soon as they have the answer.
    """
    if ls.session.training is not None:
        ls.session.training.cancel("The editor was closed.")
    ls.session.watch.close()
    await ls.session.recorder.close()


def _options(sent: Any) -> dict[str, Any]:
    """Editors send the settings themselves, or under the section's name."""
    if not isinstance(sent, Mapping):
        return {}
    inner = sent.get(SECTION, sent)
    return dict(inner) if isinstance(inner, Mapping) else {}
