"""A small repository with an adapter that was evaluated: results on disk, and no engine, no trained weight."""

from collections.abc import Mapping
from pathlib import Path

from tests.support.adapter_folder import publish
from tests.support.git_folder import GitFolder, module
from tests.support.tiny_model import TINY, TOKENS, write_manifest, write_tokenizer

from acclimate_indexer.dataset import mine
from acclimate_indexer.home import Home
from acclimate_indexer.prompts import PromptBudget, PromptBuilder
from acclimate_training.evaluation.contenders import Model
from acclimate_training.evaluation.prompted import Prompts
from acclimate_training.evaluation.questions import questions
from acclimate_training.evaluation.results import GenerationResult, ResultStore
from acclimate_training.registry import Adapter, AdapterRegistry

CONTROL = "control-1"
BUDGET = PromptBudget(prefix=90, suffix=30, context=200)


def evaluated_shop(home: Home, folder: Path, answers: Mapping[Model, str]) -> tuple[Path, Adapter]:
    """The work tree and its adapter. Each of these models gave one answer everywhere, without retrieval."""
    shop = GitFolder.new(folder / "evaluated shop")
    names = ("till", "cart", "order", "stock", "shelf", "ware", "tax", "price", "client", "basket")
    shop.commit({f"src/{name}.py": module(name) for name in names})
    home.model(TINY).mkdir(parents=True, exist_ok=True)
    write_tokenizer(home.model(TINY))
    model = write_manifest(home.model(TINY), TINY)
    kept = home.for_repository(shop.open().common_directory)
    dataset = mine(shop.open(), kept)
    adapter = publish(
        AdapterRegistry(kept),
        "shop-1",
        base={"name": TINY, "identity": model.identity},
        dataset={"hash": dataset.hash, "commit": dataset.commit},
        prompt_budget=BUDGET.to_json(),
        seed=3,
        control=CONTROL,
    )
    builder = PromptBuilder.load(model.folder, TOKENS, BUDGET)
    asked = questions(dataset.pairs("test"), Prompts.of(dataset, builder, repository=adapter.repository), seed=3)
    names_of: dict[Model, str | None] = {"base": None, "control": CONTROL, "adapter": adapter.version}
    for who, text in answers.items():
        store = ResultStore(kept.evaluations, model_identity=model.identity, adapter=names_of[who])
        for question in asked:
            store.add_generation(GenerationResult(example=question.name, text=text, stopped=True))
    return shop.path, adapter
