"""Passes over templates, the IR of generated code."""
