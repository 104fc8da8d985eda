require 'set'
require_relative 'prices'

# What a customer wants to buy. Größe 😀
class Cart
  LIMIT = 100

  def initialize(owner)
    @owner = owner
    @lines = []
  end

  # Adds a line.
  #
  # @param line [Line] what is added
  def add(line)
    size = @lines.size
    if line.amount > 0
      @lines.push(line)
    end
    size + line.amount
  end

  def total
    @lines.map { |line| with_tax(line.price) }.sum
  end
end
