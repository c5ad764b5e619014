"""Python code as values, and its layout as text."""
