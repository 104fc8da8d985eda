"""Emacs with the configuration that we ship: a real one in batch mode, its eglot, and the real server."""

import asyncio
import json
import os
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import MakeRepository
from tests.server.test_completion import model
from tests.server.test_offers import kept
from tests.support.fake_engine import FakeEngine, fake_engine
from tests.support.neovim import SERVER

from acclimate_indexer.home import Home
from acclimate_server.cli.demonstration import EDITORS

__all__ = ["model"]  # the fixture

CODE = 'def greet(name):\n    smile = "😋"; return \n'
BODY = "def total(prices):\r\n    \r\n"
DEADLINE_SECONDS = 120.0  # generous: the machine may be busy
PACKAGES = ("--batch", "-q", "--no-site-file", "--funcall", "package-initialize", "--eval", "(require 'eglot)")

# What a person would do with hands and eyes.
HANDS = r"""
(setq eglot-sync-connect nil eglot-autoshutdown nil)
(defun until (is-so)
  (let ((end (+ (float-time) 30)) value)
    (while (not (setq value (funcall is-so)))
      (when (> (float-time) end) (error "It is never so: %S" is-so))
      (accept-process-output nil 0.02))
    value))
(defun asked (command)
  (jsonrpc-request (eglot-current-server) :workspace/executeCommand `(:command ,command :arguments [])))
(defun ghost ()
  (and acclimate--ghost (substring-no-properties (overlay-get acclimate--ghost 'after-string))))
(defun press (keys) (execute-kbd-macro (kbd keys)))
(defun tell (value) (princ (json-serialize value)))
(switch-to-buffer (find-file-noselect (pop command-line-args-left)))
(acclimate-start)
(run-hooks 'post-command-hook) ; eglot connects after the command
(until (lambda () (eglot-current-server)))
(until (lambda () (equal "ready" (plist-get (plist-get (asked "acclimate.status") :engine) :state))))
(goto-char (point-max))
(backward-char)
"""
END = "(eglot-shutdown (eglot-current-server) nil 30)"


@cache
def emacs_program() -> str | None:
    """An Emacs with eglot."""
    program = shutil.which("emacs")
    if program is None or subprocess.run([program, *PACKAGES], capture_output=True, check=False).returncode:
        return None
    return program


async def emacs(file: Path, engine: FakeEngine, script: str) -> Any:
    """What the script tells of a file that is open in Emacs, with the cursor at the end of its last line."""
    if (program := emacs_program()) is None:
        pytest.skip("needs Emacs 28 or newer with eglot: `apt-get install emacs-nox elpa-eglot`")
    folder = file.parent.parent / "emacs"
    folder.mkdir()
    command = " ".join(map(json.dumps, SERVER))
    settings = f'(:engine (:url "{engine.url}") :completion (:candidates 3))'
    chosen = f"(setq acclimate-command '({command}) acclimate-settings '{settings})"
    (folder / "script.el").write_text(
        f";; -*- lexical-binding: t -*-\n{chosen}\n{HANDS}\n{script}\n{END}\n", encoding="utf-8"
    )
    process = await asyncio.create_subprocess_exec(
        program, *PACKAGES, "--load", EDITORS / "emacs.el", "--load", folder / "script.el", file,
        cwd=file.parent, env=os.environ | {"HOME": str(folder)},
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        async with asyncio.timeout(DEADLINE_SECONDS):
            out, errors = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    assert process.returncode == 0, errors.decode()
    return json.loads(out)


async def test_a_completion_is_shown_and_taken_by_words_and_whole(
    home: Home, model: str, make_repository: MakeRepository
) -> None:
    file = make_repository({"app.py": CODE}) / "app.py"
    async with fake_engine() as engine:
        engine.pieces, engine.sampled = ["name", "\n"], [["name", "\n"], ["str", "(name)", "\n"]]
        told = await emacs(
            file,
            engine,
            """
            (press "C-c , a")
            (let* ((first (until #'ghost))
                   (second (progn (press "M-n") (ghost)))
                   (rest (progn (press "M-f") (ghost))))
              (press "TAB")
              (tell (vector first second rest (if (ghost) t :false) (buffer-string))))
            """,
        )
        assert told == ["name", "str(name)", "(name)", False, CODE.replace("return ", "return str(name)")]

    assert [(each.fate, each.text) for each in kept(home, file.parent)] == [("accepted", "str(name)")]


async def test_the_list_of_eglot_gives_the_same_in_the_files_line_endings(
    home: Home, model: str, make_repository: MakeRepository
) -> None:
    file = make_repository({"app.py": BODY.encode()}) / "app.py"
    async with fake_engine() as engine:
        engine.pieces = ["rate = 2\n", "    return rate", "\n\n\nx"]
        told = await emacs(file, engine, "(completion-at-point) (tell (buffer-string)) (save-buffer)")
        assert told == "def total(prices):\n    rate = 2\n    return rate\n"

    written = file.read_bytes()
    assert written == b"def total(prices):\r\n    rate = 2\r\n    return rate\r\n"


async def test_a_training_is_answered_and_how_it_goes_is_said(
    home: Home, model: str, make_repository: MakeRepository
) -> None:
    file = make_repository({"app.py": CODE}) / "app.py"
    async with fake_engine() as engine:
        told = await emacs(
            file,
            engine,
            """
            (defvar said nil)
            (advice-add 'message :before (lambda (form &rest rest) (push (and form (apply #'format form rest)) said)))
            (defun said-p (start) (lambda () (seq-find (lambda (each) (string-prefix-p start (or each ""))) said)))
            (press "C-c , r")
            (let* ((begun (until (said-p "acclimate: the training 2")))
                   (failed (until (said-p "acclimate: training failed")))
                   (cancelled (progn (press "C-c , c") (until (said-p "acclimate: no training runs"))))
                   (status (progn (press "C-c , s") (until (said-p "acclimate: engine ready")))))
              (tell (vector begun failed cancelled status)))
            """,
        )

    assert told[0].endswith("has begun")
    assert "training failed" in told[3]
