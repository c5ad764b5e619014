"""Pictures of the specs: each value that a step or a closed block takes has its edge."""

from __future__ import annotations

from collections import Counter

import pytest
from checking import SPECS, check, check_spec

from netspec.diagram.build import Diagram, Opening
from netspec.ir.types import BlockCall, Region, Step

SOME = ["densenet", "googlenet", "gan", "nasnet_a_mobile", "seq2seq", "siamese", "transformer", "unet", "vae"]
OTHERS = sorted({path.stem for path in SPECS.glob("*.net")} - set(SOME))
OPENINGS = {"all": Opening(1000), "new": Opening(1000, once=True), "closed": Opening(0), "two": Opening(2)}


def steps(items, prefix=""):
    """All steps and calls with their paths, those of blocks too."""
    for item in items:
        if isinstance(item, Region):
            yield from steps(item.items, f"{prefix}{item.name}." if item.name else prefix)
        else:
            yield prefix + item.name, item
            if isinstance(item, BlockCall):
                yield from steps(item.body.items, f"{prefix}{item.name}.")


def missing(net, how):
    """Boxes with another number of edges than they take values, and how many boxes were looked at."""
    shown = Diagram(net, OPENINGS[how], 100_000)
    into = Counter(id(edge.target) for edge in shown.edges)
    boxes = {box.id: box for box in shown.boxes}
    odd, count = [], 0
    for path, item in steps(net.net.body.items):
        box = boxes.get(path)
        if box is None or (isinstance(item, BlockCall) and box.style != "block"):
            continue
        sized = item.layer.sized_by if isinstance(item, Step) else ()
        taken = [t.number for place, t in enumerate(item.inputs) if place not in sized]
        odd += [(path, into[id(box)], len(taken))] if into[id(box)] != len(taken) else []
        count += 1
    odd += [(box.id, into[id(box)], 1) for box in shown.boxes if box.style == "output" and into[id(box)] != 1]
    return odd, count


@pytest.mark.parametrize("how", OPENINGS)
@pytest.mark.parametrize("name", SOME)
def test_each_value_has_its_edge(name, how):
    odd, count = missing(check_spec(name), how)
    assert odd == []
    assert count


@pytest.mark.sweep
@pytest.mark.parametrize("name", OTHERS)
def test_in_all_specs(name):
    for how in OPENINGS:
        assert missing(check_spec(name), how)[0] == []


def test_what_is_taken_by_name_has_its_edge_too():
    """States, masks, conditions: whatever is a value of the net."""
    text = """net n {
      input a [S, 4]
      input b [T, 4]
      input kept [T] bool
      s, h, c = a -> lstm(4, return=(sequence, state))
      d = b -> lstm(4, return=sequence, initial=(h, c), mask=kept) as second
      attention(d, s, s) as seen
      where(kept, sum(seen, axis=-1), sum(d, axis=-1)) as chosen
      stack(chosen, chosen, chosen) as three
    }"""
    net = check(text)
    assert net.ok, [d.message for d in net.diagnostics]
    into = Counter(edge.target.id for edge in Diagram(net, OPENINGS["all"], 100).edges)
    assert into["second"] == 4
    assert into["seen"] == 3
    assert into["chosen"] == 3
    assert into["three"] == 3
