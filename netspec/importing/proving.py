"""Is a text the same net as another one? Both are elaborated, and each value is known by all that it comes from.

A step is its layer with all its arguments, whether it is held still, its path where it has weights and the model names
it, and the values that it takes. Two nets are one where these agree, step by step and output by output; in which order
steps stand, and in which blocks and loops they are written, makes no difference.
"""

from __future__ import annotations

from collections import Counter

from ..base.diagnostics import Collector
from ..base.record import TYPE_CHECKING, Record
from ..base.source import Source
from ..elaborate.net import elaborate
from ..ir.paths import path_of
from ..ir.types import BlockCall, Region
from ..resolve.resolve import find_net, resolve
from ..syntax.parser import parse

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from ..base.diagnostics import Diagnostic
    from ..ir.types import Body, Item, Net, Tensor


class TriedText(Record):
    """A text elaborated: its net, and what was said of it."""

    net: Net | None
    diagnostics: tuple[Diagnostic, ...]

    @property
    def ok(self) -> bool:
        """Is there nothing to be said of it, not even a warning?"""
        return self.net is not None and not self.diagnostics


def tried(text: str) -> TriedText:
    """A text, as far as it goes."""
    faults = Collector()
    source = Source("import", text)
    design = resolve(parse(source, faults), faults, ())
    definition = find_net(design, None, source)
    if definition is None or faults.failed:
        return TriedText(None, faults.all)
    net = elaborate(design, definition, {}, faults)
    return TriedText(net, faults.all)


class NetTrace(Record):
    """Every step of a net by what it is and how often, and what comes out, with its name; `places` has the steps with
    weights in the order of the net, with their paths."""

    steps: Counter[Any]
    outputs: tuple[tuple[str, int], ...]
    places: tuple[tuple[int, str], ...]


class _Tracing:
    """Values as numbers, the same for the same origin."""

    def __init__(self, known: dict[Any, int], paths: Mapping[str, str]) -> None:
        self.known, self.paths = known, paths
        self.steps: Counter[Any] = Counter()
        self.places: list[tuple[int, str]] = []

    def number(self, key: Any) -> int:
        return self.known.setdefault(key, len(self.known))

    def body(self, body: Body, inputs: Sequence[int], prefix: str) -> list[int]:
        values = {port.value.number: n for port, n in zip(body.inputs, inputs)}
        self.items(body.items, values, prefix, prefix)
        return [values[out.value.number] for out in body.outputs]

    def items(self, items: Sequence[Item], values: dict[int, int], prefix: str, home: str) -> None:
        for item in items:
            if isinstance(item, Region):
                self.items(item.items, values, f"{prefix}{item.name}." if item.name else prefix, home)
                continue
            taken = [values[t.number] for t in item.inputs]
            path = path_of(item, prefix, home)
            if isinstance(item, BlockCall):
                results = self.body(item.body, taken, f"{path}.")
                values.update(zip((t.number for t in item.outputs), results))
                continue
            values.update(self.step(item, path, taken))

    def step(self, item: Any, path: str, taken: Sequence[int]) -> dict[int, int]:
        weighted = bool(item.weights)
        name = self.paths.get(path, "") if weighted else ""
        key = (type(item.layer), tuple(map(_plain, item.layer.__dict__.items())), name, item.frozen, tuple(taken))
        if item.hands_on:
            return {item.outputs[0].number: taken[0]}
        made = self.number(key)
        self.steps[made] += 1
        if weighted:
            self.places.append((made, path))
        return {t.number: self.number((made, place)) for place, t in enumerate(item.outputs)}


def _plain(pair: tuple[str, Any]) -> Any:
    name, value = pair
    return name, value, str if isinstance(value, str) else type(value)  # a word may be a string where it is a default


def trace(net: Net, known: dict[Any, int], paths: Mapping[str, str]) -> NetTrace:
    """What a net does. `known` is shared by nets that are compared; `paths` are what the model calls the weights at a
    path, without those that have no name of their own there."""
    tracing = _Tracing(known, paths)
    inputs = [tracing.number(("input", p.name, _shape(p.value), p.value.dtype, p.limit)) for p in net.body.inputs]
    outputs = tracing.body(net.body, inputs, "")
    return NetTrace(tracing.steps, tuple(zip((o.name for o in net.body.outputs), outputs)), tuple(tracing.places))


def _shape(value: Tensor) -> tuple[str, ...]:
    return tuple(map(str, value.shape))
