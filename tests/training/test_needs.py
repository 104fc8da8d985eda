"""What a hole asks for: where the names of the true middle are to be found."""

import pytest

from acclimate_indexer.mining.conventions.record import Conventions
from acclimate_indexer.pairs import CompletionPair
from acclimate_indexer.python_library import PythonLibrary
from acclimate_indexer.vocabulary import Vocabulary
from acclimate_training.evaluation.names import KnownNames
from acclimate_training.evaluation.needs import need_of

KNOWN = KnownNames(
    vocabulary=Vocabulary(words=frozenset({"open_till", "shop", "price"})),
    conventions=Conventions(),
    standard=PythonLibrary(words=frozenset({"removeprefix"})),
    installed=PythonLibrary(words=frozenset({"installed_function"})),
)


def pair(middle: str, language: str = "python") -> CompletionPair:
    return CompletionPair(
        kind="completion",
        language=language,
        path="a.py",
        commit="0" * 40,
        prefix="def total(price, rate):\n    return ",
        middle=middle,
        suffix="\n\ndef other():\n    pass\n",
        place="rest_of_line",
    )


@pytest.mark.parametrize(
    ("middle", "expected"),
    [
        ("price * rate", "file"),
        ("'open_till, made_up'", "file"),  # a string names nothing
        ("1 + 2", "file"),
        ("other()", "file"),  # it stands below
        ("open_till(price)", "repository"),
        ("open_till(price).removeprefix(rate)", "repository"),  # the rarer knowledge counts
        ("price.removeprefix(rate)", "library"),
        ("installed_function(price)", "library"),
        ("invented_yesterday(open_till)", "new"),
    ],
)
def test_a_hole_counts_under_the_most_that_it_needs(middle: str, expected: str) -> None:
    assert need_of(pair(middle), KNOWN) == expected


def test_a_library_of_python_is_none_of_another_language() -> None:
    assert need_of(pair("price.removeprefix(rate)", "javascript"), KNOWN) == "new"


def test_a_name_with_marks_is_the_word_in_it() -> None:
    assert need_of(pair("@shop + price", "ruby"), KNOWN) == "repository"
