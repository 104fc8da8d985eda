"""Reads a repository, writes data sets; owns what mining, training, evaluation and serving do identically."""
