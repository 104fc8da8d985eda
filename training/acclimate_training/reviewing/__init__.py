"""The adapter as a reviewer: how it is asked, what of its answers is believed, and whether it may speak at all."""
