"""The languages that can be mined, one declarative entry each."""
