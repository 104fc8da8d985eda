"""The next place is asked for in advance, as soon as an answer was taken to its end.

That is the start of the next line. Indentation is held back from the prompt, so that it is the same for every one that
the editor may put there.
"""

from dataclasses import replace

from acclimate_indexer.errors import EngineError
from acclimate_indexer.prompts import Cursor

from ..session import Session
from .asking import Spot, question_at
from .writing import Writing


async def prepare_next(session: Session, spot: Spot) -> None:
    """Has the engine write the answer to the line after a cursor that stands at the end of one."""
    client = session.connection.client
    at_line_end = not spot.after.partition("\n")[0].strip()
    if client is None or not at_line_end or not spot.place.settings.completion.prefetch:
        return
    before = spot.before + "\n"
    cursor = Cursor.at(
        path=spot.cursor.path, language=spot.cursor.language, text=before + spot.after, start=len(before)
    )
    try:
        question = await question_at(session, replace(spot, before=before, cursor=cursor), spot.chosen)
    except EngineError:
        return
    is_known = session.memory.answer_to(question.model, question.prompt) is not None
    if not is_known and session.writings.of(spot.document) is None:
        session.writings.start(Writing(client, question, session.answered))
