"""One file a way of making pairs."""
