"""vLLM's command line and environment, and what can be said about a model folder before it is tried."""

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from acclimate_indexer.errors import EngineError, ModelCorrupt, RuntimeMissing
from acclimate_training.core import CORE_VARIABLE
from acclimate_training.processor import has_bf16

from .options import Device, EngineSpec

KEYED = "acclimate_vllm_plugin.keyed.Keyed"
MAX_LORAS = 2  # in one batch: the live adapter and the one under evaluation
MAX_CPU_LORAS = 8  # kept in memory beside these; an adapter is tens of megabytes
KV_CACHE_GB = 1  # on a CPU: 87,000 tokens of the 0.5B model, half as many in float32
GPU_EXTRA_GB = 4.0  # beyond the weights: 2 for the KV cache, 2 for activations and CUDA graphs
MIB_PER_GB = 1024
# The numbers of an editor that serves code with n-grams (Zed's: 8 tokens after 2 to 4 equal ones), and vLLM's own for
# suffixes, said here since it warns where they are not. An answer is the same with and without, but for rounding.
SPECULATION: Mapping[str, Mapping[str, int]] = {
    "ngram": {"num_speculative_tokens": 8, "prompt_lookup_min": 2, "prompt_lookup_max": 4},
    "suffix": {"num_speculative_tokens": 24, "suffix_decoding_max_tree_depth": 24},
}
SUFFIX_PACKAGE = "arctic-inference==0.1.1"  # the version that vLLM 0.32 and 0.33 name
PROBE_SECONDS = 20.0  # for an interpreter to start on a cold disk
# vLLM keeps one core free of arithmetic. Where there are few, that is too many: on 2 cores, using both took prefill
# from 465 to 711 tokens a second and decode from 23 to 26.
FEW_CORES = 4
KEPT_VARIABLES = ("PATH", "HOME", "USER", "LOGNAME", "LANG", "TZ", "TMPDIR", "XDG_CACHE_HOME", "SSL_CERT_FILE")
KEPT_PREFIXES = ("LC_", "LD_", "CUDA_", "NVIDIA_", "OMP_", "KMP_", "MKL_")


def vllm_command(spec: EngineSpec, port: int) -> list[str]:
    """What starts vLLM. The key is not in it: command lines can be read by every user of the machine."""
    command = [str(spec.runtime_python), "-P", "-m", "vllm.entrypoints.openai.api_server"]
    command += ["--model", str(spec.model_folder), "--served-model-name", spec.model_name]
    command += ["--host", "127.0.0.1", "--port", str(port)]
    command += ["--dtype", _dtype(spec.device), "--max-model-len", str(spec.max_model_len)]
    command += ["--enable-lora", "--max-lora-rank", str(spec.max_lora_rank)]
    command += ["--max-loras", str(MAX_LORAS), "--max-cpu-loras", str(MAX_CPU_LORAS)]
    command += ["--enable-prefix-caching", "--scheduling-policy", "priority", "--disable-uvicorn-access-log"]
    command += ["--middleware", KEYED]
    if spec.device == "cuda":
        command += ["--gpu-memory-utilization", f"{gpu_share(spec):.3f}", "--enable-sleep-mode"]
        command += speculation(spec)
    return command


def _dtype(device: Device) -> str:
    """A GPU has its own best one, by the model and its age; the trainer's on a processor."""
    if device == "cuda":
        return "auto"
    return "bfloat16" if has_bf16() else "float32"


def speculation(spec: EngineSpec) -> list[str]:
    """Has vLLM guess tokens from the text so far: code repeats itself. Written, not run: no GPU here.

    On a CPU vLLM 0.32 does not refuse it, but warns of a slower engine; we leave it out there.
    """
    if spec.speculative == "off":
        return []
    return ["--speculative-config", json.dumps({"method": spec.speculative, **SPECULATION[spec.speculative]})]


def vllm_environment(key: str, spec: EngineSpec, environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Little of ours, nothing of the user's Python: the engine outlives the shell or editor that caused it.

    On a GPU it may be put to sleep for a training. vLLM offers that only beside what its developers use, which is why
    all of its addresses ask for the key (`KEYED`).
    """
    sleeping = {"VLLM_SERVER_DEV_MODE": "1"} if spec.device == "cuda" else {}
    kept = {name: value for name, value in environ.items() if name in KEPT_VARIABLES or name.startswith(KEPT_PREFIXES)}
    return {
        **kept,
        **sleeping,
        CORE_VARIABLE: spec.core,
        "ACCLIMATE_ENGINE": "1",
        "DO_NOT_TRACK": "1",
        "HF_HUB_OFFLINE": "1",
        "PYTHONSAFEPATH": "1",
        "PYTHONUNBUFFERED": "1",  # the last words of a dying process reach the log
        "VLLM_ALLOW_RUNTIME_LORA_UPDATING": "True",
        "VLLM_API_KEY": key,
        "VLLM_CPU_KVCACHE_SPACE": str(KV_CACHE_GB),
        "VLLM_CPU_NUM_OF_RESERVED_CPU": "0" if (os.cpu_count() or 1) <= FEW_CORES else "1",
        "VLLM_NO_USAGE_STATS": "1",
        "VLLM_PLUGINS": "acclimate",
    }


def check(spec: EngineSpec) -> None:
    """Finds in milliseconds what vLLM would find after half a minute.

    Raises:
        ModelCorrupt: The folder lacks a part, or a file of weights is cut short.
        RuntimeMissing: The interpreter is not there, or lacks what `engine.speculative` needs.
    """
    if not spec.runtime_python.is_file():
        raise RuntimeMissing(f"There is no Python at {str(spec.runtime_python)!r}. Run `acclimate doctor --fix`.")
    if spec.device == "cuda" and spec.speculative == "suffix" and not _has_suffix_package(spec.runtime_python):
        raise RuntimeMissing(
            f'`engine.speculative` is "suffix", which needs a package that {str(spec.runtime_python)!r} does not have. '
            f'Install it: `{spec.runtime_python} -m pip install {SUFFIX_PACKAGE}`, or set "ngram".'
        )
    again = f"Fetch it again: `acclimate model fetch {spec.model_name}`."
    for name in ("config.json", "tokenizer.json"):
        if not (spec.model_folder / name).is_file():
            raise ModelCorrupt(f"The model in {str(spec.model_folder)!r} has no {name}. {again}")
    weights = sorted(spec.model_folder.glob("*.safetensors"))
    if not weights:
        raise ModelCorrupt(f"The model in {str(spec.model_folder)!r} has no weights. {again}")
    for file in weights:
        if not _is_whole(file):
            raise ModelCorrupt(f"The model's weights {str(file)!r} are damaged. {again}")


def _has_suffix_package(python: Path) -> bool:
    probe = "import importlib.util, sys; sys.exit(importlib.util.find_spec('arctic_inference') is None)"
    try:
        return subprocess.run([python, "-P", "-c", probe], timeout=PROBE_SECONDS, check=False).returncode == 0
    except (OSError, subprocess.SubprocessError):
        return False


def _is_whole(file: Path) -> bool:
    """Whether a safetensors file is as long as its header says."""
    with file.open("rb") as stream:
        header_bytes = int.from_bytes(stream.read(8), "little")
        if header_bytes > file.stat().st_size:
            return False
        try:
            header = json.loads(stream.read(header_bytes))
            end = max(entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__")
        except (ValueError, KeyError, TypeError, AttributeError):
            return False
    return bool(file.stat().st_size == 8 + header_bytes + end)


def gpu_share(spec: EngineSpec) -> float:
    """The budget as a share of the first GPU's memory, which is how vLLM wants it. Written, not run: no GPU here.

    Raises:
        EngineError: There is no GPU, or the budget is larger than it.
    """
    weights_bytes = sum(file.stat().st_size for file in spec.model_folder.glob("*.safetensors"))
    budget_gb = spec.gpu_memory_gb or weights_bytes / 2**30 + GPU_EXTRA_GB
    total_gb = _gpu_memory_gb()
    if budget_gb > total_gb:
        raise EngineError(
            f"The engine's budget of {budget_gb:.1f} GB is more than the GPU's {total_gb:.1f} GB. "
            "Set `engine.gpu_memory_gb` lower, or take a smaller model."
        )
    return budget_gb / total_gb


def _gpu_memory_gb() -> float:
    query = ["nvidia-smi", "--query-gpu=memory.total", "--format=csv,noheader,nounits"]
    try:
        answer = subprocess.run(query, capture_output=True, text=True, timeout=20, check=True).stdout
        return float(answer.splitlines()[0]) / MIB_PER_GB
    except (OSError, subprocess.SubprocessError, ValueError, IndexError) as error:
        raise EngineError("nvidia-smi names no GPU. Check the driver, or run `acclimate doctor`.") from error
