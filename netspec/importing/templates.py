"""Blocks: modules of one class whose bodies differ in numbers only become one block with parameters."""

from __future__ import annotations

from collections import Counter

from ..base.record import TYPE_CHECKING, Record
from ..layers.arguments import REQUIRED
from ..layers.base import LAYERS
from .alike import constant, equal, numbers, ratio, skeleton, with_numbers
from .naming import NameSupply
from .pieces import BlockSignature, ParameterText, default_of, lines_of, spelled

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from .alike import Column, NumberPlace
    from .pieces import BodyLine


class BlockInstance(Record):
    """The body of a module where it is called. `inputs` are its names for what it takes; `header` says which must be
    declared. `channels` are those of the flow, or 0 where they are not known."""

    kind: str
    atoms: tuple[BodyLine, ...]
    inputs: tuple[str, ...]
    header: bool
    channels: int
    names: frozenset[str]


class BlockTemplate(Record):
    """A block. `values` are the parameters of each of its instances, in the order of these."""

    name: str
    atoms: tuple[BodyLine, ...]
    inputs: tuple[str, ...]
    header: bool
    channels: str
    signature: BlockSignature
    values: tuple[tuple[tuple[str, Any], ...], ...]

    def text(self, signatures: Mapping[str, BlockSignature]) -> str:
        """The definition."""
        said = [n if d is REQUIRED else f"{n}={spelled(d, True)}" for n, d in self.signature.parameters.items()]
        parameters = f"({', '.join(said)})" if said else ""
        lines = []
        if self.header or self.channels or len(self.inputs) > 1:
            sizes = f" [..., {self.channels}]" if self.channels else ""
            lines = [f"input {name}{sizes if place == 0 else ''}" for place, name in enumerate(self.inputs)]
        body = "\n".join((*lines, lines_of(self.atoms, signatures)))
        return f"block {self.name}{parameters} {{\n{body}\n}}\n"


def clustered(instances: Sequence[BlockInstance]) -> list[list[int]]:
    """The instances that can be one block, by number, in the order of the first of each."""
    groups: dict[Any, list[int]] = {}
    for number, instance in enumerate(instances):
        key = (instance.kind, skeleton(instance.atoms), instance.inputs, instance.header)
        groups.setdefault(key, []).append(number)
    return _merged(instances, list(groups.values()))


def _merged(instances: Sequence[BlockInstance], groups: list[list[int]]) -> list[list[int]]:
    """Classes whose bodies are the same to the last number are one block."""
    found: dict[Any, list[int]] = {}
    for group in groups:
        first = instances[group[0]]
        told = [numbers(instances[n].atoms) for n in group]
        same = all(equal(tuple(v for _, v in row), tuple(v for _, v in told[0])) for row in told)
        said = tuple((type(value), value) for _, value in told[0]) if same else (group[0],)
        found.setdefault((skeleton(first.atoms), first.inputs, first.header, said), []).extend(group)
    return list(found.values())


def template_of(name: str, instances: Sequence[BlockInstance]) -> BlockTemplate:
    """One block for instances of one skeleton."""
    first = instances[0]
    rows = [numbers(instance.atoms) for instance in instances]
    places = [place for place, _ in rows[0]]
    columns = [tuple(row[n][1] for row in rows) for n in range(len(places))]
    solved = _Solution(first, tuple(i.channels for i in instances))
    values = [solved.value(place, column) for place, column in zip(places, columns)]
    parameters = solved.ordered()
    calls = tuple(tuple((n, solved.columns[n][row]) for n in parameters) for row in range(len(instances)))
    atoms = with_numbers(first.atoms, iter(values))
    return BlockTemplate(name, atoms, first.inputs, first.header, solved.channels, BlockSignature(parameters), calls)


class _Solution:
    """The parameters of a block as they are found, number by number."""

    def __init__(self, first: BlockInstance, channels: Column) -> None:
        self.names = NameSupply(first.names | set(first.inputs))
        self.columns: dict[str, Column] = {}
        self.defaults: dict[str, Any] = {}
        self.flow = channels
        self.channels = ""

    def value(self, place: NumberPlace, column: Column) -> Any:
        """What stands in the body in the place of a column of numbers."""
        if constant(column):
            return column[0]
        for name, known in self.columns.items():
            if equal(column, known):
                return ParameterText(name)
            made = ratio(column, known)
            if made:
                return ParameterText(made.format(name))
        of_flow = ratio(column, self.flow) if not constant(self.flow) and place.name not in ("n", "stride") else ""
        if of_flow:
            self.channels = self.channels or self.names.new("c")
            return ParameterText(of_flow.format(self.channels))
        name = self.names.new(place.name)
        self.columns[name] = column
        self.defaults[name] = self._default(place, column)
        return ParameterText(name)

    def _default(self, place: NumberPlace, column: Column) -> Any:
        usual = REQUIRED
        if place.kind in LAYERS and not place.block:
            usual = default_of(place.kind, place.name)
        if usual is not REQUIRED and any(type(v) is type(usual) and v == usual for v in column):
            return usual
        value, count = Counter(map(_hashable, column)).most_common(1)[0]
        if count > 1 and 2 * count > len(column) and place.name not in ("filters", "units", "n"):
            return value[1]
        return REQUIRED

    def ordered(self) -> dict[str, Any]:
        """The parameters with their defaults, those without one first."""
        return dict(sorted(self.defaults.items(), key=lambda pair: pair[1] is not REQUIRED))


def _hashable(value: Any) -> Any:
    return type(value), value
