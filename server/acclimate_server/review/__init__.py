"""Review of what is saved: when, by whom, and what of it is shown."""
