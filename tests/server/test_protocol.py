"""The server's manners on the wire, with a real client and no engine."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, Any

import psutil
import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcException
from tests.conftest import MakeRepository
from tests.support.lsp import connected

from acclimate_indexer.home import Home

CODE = "def greet(name):\n    return \n"
COMMAND = (sys.executable, "-P", "-m", "acclimate_server", "serve")


async def test_without_an_engine_the_answer_is_empty_at_once_and_the_status_says_why(
    home: Home, make_repository: MakeRepository
) -> None:
    repository = make_repository({"app.py": CODE})
    async with connected(repository) as editor:
        await editor.status_where(lambda status: status["engine"]["state"] == "failed")
        editor.open(repository / "app.py", CODE)

        assert await editor.inline(repository / "app.py", 1, 11) == []
        status = await editor.command("acclimate.status")
        assert "`acclimate " in status["engine"]["reason"]  # names the command that mends it
        assert status["completion"] == status["engine"]["reason"]


async def test_the_status_is_sent_when_it_changes(home: Home, tmp_path: Path) -> None:
    async with connected(tmp_path, {"no": {"such": 1}}) as editor:
        sent = await asyncio.wait_for(editor.client.wait_for_notification("acclimate/status"), 20)

        assert sent is not None
        status = await editor.command("acclimate.status")
        assert "no.such" in status["warnings"][0]


def test_inline_completion_is_advertised_and_documents_are_synchronised_by_changes(home: Home, tmp_path: Path) -> None:
    server = RawServer(tmp_path)
    try:
        capabilities = server.initialize()["result"]["capabilities"]

        assert capabilities["inlineCompletionProvider"] == {}
        assert capabilities["textDocumentSync"]["change"] == types.TextDocumentSyncKind.Incremental
        assert "completionProvider" in capabilities  # this client said nothing about inline completion
        assert capabilities["executeCommandProvider"]["commands"] == [
            "acclimate.retrain",
            "acclimate.cancel",
            "acclimate.status",
        ]
    finally:
        server.kill()


async def test_a_document_that_is_not_open_is_answered_with_nothing(home: Home, tmp_path: Path) -> None:
    (tmp_path / "closed.py").write_text(CODE, encoding="utf-8")
    async with connected(tmp_path) as editor:
        assert await editor.inline(tmp_path / "closed.py", 1, 11) == []


async def test_an_unknown_command_and_bad_arguments_are_errors_with_a_sentence(home: Home, tmp_path: Path) -> None:
    async with connected(tmp_path) as editor:
        with pytest.raises(JsonRpcException, match="not defined"):
            await editor.command("acclimate.nope")
        with pytest.raises(JsonRpcException, match="`minutes` must be a number above 0, not 'x'"):
            await editor.command("acclimate.retrain", {"minutes": "x"})
        with pytest.raises(JsonRpcException, match="one object"):
            await editor.command("acclimate.retrain", [1])


async def test_nothing_to_cancel_is_no_error(home: Home, tmp_path: Path) -> None:
    async with connected(tmp_path) as editor:
        assert await editor.command("acclimate.cancel") == {"run": None}


async def test_retraining_outside_a_repository_answers_at_once_and_ends_with_one_sentence(
    home: Home, tmp_path: Path
) -> None:
    async with connected(tmp_path) as editor:
        token = "by-the-client"
        editor.client.progress_reports[token] = []
        answer = await editor.command("acclimate.retrain", {"repository": str(tmp_path), "workDoneToken": token})

        assert answer["run"]
        status = await editor.status_where(lambda status: (status["training"] or {}).get("state") == "failed")
        assert "not inside a git repository" in status["training"]["reason"]
        reports: list[Any] = list(editor.client.progress_reports[token])
        kinds = [report.kind for report in reports]
        assert (kinds[0], kinds[-1]) == ("begin", "end")


async def test_a_request_whose_parameters_make_no_sense_gets_an_error_reply(home: Home, tmp_path: Path) -> None:
    server = RawServer(tmp_path)
    try:
        server.initialize()
        server.send({"id": 7, "method": "textDocument/inlineCompletion", "params": {"context": {"triggerKind": 0}}})

        assert server.answer_to(7)["error"]["code"] == types.ErrorCodes.InvalidParams
        server.send({"id": 8, "method": "shutdown"})
        assert server.answer_to(8)["result"] is None
    finally:
        server.kill()


def test_the_end_of_the_pipe_ends_the_server(home: Home, tmp_path: Path) -> None:
    server = RawServer(tmp_path)
    try:
        server.initialize()
        server.stdin.close()

        assert server.process.wait(15) == 0
    finally:
        server.kill()


def test_a_server_whose_editor_was_killed_ends_although_its_pipe_stays_open(home: Home, tmp_path: Path) -> None:
    editor = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    server = RawServer(tmp_path)
    try:
        server.initialize(process_id=editor.pid)
        editor.send_signal(signal.SIGKILL)
        editor.wait()

        assert server.process.wait(20) != 0
    finally:
        editor.kill()
        server.kill()


def test_exit_without_a_word_leaves_no_process(home: Home, tmp_path: Path) -> None:
    server = RawServer(tmp_path)
    try:
        server.initialize()
        children = psutil.Process(server.process.pid).children(recursive=True)
        server.send({"method": "exit"})

        assert server.process.wait(15) == 1  # as the protocol asks where shutdown was not called
        assert not [child for child in children if child.is_running()]
    finally:
        server.kill()


def test_files_of_the_repository_that_are_named_like_modules_do_no_harm(
    home: Home, make_repository: MakeRepository
) -> None:
    trap = "raise SystemExit('the repository was imported')"
    repository = make_repository({"dataclasses.py": trap, "tokenizers/__init__.py": trap, "pygls.py": trap})
    server = RawServer(repository)
    try:
        assert "result" in server.initialize()
    finally:
        server.kill()


def test_the_server_loads_no_tensor_library() -> None:
    listed = subprocess.run(
        [sys.executable, "-P", "-X", "importtime", "-c", "import acclimate_server.app"],
        check=True,
        capture_output=True,
        text=True,
    ).stderr
    loaded = {line.rpartition("|")[2].strip().partition(".")[0] for line in listed.splitlines()}

    assert "pygls" in loaded
    assert not loaded & {"torch", "transformers", "peft", "vllm"}


class RawServer:
    """The server on plain pipes, for what a well-behaved client never does."""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(
            COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=folder
        )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.stdin: IO[bytes] = self.process.stdin
        self.stdout: IO[bytes] = self.process.stdout

    def initialize(self, process_id: int | None = None) -> dict[str, Any]:
        params: dict[str, Any] = {"processId": process_id or os.getpid(), "rootUri": None, "capabilities": {}}
        self.send({"id": 1, "method": "initialize", "params": params})
        answer = self.answer_to(1)
        self.send({"method": "initialized", "params": {}})
        return answer

    def send(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0"} | message).encode()
        self.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self.stdin.flush()

    def answer_to(self, request: int) -> dict[str, Any]:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            header = self.stdout.readline()
            assert header, "the server has closed its output"
            length = int(header.split(b":")[1])
            while self.stdout.readline().strip():
                pass
            message: dict[str, Any] = json.loads(self.stdout.read(length))
            if message.get("id") == request and "method" not in message:
                return message
        raise AssertionError("no answer")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self.stdin.close()
        self.stdout.close()
