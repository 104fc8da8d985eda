"""Reviews of held-out code: what base and adapter say of it, what that is worth, and whether the adapter may speak."""
