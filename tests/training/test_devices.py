"""How engine and training share GPUs. There is none here: the decisions are tested, the GPUs are not."""

from pathlib import Path

import pytest

from acclimate_indexer.errors import TrainingError, UsageError
from acclimate_training.devices import (
    RESERVE_BYTES,
    Gpu,
    GpuPolicy,
    confine,
    gpu_share,
    installed_gpus,
    launch_command,
    visible,
)

GB = 10**9


def gpu(index: int, free_gb: int, total_gb: int = 24) -> Gpu:
    return Gpu(index=index, total_bytes=total_gb * GB, free_bytes=free_gb * GB)


@pytest.mark.parametrize(
    ("gpus", "needed_gb", "policy", "indexes", "memory"),
    [
        ([], 8, "cpu", (), 0),
        ([gpu(0, 16)], 8, "split", (0,), 16 * GB - RESERVE_BYTES),
        ([gpu(0, 8)], 8, "sleep", (0,), 24 * GB - 2 * RESERVE_BYTES),
        ([gpu(0, 16), gpu(1, 24)], 8, "separate", (1,), 24 * GB),
        ([gpu(0, 16), gpu(1, 20), gpu(2, 24)], 8, "separate", (1, 2), 20 * GB),
        ([gpu(0, 16), gpu(1, 2)], 8, "split", (0,), 16 * GB - RESERVE_BYTES),
    ],
)
def test_the_way_that_disturbs_the_engine_least_is_taken(
    gpus: list[Gpu], needed_gb: int, policy: str, indexes: tuple[int, ...], memory: int
) -> None:
    share = gpu_share("auto", gpus, engine_gpu=0, needed_bytes=needed_gb * GB, can_sleep=True)

    assert (share.policy, share.gpus, share.memory_bytes) == (policy, indexes, memory)
    assert share.reason


def test_without_an_engine_every_gpu_is_free() -> None:
    share = gpu_share("auto", [gpu(0, 20)], engine_gpu=None, needed_bytes=8 * GB, can_sleep=False)

    assert (share.policy, share.gpus) == ("separate", (0,))


@pytest.mark.parametrize("policy", ["split", "sleep", "separate"])
def test_what_was_asked_for_is_done_where_it_can_be(policy: GpuPolicy) -> None:
    share = gpu_share(policy, [gpu(0, 16), gpu(1, 16)], engine_gpu=0, needed_bytes=8 * GB, can_sleep=True)

    assert share.policy == policy


@pytest.mark.parametrize(
    ("policy", "can_sleep"), [("separate", True), ("split", True), ("sleep", False), ("auto", False)]
)
def test_no_room_is_said_with_its_numbers(policy: GpuPolicy, can_sleep: bool) -> None:
    with pytest.raises(TrainingError, match=r"needs about 8\.0 GB .* engine\. GPU 0: 4\.0 GB of 24\.0 GB free"):
        gpu_share(policy, [gpu(0, 4)], engine_gpu=0, needed_bytes=8 * GB, can_sleep=can_sleep)


def test_a_policy_that_there_is_not_is_refused() -> None:
    with pytest.raises(UsageError, match="no GPU policy 'all'"):
        gpu_share("all", [gpu(0, 4)], engine_gpu=0, needed_bytes=1, can_sleep=True)  # type: ignore[arg-type]


def test_a_training_sees_its_share_alone() -> None:
    environ = {"CUDA_VISIBLE_DEVICES": "0,1,2"}
    share = gpu_share("separate", [gpu(0, 4), gpu(1, 20)], engine_gpu=0, needed_bytes=8 * GB, can_sleep=False)
    confine(share, environ)

    assert environ == {"CUDA_VISIBLE_DEVICES": "1", "CUDA_DEVICE_ORDER": "PCI_BUS_ID"}


@pytest.mark.parametrize(
    ("environ", "indexes"),
    [
        ({}, [0, 1]),
        ({"CUDA_VISIBLE_DEVICES": "1"}, [1]),
        ({"CUDA_VISIBLE_DEVICES": ""}, []),
        ({"CUDA_VISIBLE_DEVICES": "GPU-1f2e"}, [0, 1]),
    ],
)
def test_a_gpu_that_the_user_hides_is_not_taken(environ: dict[str, str], indexes: list[int]) -> None:
    assert [each.index for each in visible([gpu(0, 4), gpu(1, 4)], environ)] == indexes


def test_a_driver_is_asked_and_may_be_missing(tmp_path: Path) -> None:
    driver = tmp_path / "nvidia-smi"
    driver.write_text("#!/bin/sh\necho '0, 24576, 20000'\necho '1, 24576, 100'\n", encoding="utf-8")
    driver.chmod(0o700)
    broken = tmp_path / "broken"
    broken.write_text("#!/bin/sh\necho 'No devices were found'\n", encoding="utf-8")
    broken.chmod(0o700)

    assert installed_gpus(str(driver)) == [
        Gpu(index=0, total_bytes=24576 * 2**20, free_bytes=20000 * 2**20),
        Gpu(index=1, total_bytes=24576 * 2**20, free_bytes=100 * 2**20),
    ]
    assert installed_gpus(str(broken)) == []
    assert installed_gpus(str(tmp_path / "none")) == []


def test_several_gpus_are_torchruns_business() -> None:
    python, job = Path("/runtime/bin/python"), Path("/runs/1/job.json")

    assert launch_command(python, "acclimate_training", job, processes=1) == [
        *(str(python), "-P", "-m", "acclimate_training", str(job))
    ]
    assert launch_command(python, "acclimate_training", job, processes=2) == [
        *(str(python), "-P", "-m", "torch.distributed.run", "--nnodes=1", "--nproc-per-node=2"),
        *("--rdzv-backend=c10d", "--rdzv-endpoint=127.0.0.1:0", "-m", "acclimate_training", str(job)),
    ]
