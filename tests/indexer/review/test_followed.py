"""What became of flagged lines, as the benchmark of conventions follows them."""

import pytest
from benchmarks.convention_replay import Period, Replay
from benchmarks.flagged import Flagged, Followed
from benchmarks.review_conventions import share_interval
from tests.support.git_folder import GitFolder

from acclimate_indexer.home import RepositoryHome
from acclimate_indexer.mining.conventions.succession import MIN_LIKENESS

BEFORE = "import a\n\nx = shop.send_note(1)\ny = 2\n"


def followed(
    folder: GitFolder,
    *later: dict[str, str | None],
    code: str = "replaced-name",
    subject: str = "send_note",
    wanted: str = "tell_all",
    before: str = BEFORE,
) -> Flagged:
    """A place in the third line of `a.py` after later commits; None takes a file away."""
    first = folder.commit({"a.py": before})
    for day, files in enumerate(later, start=1):
        for path, text in files.items():
            if text is None:
                folder.git("rm", "-q", path)
        folder.commit({path: text for path, text in files.items() if text is not None}, day=day)
    repository = folder.open()
    place = Flagged(
        repository="shop",
        commit=first,
        day="2026-01-01",
        path="a.py",
        line=2,
        text=before.split("\n")[2],
        code=code,
        subject=subject,
        wanted=wanted,
    )
    following = Followed(repository.text)
    following.add([place])
    history = list(repository.history(repository.head(), since=first, count=99, is_main_line=True))
    for details, changes in reversed(history):
        following.take(details, changes)
    return place


@pytest.mark.parametrize(
    ("after", "fate"),
    [
        (BEFORE.replace("send_note", "tell_all"), "followed"),
        (BEFORE.replace("(1)", "(2)"), "kept"),
        (BEFORE.replace("send_note(1)", "send_mail(1)"), "otherwise"),
        (BEFORE.replace("x = shop.send_note(1)", "class Other:\n    pass"), "rewritten"),
        (BEFORE.replace("x = shop.send_note(1)\n", ""), "deleted"),
        (BEFORE.replace("y = 2", "y = 3"), "untouched"),
    ],
)
def test_a_change_decides_what_became_of_a_line(shop: GitFolder, after: str, fate: str) -> None:
    assert followed(shop, {"a.py": after}).fate == fate


@pytest.mark.parametrize(
    ("after", "fate"),
    [
        (BEFORE.replace("shop.send_note(1)", "shop.send_note(1) == 1"), "followed"),
        (BEFORE.replace("x = shop.send_note(1)", "x = shop.send_note(1) == None"), "kept"),
    ],
)
def test_what_the_linter_wants_is_asked_of_it(shop: GitFolder, after: str, fate: str) -> None:
    assert followed(shop, {"a.py": after}, code="ruff:E711", subject="E711").fate == fate


@pytest.mark.parametrize(
    ("after", "fate"),
    [
        ("def open_cart(x):", "followed"),
        ("def open_the_cart(x):", "followed"),  # of a style was spoken, not of these words
        ("async def openCart(x):", "kept"),
        ("def openTheCart(x):", "otherwise"),
    ],
)
def test_a_style_is_followed_by_any_name_of_that_style(shop: GitFolder, after: str, fate: str) -> None:
    before = "import a\n\ndef openCart(x):\n    return x\n"
    now = before.replace("def openCart(x):", after)
    place = followed(shop, {"a.py": now}, code="naming-style", subject="openCart", wanted="open_cart", before=before)

    assert place.fate == fate


def test_a_line_is_followed_where_it_moves(shop: GitFolder) -> None:
    lower = "import a\n\nimport b\n\nif a:\n    x = shop.send_note(1)\ny = 2\n"
    moved: dict[str, str | None] = {"a.py": None, "b.py": lower}
    place = followed(shop, {"a.py": lower}, moved, {"b.py": lower.replace("send_note", "tell_all")})

    assert (place.path, place.fate, place.line) == ("b.py", "followed", 5)


def test_a_line_that_is_broken_elsewhere_is_not_edited(shop: GitFolder) -> None:
    broken = BEFORE.replace("shop.send_note(1)", "shop.send_note(\n    1,\n)")
    assert followed(shop, {"a.py": broken}).fate == "untouched"
    assert followed(shop, {"a.py": broken}, {"a.py": broken.replace("send_note", "tell_all")}).fate == "followed"
    assert followed(shop, {"a.py": broken}, {"a.py": broken.replace("send_note(", "send_note(0, ")}).fate == "kept"
    assert followed(shop, {"a.py": broken.replace("1", "2")}).fate == "kept"


@pytest.mark.parametrize(
    ("after", "fate"),
    [("from shop import pay, note", "kept"), ("from shop import sell", "followed")],
)
def test_of_an_unused_import_is_asked_and_not_of_any(shop: GitFolder, after: str, fate: str) -> None:
    before = "import a\n\nfrom shop import pay\n"
    now = before.replace("from shop import pay", after)

    assert followed(shop, {"a.py": now}, code="ruff:F401", subject="pay", before=before).fate == fate


@pytest.mark.parametrize(
    ("rule", "line", "after", "fate"),
    [
        ("SIM115", "x = open('a')", 'x = open("a")', "untouched"),
        ("SIM115", "x = open('a')", 'x = open(\n    "a",\n)', "untouched"),
        ("SIM115", "x = open('a')", 'x = open("b")', "kept"),
        ("E701", "if a: x = 1", "if a:\n    x = 1", "followed"),  # what a formatter puts right is put right
    ],
)
def test_what_a_formatter_does_to_a_line_is_no_edit_of_it(
    shop: GitFolder, rule: str, line: str, after: str, fate: str
) -> None:
    before = f"import a\n\n{line}\n"
    place = followed(shop, {"a.py": before.replace(line, after)}, code=f"ruff:{rule}", subject=rule, before=before)

    assert place.fate == fate


def test_a_file_that_is_gone_takes_its_lines_along(shop: GitFolder) -> None:
    assert followed(shop, {"a.py": None, "c.py": "z = 1\n"}).fate == "deleted"


def test_a_file_that_changed_too_much_for_a_patch_is_compared(shop: GitFolder) -> None:
    many = "".join(f"line_{number} = {number}\n" for number in range(900))
    place = followed(shop, {"a.py": many + BEFORE}, {"a.py": many + BEFORE.replace("send_note", "tell_all")})

    assert (place.fate, place.line) == ("followed", 902)


def test_the_interval_of_a_share_is_wide_for_few_places() -> None:
    low, high = share_interval(2, 2)

    assert low < MIN_LIKENESS < high
    assert high == 1.0


@pytest.mark.parametrize(
    ("receiver", "old", "new"),
    [
        ("shop", "send_note", "tell_all"),
        ("self", "assertEquals", "assertEqual"),  # of which the linter says the same: one comment
    ],
)
def test_a_history_is_reviewed_with_what_was_known_at_the_time(
    shop: GitFolder, shop_home: RepositoryHome, receiver: str, old: str, new: str
) -> None:
    part = f"def run({receiver}):\n    {receiver}.{old}(0)\n    return {receiver}.{old}({{}})\n"
    files = {f"part_{number}.py": part.format(number) for number in range(6)}
    shop.commit(dict(files))
    for number, path in enumerate(files):
        files[path] = files[path].replace(old, new)
        shop.commit(dict(files), day=number + 1)
    late = shop.commit({"late.py": f"def run({receiver}):\n    return {receiver}.{old}(9)\n"}, day=7)
    shop.commit({"other.py": "def run(shop):\n    pass\n"}, day=8)
    corrected = shop.commit({"late.py": f"def run({receiver}):\n    return {receiver}.{new}(9)\n"}, day=9)
    replay = Replay(shop.open(), shop_home, commits=9, period_commits=3)
    period = replay.period(replay.starts[-1])

    (place,) = period.flagged
    assert (place.commit, place.path, place.line, place.subject) == (late, "late.py", 1, old)
    assert (place.fate, place.later) == ("followed", corrected)
    assert (period.commits, period.days, period.files, period.lines) == (3, 2, 3, 5)
    assert Period.from_json(period.to_json()) == period
