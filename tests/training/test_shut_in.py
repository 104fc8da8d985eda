"""Programs that a model had a hand in get nowhere, and say whether they passed."""

import pytest
from benchmarks.shut_in import outcome


def test_a_program_that_runs_to_its_end_has_passed() -> None:
    found = outcome("import collections, hashlib, math\nassert math.sqrt(4) == 2\nprint('done')")

    assert found.passed
    assert found.network in ("namespace", "hook")


@pytest.mark.parametrize(
    ("program", "failure"),
    [
        ("assert 1 == 2", "AssertionError"),
        ("def f(:", "SyntaxError"),
        ("import sys; sys.exit(0)", "SystemExit"),
        ("import os; os._exit(0)", ""),
        ("while True: pass", ""),
        ("x = ' ' * 2**31", "MemoryError"),
        ("import socket; socket.create_connection(('127.0.0.1', 9))", "PermissionError"),
        ("import os; os.system('true')", "PermissionError"),
        ("import os; os.fork()", "PermissionError"),
        ("import subprocess; subprocess.run(['true'])", "PermissionError"),
        ("import ctypes; ctypes.CDLL(None)", "PermissionError"),
        ("open('written', 'w')", "PermissionError"),
        ("import os; os.open('written', os.O_CREAT | os.O_WRONLY)", "PermissionError"),
    ],
)
def test_what_fails_or_reaches_out_has_not_passed(program: str, failure: str) -> None:
    found = outcome(program)

    assert not found.passed
    assert found.failure == failure


def test_it_runs_in_an_empty_folder() -> None:
    assert outcome("import os\nassert os.listdir('.') == []").passed


def test_it_does_not_see_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACCLIMATE_ENGINE_KEY", "confidential")

    assert outcome("import os\nassert 'ACCLIMATE_ENGINE_KEY' not in os.environ").passed
