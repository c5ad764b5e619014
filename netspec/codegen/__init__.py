"""Code of a checked net, for PyTorch and for Keras."""
