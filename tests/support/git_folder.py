"""Real git repositories, small, with a history of their own dates."""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

from acclimate_indexer.repository import Repository

FIRST_DAY = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class GitFolder:
    """A work tree that tests write to and commit."""

    path: Path

    @classmethod
    def new(cls, path: Path) -> Self:
        """Makes an empty repository."""
        path.mkdir(parents=True)
        folder = cls(path)
        folder.git("init", "-q", "-b", "main")
        return folder

    def git(self, *arguments: str, day: int = 0) -> str:
        when = (FIRST_DAY + timedelta(days=day)).isoformat()
        clean = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        identity = {
            f"GIT_{who}_{what}": value
            for who in ("AUTHOR", "COMMITTER")
            for what, value in (("NAME", "A"), ("EMAIL", "a@example.org"), ("DATE", when))
        }
        return subprocess.run(
            ["git", "-c", "protocol.file.allow=always", "-c", "commit.gpgSign=false", *arguments],
            cwd=self.path,
            env=clean | identity | {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"},
            check=True,
            capture_output=True,
            text=True,
            errors="surrogateescape",
        ).stdout.strip()

    def write(self, files: Mapping[str, str | bytes]) -> None:
        for name, content in files.items():
            file = self.path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content if isinstance(content, bytes) else content.encode())

    def commit(self, files: Mapping[str, str | bytes], *, day: int = 0) -> str:
        """Commits `files` on a day of the history; gives the commit."""
        self.write(files)
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", f"Day {day}", day=day)
        return self.git("rev-parse", "HEAD")

    def open(self) -> Repository:
        return Repository.open(self.path)


def module(name: str, functions: int = 6) -> str:
    """A Python file like people write them; another name gives other text."""
    return f'"""The {name} of the shop."""\n\nfrom dataclasses import dataclass\n' + "".join(
        f"\n\ndef {name}_total_{number}(orders, {name}_rate={number}):\n"
        f'    """Adds up the {name} of all orders."""\n'
        f"    total_{name} = sum(order.{name}_{number} for order in orders)\n"
        f"    if total_{name} > {name}_rate * {number + 3}:\n"
        f"        notify_{name}(total_{name}, limit={name}_rate, reason='{name} {number}')\n"
        f"        return round(total_{name} / {name}_rate, {number})\n"
        f"    return compute_{name}(orders, total_{name}, step={number})\n"
        for number in range(functions)
    )
