"""Bugs that are planted one at a time, to see whether the tests find them.

`python -m bench.mutants [--count N] [--seed N] [--folder NAME] [--limit SECONDS] [--frameworks] [--list]`.
"""
