"""A program that takes vLLM's command line and only says that it is well.

For tests of the supervisor's own logic (leases, idle time, restarts), where a real start would take a minute each.
What it does beside is told by files in the model's folder: `fail` (its text goes to stderr, and it ends), `crash` (it
ends after it was ready, once for each line), `loads` (it is never ready), `stubborn` (it does not end when it is asked
to, nor does a child of it in a session of its own), `asleep` (until it is woken).
"""

import stat
import sys
from pathlib import Path

from acclimate_indexer.models import LocalModel
from acclimate_indexer.prompts import FimTokens

PROGRAM = """#!{python}
import http.server, json, os, pathlib, signal, subprocess, sys, threading, time
def value(name):
    return sys.argv[sys.argv.index(name) + 1]
folder = pathlib.Path(value("--model"))
if (folder / "fail").exists():
    sys.exit((folder / "fail").read_text())
if (folder / "stubborn").exists():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    core = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
    subprocess.Popen([sys.executable, "-c", core, "vllm"], start_new_session=True)
if (folder / "loads").exists():
    threading.Event().wait()
asleep = folder / "asleep"
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/metrics" and self.headers["Authorization"] != "Bearer " + os.environ["VLLM_API_KEY"]:
            return self.send_error(401)
        self.answer({{"is_sleeping": asleep.exists()}})
    def do_POST(self):
        if self.path.startswith("/wake_up"):
            asleep.unlink()
        self.answer({{"choices": [{{"token_ids": [1, 2]}}]}})
    def answer(self, record):
        body = b"vllm:num_requests_running 0.0\\n" if self.path == "/metrics" else json.dumps(record).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *arguments):
        pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", int(value("--port"))), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
crash = folder / "crash"
if crash.exists() and (lines := crash.read_text().splitlines()):
    crash.write_text(chr(10).join(lines[1:]))
    time.sleep(0.8)
    sys.exit("RuntimeError: " + lines[0])
threading.Event().wait()
"""


def write_stand_in(folder: Path) -> Path:
    """Writes the program; it takes the place of `runtime_python`."""
    program = folder / "stand-in"
    program.write_text(PROGRAM.format(python=sys.executable), encoding="utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return program


def write_nvidia_smi(folder: Path) -> None:
    """Writes a program of that name that knows of one large GPU."""
    folder.mkdir()
    program = folder / "nvidia-smi"
    program.write_text("#!/bin/sh\necho 81920\n", encoding="utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)


def stand_in_model(folder: Path, name: str = "stand-in") -> LocalModel:
    """A folder that looks like a whole model from outside."""
    folder.mkdir(parents=True)
    (folder / "tokenizer.json").write_text("{}", encoding="utf-8")
    write_weights(folder)
    return LocalModel(
        name=name,
        folder=folder,
        variant="base",
        precision="bf16",
        licence="",
        source="",
        revision=None,
        source_sha256=name,
        verified=True,
        converter="",
        parameters=1,
        fim=FimTokens(prefix="<p>", middle="<m>", suffix="<s>", end_of_text="<e>"),
    )


def write_weights(folder: Path) -> None:
    """Weights that are whole, and all that is asked of a model folder beside its tokenizer."""
    (folder / "config.json").write_text("{}", encoding="utf-8")
    header = b'{"w":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}'
    (folder / "model.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + b"\0" * 4)
