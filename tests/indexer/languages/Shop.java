package shop;

import java.util.List;

/** What a shop charges for an order. Größe 😀 */
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
