"""Code that is not the repository's: where it is found, what is left out, and how it is shared out."""

import shutil
import sysconfig
import zipfile
from collections import Counter
from pathlib import Path

import pytest
from tests.conftest import MakeRepository

from acclimate_indexer.general.code import GeneralCode
from acclimate_indexer.general.found import KEPT_FILES
from acclimate_indexer.general.own import OwnCode
from acclimate_indexer.general.parts import Part, part_of
from acclimate_indexer.general.shares import whole_numbers
from acclimate_indexer.general.sources import Root, general_files, package_of, roots_at_hand
from acclimate_indexer.repository import Repository

STDLIB = Path(sysconfig.get_path("stdlib"))
PARTS: tuple[Part, ...] = ("replay", "control", "probe")
NOTHING_OWN = OwnCode()
SCRIPT = """\
/** Adds what a cart holds, taxes included. */
export function total%(n)d(cart, rate) {
  let sum = 0;
  for (const item of cart.items) {
    sum += item.price%(n)d * item.count;
  }
  const taxed = sum * (1 + rate);
  return Math.round(taxed * %(n)d00) / %(n)d00;
}

export function cheapest%(n)d(cart) {
  const sorted = [...cart.items].sort((one, two) => one.price%(n)d - two.price%(n)d);
  return sorted.length > 0 ? sorted[0] : null;
}
"""


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A site-packages of two packages, whose code is the standard library's."""
    folder = tmp_path / "site-packages"
    for package, first in {"alpha": "abcde", "omega": "hijklmn"}.items():
        (folder / package).mkdir(parents=True)
        for file in sorted(STDLIB.glob("*.py")):
            if file.name[0] in first and 2_000 < file.stat().st_size < 40_000:
                shutil.copy(file, folder / package / file.name)
    return folder


def code_of(folder: Path, *, exclude: OwnCode = NOTHING_OWN, cache: Path | None = None) -> GeneralCode:
    return GeneralCode.found(exclude=exclude, roots=[Root(name="site-packages", place=folder)], cache=cache)


def test_the_parts_share_no_file(installed: Path) -> None:
    code = code_of(installed)

    found = {part: code.pairs(part, {"python": 1}, 40) for part in PARTS}

    paths = {part: {pair.path for pair in found[part].pairs} for part in PARTS}
    shown = {part: {each.path for pair in found[part].pairs for each in pair.context} for part in PARTS}
    for part in PARTS:
        assert paths[part]
        assert all(part_of((installed / path).read_bytes()) == part for path in paths[part] | shown[part])


def test_the_same_packages_give_the_same_pairs_wherever_they_lie(installed: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere" / "lib"
    shutil.copytree(installed, elsewhere)

    assert code_of(installed).pairs("control", {"python": 1}, 20) == code_of(elsewhere).pairs(
        "control", {"python": 1}, 20
    )


def test_pairs_are_of_both_kinds_and_half_of_them_carry_code_of_their_own_package(installed: Path) -> None:
    pairs = code_of(installed).pairs("control", {"python": 1}, 200, documentation_share=0.2).pairs

    kinds = Counter(pair.kind for pair in pairs)
    with_context = [pair for pair in pairs if pair.context]
    assert len(pairs) == 200
    assert 30 <= kinds["documentation"] <= 50
    assert 60 <= len(with_context) <= 140
    assert {package_of(pair.path) for pair in pairs} == {"alpha", "omega"}
    assert all(
        package_of(each.path) == package_of(pair.path) and each.path != pair.path
        for pair in with_context
        for each in pair.context
    )


def test_every_pair_is_told_of_as_it_is_made(installed: Path) -> None:
    told: list[tuple[int, int]] = []

    found = code_of(installed).pairs("control", {"python": 1}, 20, advance=lambda done, of: told.append((done, of)))

    assert told == [(done, 20) for done in range(1, len(found.pairs) + 1)]


def test_pairs_without_context_carry_none(installed: Path) -> None:
    pairs = code_of(installed).pairs("probe", {"python": 1}, 20, with_context=False).pairs

    assert pairs
    assert not any(pair.context for pair in pairs)


def test_a_package_of_the_repository_is_left_out_by_name_and_counted(
    installed: Path, make_repository: MakeRepository
) -> None:
    manifest = '[project]\nname = "Omega"\n'
    repository = Repository.open(make_repository({"pyproject.toml": manifest, "src/lib/__init__.py": ""}))

    own = OwnCode.of(repository, repository.head())
    found = code_of(installed, exclude=own).pairs("control", {"python": 1}, 50)

    assert own.names == {"shop", "omega", "lib"}
    assert found.packages == ("alpha",)
    assert found.dropped["own_package"] == len(list((installed / "omega").iterdir()))


def test_an_older_copy_of_a_file_of_the_repository_is_left_out_and_counted(
    installed: Path, make_repository: MakeRepository
) -> None:
    copied = sorted((installed / "alpha").iterdir())
    changed = {f"own/{file.name}": file.read_text(encoding="utf-8") + "\nADDED_LATER = 1\n" for file in copied}
    repository = Repository.open(make_repository(changed))

    found = code_of(installed, exclude=OwnCode.of(repository, repository.head())).pairs("control", {"python": 1}, 400)

    assert found.packages == ("omega",)
    assert found.dropped["own_file"] == sum(part_of(file.read_bytes()) == "control" for file in copied)


def test_a_language_that_is_not_there_is_replaced_and_that_is_said(installed: Path) -> None:
    found = code_of(installed).pairs("control", {"python": 3, "go": 1}, 40)

    assert found.languages == {"python": 40}
    assert found.missing == {"go": 10}
    assert found.notes() == [
        "Too little general code on this machine in go (10 pairs); used instead: python 40.",
    ]


def test_a_related_language_stands_in_first(installed: Path) -> None:
    (installed / "cart").mkdir()
    for number in range(1, 60):
        (installed / "cart" / f"cart{number}.js").write_text(SCRIPT % {"n": number}, encoding="utf-8")

    found = code_of(installed).pairs("control", {"python": 3, "typescript": 1}, 40)

    assert found.languages == {"javascript": 10, "python": 30}
    assert found.missing == {"typescript": 10}


def test_where_nothing_is_found_there_are_no_pairs_and_that_is_said(tmp_path: Path) -> None:
    found = code_of(tmp_path).pairs("control", {"python": 1}, 10)

    assert found.pairs == ()
    assert found.notes() == ["Too little general code on this machine in python (10 pairs); used instead: nothing."]


def test_secrets_and_generated_files_are_left_out(tmp_path: Path) -> None:
    module = (STDLIB / "textwrap.py").read_text(encoding="utf-8")
    lines = module.split("\n")
    for number in range(8):
        folder = tmp_path / f"package{number}"
        folder.mkdir()
        secret = f'AWS_KEY = "AKIA{number}OSFODNN7EXAMPLX"'
        (folder / "keys.py").write_text("\n".join([*lines[:40], secret, *lines[40:], f"# {number}"]), encoding="utf-8")
        generated = f"# Code generated by protoc. DO NOT EDIT.\n{module}\n# {number}\n"
        (folder / "made.py").write_text(generated, encoding="utf-8")

    found = code_of(tmp_path).pairs("control", {"python": 1}, 60)

    assert found.pairs
    assert {pair.path.rpartition("/")[2] for pair in found.pairs} == {"keys.py"}
    for pair in found.pairs:
        assert "AKIA" not in pair.prefix + pair.middle + pair.suffix + "".join(each.text for each in pair.context)


def test_links_are_not_followed(installed: Path, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "linked").symlink_to(installed)
    (tree / "linked.py").symlink_to(next((installed / "alpha").iterdir()))
    (tree / "node_modules").symlink_to(installed)

    assert list(general_files([Root(name="site-packages", place=tree)])) == []
    assert all(root.place != tree / "node_modules" for root in roots_at_hand(tree, {}))


def test_what_the_work_tree_has_installed_is_found(tmp_path: Path) -> None:
    for folder in ("node_modules", "web/node_modules", ".venv/lib/python3.12/site-packages"):
        (tmp_path / folder).mkdir(parents=True)

    places = [root.place for root in roots_at_hand(tmp_path, {})]

    assert places[0] == STDLIB
    assert {tmp_path / "node_modules", tmp_path / "web/node_modules"} <= set(places)
    assert tmp_path / ".venv/lib/python3.12/site-packages" in places


def test_nothing_of_it_is_run(tmp_path: Path) -> None:
    witness = tmp_path / "witness"
    module = f"open({str(witness)!r}, 'w').close()\n" + (STDLIB / "textwrap.py").read_text(encoding="utf-8")
    for number in range(8):
        folder = tmp_path / "lib" / f"package{number}"
        folder.mkdir(parents=True)
        (folder / "__init__.py").write_text(f"{module}\n# {number}\n", encoding="utf-8")

    found = code_of(tmp_path / "lib").pairs("control", {"python": 1}, 10)

    assert found.pairs
    assert not witness.exists()


def test_an_archive_is_read_as_a_folder_is(installed: Path, tmp_path: Path) -> None:
    archive = tmp_path / "src.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        for file in sorted(installed.rglob("*.py")):
            opened.write(file, file.relative_to(installed).as_posix())

    packed = GeneralCode.found(exclude=NOTHING_OWN, roots=[Root(name="site-packages", place=archive)])

    assert packed.pairs("control", {"python": 1}, 20) == code_of(installed).pairs("control", {"python": 1}, 20)


def test_of_two_versions_of_a_package_the_first_is_taken(installed: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(installed, other)

    files = list(general_files([Root(name="site-packages", place=place) for place in (installed, other)]))

    assert {file.root.place for file in files} == {installed}


def test_pairs_are_made_once(installed: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    made = code_of(installed, cache=cache).pairs("control", {"python": 1}, 20)
    code = code_of(installed, cache=cache)
    shutil.rmtree(installed)

    assert code.pairs("control", {"python": 1}, 20) == made


def test_a_damaged_cache_is_made_anew(installed: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    code = code_of(installed, cache=cache)
    made = code.pairs("control", {"python": 1}, 20)
    for file in cache.iterdir():
        file.write_text("".join(file.read_text(encoding="utf-8").splitlines(keepends=True)[:5]), encoding="utf-8")

    assert code.pairs("control", {"python": 1}, 20) == made


def test_of_a_cache_the_oldest_goes(installed: Path, tmp_path: Path) -> None:
    code = code_of(installed, cache=tmp_path)
    for number in range(20):
        (tmp_path / f"old{number}.jsonl").write_text("", encoding="utf-8")

    made = code.pairs("probe", {"python": 1}, 2)

    assert len(list(tmp_path.glob("*.jsonl"))) == KEPT_FILES
    assert code.pairs("probe", {"python": 1}, 2) == made


def test_when_time_is_up_what_there_is_is_given_and_not_kept(installed: Path, tmp_path: Path) -> None:
    found = code_of(installed, cache=tmp_path / "cache").pairs("control", {"python": 1}, 40, seconds=0)

    assert found.was_stopped
    assert found.notes()[-1] == "The search for general code was stopped early, with 0 pairs."
    assert not (tmp_path / "cache").exists()


def test_the_running_interpreter_has_enough_for_a_control_a_replay_and_a_probe(tmp_path: Path) -> None:
    code = GeneralCode.found(exclude=NOTHING_OWN, work_tree=tmp_path)

    found = {part: code.pairs(part, {"python": 1}, 24) for part in PARTS}

    assert {part: len(each.pairs) for part, each in found.items()} == dict.fromkeys(PARTS, 24)
    assert len({pair.path for pair in found["probe"].pairs}) >= 12


@pytest.mark.parametrize(
    ("path", "package"),
    [
        ("requests/adapters.py", "requests"),
        ("six.py", "six"),
        ("@scope/name/lib/index.js", "@scope/name"),
        ("github.com/owner/name@v1.2.3/pkg/file.go", "github.com/owner/name"),
    ],
)
def test_a_path_says_its_package(path: str, package: str) -> None:
    assert package_of(path) == package


def test_weights_are_shared_out_without_a_rest() -> None:
    assert whole_numbers({"python": 2, "go": 1, "rust": 1}, 10) == {"python": 5, "go": 3, "rust": 2}
    assert whole_numbers({}, 10) == {}
