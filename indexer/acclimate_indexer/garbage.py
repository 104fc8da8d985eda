"""Fewer garbage collections where millions of objects are made that stay."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

# Python looks through young objects after every 700 new ones, and through all after some hundred thousand: half of the
# time that an index takes to build. What mining makes stays, and hardly any of it refers to itself.
THRESHOLDS = (100_000, 20, 100)


@contextmanager
def rare_collections() -> Iterator[None]:
    """Lets the collector run rarely while the block runs."""
    before = gc.get_threshold()
    gc.set_threshold(*THRESHOLDS)
    try:
        yield
    finally:
        gc.set_threshold(*before)
