import { till } from './till';

/* What a shop charges for its orders. Größe 😀 */
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
