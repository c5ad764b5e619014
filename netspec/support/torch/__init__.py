"""Pieces of PyTorch code."""
