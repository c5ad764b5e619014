"""Text to tree: what was written, with spans."""
