"""What this repository does throughout, and what it has given up, each with the evidence."""
