"""Code that is not the repository's: what a control learns, what is learnt against forgetting, what is probed."""
