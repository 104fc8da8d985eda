"""Speaks LSP, HTTP and to child processes."""
