"""What is looked at: what changed since the commit, less what was looked at before."""

from pathlib import Path

import pytest
from tests.support.findings import found
from tests.support.git_folder import GitFolder

from acclimate_indexer.home import Home
from acclimate_indexer.languages.python import PYTHON
from acclimate_indexer.review.finding import Finding, Reviewer
from acclimate_indexer.review.target import ReviewTarget, without
from acclimate_server.review.ground import Ground, Panel
from acclimate_server.review.plan import Asked, NoReview, Plan, plan
from acclimate_server.review.reviewed import Reviewed
from acclimate_server.review.reviewers import Findings
from acclimate_server.settings import ReviewSettings

COMMITTED = "".join(f"line_{number} = {number}\n" for number in range(20_000))
PANEL = Panel(reviewers=(), words={})


class Anew:
    """Who is asked about all changed lines whenever the text is another."""

    name: Reviewer = "conventions"
    identity = ""
    looks_again = True

    async def review(self, target: ReviewTarget) -> list[Finding]:
        raise NotImplementedError


class Once(Anew):
    """Who is asked about new lines alone."""

    name = "model"
    looks_again = False


BOTH = Panel(reviewers=(Anew(), Once()), words={})


@pytest.fixture
def ground(tmp_path: Path, home: Home) -> Ground:
    shop = GitFolder.new(tmp_path / "shop")
    shop.commit({"a.py": COMMITTED})
    return Ground(shop.open(), home.for_repository(shop.path / ".git"))


def planned(
    ground: Ground,
    text: str,
    before: Reviewed | None = None,
    *,
    asked: Asked = None,
    path: str = "a.py",
    wanted: ReviewSettings | None = None,
    panel: Panel = PANEL,
) -> Plan | NoReview:
    return plan(
        path,
        PYTHON,
        text,
        before=before or Reviewed(),
        asked=asked,
        ground=ground,
        panel=panel,
        wanted=wanted or ReviewSettings(),
    )


def looked_at(ground: Ground, text: str, before: Reviewed | None = None, asked: Asked = None) -> tuple[range, ...]:
    made = planned(ground, text, before, asked=asked)
    assert isinstance(made, Plan)
    return new_lines(made)


def new_lines(made: Plan) -> tuple[range, ...]:
    """What only those are not asked about who look again."""
    return without(made.target.changed, made.known.lines)


def test_of_many_lines_only_the_changed_one_is_looked_at(ground: Ground) -> None:
    assert looked_at(ground, COMMITTED.replace("line_12000 =", "other =")) == (range(12_000, 12_001),)


def test_a_file_that_was_never_committed_is_new_in_all_its_lines(ground: Ground) -> None:
    made = planned(ground, "a = 1\nb = 2", path="new.py")

    assert isinstance(made, Plan)
    assert made.target.changed == (range(2),)


@pytest.mark.parametrize("is_staged", [True, False])
def test_of_a_file_that_was_moved_only_the_changed_lines_are_new(
    tmp_path: Path, ground: Ground, is_staged: bool
) -> None:
    shop = GitFolder(tmp_path / "shop")
    (shop.path / "parts").mkdir()
    if is_staged:
        shop.git("mv", "a.py", "parts/b.py")
    else:
        (shop.path / "a.py").rename(shop.path / "parts/b.py")
    made = planned(ground, COMMITTED.replace("line_5 =", "five ="), path="parts/b.py")

    assert isinstance(made, Plan)
    assert made.target.changed == (range(5, 6),)


def test_a_copy_and_a_file_like_few_lines_of_a_gone_one_are_new(tmp_path: Path, ground: Ground) -> None:
    copied = planned(ground, COMMITTED, path="b.py")
    (tmp_path / "shop/a.py").unlink()
    unlike = planned(ground, COMMITTED[: len(COMMITTED) // 3], path="b.py")

    assert isinstance(copied, Plan)
    assert isinstance(unlike, Plan)
    assert copied.target.changed == (range(20_000),)
    assert unlike.target.changed[0].start == 0  # of a moved one nothing would be new


def test_what_was_a_link_is_left_alone(tmp_path: Path, ground: Ground) -> None:
    shop = GitFolder(tmp_path / "shop")
    (shop.path / "linked.py").symlink_to("a.py")
    shop.git("add", "--all")
    shop.git("commit", "--quiet", "--message", "Link")
    made = planned(ground, "x = 1\n", path="linked.py")

    assert isinstance(made, NoReview)
    assert "link" in made.reason


def test_what_was_looked_at_is_not_looked_at_again_and_what_was_found_stays(ground: Ground) -> None:
    first = COMMITTED.replace("line_5 =", "five =")
    made = planned(ground, first)
    assert isinstance(made, Plan)
    known = made.done(Findings(found=[found(first, "five")]))
    second = "new = 0\n" + first
    again = planned(ground, second, known)

    assert isinstance(again, Plan)
    assert new_lines(again) == (range(1),)
    (kept,) = again.done(Findings()).found
    assert second[kept.span.start : kept.span.end] == "five"


def test_who_looks_again_is_asked_about_every_changed_line_of_another_text(ground: Ground) -> None:
    first = COMMITTED.replace("line_5 =", "five =").replace("line_8 =", "eight =")
    made = planned(ground, first, panel=BOTH)
    assert isinstance(made, Plan)
    by_both = [found(first, "five"), found(first, "eight", reviewer="model", message="It is not used.")]
    again = planned(ground, "new = 0\n" + first, made.done(Findings(found=by_both)), panel=BOTH)

    assert isinstance(again, Plan)
    assert again.target.changed == (range(1), range(6, 7), range(9, 10))
    assert new_lines(again) == (range(1),)
    assert [each.reviewer for each in again.done(Findings()).found] == ["model"]


def test_of_the_same_text_nobody_is_asked_twice(ground: Ground) -> None:
    first = COMMITTED.replace("line_5 =", "five =")
    made = planned(ground, first, panel=BOTH)
    assert isinstance(made, Plan)
    known = made.done(Findings(found=[found(first, "five")]))
    again = planned(ground, first, known, panel=BOTH)

    assert isinstance(again, Plan)
    assert again.target.changed == ()
    assert again.done(Findings()).found == known.found


@pytest.mark.parametrize(("silent", "new"), [("conventions", ()), ("model", (range(5, 6),))])
def test_who_was_silent_is_asked_again_at_the_next_save(ground: Ground, silent: str, new: tuple[range, ...]) -> None:
    first = COMMITTED.replace("line_5 =", "five =")
    made = planned(ground, first, panel=BOTH)
    assert isinstance(made, Plan)
    again = planned(ground, first, made.done(Findings(silent={silent: "It is away."})), panel=BOTH)

    assert isinstance(again, Plan)
    assert again.target.changed == (range(5, 6),)
    assert new_lines(again) == new


def test_an_altered_line_is_looked_at_again(ground: Ground) -> None:
    first = COMMITTED.replace("line_5 =", "five =")
    made = planned(ground, first)
    assert isinstance(made, Plan)
    known = made.done(Findings(found=[found(first, "five")]))
    again = planned(ground, first.replace("five =", "fifth ="), known)

    assert isinstance(again, Plan)
    assert new_lines(again) == (range(5, 6),)
    assert again.done(Findings()).found == ()


def test_what_is_as_it_was_committed_is_not_spoken_of(ground: Ground) -> None:
    first = COMMITTED.replace("line_5 =", "five =")
    known = Reviewed(text=first, lines=(range(5, 6), range(9, 10)), found=(found(first, "line_9"),))
    again = planned(ground, first, known)

    assert isinstance(again, Plan)
    assert again.done(Findings()).found == ()


def test_another_judgement_is_asked_for_all_again(ground: Ground) -> None:
    first = COMMITTED.replace("line_5 =", "five =")
    known = Reviewed(text=first, basis=(("conventions", "1"),), lines=(range(5, 6),), found=(found(first, "five"),))
    again = planned(ground, first, known)

    assert isinstance(again, Plan)
    assert again.target.changed == (range(5, 6),)
    assert again.kept == ()


def test_who_asks_has_lines_looked_at_that_were_not_changed(ground: Ground) -> None:
    assert looked_at(ground, COMMITTED, asked=range(3, 5)) == (range(3, 5),)
    assert looked_at(ground, COMMITTED, asked=range(19_999, 90_000)) == (range(19_999, 20_001),)
    assert looked_at(ground, COMMITTED, asked="file") == (range(20_001),)
    assert looked_at(ground, COMMITTED, asked="changes") == ()
    assert looked_at(ground, COMMITTED.replace("line_5 =", "five ="), asked="file") == (range(5, 6),)


def test_what_was_asked_for_stays_in_view_at_the_next_save(ground: Ground) -> None:
    made = planned(ground, COMMITTED, asked=range(3, 5))
    assert isinstance(made, Plan)
    again = planned(ground, "new = 0\n" + COMMITTED, made.done(Findings(found=[found(COMMITTED, "line_3")])))

    assert isinstance(again, Plan)
    assert new_lines(again) == (range(1),)
    assert len(again.kept) == 1


@pytest.mark.parametrize(
    ("path", "text", "wanted", "why"),
    [
        ("a.py", "x = 1\n", ReviewSettings(enabled=False), "review.enabled"),
        ("a.py", "x = 1\n", ReviewSettings(languages=("go",)), "review.languages"),
        ("db/a.py", "x = 1\n", ReviewSettings(exclude=("db/**",)), "review.exclude"),
        ("node_modules/a.py", "x = 1\n", None, "vendored"),
        ("a.py", "# DO NOT EDIT\nx = 1\n", None, "generated"),
        ("a.py", "x = 1\n" * 400_000, None, "2,400,000 characters"),
        ("a.py", "def (\n", None, "does not parse"),
    ],
)
def test_some_files_are_left_alone(
    ground: Ground, path: str, text: str, wanted: ReviewSettings | None, why: str
) -> None:
    made = planned(ground, text, path=path, wanted=wanted)

    assert isinstance(made, NoReview)
    assert why in made.reason


def test_a_file_that_was_committed_broken_is_reviewed_as_it_is(tmp_path: Path, ground: Ground) -> None:
    shop = GitFolder(tmp_path / "shop")
    shop.commit({"a.py": "def (\n"}, day=1)

    assert looked_at(ground, "def (\nx = 1\n") == (range(1, 2),)
