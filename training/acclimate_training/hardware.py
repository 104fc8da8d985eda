"""What the tensors run on, and in which precision."""

import platform
from pathlib import Path

import torch

from .recipe import Device


def device() -> Device:
    return "cuda" if torch.cuda.is_available() else "cpu"


def compute_dtype(where: Device) -> torch.dtype:
    """bfloat16 where there are instructions for it; elsewhere it is emulated, and slower than float32."""
    if where == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float32
    return torch.bfloat16 if _processor_has_bf16() else torch.float32


def _processor_has_bf16() -> bool:
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="utf-8").split()
    except OSError:
        return platform.machine() == "arm64"  # Apple's processors have had it since 2022
    return not {"avx512_bf16", "amx_bf16", "bf16"}.isdisjoint(flags)
