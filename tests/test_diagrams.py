"""Pictures of all specs, held against the report: what the boxes weigh, where they are, and what leads to them."""

from __future__ import annotations

from collections import Counter

import pytest
from checking import SPECS, check_spec

from netspec.emit.boxes import Box
from netspec.emit.diagram import Diagram, Opening
from netspec.ir import Call, Scope, Step

NAMES = sorted(path.stem for path in SPECS.glob("*.net"))
OPENINGS = {"all": Opening(1000), "new": Opening(1000, once=True), "closed": Opening(0), "two": Opening(2)}
# not at places of the net: these have names of their own
_ENDS = ("input", "output", "state")


def diagram(net, how):
    return Diagram(net, OPENINGS[how], 100_000)


def counted(group, times=1):
    """Each box with how many times it stands for, counts of the frames around it included."""
    for part in group.parts:
        if isinstance(part, Box):
            yield part, times * part.count
        else:
            yield from counted(part, times * part.count)


@pytest.mark.parametrize("how", OPENINGS)
@pytest.mark.parametrize("name", NAMES)
def test_boxes_are_places_of_the_report(name, how):
    net = check_spec(name)
    paths = {row.path for row in net.rows}
    boxes = [box for box in diagram(net, how).boxes if box.style not in _ENDS]
    assert boxes
    assert [box.id for box in boxes if box.id.partition("#")[0] not in paths] == []
    assert len({box.id for box in boxes}) == len(boxes)


@pytest.mark.parametrize("how", OPENINGS)
@pytest.mark.parametrize("name", NAMES)
def test_what_boxes_weigh_adds_up(name, how):
    net = check_spec(name)
    found = sum((box.params * times for box, times in counted(diagram(net, how).root)), 0)
    assert found == net.totals.params


def steps(items, prefix=""):
    """All steps by path, those of blocks too; of what is used several times, each."""
    for item in items:
        if isinstance(item, Scope):
            yield from steps(item.items, f"{prefix}{item.name}." if item.name else prefix)
        else:
            yield prefix + item.name, item
            if isinstance(item, Call):
                yield from steps(item.body.items, f"{prefix}{item.name}.")


@pytest.mark.parametrize("how", OPENINGS)
@pytest.mark.parametrize("name", NAMES)
def test_each_input_of_a_box_has_its_edge(name, how):
    net = check_spec(name)
    shown = diagram(net, how)
    made = Counter(id(edge.target) for edge in shown.edges)
    boxes = {box.id: box for box in shown.boxes}
    looked_at = 0
    for path, item in steps(net.net.body.items):
        box = boxes.get(path)
        if box is not None and (isinstance(item, Step) or box.style == "block"):
            sized = item.layer.sized_by if isinstance(item, Step) else ()
            assert made[id(box)] == len(item.inputs) - len(sized), path
            looked_at += 1
    assert looked_at
    assert all(made[id(box)] == 1 for box in shown.boxes if box.style == "output")
