"""Which GPUs a training may use beside the engine, and how much of them: decided before any tensor library is loaded.

Three ways to share. `separate`: GPUs that the engine does not use. `split`: the engine's GPU, within what is free after
a reserve. `sleep`: the engine's GPU, while the engine's weights wait in the machine's memory. A CUDA stream's priority
orders work within one process only, and the default is the lowest already; between engine and trainer the driver shares
the time, and what keeps the engine quick is that a micro-batch is short.

The decisions are pure functions with tests. On CUDA `separate` and the limit were run; `split` and `sleep`, which need
an engine there, and several GPUs are written, not run.
"""

import os
import subprocess
import sys
from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from acclimate_indexer.errors import TrainingError, UsageError

GpuPolicy = Literal["auto", "split", "sleep", "separate"]
POLICIES: tuple[GpuPolicy, ...] = ("auto", "split", "sleep", "separate")

RESERVE_BYTES = 10**9  # of the engine's GPU: what a request takes beyond the engine's budget, and CUDA's own context
QUERY = "--query-gpu=index,memory.total,memory.free"
NVIDIA_SMI_SECONDS = 5.0  # it answers in a tenth of one; a hanging driver must not hold a training up for long
MIB = 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Gpu:
    """A GPU as its driver counts it."""

    index: int
    total_bytes: int
    free_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuShare:
    """What the training gets.

    Attributes:
        policy: `cpu` where there is no GPU.
        gpus: Indexes, by the driver.
        memory_bytes: On each of them, at most; 0 sets no limit.
        reason: Why, in a sentence.
    """

    policy: Literal["cpu", "separate", "split", "sleep"]
    gpus: tuple[int, ...]
    memory_bytes: int
    reason: str


def take_share(
    wanted: GpuPolicy, *, needed_bytes: int, engine_gpu: int | None, can_sleep: bool = False, several: bool = True
) -> GpuShare:
    """Decides, and confines this process and its children to the share; raises as `gpu_share` does.

    To be called before torch first looks for a GPU, and `limit_memory` with the result after it was imported.

    Args:
        several: More than one GPU is of use; else the freest is taken.
    """
    gpus = visible(installed_gpus(), os.environ)
    share = gpu_share(wanted, gpus, engine_gpu=engine_gpu, needed_bytes=needed_bytes, can_sleep=can_sleep)
    if share.gpus and not several:
        freest = max((gpu for gpu in gpus if gpu.index in share.gpus), key=lambda gpu: gpu.free_bytes)
        share = replace(share, gpus=(freest.index,))
    if share.gpus:
        confine(share)
    return share


def gpu_share(
    wanted: GpuPolicy, gpus: Sequence[Gpu], *, engine_gpu: int | None, needed_bytes: int, can_sleep: bool
) -> GpuShare:
    """The share of the GPUs that leaves the engine alive.

    Args:
        engine_gpu: The index of the GPU on which an engine of this machine runs; None if none does.
        needed_bytes: What base, adapter and one micro-batch take.
        can_sleep: The engine was started so that it can be put to sleep.

    Raises:
        UsageError: There is no such policy.
        TrainingError: No GPU has the memory in the way that was asked for.
    """
    if wanted not in POLICIES:
        raise UsageError(f"There is no GPU policy {wanted!r}. `training.gpu_policy` takes {', '.join(POLICIES)}.")
    if not gpus:
        return GpuShare(policy="cpu", gpus=(), memory_bytes=0, reason="no GPU answers: the processor trains")
    ways = [_separate(gpus, engine_gpu, needed_bytes)]
    ways += [_split(gpu, needed_bytes) for gpu in gpus if gpu.index == engine_gpu]
    ways += [_sleep(gpu, needed_bytes) for gpu in gpus if gpu.index == engine_gpu and can_sleep]
    possible = [way for way in ways if way is not None and wanted in ("auto", way.policy)]
    if possible:
        return possible[0]
    free = ", ".join(f"GPU {gpu.index}: {_gb(gpu.free_bytes)} of {_gb(gpu.total_bytes)} free" for gpu in gpus)
    raise TrainingError(
        f"The training needs about {_gb(needed_bytes)} of GPU memory, and with the policy {wanted!r} there is no room "
        f'beside the engine. {free}. Set `training.recipe` to "qlora", lower `engine.gpu_memory_gb`, or choose a '
        "smaller model."
    )


def installed_gpus(nvidia_smi: str = "nvidia-smi") -> list[Gpu]:
    """The GPUs that the driver reports; none where there is no driver, or it does not answer."""
    command = [nvidia_smi, QUERY, "--format=csv,noheader,nounits"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=NVIDIA_SMI_SECONDS, check=True).stdout
        rows = [[int(value) for value in line.split(",")] for line in answer.splitlines()]
        return [Gpu(index=index, total_bytes=total * MIB, free_bytes=free * MIB) for index, total, free in rows]
    except (OSError, subprocess.SubprocessError, ValueError):
        return []


def visible(gpus: Sequence[Gpu], environ: Mapping[str, str]) -> list[Gpu]:
    """Those that the user has not hidden from us. Names instead of numbers are left to CUDA: all are then visible."""
    names = environ.get("CUDA_VISIBLE_DEVICES")
    if names is None or not all(name.strip().isdigit() for name in names.split(",") if name.strip()):
        return list(gpus)
    allowed = {int(name) for name in names.split(",") if name.strip()}
    return [gpu for gpu in gpus if gpu.index in allowed]


def confine(share: GpuShare, environ: MutableMapping[str, str] = os.environ) -> None:
    """Makes the share all that this process and its children see; to be called before torch first looks for a GPU."""
    environ["CUDA_DEVICE_ORDER"] = "PCI_BUS_ID"  # else torch counts by speed, and the driver by slot
    environ["CUDA_VISIBLE_DEVICES"] = ",".join(map(str, share.gpus))


def limit_memory(share: GpuShare) -> None:
    """Holds torch's allocator to the share, so that a training runs out of memory before the engine does."""
    torch = sys.modules.get("torch")
    if torch is None or not share.memory_bytes or not torch.cuda.is_available():
        return
    total = torch.cuda.get_device_properties(torch.cuda.current_device()).total_memory
    torch.cuda.set_per_process_memory_fraction(min(1.0, share.memory_bytes / total))


def launch_command(python: Path, module: str, argument: Path, *, processes: int) -> list[str]:
    """What starts `module` with `argument` in one process a GPU on this machine, or in one alone.

    torchrun's rendezvous listens on a free port of the loopback address.
    """
    if processes == 1:
        return [str(python), "-P", "-m", module, str(argument)]
    torchrun = ["-P", "-m", "torch.distributed.run", "--nnodes=1", f"--nproc-per-node={processes}"]
    rendezvous = ["--rdzv-backend=c10d", "--rdzv-endpoint=127.0.0.1:0"]
    return [str(python), *torchrun, *rendezvous, "-m", module, str(argument)]


def _separate(gpus: Sequence[Gpu], engine_gpu: int | None, needed_bytes: int) -> GpuShare | None:
    found = [gpu for gpu in gpus if gpu.index != engine_gpu and gpu.free_bytes >= needed_bytes]
    if not found:
        return None
    memory = min(gpu.free_bytes for gpu in found)
    names = " and ".join(str(gpu.index) for gpu in found)
    reason = f"GPU {names}, which the engine does not use, with {_gb(memory)} free"
    return GpuShare(policy="separate", gpus=tuple(gpu.index for gpu in found), memory_bytes=memory, reason=reason)


def _split(gpu: Gpu, needed_bytes: int) -> GpuShare | None:
    memory = gpu.free_bytes - RESERVE_BYTES
    if memory < needed_bytes:
        return None
    reason = f"the engine's GPU {gpu.index}: {_gb(memory)} of it, which leaves {_gb(RESERVE_BYTES)} in reserve"
    return GpuShare(policy="split", gpus=(gpu.index,), memory_bytes=memory, reason=reason)


def _sleep(gpu: Gpu, needed_bytes: int) -> GpuShare | None:
    memory = gpu.total_bytes - 2 * RESERVE_BYTES  # a sleeping engine keeps its CUDA context
    if memory < needed_bytes:
        return None
    reason = f"the engine's GPU {gpu.index} while the engine sleeps: there is no room for both"
    return GpuShare(policy="sleep", gpus=(gpu.index,), memory_bytes=memory, reason=reason)


def _gb(count: int) -> str:
    return f"{count / 1e9:.1f} GB"
