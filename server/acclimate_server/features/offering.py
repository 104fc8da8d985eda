"""What both kinds of completion do with an answer: tell how it is said to be taken, and watch what becomes of it."""

from lsprotocol import types

from ..completion.request import Answer, Snapshot, complete
from ..documents import Document
from ..language_server import AcclimateServer
from .commands import ACCEPTED
from .snapshot import text_of


async def answered(ls: AcclimateServer, document: Document, place: Snapshot) -> Answer:
    """The completion at a place. It is watched from now on, unless the document has changed meanwhile."""
    ls.session.activity.touched(place.path)
    version = document.version
    answer = await complete(ls.session, place)
    if answer.offer is not None and document.version == version:
        ls.session.offered(answer.offer, text_of(document))
    return answer


def taken_command(answer: Answer) -> types.Command:
    """What an editor runs when an item of the answer is taken."""
    return types.Command(title="", command=ACCEPTED, arguments=[{"offer": answer.name}])
