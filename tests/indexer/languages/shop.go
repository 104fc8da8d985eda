package shop

import "errors"

// Price is what a shop charges for an order. Größe 😀
func Price(order Order, rate float64) (float64, error) {
	total := sumOf(order.Items, order.Discount)
	if total > order.Limit {
		return 0, errors.New("too much")
	}
	logger.Printf("total %f €", total)
	return round(total*rate, 2), nil
}

func (s *Shop) Sell(order Order) float64 {
	paid, _ := Price(order, s.rate)
	s.log = append(s.log, paid)
	return paid
}
