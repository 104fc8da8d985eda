"""What a cursor is told about the rest of the repository."""

import random

import pytest

from acclimate_indexer.context.facts import FileFacts, facts_of, prose_facts
from acclimate_indexer.context.index import ContextIndex
from acclimate_indexer.context.terms import terms
from acclimate_indexer.languages.registry import language_of
from acclimate_indexer.mining.source import Source
from acclimate_indexer.prompts import Cursor

PRICES = '''"""Prices."""

TAX = 1.19


def with_tax(price: Decimal, *, rate: Decimal) -> Decimal:
    """The price a customer pays."""
    return (price * rate).quantize(CENT)


class PriceList:
    def find_price(self, article_number: str) -> Decimal:
        return self.prices[article_number]
'''
REPORT = '''"""Reports."""


def print_report(orders):
    for order in orders:
        total = sum(with_tax(line.price, rate=order.rate) for line in order.lines)
        print(order.customer_name, total)
'''
WEATHER = '''"""Weather."""


def forecast(station, hours):
    pressure = station.barometer.read_pressure()
    return humidity_model(pressure, hours)
'''
CART = """from shop.prices import with_tax


def total(cart):
    result = 0
    for line in cart.lines:
        result += with_tax("""
README = "# The shop\n\nOrders are priced with tax, line by line.\n\n## Weather\n\nThe barometer stands outside.\n"
FILES = {"shop/prices.py": PRICES, "shop/report.py": REPORT, "weather/forecast.py": WEATHER, "shop/cart.py": CART}


def facts(path: str, text: str) -> FileFacts:
    language = language_of(path)
    if language is None:
        return prose_facts(text)
    return facts_of(Source.of(path=path, blob="0", commit="1", language=language, text=text))


def index_of(files: dict[str, str]) -> ContextIndex:
    return ContextIndex(((path, facts(path, text)) for path, text in files.items()), files.get)


@pytest.fixture
def cursor() -> Cursor:
    return Cursor(path="shop/cart.py", language="python", prefix=CART, suffix=")\n    return result\n")


def test_what_is_called_is_shown_by_its_signature(cursor: Cursor) -> None:
    first = index_of(FILES).snippets(cursor, max_characters=2_000)[0]

    assert first.path == "shop/prices.py"
    assert first.text == "def with_tax(price: Decimal, *, rate: Decimal) -> Decimal:"


def test_what_another_language_defines_is_not_what_is_called(cursor: Cursor) -> None:
    index = index_of(
        FILES | {"web/prices.ts": "export function with_tax(price: number): number {\n  return price;\n}\n"}
    )
    shown = [snippet.text for snippet in index.snippets(cursor, max_characters=2_000)]

    assert "def with_tax(price: Decimal, *, rate: Decimal) -> Decimal:" in shown
    assert "export function with_tax(price: number): number" not in shown


def test_similar_code_is_shown_and_other_code_is_not_before_it(cursor: Cursor) -> None:
    paths = [snippet.path for snippet in index_of(FILES).snippets(cursor, max_characters=2_000)]

    assert "shop/report.py" in paths
    assert "weather/forecast.py" not in paths[:3]


def test_nothing_is_shown_of_the_file_itself(cursor: Cursor) -> None:
    assert all(each.path != cursor.path for each in index_of(FILES).snippets(cursor, max_characters=9_000))


def test_files_that_were_worked_on_last_come_before_files_that_are_a_little_more_similar(cursor: Cursor) -> None:
    other = REPORT.replace("with_tax", "rounded")
    index = index_of({**FILES, "shop/draft.py": other})

    def windows(*recent: str) -> list[str]:
        found = index.snippets(cursor, max_characters=2_000, recent=recent)[1:]  # without the signatures
        return [snippet.path for snippet in found]

    assert windows().index("shop/draft.py") > windows().index("shop/report.py")
    assert windows("shop/draft.py")[0] == "shop/draft.py"
    assert windows(cursor.path, "shop/gone.py") == windows()


def test_documentation_is_found_too() -> None:
    cursor = Cursor(path="a.py", language="python", prefix="# where the barometer stands outside: ", suffix="\n")
    found = index_of({**FILES, "README.md": README}).snippets(cursor, max_characters=2_000)

    assert "README.md" in [snippet.path for snippet in found]


@pytest.mark.parametrize("room", [0, 40, 200, 1_000])
def test_an_answer_has_no_more_characters_than_there_is_room_for(cursor: Cursor, room: int) -> None:
    assert sum(len(snippet.text) for snippet in index_of(FILES).snippets(cursor, max_characters=room)) <= room


def test_an_index_that_was_updated_answers_like_a_new_one(cursor: Cursor) -> None:
    updated = index_of({**FILES, "shop/report.py": WEATHER})
    updated.replace("shop/report.py", facts("shop/report.py", REPORT))
    updated = _with_texts(updated, FILES)
    updated.remove("weather/forecast.py")
    fresh = index_of({path: text for path, text in FILES.items() if path != "weather/forecast.py"})

    assert updated.snippets(cursor, max_characters=2_000) == fresh.snippets(cursor, max_characters=2_000)


def _with_texts(index: ContextIndex, files: dict[str, str]) -> ContextIndex:
    index._read = files.get
    return index


def test_facts_survive_being_stored() -> None:
    found = facts("shop/prices.py", PRICES)

    assert FileFacts.from_bytes(found.to_bytes()) == found
    assert [definition.name for definition in found.definitions] == ["with_tax", "PriceList", "find_price"]
    assert found.to_bytes() == facts("shop/prices.py", PRICES).to_bytes()


def test_lines_with_secrets_and_mail_addresses_are_in_no_window() -> None:
    key = "AKIA" + "QX7Z4M2P9L5K3J8H"
    secret = f"def connect(key='{key}'):\n    # ask ann.lee@shop-mail.org\n    return session_for(key)\n"
    text = f"{PRICES}\n\n{secret}\n\n{REPORT}"
    found = facts("shop/a.py", text)
    readme = f"# Keys\n\nThe key is {key} for now.\n"
    texts: dict[str, str] = {"shop/a.py": text, "b.md": readme}
    index = ContextIndex([("shop/a.py", found), ("b.md", prose_facts(readme))], texts.get)
    asked = Cursor(path="c.py", language="python", prefix="connect(session_for(key ann lee shop mail keys", suffix="")
    shown = "".join(snippet.text for snippet in index.snippets(asked, max_characters=9_000))

    assert shown
    assert key not in shown
    assert "ann.lee" not in shown
    assert key.encode() not in found.to_bytes()


def test_distractors_are_of_other_files_and_repeatable(cursor: Cursor) -> None:
    index = index_of(FILES)
    one, two = (index.distractors(cursor, random.Random(3), 2_000) for _ in range(2))

    assert one == two
    assert one
    assert all(snippet.path != cursor.path for snippet in one)


def test_compound_names_are_their_parts_as_well() -> None:
    assert list(terms("HTTPServerError x")) == ["httpservererror", "http", "server", "error"]
    assert list(terms("http_server_error")) == ["http_server_error", "http", "server", "error"]
    assert list(terms("price")) == ["price"]


def test_an_empty_index_has_nothing_to_say(cursor: Cursor) -> None:
    empty = ContextIndex([], lambda _path: None)

    assert empty.snippets(cursor, max_characters=100) == ()
    assert empty.distractors(cursor, random.Random(0), 100) == ()
