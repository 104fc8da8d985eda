"""Makes vLLM's adapters fast on a CPU. vLLM imports it in each of its processes (entry point `vllm.general_plugins`).

Inert unless `ACCLIMATE_ENGINE=1`, the platform is the CPU, and the code that it replaces is byte for byte the code
that it was written against. Anything else runs vLLM as it is: slower, never wrong.
"""

import hashlib
import inspect
import logging
import os
from types import ModuleType

KNOWN_SOURCES = {  # SHA-256 of modules of vLLM 0.32.0 (and of every other version that has the same)
    "vllm.lora.ops.torch_ops.lora_ops": "33bc2aca729ebc379e1725c3c1ca870e70aa3b278f0ad3d2a621e6ec8ee99c20",
    "vllm.lora.punica_wrapper.punica_cpu": "d2ca28b31743f59a4a5a7c45449cf0f71d3019b842d551dee6cb7e7af53b02ee",
    "vllm.lora.punica_wrapper.punica_base": "1fec4fd96e8c6a266176b198cf18a7f81400eefcf190c52da2b313b3b535f7eb",
}

log = logging.getLogger(__name__)


def register() -> None:
    """Replaces the CPU's adapter arithmetic in this process. Twice does no harm."""
    if os.environ.get("ACCLIMATE_ENGINE") != "1":
        return
    from vllm.platforms import current_platform

    if not current_platform.is_cpu():
        return
    from vllm.lora.ops.torch_ops import lora_ops
    from vllm.lora.punica_wrapper import punica_base, punica_cpu

    if unknown := [module.__name__ for module in (lora_ops, punica_base, punica_cpu) if not _is_known(module)]:
        log.warning("vLLM's own adapter arithmetic is used, which is slow: %s changed", ", ".join(unknown))
        return
    from .cpu_lora import install

    install(punica_cpu.PunicaWrapperCPU)


def _is_known(module: ModuleType) -> bool:
    digest = hashlib.sha256(inspect.getsource(module).encode()).hexdigest()
    return digest == KNOWN_SOURCES[module.__name__]
