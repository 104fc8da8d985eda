"""Conventions: what was given up, and what is done nearly everywhere, with precision before number."""

import pytest
from tests.support.git_folder import GitFolder

from acclimate_indexer.changes import History
from acclimate_indexer.languages.registry import language_of
from acclimate_indexer.mining.conventions.facts import ConventionFacts, convention_facts
from acclimate_indexer.mining.conventions.named import names_in
from acclimate_indexer.mining.conventions.prevalence import prevalence
from acclimate_indexer.mining.conventions.record import Conventions, Prevalence
from acclimate_indexer.mining.conventions.replacements import replacements
from acclimate_indexer.mining.conventions.succession import successor
from acclimate_indexer.mining.conventions.track_record import is_renamed
from acclimate_indexer.mining.source import Source


def facts(path: str, text: str) -> ConventionFacts:
    language = language_of(path)
    assert language is not None
    found = convention_facts(Source.of(path=path, blob="0", commit="1", language=language, text=text))
    assert ConventionFacts.from_bytes(found.to_bytes()) == found
    return found


def rewritten(shop: GitFolder, text: str, changes: dict[str, str]) -> tuple[History, dict[str, ConventionFacts]]:
    """A history in which six files with this text were changed, one a day; and what they hold at its end."""
    files = {f"part_{number}.py": text for number in range(6)}
    shop.commit(dict(files))
    for day, path in enumerate(files, start=1):
        for old, new in changes.items():
            files[path] = files[path].replace(old, new)
        shop.commit(dict(files), day=day)
    repository = shop.open()
    history = list(repository.history(repository.head(), count=99))
    return history, {path: facts(path, now) for path, now in files.items()}


def prevailing(files: dict[str, str]) -> dict[tuple[str, str], Prevalence]:
    found = prevalence({path: facts(path, text) for path, text in files.items()})
    return {(each.role, each.rule): each for each in found}


def test_what_nearly_all_do_is_a_convention_with_its_exceptions() -> None:
    files = {
        f"shop/part_{number}.py": f"import httpx\nlogger.info('part')\n\n\ndef open_part_{number}():\n"
        f"    raise ShopError(httpx.get('{number}'))\n"
        for number in range(24)
    }
    files["shop/errors.py"] = "class ShopError(Exception):\n    pass\n"
    files["shop/late.py"] = "import requests\nprint('late')\n\n\ndef openLate():\n    raise ValueError(requests)\n"
    found = prevailing(files)

    functions = found["python functions", "snake_case"]
    assert (functions.count, functions.of, functions.exceptions) == (24, 25, ("openLate in shop/late.py",))
    assert found["http client", "httpx"].exceptions == ("requests in shop/late.py",)
    assert found["python logging", "logger"].count == 24
    assert found["python errors", "classes of its own"].exceptions == ("ValueError in shop/late.py",)


def test_names_that_a_base_may_have_dictated_are_not_counted() -> None:
    found = facts(
        "a.py",
        "class A(unittest.TestCase):\n    def setUp(self):\n        def inner():\n            pass\n\n"
        "    class Inner:\n        def own(self):\n            pass\n\n    def tearDown(self):\n        pass\n\n\n"
        "class B(\n    Base,\n):\n    @property\n    def notAfter(self):\n        pass\n\n\n"
        "class C(object):\n    def free(self):\n        pass\n\n    def setUp(self):\n        pass\n\n\n"
        "@final\nclass D[T]:\n    def free_as_well(self):\n        pass\n\n\ndef last():\n    pass\n",
    )

    assert found.functions == ("inner", "own", "free", "free_as_well", "last")
    assert facts("a.ts", "class A extends B {\n  draw() {\n    return 1;\n  }\n}\n").functions == ("draw",)


def test_names_that_the_code_uses_and_does_not_define_are_borrowed() -> None:
    files = {f"part_{number}.py": f"def open_part_{number}():\n    pass\n" for number in range(30)}
    files["shelf.py"] = "def openShelf(log):\n    log.debugShelf(log.sendAll(), Shelf())\n    log.sendAll()\n"
    functions = prevailing(files)["python functions", "snake_case"]

    assert functions.borrowed == ("sendAll", "debugShelf")
    assert Conventions.from_json(Conventions(prevalence=(functions,)).to_json()).prevalence == (functions,)


def test_exceptions_of_a_style_come_before_those_of_none() -> None:
    files = {f"part_{number}.py": f"def open_part_{number}():\n    pass\n" for number in range(900)}
    files |= {f"mixed_{number}.py": f"def Open_part{number}():\n    pass\n" for number in range(60)}
    files["shelf.py"] = "def openShelf():\n    pass\n"
    functions = prevailing(files)["python functions", "snake_case"]

    assert functions.exceptions[0] == "openShelf in shelf.py"
    assert len(functions.exceptions) == 50


def test_few_places_or_many_exceptions_are_no_convention() -> None:
    few = {f"part_{number}.py": f"def open_part_{number}():\n    pass\n" for number in range(19)}
    mixed = {
        f"part_{number}.py": f"def {'openPart' if number % 5 == 0 else 'open_part'}{number}():\n    pass\n"
        for number in range(40)
    }

    assert not prevailing(few)
    assert not prevailing(mixed)


@pytest.mark.parametrize(
    ("own", "uses", "direct", "rule"),
    [
        (
            "shop/shop_logging.py",
            "from .shop_logging import log\n",
            "import logging\n",
            "shop/shop_logging.py rather than logging",
        ),
        (
            "shop/typing.py",
            "from .typing import T\n",
            "import typing_extensions\n",
            "shop/typing.py rather than typing_extensions",
        ),
        ("shop/log.py", "from .log import log\n", "import logging\n", None),  # akin by three letters only
        ("shop/tests.py", "from .tests import T\n", "import unittest\n", None),
        ("shop/types.py", "from shop.types import T\n", "import mimetypes\n", None),
        ("shop/web.py", "from shop.web import get\n", "import requests\n", None),  # under quite another name
        ("shop/numpy.py", "import numpy\n", "import numpy\n", None),  # which is no module of the package
        ("shelves.py", "import shelves\n", "import shelves_core\n", "shelves.py rather than shelves_core"),
    ],
)
def test_an_own_library_stands_for_a_foreign_one_of_its_name(
    own: str, uses: str, direct: str, rule: str | None
) -> None:
    files = {f"shop/part_{number}.py": uses for number in range(30)}
    files |= {own: direct, "tools/late.py": direct, "shop/__init__.py": "from . import part_1\nfrom .gone import a\n"}
    found = {name for role, name in prevailing(files) if role == "own libraries"}

    assert found == ({rule} if rule else set())


def test_a_module_of_another_language_is_no_library_of_its_own() -> None:
    files = {f"shop/part_{number}.py": "import uuid\n" for number in range(30)}
    files["core/src/uuid.rs"] = "use uuid::Uuid;\n"

    assert not [rule for role, rule in prevailing(files) if role == "own libraries"]


def test_imports_of_scripts_are_told_by_what_they_quote() -> None:
    script = facts("a.ts", 'import type { T } from "./t";\nimport net, { x } from "node:net";\nimport "side";\n')
    go = facts("a.go", 'package a\n\nimport (\n\t"fmt"\n\tshop "example.org/shop"\n)\n')

    assert script.modules == ("./t", "node:net", "side")
    assert go.modules == ("fmt", "example.org/shop")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("self.label_of(cart)", "label_of(cart)"),
        ('open_page("http://www.shop.example/a")', 'open_page("http://shop.example/a")'),
        ("label_of(cart)  # see old_label", "label_of(cart)  # see new_label"),
    ],
)
def test_layout_and_texts_are_no_replacement(shop: GitFolder, old: str, new: str) -> None:
    assert not replacements(*rewritten(shop, f"def run(cart):\n    return {old}\n", {old: new}))


def test_a_replacement_needs_places_commits_files_and_that_the_old_name_is_gone(shop: GitFolder) -> None:
    history, now = rewritten(shop, "def run(shop):\n    return shop.send_note(shop, 1)\n", {"send_note": "tell_all"})
    (found,) = replacements(history, now)

    assert (found.old, found.new, found.places, found.commits, found.files) == ("send_note", "tell_all", 6, 6, 6)
    assert found.evidence[0] == shop.open().head()
    assert (found.last, found.remaining_uses) == ("2026-01-07", 0)
    assert not replacements(history[:2], now)
    still = {f"other_{number}.py": facts("a.py", "shop.send_note(1)\n") for number in range(7)}
    assert not replacements(history, now | still)
    conventions = Conventions(replacements=(found,), prevalence=())
    assert Conventions.from_json(conventions.to_json()) == conventions
    assert conventions.retired_in("shop.send_note(2)") == "send_note"
    assert conventions.retired_in("shop.send_notes(2)") is None


@pytest.mark.parametrize(
    ("line", "position"),
    [
        ("send_note(cart)", "first"),
        ("send_note.now(cart)", "first"),
        ("cart.send_note(cart)", "later"),
        ("cart.send_note = 1", "later"),
        ("x = send_note", None),  # a variable
        ("run(send_note=1)", None),
        ("x = [send_note, cart]", None),
    ],
)
def test_what_variables_are_called_is_no_convention(shop: GitFolder, line: str, position: str | None) -> None:
    found = replacements(*rewritten(shop, f"def run(cart):\n    {line}\n", {"send_note": "tell_all"}))

    assert [each.position for each in found] == ([] if position is None else [position])
    assert all(each.extensions == (".py",) for each in found)


def test_what_types_and_constants_are_called_is_one(shop: GitFolder) -> None:
    names = {"ShopCart": "ShopTrolley", "MAX_CARTS": "MAX_TROLLEYS"}
    found = replacements(*rewritten(shop, "def run(cart: ShopCart):\n    return cart, MAX_CARTS\n", names))

    assert [each.new for each in found] == ["MAX_TROLLEYS", "ShopTrolley"]


def test_a_replacement_under_way_is_told_by_what_became_of_edited_lines(shop: GitFolder) -> None:
    files = {f"part_{number}.py": "def run(shop):\n    return shop.send_note(shop, 1)\n" for number in range(9)}
    shop.commit(dict(files))
    files = {path: text.replace("1)", "0)") for path, text in files.items()}  # as one wrote it then: no evidence
    shop.commit(dict(files))
    paths = list(files)
    for number, path in enumerate(paths[:6]):
        files[path] = files[path].replace("send_note", "tell_all")
        shop.commit(dict(files), day=number + 1)

    def mined() -> list[tuple[str, int, int]]:
        repository = shop.open()
        history = list(repository.history(repository.head(), count=99))
        found = replacements(history, {path: facts(path, text) for path, text in files.items()})
        return [(each.new, each.remaining_uses, each.kept) for each in found]

    assert mined() == [("tell_all", 3, 0)]
    everywhere = {path: f"{text}    shop.open()\n    shop.send_note(shop, 1)\n" for path, text in files.items()}
    shop.commit(everywhere, day=7)
    files = {path: text.replace("send_note", "tell_all") for path, text in everywhere.items()}
    files[paths[7]] = files[paths[7]].replace("tell_all(shop, 0)", "send_note(shop, 3)")  # a sweep may miss one
    shop.commit(dict(files), day=8)
    assert mined() == [("tell_all", 1, 0)]
    files[paths[7]] = files[paths[7]].replace("3)", "2)")  # it was at hand, and was left as it is
    shop.commit(dict(files), day=9)
    assert mined() == [("tell_all", 1, 1)]


@pytest.mark.parametrize(("more", "kept_by"), [(0, 1), (1, 0)])  # one kept line of nine, and of ten
def test_who_kept_a_name_before_half_was_done_speaks_for_it_no_more_when_it_is_gone(
    shop: GitFolder, more: int, kept_by: int
) -> None:
    files = {f"part_{number}.py": "def run(shop):\n    return shop.send_note(shop, 1)\n" for number in range(8 + more)}
    shop.commit(dict(files))
    paths = list(files)

    def renamed(path: str) -> str:
        return files[path].replace("send_note", "tell_all")

    def kept() -> list[int]:
        repository = shop.open()
        history = list(repository.history(repository.head(), count=99))
        return [each.kept for each in replacements(history, {path: facts(path, files[path]) for path in files})]

    for number, path in enumerate(paths[:6]):
        files[path] = renamed(path)
        if number in (1, 5):  # when one was done, and when five were
            files[paths[7]] = files[paths[7]].replace("1)", f"1{number})")
        shop.commit(dict(files), day=number + 1)
    assert kept() == []  # two commits of six
    files |= {path: renamed(path) for path in paths[6:]}
    shop.commit(dict(files), day=7)
    assert kept() == [kept_by]


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("x = shop.send_note(1)", {"shop.send_note", "send_note", "shop"}),
        ("x = shop.plain", {"shop.plain"}),
        ("x = plain(shop)", {"plain"}),
        ("x = 'send_note'  # but", set()),
        ("# send_note", set()),
        ("from shop import plain", {"from", "shop", "import", "plain"}),
    ],
)
def test_only_telling_names_are_read(line: str, names: set[str]) -> None:
    assert names_in(line) == names


@pytest.mark.parametrize(
    ("added", "number"),
    [
        (["y = 2", "    x = shop.send_note(2)"], 1),
        (["    x = shop.send_note(1)", "x = shop.send_note(2)"], None),  # it was moved
        (["class Other:"], None),
    ],
)
def test_the_likest_line_takes_the_place_of_another(added: list[str], number: int | None) -> None:
    assert successor("x = shop.send_note(1)", added) == number


def test_what_a_new_name_contains_does_not_stand_for_the_old_one() -> None:
    assert is_renamed("@defer.inlined", "inlined", "defer.inlined")
    assert is_renamed("@inlined", "defer.inlined", "inlined")
    assert not is_renamed("@defer.inlined(inlined)", "inlined", "defer.inlined")
    assert not is_renamed("@other", "inlined", "defer.inlined")
    assert not is_renamed("@defer.inlined", "defer.inlined", "inlined")
    assert not is_renamed("@defer.inlined(inlined)", "defer.inlined", "inlined")
