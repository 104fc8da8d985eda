"""The server on plain pipes, for what a well-behaved client never does."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

COMMAND = (sys.executable, "-P", "-m", "acclimate_server", "serve")
DEADLINE_SECONDS = 20.0  # generous: the machine may be busy


class RawServer:
    """A server in a child process. A thread reads what it says, so that no pipe fills up."""

    def __init__(self, folder: Path, log: IO[bytes] | int = subprocess.DEVNULL) -> None:
        self.process = subprocess.Popen(COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, cwd=folder)
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.stdin: IO[bytes] = self.process.stdin
        self._stdout: IO[bytes] = self.process.stdout
        self._said: list[dict[str, Any]] = []
        self._news = threading.Condition()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def initialize(self, process_id: int | None = None, **more: Any) -> dict[str, Any]:
        """The first three messages of every session; gives the answer."""
        params = {"processId": process_id or os.getpid(), "rootUri": None, "capabilities": {}} | more
        self.send({"id": 1, "method": "initialize", "params": params})
        answer = self.answer_to(1)
        self.send({"method": "initialized", "params": {}})
        return answer

    def send(self, message: dict[str, Any]) -> None:
        """Sends a message, well formed or not."""
        self.write(json.dumps({"jsonrpc": "2.0"} | message).encode())

    def write(self, body: bytes, header: bytes | None = None) -> None:
        """Sends bytes with the header that belongs to them, or another one."""
        self.stdin.write((header or b"Content-Length: %d\r\n\r\n" % len(body)) + body)
        self.stdin.flush()

    def answer_to(self, request: object) -> dict[str, Any]:
        """The first answer to a request, when it is there."""
        with self._news:
            assert self._news.wait_for(lambda: self.answers(request), DEADLINE_SECONDS), f"no answer to {request!r}"
            return self.answers(request)[0]

    def request(self, method: str) -> dict[str, Any]:
        """The first request of the server's own by this method, when it is there."""
        with self._news:
            assert self._news.wait_for(lambda: self._requests(method), DEADLINE_SECONDS), f"{method} is not asked"
            return self._requests(method)[0]

    def answers(self, request: object) -> list[dict[str, Any]]:
        """All answers to a request so far."""
        return [said for said in self._said if "method" not in said and said.get("id") == request]

    def kill(self) -> None:
        """Ends it, whatever it does."""
        self.process.kill()
        self.process.wait()
        self._reader.join()
        self.stdin.close()
        self._stdout.close()

    def _requests(self, method: str) -> list[dict[str, Any]]:
        return [said for said in self._said if said.get("method") == method and "id" in said]

    def _read(self) -> None:
        while header := self._stdout.readline():
            length = int(header.split(b":")[1])
            while self._stdout.readline().strip():
                pass
            message = json.loads(self._stdout.read(length))
            with self._news:
                self._said.append(message)
                self._news.notify_all()


@contextmanager
def raw_server(folder: Path, log: IO[bytes] | int = subprocess.DEVNULL) -> Iterator[RawServer]:
    """A fresh server that is run in `folder`."""
    server = RawServer(folder, log)
    try:
        yield server
    finally:
        server.kill()
