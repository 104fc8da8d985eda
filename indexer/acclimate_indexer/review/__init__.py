"""Review of changed code: what is looked at, what may be said of it, and the reviewers that need no model."""
