"""What vLLM is started with, and what is read from its last words."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from tests.engine.stand_in import stand_in_model, write_stand_in

from acclimate_indexer.errors import ModelCorrupt, RuntimeMissing
from acclimate_server.engine.child import last_error
from acclimate_server.engine.command import check, vllm_command, vllm_environment
from acclimate_server.engine.options import EngineOptions, EngineSpec, Speculative
from acclimate_training.core import CORE_VARIABLE, this_core
from acclimate_training.processor import has_bf16
from acclimate_vllm_plugin.keyed import Keyed


@pytest.fixture
def spec(tmp_path: Path) -> EngineSpec:
    return EngineSpec.of(EngineOptions(), stand_in_model(tmp_path / "model"), write_stand_in(tmp_path))


def test_the_environment_has_the_key_the_core_and_nothing_of_the_users_python(spec: EngineSpec) -> None:
    users = {"PATH": "/bin", "PYTHONPATH": "/evil", "PYTHONSTARTUP": "/evil.py", "VLLM_LOGGING_LEVEL": "DEBUG"}

    environment = vllm_environment("k", replace(spec, core="/core"), users)

    assert environment["VLLM_API_KEY"] == "k"
    assert environment[CORE_VARIABLE] == "/core"
    assert environment["PATH"] == "/bin"
    assert environment["PYTHONSAFEPATH"] == "1"
    assert not environment.keys() & {"PYTHONPATH", "PYTHONSTARTUP", "VLLM_LOGGING_LEVEL"}


def test_the_command_listens_on_loopback_only_and_serves_under_the_models_name(spec: EngineSpec) -> None:
    command = vllm_command(spec, 8123)

    assert command[1:3] == ["-P", "-m"]
    assert command[command.index("--host") + 1] == "127.0.0.1"
    assert command[command.index("--served-model-name") + 1] == "stand-in"


@pytest.mark.parametrize(
    ("flags", "dtype"), [("avx2", "float32"), ("avx2 avx512f", "float32"), ("avx2 avx512_bf16", "bfloat16")]
)
def test_the_precision_is_one_that_the_processor_multiplies(
    spec: EngineSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flags: str, dtype: str
) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text(f"flags\t\t: fpu {flags} clflush\n", encoding="utf-8")
    monkeypatch.setattr("acclimate_server.engine.command.has_bf16", lambda: has_bf16(cpuinfo))
    monkeypatch.setattr("acclimate_server.engine.command._gpu_memory_gb", lambda: 80.0)

    command = vllm_command(spec, 8123)
    assert command[command.index("--dtype") + 1] == dtype
    command = vllm_command(replace(spec, device="cuda"), 8123)
    assert command[command.index("--dtype") + 1] == "auto"


def test_an_engine_on_a_gpu_can_be_put_to_sleep_and_every_address_of_it_asks_for_the_key(
    spec: EngineSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("acclimate_server.engine.command._gpu_memory_gb", lambda: 80.0)

    on_gpu = replace(spec, device="cuda")
    assert "--enable-sleep-mode" in vllm_command(on_gpu, 8123)
    assert "--enable-sleep-mode" not in vllm_command(spec, 8123)
    assert vllm_environment("k", on_gpu, {})["VLLM_SERVER_DEV_MODE"] == "1"
    assert "VLLM_SERVER_DEV_MODE" not in vllm_environment("k", spec, {})
    for each in (on_gpu, spec):
        command = vllm_command(each, 8123)
        assert command[command.index("--middleware") + 1] == f"{Keyed.__module__}.{Keyed.__name__}"


@pytest.mark.parametrize("method", ["ngram", "suffix"])
def test_tokens_are_guessed_on_a_gpu_alone(
    spec: EngineSpec, monkeypatch: pytest.MonkeyPatch, method: Speculative
) -> None:
    monkeypatch.setattr("acclimate_server.engine.command._gpu_memory_gb", lambda: 80.0)
    guessing = replace(spec, speculative=method)

    command = vllm_command(replace(guessing, device="cuda"), 8123)

    config = json.loads(command[command.index("--speculative-config") + 1])
    assert config["method"] == method
    assert config["num_speculative_tokens"] > 1
    assert "--speculative-config" not in vllm_command(guessing, 8123)
    assert "--speculative-config" not in vllm_command(replace(spec, device="cuda"), 8123)


def test_what_suffixes_need_is_looked_for_before_anything_starts(spec: EngineSpec) -> None:
    with pytest.raises(RuntimeMissing, match=r'pip install arctic-inference==0.1.1`, or set "ngram"'):
        check(replace(spec, device="cuda", speculative="suffix"))

    check(replace(spec, device="cuda", speculative="ngram"))
    check(replace(spec, speculative="suffix"))


def test_what_an_engine_cannot_be_given_is_remarked_and_nothing_else() -> None:
    assert EngineOptions().remarks() == []
    assert EngineOptions(device="cuda", speculative="ngram").remarks() == []
    assert EngineOptions(url="https://gpu.example", key="k", speculative="ngram").remarks() == []
    assert "is for CUDA only" in EngineOptions(speculative="ngram").remarks()[0]
    assert "can be read on the way" in EngineOptions(url="http://gpu.example", key="k").remarks()[0]


def test_a_spec_survives_the_wire_and_unknown_keys_are_ignored(spec: EngineSpec) -> None:
    record = spec.to_json()
    assert EngineSpec.from_json(record | {"later": 1}) == spec
    assert spec.core == this_core()
    del record["speculative"], record["core"]  # a client of an earlier version
    assert EngineSpec.from_json(record) == spec


def test_a_whole_model_passes_and_a_cut_one_does_not(spec: EngineSpec) -> None:
    check(spec)
    weights = spec.model_folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1])

    with pytest.raises(ModelCorrupt, match="damaged"):
        check(spec)


def test_an_interpreter_that_is_gone_is_named(spec: EngineSpec) -> None:
    spec.runtime_python.unlink()

    with pytest.raises(RuntimeMissing, match="acclimate doctor --fix"):
        check(spec)


def test_the_reason_is_the_cause_and_not_what_follows_from_it() -> None:
    log = """\
(EngineCore pid=1) ERROR 11-22 22:08:15 [core.py:72] Traceback (most recent call last):
(EngineCore pid=1) ERROR 11-22 22:08:15 [core.py:72] torch.OutOfMemoryError: CUDA out of memory. Tried 2 GiB
(APIServer pid=2) RuntimeError: Engine core initialization failed. See root cause above. Failed core proc(s): {}
"""
    assert last_error(log) == "OutOfMemoryError: CUDA out of memory. Tried 2 GiB"
    assert last_error("all is well") == ""
