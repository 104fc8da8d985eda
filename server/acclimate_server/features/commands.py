"""`workspace/executeCommand`: retrain, cancel, status, and the engine's memory: free it, have it again.

Each answers at once; freeing the engine takes up to three seconds. A command that ran for as long as the training could
not survive the editor's `shutdown` request, and pygls hides the work-done token of the request: it comes in the
argument.
"""

from typing import Any

from lsprotocol import types

from acclimate_indexer.errors import EngineError, UsageError

from ..engine.freeing import free_engine
from ..language_server import AcclimateServer
from ..retraining import Retraining, RetrainRequest
from .arguments import argument_of, opened_folder, refused
from .training_progress import follow_training

RETRAIN = "acclimate.retrain"
CANCEL = "acclimate.cancel"
STATUS = "acclimate.status"
ACCEPTED = "acclimate.accepted"
ENGINE_FREE = "acclimate.engine.free"
ENGINE_START = "acclimate.engine.start"


def retrain(ls: AcclimateServer, *arguments: Any) -> dict[str, Any]:
    """Starts a training on `{repository, minutes?, maxPairs?, force?, workDoneToken?}` and gives `{run}`."""
    session = ls.session
    if session.training is not None and not session.training.is_over:
        raise refused(f"A training runs already ({session.training.run}). Cancel it with {CANCEL!r}.")
    try:
        request = RetrainRequest.from_argument(argument_of(arguments), opened_folder(ls))
    except UsageError as error:
        raise refused(str(error), code=types.ErrorCodes.InvalidParams) from error
    session.training = Retraining(session, request)
    ls.keep(follow_training(ls, session.training))
    return {"run": session.training.run}


def cancel(ls: AcclimateServer, *arguments: Any) -> dict[str, Any]:
    """Stops the training; `{run}` is what was stopped, or null if none ran."""
    training = ls.session.training
    if training is None or training.is_over or argument_of(arguments).get("run") not in (None, training.run):
        return {"run": None}
    training.cancel("Cancelled in the editor.")
    return {"run": training.run}


def status(ls: AcclimateServer, *_: Any) -> dict[str, Any]:
    """What the notification `acclimate/status` says, now."""
    return ls.session.board.now.to_json()


def accepted(ls: AcclimateServer, *arguments: Any) -> None:
    """A completion `{offer}` was taken: editors run this command of its item."""
    ls.session.watch.accepted(str(argument_of(arguments).get("offer", "")))


async def free(ls: AcclimateServer, *_: Any) -> dict[str, Any]:
    """Ends the local engine at once, for all editors; `{freed}` is false if none ran. Nobody restarts it unasked."""
    if ls.session.settings.engine.url:
        raise refused("The engine of `engine.url` is not this machine's to end.")
    try:
        return {"freed": await free_engine(ls.session.home, "an editor")}
    except EngineError as error:
        raise refused(str(error)) from error


def start(ls: AcclimateServer, *_: Any) -> dict[str, Any]:
    """Has the engine again after it was freed or has failed; the status says when it is ready."""
    ls.session.connection.wake(is_asked_for=True)
    return {}


def progress_cancelled(ls: AcclimateServer, params: types.WorkDoneProgressCancelParams) -> None:
    """The user clicked on the cancel button of the progress that we show."""
    training = ls.session.training
    if training is not None and not training.is_over and params.token == ls.training_token:
        training.cancel("Cancelled in the editor.")
