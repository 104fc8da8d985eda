"""When to ask, what to show."""
