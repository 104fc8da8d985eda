"""ruff's findings: which rules a repository acts upon, and what is said about a changed line."""

from dataclasses import replace

import pytest
from tests.support.git_folder import GitFolder

from acclimate_indexer.dataset import MiningOptions, mine
from acclimate_indexer.home import RepositoryHome
from acclimate_indexer.languages.registry import language_of
from acclimate_indexer.linting import lints
from acclimate_indexer.mining.conventions.linted import edited_lints, linted_rules
from acclimate_indexer.mining.conventions.record import LintedRule
from acclimate_indexer.repository import Repository
from acclimate_indexer.review.finding import fixed
from acclimate_indexer.review.linter import linter_findings
from acclimate_indexer.review.target import ReviewTarget

RULE = LintedRule(rule="UP006", resolved=12, commits=4, standing=0, evidence=("1a2b3c4d", "5e6f"), last="2026-10-03")


def carrier(name: str, *, broken: bool) -> str:
    """A file that hands an error on, in the way that TRY201 complains about or in the other."""
    head = f"def {name}(order):\n    try:\n        order.{name}()\n    except KeyError as e:\n"
    return f"{head}        order.note(e)\n        raise{' e' if broken else ''}\n"


def history_of_corrections(shop: GitFolder, *, corrected: int, left: int) -> None:
    names = [f"part_{number}" for number in range(corrected + left)]
    shop.commit({f"shop/{name}.py": carrier(name, broken=True) for name in names})
    for day, name in enumerate(names[:corrected], 1):
        shop.commit({f"shop/{name}.py": carrier(name, broken=False)}, day=day)


def rules_of(shop: GitFolder) -> dict[str, LintedRule]:
    repository = Repository.open(shop.path)
    history = list(repository.history(repository.head(), count=100, patterns=["*.py"]))
    edited = edited_lints(history, repository.text, lambda _: True, lambda _, find: find())
    files = [(entry.path, repository.text(entry.blob) or "") for entry in repository.files(repository.head())]
    return {each.rule: each for each in linted_rules(edited, history, files)}


def target(path: str, text: str, *changed: range) -> ReviewTarget:
    language = language_of(path)
    assert language is not None
    return ReviewTarget(path=path, language=language, text=text, changed=changed)


def test_a_rule_that_is_acted_upon_again_and_again_is_this_repositorys(shop: GitFolder) -> None:
    history_of_corrections(shop, corrected=8, left=1)
    rule = rules_of(shop)["TRY201"]
    assert (rule.resolved, rule.commits, rule.standing, rule.last) == (8, 8, 1, "2026-01-09")
    assert rule.evidence[0] == shop.git("rev-parse", "HEAD")


@pytest.mark.parametrize(("left", "speaks"), [(4, True), (5, False)])
def test_a_rule_that_more_than_half_as_many_places_break_as_were_put_right_is_nobodys(
    shop: GitFolder, left: int, speaks: bool
) -> None:
    history_of_corrections(shop, corrected=8, left=left)
    assert ("TRY201" in rules_of(shop)) is speaks


def test_a_rule_that_edited_lines_still_break_is_nobodys(shop: GitFolder) -> None:
    history_of_corrections(shop, corrected=8, left=1)
    shop.commit({"shop/part_8.py": carrier("part_8", broken=True).replace("raise e", "raise e  # so")}, day=12)
    assert "TRY201" not in rules_of(shop)


def test_a_rule_that_guesses_is_nobodys(shop: GitFolder) -> None:
    names = [f"part_{number}" for number in range(5)]
    shop.commit({f"shop/{name}.py": f"a = 1\nprint(a, unknown_{name})\n" for name in names})
    for day, name in enumerate(names, 1):
        shop.commit({f"shop/{name}.py": f"a = 1\nprint(a, '{name}')\n"}, day=day)
    assert "F821" not in rules_of(shop)


def test_one_commit_makes_no_rule(shop: GitFolder) -> None:
    names = [f"part_{number}" for number in range(5)]
    shop.commit({f"shop/{name}.py": carrier(name, broken=True) for name in names})
    shop.commit({f"shop/{name}.py": carrier(name, broken=False) for name in names}, day=1)
    assert "TRY201" not in rules_of(shop)


def test_what_was_deleted_was_not_put_right(shop: GitFolder) -> None:
    names = [f"part_{number}" for number in range(5)]
    shop.commit({f"shop/{name}.py": carrier(name, broken=True) for name in names})
    for day, name in enumerate(names, 1):
        shop.commit({f"shop/{name}.py": carrier(name, broken=True).rpartition("        raise")[0]}, day=day)
    assert "TRY201" not in rules_of(shop)


def test_only_changed_lines_are_spoken_of_with_proof_and_fix() -> None:
    text = "from typing import List\n\n\ndef one(a: List[int]):\n    pass\n\n\ndef two(a: List[int]):\n    pass\n"
    [found] = linter_findings(target("shop/a.py", text, range(7, 8)), [RULE])
    assert text[found.span.start : found.span.end] == "List"
    assert text[: found.span.start].count("\n") == 7
    assert found.code == "ruff:UP006"
    assert found.message.endswith(
        "12 such places were put right in 4 commits, last in 1a2b3c4 (2026-10-03); none is left."
    )
    assert [each.commit for each in found.evidence] == ["1a2b3c4d", "5e6f"]
    assert "def two(a: list[int])" in fixed(text, found.fix)


def test_rules_that_nobody_acts_on_stay_silent() -> None:
    text = "import os\n\n\ndef one(a=[]):\n    return a\n"
    assert linter_findings(target("shop/a.py", text, range(5)), [RULE]) == []


UNUSED = "from typing import Dict, List as L\nimport os.path\n"


@pytest.mark.parametrize(
    ("path", "text", "names"),
    [
        ("shop/a.py", UNUSED, ["Dict", "L", "os.path"]),
        ("shop/a.py", f"{UNUSED}x = []  # type: L[int]\n", ["Dict", "os.path"]),
        ("shop/a.py", f"{UNUSED}x = {{}}  # Dict\n", ["Dict", "L", "os.path"]),
        ("shop/__init__.py", UNUSED, []),
        ("shop/a.py", "try:\n    import json\nexcept ImportError:\n    x = None\n", []),
    ],
)
def test_an_import_that_may_be_there_for_a_reason_is_left_alone(path: str, text: str, names: list[str]) -> None:
    found = linter_findings(target(path, text, range(5)), [replace(RULE, rule="F401")])
    assert [text[each.span.start : each.span.end] for each in found] == names


def test_positions_count_characters_whatever_their_width() -> None:
    text = 'from typing import List\nname = "🛒é"; kind: List[int] = []\n'
    [found] = linter_findings(target("shop/a.py", text, range(1, 2)), [RULE])
    assert text[found.span.start : found.span.end] == "List"


def test_a_mark_of_the_byte_order_moves_nothing() -> None:
    text = "\ufefffrom typing import List; kind: List[int] = []\nkind: List[int]\n"
    first, second = linter_findings(target("shop/a.py", text, range(2)), [RULE])
    assert text[first.span.start : first.span.end] == text[second.span.start : second.span.end] == "List"


def test_a_repositorys_own_configuration_is_not_read(shop: GitFolder) -> None:
    shop.write({"ruff.toml": 'extend = "/etc/passwd"\n', "pyproject.toml": "[tool.ruff]\nselect = 7\n"})
    text = "from typing import List\nkind: List[int] = []\n"
    [found] = linter_findings(target(str(shop.path / "a.py"), text, range(2)), [RULE])
    assert found.subject == "UP006"


def test_files_that_do_not_parse_and_other_languages_give_nothing() -> None:
    assert linter_findings(target("shop/a.py", "def f(:\n", range(1)), [RULE]) == []
    assert linter_findings(target("shop/a.ts", "let a = 1\n", range(1)), [RULE]) == []


def test_names_of_files_tell_ruff_nothing_but_what_rules_need() -> None:
    hostile = {"--config=x.py": ("../../--config=x.py", "import os\n"), "init": ("shop/__init__.py", "import os\n")}
    found = list(lints(hostile, rules=["F401"]))
    assert {name for name, _ in found} == set(hostile)
    assert all(lint.line == 0 for _, lint in found)


def test_a_line_break_that_ruff_counts_otherwise_is_passed_over() -> None:
    assert list(lints({"a": ("a.py", "a = 1\rimport os\n")})) == []


def test_corrections_of_such_rules_are_learnt_and_the_rules_are_conventions(
    shop: GitFolder, shop_home: RepositoryHome
) -> None:
    history_of_corrections(shop, corrected=8, left=0)
    dataset = mine(Repository.open(shop.path), shop_home, MiningOptions(hold_out=False))
    assert [each.rule for each in dataset.conventions().linted] == ["TRY201"]
    learnt = [pair for pair in dataset.reviews("train") if pair.source == "linter"]
    assert learnt
    assert all(pair.comment is not None and pair.comment.suggestion.strip() == "raise" for pair in learnt)
    again = mine(Repository.open(shop.path), shop_home, MiningOptions(hold_out=False, seed=1))
    assert again.conventions().linted == dataset.conventions().linted
