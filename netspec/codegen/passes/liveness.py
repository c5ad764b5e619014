"""How long values are needed, and which of them therefore cannot share a variable.

The usual liveness analysis, backwards over the nodes of a template. Two values clash where one is made while the
other is still needed. What a loop or choice leaves is copied into a variable at the end of each turn or branch; a copy
does not clash with what it is a copy of.

What comes in, and what the steps of a template itself make, outside of its loops and choices, is told by where it is
made and where it is taken last: thousands may be needed at once, and there are as many pairs as the square of that.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right

from ...base.record import TYPE_CHECKING
from ..ir import Choice, Invoke, Leaf, Loop, ModuleChain, definitions

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Sequence as Seq

    from ..ir import Node


class Lives:
    """The clashes of one template. `wanted` are the values that are needed at the end."""

    def __init__(self, nodes: Seq[Node], inputs: Iterable[int], wanted: Iterable[int]) -> None:
        self.clashes: dict[int, set[int]] = {}
        # where the values of steps in a row are made, inputs before all of them, and where they are taken last
        self.made_at = dict.fromkeys(inputs, -1)
        self.taken_at: dict[int, int] = {}
        steps = (node for node in nodes if not isinstance(node, Loop | Choice))
        self.row = {*self.made_at, *(value for node in steps for value in node.outputs)}
        self._along(nodes, set(wanted))
        self.taken_at = {**self.made_at, **self.taken_at}

    def of(self, value: int) -> set[int]:
        """The values that cannot stand in the variable of a value, but for those in one row with it."""
        return self.clashes.get(value, set())

    def _along(self, nodes: Seq[Node], wanted: set[int]) -> None:
        """Go back over the nodes of the template, behind which some values are needed."""
        alive, others = set(wanted), wanted - self.row
        self.taken_at.update(dict.fromkeys(wanted & self.row, len(nodes)))
        for place in range(len(nodes) - 1, -1, -1):
            node = nodes[place]
            if isinstance(node, Loop | Choice):
                alive = self._before([node], alive)
                others = alive - self.row
                taken: Iterable[int] = alive & self.row
            else:
                taken = node.inputs
                self._made_in_row(node, place, others)
                alive.difference_update(node.outputs)
                alive.update(taken)
                others.update(value for value in taken if value not in self.row)
            for value in taken:
                if value in self.row:
                    self.taken_at.setdefault(value, place)

    def _made_in_row(self, node: Leaf | Invoke | ModuleChain, place: int, others: set[int]) -> None:
        """A step of the row makes its values, while values that are not of the row are needed."""
        for value in (*node.outputs, passing(node)):
            self.made_at[value] = place
            self.taken_at.setdefault(value, place)
            self._made(value, {*others, *node.outputs, *_late(node)} - _same(node, value))

    def _made(self, value: int, alive: Iterable[int], copied: int | None = None) -> None:
        """A value is made, perhaps as a copy of another one, while others are needed."""
        for other in alive:
            if other not in (value, copied):
                self.clashes.setdefault(value, set()).add(other)
                self.clashes.setdefault(other, set()).add(value)

    def _before(self, nodes: Seq[Node], alive: set[int]) -> set[int]:
        """What is needed before some nodes, where `alive` are needed behind them."""
        for node in reversed(nodes):
            if isinstance(node, Loop):
                alive = self._before_loop(node, alive)
            elif isinstance(node, Choice):
                alive = self._before_choice(node, alive)
            else:
                alive = self._before_step(node, alive)
        return alive

    def _before_step(self, node: Leaf | Invoke | ModuleChain, alive: set[int]) -> set[int]:
        made = node.outputs
        for value in (*made, passing(node)):
            self._made(value, {*alive, *made, *_late(node)} - _same(node, value))
        return alive.difference(made).union(node.inputs)

    def _before_choice(self, node: Choice, behind: set[int]) -> set[int]:
        owns = {own for _operands, own in node.phis}
        for own in owns:
            self._made(own, behind)
        before: set[int] = set()
        for place, (_condition, nodes) in enumerate(node.branches):
            left = {operands[place] for operands, own in node.phis if own in behind}
            before |= self._before(nodes, {v for v in left if v is not None} | behind - owns)
        return before

    def _before_loop(self, node: Loop, behind: set[int]) -> set[int]:
        owns = {own for _first, _later, own in node.carried}
        head: set[int] = set()
        while True:
            alive = head | behind  # when a turn has ended
            left = {later for _first, later, own in node.carried if own in alive}
            found = self._before(node.nodes, alive - owns | left)
            if found <= head:
                break
            head |= found
        # a value that is made within and taken behind is there only when there was a turn
        entering = alive.difference(definitions(node.nodes))
        before = entering - owns
        for first, later, own in node.carried:
            self._made(own, alive, later)
            if first is not None and own in alive:
                self._made(own, entering, first)
                before.add(first)
        return before


class Stretches:
    """From where to where along a row one variable is held; the parts may not be in order."""

    def __init__(self) -> None:
        self.begins: list[int] = []
        # the last end of the stretches up to each
        self.latest: list[int] = []

    def add(self, begin: int, end: int) -> None:
        place = bisect_right(self.begins, begin)
        self.begins.insert(place, begin)
        self.latest.insert(place, max(end, self.latest[place - 1]) if place else end)
        for later in range(place + 1, len(self.latest)):
            if self.latest[later] >= end:
                break
            self.latest[later] = end

    def meet(self, begin: int, end: int) -> bool:
        """Is one held where another stretch begins, or does one begin within it?"""
        before, after = bisect_left(self.begins, begin), bisect_right(self.begins, begin)
        held = before > 0 and self.latest[before - 1] > begin
        return held or (after < len(self.begins) and self.begins[after] < end)


def _late(node: Leaf | Invoke | ModuleChain) -> tuple[int, ...]:
    """A layer that takes several lines may need its later inputs after the first line."""
    return node.inputs[1:] if isinstance(node, Leaf) and len(node.applies) > 1 else ()


def passing(node: Leaf | Invoke | ModuleChain) -> int:
    """What stands for the values that a node makes on the way and that nobody else takes."""
    return -1 - node.outputs[0]


def _same(node: Leaf | Invoke | ModuleChain, value: int) -> set[int]:
    """The outputs of a node that are the same value as one of them."""
    if isinstance(node, ModuleChain):
        return set()
    if len(node.outputs) == 1:
        return {value}.intersection(node.outputs)
    slots = {slot for v, slot in zip(node.outputs, node.slots) if v == value}
    return {v for v, slot in zip(node.outputs, node.slots) if slot in slots}
