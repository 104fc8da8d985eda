"""Names that exist nowhere, and names that were given up, in real repositories and environments."""

from pathlib import Path
from typing import Any

import pytest
from tests.conftest import MakeRepository

from acclimate_indexer.languages.registry import language_named
from acclimate_indexer.mining.conventions.record import Conventions, Replacement
from acclimate_indexer.pairs import CompletionPair
from acclimate_indexer.python_library import installed_library, standard_library
from acclimate_indexer.repository import Repository
from acclimate_indexer.vocabulary import vocabulary_at
from acclimate_training.evaluation.metrics import Answer, assess
from acclimate_training.evaluation.names import KnownNames, floor, invented_in

FILES: dict[str, str | bytes] = {
    "shop/__init__.py": "",
    "shop/tills.py": "import requests\n\ndef charge(order):\n    return requests.post(order.total_price)\n",
    "web/cart.ts": 'import { api } from "backend";\nexport function addLine(cart) { return cart.lines.push(api); }\n',
    "web/package.json": '{"dependencies": {"backend": "1", "left-pad": "1"}}',
    "go/shop.go": 'package shop\n\nimport "fmt"\n\nfunc (s *Shop) Sell() { fmt.Println(s.Limit) }\n',
    "java/Shop.java": "class Shop { int limit; void sell(Order order) { order.pay(limit); } }\n",
    "README.md": "Once there was `abandoned_helper(...)`.\n",
    "logo.bin": b"\0\1binary_word",
}


@pytest.fixture
def known(make_repository: MakeRepository) -> KnownNames:
    repository = Repository.open(make_repository(FILES))
    return KnownNames.of(repository, repository.head(), Conventions(replacements=(retired("charge_all"),)))


def retired(old: str, new: str = "charge") -> Replacement:
    return Replacement(
        old=old,
        new=new,
        kind="name",
        places=5,
        commits=3,
        files=3,
        evidence=(),
        last="2026-01-01",
        remaining=(),
        remaining_uses=0,
    )


PYTHON = "import numpy as np\nfrom shop.tills import charge\n\ndef sell(self, order):\n    "


@pytest.mark.parametrize(
    ("served", "invented"),
    [
        ("return charge(order).total_price", ()),
        ("return charge_twice(order)", ("charge_twice",)),
        ("return order.grand_total_with_tax.strip()", ("grand_total_with_tax",)),
        ("return np.no_such_function(order)", ()),  # numpy is not there to be asked
        ("return order.no_such_field.no_such_field", ("no_such_field",)),  # each once
        ("self.brand_new = 3\n    return self.brand_new", ()),  # what is assigned to is made
        ("self.brand_new: int = 3", ()),
        ("return self.brand_new == 3", ("brand_new",)),
        ("def brand_new():\n        pass\n    brand_new()", ()),
        ("from shop.tills import refund_everything", ("refund_everything",)),
        ("from shop.tills import charge as anything_at_all", ()),
        ("from shop.no_such_module import charge", ("no_such_module",)),
        ("import no_such_package as charge", ("no_such_package",)),
        ("from no_such_package import thing_of_it\n    thing_of_it.part_of_it()", ("no_such_package",)),
        ("import requests\n    return requests.no_such_thing()", ()),  # installed elsewhere, perhaps
        ("import itertools\n    return itertools.no_such_tool(order)", ("no_such_tool",)),
        ("import itertools, functools\n    return itertools.chain(functools.cache(print))", ()),
        ("return abandoned_helper(order)", ("abandoned_helper",)),  # prose defines nothing
        ("return binary_word(order)", ("binary_word",)),
        ("# no_such_name() in a comment\n    return 'no.such_text'", ()),
        ("", ()),
    ],
)
def test_invented_names_of_python(known: KnownNames, served: str, invented: tuple[str, ...]) -> None:
    assert invented_in(served, PYTHON, "\n", "python", known) == invented


@pytest.mark.parametrize(
    ("language", "prefix", "served", "suffix", "invented"),
    [
        ("typescript", 'import { api } from "backend";\nfunction f(cart) { ', "return cart.lines;", " }", ()),
        ("typescript", 'import { api } from "backend";\nfunction f(cart) { ', "return api.noSuchCall();", " }", ()),
        ("typescript", "function f(cart) { ", "return cart.noSuchField;", " }", ("noSuchField",)),
        ("typescript", "", 'import { nothing } from "./cart";', "", ("nothing",)),
        ("typescript", "", 'import anyName, { addLine as other } from "./cart";', "", ()),
        ("typescript", "", 'import x from "absent-package";', "", ("absent",)),
        ("typescript", "", 'import fs from "fs";', "", ()),
        ("typescript", "function f(...noSuchRest) { ", "g(...noSuchRest)", " }\nfunction g() {}", ()),
        ("go", 'package shop\n\nimport "fmt"\n\nfunc (s *Shop) F() {\n\t', "fmt.NoSuchPrint(s.Limit)", "\n}\n", ()),
        ("go", "package shop\n\nfunc (s *Shop) F() {\n\t", "s.NoSuchSale()", "\n}\n", ("NoSuchSale",)),
        ("go", "package shop\n\n", 'import "encoding/json"', "\n", ()),
        ("go", "package shop\n\n", 'import "nohost.example/thing"', "\n", ("nohost",)),
        ("java", "class A { void f(Order order) { ", "order.pay(limit);", " } }", ()),
        ("java", "class A { void f(Order order) { ", "order.noSuchWay(limit);", " } }", ("noSuchWay",)),
        ("java", "class A { void f(Order order) { ", "this.noSuchField = 1;", " } }", ()),
        ("java", "", "import java.util.NoSuchList;", "\nclass A {}", ()),
        ("java", "", "import nosuch.Thing;", "\nclass A {}", ("nosuch",)),
    ],
)
def test_invented_names_of_other_languages(
    known: KnownNames, language: str, prefix: str, served: str, suffix: str, invented: tuple[str, ...]
) -> None:
    assert invented_in(served, prefix, suffix, language, known) == invented


def test_what_stands_around_the_hole_exists(known: KnownNames) -> None:
    around = "def sell(order):\n    order.seen_before()\n    "

    assert (
        invented_in("order.seen_before()\n    order.seen_after()", around, "\n    order.seen_after\n", "python", known)
        == ()
    )


def test_names_that_came_after_the_commit_are_not_known(make_repository: MakeRepository) -> None:
    folder = make_repository({"a.py": "early_name = 1\n"}, {"a.py": "late_name = 1\n"})
    repository = Repository.open(folder)
    split = repository.main_line(repository.head())[1].sha

    words = vocabulary_at(repository, split).words

    assert "early_name" in words
    assert "late_name" not in words


def test_a_module_is_the_repositorys_own_by_its_outermost_package(make_repository: MakeRepository) -> None:
    files: dict[str, str | bytes] = {
        "src/shop/__init__.py": "",
        "src/shop/redis.py": "",
        "scripts/release.py": "import os.path, yaml as y\nfrom click.core import Group\nfrom . import x\n",
    }
    repository = Repository.open(make_repository(files))

    found = vocabulary_at(repository, repository.head())

    assert {"shop", "scripts", "release"} <= found.own_modules
    assert "redis" not in found.own_modules
    assert found.python_modules == {"os", "yaml", "click"}


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    """A work tree with an environment of three packages, one of them compiled in part."""
    packages = tmp_path / "tree" / ".venv" / "lib" / "python3.12" / "site-packages"
    for path, text in {
        "numpy/__init__.py": "def installed_function(): ...\n",
        "numpy/tests/test_it.py": "def word_of_a_test(): ...\n",
        "fast/__init__.py": "from ._fast import *\n",
        "fast/_fast.cpython-312-x86_64-linux-gnu.so": "",
        "six.py": "def six_function(): raise SystemExit('imported')\nraise SystemExit\n",
    }.items():
        (packages / path).parent.mkdir(parents=True, exist_ok=True)
        (packages / path).write_text(text, encoding="utf-8")
    (tmp_path / "tree" / ".venv" / "pyvenv.cfg").write_text("home = /usr\n", encoding="utf-8")
    return tmp_path / "tree"


def test_an_environment_is_read_and_not_imported(environment: Path) -> None:
    found = installed_library(environment, {"numpy"})

    assert {"installed_function", "six_function"} <= found.words
    assert "word_of_a_test" not in found.words
    assert found.modules == {"numpy", "six"}
    assert found.partly == {"fast"}


def test_a_link_to_an_environment_is_not_followed(environment: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / ".venv").symlink_to(environment / ".venv")

    assert not installed_library(tmp_path / "other", set()).words
    assert not installed_library(None, set()).words


def test_a_package_that_was_read_can_be_asked(known: KnownNames, environment: Path) -> None:
    asked = KnownNames(
        vocabulary=known.vocabulary,
        conventions=known.conventions,
        standard=standard_library(),
        installed=installed_library(environment, {"numpy"}),
    )
    served = "np.installed_function(np.no_such_function)"

    assert invented_in(served, PYTHON, "\n", "python", asked) == ("no_such_function",)


def test_the_standard_library_is_known_with_what_is_written_in_c() -> None:
    words = standard_library().words

    assert {"removeprefix", "most_common", "zip_longest", "fromtimestamp", "getcwd", "TaskGroup"} <= words
    assert "no_such_name_anywhere" not in words


@pytest.mark.parametrize(
    ("prefix", "served", "suffix", "names"),
    [
        ("x = ", "charge_all(order)", "\n", ("charge_all",)),
        ("x = ", "charge_all(charge_all)", "\n", ("charge_all",)),
        ("x = charge_", "all(order)", "\n", ("charge_all",)),
        ("x = ", "charge_all_now(order)", "\n", ()),
        ("charge_all(x)\ny = ", "charge(order)", "\n", ()),
    ],
)
def test_names_that_were_given_up_are_counted_in_the_answer_alone(
    known: KnownNames, prefix: str, served: str, suffix: str, names: tuple[str, ...]
) -> None:
    assert known.retired(served, prefix=prefix, suffix=suffix) == names


def test_an_assessment_counts_both(known: KnownNames) -> None:
    answer: dict[str, Any] = {"language": "python", "prefix": PYTHON, "suffix": "\n", "middle": "return charge(order)"}
    served = "return charge_all(order.no_such_field)"

    found = assess(Answer(served=served, generated=served, stopped=True, **answer), known)

    assert (found.invented_names, found.retired_names) == (2, 1)  # what was given up is nowhere any more, either


def test_the_floor_is_what_true_middles_have(known: KnownNames) -> None:
    def pair(middle: str, language: str = "python") -> CompletionPair:
        return CompletionPair(
            kind="completion",
            language=language,
            path="shop/a.py",
            commit="0" * 40,
            prefix=PYTHON,
            middle=middle,
            suffix="\n",
            place="statement",
        )

    pairs = [pair("return charge(order)"), pair("return brand_new_name(order)"), pair("MOVE A TO B", "cobol")]

    assert floor(pairs, known) == 0.5
    assert floor(pairs[2:], known) is None


def test_every_known_language_can_be_asked(known: KnownNames) -> None:
    folder = Path(__file__).parents[1] / "indexer" / "languages"
    for file in sorted(each for each in folder.iterdir() if each.suffix != ".json"):
        name = next(iter(name for name in NAMES if file.suffix in NAMES[name]))
        text = file.read_text(encoding="utf-8")
        half = text.rfind("\n", 0, len(text) // 2)

        assert language_named(name) is not None
        assert invented_in(text[half:], text[:half], "", name, known) is not None, file.name


NAMES = {
    "python": (".py",),
    "javascript": (".js",),
    "typescript": (".ts",),
    "typescriptreact": (".tsx",),
    "java": (".java",),
    "go": (".go",),
    "rust": (".rs",),
    "c": (".c",),
    "cpp": (".cpp",),
    "csharp": (".cs",),
    "kotlin": (".kt",),
    "scala": (".scala",),
    "ruby": (".rb",),
    "php": (".php",),
    "swift": (".swift",),
    "lua": (".lua",),
    "shellscript": (".sh",),
}
