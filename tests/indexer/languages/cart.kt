package shop.cart

import shop.prices.Price
import shop.prices.withTax

/** What a customer wants to buy. Größe 😀 */
class Cart(private val owner: String) {
    private val lines = mutableListOf<Line>()

    /**
     * Adds a line.
     *
     * @param line what is added
     */
    fun add(line: Line): Int {
        val size = lines.size
        if (line.amount > 0) {
            lines.add(line)
        }
        return size + line.amount
    }

    fun total() = lines.sumOf { it.price.amount }
}

// The whole price of some lines, größer 😀.
fun priceOf(lines: List<Line>): Price {
    val sum = lines.map { withTax(it.price) }
    return Price.of(sum, currency = "EUR")
}
