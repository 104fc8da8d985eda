"""What a shop charges for its orders. Größe 😀."""

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
