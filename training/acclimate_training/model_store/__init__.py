"""Fetches, verifies and converts base models."""
