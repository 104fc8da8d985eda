"""A real VS Code workbench (code-server) with our .vsix, and a real browser that plays a scenario in it.

The scenarios are in `vscode-extension/test/e2e/scenarios`. Each run leaves pictures of what was seen.
"""

import asyncio
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import pytest

EXTENSION = Path(__file__).parents[2] / "vscode-extension"
SHOTS = EXTENSION / "build" / "shots"
START_SECONDS = 60.0
SCENARIO_SECONDS = 300.0  # a minute or two; the machine may be busy
NEEDED = ("node", "npm", "chromium")
# What is not ours is switched off: it would take the Tab key, the pictures' room, or the network.
SETTINGS: dict[str, Any] = {
    "workbench.startupEditor": "none",
    "workbench.tips.enabled": False,
    "workbench.secondarySideBar.defaultVisibility": "hidden",
    "workbench.layoutControl.enabled": False,
    "workbench.reduceMotion": "on",
    "chat.disableAIFeatures": True,
    "telemetry.telemetryLevel": "off",
    "update.mode": "none",
    "extensions.autoCheckUpdates": False,
    "extensions.autoUpdate": "off",
    "extensions.ignoreRecommendations": True,
    "editor.inlineSuggest.enabled": True,
    "editor.quickSuggestions": {"other": "off", "comments": "off", "strings": "off"},
    "editor.wordBasedSuggestions": "off",
    "editor.minimap.enabled": False,
    "editor.cursorBlinking": "solid",
    "files.autoSave": "off",
    "git.openRepositoryInParentFolders": "never",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What was installed and built.

    Attributes:
        folder: Has Node 24 and code-server.
    """

    folder: Path
    vsix: Path

    def code_server(self, *arguments: str) -> list[str]:
        entry = self.folder / "code-server/node_modules/code-server/out/node/entry.js"
        return [str(self.folder / "node/node"), str(entry), *arguments]


def ready_tools() -> Tools:
    """Installs and builds what is missing; skips where the programs for that are not there."""
    if missing := [name for name in NEEDED if shutil.which(name) is None]:
        pytest.skip(f"needs {', '.join(missing)}")
    if not (EXTENSION / "node_modules/.package-lock.json").is_file():
        _run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
    folder = _run("bash", "test/e2e/tools.sh").splitlines()[-1]
    _run("npm", "run", "-s", "package", ACCLIMATE_PYTHON=sys.executable)
    return Tools(folder=Path(folder), vsix=EXTENSION / "dist/acclimate.vsix")


def _run(*command: str, **environment: str) -> str:
    done = subprocess.run(
        command, cwd=EXTENSION, env=os.environ | environment, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, f"{' '.join(command)}: {done.stdout}{done.stderr}"
    return done.stdout


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A clean profile of the editor: our extension, and these settings.

    Attributes:
        is_trusting: Every folder counts as trusted; else the editor asks, as it does with everybody.
        environment: What differs from this process's.
    """

    tools: Tools
    folder: Path
    settings: Mapping[str, Any] = field(default_factory=dict)
    is_trusting: bool = True
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def log(self) -> Path:
        return self.folder / "code-server.log"

    def install(self) -> None:
        """Writes the settings and installs the .vsix."""
        # Ours are the machine's: a window whose extensions run elsewhere than it does forgets such ones of its user's.
        ours = {name: value for name, value in self.settings.items() if name.startswith("acclimate.")}
        others = SETTINGS | {name: value for name, value in self.settings.items() if name not in ours}
        for place, settings in (("User", others), ("Machine", ours)):
            (self.folder / "data" / place).mkdir(parents=True)
            (self.folder / "data" / place / "settings.json").write_text(json.dumps(settings), encoding="utf-8")
        command = self.tools.code_server(*self._places, "--install-extension", str(self.tools.vsix))
        done = subprocess.run(command, check=False, capture_output=True, text=True, env=self._environment)
        assert "was successfully installed" in done.stdout, done.stdout + done.stderr

    @asynccontextmanager
    async def served(self) -> AsyncIterator[str]:
        """The address of the editor while it is open."""
        port = _free_port()
        arguments = (
            *self._places,
            *("--bind-addr", f"127.0.0.1:{port}", "--auth", "none"),
            *("--disable-telemetry", "--disable-update-check", "--disable-getting-started-override"),
            *("--reconnection-grace-time", "1"),  # else the extensions outlive their window by hours
            *(("--disable-workspace-trust",) if self.is_trusting else ()),
        )
        with self.log.open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                *self.tools.code_server(*arguments), stdout=output, stderr=output, env=self._environment
            )
        address = f"http://127.0.0.1:{port}"
        try:
            await asyncio.to_thread(_wait_for, f"{address}/healthz")
            yield address
        finally:
            process.terminate()
            await process.wait()

    @property
    def _places(self) -> tuple[str, ...]:
        data, extensions, settings = (str(self.folder / name) for name in ("data", "extensions", "config.yaml"))
        return ("--user-data-dir", data, "--extensions-dir", extensions, "--config", settings)

    @property
    def _environment(self) -> dict[str, str]:
        # As if started from a terminal: else the editor asks a login shell for another environment.
        # An empty cache folder would be the current one to it: the checkout.
        cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
        return os.environ | {"VSCODE_CLI": "1", "XDG_CACHE_HOME": cache} | dict(self.environment)


async def played(
    name: str, profile: Profile, repository: Path, *, seconds: float = SCENARIO_SECONDS, **environment: str
) -> str:
    """Plays a scenario in a window that has the repository open; gives what it printed. Pictures and that are kept."""
    shots = SHOTS / name
    shutil.rmtree(shots, ignore_errors=True)
    async with profile.served() as address:
        told = {
            "ACCLIMATE_E2E_URL": address,
            "ACCLIMATE_E2E_REPOSITORY": str(repository),
            "ACCLIMATE_E2E_SHOTS": str(shots),
        }
        process = await asyncio.create_subprocess_exec(
            *("node", str(EXTENSION / f"test/e2e/scenarios/{name}.mjs")),
            env=os.environ | told | environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            output, _ = await asyncio.wait_for(process.communicate(), seconds)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
    said = output.decode()
    (shots / "steps.txt").write_text(said, encoding="utf-8")
    assert process.returncode == 0, f"{said}\npictures: {shots}, log: {profile.log}"
    return said


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _wait_for(url: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            with urlopen(url, timeout=5):  # noqa: S310  # of this machine
                return
        except (URLError, OSError) as error:
            assert time.monotonic() < deadline, error
            time.sleep(0.1)
