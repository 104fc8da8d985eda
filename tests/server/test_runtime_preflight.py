"""The preflight: quick, before anything is installed, and in sentences."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from acclimate_indexer.home import Home
from acclimate_server.runtime.hardware import GpuChoice, gpu_choice, gpus
from acclimate_server.runtime.preflight import Check, linux_places, preflight

ROOT = Path(__file__).parents[2]
SERVER = ROOT / "server"
MODERN = frozenset({"avx2", "avx512f", "avx512_bf16"})
NO_GPU = GpuChoice(gpu=None, sentence="none.")


def check(home: Home, name: str, **known: object) -> Check:
    found = preflight(home, **{"flags": MODERN, "gpu": NO_GPU} | known)  # type: ignore[arg-type]  # names vary by test
    return next(check for check in found.checks if check.name == name)


def test_it_answers_within_two_seconds_without_the_core(tmp_path: Path) -> None:
    bare = {"PATH": os.environ["PATH"], "PYTHONPATH": str(SERVER), "ACCLIMATE_HOME": str(tmp_path)}
    command = [sys.executable, "-P", "-S", "-m", "acclimate_server.runtime.preflight"]  # -S: no site-packages
    started = time.monotonic()

    said = subprocess.run(command, env=bare, capture_output=True, text=True, check=False)

    assert time.monotonic() - started < 2
    assert said.returncode == 0, said.stderr
    assert said.stdout == "", "results go to stdout, and this is none"
    for word in ("Python", "venv", "disk", "memory", "processor", "GPU", "GB to download", "minutes"):
        assert word in said.stderr


def test_it_knows_the_same_places_as_the_home(monkeypatch: pytest.MonkeyPatch) -> None:
    for root in (None, "/somewhere/else"):
        monkeypatch.delenv("ACCLIMATE_HOME", raising=False)
        if root is not None:
            monkeypatch.setenv("ACCLIMATE_HOME", root)
        home = Home.default()

        assert (linux_places().data, linux_places().cache) == (home.data, home.cache)


def test_a_processor_without_avx2_is_refused_even_with_a_remote_engine(home: Home) -> None:
    found = check(home, "processor", flags=frozenset({"sse2"}))

    assert not found.ok
    assert found.blocking
    assert "engine.url" in found.sentence


def test_a_processor_without_bf16_is_slower_but_fit(home: Home) -> None:
    found = check(home, "processor", flags=frozenset({"avx2"}))

    assert found.ok
    assert "slower" in found.sentence


def test_a_full_disk_is_said_with_what_is_needed(home: Home) -> None:
    found = check(home, "disk", free_bytes=lambda _: 1_000_000)

    assert not found.ok
    assert "ACCLIMATE_HOME" in found.sentence


def test_a_missing_model_is_said_with_size_and_time(home: Home) -> None:
    found = check(home, "model")

    assert not found.ok
    assert not found.blocking
    assert "GB to download" in found.sentence
    assert "minutes" in found.sentence


def test_nothing_is_to_be_installed_when_all_is_there(home: Home) -> None:
    (home.model("any")).mkdir(parents=True)
    (home.model("any") / "acclimate.json").touch()

    assert check(home, "model").ok
    with_model = preflight(home, flags=MODERN, gpu=NO_GPU)
    assert with_model.download_bytes in (0, 885_000_000)  # the second where this interpreter is no runtime


@pytest.mark.parametrize(
    ("line", "device", "words"),
    [
        ("NVIDIA L4, 590.12, 23034, 22500", "cuda", "NVIDIA L4"),
        ("NVIDIA L4, 535.10, 23034, 22500", "cpu", "driver is older than 580"),
        ("NVIDIA T400, 590.12, 4096, 3900", "cpu", "6 GB are needed"),
        ("NVIDIA L4, 590.12, 23034, 2000", "cpu", "2.0 of 22.5 GB free"),
        ("No devices were found", "cpu", "no NVIDIA GPU answers"),
        ("NVIDIA Thor, [N/A], [N/A], [N/A]", "cpu", "no NVIDIA GPU answers"),
    ],
)
def test_a_gpu_that_will_not_do_falls_back_to_the_processor_with_a_sentence(
    home: Home, tmp_path: Path, line: str, device: str, words: str
) -> None:
    choice = gpu_choice(gpus(str(_nvidia_smi(tmp_path, f"echo '{line}'"))))

    found = preflight(home, flags=MODERN, gpu=choice)

    assert found.device == device
    assert words in next(check.sentence for check in found.checks if check.name == "GPU")


def test_a_machine_without_a_driver_has_no_gpu(tmp_path: Path) -> None:
    assert gpus(str(tmp_path / "nvidia-smi")) == []
    assert gpus(str(_nvidia_smi(tmp_path, "exit 9"))) == []


def test_a_driver_that_hangs_does_not_hold_up_the_preflight(tmp_path: Path) -> None:
    started = time.monotonic()

    assert gpus(str(_nvidia_smi(tmp_path, "exec sleep 30"))) == []
    assert time.monotonic() - started < 2


def _nvidia_smi(folder: Path, line: str) -> Path:
    script = folder / "nvidia-smi"
    script.write_text(f"#!/bin/sh\n{line}\n", encoding="utf-8")
    script.chmod(0o755)
    return script
