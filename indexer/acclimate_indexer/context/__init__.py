"""Retrieval: what else of the repository a prompt should know."""
