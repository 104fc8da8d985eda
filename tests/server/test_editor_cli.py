"""`acclimate editor`: configurations that name this installation's program."""

import json
from pathlib import Path

import pytest

from acclimate_server.cli.demonstration import acclimate_command
from acclimate_server.cli.editor import FILES
from acclimate_server.cli.main import main

DONE, USAGE = 0, 2


@pytest.mark.parametrize("editor", sorted(FILES))
def test_a_configuration_is_the_file_that_is_shipped_with_the_programs_path(
    editor: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["editor", editor, "--path"]) == DONE
    shipped = Path(capsys.readouterr().out.strip()).read_text(encoding="utf-8")
    assert main(["editor", editor]) == DONE
    printed = capsys.readouterr().out

    assert json.dumps(acclimate_command(), ensure_ascii=False) in printed
    assert printed.replace(acclimate_command(), "acclimate") == shipped


def test_an_editor_that_there_is_nothing_for_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["editor", "ed"])

    assert ended.value.code == USAGE
    assert "neovim" in capsys.readouterr().err
