"""vLLM's command line and environment, and what can be said about a model folder before it is tried."""

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from acclimate_indexer.errors import EngineError, ModelCorrupt, RuntimeMissing

from .options import Device, EngineSpec

KEYED = "acclimate_vllm_plugin.keyed.Keyed"
MAX_LORAS = 2  # in one batch: the live adapter and the one under evaluation
MAX_CPU_LORAS = 8  # kept in memory beside these; an adapter is tens of megabytes
KV_CACHE_GB = 1  # on a CPU: 87,000 tokens of the 0.5B model
GPU_EXTRA_GB = 4.0  # beyond the weights: 2 for the KV cache, 2 for activations and CUDA graphs
MIB_PER_GB = 1024
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
    command += ["--dtype", "bfloat16", "--max-model-len", str(spec.max_model_len)]
    command += ["--enable-lora", "--max-lora-rank", str(spec.max_lora_rank)]
    command += ["--max-loras", str(MAX_LORAS), "--max-cpu-loras", str(MAX_CPU_LORAS)]
    command += ["--enable-prefix-caching", "--scheduling-policy", "priority", "--disable-uvicorn-access-log"]
    command += ["--middleware", KEYED]
    if spec.device == "cuda":
        command += ["--gpu-memory-utilization", f"{gpu_share(spec):.3f}", "--enable-sleep-mode"]
    return command


def vllm_environment(key: str, device: Device, environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Little of ours, nothing of the user's Python: the engine outlives the shell or editor that caused it.

    On a GPU it may be put to sleep for a training. vLLM offers that only beside what its developers use, which is why
    all of its addresses ask for the key (`KEYED`).
    """
    sleeping = {"VLLM_SERVER_DEV_MODE": "1"} if device == "cuda" else {}
    kept = {name: value for name, value in environ.items() if name in KEPT_VARIABLES or name.startswith(KEPT_PREFIXES)}
    return {
        **kept,
        **sleeping,
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
        RuntimeMissing: The interpreter is not there.
    """
    if not spec.runtime_python.is_file():
        raise RuntimeMissing(f"There is no Python at {str(spec.runtime_python)!r}. Run `acclimate doctor --fix`.")
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
