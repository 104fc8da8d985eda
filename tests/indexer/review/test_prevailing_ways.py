"""What nearly all of a repository does, and a changed line does not."""

import pytest
from tests.support.reviewed import findings, prevalence, put_right

from acclimate_indexer.review.naming_style import in_style
from acclimate_indexer.review.rules import TeamRules

PYTHON_FUNCTIONS = prevalence("python functions", "snake_case", exceptions=("makeCart in shop/cart.py",))
SCRIPT_FUNCTIONS = prevalence("typescript functions", "camelCase")
GO_FUNCTIONS = prevalence("go functions", "PascalCase")
NAMED = TeamRules(
    on=frozenset(
        f"{language} {what}"
        for language in ("python", "typescript", "typescriptreact", "go", "kotlin")
        for what in ("functions", "classes", "logging")
    )
)


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("a.py", "def openCart(x):\n    return x\n", "def open_cart(x):\n    return x\n"),
        ("a.py", "class A:\n    async def _openHTTPCart(self):\n        pass\n", "_open_http_cart"),
        ("a.py", "class A(B):\n    def f(self):\n        def openCart():\n            pass\n", "open_cart"),
        ("a.kt", "enum class cart_size {\n  SMALL\n}\n", "CartSize"),
        ("a.ts", "export async function open_cart(x: X) {\n  return x;\n}\n", "openCart"),
    ],
)
def test_a_new_name_in_another_style_is_renamed(path: str, text: str, expected: str) -> None:
    classes = prevalence("kotlin classes", "PascalCase")
    found = findings(path, text, PYTHON_FUNCTIONS, SCRIPT_FUNCTIONS, classes, rules=NAMED)

    assert [each.code for each in found] == ["naming-style"]
    assert "312 of 318" in found[0].message
    assert expected in put_right(path, text, found)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.py", "def open_cart(x):\n    return x\n"),
        ("a.py", "def test__openCart(x):\n    return x\n"),  # of no style at all
        ("a.py", "def makeCart(x):\n    return x\n"),  # known as an exception
        ("a.py", "def pathX(x):\n    return x\n"),  # a symbol, not a word of camelCase
        ("shop/cart.py", "def openCart(x):\n    return x\n"),  # where there is one like it
        ("a.py", "class A(unittest.TestCase):\n    def setUp(self):\n        pass\n"),
        ("a.py", "class A:\n    def setUp(self):\n        pass\n"),  # a test framework's name
        ("a.py", "def getLogger(name):\n    pass\n"),
        ("a.py", "def assertCart(cart):\n    pass\n"),  # as unittest names its own
        ("a.py", "def skipIfNoCart(program):\n    pass\n"),
        ("a.py", 'class A(B):\n    x = """\ndef f():\n    pass\n"""\n\n    def openCart(self):\n        pass\n'),
        ("a.py", "class Stub:\n    class __class__:\n        pass\n"),  # a name of the language
        ("a.py", "class A(\n    Base,\n):\n    def setUp(self):\n        pass\n"),
        ("a.py", "'''\ndef openCart(x):\n    return x\n'''\n"),
        ("a.tsx", "function Cart(x: X) {\n  return <A />;\n}\n"),
        ("a.ts", "class A extends B {\n  function open_cart() {\n  }\n}\n"),
        ("a.py", "from enum import Enum\nfrom a import class_of\n"),
        ("a.kt", "enum class CartSize {\n  SMALL\n}\n"),
        ("a.go", "package a\n\nfunc openCart(x X) {\n\tuse(x)\n}\n"),  # there the style says who may see it
    ],
)
def test_a_name_that_is_not_its_authors_choice_is_left_alone(path: str, text: str) -> None:
    react = prevalence("typescriptreact functions", "camelCase")
    classes = (prevalence("python classes", "PascalCase"), prevalence("kotlin classes", "PascalCase"))

    assert findings(path, text, PYTHON_FUNCTIONS, SCRIPT_FUNCTIONS, GO_FUNCTIONS, react, *classes, rules=NAMED) == []


def test_a_name_that_the_code_calls_already_is_somebody_elses() -> None:
    functions = prevalence("python functions", "snake_case", borrowed=("captureException",))
    stub = "class Client:\n    def captureException(self):\n        pass\n\n    def openCart(self):\n        pass\n"

    assert [each.subject for each in findings("a.py", stub, functions)] == ["openCart"]


def test_a_style_that_a_file_has_is_left_to_it() -> None:
    functions = prevalence("python functions", "snake_case", exceptions=("MakeCart in a.py", "takeCart in b.py"))

    assert len(findings("a.py", "def openCart(x):\n    return x\n", functions)) == 1  # what it has is another
    assert findings("b.py", "def openCart(x):\n    return x\n", functions) == []


@pytest.mark.parametrize(
    ("text", "others", "count"),
    [
        ("def openCart(x):\n    return x\n", {}, 1),
        ("def openCart(x):\n    return x\n", {"PascalCase": 9}, 1),
        ("def openCart(x):\n    return x\n", {"camelCase": 1}, 0),
        ("class open_cart:\n    pass\n", {}, 0),  # used like a function, maybe
        ("import shelves\n", {}, 0),  # which is never put right
        ("import requests\n", {"aiohttp": 1}, 1),
        ("import requests\n", {"requests": 1}, 0),
        ("logging.info('a')\n", {}, 0),  # likewise
        ("@fixture()\ndef a():\n    pass\n", {"fixture(scope='module')": 1}, 1),
        ("@fixture()\ndef a():\n    pass\n", {"fixture()": 1}, 0),
    ],
)
def test_what_is_lived_with_once_is_spoken_of_no_more_unasked(text: str, others: dict[str, int], count: int) -> None:
    found = findings(
        "a.py",
        text,
        prevalence("python functions", "snake_case", others=others),
        prevalence("python classes", "PascalCase", others=others),
        prevalence("own libraries", "shop/own_shelves.py rather than shelves", others=others),
        prevalence("http client", "httpx", others=others),
        prevalence("python logging", "logger", others=others),
        prevalence("decorator fixture", "fixture", others=others),
    )

    assert len(found) == count


def test_a_definition_that_stood_there_before_is_left_alone() -> None:
    text = "def openCart(x):\n    return x\n"

    assert findings("a.py", text, PYTHON_FUNCTIONS, changed=(range(1),), rules=NAMED) == []
    assert findings("a.py", text, PYTHON_FUNCTIONS, rules=NAMED) != []


@pytest.mark.parametrize("below", ["openCart(1)", "def open_cart(x):\n    return x", "open_cart = 1"])
def test_a_name_that_is_used_or_would_be_another_ones_is_not_renamed(below: str) -> None:
    (found,) = findings("a.py", f"def openCart(x):\n    return x\n\n{below}\n", PYTHON_FUNCTIONS, rules=NAMED)

    assert found.fix == ()


@pytest.mark.parametrize(
    ("name", "style", "expected"),
    [
        ("openHTTPCart2", "snake_case", "open_http_cart2"),
        ("_open_cart_", "PascalCase", "_OpenCart_"),
        ("open_cart", "camelCase", "openCart"),
        ("OpenCart", "camelCase", "openCart"),
    ],
)
def test_names_in_other_styles(name: str, style: str, expected: str) -> None:
    assert in_style(name, style) == expected


@pytest.mark.parametrize(
    ("path", "text", "count"),
    [
        ("a.py", "import requests\n", 1),
        ("a.py", "from requests.adapters import HTTPAdapter\n", 1),
        ("a.py", "import httpx\n", 0),
        ("a.py", "import requests_mock\n", 0),
        ("a.py", "x = 'import requests'\n'''\nimport requests\n'''\n", 0),
        ("late.py", "import requests\n", 0),  # known as an exception
        ("a.ts", 'import axios from "axios";\n', 1),
        ("a.ts", 'const x = require("axios");\n', 1),
        ("a.ts", '// import axios from "axios";\n', 0),
    ],
)
def test_another_module_for_the_same_purpose(path: str, text: str, count: int) -> None:
    client = prevalence("http client", "httpx", count=59, of=60, exceptions=("requests in late.py",))
    found = findings(path, text, client)

    assert [each.code for each in found] == ["module-choice"] * count
    assert all("59 of 60" in each.message and not each.fix for each in found)


@pytest.mark.parametrize(
    ("path", "text", "count"),
    [
        ("shop/till/a.py", "import logging\n", 1),
        ("shop/till/a.py", "import logging.handlers\n", 1),
        ("shop/till/a.py", "from shop.shop_logging import log\n", 0),
        ("shop/a.py", "import logging\n", 0),  # beside the file that wraps it
    ],
)
def test_a_foreign_library_that_an_own_file_wraps(path: str, text: str, count: int) -> None:
    own = prevalence("own libraries", "shop/shop_logging.py rather than logging", count=40, of=41)

    rules = TeamRules(on=frozenset(("own libraries",)))

    assert [each.code for each in findings(path, text, own, rules=rules)] == ["own-library"] * count


@pytest.mark.parametrize(
    ("path", "text", "count"),
    [
        ("src/shop/cart/a.py", "from shop.web.page import Page\n", 1),
        ("src/shop/cart/a.py", "def f():\n    from shop.web.page import Page\n", 0),  # put off on purpose
        ("src/shop/web/a.py", "from shop.cart.line import Line\n", 0),
        ("src/shop/till/a.py", "from shop.web.page import Page\n", 0),
    ],
)
def test_an_import_the_other_way_around(path: str, text: str, count: int) -> None:
    layers = prevalence("folders", "shop/web imports shop/cart, never the other way around", count=40, of=40)

    assert [each.code for each in findings(path, text, layers)] == ["import-direction"] * count


def test_a_go_import_between_parentheses_is_seen() -> None:
    text = 'package a\n\nimport (\n\t"shop/web/page"\n)\n\nvar x = f(\n\t"shop/web/page",\n)\n'
    layers = prevalence("folders", "shop/web imports shop/cart, never the other way around", count=40, of=40)

    (found,) = findings("shop/cart/a.go", text, layers)
    assert text[found.span.start : found.span.end] == '"shop/web/page"'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("logger = make()\nlogging.info('a')\n", "logger = make()\nlogger.info('a')\n"),
        ("logging.info('a')\n", None),  # no logger at hand
        ("logger.info('a')\n", ""),
        ("self.log.info('a')\nlogging.getLogger()\nx = 'logging.info(1)'\n", ""),
        ("print('a')\n", ""),
    ],
)
def test_a_log_line_that_goes_elsewhere(text: str, expected: str | None) -> None:
    found = findings("a.py", text, prevalence("python logging", "logger"), rules=NAMED)

    assert len(found) == (expected != "")
    assert expected in ("", None) or put_right("a.py", text, found) == expected
    assert expected is not None or not found[0].fix


@pytest.mark.parametrize(
    ("rule", "decorator", "expected"),
    [
        ("pytest.fixture", "@pytest.fixture()", "@pytest.fixture"),
        ("pytest.fixture", "@pytest.fixture(autouse=True)", None),
        ("dataclass(frozen=True)", "@dataclass", "@dataclass(frozen=True)"),
        ("dataclass(frozen=True)", "@dataclass(frozen=True, slots=True)", None),
        ("dataclass(frozen=True)", "@other", None),
    ],
)
def test_a_decorator_that_says_less_than_usual(rule: str, decorator: str, expected: str | None) -> None:
    text = f"{decorator}\ndef cart():\n    pass\n"
    found = findings("a.py", text, prevalence(f"decorator {rule.partition('(')[0]}", rule))

    assert len(found) == (expected is not None)
    assert put_right("a.py", text, found).partition("\n")[0] == (expected or decorator)


def test_parentheses_make_another_decorator_in_scripts() -> None:
    text = "@Input()\nclass A {}\n"

    assert findings("a.ts", text, prevalence("decorator Input", "Input")) == []


def test_where_nearly_all_print_a_logger_is_no_slip() -> None:
    assert findings("a.py", "logging.info('a')\n", prevalence("python logging", "print"), rules=NAMED) == []
