"""The commands about a repository: what is known of it, which adapter completes, the page about one, one training."""

import json
from pathlib import Path
from typing import Any

import pytest
from pygls.exceptions import JsonRpcException
from tests.conftest import MakeRepository, run_git
from tests.support.lsp import Editor, connected
from tests.support.report_sample import VERSION, record

from acclimate_indexer.home import Home, RepositoryHome
from acclimate_indexer.prompts import PromptBudget
from acclimate_indexer.repository import Repository
from acclimate_server.keeping_up import Claim
from acclimate_training.registry import AdapterRegistry

CODE = "def total(prices):\n    return sum(prices)\n" * 20
OTHER = "shop-20260501T101500-aaaa"


@pytest.fixture
def repository(home: Home, make_repository: MakeRepository) -> Path:
    return make_repository({"shop.py": CODE})


@pytest.fixture
def state(home: Home, repository: Path) -> RepositoryHome:
    return home.for_repository(Repository.open(repository).common_directory)


def published(state: RepositoryHome, commit: str, *versions: str) -> AdapterRegistry:
    """Adapters of which only what is said about them matters; the last one completes."""
    registry = AdapterRegistry(state)
    for version in versions:
        partial = registry.partial(version)
        (partial / "adapter_config.json").write_text("{}", encoding="utf-8")
        said = record() | {"version": version, "prompt_budget": PromptBudget().to_json()}
        registry.publish(partial, said | {"dataset": {"hash": "x", "commit": commit}})
        registry.set_live(version)
    return registry


@pytest.fixture
def registry(repository: Path, state: RepositoryHome) -> AdapterRegistry:
    return published(state, run_git(repository, "rev-parse", "HEAD").strip(), VERSION, OTHER)


async def known(editor: Editor) -> dict[str, Any]:
    answer: dict[str, Any] = await editor.command("acclimate.overview")
    return answer


async def test_a_repository_without_an_adapter_is_told_as_such(repository: Path) -> None:
    async with connected(repository) as editor:
        told = await known(editor)

    assert (told["repository"], told["folder"]) == ("shop", str(repository))
    assert (told["live"], told["adapters"], told["drift"], told["run"]) == (None, [], None, None)


async def test_the_newest_adapter_is_told_first_with_what_was_measured(
    repository: Path, registry: AdapterRegistry
) -> None:
    async with connected(repository) as editor:
        told = await known(editor)

    assert [adapter["version"] for adapter in told["adapters"]] == [OTHER, VERSION]
    assert [adapter["live"] for adapter in told["adapters"]] == [True, False]
    figures = {each["name"]: each for each in told["adapters"][0]["contenders"]}
    assert figures["adapter"]["is_adapter"]
    assert not figures["control"]["is_adapter"]
    low, high = figures["base"]["exact_match_interval"]
    assert low < figures["base"]["exact_match"] < high


async def test_the_losses_of_the_last_training_are_told_step_by_step(repository: Path, state: RepositoryHome) -> None:
    run = state.runs / "20260601T120000-aaaa"
    run.mkdir(parents=True)
    lines = [{"phase": "mine", "step": 1, "of": 1}]
    lines += [{"phase": "train", "step": step, "of": 1_000, "loss": 2 - step / 1_000} for step in range(1, 1_001)]
    lines += [{"phase": "control", "step": 1, "of": 9, "loss": 9.0}]
    (run / "progress.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")

    async with connected(repository) as editor:
        curve = (await known(editor))["run"]["curve"]

    assert 100 < len(curve) <= 200
    assert curve[0] == {"step": 1, "of": 1_000, "loss": 1.999}
    assert max(point["loss"] for point in curve) < 2


async def test_another_version_completes_when_an_editor_says_so(repository: Path, registry: AdapterRegistry) -> None:
    async with connected(repository) as editor:
        assert await editor.command("acclimate.adapters.use", {"version": VERSION}) == {"live": VERSION}
        assert await editor.command("acclimate.adapters.use", {"version": "none"}) == {"live": None}
        promoted = {"version": OTHER, "reason": "better in review"}
        assert await editor.command("acclimate.adapters.promote", promoted) == {"live": OTHER}

    assert registry.history()[-1].reason == "better in review"


async def test_rolling_back_withdraws_the_adapter_with_a_reason(repository: Path, registry: AdapterRegistry) -> None:
    async with connected(repository) as editor:
        answer = await editor.command("acclimate.adapters.rollback", {"reason": "it repeats itself"})

    assert answer == {"live": VERSION}
    assert registry.get(OTHER).is_withdrawn


@pytest.mark.parametrize(
    ("command", "argument", "says"),
    [
        ("acclimate.adapters.use", {"version": "shop-1999"}, "shop-1999"),
        ("acclimate.adapters.promote", {"version": OTHER}, "`reason` is missing"),
        ("acclimate.report", {"version": "shop-1999"}, "shop-1999"),
        ("acclimate.overview", {"repository": "/"}, "git"),
    ],
)
async def test_what_cannot_be_done_is_refused_in_a_sentence(
    repository: Path, registry: AdapterRegistry, command: str, argument: dict[str, Any], says: str
) -> None:
    async with connected(repository) as editor:
        with pytest.raises(JsonRpcException, match=says):
            await editor.command(command, argument)


async def test_the_page_about_an_adapter_is_written_without_code(repository: Path, registry: AdapterRegistry) -> None:
    async with connected(repository) as editor:
        answer = await editor.command("acclimate.report", {"version": VERSION})

    page = Path(answer["report"]).read_text(encoding="utf-8")  # noqa: ASYNC240  # the editor is gone: nothing waits
    assert answer["version"] == VERSION
    assert "It shows no code of the repository." in page


async def test_two_editors_do_not_train_the_same_repository(repository: Path, state: RepositoryHome) -> None:
    claim = Claim(state)
    assert claim.take() == ""

    async with connected(repository) as editor:
        await editor.command("acclimate.retrain", {})
        status = await editor.status_where(lambda status: (status["training"] or {}).get("state") == "failed")

    assert "runs already, or waits for its turn" in status["training"]["reason"]
    claim.release()
