#include "till.h"

/* What a shop charges for an order. Größe 😀 */
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
