"""The extension's manifest says what the server's table of settings says, and what its sources rely on.

`.venv/bin/python tests/vscode/test_manifest.py` writes the settings into the manifest after the table was changed.
"""

import dataclasses
import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from acclimate_indexer.home import Home
from acclimate_indexer.languages.registry import LANGUAGES
from acclimate_server.app import create_server
from acclimate_server.settings import SETTINGS, Setting
from acclimate_server.status import DriftStatus, ReviewStatus, Status, TrainingStatus

ROOT = Path(__file__).parents[2]
EXTENSION = ROOT / "vscode-extension"
MANIFEST = EXTENSION / "package.json"
SECTION = "acclimate"
# The extension's own: which interpreter runs the server, before there is one to know any setting.
PYTHON = {
    "type": "string",
    "default": "",
    "scope": "machine",
    "markdownDescription": "Python interpreter that has acclimate; empty takes the extension's own, which it installs.",
}
TYPES = {bool: "boolean", int: "integer", float: "number", str: "string", tuple: "array"}


def test_the_manifest_has_the_settings_of_the_table() -> None:
    written = manifest()["contributes"]["configuration"]

    assert written == configuration(), "run `.venv/bin/python tests/vscode/test_manifest.py`"


def test_what_runs_or_where_code_goes_is_not_taken_from_a_folder() -> None:
    properties = {name: about for group in configuration() for name, about in group["properties"].items()}

    for name, about in properties.items():
        if name.startswith(tuple(f"{SECTION}.{each}" for each in ("python", "engine.", "runtime.", "model."))):
            assert about["scope"] == "machine", name
    assert f"{SECTION}.engine.url" in properties


def test_the_extension_and_the_core_have_one_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    assert manifest()["version"] == project["version"]


def test_a_file_of_every_language_that_is_completed_activates_the_extension() -> None:
    source = (EXTENSION / "src/languages.ts").read_text(encoding="utf-8")
    listed = re.findall(r'"(\w+)"', source.partition("LANGUAGES")[2].partition("];")[0])

    assert manifest()["activationEvents"] == [f"onLanguage:{name}" for name in listed]
    assert set(listed) == {language.name for language in LANGUAGES} | {"javascriptreact"}


def test_nothing_starts_in_a_folder_that_is_not_trusted() -> None:
    assert manifest()["capabilities"]["untrustedWorkspaces"]["supported"] is False


def test_every_command_of_the_manifest_is_registered() -> None:
    sources = (EXTENSION / "src/commands.ts").read_text(encoding="utf-8")
    table = sources.partition("const all:")[2].partition("};")[0]
    registered = set(re.findall(r"^    (\w+): \(", table, re.MULTILINE))
    declared = {each["command"].removeprefix(f"{SECTION}.ui.") for each in manifest()["contributes"]["commands"]}

    assert declared <= registered
    assert registered - declared == {"settings"}  # VS Code has one of its own for that


def test_all_commands_stand_together_in_the_palette() -> None:
    assert {each["category"] for each in manifest()["contributes"]["commands"]} == {"Acclimate"}


def test_the_walkthrough_shows_what_is_there() -> None:
    (start,) = manifest()["contributes"]["walkthroughs"]
    declared = {each["command"] for each in manifest()["contributes"]["commands"]}
    offered = {name for step in start["steps"] for name in re.findall(r"\(command:([\w.]+)\)", step["description"])}

    assert offered
    assert offered <= declared
    assert [step["id"] for step in start["steps"] if not (EXTENSION / step["media"]["markdown"]).is_file()] == []


def test_every_command_that_the_extension_asks_for_is_one_of_the_servers(home: Home) -> None:
    sources = "".join(path.read_text(encoding="utf-8") for path in (EXTENSION / "src").glob("*.ts"))
    asked = set(re.findall(r'(?:command(?:<[^>]*>+)?|ACCEPTED =)\(?\s*"(acclimate\.(?!ui\.)[a-z.]+)"', sources))

    assert {"acclimate.retrain", "acclimate.overview", "acclimate.accepted"} <= asked
    assert asked <= set(create_server(home).protocol.fm.commands)


@pytest.mark.parametrize(
    ("interface", "sent"),
    [("Status", Status), ("Training", TrainingStatus), ("Drift", DriftStatus), ("Review", ReviewStatus)],
)
def test_what_the_extension_reads_of_the_status_is_sent(interface: str, sent: type) -> None:
    source = (EXTENSION / "src/status.ts").read_text(encoding="utf-8")
    body = source.partition(f"export interface {interface} {{\n")[2].partition("\n}")[0]
    read = set(re.findall(r"^  (\w+):", body, re.MULTILINE))

    assert read
    assert read <= {field.name for field in dataclasses.fields(sent)}


def test_the_lock_file_names_no_host() -> None:
    assert "resolved" not in (EXTENSION / "package-lock.json").read_text(encoding="utf-8")


def manifest() -> Any:
    return json.loads(MANIFEST.read_text(encoding="utf-8"))


def configuration() -> list[dict[str, Any]]:
    """The table as VS Code's settings, a group a topic."""
    groups: dict[str, dict[str, Any]] = {"": {f"{SECTION}.python": PYTHON}}
    for row in SETTINGS.values():
        topic = row.name.partition(".")[0] if "." in row.name else ""
        groups.setdefault(topic, {})[f"{SECTION}.{row.name}"] = _property(row)
    return [{"title": topic.capitalize() or "General", "properties": rows} for topic, rows in groups.items()]


def _property(row: Setting) -> dict[str, Any]:
    found: dict[str, Any] = {
        "type": TYPES[row.type],
        "default": list(row.default) if row.type is tuple else row.default,
        "scope": row.scope,
        "markdownDescription": row.description,
    }
    if row.type is tuple:
        found["items"] = {"type": "string"}
    if row.choices:
        found["enum"] = list(row.choices)
    if row.minimum is not None:
        found["minimum"] = row.minimum
    return found


def write() -> None:
    """Puts the table into the manifest."""
    changed = manifest()
    changed["contributes"]["configuration"] = configuration()
    MANIFEST.write_text(json.dumps(changed, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write()
