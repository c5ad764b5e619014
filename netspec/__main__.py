"""`python -m netspec`: the command line."""

from __future__ import annotations

import sys

if __name__ == "__main__":
    try:
        from .cli import process

        status = process()
    except KeyboardInterrupt:  # before the command line could say so itself, or behind it
        status = 130
    sys.exit(status)
