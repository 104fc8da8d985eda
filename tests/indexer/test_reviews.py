"""Review pairs from real histories: what is taken, in whose words, and what is left out."""

from collections import Counter
from collections.abc import Callable, Sequence

import pytest
from tests.support.git_folder import GitFolder, module

from acclimate_indexer.changes import CommitDetails, moment
from acclimate_indexer.feedback import ImportedReview
from acclimate_indexer.languages.registry import language_of
from acclimate_indexer.mining.reviews.balance import NEGATIVES, balanced
from acclimate_indexer.mining.reviews.mine import mine_reviews
from acclimate_indexer.mining.reviews.ordinary import ordinary
from acclimate_indexer.mining.reviews.reading import Reading
from acclimate_indexer.mining.reviews.reason import Saying, reason, saying, severity, told
from acclimate_indexer.pairs import ReviewComment, ReviewPair
from acclimate_indexer.review.dismissals import DismissedCode

SHOP = '''"""Orders."""


def total(orders, rate):
    """Adds up."""
    result = 0
    for order in orders:
        result += order.amount
    return result / rate


def names(orders):
    found = [order.name for order in orders]
    found.sort()
    return found
'''


def _mined(
    shop: GitFolder,
    *,
    imported: Sequence[ImportedReview] = (),
    dismissed: Sequence[DismissedCode] = (),
    is_wanted: Callable[[str], bool] = lambda path: "vendor" not in path,
    limit: int = 400,
) -> tuple[list[ReviewPair], Counter[str]]:
    repository = shop.open()
    head = repository.head()
    dropped: Counter[str] = Counter()
    pairs = mine_reviews(
        list(repository.history(head, count=1_000)),
        read=repository.text,
        is_wanted=is_wanted,
        language_of=language_of,
        files=[(entry.path, entry.blob) for entry in repository.files(head)],
        seed=0,
        limit=limit,
        dropped=dropped,
        imported=imported,
        dismissed=dismissed,
        commit=head,
    )
    return pairs, dropped


def _commit(shop: GitFolder, files: dict[str, str | bytes], message: str, day: int, author: str = "A") -> str:
    shop.write(files)
    shop.git("add", "-A")
    shop.git("commit", "-q", f"--author={author} <a@example.org>", "-m", message, day=day)
    return shop.git("rev-parse", "HEAD")


def _begin(shop: GitFolder) -> str:
    """A young shop, with enough good code beside the file that is corrected."""
    others: dict[str, str | bytes] = {f"{name}.py": module(name) for name in ("bills", "stock", "carts", "clients")}
    return _commit(shop, {"shop.py": SHOP, **others}, "Open the shop", 0)


def _spoken(pairs: list[ReviewPair], *sources: str) -> list[ReviewPair]:
    return [pair for pair in pairs if pair.comment is not None and pair.source in sources]


def test_a_correction_gives_the_code_before_it_and_the_reason_in_its_own_words(shop: GitFolder) -> None:
    first = _begin(shop)
    fixed = SHOP.replace("result / rate", "result / rate if rate else 0")
    second = _commit(shop, {"shop.py": fixed}, "fix(total): crash when the rate is zero (#12)\n\nSigned-off-by: A", 1)
    pairs, _ = _mined(shop)
    (pair,) = _spoken(pairs, "fix")
    (after,) = [pair for pair in pairs if pair.source == "after"]

    assert pair.comment is not None
    assert pair.comment.message == "Crash when the rate is zero"
    assert pair.comment.severity == "critical"
    assert pair.hunk == SHOP[SHOP.index("def total") : SHOP.index("\n\n\ndef names")]
    assert pair.hunk.split("\n")[pair.comment.line - 1] == "    return result / rate"
    assert pair.comment.suggestion == "    return result / rate if rate else 0"
    assert (pair.path, pair.language, pair.commit) == ("shop.py", "python", first)
    assert (after.comment, after.commit) == (None, second)
    assert after.hunk == pair.hunk + " if rate else 0"


def test_a_forgotten_line_is_commented_where_it_is_missing(shop: GitFolder) -> None:
    _begin(shop)
    check = "    if not rate:\n        return 0\n"
    _commit(shop, {"shop.py": SHOP.replace("    return result /", f"{check}    return result /")}, "Fix zero rate", 1)
    (pair,) = _spoken(_mined(shop)[0], "fix")

    assert pair.comment is not None
    assert pair.hunk.split("\n")[pair.comment.line - 1] == "    return result / rate"
    assert pair.comment.suggestion == f"{check}    return result / rate"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("    return result / rate", "    return result / rate if rate else 0"),
        ("    return result /", "    if not rate:\n        return 0\n    return result /"),
        ("    for order in orders:\n        result += order.amount\n", "    result = sum(map(amount, orders))\n"),
        ("    result = 0\n    for order in orders:\n", "    result = zero()\n    for order in set(orders):\n"),
        ("    found.sort()\n", ""),
    ],
)
def test_a_suggestion_put_in_place_of_its_lines_gives_the_authors_code(shop: GitFolder, old: str, new: str) -> None:
    _begin(shop)
    _commit(shop, {"shop.py": SHOP.replace(old, new)}, "Fix crash of empty orders", 1)
    (pair,) = _spoken(_mined(shop)[0], "fix")

    assert pair.comment is not None
    lines, first = pair.hunk.split("\n"), pair.comment.line - 1
    put = [pair.comment.suggestion] if pair.comment.suggestion else []
    assert "\n".join([*lines[:first], *put, *lines[first + pair.comment.lines :]]) in SHOP.replace(old, new)


def test_a_deleted_line_has_an_empty_suggestion(shop: GitFolder) -> None:
    _begin(shop)
    _commit(shop, {"shop.py": SHOP.replace("    found.sort()\n", "")}, "Fix: names keep the order of entry", 1)
    (pair,) = _spoken(_mined(shop)[0], "fix")

    assert pair.comment is not None
    assert pair.hunk.split("\n")[pair.comment.line - 1] == "    found.sort()"
    assert pair.comment.suggestion == ""


def test_pieces_of_one_rewritten_statement_are_one_suggestion(shop: GitFolder) -> None:
    call = "\n\ndef tell(shop):\n    notify(\n        shop.owner,\n        shop.name,\n        shop.mail,\n    )\n"
    _commit(shop, {"shop.py": SHOP + call, "a.py": module("a"), "b.py": module("b")}, "Open", 0)
    better = call.replace("shop.owner", "shop.manager").replace("shop.mail", "shop.post")
    _commit(shop, {"shop.py": SHOP + better}, "Fix the manager's bug reports going to the owner", 1)
    (pair,) = _spoken(_mined(shop)[0], "fix")

    assert pair.comment is not None
    assert pair.comment.suggestion == "        shop.manager,\n        shop.name,\n        shop.post,"


def test_a_revert_counts_if_it_says_why(shop: GitFolder) -> None:
    _begin(shop)
    changed = SHOP.replace("order.amount", "order.sum")
    reverted = _commit(shop, {"shop.py": changed}, "Use the sum of orders", 1)
    why = f'Revert "Use the sum"\n\nThis reverts commit {reverted}.\n\nOrders from the old shop have no sum yet.'
    _commit(shop, {"shop.py": SHOP}, why, 2)
    (pair,) = _spoken(_mined(shop)[0], "revert")
    silent = 'Revert "Use another"\n\nThis reverts commit 1234567.'
    _commit(shop, {"shop.py": SHOP.replace("order.name", "order.title")}, silent, 3)
    pairs, dropped = _mined(shop)

    assert pair.comment is not None
    assert pair.comment.message == "Orders from the old shop have no sum yet"
    assert pair.comment.suggestion == "        result += order.amount"
    assert pair.commit == reverted
    assert len(_spoken(pairs, "revert")) == 1
    assert dropped["review_vague"] == 1


def test_a_soon_edit_of_the_same_lines_corrects_them_and_a_late_one_does_not(shop: GitFolder) -> None:
    _begin(shop)
    taxed = SHOP.replace("order.amount", "order.amount * order.tax")
    _commit(shop, {"shop.py": taxed}, "Count taxes", 100)
    soon = taxed.replace("order.tax", "(1 + order.tax)")
    _commit(shop, {"shop.py": soon}, "Ensure the amount itself is counted", 101)
    late = soon.replace("order.tax", "order.taxes")
    _commit(shop, {"shop.py": late}, "Ensure all taxes are counted", 200)
    (pair,) = _spoken(_mined(shop)[0], "followup", "fix")

    assert pair.comment is not None
    assert (pair.source, pair.comment.message) == ("followup", "Ensure the amount itself is counted")


def test_what_corrects_no_code_is_left_out_and_counted(shop: GitFolder) -> None:
    vendored, tests = "vendor/lib.py", "tests/test_shop.py"
    _commit(shop, {"shop.py": SHOP, vendored: SHOP, tests: SHOP, "a.py": module("a"), "b.py": module("b")}, "Open", 0)
    lines = {
        "Fix the sum of tests for zero orders": {tests: SHOP.replace("result = 0", "result = 1")},
        "Fix crash of foreign orders": {vendored: SHOP.replace("result = 0", "result = 1")},
        "Fix typo in a comment": {"shop.py": SHOP.replace("Adds up.", "Adds all up.")},
        "Fix bug in what the total says": {"shop.py": SHOP.replace("Adds up.", "Adds everything up.")},
        "Fix layout bug of total function": {"shop.py": SHOP.replace("total(orders, rate)", "total( orders,rate )")},
        "Fix bug": {"shop.py": SHOP.replace("result = 0", "result = 2")},
        "Fix crash of the old library": {"shop.py": SHOP.replace("result = 0", "result = 3")},
        "Merge branch 'fix-crash' of orders": {"shop.py": SHOP.replace("result = 0", "result = 4")},
        "Fix everything that is broken": {"shop.py": SHOP + module("lost")},
    }
    for day, (message, files) in enumerate(lines.items(), 1):
        _commit(shop, {**files}, message, 20 * day, author="dependabot[bot]" if "library" in message else "A")
        if "shop.py" in files:
            _commit(shop, {"shop.py": SHOP}, "Go on", 20 * day + 19)
    shop.git("mv", "shop.py", "store.py")
    shop.git("commit", "-q", "-m", "Fix bug by moving the shop", day=500)
    pairs, dropped = _mined(shop)

    assert _spoken(pairs, "fix", "revert", "followup") == []
    del dropped["review_without_negatives"]
    assert {name: count for name, count in dropped.items() if name.startswith("review")} == {
        "review_vendored": 1,
        "review_housekeeping": 2,
        "review_comments_only": 1,
        "review_formatting": 1,
        "review_vague": 1,
        "review_bot": 1,
        "review_merge": 1,
        "review_too_large": 1,
        "review_rename": 1,
    }


def test_moved_code_is_no_correction(shop: GitFolder) -> None:
    _begin(shop)
    names = SHOP[SHOP.index("def names") :]
    _commit(shop, {"shop.py": SHOP.replace(names, ""), "other.py": names}, "Fix crash on import of names", 1)
    pairs, dropped = _mined(shop)

    assert _spoken(pairs, "fix") == []
    assert dropped["review_moved"] == 1, dropped


def test_a_secret_in_the_lines_the_reason_or_the_suggestion_drops_the_pair(shop: GitFolder) -> None:
    key = "AKIA" + "QYLPMN5HHHFPZAM2"
    _begin(shop)
    leaky = SHOP.replace("result = 0", f'result = connect("{key}")')
    _commit(shop, {"shop.py": leaky}, "Connect", 1)
    _commit(shop, {"shop.py": SHOP}, "Fix leaked key of the shop", 30)
    _commit(shop, {"shop.py": SHOP.replace("found.sort()", "found.sort(key=str)")}, f"Fix sort crash, key {key}", 60)
    pairs, dropped = _mined(shop)

    assert _spoken(pairs, "fix") == []
    assert dropped["secret"] >= 2
    assert not any(key in repr(pair) for pair in pairs)


def test_addresses_of_people_do_not_reach_a_pair(shop: GitFolder) -> None:
    _begin(shop)
    said = "Fix crash of empty orders\n\nReported-by: Jo <jo.doe@company.com>"
    _commit(shop, {"shop.py": SHOP.replace("/ rate", "/ (rate or 1)  # jo.doe@company.com")}, said, 1)
    pairs, _ = _mined(shop)

    assert not any("jo.doe" in repr(pair) for pair in pairs)


def test_three_pieces_of_clean_code_stand_beside_each_comment(shop: GitFolder) -> None:
    _begin(shop)
    for day in range(1, 9):
        fixed = SHOP.replace("result = 0", f"result = {day}.0")
        _commit(shop, {"shop.py": fixed}, f"Fix crash number {'x' * day} of totals in yen", 20 * day)
    pairs, dropped = _mined(shop)
    spoken = sum(pair.comment is not None for pair in pairs)

    assert spoken > 3
    for end in range(len(pairs) + 1):
        silent = sum(pair.comment is None for pair in pairs[:end])
        assert silent >= NEGATIVES * (end - silent)
    assert len({pair.hunk for pair in pairs}) == len(pairs)
    assert dropped["review_without_negatives"] > 0
    assert len(_mined(shop, limit=8)[0]) == 8


def test_what_ordinary_commits_left_and_nobody_touched_again_is_clean(shop: GitFolder) -> None:
    text = "".join(
        f"def part_{number}(orders):\n    first_{number} = orders[0].amount\n    return first_{number} * {number}\n\n\n"
        for number in range(16)
    )
    _commit(shop, {"parts.py": text}, "Begin", 0)
    for number in range(16):
        text = text.replace(
            f"orders[0].amount\n    return first_{number} ", f"orders[-1].sum\n    return first_{number} "
        )
        _commit(shop, {"parts.py": text}, f"Sum part {number}", 1 + number)
    text = text.replace("first_2 = orders[-1].sum", "first_2 = orders[-2].sum")
    _commit(shop, {"parts.py": text}, "Rename things", 20)
    repository, dropped = shop.open(), Counter[str]()
    history = list(repository.history(repository.head(), count=99))
    reading = Reading(repository.text, lambda _path: True, language_of, dropped)
    pieces = list(ordinary(history, reading))

    assert {pair.comment for pair in pieces} == {None}
    assert {pair.source for pair in pieces} == {"ordinary"}
    found = {int(pair.hunk.partition("(")[0].removeprefix("def part_")) for pair in pieces}
    assert found == {*range(7)} - {2}  # ten later commits had the occasion; part 2 was changed again


def test_code_that_was_corrected_at_another_time_is_not_called_clean(shop: GitFolder) -> None:
    _begin(shop)
    once = SHOP.replace("result = 0", "result = zero()")
    _commit(shop, {"shop.py": once}, "Fix crash of totals in yen", 10)
    _commit(shop, {"shop.py": once.replace("/ rate", "// rate")}, "Fix fractions of the smallest coin", 40)
    pairs, _ = _mined(shop)

    assert len(_spoken(pairs, "fix")) == 2
    clean = [pair.hunk for pair in pairs if pair.comment is None and pair.hunk.startswith("def total")]
    assert len(clean) == 1
    assert "zero()" in clean[0]
    assert "// rate" in clean[0]


def test_in_an_old_repository_clean_code_has_survived(shop: GitFolder) -> None:
    _begin(shop)
    for day in range(60):
        _commit(shop, {"log.py": f"day = {day}\n"}, "Write the log", 4 * day)
    _commit(shop, {"new.py": module("new")}, "Add new things", 241)
    _commit(shop, {"shop.py": SHOP.replace("result = 0", "result = 0.0")}, "Fix crash of totals in yen", 242)
    pairs, _ = _mined(shop)

    assert {pair.source for pair in pairs if pair.comment is None and ":" not in pair.source} == {"after", "survived"}
    assert not any(pair.path == "new.py" for pair in pairs)


def test_pairs_are_the_same_at_every_run(shop: GitFolder) -> None:
    _begin(shop)
    _commit(shop, {"shop.py": SHOP.replace("result = 0", "result = 0.0")}, "Fix crash of totals in yen", 2)

    assert _mined(shop) == _mined(shop)


def test_balanced_leaves_out_what_has_no_company() -> None:
    def pair(number: int, comment: ReviewComment | None = None) -> ReviewPair:
        return ReviewPair(language="python", path="a.py", commit="", hunk=str(number), comment=comment, source="x")

    said = ReviewComment(line=1, severity="warning", message="Wrong limit", suggestion="")
    clean, commented = [pair(number) for number in range(7)], [pair(10 + number, said) for number in range(4)]

    assert balanced([], 9) == []
    assert balanced(commented, 9) == []
    assert balanced([*commented, *clean], 99) == [*clean[:3], commented[0], *clean[3:6], commented[1], clean[6]]
    assert balanced([*commented, *clean, *clean], 6) == [*clean[:3], commented[0], *clean[3:5]]


def test_a_comment_that_was_heeded_becomes_a_pair(shop: GitFolder) -> None:
    first = _begin(shop)
    _commit(shop, {"shop.py": f'"""Orders."""\n\nRATE = 1\n{SHOP[14:]}'}, "Name the rate", 1)
    shop.git("mv", "shop.py", "store.py")
    shop.git("commit", "-q", "-m", "Move", day=2)
    later = (shop.path / "store.py").read_text(encoding="utf-8").replace("found.sort()", "found.sort(key=str.lower)")
    _commit(shop, {"store.py": later}, "Address comments", 3)
    line = SHOP.split("\n").index("    found.sort()") + 1
    comments = [
        ImportedReview(
            path="shop.py", line=line, commit=first, message="nit: upper case names come first here.\n\nOk?"
        ),
        ImportedReview(path="shop.py", line=line - 1, commit=first, message="This list is built twice, isn't it"),
        ImportedReview(path="shop.py", line=line, commit="f" * 40, message="This sorts upper case first"),
        ImportedReview(path="shop.py", line=line, commit=first, message="LGTM"),
    ]
    pairs, dropped = _mined(shop, imported=comments)
    (pair,) = _spoken(pairs, "imported")

    assert pair.comment is not None
    assert pair.comment.message == "Upper case names come first here"
    assert pair.comment.suggestion == "    found.sort(key=str.lower)"
    assert pair.hunk.split("\n")[pair.comment.line - 1] == "    found.sort()"
    assert pair.path == "store.py"
    assert {name: dropped[name] for name in ("review_line_unchanged", "review_unknown_commit", "review_vague")} == {
        "review_line_unchanged": 1,
        "review_unknown_commit": 1,
        "review_vague": 1,
    }


def _details(subject: str, body: str = "", author: str = "A") -> CommitDetails:
    return CommitDetails(sha="0", parents=(), time=moment("0"), author=author, subject=subject, body=body)


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        ("Fix crash when a tool has no name", Saying.CORRECTS),
        ("fix(auth)!: tokens never expire", Saying.CORRECTS),
        ("Prevent deadlock at shutdown (#123)", Saying.CORRECTS),
        ("Backport: memory leak in the cache", Saying.CORRECTS),
        ('Revert "Add cache"', Saying.REVERTS),
        ("revert: add cache", Saying.REVERTS),
        ("Handle empty names", Saying.HINTS),
        ("feat: add crash reports", Saying.OTHER),
        ("Add a cache", Saying.OTHER),
        ("docs: fix a link", Saying.OTHER),
        ("Fix typo", Saying.HOUSEKEEPING),
        ("Fix failing tests", Saying.HOUSEKEEPING),
        ("Fix ruff errors", Saying.HOUSEKEEPING),
        ("Merge pull request #1 from a/fix-crash", Saying.MERGE),
        ("Merge branch 'main' into fix", Saying.MERGE),
    ],
)
def test_a_commit_is_told_by_its_words(subject: str, expected: Saying) -> None:
    assert saying(_details(subject)) is expected


@pytest.mark.parametrize("author", ["dependabot[bot]", "renovate", "pre-commit-ci", "release-bot", "Weblate"])
def test_a_bot_is_told_by_its_name(author: str) -> None:
    assert saying(_details("Fix crash", author=author)) is Saying.BOT
    assert saying(_details("Fix crash", author="Abbot Talbot")) is Saying.CORRECTS


@pytest.mark.parametrize(
    ("subject", "body", "expected"),
    [
        ("fix(http): retry on timeouts (#12, #13)", "", "Retry on timeouts"),
        ("[3.11] gh-1234: Fix race in queue", "", "Fix race in queue"),
        (":bug: Names may be empty. Fixes #3", "", "Names may be empty"),
        ("Fix #12", "The queue is closed twice.\nMore words. And more.", "The queue is closed twice"),
        ("Fix bug", "Co-authored-by: A <a@b.org>", ""),
        ("Fix a bug reported by jo@company.com in orders parsing", "", "Fix a bug reported by in orders parsing"),
        ("Fix", "- one\n- two", ""),
        ("Fix some issues", "", ""),
    ],
)
def test_the_reason_is_what_is_left_of_the_words(subject: str, body: str, expected: str) -> None:
    assert reason(_details(subject, body)) == expected


def test_reasons_are_short_and_hostile_messages_cost_little() -> None:
    long = reason(_details("Fix " + " ".join(f"word{number}" for number in range(500))))
    for text in ("(" * 100_000, "#" * 100_000, "a@" * 100_000, "fix " * 50_000, "```" * 50_000, "a." * 100_000):
        told(text)
        reason(_details(text[:4_000], text[:4_000]))

    assert 150 < len(long) <= 200


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("SQL injection in the search", "critical"),
        ("Crash at start", "critical"),
        ("Wrong sum of orders", "warning"),
        ("Names for consistency", "suggestion"),
    ],
)
def test_how_grave_it_is_is_told_by_words(said: str, expected: str) -> None:
    assert severity(said) == expected


def _dismissed(hunk: str, path: str = "shop.py") -> DismissedCode:
    return DismissedCode(path=path, language="python", commit="1" * 40, hunk=hunk)


def test_what_somebody_did_not_want_to_hear_is_clean_code_from_then_on(shop: GitFolder) -> None:
    first = _begin(shop)
    fixed = SHOP.replace("result / rate", "result / rate if rate else 0")
    _commit(shop, {"shop.py": fixed}, "fix(total): crash when the rate is zero", 1)
    kept = "def total(orders, rate):\n    return send_note(orders) / rate"
    refuted = SHOP[SHOP.index("def total") : SHOP.index("\n\n\ndef names")]
    key = f"key = '{'AKIA' + 'QX7Z4M2P9L5K3J8H'}'"
    pairs, dropped = _mined(
        shop,
        dismissed=[
            _dismissed(kept),
            _dismissed(kept),
            _dismissed(refuted),
            _dismissed(key),
            _dismissed("x" * 500),
            _dismissed("by('jo.smith@company.com')"),
            _dismissed(kept + "  #", "vendor/a.py"),
        ],
    )

    assert first
    assert [(pair.hunk, pair.comment) for pair in pairs if pair.source == "dismissed"] == [(kept, None)]
    assert dropped["secret"] == 2
    assert dropped["review_long_lines"] == 1
    assert [pair.hunk for pair in _spoken(pairs, "fix")] == [refuted]  # history knows better
