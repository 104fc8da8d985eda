"""A hub on loopback with one repository: enough HTTP for the real client, to test how we take what goes wrong."""

import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class FakeHub(ThreadingHTTPServer):
    """Serves `files` of `repository`; each request's path is kept."""

    daemon_threads = True

    def __init__(self, repository: str, files: dict[str, bytes]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.repository = repository
        self.files = files
        self.stated: dict[str, str] = {}  # checksums that the hub states, where they are not the files' own
        self.cut_after: int | None = None  # closes the connection after so many bytes of a large file
        self.requests: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def sha256(self, name: str) -> str:
        return self.stated.get(name) or hashlib.sha256(self.files[name]).hexdigest()


@contextmanager
def fake_hub(repository: str, files: dict[str, bytes]) -> Iterator[FakeHub]:
    """Serves while the block runs."""
    with FakeHub(repository, files) as hub:
        thread = threading.Thread(target=hub.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield hub
        finally:
            hub.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: FakeHub

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Says nothing."""

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def _answer(self, *, with_body: bool) -> None:
        hub, path = self.server, self.path.partition("?")[0]
        hub.requests.append(f"{self.command} {path}")
        if path == "/":
            return self._send(b"hub", {}, with_body=with_body)
        if re.fullmatch(rf"/api/models/{hub.repository}(/revision/\w+)?", path):
            return self._send(json.dumps(self._model()).encode(), {}, with_body=with_body)
        if re.fullmatch(rf"/api/models/{hub.repository}/tree/\w+", path):
            return self._send(json.dumps(self._tree()).encode(), {}, with_body=with_body)
        found = re.fullmatch(rf"/{hub.repository}/resolve/\w+/(.+)", path)
        if found is None or found[1] not in hub.files:
            return self._send(b"{}", {"X-Error-Code": "RepoNotFound"}, status=404, with_body=with_body)
        return self._file(found[1], with_body=with_body)

    def _model(self) -> dict[str, object]:
        siblings = [
            {"rfilename": name, "size": len(data)} | ({"lfs": self._lfs(name)} if _large(name) else {})
            for name, data in self.server.files.items()
        ]
        return {"id": self.server.repository, "sha": COMMIT, "siblings": siblings, "tags": [], "private": False}

    def _tree(self) -> list[dict[str, object]]:
        return [
            {"type": "file", "path": name, "size": len(data), "oid": "0" * 40}
            | ({"lfs": self._lfs(name) | {"oid": self.server.sha256(name)}} if _large(name) else {})
            for name, data in self.server.files.items()
        ]

    def _lfs(self, name: str) -> dict[str, object]:
        return {"sha256": self.server.sha256(name), "size": len(self.server.files[name]), "pointerSize": 1}

    def _file(self, name: str, *, with_body: bool) -> None:
        data = self.server.files[name]
        begin = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        start = int(begin[1]) if begin else 0
        headers = {"ETag": f'"{hashlib.sha256(data).hexdigest()}"', "X-Repo-Commit": COMMIT, "Accept-Ranges": "bytes"}
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
        cut = self.server.cut_after if _large(name) else None
        self._send(data[start:], headers, status=206 if start else 200, with_body=with_body, cut=cut)

    def _send(
        self,
        body: bytes,
        headers: dict[str, str],
        *,
        with_body: bool,
        status: int = 200,
        cut: int | None = None,
    ) -> None:
        self.send_response(status)
        for key, value in (headers | {"Content-Length": str(len(body))}).items():
            self.send_header(key, value)
        self.end_headers()
        if not with_body:
            return
        self.wfile.write(body[:cut])
        if cut is not None:
            self.close_connection = True


def _large(name: str) -> bool:
    return name.endswith((".safetensors", ".gguf", ".bin"))
