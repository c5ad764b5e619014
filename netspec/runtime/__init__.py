"""Runtime: generated code as running modules of a framework, with their arrays by name.

Nothing here knows the language: a module is made from text and from the names that its arrays go by.
"""
