"""Retraining through the command, up to where a model would be needed."""

import asyncio
from pathlib import Path
from typing import Any

import psutil
import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcException
from tests.conftest import MakeRepository
from tests.support.lsp import Editor, connected
from tests.support.tiny_model import TINY, write_manifest, write_tokenizer

from acclimate_indexer.home import Home

pytestmark = pytest.mark.tensor

FUNCTION = (
    "def total_{n}(prices, rate={n}):\n    result = sum(price * rate for price in prices)\n    return result\n\n\n"
)


@pytest.fixture
def repository(home: Home, make_repository: MakeRepository) -> Path:
    """A repository that takes a moment to mine, and a model that has a name only."""
    home.model(TINY).mkdir(parents=True)
    write_tokenizer(home.model(TINY))
    write_manifest(home.model(TINY), TINY)
    return make_repository({f"part_{n}.py": FUNCTION.format(n=n) * 20 for n in range(120)})


async def test_a_training_can_be_cancelled_and_leaves_no_process(repository: Path) -> None:
    async with connected(repository) as editor:
        run = (await editor.command("acclimate.retrain", {"repository": str(repository)}))["run"]
        with pytest.raises(JsonRpcException, match=f"A training runs already \\({run}\\)"):
            await editor.command("acclimate.retrain", {"repository": str(repository)})
        assert await editor.command("acclimate.cancel", {"run": "another"}) == {"run": None}
        assert await editor.command("acclimate.cancel") == {"run": run}

        status = await ended(editor)
        assert (status["state"], status["run"]) == ("cancelled", run)
        assert training_processes(editor) == []


async def test_when_it_is_said_to_have_ended_nothing_is_left_to_cancel_and_another_can_begin(repository: Path) -> None:
    async with connected(repository) as editor:  # the model has no weights
        for _ in range(2):
            run = (await editor.command("acclimate.retrain", {"repository": str(repository)}))["run"]
            status = await ended(editor, run)
            assert status["state"] == "failed"
            assert training_processes(editor) == []
            assert await editor.command("acclimate.cancel") == {"run": None}


async def test_the_progress_that_the_server_made_has_a_cancel_button(repository: Path) -> None:
    async with connected(repository) as editor:
        await editor.command("acclimate.retrain", {"repository": str(repository)})
        async with asyncio.timeout(20):
            while not editor.client.progress_reports:  # noqa: ASYNC110  # filled by the client's own task
                await asyncio.sleep(0.02)
        (token,) = editor.client.progress_reports
        editor.client.window_work_done_progress_cancel(types.WorkDoneProgressCancelParams(token=token))

        assert (await ended(editor))["state"] == "cancelled"


async def test_without_progress_in_the_client_none_is_made(repository: Path) -> None:
    async with connected(repository, takes_progress=False) as editor:
        await editor.command("acclimate.retrain", {})  # the folder that is open
        await editor.command("acclimate.cancel")

        assert (await ended(editor))["repository"] == str(repository)
        assert editor.client.progress_reports == {}


async def test_closing_the_editor_ends_the_training(repository: Path) -> None:
    async with connected(repository) as editor:
        await editor.command("acclimate.retrain", {"repository": str(repository)})
        async with asyncio.timeout(20):
            while not (children := training_processes(editor)):  # noqa: ASYNC110  # of another process
                await asyncio.sleep(0.02)

    assert not [child for child in children if child.is_running()]


async def ended(editor: Editor, run: str | None = None) -> dict[str, object]:
    """How the run ended; without a name, the one that is known to the status."""

    def has_ended(status: dict[str, Any]) -> bool:
        training = status["training"] or {"state": "running"}
        return training["state"] != "running" and run in (None, training["run"])

    status = await editor.status_where(has_ended)
    training: dict[str, object] = status["training"]
    return training


def training_processes(editor: Editor) -> list[psutil.Process]:
    server = editor.client._server
    assert server is not None
    found = psutil.Process(server.pid).children(recursive=True)
    return [process for process in found if "acclimate_training" in command_line(process)]


def command_line(process: psutil.Process) -> str:
    """Empty of one that has just ended, as git's do all the time."""
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return ""
