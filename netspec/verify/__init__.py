"""Verify: the checker, PyTorch, Keras and the NumPy reference held against one another on the same random numbers."""
