"""Several reviewers in one voice: nothing twice, little at once, the best first."""

import asyncio
from dataclasses import replace

import pytest
from tests.support.findings import found

from acclimate_indexer.errors import EngineUnavailable
from acclimate_indexer.languages.python import PYTHON
from acclimate_indexer.languages.registry import language_of
from acclimate_indexer.review.dismissals import Dismissals
from acclimate_indexer.review.finding import Edit, Evidence, Finding, Reviewer, fixed
from acclimate_indexer.review.line_map import LineStarts
from acclimate_indexer.review.target import ReviewTarget, without
from acclimate_indexer.syntax import Span
from acclimate_server.review.fixing import all_fixes, ignoring_edit
from acclimate_server.review.merge import merged
from acclimate_server.review.reviewers import findings_of
from acclimate_server.review.voice import most_important, spoken
from acclimate_server.settings import ReviewSettings

TEXT = "import old\n\nx = old.call(1)\ny = other(2)\n\n\nz = last(3)\n"
TARGET = ReviewTarget(path="a.py", language=PYTHON, text=TEXT, changed=(range(7),))


class Says:
    """A reviewer that says what it is told to."""

    identity = ""

    def __init__(
        self, name: Reviewer, answer: list[Finding] | Exception | asyncio.Event, *, looks_again: bool = True
    ) -> None:
        self.name = name
        self.looks_again = looks_again
        self.asked: list[tuple[range, ...]] = []
        self._answer = answer

    async def review(self, target: ReviewTarget) -> list[Finding]:
        self.asked.append(target.changed)
        if isinstance(self._answer, asyncio.Event):
            await self._answer.wait()
            return []
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


def heard(*findings: Finding) -> list[tuple[str, str]]:
    return [(each.reviewer, each.subject) for each in merged(findings, LineStarts(TEXT.split("\n")))]


def test_of_two_who_say_the_same_the_better_founded_is_heard() -> None:
    convention = found(TEXT, "old.call", new="new.call")
    linter = found(TEXT, "x = old.call(1)", reviewer="linter", code="ruff:A1", message="`old.call` is deprecated")
    model = found(TEXT, "y = other(2)", reviewer="model", subject="", message="Use new instead of old.call here")

    assert heard(model, linter, convention) == [("conventions", "old.call")]


def test_what_is_said_elsewhere_or_of_something_else_is_heard_too() -> None:
    convention = found(TEXT, "old.call", new="new.call")
    far = found(TEXT, "z = last(3)", reviewer="model", subject="last", message="Never use old.call")
    other = found(TEXT, "y = other(2)", reviewer="model", subject="other", message="The result is not checked")

    assert len(heard(convention, far, other)) == 3


def test_two_uses_of_a_name_are_two_findings() -> None:
    assert len(heard(found("a b a", "a"), found("a b a", "a b a", subject="b"))) == 2
    assert len(heard(found(TEXT, "old"), found(TEXT, "old"))) == 1


def test_of_two_fixes_of_one_place_one_stays() -> None:
    whole = found(TEXT, "x = old.call(1)", new="x = 1", reviewer="model", subject="x", message="Simplify")
    part = found(TEXT, "call", new="ring")

    assert heard(whole, part) == [("conventions", "call")]


def test_an_import_that_two_fixes_need_is_added_once() -> None:
    need = Edit(span=Span(0, 0), text="import new\n")
    one, other = (found(TEXT, name, new="new") for name in ("old.call", "other"))
    both = [replace(each, fix=(*each.fix, need)) for each in (one, other)]

    assert len(heard(*both)) == 2
    assert fixed(TEXT, all_fixes(both)) == "import new\n" + TEXT.replace("old.call", "new").replace("other", "new")


def test_the_gravest_and_best_proven_are_said_in_the_order_of_the_text() -> None:
    slight = found(TEXT, "import", severity="suggestion")
    grave = found(TEXT, "last", severity="critical", reviewer="model")
    proven = found(TEXT, "other", evidence=(Evidence(commit="1"),))
    bare = found(TEXT, "old.call")

    assert most_important([slight, grave, proven, bare], 2) == [proven, grave]
    assert most_important([slight, grave, proven, bare], 3) == [bare, proven, grave]


async def test_who_fails_or_takes_too_long_takes_nothing_from_the_others() -> None:
    convention = found(TEXT, "old.call")
    never, down = Says("model", asyncio.Event()), Says("linter", EngineUnavailable("Nobody is there."))
    answers = await findings_of(TARGET, [Says("conventions", [convention]), down, never], timeout_seconds=0.01)

    assert answers.found == [convention]
    assert answers.silent["linter"] == "Nobody is there."
    assert "review.timeout_seconds" in answers.silent["model"]


async def test_whoever_fails_unforeseen_is_merely_silent() -> None:
    convention = found(TEXT, "old.call")
    full = Says("linter", OSError(28, "No space left on device"))
    answers = await findings_of(TARGET, [Says("conventions", [convention]), full], timeout_seconds=1)

    assert answers.found == [convention]
    assert answers.silent == {"linter": "It failed: OSError: [Errno 28] No space left on device"}


async def test_who_looks_again_is_asked_about_what_is_known() -> None:
    again, once, never = Says("linter", []), Says("model", [], looks_again=False), Says("model", [], looks_again=False)
    await findings_of(TARGET, [again, once], timeout_seconds=1, known=(range(1),))
    await findings_of(TARGET, [never], timeout_seconds=1, known=TARGET.changed)

    assert again.asked == [TARGET.changed]
    assert once.asked == [without(TARGET.changed, (range(1),))]
    assert never.asked == []


def test_only_what_is_wanted_is_said() -> None:
    said = [found(TEXT, "old.call"), found(TEXT, "other", severity="suggestion"), found(TEXT, "last")]
    never = Dismissals(never=[("replaced-name", "last")])
    wanted = ReviewSettings(severity="warning")

    assert spoken(said, TEXT.split("\n"), PYTHON, dismissals=never, wanted=wanted) == said[:1]
    everything = spoken(said, TEXT.split("\n"), PYTHON, dismissals=Dismissals(), wanted=ReviewSettings())
    assert everything == said
    assert most_important(everything, 2) == [said[0], said[2]]


@pytest.mark.parametrize(
    ("text", "silenced"),
    [
        ("x = old(1)\n", "x = old(1)  # acclimate: ignore[replaced-name]\n"),
        ("x = old(1)  # why\n", "x = old(1)  # why  # acclimate: ignore[replaced-name]\n"),
        ("x = old('''\n''')\n", "# acclimate: ignore[replaced-name]\nx = old('''\n''')\n"),
        (
            "if x:\n    y = old(1) + \\\n        2\n",
            "if x:\n    # acclimate: ignore[replaced-name]\n    y = old(1) + \\\n        2\n",
        ),
        ("x = '''\nold\n'''\n", None),
        ("def f():\n    '''It is\n    old.\n    '''\n", None),
    ],
)
def test_a_comment_is_put_where_the_code_stays_what_it_is(text: str, silenced: str | None) -> None:
    edit = ignoring_edit(text, PYTHON, found(text, "old"))

    assert (None if edit is None else fixed(text, (edit,))) == silenced


@pytest.mark.parametrize(
    ("path", "text", "silenced"),
    [
        ("a.ts", "f(old(1));\n", "f(old(1)); // acclimate: ignore[replaced-name]\n"),
        ("a.tsx", "const a = (\n  <p>\n    text {old(1)}\n  </p>\n);\n", None),  # it would stand on the page
        (
            "a.tsx",
            "const a = (\n  <P\n    b={old(1)}\n  />\n);\n",
            "const a = (\n  <P\n    b={old(1)} // acclimate: ignore[replaced-name]\n  />\n);\n",
        ),
        ("a.sh", "cat <<END\n$(old 1)\nEND\n", None),
        ("a.php", "<p>\n<b><?= old(1) ?></b>\n</p>\n", None),
    ],
)
def test_what_would_be_no_comment_is_not_put_in(path: str, text: str, silenced: str | None) -> None:
    language = language_of(path)
    assert language is not None
    edit = ignoring_edit(text, language, found(text, "old"))

    assert (None if edit is None else fixed(text, (edit,))) == silenced
