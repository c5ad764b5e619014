"""Specs from models that people have: readers, one neutral graph, and the text that is recovered from it."""
