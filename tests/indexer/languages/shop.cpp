#include <string>
#include "till.h"

namespace shop {

/// What a customer pays. Größe 😀
class Shop {
public:
    explicit Shop(Till *till) : till_(till) {}

    /// Sells one order.
    double sell(const Order &order);

private:
    Till *till_;
};

double Shop::sell(const Order &order) {
    double paid = till_->take(price(order, 1.19), "€");
    if (paid > order.limit()) {
        throw std::runtime_error("too much");
    }
    log_.push_back(paid);
    return paid;
}

template <typename T>
T total(const std::vector<T> &prices) {
    T sum = std::accumulate(prices.begin(), prices.end(), T());
    return sum;
}

}  // namespace shop
