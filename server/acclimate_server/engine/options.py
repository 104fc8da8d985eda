"""What clients and the supervisor tell each other: options, state, and the engine that is asked for."""

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, Self

from acclimate_indexer.models import LocalModel
from acclimate_training.core import this_core
from acclimate_training.engine_address import EngineAddress
from acclimate_training.shared_adapters import SharedFolder

Device = Literal["cpu", "cuda"]
Speculative = Literal["off", "ngram", "suffix"]
StateName = Literal["starting", "ready", "failed", "stopped"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineOptions:
    """The settings `engine.*`, resolved.

    Attributes:
        url: A vLLM that somebody else runs; empty starts one here.
        key: Of that vLLM. The local engine makes its own.
        ca_file: Certificates to trust beside the usual, where `url` is https.
        shared: A folder that that vLLM can read, too.
        port: Of the local engine; 0 takes a free one.
        idle_seconds: The local engine ends so long after its last lease.
        runtime_python: The interpreter that has vLLM; needed for a local engine.
        device: What that vLLM was built for.
        gpu_memory_gb: The budget on a GPU; None computes one from the model's size.
        speculative: How several tokens are guessed at once; on CUDA only.
        max_model_len: Prompt and answer together, in tokens.
        max_lora_rank: Adapters above this rank are refused; a higher one slows every request.
    """

    url: str = ""
    key: str = field(default="", repr=False)
    ca_file: Path | None = None
    shared: SharedFolder | None = None
    port: int = 0
    idle_seconds: float = 300.0
    runtime_python: Path | None = None
    device: Device = "cpu"
    gpu_memory_gb: float | None = None
    speculative: Speculative = "off"
    max_model_len: int = 4096
    max_lora_rank: int = 16

    @property
    def remote(self) -> EngineAddress | None:
        """The engine that somebody else runs; None for one of our own."""
        if not self.url:
            return None
        return EngineAddress(url=self.url, key=self.key, ca_file=self.ca_file, shared=self.shared)

    def remarks(self) -> list[str]:
        """What is worth knowing about an engine that serves all the same."""
        remarks = []
        if self.remote is not None and self.remote.tells_key:
            remarks.append(f"`engine.url` is {self.url!r}: without https the key and your code can be read on the way.")
        if not self.url and self.speculative != "off" and self.device != "cuda":
            remarks.append(f"`engine.speculative` is {self.speculative!r}, which is for CUDA only, and is ignored.")
        return remarks


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineState:
    """How the engine does; `reason` is a sentence for the user, empty while all is well."""

    state: StateName
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSpec:
    """The local engine that a client asks the supervisor for.

    Attributes:
        core: Whose code its processes import. The client's, as `runtime_python` is: the supervisor may be another
            core's, of another Python. Who joins an engine that runs takes it as it is.
    """

    model_name: str
    model_folder: Path
    identity: str
    runtime_python: Path
    device: Device
    port: int
    idle_seconds: float
    gpu_memory_gb: float | None
    max_model_len: int
    max_lora_rank: int
    speculative: Speculative = "off"
    core: str = field(default_factory=this_core)

    @classmethod
    def of(cls, options: EngineOptions, model: LocalModel, runtime_python: Path) -> Self:
        return cls(
            model_name=model.name,
            model_folder=model.folder,
            identity=model.identity,
            runtime_python=runtime_python,
            device=options.device,
            port=options.port,
            idle_seconds=options.idle_seconds,
            gpu_memory_gb=options.gpu_memory_gb,
            max_model_len=options.max_model_len,
            max_lora_rank=options.max_lora_rank,
            speculative=options.speculative,
        )

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"model_folder": str(self.model_folder), "runtime_python": str(self.runtime_python)}

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> Self:
        """Raises KeyError or TypeError for what is no spec; unknown keys are ignored."""
        known = {name: record[name] for name in cls.__slots__ if name in record}
        for name in ("model_folder", "runtime_python"):
            known[name] = Path(known[name])
        return cls(**known)
