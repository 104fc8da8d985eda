"""Reads a data set, writes an adapter and proves it."""
