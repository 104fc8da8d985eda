"""Names that were given up: found in the code of changed lines, and nowhere else."""

from dataclasses import replace

import pytest
from tests.support.reviewed import COMMITS, conventions, findings, put_right, replacement

from acclimate_indexer.languages.plain import plain_language
from acclimate_indexer.languages.registry import language_of
from acclimate_indexer.review.conventions import convention_findings
from acclimate_indexer.review.target import ReviewTarget

SENT = replacement("send_note", "tell_all")
PROXY = replacement("fromClient", "asProxy")
LABEL = replacement("LabelOf", "TitleOf")


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("a.py", "x = shop.send_note(1)\n", "x = shop.tell_all(1)\n"),
        ("a.py", "send_note(send_note(1))\n", "tell_all(tell_all(1))\n"),
        ("a.py", "from shop import send_note\n", "from shop import tell_all\n"),
        ("a.py", "@send_note\ndef run():\n    pass\n", "@tell_all\ndef run():\n    pass\n"),
        ("a.py", "x = 'it''s' + y.send_note.z  # so\n", "x = 'it''s' + y.tell_all.z  # so\n"),
        ("a.ts", "const x = shop.fromClient<T>(`a`);\n", "const x = shop.asProxy<T>(`a`);\n"),
        ("a.ts", 'import { fromClient } from "./shop";\n', 'import { asProxy } from "./shop";\n'),
        ("a.tsx", "const x = <A b={fromClient()} />;\n", "const x = <A b={asProxy()} />;\n"),
        ("a.go", "package a\n\nvar x = shop.LabelOf(`a`)\n", "package a\n\nvar x = shop.TitleOf(`a`)\n"),
        ("a.go", "package a\n\nfunc f(x shop.LabelOf) {}\n", "package a\n\nfunc f(x shop.TitleOf) {}\n"),
    ],
)
def test_a_given_up_name_is_found_and_put_right(path: str, text: str, expected: str) -> None:
    found = findings(path, text, SENT, PROXY, LABEL)

    assert [each.code for each in found] == ["replaced-name"]
    assert put_right(path, text, found) == expected


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.py", "x = 'send_note'\n"),
        ("a.py", "x = 1  # send_note(1)\n"),
        ("a.py", 'def run():\n    """Tells.\n\n    send_note(1)\n    """\n'),
        ("a.py", "resend_note(1)\nsend_notes(1)\n"),
        ("a.py", "def send_note(x):\n    return x\n"),
        ("a.py", "send_note = other\nsend_note(1)\n"),
        ("a.py", "from mail import send_letter as send_note\nsend_note(1)\n"),
        ("a.py", "x = 'send_note(1)" + "x" * 600 + "'; send_note(1)\n"),
        ("a.ts", 'const x = "fromClient(1)"; // fromClient(1)\n'),
        ("a.ts", "/*\n fromClient(1)\n*/\nconst x = `\nfromClient(1)\n`;\n"),
        ("a.ts", "export function fromClient(x: X) { return x; }\n"),
        ("a.ts", "const fromClient = (x: X) => x;\nfromClient(1);\n"),
        ("a.go", 'package a\n\n// LabelOf is gone\nvar x = "LabelOf(1)"\n'),
        ("a.go", "package a\n\nvar x = `\nLabelOf(1)\n`\n"),
        ("a.go", "package a\n\nfunc LabelOf(x X) {}\n"),
    ],
)
def test_what_is_no_use_of_it_is_left_alone(path: str, text: str) -> None:
    assert findings(path, text, SENT, PROXY, LABEL) == []


def test_only_changed_lines_are_looked_at() -> None:
    text = "send_note(1)\nsend_note(2)\nsend_note(3)\n"
    (found,) = findings("a.py", text, SENT, changed=(range(1, 2),))

    assert text[found.span.start :].startswith("send_note(2)")


def test_a_comment_cites_its_evidence() -> None:
    (found,) = findings("a.py", "send_note(1)\n", SENT)

    assert found.message == (
        "`send_note` was replaced by `tell_all` in 14 places over 6 commits, last in 1a2b3c4 (2026-10-03); "
        "no other use is left."
    )
    assert [(each.commit, each.date) for each in found.evidence] == [(COMMITS[0], "2026-10-03"), (COMMITS[1], "")]
    assert (found.subject, found.severity, found.is_deprecated) == ("send_note", "warning", True)


@pytest.mark.parametrize(
    ("old", "new", "kind", "text", "count"),
    [
        ("process", "handle", "name", "process(1)\n", 1),
        ("process", "handle", "name", "x = process\n", 0),  # a plain word may be anything
        ("mock", "unittest.mock", "import", "import mock\n", 1),
        ("mock", "unittest.mock", "import", "from unittest.mock import patch\n", 0),  # it is what it became
        ("mock", "unittest.mock", "import", "x = mock\n", 0),
        ("shop.old_http", "shop.http", "import", "from shop.old_http import get\n", 1),
        ("shop.old_http", "shop.http", "import", "from other.shop.old_http import get\n", 0),
        ("cart.send_note", "cart.tell_all", "name", "a.cart.send_note(1)\n", 1),
        ("cart.send_note", "cart.tell_all", "name", "a.send_note(1)\n", 0),
    ],
)
def test_a_name_counts_as_the_miner_saw_it(old: str, new: str, kind: str, text: str, count: int) -> None:
    found = findings("a.py", text, replacement(old, new, kind=kind))

    assert len(found) == count
    put_right("a.py", text, found)


@pytest.mark.parametrize(
    ("position", "text", "count"),
    [
        ("first", "log.info(1)\n", 1),
        ("first", "math.log(1)\n", 0),
        ("first", "from math import log\n", 0),
        ("later", "shop.log(1)\n", 1),
        ("later", "log(1)\n", 0),
        ("", "log(math.log(1))\n", 1),
    ],
)
def test_a_name_counts_where_in_names_with_dots_it_was_given_up(position: str, text: str, count: int) -> None:
    found = findings("a.py", text, replace(replacement("log", "_log"), position=position))

    assert len(found) == count


@pytest.mark.parametrize(
    ("path", "count"), [("a.py", 0), ("a.ts", 1), ("a.tsx", 1), ("a.js", 1), ("a.go", 0), ("a.mach", 0)]
)
def test_a_name_is_given_up_in_its_own_language(path: str, count: int) -> None:
    language = language_of(path) or plain_language(".mach")
    target = ReviewTarget(path=path, language=language, text="send_note(1)\n", changed=(range(1),))
    given_up = conventions(replace(SENT, extensions=(".ts",)))

    assert len(convention_findings(target, given_up)) == count


def test_a_path_that_is_imported_may_stand_in_quotes() -> None:
    moved = replacement("old_cart", "new_cart", kind="import")
    script = 'import { a } from "../old_cart/line";\nconst b = "../old_cart/line";\n'

    assert put_right("a.ts", script, findings("a.ts", script, moved)) == script.replace("old_cart", "new_cart", 1)


def test_of_names_in_each_other_the_longest_is_meant() -> None:
    text = "cart.send_note(1)\n"
    found = findings("a.py", text, SENT, replacement("cart.send_note", "cart.tell"))

    assert put_right("a.py", text, found) == "cart.tell(1)\n"


@pytest.mark.parametrize(
    ("old", "new", "left"),
    [
        ("send_note", "tell_all", 1),  # it still stands somewhere
        ("client_session", "Client", 0),  # a class is no variable
        ("caplog.at_level", "caplog_for_shop", 0),
    ],
)
def test_what_two_commits_did_has_to_be_a_name_for_a_name_and_gone(old: str, new: str, left: int) -> None:
    assert findings("a.py", f"{old}(1)\n", replacement(old, new, left=left, commits=2)) == []


@pytest.mark.parametrize(("old", "new"), [("result.content", "result"), ("torch.Tensor", "Tensor")])
def test_a_step_that_is_left_out_is_no_other_name(old: str, new: str) -> None:
    assert findings("a.py", f"{old}(1)\n", replacement(old, new, commits=30)) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("notes.tell(1)\n", "board.tell(1)\n"),
        ("self.notes.tell(1)\n", "self.board.tell(1)\n"),
        ("notes = read(notes, notes.length)\n", None),  # nothing of it is called
    ],
)
def test_a_plain_name_counts_where_something_of_it_is_called(text: str, expected: str | None) -> None:
    found = findings("a.py", text, replacement("notes", "board"))

    assert len(found) == (expected is not None)
    assert expected is None or put_right("a.py", text, found) == expected


@pytest.mark.parametrize(
    ("path", "text", "count"),
    [
        ("a.py", "import logging\nlog = logging.getLogger()\nlog.warn(1)\n", 1),
        ("a.py", "from shop import notes\nnotes.warn(1)\n", 1),
        ("a.py", "import warnings\nwarnings.warn(1)\n", 0),
        ("a.py", "import os, warnings as w\nw.warn(1)\n", 0),
        ("a.ts", 'import { notes } from "./shop";\nnotes.warn(1);\n', 1),
        ("a.ts", 'import * as notes from "./shop";\nnotes.warn(1);\n', 0),
    ],
)
def test_a_plain_name_that_a_module_has_is_that_modules(path: str, text: str, count: int) -> None:
    assert len(list(findings(path, text, replacement("warn", "warning")))) == count


@pytest.mark.parametrize(
    ("old", "position", "count"),
    [("KeyError", "first", 0), ("ord", "first", 0), ("open", "later", 1), ("IOError", "", 1), ("ShopError", "", 1)],
)
def test_what_is_built_into_python_is_not_given_up(old: str, position: str, count: int) -> None:
    given_up = replace(replacement(old, "replaced"), position=position, extensions=(".py",))

    assert len(findings("a.py", f"shop.{old}({old}(1))\n", given_up)) == count


@pytest.mark.parametrize(("places", "count"), [(7, 0), (8, 1)])
def test_few_places_are_no_proof(places: int, count: int) -> None:
    assert (
        len(findings("a.py", "send_note(1)\n", replace(replacement("send_note", "tell_all"), places=places))) == count
    )


@pytest.mark.parametrize(("commits", "kept", "count"), [(3, 0, 1), (3, 1, 0), (9, 1, 1), (2, 0, 0)])
def test_a_change_that_is_under_way_needs_a_clean_record(commits: int, kept: int, count: int) -> None:
    under_way = replacement("send_note", "tell_all", left=9, commits=commits, kept=kept)

    assert len(findings("a.py", "send_note(1)\n", under_way)) == count


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("import tools\n\n@defer.inlined\ndef a():\n    pass\n", "@tools.inlined"),
        ("from shop import (\n    tools,\n)\n\nx = defer.inlined(1)\n", "x = tools.inlined(1)"),
        ("import defer\n\nx = defer.inlined(1)\n", None),
    ],
)
def test_a_name_that_is_to_be_imported_is_put_there_only_if_it_was(text: str, expected: str | None) -> None:
    (found,) = findings("a.py", text, replacement("defer.inlined", "tools.inlined"))

    assert (expected is None) == (not found.fix)
    assert expected is None or expected in put_right("a.py", text, [found]).splitlines()


def test_a_language_that_nobody_knows_is_left_alone() -> None:
    target = ReviewTarget(path="a.mach", language=plain_language(".mach"), text="send_note(1)", changed=(range(1),))

    assert convention_findings(target, conventions(SENT)) == []
