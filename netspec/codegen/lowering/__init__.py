"""Lowering: layers to calls of a framework, and the layouts of values."""
