"""Base models on this machine: chosen, fetched from the hub or from wheels, verified, converted; whole or absent."""
