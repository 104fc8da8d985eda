"""Holes in files of every language."""

import random
from collections import Counter

import pytest

from acclimate_indexer.completion_cut import cut
from acclimate_indexer.languages.registry import LANGUAGES, Language, language_of
from acclimate_indexer.mining.completion import mine_completions
from acclimate_indexer.mining.holes import MIX, HoleFinder
from acclimate_indexer.mining.source import Source
from acclimate_indexer.syntax import syntax_of

PYTHON = '''"""Prices. Größe 😀."""

import decimal


def price(order, rate=decimal.Decimal("1.19")):
    """What an order costs."""
    total = sum(item.price * item.count for item in order.items)
    if total > order.limit:
        raise ValueError(f"too much: {total}")
    return round(total * rate, ndigits=2)  # größer


class Shop:
    def sell(self, order):
        paid = self.till.take(price(order), currency="€")
        self.log.append(paid)
        return paid
'''
SCRIPT = """import { till } from './till';

/* Größe 😀 */
export function price(order, rate = 1.19) {
  const total = order.items.reduce((sum, item) => sum + item.price, 0);
  if (total > order.limit) {
    throw new Error(`too much: ${total}`);
  }
  return Math.round(total * rate, 2);
}

class Shop {
  sell(order) {
    const paid = till.take(price(order), '€');
    this.log.push(paid);
    return paid;
  }
}
"""
GO = """package shop

import "errors"

// Größe 😀
func Price(order Order, rate float64) (float64, error) {
\ttotal := sumOf(order.Items, order.Discount)
\tif total > order.Limit {
\t\treturn 0, errors.New("too much")
\t}
\tlogger.Printf("total %f €", total)
\treturn round(total*rate, 2), nil
}

func (s *Shop) Sell(order Order) float64 {
\tpaid, _ := Price(order, s.rate)
\ts.log = append(s.log, paid)
\treturn paid
}
"""
RUST = """use crate::till::Till;

/// Größe 😀
pub fn price(order: &Order, rate: f64) -> Result<f64, Error> {
    let total = sum_of(&order.items, order.discount);
    if total > order.limit {
        return Err(Error::new("too much €"));
    }
    Ok(round(total * rate, 2))
}

impl<'a> Shop<'a> {
    fn sell(&mut self, order: &'a Order) -> f64 {
        let paid = self.till.take(price(order, self.rate));
        self.log.push(paid);
        paid
    }
}
"""
JAVA = """package shop;

import java.util.List;

/** Größe 😀 */
class Shop {
    private final Till till = new Till("€", 2);

    double price(Order order, double rate) {
        double total = sumOf(order.items(), order.discount());
        if (total > order.limit()) {
            throw new IllegalStateException("too much: " + total);
        }
        return Math.round(total * rate);
    }

    double sell(Order order) {
        double paid = till.take(price(order, 1.19), true);
        log.add(paid);
        return paid;
    }
}
"""
C = """#include "till.h"

/* Größe 😀 */
double price(const struct order *order, double rate) {
    double total = sum_of(order->items, order->count);
    if (total > order->limit) {
        return too_much(order, "€");
    }
    return round_to(total * rate, 2);
}

int sell(struct shop *shop, const struct order *order) {
    double paid = take(shop->till, price(order, shop->rate));
    shop->log[shop->sold++] = paid;
    return paid > 0 ? shop->sold : -1;
}
"""
SOURCES = {
    "python": PYTHON,
    "javascript": SCRIPT,
    "typescript": SCRIPT,
    "typescriptreact": SCRIPT,
    "go": GO,
    "rust": RUST,
    "java": JAVA,
    "c": C,
    "cpp": C,
}


def source(text: str, language: Language) -> Source:
    return Source(path=f"a{language.extensions[0]}", blob="0", commit="1", language=language, text=text)


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda language: language.name)
def test_every_language_has_holes_of_every_place(language: Language) -> None:
    finder = HoleFinder(source(SOURCES[language.name], language), random.Random(0))
    drawn = [hole for hole in (finder.draw() for _ in range(500)) if hole is not None]

    assert {hole.place for hole in drawn} == set(MIX)


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda language: language.name)
def test_a_pair_is_whole_and_ends_where_the_cut_ends(language: Language) -> None:
    text = SOURCES[language.name]
    pairs = [
        pair
        for seed in range(20)
        for pair in mine_completions(source(text, language), count=5, seed=seed, dropped=Counter())
    ]

    assert len(pairs) >= 20
    for pair in pairs:
        around = {"language": pair.language, "prefix": pair.prefix, "suffix": pair.suffix}
        assert pair.prefix + pair.middle + pair.suffix == text
        assert cut(pair.middle, **around) == pair.middle
        assert cut(pair.middle + pair.suffix, **around) == pair.middle
        assert "Größe" not in pair.middle


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda language: language.name)
def test_spans_are_counted_in_characters(language: Language) -> None:
    text = SOURCES[language.name]
    syntax = syntax_of(text, language)
    last = text.rindex("paid")

    assert all(text[span.start] == "(" and text[span.end - 1] == ")" for span in syntax.arguments)
    assert any(span.start <= last < span.end for block in syntax.blocks for span in block)
    assert any("😀" in text[span.start : span.end] for span in syntax.prose)


def test_holes_lie_within_the_lines_that_are_asked_for() -> None:
    python = LANGUAGES[0]
    within = (range(7, 11),)
    pairs = mine_completions(source(PYTHON, python), count=9, seed=1, dropped=Counter(), within=within)

    assert pairs
    for pair in pairs:
        first = pair.prefix.count("\n") + pair.middle.startswith("\n")
        assert first in within[0]
        assert first + pair.middle.strip("\n").count("\n") in within[0]


def test_the_same_file_gives_the_same_pairs_and_another_seed_others() -> None:
    python = LANGUAGES[0]

    def middles(seed: int) -> list[str]:
        return [pair.middle for pair in mine_completions(source(PYTHON, python), count=9, seed=seed, dropped=Counter())]

    assert middles(1) == middles(1)
    assert middles(1) != middles(2)


@pytest.mark.parametrize(
    "text",
    [
        "(\n" * 30_000,
        "[\n" * 8_000 + "]\n" * 8_000,
        "x = a" + ".b()" * 200 + "\n",
        "if x:\n" + "\n".join(" " * depth + "if x:" for depth in range(400)),
        "x = '''" + "\n" * 30_000,
        "\ufeff\r\n\r\n\x00\x01" + "}" * 10_000,
        "def f(\n" * 3_000,
        "a\n" * 8_000,
    ],
)
def test_hostile_files_are_survived(text: str) -> None:
    for language in LANGUAGES:
        for pair in mine_completions(source(text, language), count=2, seed=0, dropped=Counter()):
            assert pair.middle


def test_a_secret_is_never_in_a_pair() -> None:
    key = "AKIA" + "QX7Z4M2P9L5K3J8H"
    lines = PYTHON.splitlines(keepends=True) * 4
    lines.insert(len(lines) // 2, f"SESSION = '{key}'\n")
    pairs = [
        pair
        for seed in range(30)
        for pair in mine_completions(source("".join(lines), LANGUAGES[0]), count=9, seed=seed, dropped=Counter())
    ]

    assert pairs
    assert not any(key in part for pair in pairs for part in (pair.prefix, pair.middle, pair.suffix))


def test_a_file_is_known_by_its_extension() -> None:
    names = {name: language_of(name) for name in ("a/b.py", "a.TSX", "Makefile", ".py", "a.py/b", "a.pyc", "x.h")}

    assert {name: language and language.name for name, language in names.items()} == {
        "a/b.py": "python",
        "a.TSX": "typescriptreact",
        "Makefile": None,
        ".py": None,
        "a.py/b": None,
        "a.pyc": None,
        "x.h": "c",
    }
