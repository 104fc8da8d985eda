"""The server's manners on the wire, with a real client and no engine."""

import asyncio
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcException
from tests.conftest import MakeRepository
from tests.support.lsp import connected
from tests.support.raw_server import raw_server

from acclimate_indexer.home import Home

CODE = "def greet(name):\n    return \n"


async def test_without_an_engine_the_answer_is_empty_at_once_and_the_status_says_why(
    home: Home, make_repository: MakeRepository
) -> None:
    repository = make_repository({"app.py": CODE})
    async with connected(repository) as editor:
        await editor.status_where(lambda status: status["engine"]["state"] == "failed")
        editor.open(repository / "app.py", CODE)

        assert await editor.inline(repository / "app.py", 1, 11) == []
        status = await editor.status_where(lambda status: status["engine"]["state"] == "failed")  # asked by hand: again
        assert "`acclimate " in status["engine"]["reason"]  # names the command that mends it
        assert status["completion"] == status["engine"]["reason"]


async def test_the_status_is_sent_when_it_changes(home: Home, tmp_path: Path) -> None:
    async with connected(tmp_path, {"no": {"such": 1}}) as editor:
        sent = await asyncio.wait_for(editor.client.wait_for_notification("acclimate/status"), 20)

        assert sent is not None
        status = await editor.command("acclimate.status")
        assert "no.such" in status["warnings"][0]


def test_an_editor_that_has_no_settings_to_tell_leaves_those_that_it_came_with(home: Home, tmp_path: Path) -> None:
    with raw_server(tmp_path) as server:
        server.initialize(
            capabilities={"workspace": {"configuration": True}}, initializationOptions={"no": {"such": 1}}
        )
        server.send({"method": "workspace/didChangeConfiguration", "params": {"settings": {}}})
        asked = server.request("workspace/configuration")
        server.send({"id": asked["id"], "result": [None]})

        server.send({"id": 2, "method": "workspace/executeCommand", "params": {"command": "acclimate.status"}})
        assert "no.such" in server.answer_to(2)["result"]["warnings"][0]


def test_inline_completion_is_advertised_and_documents_are_synchronised_by_changes(home: Home, tmp_path: Path) -> None:
    with raw_server(tmp_path) as server:
        capabilities = server.initialize()["result"]["capabilities"]

        assert capabilities["inlineCompletionProvider"] == {}
        assert capabilities["textDocumentSync"]["change"] == types.TextDocumentSyncKind.Incremental
        assert capabilities["codeActionProvider"]["codeActionKinds"] == [
            "quickfix",
            "source.fixAll.acclimate",
            "refactor.rewrite",
        ]
        assert "completionProvider" in capabilities  # this client said nothing about inline completion
        assert capabilities["executeCommandProvider"]["commands"] == [
            "acclimate.retrain",
            "acclimate.cancel",
            "acclimate.status",
            "acclimate.accepted",
            "acclimate.overview",
            "acclimate.adapters.use",
            "acclimate.adapters.promote",
            "acclimate.adapters.rollback",
            "acclimate.report",
            "acclimate.engine.free",
            "acclimate.engine.start",
            "acclimate.review",
            "acclimate.review.dismiss",
            "acclimate.review.never",
            "acclimate.review.explain",
            "acclimate.document",
        ]


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
    with raw_server(tmp_path) as server:
        server.initialize()
        server.send({"id": 7, "method": "textDocument/inlineCompletion", "params": {"context": {"triggerKind": 0}}})

        assert server.answer_to(7)["error"]["code"] == types.ErrorCodes.InvalidParams
        server.send({"id": 8, "method": "shutdown"})
        assert server.answer_to(8)["result"] is None


def test_what_comes_at_the_wrong_time_or_is_no_request_is_refused_as_lsp_says(home: Home, tmp_path: Path) -> None:
    with raw_server(tmp_path) as server:
        server.send({"id": 2, "method": "workspace/executeCommand", "params": {"command": "acclimate.status"}})
        assert server.answer_to(2)["error"]["code"] == types.ErrorCodes.ServerNotInitialized
        server.initialize()

        server.send({"id": 3, "method": "initialize", "params": {"capabilities": {}}})
        assert server.answer_to(3)["error"]["code"] == types.ErrorCodes.InvalidRequest
        server.send({"id": 4, "method": "acclimate/unknown"})
        assert server.answer_to(4)["error"]["code"] == types.ErrorCodes.MethodNotFound
        server.send({"id": 5, "method": "textDocument/didOpen", "params": {}})
        assert server.answer_to(5)["error"]["code"] == types.ErrorCodes.InvalidRequest
        server.write(b'[{"jsonrpc": "2.0", "id": 6, "method": "shutdown"}]')
        assert server.answer_to(None)["error"]["code"] == types.ErrorCodes.InvalidRequest


def test_an_object_inside_a_message_is_no_message(home: Home, tmp_path: Path) -> None:
    with raw_server(tmp_path) as server:
        server.initialize()
        inner = {"jsonrpc": "2.0", "id": 9, "method": "shutdown"}
        server.send({"method": "workspace/didChangeConfiguration", "params": {"settings": {"acclimate": inner}}})

        server.send({"id": 2, "method": "workspace/executeCommand", "params": {"command": "acclimate.status"}})
        assert "jsonrpc" in server.answer_to(2)["result"]["warnings"][0]
        assert not server.answers(9)


def test_the_end_of_the_pipe_ends_the_server(home: Home, tmp_path: Path) -> None:
    with raw_server(tmp_path) as server:
        server.initialize()
        server.stdin.close()

        assert server.process.wait(15) == 0


def test_a_server_whose_editor_was_killed_ends_although_its_pipe_stays_open(home: Home, tmp_path: Path) -> None:
    editor = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        with raw_server(tmp_path) as server:
            server.initialize(process_id=editor.pid)
            editor.send_signal(signal.SIGKILL)
            editor.wait()

            assert server.process.wait(20) != 0
    finally:
        editor.kill()


def test_exit_without_a_word_leaves_no_process(home: Home, tmp_path: Path) -> None:
    with raw_server(tmp_path) as server:
        server.initialize()
        children = psutil.Process(server.process.pid).children(recursive=True)
        server.send({"method": "exit"})

        assert server.process.wait(15) == 1  # as the protocol asks where shutdown was not called
        assert not [child for child in children if child.is_running()]


def test_files_of_the_repository_that_are_named_like_modules_do_no_harm(
    home: Home, make_repository: MakeRepository
) -> None:
    trap = "raise SystemExit('the repository was imported')"
    repository = make_repository({"dataclasses.py": trap, "tokenizers/__init__.py": trap, "pygls.py": trap})
    with raw_server(repository) as server:
        assert "result" in server.initialize()


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
