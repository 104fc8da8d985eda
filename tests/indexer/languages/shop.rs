use crate::till::Till;

/// What a shop charges for an order. Größe 😀
pub fn price(order: &Order, rate: f64) -> Result<f64, Error> {
    let total = sum_of(&order.items, order.discount);
    if total > order.limit {
        return Err(Error::new("too much €"));
    }
    Ok(round(total * rate, 2))
}

impl<'a> Shop<'a> {
    fn sell(&mut self, order: &'a Order) -> f64 {
        let paid = self.till.take(price(order, self.rate));
        self.log.push(paid);
        paid
    }
}
