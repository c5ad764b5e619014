"""What the compiler tells of the place where a text grows: shapes, and what leads nowhere."""

from __future__ import annotations

from netspec.base.dims import product, substitute, symbols
from netspec.ir.types import BlockCall, Step, applied
from netspec.layers.arguments import Unsupported
from netspec.layers.base import At

# values for symbols, two for each; no size is smaller
SYMBOLS = {name: (17 + k, 22 + k) for k, name in enumerate(("T", "H", "W", "L"))}
MOST_NUMBERS, MOST_MACS, MOST_LAYERS, MOST_AXES = 2500, 400_000, 60, 4


def settled(dim):
    """A size, with the least that its symbols may be."""
    values = {name: SYMBOLS.get(name, (17,))[0] for name in symbols(dim)}
    return substitute(dim, values)


def everything(items):
    """All items, those of called blocks included, each body once."""
    todo, seen = list(items), set()
    while todo:
        item = todo.pop()
        yield item
        if isinstance(item, BlockCall):
            if id(item.body) not in seen:
                seen.add(id(item.body))
                todo.extend(item.body.items)
        elif not isinstance(item, Step):
            todo.extend(item.items)


def weighty(item):
    if isinstance(item, BlockCall):
        return any(weighty(inner) for inner in applied(item.body.items))
    return bool(item.weights)


def lost(items, wanted):
    """How many steps with weights lead to nothing that is wanted, a probe included."""
    live, count = set(wanted), 0
    for item in reversed(list(applied(items))):
        outputs = {t.number for t in item.outputs}
        if live & outputs or (isinstance(item, Step) and item.given.startswith("probe_")):
            live |= {t.number for t in item.inputs}
            if isinstance(item, BlockCall) and len(outputs) > 1:
                kept = [r.value.number for r, t in zip(item.body.outputs, item.outputs) if t.number in live]
                count += lost(item.body.items, kept)
        else:
            count += weighty(item)
    return count


class Known:
    """What a check tells of the place that was probed: the tensors of the flow and of each value there.

    `fits` says that the net is small enough, and of layers that both frameworks have; `lost` counts what leads nowhere.
    """

    def __init__(self, net):
        self.flow, self.values = [], {}
        self.fits = settled(net.totals.macs) <= MOST_MACS and sum(1 for _ in net.layers) <= MOST_LAYERS
        found = list(everything(net.net.body.items))
        for item in found:
            if not isinstance(item, Step):
                continue
            self.fits = self.fits and self._is_small(item.output.shape) and _everywhere(item)
            if item.given.startswith("probe_"):
                self.fits = self.fits and bool(item.output.shape)
                name, value = item.given[6:], item.inputs[0]
                (self.values.setdefault(name, []) if name else self.flow).append(value)
        called = {id(item.body): item.body for item in found if isinstance(item, BlockCall)}
        probed = [b for b in (net.net.body, *called.values()) if any(_is_probe(i) for i in applied(b.items))]
        self.lost = sum(lost(body.items, ()) for body in probed)

    def _is_small(self, shape):
        sizes = [settled(n) for n in shape]
        return all(n > 0 for n in sizes) and product(sizes) <= MOST_NUMBERS and len(shape) <= MOST_AXES


def _is_probe(item):
    return isinstance(item, Step) and item.given == "probe_"


def _everywhere(step):
    """Have both frameworks a form for a step?"""
    at = At(tuple(t.shape for t in step.inputs), step.output.shape)
    try:
        return bool(step.layer.torch(at) and step.layer.keras(at))
    except Unsupported:
        return False


class Names:
    """The names that are bound at a place, by what they hold."""

    KINDS = ("values", "lists", "numbers", "floats", "flags", "words", "tuples", "shared")

    def __init__(self, **given):
        for kind in self.KINDS:
            setattr(self, kind, list(given.get(kind, ())))

    def copy(self):
        return Names(**self.__dict__)

    def bind(self, kind, name):
        for names in self.__dict__.values():
            if name in names:
                names.remove(name)
        getattr(self, kind).append(name)
