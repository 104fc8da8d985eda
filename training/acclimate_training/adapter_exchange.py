"""Adapters out and in as plain peft folders, which transformers and vLLM load without acclimate."""

import json
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from acclimate_indexer.durable import disk_full_named, write_json, write_text
from acclimate_indexer.errors import AdapterError
from acclimate_indexer.models import LocalModel
from acclimate_indexer.prompts import PromptBudget

from .adapter import CHANGING
from .adapter_card import model_card
from .adapter_files import CONFIG, LINEAGE, WEIGHTS, changed_file, refuse_pickles, tensors_of
from .adapter_limits import check_tensors, served_config

CARD = "README.md"
# Of a lineage: an adapter that was brought never stands in for a training here, and its checksums are taken anew.
NOT_BROUGHT = (*CHANGING, "schema", "files", "fingerprint", "lineage_sha256", "imported")


def write_export(source: Path, record: Mapping[str, Any], target: Path) -> None:
    """Writes an adapter, its record and a model card into a folder that is new or empty; all of it or nothing.

    Raises:
        AdapterError: The folder is not empty, or no folder.
        DiskFull: There is no room.
    """
    target = target.absolute()
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise AdapterError(f"{str(target)!r} is not empty: an adapter is exported into a folder of its own.")
    with disk_full_named(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}."))
        try:
            partial.chmod(0o755)
            for name in (CONFIG, WEIGHTS):
                _copy(source / name, partial / name)
            write_text(partial / CARD, model_card(record, _config(partial)))
            write_json(partial / LINEAGE, dict(record))
            os.replace(partial, target)  # noqa: PTH105 - Path.replace says the same
        finally:
            shutil.rmtree(partial, ignore_errors=True)


def received(source: Path, target: Path, *, models: Sequence[LocalModel], base: LocalModel | None) -> dict[str, Any]:
    """Copies the two files of a peft folder, judges the copies, and gives what is known of where they came from.

    Raises:
        AdapterError: It is damaged, no safetensors, cannot be served, or was made for another base model.
    """
    if not source.is_dir():
        raise AdapterError(f"{str(source)!r} is no folder. Give the one with {CONFIG!r}.")
    refuse_pickles(source)
    for name in (CONFIG, WEIGHTS):
        _copy(source / name, target / name)
    config = served_config(target)
    lineage = _lineage(source)
    if (changed := changed_file(target, _stated_checksums(lineage))) is not None:
        raise AdapterError(f"{str(source / changed)!r} is corrupt: it is not what {LINEAGE!r} says. Export it again.")
    model = _base(source, lineage, config, models, base)
    check_tensors(tensors_of(target / WEIGHTS), config, _model_config(model))
    write_json(target / CONFIG, config | {"base_model_name_or_path": model.name, "inference_mode": True})
    return _known(source, lineage, config) | {"base": _base_record(model, lineage)}


def _copy(source: Path, target: Path) -> None:
    try:
        shutil.copyfile(source, target)
    except FileNotFoundError as error:
        raise AdapterError(f"{str(source.parent)!r} has no {source.name!r}: it is no whole adapter.") from error
    except IsADirectoryError as error:
        raise AdapterError(f"{str(source)!r} is a folder: this is no adapter.") from error


def _lineage(folder: Path) -> dict[str, Any]:
    """What acclimate wrote beside the weights; empty for a stranger's adapter."""
    try:
        lineage = json.loads((folder / LINEAGE).read_text(encoding="utf-8"))
        PromptBudget(**lineage["prompt_budget"])
        _ = (str(lineage["base"]["name"]), str(lineage["base"]["identity"]), str(lineage["version"]))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise AdapterError(
            f"{str(folder / LINEAGE)!r} cannot be read ({error!r}). Export the adapter again, or remove that file and "
            "say `--base`."
        ) from error
    return dict(lineage)


def _stated_checksums(lineage: Mapping[str, Any]) -> dict[str, str]:
    """Of the files that are taken; another program may have changed the others."""
    stated = lineage.get("files")
    return {name: str(stated[name]) for name in (CONFIG, WEIGHTS) if name in stated} if isinstance(stated, dict) else {}


def _base(
    source: Path,
    lineage: Mapping[str, Any],
    config: Mapping[str, Any],
    models: Sequence[LocalModel],
    stated: LocalModel | None,
) -> LocalModel:
    """The model that the adapter was made for, as it is on this machine."""
    if not lineage:
        if stated is None:
            raise AdapterError(
                f"{str(source)!r} does not say which weights it was made for; its configuration names "
                f"{config.get('base_model_name_or_path')!r}. Say which model that is here: `--base NAME`."
            )
        return stated
    name, identity = lineage["base"]["name"], lineage["base"]["identity"]
    if stated is not None and stated.identity != identity:
        raise AdapterError(f"{str(source)!r} was made for {identity!r}, and `--base` is {stated.identity!r}.")
    found = next((model for model in models if model.identity == identity), None)
    if found is None:
        same = next((model for model in models if model.name == name), None)
        here = f"{same.identity!r} is here, which has other weights" if same else "it is not on this machine"
        raise AdapterError(
            f"{str(source)!r} was made for {identity!r}: {here}. Get it: `acclimate model fetch {name}`."
        )
    return found


def _base_record(model: LocalModel, lineage: Mapping[str, Any]) -> dict[str, Any]:
    """`stated` marks a base that nobody but whoever imported the adapter vouches for."""
    return {
        "name": model.name,
        "identity": model.identity,
        "source_sha256": model.source_sha256,
        "converter": model.converter,
        "variant": model.variant,
        "precision": model.precision,
        "stated": not lineage,
    }


def _known(source: Path, lineage: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Any]:
    """The lineage that is kept, and where it was brought from: a folder's name and a version, no path."""
    unknown = {
        "prompt_budget": PromptBudget().to_json(),
        "dataset": {"hash": None, "commit": None},
        "recipe": {"rank": config["r"], "alpha": config.get("lora_alpha"), "targets": config.get("target_modules")},
        "seed": None,
        "steps": None,
        "libraries": {"peft": config.get("peft_version")},
    }
    told = {name: value for name, value in lineage.items() if name not in NOT_BROUGHT}
    came = {"folder": source.name, "version": lineage.get("version"), "created": lineage.get("created")}
    return unknown | told | {"imported": came}


def _model_config(model: LocalModel) -> dict[str, Any]:
    """The base's sizes; empty where they cannot be read, which then checks nothing."""
    try:
        config = json.loads((model.folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return config if isinstance(config, dict) else {}


def _config(folder: Path) -> dict[str, Any]:
    config: dict[str, Any] = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    return config
