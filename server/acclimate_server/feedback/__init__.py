"""What becomes of completions, seen from the document's next edits."""
