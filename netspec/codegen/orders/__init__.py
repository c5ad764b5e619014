"""In which order PyTorch code of the usual kind holds numbers, and the weights that meet them."""
