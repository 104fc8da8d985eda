"""What the README says is there, is there."""

import re
from pathlib import Path

import pytest

from acclimate_server.cli.main import main
from acclimate_server.settings import as_markdown

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
CODE = " ".join("".join(found) for found in re.findall(r"`([^`\n]+)`|^(make .*)$", README, re.MULTILINE))
VERBS = sorted(set(re.findall(r"\bacclimate ([a-z]+)\b", CODE)))


def test_the_table_of_settings_is_the_programs_own() -> None:
    table = README.partition("<!-- settings")[2].partition("-->\n")[2].partition("\n<!-- /settings")[0]

    assert table == as_markdown().rstrip(), "put the output of `acclimate doctor --settings` into the README"


@pytest.mark.parametrize("verb", VERBS)
def test_every_command_has_help(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([verb, "--help"])

    assert ended.value.code == 0
    assert f"acclimate {verb}" in capsys.readouterr().out


def test_every_make_target_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")

    targets = set(re.findall(r"\bmake ([a-z-]+)", CODE))
    assert {"run", "test"} <= targets
    for target in targets:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
