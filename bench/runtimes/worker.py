"""The ways of one place in a process of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netspec.verify import worker

from .ways import make

if TYPE_CHECKING:
    from typing import Any


def main(place: str) -> None:
    """Serve jobs until standard input ends."""
    worker.main(place, _make)


def _make(place: str, job: dict[str, Any], example: list[Any]) -> Any:
    return make(job["leg"], job, example)
