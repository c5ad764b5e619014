"""Hardness: whatever is typed, the compiler answers with figures or a diagnostic, soon, and in little memory.

`python -m bench.fuzz` draws inputs (kinds.py), puts them through what a user can ask for (trials.py) in worker
processes (pool.py), and keeps what fails as small files (shrink.py).
"""
