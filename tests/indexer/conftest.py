"""A repository to mine, and the home of what is made of it."""

from pathlib import Path

import pytest
from tests.support.git_folder import GitFolder

from acclimate_indexer.home import Home, RepositoryHome


@pytest.fixture
def shop(tmp_path: Path) -> GitFolder:
    """An empty repository."""
    return GitFolder.new(tmp_path / "shop")


@pytest.fixture
def shop_home(shop: GitFolder, home: Home) -> RepositoryHome:
    return home.for_repository(shop.path / ".git")
