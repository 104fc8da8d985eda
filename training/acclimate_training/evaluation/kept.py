"""What the evaluations of an adapter left on disk, read again: without an engine, and without a tensor library."""

from dataclasses import dataclass
from typing import Any

from acclimate_indexer.dataset import Dataset
from acclimate_indexer.errors import AdapterError, DatasetError
from acclimate_indexer.home import Home, RepositoryHome
from acclimate_indexer.models import LocalModel, local_model
from acclimate_indexer.prompts import PromptBuilder

from ..adapter import Adapter
from ..report.blind import BlindPair
from .contenders import ADAPTER, BASE, Model
from .heldout import HeldOut, held_out
from .measured import Measured


def examples(measured: Measured) -> list[dict[str, Any]]:
    """The places that anybody has answered, in the order of asking: where, the true code, and what each served."""
    contenders = measured.contenders
    found = []
    for question in measured.questions:
        served = {each.name: measured.served(each, question) for each in contenders}
        if answers := {name: text for name, text in served.items() if text is not None}:
            pair = question.pair
            place = {"path": pair.path, "language": pair.language, "place": pair.place}
            code = {"prefix": pair.prefix, "middle": pair.middle, "suffix": pair.suffix}
            found.append({**place, **code, "answers": answers})
    return found


def blind_pairs(measured: Measured) -> list[BlindPair]:
    """The places that base and adapter have answered, both without retrieval."""
    found = []
    for question in measured.questions:
        base, adapter = (measured.served(each, question) for each in (BASE, ADAPTER))
        if base is not None and adapter is not None:
            pair = question.pair
            found.append(
                BlindPair(
                    name=question.name,
                    path=pair.path,
                    language=pair.language,
                    prefix=pair.prefix,
                    suffix=pair.suffix,
                    base=base,
                    adapter=adapter,
                )
            )
    return found


def kept_results(home: Home, kept: RepositoryHome, adapter: Adapter) -> HeldOut:
    """The held-out pairs of the data set that the adapter learnt from, with all that was measured on them.

    Raises:
        ModelMissing, ModelCorrupt: Its base model's tokenizer cannot be read, and without it no result be found.
        AdapterError: That data set is gone.
    """
    dataset = _dataset(kept, adapter)
    model = local_model(home, adapter.base_name)
    asked = _AsTrained(
        repository=adapter.repository,
        dataset=dataset,
        model=model,
        builder=PromptBuilder.load(model.folder, model.fim, adapter.prompt_budget),
        seed=int(adapter.record.get("seed", 0)),
    )
    versions: dict[Model, str | None] = {"base": None, "adapter": adapter.version}
    if control := adapter.record.get("control"):
        versions["control"] = str(control)
    return held_out(asked, kept, versions=versions)


@dataclass(frozen=True, slots=True, kw_only=True)
class _AsTrained:
    """How an adapter is asked, from its own record. With another base model in its place no results are found."""

    repository: str
    dataset: Dataset
    model: LocalModel
    builder: PromptBuilder
    seed: int


def _dataset(kept: RepositoryHome, adapter: Adapter) -> Dataset:
    try:
        return Dataset.open(kept.datasets / str(adapter.record["dataset"]["hash"]))
    except (DatasetError, KeyError, TypeError) as error:
        raise AdapterError(
            f"The held-out places of {adapter.version!r} are not known: the data set that it learnt from is not here. "
            "Evaluate an adapter that was trained here: `acclimate train`, then `acclimate evaluate`."
        ) from error
