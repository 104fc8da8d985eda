package shop.cart

import shop.prices.Price
import shop.prices.Prices.withTax

/** What a customer wants to buy. Größe 😀 */
class Cart(owner: String) {
  private var lines = List.empty[Line]

  /** Adds a line.
    *
    * @param line what is added
    */
  def add(line: Line): Int = {
    val size = lines.size
    if (line.amount > 0) {
      lines = line :: lines
    }
    size + line.amount
  }
}

object Cart {
  // The whole price of some lines, größer 😀.
  def priceOf(lines: List[Line]): Price = {
    val sum = lines.map(line => withTax(line.price))
    Price.of(sum, "EUR")
  }
}
