"""What every verb is given: where state lives, the settings of this call, and the terminal."""

import argparse
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from acclimate_indexer.errors import UsageError
from acclimate_indexer.home import Home

from ..settings import SETTINGS, Settings
from ..settings_sources import load_settings
from .terminal import Terminal


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    home: Home
    flags: Mapping[str, Any]
    terminal: Terminal

    @classmethod
    def of(cls, arguments: argparse.Namespace) -> "Context":
        """The context of one call.

        Raises:
            UsageError: `--set` names no setting, or a secret.
        """
        flags = dict(_assignment(text) for text in arguments.set)
        return cls(home=Home.default(), flags=flags, terminal=Terminal(as_json=arguments.json))

    def settings(self, work_tree: Path | None = None, **flags: Any) -> Settings:
        """The settings for this call; warnings go to stderr. `flags` are a verb's own options, None where not given.

        Raises:
            UsageError: A flag has a value that makes no sense.
        """
        given = {name.replace("__", "."): value for name, value in flags.items() if value is not None}
        settings, warnings = load_settings(self.home, work_tree, None, {**self.flags, **given})
        for warning in warnings:
            if warning.startswith("the command line"):
                raise UsageError(warning.removeprefix("the command line: ").partition("; ")[0] + ".")
            self.terminal.say(f"Note: {warning}")
        return settings


def _assignment(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals or name not in SETTINGS:
        raise UsageError(f"--set takes NAME=VALUE, and {name!r} is no setting. See `acclimate doctor --settings`.")
    if SETTINGS[name].secret:
        raise UsageError(
            f"{name} is a secret, and command lines are visible to all: use the environment or config.toml."
        )
    if SETTINGS[name].type is str:
        return name, value
    try:
        return name, tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return name, value  # of the wrong type, which is said when it is checked
