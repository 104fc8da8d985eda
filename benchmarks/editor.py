"""An editor's side of the language server: a document that changes, and requests that are taken back, as VS Code does.

It sends every change before it asks, and takes the last request back before it sends the next.
"""

import time
import uuid
from asyncio import Event
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lsprotocol import types
from pygls.lsp.client import LanguageClient

Kind = types.InlineCompletionTriggerKind


@dataclass(slots=True, kw_only=True)
class Request:
    """A request for a completion.

    Attributes:
        text: What is to be shown, once it is answered; empty for nothing.
        answered: When the answer was here; None before, and for one that was taken back.
        is_over: Set once nothing more is to come.
    """

    id: str
    sent: float
    text: str = ""
    command: types.Command | None = None
    answered: float | None = None
    is_taken_back: bool = False
    is_over: Event = field(default_factory=Event)

    @property
    def seconds(self) -> float:
        """From the question to the answer."""
        assert self.answered is not None
        return self.answered - self.sent


class Editor:
    """One open document and its cursor. Offsets count characters, as was agreed with the server.

    Attributes:
        requests: All, in the order in which they were sent.
        taken_back: When requests were.
    """

    def __init__(self, client: LanguageClient) -> None:
        self._client = client
        self._identifier = types.TextDocumentIdentifier(uri="")
        self._version = 0
        self.text = ""
        self.offset = 0
        self.requests: list[Request] = []
        self.taken_back: list[float] = []

    def open(self, path: Path, language: str, text: str, offset: int) -> None:
        """Shows another document; the one before is closed."""
        if self._identifier.uri:
            self._client.text_document_did_close(types.DidCloseTextDocumentParams(text_document=self._identifier))
        self._identifier = types.TextDocumentIdentifier(uri=path.as_uri())
        self._version, self.text, self.offset = 1, text, offset
        item = types.TextDocumentItem(uri=path.as_uri(), language_id=language, version=1, text=text)
        self._client.text_document_did_open(types.DidOpenTextDocumentParams(text_document=item))

    def insert(self, text: str) -> None:
        """Types, or takes a completion."""
        self._change(self.offset, self.offset, text)

    def retype(self, offset: int) -> None:
        """Types the character before `offset` once more in its own place: the text is a new one and reads the same."""
        self.offset = offset
        self._change(offset - 1, offset, self.text[offset - 1])

    def ask(self, kind: Kind) -> Request:
        """Asks for a completion at the cursor."""
        request = Request(id=str(uuid.uuid4()), sent=time.perf_counter())
        self.requests.append(request)
        params = types.InlineCompletionParams(
            text_document=self._identifier,
            position=self._position(self.offset),
            context=types.InlineCompletionContext(trigger_kind=kind),
        )
        asked = self._client.protocol.send_request("textDocument/inlineCompletion", params, msg_id=request.id)
        asked.add_done_callback(lambda future: self._answered(request, future))
        return request

    def take_back(self, request: Request) -> None:
        """Cancels a request that is not answered yet; one that is stays as it is."""
        if not request.is_over.is_set():
            request.is_taken_back = True
            self.taken_back.append(time.perf_counter())
            self._client.cancel_request(types.CancelParams(id=request.id))
            request.is_over.set()

    def run(self, command: types.Command) -> None:
        """What a server wants to hear of a completion that was taken."""
        params = types.ExecuteCommandParams(command=command.command, arguments=command.arguments)
        self._client.protocol.send_request("workspace/executeCommand", params)

    async def round_trip(self) -> float:
        """The seconds that a request takes for which nothing is done: pipes, JSON, and two processes waking up."""
        started = time.perf_counter()
        params = types.ExecuteCommandParams(command="acclimate.cancel")
        await self._client.workspace_execute_command_async(params)
        return time.perf_counter() - started

    def _answered(self, request: Request, future: "Future[Any]") -> None:
        if request.is_taken_back:
            return
        if future.exception() is None:
            answer = future.result()
            items = answer.items if isinstance(answer, types.InlineCompletionList) else answer or []
            if items:
                request.text, request.command = self._shown(items[0]), items[0].command
            request.answered = time.perf_counter()
        request.is_over.set()

    def _shown(self, item: types.InlineCompletionItem) -> str:
        """The ghost text: without what its range says stands before the cursor already."""
        text = item.insert_text if isinstance(item.insert_text, str) else item.insert_text.value
        if item.range is None:
            return text
        here = self._position(self.offset)
        before = here.character - item.range.start.character if item.range.start.line == here.line else 0
        return text.removeprefix(self.text[self.offset - before : self.offset])

    def _change(self, start: int, end: int, text: str) -> None:
        changed = types.Range(start=self._position(start), end=self._position(end))
        self.text = self.text[:start] + text + self.text[end:]
        self.offset = start + len(text)
        self._version += 1
        self._client.text_document_did_change(
            types.DidChangeTextDocumentParams(
                text_document=types.VersionedTextDocumentIdentifier(uri=self._identifier.uri, version=self._version),
                content_changes=[types.TextDocumentContentChangePartial(range=changed, text=text)],
            )
        )

    def _position(self, offset: int) -> types.Position:
        start = self.text.rfind("\n", 0, offset) + 1
        return types.Position(line=self.text.count("\n", 0, start), character=offset - start)
