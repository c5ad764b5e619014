"""Pieces of Keras code."""
