"""What the benchmarks of training learn and are measured on: a repository's data set, or the standard library."""

import hashlib
import os
import sysconfig
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from tests.support.tiny_model import TINY, tiny_model

from acclimate_indexer.dataset import mine
from acclimate_indexer.errors import ModelError
from acclimate_indexer.general.code import GeneralCode
from acclimate_indexer.general.own import OwnCode
from acclimate_indexer.general.sources import Root
from acclimate_indexer.home import Home
from acclimate_indexer.models import LocalModel, local_model
from acclimate_indexer.pairs import CompletionPair, ReviewPair
from acclimate_indexer.repository import Repository
from acclimate_training.evaluation.questions import file_balanced
from acclimate_training.recipe import ExampleKind

MODEL = "qwen2.5-coder-0.5b-instruct-gguf"
MODEL_VARIABLE = "ACCLIMATE_TEST_MODEL"  # a folder; without it the model that the tests know
STANDARD_LIBRARY = "standard library"
RUNTIME = ("torch", "transformers", "peft")


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """Pairs to learn, most useful first, and held-out ones, spread over their files.

    Attributes:
        commit: Of the repository; of the standard library the version of Python.
        general: Pairs of other code, for what comes before the repository's.
    """

    name: str
    commit: str
    pairs: Mapping[ExampleKind, Sequence[CompletionPair]]
    reviews: Sequence[ReviewPair]
    held_out: Sequence[CompletionPair]
    general: Sequence[CompletionPair] = ()


def materials(repositories: Sequence[Path], *, pairs: int, held_out: int, general: int = 0) -> list[Material]:
    """Of each repository, or of the standard library if none is named."""
    if not repositories:
        return [_of_the_standard_library(pairs, held_out, general)]
    return [_of_a_repository(path, held_out, general) for path in repositories]


def missing_runtime() -> dict[str, str]:
    """What a benchmark says instead of figures where there is no tensor library; empty where there is."""
    missing = [name for name in RUNTIME if find_spec(name) is None]
    return {"skipped": f"{', '.join(missing)} not installed; `acclimate doctor --fix` installs them"} if missing else {}


def model_at_hand(folder: Path) -> LocalModel:
    """The named model, else the tests', else a tiny one with random weights, written into the folder."""
    if named := os.environ.get(MODEL_VARIABLE):
        return LocalModel.from_manifest(Path(named))
    try:
        return local_model(Home.default(), MODEL)
    except ModelError:
        home = Home(data=folder, cache=folder, config=folder)
        return local_model(home, TINY) if home.model(TINY).exists() else tiny_model(home)


def number_from(variable: str, default: int) -> int:
    """A number from the environment."""
    return int(os.environ.get(variable, default))


def file_mark(path: str) -> str:
    """Names a file in a result, and says nothing about it."""
    return hashlib.sha256(path.encode("utf-8", "replace")).hexdigest()[:10]


def _of_a_repository(path: Path, held_out: int, general: int) -> Material:
    """Validation and test part together: whoever chooses a default by them must not report on that repository."""
    repository, home = Repository.open(path), Home.default().create()
    dataset = mine(repository, home.for_repository(repository.common_directory))
    other: Sequence[CompletionPair] = ()
    if general:
        own = OwnCode.of(repository, dataset.commit)
        code = GeneralCode.found(exclude=own, work_tree=repository.work_tree, cache=home.general_code)
        languages = {name: float(each["train"]) for name, each in dataset.manifest["counts"]["language"].items()}
        other = code.pairs("control", {name: count for name, count in languages.items() if count}, general).pairs
    return Material(
        name=repository.name,
        commit=dataset.commit,
        pairs={
            "completion": list(dataset.pairs("train")),
            "documentation": list(dataset.pairs("train", "documentation")),
        },
        reviews=list(dataset.reviews("train")),
        held_out=file_balanced([*dataset.pairs("validation"), *dataset.pairs("test")], seed=0)[:held_out],
        general=other,
    )


def _of_the_standard_library(pairs: int, held_out: int, general: int) -> Material:
    root = Root(name="python", place=Path(sysconfig.get_path("stdlib")), is_library=True)
    code = GeneralCode.found(exclude=OwnCode(), roots=[root], cache=Home.default().create().general_code)
    learnt = code.pairs("control", {"python": 1.0}, pairs, documentation_share=0.0)
    asked = code.pairs("probe", {"python": 1.0}, held_out, documentation_share=0.0)
    other = code.pairs("replay", {"python": 1.0}, general, documentation_share=0.0).pairs if general else ()
    return Material(
        name=STANDARD_LIBRARY,
        commit=sysconfig.get_python_version(),
        pairs={"completion": learnt.pairs},
        reviews=(),
        held_out=asked.pairs,
        general=other,
    )
