import Foundation
import Prices

/// What a customer wants to buy. Größe 😀
class Cart {
    private var lines: [Line] = []

    /// Adds a line.
    ///
    /// - Parameter line: what is added
    func add(_ line: Line) -> Int {
        let size = lines.count
        if line.amount > 0 {
            lines.append(line)
        }
        return size + line.amount
    }
}

// The whole price of some lines, größer 😀.
func priceOf(lines: [Line]) -> Price {
    let sum = lines.map { withTax($0.price) }
    return Price.of(sum, currency: "EUR")
}
