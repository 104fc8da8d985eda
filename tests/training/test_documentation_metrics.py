"""What a generated comment is worth: sections, parameters against the signature, words."""

import pytest

from acclimate_indexer.pairs import CompletionPair
from acclimate_training.evaluation.documentation import (
    documented_parameters,
    sections,
    signature_parameters,
    without_marks,
)

GOOGLE = '''"""Charges an order.

    Args:
        order: What was bought,
            in one piece.
        *lines (Line): More of it.
        rate (float, optional): Of the tax.

    Returns:
        The total: in cents.

    Raises:
        ValueError: Nothing was bought.
    """'''
NUMPY = '''"""Charges an order.

    Parameters
    ----------
    order : Order
        What was bought.
    rate, tax : float, optional
        Of the tax.

    Returns
    -------
    total : int
        In cents.

    Notes
    -----
    None.
    """'''
FIELDS = '''"""Charges an order.

    :param order: What was bought.
    :param float rate: Of the tax.
    :type rate: float
    :returns: The total.
    :rtype: int
    :raises ValueError: Nothing was bought.
    """'''
JAVADOC = """/**
     * Charges an order, see {@link Till}.
     *
     * @param order what was bought
     * @param <T> the kind of order
     * @param rate of the tax
     * @return the total
     * @throws ShopException nothing was bought
     */"""
JSDOC = """/**
 * Charges an order.
 * @param {Order} order - What was bought.
 * @param {{a: number}} [rate=1] Of the tax.
 * @param order.lines - Its lines.
 * @returns {number} The total.
 * @example charge(order)
 */"""
RUST = """/// Charges an order.
///
/// # Arguments
///
/// * `order` - What was bought,
///   in one piece.
/// * `rate` - Of the tax.
///
/// # Errors
///
/// Nothing was bought.
///
/// # Panics
///
/// Never."""
SHARP = """/// <summary>Charges an order, see <see cref="Till"/>.</summary>
/// <param name="order">What was bought.</param>
/// <param name="rate">Of the tax.</param>
/// <returns>The total.</returns>
/// <exception cref="ShopException">Nothing was bought.</exception>"""
SWIFT = """/// Charges an order.
///
/// - Parameters:
///   - order: What was bought.
///   - rate: Of the tax.
/// - Returns: The total.
/// - Throws: `ShopError`."""
SINGLE_SWIFT = """/// Charges an order.
/// - Parameter order: What was bought.
/// - Returns: The total."""
DOXYGEN = """/**
 * \\brief Charges an order.
 * \\param[in] order What was bought.
 * \\param[in,out] rate Of the tax.
 * \\return The total.
 */"""
PHP = """/**
 * Charges an order.
 * @param Order|null $order What was bought.
 * @param float $rate Of the tax.
 * @return int The total.
 */"""
YARD = """# Charges an order.
# @param [Order] order what was bought
# @return [Integer] the total
# @raise [ArgumentError] nothing was bought"""
PROSE = '"""Charges an order: the total is returned, and note that nothing else is."""'
GO = "// Charge charges an order. See the example: it returns an error."


@pytest.mark.parametrize(
    ("comment", "expected_sections", "parameters"),
    [
        (GOOGLE, {"parameters", "returns", "raises"}, {"order", "lines", "rate"}),
        (NUMPY, {"parameters", "returns", "notes"}, {"order", "rate", "tax"}),
        (FIELDS, {"parameters", "returns", "raises"}, {"order", "rate"}),
        (JAVADOC, {"parameters", "returns", "raises"}, {"order", "rate"}),
        (JSDOC, {"parameters", "returns", "examples"}, {"order", "rate"}),
        (RUST, {"parameters", "raises", "panics"}, {"order", "rate"}),
        (SHARP, {"parameters", "returns", "raises"}, {"order", "rate"}),
        (SWIFT, {"parameters", "returns", "raises"}, {"order", "rate"}),
        (SINGLE_SWIFT, {"parameters", "returns"}, {"order"}),
        (DOXYGEN, {"parameters", "returns"}, {"order", "rate"}),
        (PHP, {"parameters", "returns"}, {"order", "rate"}),
        (YARD, {"parameters", "returns", "raises"}, {"order"}),
        (PROSE, set(), set()),
        (GO, set(), set()),
    ],
    ids="google numpy fields javadoc jsdoc rust sharp swift single_swift doxygen php yard prose go".split(),  # noqa: SIM905 - reads better
)
def test_the_styles_that_people_write(comment: str, expected_sections: set[str], parameters: set[str]) -> None:
    text = without_marks(comment)

    assert sections(text) == expected_sections
    assert documented_parameters(text) == parameters


def test_the_marks_of_a_comment_are_no_words() -> None:
    assert without_marks('"""Charges an order."""') == "Charges an order."
    assert without_marks("/** Charges an order. */").strip() == "Charges an order."
    assert without_marks("/// Charges\n/// an order.") == "Charges\nan order."
    assert without_marks("# Charges\n# an order.") == "Charges\nan order."


def pair(language: str, prefix: str, comment: str, suffix: str) -> CompletionPair:
    return CompletionPair(
        kind="documentation",
        language=language,
        path="shop/charge",
        commit="0" * 40,
        prefix=prefix,
        middle=comment,
        suffix=suffix,
        place="doc_comment",
    )


PYTHON_HEAD = (
    "@cached(charge=3)\n"
    "async def charge(self, order: dict[str, int], *lines, rate: float = f(1, 2), **rest) -> int:\n    "
)


@pytest.mark.parametrize(
    ("language", "prefix", "comment", "suffix", "parameters"),
    [
        ("python", PYTHON_HEAD, GOOGLE, "\n    return 1\n", {"order", "lines", "rate", "rest"}),
        ("python", "def charge(order, /, *, rate):\n    ", PROSE, "\n    return 1\n", {"order", "rate"}),
        ("python", "def charge():\n    ", PROSE, "\n    return 1\n", set()),
        ("python", "class Charge:\n    ", PROSE, "\n    rate = 1\n", None),
        (
            "typescript",
            "import { a } from './a';\n\n",
            JSDOC,
            "\nexport function charge<T>(order: Order<T, U>, rate = 1, done?: (x: number) => void): T { return 1; }\n",
            {"order", "rate", "done"},
        ),
        ("typescript", "", JSDOC, "\nexport const charge = async (order: Order) => {\n  return 1;\n};\n", {"order"}),
        ("typescript", "", JSDOC, "\nfunction charge({ order, rate }: Props) { return 1; }\n", None),
        (
            "go",
            "package shop\n\n",
            GO,
            "\nfunc (s *Shop) Charge(a, b int, lines ...string) (n int, err error) {\n}\n",
            {"a", "b", "lines"},
        ),
        (
            "java",
            "class A {\n    ",
            JAVADOC,
            "\n    @Charge(1)\n    public <T> int charge(final Map<String, T> order, double... rate) throws E { }\n}\n",
            {"order", "rate"},
        ),
        (
            "rust",
            "",
            RUST,
            "\npub fn charge<'a>(&'a self, mut order: Vec<(u8, u8)>, rate: f64) -> u8 { 1 }\n",
            {"order", "rate"},
        ),
        (
            "c",
            "",
            DOXYGEN,
            "\nint charge(const struct order *order, double rate[2]) { return 1; }\n",
            {"order", "rate"},
        ),
        (
            "php",
            "<?php\n",
            PHP,
            "\nfunction charge(?Order $order, float $rate = 1.0): int { return 1; }\n",
            {"order", "rate"},
        ),
        ("cobol", "", "* Charges.", "\nCHARGE.\n", None),
    ],
)
def test_parameters_are_read_from_the_signature(
    language: str, prefix: str, comment: str, suffix: str, parameters: set[str] | None
) -> None:
    assert signature_parameters(pair(language, prefix, comment, suffix)) == parameters


@pytest.mark.tensor  # sacrebleu is among the runtime's libraries
class TestWholeComments:
    """Judged with sacrebleu."""

    def test_the_true_comment_is_worth_all(self) -> None:
        from acclimate_training.evaluation.documentation import assess_documentation

        found = assess_documentation(pair("python", "def charge(order, lines, rate):\n    ", GOOGLE, "\n"), GOOGLE)

        assert (found.section_f1, found.parameter_f1) == (1, 1)
        assert found.bleu == pytest.approx(100)
        assert found.chrf == pytest.approx(100)

    def test_sections_and_parameters_are_counted_by_hand(self) -> None:
        from acclimate_training.evaluation.documentation import assess_documentation

        asked = pair("python", "def charge(order, rate, till):\n    ", GOOGLE, "\n    return 1\n")
        served = (
            '"""It.\n\n    Args:\n        order: What.\n        price: Which.\n\n    Returns:\n        It.\n    """'
        )

        found = assess_documentation(asked, served)

        assert found.section_f1 == pytest.approx(2 * 2 / (2 + 3))  # raises is missing
        assert found.parameter_precision == pytest.approx(1 / 2)  # order is one, price is none
        assert found.parameter_recall == pytest.approx(1 / 3)
        assert found.parameter_f1 == pytest.approx(2 * 1 / (2 + 3))

    def test_a_parameter_of_a_function_without_any_is_wrong(self) -> None:
        from acclimate_training.evaluation.documentation import assess_documentation

        asked = pair("python", "def charge():\n    ", PROSE, "\n    return 1\n")

        found = assess_documentation(asked, '"""Charges it.\n\n    Args:\n        order: What.\n    """')

        assert (found.parameter_precision, found.parameter_recall, found.parameter_f1) == (0, None, 0)

    def test_nothing_is_said_of_parameters_that_nobody_names(self) -> None:
        from acclimate_training.evaluation.documentation import assess_documentation

        found = assess_documentation(pair("python", "def charge(order):\n    ", PROSE, "\n"), '"""Charges it."""')

        assert (found.parameter_precision, found.parameter_recall, found.parameter_f1) == (None, None, None)
        assert found.section_f1 == 1

    def test_the_words_of_all_comments_are_counted_as_sacrebleu_counts_them(self) -> None:
        import sacrebleu

        from acclimate_training.evaluation.documentation import corpus_words

        served = ['"""The total of an order in whole cents."""', "// Charges the order at the till twice."]
        true = ['"""The total of an order in cents, tax left out."""', "// Charges the order at the till once."]
        plain = [text.strip('"/ ') for text in served], [[text.strip('"/ ') for text in true]]

        found = corpus_words(served, true)

        assert found is not None
        assert found.bleu == pytest.approx(sacrebleu.corpus_bleu(*plain).score)
        assert found.chrf == pytest.approx(sacrebleu.corpus_chrf(*plain).score)
        assert "tok:13a" in found.bleu_signature
        assert corpus_words([], []) is None

    def test_an_empty_comment_is_worth_nothing(self) -> None:
        from acclimate_training.evaluation.documentation import assess_documentation

        found = assess_documentation(pair("python", "def charge(order, lines, rate):\n    ", GOOGLE, "\n"), "")

        assert (found.section_f1, found.parameter_f1, found.bleu, found.chrf) == (0, 0, 0, 0)
