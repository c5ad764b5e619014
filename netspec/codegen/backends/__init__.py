"""Backends: templates as the text of a file, for PyTorch and for Keras."""
