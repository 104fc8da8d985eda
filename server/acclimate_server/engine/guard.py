"""Stands between the supervisor and vLLM, so that nothing of vLLM outlives the supervisor.

vLLM is several processes, and killing the first with SIGKILL leaves the others, with all their memory. The guard holds
a pipe from the supervisor: when it closes, for whatever reason, the guard ends the whole tree. As a "subreaper" it
inherits vLLM's orphans, so it finds them all. Should the guard itself be killed, the supervisor ends its process group.

Started as `python -P -m acclimate_server.engine.guard COMMAND…`; its exit code is the command's.
"""

import ctypes
import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress

import psutil

PR_SET_CHILD_SUBREAPER = 36  # from linux/prctl.h
END_SECONDS = 10.0  # vLLM needs about 2 to end by itself


def main(command: list[str]) -> int:
    """Runs the command until it ends, or until standard input does."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    threading.Thread(target=_end_with_supervisor, args=(process,), daemon=True).start()
    code = process.wait()
    _kill_rest()
    return code if code >= 0 else 128 - code


def _end_with_supervisor(process: "subprocess.Popen[bytes]") -> None:
    while os.read(sys.stdin.fileno(), 1):
        pass
    process.terminate()
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()


def _kill_rest() -> None:
    """Orphans become children of the guard one after another, so it looks until there are none."""
    while rest := [child for child in psutil.Process().children() if child.status() != psutil.STATUS_ZOMBIE]:
        for child in rest:
            with suppress(psutil.NoSuchProcess):
                child.kill()
        psutil.wait_procs(rest, timeout=1)


if __name__ == "__main__":
    os._exit(main(sys.argv[1:]))  # not sys.exit: a thread still waits in read
