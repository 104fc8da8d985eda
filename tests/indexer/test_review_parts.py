"""Review pairs in their parts: none that is learnt from asks or answers what is held out."""

import pytest
from tests.indexer.test_mining import old_shop
from tests.support.git_folder import GitFolder

from acclimate_indexer.dataset import mine
from acclimate_indexer.errors import DatasetError
from acclimate_indexer.home import RepositoryHome
from acclimate_indexer.mining.reviews.parts import in_parts, require_none_seen
from acclimate_indexer.pairs import ReviewComment, ReviewPair, Split

MOST: dict[Split, int] = {"train": 99, "validation": 99, "test": 99}


def pair(hunk: str, *, path: str = "a.py", suggestion: str | None = None) -> ReviewPair:
    said = suggestion and ReviewComment(line=1, severity="warning", message="Wrong limit", suggestion=suggestion)
    return ReviewPair(language="python", path=path, commit="1", hunk=hunk, comment=said or None, source="x")


def test_the_same_code_or_correction_is_not_learnt_and_asked() -> None:
    tested = [pair(f"clean {number}") for number in range(3)] + [pair("limit = 1", suggestion="limit = total + 2")]
    mined = [
        pair("clean 4"),
        pair("  clean 1\n"),  # the same but for white space
        pair("limit = 3", suggestion="    limit = total + 2"),  # the same correction in another place
        *(pair(f"held {number}", path="held.py") for number in range(2)),
        pair("held 1"),
        pair("leaking"),
    ]
    parts = in_parts(mined, tested, {"held.py"}, leaks=lambda each: each.hunk == "leaking", at_most=MOST)

    assert [each.hunk for each in parts["train"]] == ["clean 4"]
    assert [each.hunk for each in parts["validation"]] == ["held 0", "held 1"]
    assert parts["test"] == tested
    require_none_seen(parts["test"], parts["train"])
    with pytest.raises(DatasetError, match="a held-out review pair has the same code"):
        require_none_seen(parts["test"], mined)


def test_no_review_of_a_repository_is_in_two_parts(shop: GitFolder, shop_home: RepositoryHome) -> None:
    dataset = mine(old_shop(shop).open(), shop_home)
    train, test = ({each.hunk for each in dataset.reviews(split)} for split in ("train", "test"))

    assert len(train) > 20
    assert len(test) > 3
    assert train.isdisjoint(test)
