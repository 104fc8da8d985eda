"""What must never be learnt: generated files, secrets, duplicates."""
