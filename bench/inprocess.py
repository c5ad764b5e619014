"""The work alone: microseconds of CPU for an instance inside repeats, and for a written line.

`python -m bench.inprocess`. Each figure is the best of several runs, as a slower one only tells of the machine.
Growth is the cost of one of many against the cost of one of few: 1.0 is linear. Exit status 1 where a goal is missed.
"""

from __future__ import annotations

import gc
import sys
import time

from netspec.api import check
from netspec.base.record import TYPE_CHECKING, Record
from netspec.base.source import Source

if TYPE_CHECKING:
    from collections.abc import Callable

BLOCKS = """
block unit(width, stride=1) {{
  input x [h, w, c]
  conv(width, 3x3, stride=stride, padding=1, bias=false) -> batchnorm -> relu
  conv(width, 3x3, padding=1, bias=false) -> batchnorm
  x + identity -> relu
}}
net deep {{
  input image [32, 32, 16]
  repeat {n} {{ unit(16) }}
}}
"""
FLAT = """
net flat {{
  input image [32, 32, 16]
  repeat {n} {{ conv(16, 3x3, padding=same, activation=relu) -> batchnorm }}
}}
"""
# a line of 25 tokens and a line end: a convolution, a norm, an activation, a name
LINE = "  conv({filters}, 3x3, stride=1, padding=same, bias=false) as conv{i} -> batchnorm as bn{i} -> relu\n"


class Series(Record):
    """A kind of text, made for growing sizes, and what one of its parts may cost, in microseconds (None: no goal)."""

    title: str
    unit: str
    text: Callable[[int], str]
    sizes: tuple[int, ...]
    parts: int
    goal: float | None = None
    repeats: int = 5
    rows: bool = False  # those of the report are made as well


def written(lines: int, same: bool = False) -> str:
    body = "".join(LINE.format(filters=16 if same else 8 + i % 5, i=i) for i in range(lines))
    return f"net written {{\n  input image [32, 32, 3]\n{body}}}\n"


SERIES = (
    Series("blocks in a repeat", "block", lambda n: BLOCKS.format(n=n), (100, 1000, 10_000), 1),
    Series("... by instance (8 in a block)", "instance", lambda n: BLOCKS.format(n=n), (100, 1000, 125_000), 8, 5, 3),
    Series("... and its row", "instance", lambda n: BLOCKS.format(n=n), (100, 1000, 10_000), 8, rows=True),
    Series("layers in a repeat", "layer", lambda n: FLAT.format(n=n), (50, 500, 5000), 2, 9),
    Series("written lines of 25 tokens", "line", written, (100, 1000, 5000), 1, 100),
)


def microseconds(text: str, repeats: int, rows: bool = False) -> float:
    """CPU of one check, the least of several."""
    best = float("inf")
    for _ in range(repeats):
        gc.collect()
        gc.disable()  # as the command line does
        start = time.process_time()
        verdict = check(Source("bench.net", text))
        assert verdict.checked is not None
        if rows:
            assert verdict.checked.rows
        best = min(best, time.process_time() - start)
        gc.enable()
        assert verdict.ok, verdict.diagnostics[:1]
    return best * 1e6


def main() -> int:
    missed = False
    microseconds(BLOCKS.format(n=1), 1)  # the imports
    print(f"{'':<32} {'goal':>6}   microseconds for one, by number of them")
    for series in SERIES:
        found = [microseconds(series.text(n), series.repeats, series.rows) / (n * series.parts) for n in series.sizes]
        shown = "  ".join(f"{n * series.parts:,}: {cost:.1f}" for n, cost in zip(series.sizes, found))
        print(f"{series.title:<32} {series.goal or '':>6}   {shown}   growth {found[-1] / found[1]:.2f}")
        missed |= series.goal is not None and found[-1] > series.goal
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
