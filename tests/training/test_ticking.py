"""Progress of what shows none itself."""

import threading

from acclimate_training.ticking import reported_seconds, ticking


def test_it_ticks_while_the_block_runs_and_not_after() -> None:
    ticked = threading.Event()
    count = 0

    def tick() -> None:
        nonlocal count
        count += 1
        ticked.set()

    with ticking(tick):
        assert ticked.wait(timeout=30)
    after = count

    assert count == after >= 1
    assert not [thread for thread in threading.enumerate() if thread.name == "progress"]


def test_the_last_second_is_reported_only_at_the_end() -> None:
    reports: list[tuple[str, int, int]] = []
    with reported_seconds("convert", 10, lambda *report: reports.append(report)):
        assert reports == [("convert", 0, 10)]

    assert reports[-1] == ("convert", 10, 10)
