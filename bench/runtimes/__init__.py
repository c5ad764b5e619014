"""Generated code in every runtime that people carry it to."""
