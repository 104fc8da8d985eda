"""Where state lives."""

import stat
from pathlib import Path

from acclimate_indexer.home import Home, repository_name


def test_one_variable_moves_all_state(tmp_path: Path) -> None:
    home = Home.default({"ACCLIMATE_HOME": str(tmp_path)})

    assert {home.data, home.config} == {tmp_path}
    assert home.model("m").is_relative_to(tmp_path)


def test_only_the_owner_reads_the_data_directory(tmp_path: Path) -> None:
    home = Home.default({"ACCLIMATE_HOME": str(tmp_path / "state")}).create()

    assert stat.S_IMODE(home.data.stat().st_mode) == 0o700


def test_clones_of_one_name_have_states_of_their_own(tmp_path: Path) -> None:
    home = Home.default({"ACCLIMATE_HOME": str(tmp_path)})

    first = home.for_repository(tmp_path / "a" / "shop" / ".git")
    second = home.for_repository(tmp_path / "b" / "shop" / ".git")

    assert first.root != second.root
    assert first.root.name.startswith("shop-")


def test_a_name_is_fit_for_a_folder() -> None:
    assert repository_name(Path("/code/my shop (old)/.git")) == "my-shop-old"
    assert repository_name(Path("/code/shop.git")) == "shop"
    assert repository_name(Path("/")) == "repository"
