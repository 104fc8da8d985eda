"""Contenders, metrics and intervals on held-out pairs."""
