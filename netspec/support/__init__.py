"""What generated code carries along, as files: one function or class each, copied with its imports.

Nothing here is imported by netspec itself. An import of a neighbour (`from .scan import scan`) is for those who read and
test these files: in generated code both stand in one file.
"""
