"""The benchmark of completion: what it takes for an author's typing, how it counts, and what its proxy notes."""

import asyncio
from contextlib import aclosing
from itertools import pairwise
from pathlib import Path

import pytest
from benchmarks.author import Author, Tally
from benchmarks.editor import Editor
from benchmarks.engine_proxy import Exchange, engine_proxy
from benchmarks.keystrokes import keystrokes
from benchmarks.places import SourceFile, long_file, places
from benchmarks.replay import Replayed
from benchmarks.served import counters
from benchmarks.subject import Subject
from benchmarks.trace import cost
from benchmarks.typing_trace import TypedHunk, spread_over_files, typed_hunks
from benchmarks.typist import typed
from benchmarks.workspace import Workspace
from tests.conftest import MakeRepository
from tests.support.fake_engine import BASE, FakeEngine, fake_engine
from tests.support.tiny_model import TINY, write_manifest, write_tokenizer

from acclimate_indexer.home import Home
from acclimate_indexer.prompts import PromptBudget
from acclimate_indexer.repository import Repository
from acclimate_server.cli.ask import asked_server
from acclimate_training.engine import EngineAddress, EngineClient
from acclimate_training.evaluation.unfinished import REFIT_OF
from acclimate_training.registry import AdapterRegistry

OLD = """\
import json

def total(prices):
    return sum(prices)

def shown(prices):
    return json.dumps(prices)
"""
NEW = """\
# Prices, and what may be done with them.
import json

def total(prices):
    if not isinstance(prices, list):
        raise TypeError("prices must be a list")

    return sum(prices)

def shown(prices):
    return json.dumps(sorted(prices), indent=2)

# Everything else is somebody else's business.
"""
SERVER_SECONDS = 60.0


def hunk(text: str = "total", *, path: str = "app.py", before: str = "") -> TypedHunk:
    return TypedHunk(
        commit="c", parent="p", path=path, language="python", before=before, offset=len(before), strokes=tuple(text)
    )


def replay(**more: object) -> Replayed:
    fields: dict[str, object] = {
        "setting": "base",
        "hunk": hunk(),
        "tally": Tally(strokes=10, typed=10, pauses=3, helped=1, empty=[(0.0, 0.05), (2.1, 2.25)]),
        "exchanges": (),
        "generated": 0,
        "taken_back": (),
        "answered": (),
    }
    return Replayed(**(fields | more))  # type: ignore[arg-type]  # of the right types, by name


def exchange(*chunks: tuple[float, str], ended: float, is_given_up: bool = False) -> Exchange:
    pieces = [(at, f'data: {{"choices": [{{"text": "{text}"}}]}}\n\n'.encode()) for at, text in chunks]
    return Exchange(body={}, arrived=chunks[0][0], chunks=pieces, ended=ended, is_given_up=is_given_up)


def test_keystrokes_give_the_committed_file_again(make_repository: MakeRepository) -> None:
    repository = Repository.open(make_repository({"app.py": OLD}, {"app.py": NEW, "notes.txt": "no code\n" * 9}))

    found = typed_hunks(repository)

    assert [each.before.count("\n") for each in found] == [7, 8, 11]
    assert found[0].before == OLD
    assert found[-1].after == NEW
    for above, below in pairwise(found):  # what was typed above is there when the next is typed
        assert below.before.startswith(above.after[: above.offset + len("".join(above.strokes))])
    assert {each.parent for each in found} == {commit.sha for commit in repository.main_line(repository.head())[1:]}


def test_enter_brings_the_indentation_along(make_repository: MakeRepository) -> None:
    repository = Repository.open(make_repository({"app.py": OLD}, {"app.py": NEW}))

    inserted = typed_hunks(repository)[1]

    assert inserted.strokes[:3] == ("\n    ", "i", "f")
    assert inserted.strokes[-1] == "\n"
    assert inserted.before[: inserted.offset].endswith("def total(prices):")


def test_what_an_adapter_has_learnt_from_is_not_typed(make_repository: MakeRepository) -> None:
    repository = Repository.open(make_repository({"app.py": OLD}, {"app.py": NEW}))

    assert typed_hunks(repository, since=repository.head()) == []


def test_no_file_comes_twice_before_every_file_has_come_once() -> None:
    hunks = [hunk(text, path=path) for path in ("a.py", "b.py", "c.py") for text in ("one", "two")]

    found = spread_over_files(hunks, seed=0)

    assert {each.path for each in found[:3]} == {each.path for each in found[3:]} == {"a.py", "b.py", "c.py"}
    assert found == spread_over_files(hunks, seed=0)
    assert found != hunks


def test_a_right_proposal_is_taken_with_one_key() -> None:
    author = Author("sum(prices)")
    author.type()
    author.see("um(prices)", now=1.0)
    author.type()

    assert author.reads_at == 1.5  # it was typed through, and is the same proposal
    assert author.read() == "m(prices)"
    assert author.is_done
    assert author.tally == Tally(strokes=11, typed=2, taking=1, taken_characters=9, shown=1, read=1)
    assert author.tally.saved == 8


def test_a_wrong_proposal_counts_only_if_it_was_read() -> None:
    author = Author("sum")
    author.see("max", now=0.0)
    author.type()

    assert author.reads_at is None  # typed away before anybody could read it
    author.see("nion", now=1.0)
    assert author.read() == ""
    assert author.reads_at is None  # nobody reads it twice
    author.type()
    author.type()
    assert author.tally == Tally(strokes=3, typed=3, shown=2, read=1, wrong=1)
    assert author.tally.saved == 0


def test_the_right_lines_of_a_wrong_proposal_are_taken_a_key_each() -> None:
    author = Author(["a", " ", "=", " ", "1", "\n    ", "b", "\n    ", "c"])
    author.see("a = 1\n    b\n    d", now=0.0)

    assert author.read() == "a = 1\n    b"
    assert (author.tally.wrong, author.tally.partly_right, author.tally.taking) == (1, 1, 2)
    assert author.type() == "\n    "


def test_indentation_that_a_proposal_leaves_out_takes_a_key() -> None:
    author = Author(["a", "\n    ", "b"])
    author.see("a\n", now=0.0)

    assert author.read() == "a\n"
    assert [author.type(), author.type()] == ["    ", "b"]
    assert author.tally.saved == 3 - 2 - 1


def test_shares_are_of_sums_over_hunks() -> None:
    good = replay(tally=Tally(strokes=10, typed=3, taking=1, taken_characters=7, shown=2, read=1, pauses=1, helped=1))
    bad = replay(hunk=hunk(path="b.py"), tally=Tally(strokes=30, typed=30, shown=4, read=3, wrong=2, pauses=3))

    found = keystrokes([good, bad])

    assert found["keystrokes_saved"] == pytest.approx(6 / 40)
    assert found["shown_wrong_share"] == pytest.approx(2 / 4)
    assert found["helped_pause_share"] == pytest.approx(1 / 4)
    low, high = found["keystrokes_saved_interval"]
    assert low <= found["keystrokes_saved"] <= high


def test_nothing_shown_has_no_share_of_wrong() -> None:
    assert keystrokes([replay()])["shown_wrong_share"] is None


def test_what_came_after_a_cancellation_is_wasted() -> None:
    whole = exchange((0.1, "a"), (0.2, "b"), ended=0.3)
    cancelled = exchange((1.1, "a"), (1.2, "b"), (1.3, "c"), ended=1.31, is_given_up=True)
    cut_short = exchange((2.1, "a"), (2.2, "b"), ended=2.21, is_given_up=True)
    found = cost(
        [replay(exchanges=(whole, cancelled, cut_short), generated=8, taken_back=(1.15,), answered=(0.3, 2.25))]
    )

    # Two were handed on too late, and one was counted that was never handed on.
    assert found["wasted_token_share"] == pytest.approx(3 / 8)
    assert found["wasted_token_share_at_most"] == pytest.approx(5 / 10)
    assert found["requests_per_keystroke"] == pytest.approx(3 / 10)
    assert found["helped_pause_share"] == pytest.approx(1 / 3)
    assert found["answered_pause_share"] == pytest.approx(2 / 3)  # nothing without asking the engine is no answer


def test_counters_are_summed_over_their_labels() -> None:
    metrics = (
        "# HELP vllm:generation_tokens_total of all\n"
        'vllm:generation_tokens_total{engine="0",model_name="a b"} 3.0\n'
        'vllm:generation_tokens_total{engine="1",model_name="a b"} 4.0\n'
        "python_info 1.0\n"
    )

    assert counters(metrics) == {"vllm:generation_tokens_total": 7.0}


def test_a_long_file_has_ten_thousand_lines_and_a_place_is_inside_a_line() -> None:
    file = SourceFile(path="app.py", language="python", text=NEW)

    text = long_file([file]).text
    first = next(places([file], seed=0))

    assert text.count("\n") == 10_000
    line = NEW[first.line_start : first.line_end]
    assert "\n" not in line
    assert len(line) >= 30
    cut = first.without_rest(first.offset)
    assert cut == NEW[: first.offset] + NEW[first.line_end :]


async def test_a_proxy_hands_on_what_comes_and_counts_it() -> None:
    async with fake_engine() as engine, engine_proxy(engine.url) as proxy:
        engine.pieces = ["one", " two", " three"]
        client = EngineClient(EngineAddress(url=proxy.url))
        assert await client.is_healthy()
        proxy.is_salted = True
        answers = [
            "".join([piece.text async for piece in client.stream([1, 2], model=BASE, max_tokens=8)]),
            (await client.complete([1, 2], model=BASE, max_tokens=8)).text,
        ]
        await proxy.idle()
        await client.aclose()

        assert answers == ["one two three"] * 2
        streamed, whole = proxy.exchanges
        assert streamed.tokens() == 3
        assert streamed.tokens(until=streamed.arrived) == 0
        assert not streamed.is_given_up
        assert not whole.is_given_up
        assert streamed.body["prompt"] == [1, 2]
        salts = {body["cache_salt"] for body in engine.asked}
        assert len(salts) == 2


async def test_a_proxy_tells_the_engine_that_a_client_has_gone() -> None:
    async with fake_engine() as engine, engine_proxy(engine.url) as proxy:
        engine.pieces, engine.pause_seconds = ["one", " two"], 60.0
        client = EngineClient(EngineAddress(url=proxy.url))
        async with aclosing(client.stream([1], model=BASE, max_tokens=8)) as stream:
            first = await anext(stream)
        await proxy.idle()
        await client.aclose()
        await engine.left_alone()

        assert first.text == "one"
        assert engine.closed_early == 1
        assert [(each.is_given_up, each.tokens()) for each in proxy.exchanges] == [(True, 1)]


async def test_an_author_takes_what_the_real_server_proposes(home: Home, make_repository: MakeRepository) -> None:
    folder = home.model(TINY)
    folder.mkdir(parents=True)
    write_tokenizer(folder)
    write_manifest(folder, TINY)
    repository = make_repository({"app.py": OLD})
    before = "def add(first, second):\n    "
    strokes = hunk("result = first + second", before=before)
    delays = [0.0] * len("result = ") + [SERVER_SECONDS] + [0.0] * len("first + second")

    async with fake_engine() as engine:
        engine.pieces = ["first", " + ", "second", "\n"]
        async with asked_server(repository, _options(engine)) as server:
            await server.wait_engine(SERVER_SECONDS)
            tally = await typed(Editor(server.client), repository / "app.py", strokes, delays)

    assert (tally.typed, tally.taking, tally.read, tally.wrong) == (len("result = "), 1, 1, 0)
    assert tally.taken_characters == len("first + second")
    assert tally.pauses == tally.helped == 1


async def test_a_copy_holds_what_was_there_at_a_commit(make_repository: MakeRepository, tmp_path: Path) -> None:
    origin = Repository.open(make_repository({"app.py": OLD}, {"app.py": NEW, "later.py": NEW}))
    workspace = Workspace.copied(origin, tmp_path / "copies")
    parent = typed_hunks(origin)[0].parent

    await asyncio.to_thread(workspace.check_out, parent)

    assert workspace.folder.name == origin.name
    assert (workspace.folder / "app.py").read_text(encoding="utf-8") == OLD
    assert not (workspace.folder / "later.py").exists()


def test_the_adapter_that_was_judged_comes_along_whole(
    home: Home, make_repository: MakeRepository, tmp_path: Path
) -> None:
    model_folder = home.model(TINY)
    model_folder.mkdir(parents=True)
    write_tokenizer(model_folder)
    model = write_manifest(model_folder, TINY)
    origin = Repository.open(make_repository({"app.py": OLD}, {"app.py": NEW}))
    registry = AdapterRegistry(home.for_repository(origin.common_directory))
    for version, more in (("judged", {}), ("refitted", {REFIT_OF: "judged"})):
        (registry.partial(version) / "adapter_config.json").write_text("{}", encoding="utf-8")
        record = {
            "version": version,
            "base": {"name": TINY, "identity": model.identity},
            "dataset": {"split_commit": origin.main_line(origin.head())[1].sha},
            "verdict": {"state": "promoted", "reason": ""},
            "prompt_budget": PromptBudget().to_json(),
            "repository": "shop",
        }
        registry.publish(registry.partial(version), record | more)
    registry.set_live("refitted")
    elsewhere = Home.default({"ACCLIMATE_HOME": str(tmp_path / "elsewhere")}).create()

    subject = Subject.of(origin.common_directory, elsewhere, model)

    assert subject.adapter == "judged"
    subject.workspace.adapters(elsewhere).get_verified("judged")
    assert subject.hunks
    assert {each.commit for each in subject.hunks} == {origin.head()}


def _options(engine: FakeEngine) -> dict[str, object]:
    return {"engine": {"url": engine.url}, "model": {"name": TINY}, "completion": {"automatic": "always"}}
