"""What the tensors run on, in which precision, and how much memory is free for them."""

from pathlib import Path

import psutil
import torch

from .processor import has_bf16
from .recipe import Device

CGROUP = Path("/sys/fs/cgroup")


def device() -> Device:
    return "cuda" if torch.cuda.is_available() else "cpu"


def compute_dtype(where: Device) -> torch.dtype:
    """bfloat16 where there are instructions for it; elsewhere it is emulated, and slower than float32."""
    if where == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float32
    return torch.bfloat16 if has_bf16() else torch.float32


def free_bytes(where: Device) -> int:
    """Memory that can be taken now: of the GPU in use, or of this machine or container."""
    if where == "cuda":
        ours_and_empty = torch.cuda.memory_reserved() - torch.cuda.memory_allocated()
        return int(torch.cuda.mem_get_info()[0] + ours_and_empty)
    return min(int(psutil.virtual_memory().available), _free_in_container(CGROUP))


def gpu_words() -> str:
    """The GPU in use and its memory, as a reader would name them."""
    found = torch.cuda.get_device_properties(torch.cuda.current_device())
    return f"{found.name}, {found.total_memory / 1e9:.0f} GB"


def _free_in_container(cgroup: Path) -> int:
    """What the container's limit leaves; the machine's numbers do not know of it, and its breach is a kill."""
    try:
        limit = (cgroup / "memory.max").read_text(encoding="ascii").strip()
        if limit == "max":
            return int(psutil.virtual_memory().total)
        used = int((cgroup / "memory.current").read_text(encoding="ascii"))
        stat = (cgroup / "memory.stat").read_text(encoding="ascii").split()
        cached = int(stat[stat.index("inactive_file") + 1])  # given back on demand
        return max(0, int(limit) - used + cached)
    except (OSError, ValueError):
        return int(psutil.virtual_memory().total)
