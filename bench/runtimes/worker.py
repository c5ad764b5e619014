"""One way in a process of its own."""

from __future__ import annotations

from netspec.verify import worker

from .ways import make


def main(way: str) -> None:
    """Serve jobs until standard input ends."""
    worker.main(way, make)
