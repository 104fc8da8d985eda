"""Completion through the whole server: a real client, a real child process, an engine that speaks when told to."""

import asyncio
import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcRequestCancelled
from tests.conftest import MakeRepository
from tests.support.fake_engine import BASE, FakeEngine, fake_engine
from tests.support.lsp import Editor, Kind, connected
from tests.support.tiny_model import TINY, TOKENS, write_manifest, write_tokenizer

from acclimate_indexer.home import Home
from acclimate_indexer.prompts import PromptBudget, PromptBuilder
from acclimate_indexer.repository import Repository
from acclimate_training.registry import AdapterRegistry

CODE = 'smile = "😋"\n\n\ndef greet(name):\n    return \n'
CURSOR = (4, 11)


@pytest.fixture
def model(home: Home) -> str:
    """A model without weights: the server needs its tokenizer only."""
    folder = home.model(TINY)
    folder.mkdir(parents=True)
    write_tokenizer(folder)
    return write_manifest(folder, TINY).identity


def options(engine: FakeEngine, *, completion: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """Settings of a server at this engine, which is asked for one answer only."""
    return {"engine": {"url": engine.url}, "completion": {"candidates": 1, **(completion or {})}, **more}


def publish(home: Home, folder: Path, *, version: str, identity: str, budget: PromptBudget) -> AdapterRegistry:
    """An adapter of which only the lineage matters here."""
    registry = AdapterRegistry(home.for_repository(Repository.open(folder).common_directory))
    partial = registry.partial(version)
    (partial / "adapter_config.json").write_text("{}", encoding="utf-8")
    record = {
        "version": version,
        "base": {"name": TINY, "identity": identity},
        "verdict": {"state": "trial", "reason": ""},
        "prompt_budget": budget.to_json(),
        "repository": "shop",
    }
    registry.publish(partial, record)
    return registry


async def ready(editor: Editor) -> None:
    await editor.status_where(lambda status: status["engine"]["state"] == "ready")


async def test_an_answer_ends_where_the_construct_ends(home: Home, model: str, make_repository: MakeRepository) -> None:
    repository = make_repository({"app.py": CODE})
    async with fake_engine() as engine, connected(repository, options(engine)) as editor:
        engine.pieces = ["f'hello", " {name}'", "\n\n\ndef other", "():\n    pass\n"]
        await ready(editor)
        editor.open(repository / "app.py", CODE)

        assert await editor.inline(repository / "app.py", *CURSOR) == ["f'hello {name}'"]
        assert engine.asked[0]["model"] == BASE


async def test_the_prompt_is_the_prompt_builders(home: Home, model: str, make_repository: MakeRepository) -> None:
    repository = make_repository({"pkg/app ß 1.py": CODE}, name="my shop")
    async with fake_engine() as engine, connected(repository, options(engine)) as editor:
        await ready(editor)
        editor.open(repository / "pkg/app ß 1.py", CODE)
        await editor.inline(repository / "pkg/app ß 1.py", *CURSOR)

        builder = PromptBuilder.load(home.model(TINY), TOKENS, PromptBudget())
        prompt = builder.decode(engine.asked[0]["prompt"])
        assert "my-shop" in prompt
        assert "pkg/app ß 1.py" in prompt
        assert engine.asked[0]["prompt"].count(builder.stop_ids[0]) == 1  # the prefix marker
        assert set(engine.asked[0]["stop_token_ids"]) == set(builder.stop_ids)


@pytest.mark.parametrize(
    ("encoding", "character"),
    [
        (types.PositionEncodingKind.Utf8, 14),
        (types.PositionEncodingKind.Utf16, 12),
        (types.PositionEncodingKind.Utf32, 11),
    ],
)
async def test_the_cursor_is_where_the_client_sees_it(
    home: Home, model: str, tmp_path: Path, encoding: types.PositionEncodingKind, character: int
) -> None:
    async with fake_engine() as engine, connected(tmp_path, options(engine), encoding=encoding) as editor:
        await ready(editor)
        editor.open(tmp_path / "app.py", CODE)
        await editor.inline(tmp_path / "app.py", 0, character)

        builder = PromptBuilder.load(home.model(TINY), TOKENS, PromptBudget())
        asked = engine.asked[0]["prompt"]
        prefix = asked[asked.index(builder._prefix) + 1 : asked.index(builder._suffix)]
        assert builder.decode(prefix) == 'smile = "😋"'


async def test_changes_are_followed(home: Home, model: str, tmp_path: Path) -> None:
    async with fake_engine() as engine, connected(tmp_path, options(engine)) as editor:
        await ready(editor)
        editor.open(tmp_path / "app.py", CODE)
        end = types.Position(line=4, character=11)
        change = types.TextDocumentContentChangePartial(range=types.Range(start=end, end=end), text="total + ")
        identifier = types.VersionedTextDocumentIdentifier(uri=(tmp_path / "app.py").as_uri(), version=2)
        editor.client.text_document_did_change(
            types.DidChangeTextDocumentParams(text_document=identifier, content_changes=[change])
        )
        await editor.inline(tmp_path / "app.py", 4, 19)

        builder = PromptBuilder.load(home.model(TINY), TOKENS, PromptBudget())
        assert "return total +\n" in builder.decode(engine.asked[0]["prompt"])


async def test_a_newer_request_ends_the_older_one(home: Home, model: str, tmp_path: Path) -> None:
    async with fake_engine() as engine, connected(tmp_path, options(engine)) as editor:
        engine.pieces, engine.pause_seconds = ["a"] * 100, 0.1
        await ready(editor)
        editor.open(tmp_path / "app.py", CODE)
        older = asyncio.create_task(editor.inline(tmp_path / "app.py", *CURSOR))
        await until(lambda: len(engine.asked) == 1)
        engine.pieces = ["name"]

        assert await editor.inline(tmp_path / "app.py", 2, 0) == ["name"]
        assert await older == []
        await until(lambda: engine.closed_early == 1)


async def test_a_request_taken_back_closes_the_engines_stream(home: Home, model: str, tmp_path: Path) -> None:
    async with fake_engine() as engine, connected(tmp_path, options(engine)) as editor:
        engine.pieces, engine.pause_seconds = ["a"] * 100, 0.1
        await ready(editor)
        editor.open(tmp_path / "app.py", CODE)
        params = types.InlineCompletionParams(
            text_document=types.TextDocumentIdentifier(uri=(tmp_path / "app.py").as_uri()),
            position=types.Position(*CURSOR),
            context=types.InlineCompletionContext(trigger_kind=Kind.Invoked),
        )
        protocol: Any = editor.client.protocol
        sent = protocol.send_request_async("textDocument/inlineCompletion", params, msg_id="taken-back")
        request = asyncio.ensure_future(sent)
        await until(lambda: len(engine.asked) == 1)
        editor.client.cancel_request(types.CancelParams(id="taken-back"))

        with pytest.raises(JsonRpcRequestCancelled):
            await request
        await until(lambda: engine.closed_early == 1)


async def test_a_client_without_inline_completion_gets_items_of_its_list(
    home: Home, model: str, tmp_path: Path
) -> None:
    async with fake_engine() as engine, connected(tmp_path, options(engine), has_inline=False) as editor:
        engine.pieces = ["ame.title()"]
        await ready(editor)
        editor.open(tmp_path / "app.py", CODE.replace("return ", "return n"))
        params = types.CompletionParams(
            text_document=types.TextDocumentIdentifier(uri=(tmp_path / "app.py").as_uri()),
            position=types.Position(line=4, character=12),
        )
        answer = await editor.client.text_document_completion_async(params)

        assert isinstance(answer, types.CompletionList)
        assert answer.is_incomplete
        item = answer.items[0]
        assert item.label == "name.title()"
        assert isinstance(item.text_edit, types.TextEdit)
        assert item.text_edit.new_text == "name.title()"
        assert item.text_edit.range.start.character == 11


async def test_a_file_outside_a_repository_is_completed_by_the_base(home: Home, model: str, tmp_path: Path) -> None:
    async with fake_engine() as engine, connected(tmp_path, options(engine)) as editor:
        await ready(editor)
        editor.open(tmp_path / "app.py", CODE)

        assert await editor.inline(tmp_path / "app.py", *CURSOR) == ["name"]


async def test_completion_can_be_switched_off_and_on_while_the_server_runs(
    home: Home, model: str, tmp_path: Path
) -> None:
    async with fake_engine() as engine, connected(tmp_path, options(engine, completion={"enabled": False})) as editor:
        editor.open(tmp_path / "app.py", CODE)
        assert await editor.inline(tmp_path / "app.py", *CURSOR) == []
        status = await editor.command("acclimate.status")
        assert "completion.enabled" in status["completion"]

        configure(editor, options(engine))
        await ready(editor)
        assert await editor.inline(tmp_path / "app.py", *CURSOR) == ["name"]


async def test_an_unknown_language_and_one_that_is_not_wanted_are_said(home: Home, model: str, tmp_path: Path) -> None:
    wanted = {"languages": ["go"]}
    async with fake_engine() as engine, connected(tmp_path, options(engine, completion=wanted)) as editor:
        await ready(editor)
        editor.open(tmp_path / "app.py", CODE)
        editor.open(tmp_path / "notes.txt", CODE, language="plaintext")

        assert await editor.inline(tmp_path / "app.py", *CURSOR) == []
        assert "completion.languages" in (await editor.command("acclimate.status"))["completion"]
        assert await editor.inline(tmp_path / "notes.txt", *CURSOR) == []
        assert "not one that acclimate completes" in (await editor.command("acclimate.status"))["completion"]
        assert engine.asked == []


async def test_the_live_adapter_is_loaded_behind_the_requests_and_follows_the_pointer(
    home: Home, model: str, make_repository: MakeRepository
) -> None:
    repository = make_repository({"app.py": CODE})
    budget = PromptBudget(prefix=8, suffix=4, context=0)
    registry = publish(home, repository, version="shop-1", identity=model, budget=budget)
    async with fake_engine() as engine, connected(repository, options(engine)) as editor:
        await ready(editor)
        editor.open(repository / "app.py", CODE)
        await editor.inline(repository / "app.py", *CURSOR)
        assert await completed_by(editor) is None

        registry.set_live("shop-1")
        await editor.inline(repository / "app.py", *CURSOR)  # notices the pointer; the base still answers
        assert await completed_by(editor) is None
        status = await editor.status_where(lambda status: status["adapter"]["state"] == "in use")
        assert status["adapter"]["version"] == "shop-1"
        await editor.inline(repository / "app.py", *CURSOR)
        assert await completed_by(editor) == engine.asked[-1]["model"] == "shop-1"
        assert len(engine.asked[-1]["prompt"]) < len(engine.asked[0]["prompt"])  # its own, smaller budget

        registry.set_live(None)
        await editor.inline(repository / "app.py", *CURSOR)
        await editor.status_where(lambda status: status["adapter"]["state"] == "none")
        await editor.inline(repository / "app.py", *CURSOR)
        assert await completed_by(editor) is None


async def completed_by(editor: Editor) -> str | None:
    """The adapter that gave the last answer; an answer that is known is not asked for again."""
    adapter: str | None = (await editor.command("acclimate.status"))["completed_by"]
    return adapter


async def test_the_setting_overrules_the_pointer(home: Home, model: str, make_repository: MakeRepository) -> None:
    repository = make_repository({"app.py": CODE})
    publish(home, repository, version="shop-1", identity=model, budget=PromptBudget()).set_live("shop-1")
    async with fake_engine() as engine, connected(repository, options(engine, adapter="none")) as editor:
        await ready(editor)
        editor.open(repository / "app.py", CODE)
        await editor.inline(repository / "app.py", *CURSOR)
        assert engine.loads == []

        configure(editor, options(engine, adapter="shop-1"))
        await editor.inline(repository / "app.py", *CURSOR)
        await editor.status_where(lambda status: status["adapter"]["version"] == "shop-1")
        configure(editor, options(engine, adapter="shop-2"))
        await editor.inline(repository / "app.py", *CURSOR)
        status = await editor.status_where(lambda status: status["adapter"]["state"] == "failed")
        assert "No adapter is called 'shop-2'" in status["adapter"]["reason"]
        assert await editor.inline(repository / "app.py", *CURSOR) == ["name"]  # by the base


async def test_an_adapter_for_another_base_is_not_used(home: Home, model: str, make_repository: MakeRepository) -> None:
    repository = make_repository({"app.py": CODE})
    publish(home, repository, version="shop-1", identity="another@base", budget=PromptBudget()).set_live("shop-1")
    async with fake_engine() as engine, connected(repository, options(engine)) as editor:
        await ready(editor)
        editor.open(repository / "app.py", CODE)
        await editor.inline(repository / "app.py", *CURSOR)

        status = await editor.status_where(lambda status: status["adapter"]["state"] == "failed")
        assert "was made for another@base" in status["adapter"]["reason"]
        assert engine.loads == []


async def test_an_adapter_that_the_engine_has_forgotten_is_loaded_once_more(
    home: Home, model: str, make_repository: MakeRepository
) -> None:
    repository = make_repository({"app.py": CODE})
    publish(home, repository, version="shop-1", identity=model, budget=PromptBudget()).set_live("shop-1")
    async with fake_engine() as engine, connected(repository, options(engine)) as editor:
        await ready(editor)
        editor.open(repository / "app.py", CODE)
        await editor.inline(repository / "app.py", *CURSOR)
        await editor.status_where(lambda status: status["adapter"]["state"] == "in use")
        engine.forgets = ["shop-1"]

        assert await editor.inline(repository / "app.py", *CURSOR) == ["name"]
        assert await completed_by(editor) is None
        assert [asked["model"] for asked in engine.asked] == [BASE, "shop-1"]  # what the base said is known
        await until(lambda: engine.loads == ["shop-1", "shop-1"])


async def test_no_source_code_enters_the_log(
    home: Home, model: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    async with fake_engine() as engine, connected(tmp_path, options(engine)) as editor:
        await ready(editor)
        editor.open(tmp_path / "app.py", CODE)
        await editor.inline(tmp_path / "app.py", *CURSOR)

    assert "greet" not in capfd.readouterr().err


async def test_a_file_without_a_name_is_in_the_language_that_the_editor_says(
    home: Home, model: str, tmp_path: Path
) -> None:
    async with fake_engine() as engine, connected(tmp_path, options(engine)) as editor:
        await ready(editor)
        editor.open(tmp_path / "new", "const a = ", language="javascriptreact")  # which is JavaScript to us

        assert await editor.inline(tmp_path / "new", 0, 10) == ["name"]


def configure(editor: Editor, settings: dict[str, Any]) -> None:
    params = types.DidChangeConfigurationParams(settings=json.loads(json.dumps(settings)))
    editor.client.workspace_did_change_configuration(params)


async def until(is_so: Any, seconds: float = 10.0) -> None:
    """Waits for something in this process."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while not is_so():  # noqa: ASYNC110  # it changes under the fake engine's hands
                await asyncio.sleep(0.01)
    assert is_so()
