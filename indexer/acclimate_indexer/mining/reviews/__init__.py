"""Review pairs: what was corrected, and what was right."""
