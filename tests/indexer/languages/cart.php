<?php

namespace Shop;

use Shop\Prices\Price;
use function Shop\Prices\withTax;

/** What a customer wants to buy. Größe 😀 */
class Cart
{
    private array $lines = [];

    /**
     * Adds a line.
     *
     * @param Line $line what is added
     */
    public function add(Line $line): int
    {
        $size = count($this->lines);
        if ($line->amount > 0) {
            $this->lines[] = $line;
        }
        return $size + $line->amount;
    }
}

// The whole price of some lines, größer 😀.
function priceOf(array $lines): Price
{
    $sum = array_map(fn($line) => withTax($line->price), $lines);
    return Price::of($sum, 'EUR');
}
