"""Shows a training in the editor: work-done progress, and the status."""

from lsprotocol import types

from acclimate_training.job import Progress

from ..language_server import AcclimateServer
from ..retraining import Retraining, RetrainRequest
from ..status import TrainingStatus
from ..words import progress_words
from .progress import begin_progress, progress_token

TITLE = "Acclimatising"
AUTOMATIC_TITLE = "Acclimatising while you are away"


async def follow_training(ls: AcclimateServer, training: Retraining) -> None:
    """Follows the run to its end. The adapter that it brought is loaded without anything being started again."""
    session = ls.session
    given = training.request.work_done_token
    token = ls.training_token = progress_token(ls, given, training.run)
    if token is not None:
        title = AUTOMATIC_TITLE if training.request.is_automatic else TITLE
        begin = types.WorkDoneProgressBegin(title=title, message="Starting", cancellable=True)
        await begin_progress(ls, token, begin, given=given)
    last = Progress()
    async for last in training.follow():
        session.board.update(training=_status(training, last))
        if token is not None and last.state is None:
            ls.work_done_progress.report(token, types.WorkDoneProgressReport(message=progress_words(last)))
    if token is not None:
        ls.work_done_progress.end(token, types.WorkDoneProgressEnd(message=progress_words(last)))
    if last.state == "failed" and not training.request.is_automatic:  # asked for, so a message is no intrusion
        message = types.ShowMessageParams(type=types.MessageType.Warning, message=last.reason or "The training failed.")
        ls.window_show_message(message)
    session.refresh_adapters()
    session.activity.news.set()  # the drift is another one


async def train_automatically(ls: AcclimateServer, request: RetrainRequest) -> None:
    """Runs what started by itself to its end, unless the user was faster."""
    if ls.session.training is not None and not ls.session.training.is_over:
        return
    ls.session.training = Retraining(ls.session, request)
    await follow_training(ls, ls.session.training)


def _status(training: Retraining, progress: Progress) -> TrainingStatus:
    result = progress.result or {}
    return TrainingStatus(
        run=training.run,
        repository=str(training.request.repository),
        is_automatic=training.request.is_automatic,
        state=progress.state or "running",
        phase=progress.phase,
        step=progress.step,
        of=progress.of,
        seconds_left=progress.seconds_left,
        loss=progress.loss,
        message=progress.message or "",
        reason=progress.reason or "",
        adapter=result.get("adapter"),
        verdict=result.get("verdict"),
    )
