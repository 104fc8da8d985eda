"""Pairs of code and the comment that it deserves."""
