local prices = require("shop.prices")

--- What a customer wants to buy. Größe 😀
local Cart = {}

--- Adds a line.
-- @param line what is added
function Cart:add(line)
  local size = #self.lines
  if line.amount > 0 then
    table.insert(self.lines, line)
  end
  return size + line.amount
end

-- The whole price of some lines, größer 😀.
local function price_of(lines)
  local sum = 0
  for _, line in ipairs(lines) do
    sum = sum + prices.with_tax(line.price)
  end
  return sum
end

return Cart
