"""Elaborate: every instance of a net, with its inputs, shapes and place in the hierarchy."""
