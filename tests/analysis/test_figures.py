"""The figures of a report add up: those of a layer, of a group by its layers, and the totals."""

from __future__ import annotations

from itertools import takewhile
from pathlib import Path

import pytest
from checking import check_all

from netspec.base.source import Source
from netspec.report.report import report

CASES = sorted(Path(__file__).parents[1].glob("cases/*/*.net"))
SUMS = ("params", "weights", "biases", "trainable", "statistics", "macs", "other_ops", "activations")
TOTALS = ("params", "trainable", "statistics", "macs", "other_ops", "activations")


def reports(path):
    source = Source(path.name, path.read_text(), str(path))
    return [report(v.checked, 2) for v in check_all(source)[0] if v.ok and v.checked is not None]


def parts_of(rows, place):
    """The rows just below one, which stand behind it."""
    depth = rows[place].depth
    within = takewhile(lambda row: row.depth > depth, rows[place + 1 :])
    return (row for row in within if row.depth == depth + 1)


@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_figures_add_up(path):
    for found in reports(path):
        for place, line in enumerate(found.rows):
            assert line.params == line.weights + line.biases, line.path
            parts = list(parts_of(found.rows, place))
            for name in SUMS if parts else ():
                assert getattr(line, name) == sum(getattr(part, name) for part in parts), (line.path, name)
        assert all(not line.params and not line.macs for line in found.rows if line.type == "input")
        for name in TOTALS:
            assert getattr(found.totals, name) == sum(getattr(line, name) for line in found.rows if not line.depth)
        assert found.totals.non_trainable == found.totals.params - found.totals.trainable
