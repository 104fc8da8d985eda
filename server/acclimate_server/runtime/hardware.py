"""What this machine has: processor, memory, GPU. The standard library alone, and no GPU library is loaded."""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

MIN_DRIVER = 580  # the CUDA 13 that torch 2.14 is built with needs this driver series
MIN_FREE_VRAM_GB = 6.0  # the 1.5B model, its KV cache and a training beside it
NVIDIA_SMI_SECONDS = 1.5  # it answers in a tenth; a hanging driver must not hold up the preflight
QUERY = "--query-gpu=name,driver_version,memory.total,memory.free"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gpu:
    """A graphics card as its driver reports it."""

    name: str
    driver: str
    total_gb: float
    free_gb: float


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuChoice:
    """The GPU that will be used, or None, and why in one sentence."""

    gpu: Gpu | None
    sentence: str


def gpus(nvidia_smi: str = "nvidia-smi") -> list[Gpu]:
    """The GPUs that the driver reports; none where there is no driver, or it does not answer."""
    try:
        answer = subprocess.run(
            [nvidia_smi, QUERY, "--format=csv,noheader,nounits"],
            capture_output=True,
            text=True,
            timeout=NVIDIA_SMI_SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return []
    return [gpu for line in answer.stdout.splitlines() if (gpu := _parsed(line)) is not None]


def gpu_choice(found: list[Gpu]) -> GpuChoice:
    """Takes the GPU with the most free memory, or says why the processor does the work."""
    if not found:
        return GpuChoice(gpu=None, sentence="no NVIDIA GPU answers; everything runs on the processor, slower.")
    best = max(found, key=lambda gpu: gpu.free_gb)
    words = f"{best.name}, driver {best.driver}, {best.free_gb:.1f} of {best.total_gb:.1f} GB free"
    if int(best.driver.partition(".")[0]) < MIN_DRIVER:
        sentence = f"{words}: the driver is older than {MIN_DRIVER}, so everything runs on the processor. Update it."
        return GpuChoice(gpu=None, sentence=sentence)
    if best.free_gb < MIN_FREE_VRAM_GB:
        sentence = f"{words}: {MIN_FREE_VRAM_GB:.0f} GB are needed, so everything runs on the processor."
        return GpuChoice(gpu=None, sentence=sentence)
    return GpuChoice(gpu=best, sentence=f"{words}.")


def cpu_flags(cpuinfo: Path = Path("/proc/cpuinfo")) -> frozenset[str]:
    """The instruction sets of the first processor; empty where the system does not tell."""
    try:
        found = re.search(r"^flags\s*:\s*(.*)$", cpuinfo.read_text(encoding="utf-8"), flags=re.MULTILINE)
    except OSError:
        return frozenset()
    return frozenset(found[1].split()) if found else frozenset()


def memory_gb(meminfo: Path = Path("/proc/meminfo")) -> tuple[float, float]:
    """Total and available memory; zeros where the system does not tell."""
    try:
        text = meminfo.read_text(encoding="utf-8")
    except OSError:
        return 0.0, 0.0
    values = {match[1]: int(match[2]) / 1024**2 for match in re.finditer(r"^(\w+):\s+(\d+) kB", text, re.MULTILINE)}
    return values.get("MemTotal", 0.0), values.get("MemAvailable", 0.0)


def _parsed(line: str) -> Gpu | None:
    fields = [field.strip() for field in line.split(",")]
    try:
        name, driver, total, free = fields
        int(driver.partition(".")[0])
        return Gpu(name=name, driver=driver, total_gb=float(total) / 1024, free_gb=float(free) / 1024)
    except ValueError:
        return None
