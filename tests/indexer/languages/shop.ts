import { Till } from './till';
import type { Order } from './order';

/** What a shop charges. Größe 😀 */
export interface Rates {
  readonly standard: number;
  reduced(order: Order): number;
}

/**
 * The price of an order.
 *
 * @param order what is sold
 */
export function price(order: Order, rate = 1.19): number {
  const total = order.items.reduce((sum, item) => sum + item.price, 0);
  if (total > order.limit) {
    throw new Error(`too much: ${total}`);
  }
  return Math.round(total * rate);
}

export class Shop {
  constructor(private readonly till: Till) {}

  sell(order: Order): number {
    const paid = this.till.take(price(order), '€');
    this.log.push(paid);
    return paid;
  }
}

// Rounds to whole cents.
export const cents = (amount: number): number => {
  const exact = amount * 100;
  return Math.round(exact);
};
