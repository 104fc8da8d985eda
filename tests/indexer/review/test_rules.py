"""What a team says to its reviewers: prose for the model, instructions for the conventions."""

import pytest
from tests.support.reviewed import conventions, findings, prevalence, put_right, replacement

from acclimate_indexer.review.rules import MAX_PROSE_CHARACTERS, RULES_FILE, TeamRules

SENT = replacement("send_note", "tell_all")
FUNCTIONS = prevalence("python functions", "snake_case", others={"camelCase": 2})
ON = "- on: python functions\n"
TEXT = "def openCart(x):\n    return send_note(x)\n"


def rules(text: str, path: str = RULES_FILE) -> TeamRules:
    return TeamRules.read({path: text})


@pytest.mark.parametrize(
    ("line", "left"),
    [
        ("- off: replaced-name `send_note`", ["naming-style"]),
        ("* Off: replaced-name send_note", ["naming-style"]),
        ("- off: replaced-name", ["naming-style"]),
        ("- off: python functions", ["replaced-name"]),
        ("- off: naming-style", ["replaced-name"]),
        ("- off: naming-style openCart", ["replaced-name"]),
        ("- off: naming-style closeCart", ["naming-style", "replaced-name"]),
        ("We switch things off: python functions", ["naming-style", "replaced-name"]),
        ("```\n- off: python functions\n```", ["naming-style", "replaced-name"]),
    ],
)
def test_what_is_switched_off_is_not_said(line: str, left: list[str]) -> None:
    assert [each.code for each in findings("a.py", TEXT, SENT, FUNCTIONS, rules=rules(f"{ON}{line}"))] == left


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("", []),
        ("- on: python functions", ["naming-style"]),
        ("- On: `Python functions`", ["naming-style"]),
        ("- on: python classes", []),
        ("- on: python functions\n- off: naming-style", []),
        ("On: python functions", []),
    ],
)
def test_what_commits_hardly_follow_is_said_where_the_team_wants_it(line: str, said: list[str]) -> None:
    assert [each.code for each in findings("a.py", TEXT, FUNCTIONS, rules=rules(line))] == said


def test_conventions_are_taken_out_and_comments_of_others_are_known() -> None:
    read = rules(
        "- off: replaced-name send_note\n- off: ruff:B006\n- off: ruff:E501 cart.py\n- off: python functions\n"
    )

    assert read.apply(conventions(SENT, FUNCTIONS)) == conventions()
    assert read.silences("ruff:B006", "anything")
    assert read.silences("ruff:E501", "cart.py")
    assert not read.silences("ruff:E501", "till.py")


def test_a_comment_is_worded_by_the_team() -> None:
    read = rules(
        f"{ON}- word: replaced-name `send_note`: Notes are told: see docs/notes.md.\n"
        "- word: python functions: Snakes.\n"
    )

    assert [each.message for each in findings("a.py", TEXT, SENT, FUNCTIONS, rules=read)] == [
        "Snakes.",
        "Notes are told: see docs/notes.md.",
    ]


@pytest.mark.parametrize(
    ("line", "path", "text", "expected"),
    [
        (
            "- use `sleep_for` instead of `time.sleep` — because tests wait.",
            "a.py",
            "time.sleep(1)\n",
            "sleep_for(1)\n",
        ),
        ("- Use `b` instead of `a`.", "a.py", "x = a\n", "x = b\n"),
        ("- use `node:fs` instead of `fs-extra`", "a.ts", 'import a from "fs-extra";\n', 'import a from "node:fs";\n'),
        ("- use `f.g(0, ` instead of `f.g(`", "a.py", "x = f.g(1) + f.g(0, 2)\n", "x = f.g(0, 1) + f.g(0, 2)\n"),
        ("- use `shop.Run` instead of `shop.Start`", "a.go", "package a\n\nvar x = shop.Start(1)\n", "shop.Run(1)\n"),
    ],
)
def test_a_pinned_replacement_needs_no_history(line: str, path: str, text: str, expected: str) -> None:
    found = findings(path, text, rules=rules(f"# Ours\n\n{line}\n"))

    assert [each.code for each in found] == ["team-rule"]
    assert found[0].message.endswith(f"({RULES_FILE}, line 3).")
    assert put_right(path, text, found).endswith(expected)


def test_what_is_pinned_takes_the_place_of_what_was_mined() -> None:
    read = rules("- use `notes.tell` instead of `send_note`: a team's word counts more.")
    (found,) = findings("a.py", "send_note(1)\n", SENT, rules=read)

    assert found.message.startswith("Use `notes.tell` instead of `send_note`, because a team's word counts more (")


def test_prose_is_what_is_left_and_other_files_are_prose_only() -> None:
    text = "# Ours\n\nBe kind.\n- off: python functions\n- use `b` instead of `a`\n- Off we go\n"
    read = TeamRules.read({RULES_FILE: text, "AGENTS.md": "- off: naming-style\n"})

    assert read.prose == "# Ours\n\nBe kind.\n- use `b` instead of `a`\n- Off we go\n\n- off: naming-style"
    assert read.off == {"python functions"}
    assert len(rules(text, "CLAUDE.md").pinned) == 0


@pytest.mark.parametrize(
    "text",
    [
        "word " * 1_000_000,
        "- off: x\n- on: y\n" * 250_000,
        "- use `" + "a" * 5_000_000,
        "- word: " + "a: " * 1_000_000,
        "- use `((((` instead of `[[[[`\n- off: (?P<\n- word: \\1: \\1\n" * 10_000,
        "\0\ud800<|endoftext|>\n```\n" * 100_000,
    ],
)
def test_a_rules_file_of_megabytes_is_read_within_bounds(text: str) -> None:
    read = rules(text)

    assert len(read.prose) <= MAX_PROSE_CHARACTERS
    assert len(read.on) + len(read.off) + len(read.words) + len(read.pinned) <= 200
    findings("a.py", "x = [[[[1]]]]\n", SENT, rules=read)


def test_whole_lines_of_prose_are_kept() -> None:
    read = rules("A rule of ours.\n" * 1_000)

    assert set(read.prose.split("\n")) == {"A rule of ours."}
