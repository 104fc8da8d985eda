import { useState } from 'react';

/** Shows what is in the cart. Größe 😀 */
export function Cart({ lines, onBuy }: CartProps): JSX.Element {
  const [busy, setBusy] = useState(false);
  const total = lines.reduce((sum, line) => sum + line.price, 0);
  if (lines.length === 0) {
    return <p className="empty">Nothing here</p>;
  }
  const buy = async () => {
    setBusy(true);
    await onBuy(lines, total);
  };
  return <button disabled={busy} onClick={buy}>{total} €</button>;
}
