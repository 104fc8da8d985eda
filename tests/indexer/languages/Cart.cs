using System.Collections.Generic;
using Shop.Prices;

namespace Shop
{
    /// <summary>What a customer wants to buy. Größe 😀</summary>
    public class Cart
    {
        private readonly List<Line> lines = new List<Line>();

        /// <summary>Adds a line.</summary>
        /// <param name="line">What is added.</param>
        public int Add(Line line)
        {
            var size = lines.Count;
            if (line.Amount > 0)
            {
                lines.Add(line);
            }
            return size + line.Amount;
        }

        public Price Total() => Price.Of(lines, "EUR");
    }
}
