"""Layouts of PyTorch values: channels first (N, C, spatial...) or last.

Images and volumes come in and go out channels first, sequences (N, T, F) channels last. In between each value has the
layout that the layer behind it wants, and a transpose stands only where two layers want different ones.
"""

from __future__ import annotations

from itertools import repeat

from ...base.dims import product
from ...base.record import TYPE_CHECKING
from ...ir.types import BlockCall, Step
from ...layers.base import Apply, At, Helper, Use, function
from ...layers.exported import exported
from ...layers.shapes import torch_order
from ...pycode.expr import Attr, Index, X, call, method
from ..orders.layouts import outside, sequences
from ..orders.relations import key_of
from ..orders.usual import NONE, usual_orders
from .initialisers import noted
from .lower import BodyLowering, LoweredRegion, Lowering

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from ...base.dims import Shape
    from ...base.source import Span
    from ...ir.types import Body, Item, Tensor
    from ...layers.cell_uses import CellForm
    from ...pycode.expr import Call as PythonCall
    from ..orders.usual import UsualOrders
    from .lower import Lowered, LoweredBody


def entering(body: Body, shape: Shape) -> str:
    """The layout in which a body that is a class of its own takes and gives a value: a cell always with the channels
    last, since what it takes is a step of a sequence or its own state."""
    return "last" if body.definition.word == "cell" else outside(shape)


def to_layout(shape: Shape, layout: str, batched: bool = True) -> Any:
    """The transpose that brings a value into a layout."""
    rank = len(shape)
    if not batched:
        return method(X(), "permute", *((rank - 1, *range(rank - 1)) if layout == "first" else (*range(1, rank), 0)))
    if rank == 2:
        return method(X(), "transpose", 1, 2)
    order = (0, rank, *range(1, rank)) if layout == "first" else (0, *range(2, rank + 1), 1)
    return method(X(), "permute", *order)


FROZEN = Helper("frozen", file="torch/frozen")


def held_still(make: Any, statistics: bool) -> PythonCall:
    """The module that an expression makes, frozen."""
    return call("frozen", make) if statistics else method(make, "requires_grad_", False)


class TorchLowering(Lowering):
    """Lowering with layouts. `exports` says whether the code is to be exported."""

    target = "torch"
    undoes = True

    def __init__(self, exports: bool = False) -> None:
        super().__init__()
        self.exports = exports
        self._wanted: dict[int, tuple[str, ...]] = {}
        # in which layout each value of a block is taken or given first, and the blocks where there is another one, too
        self.layouts: dict[tuple[Span, str, int, int], str] = {}
        self.torn: set[Span] = set()
        # blocks that would take or give a value in one layout here and in another there: they keep to that of a net
        self.settled: set[Span] = set()
        self.is_within = False
        # the orders of numbers in the net of the program, and in what is lowered
        self.program: UsualOrders | None = None
        self.orders = NONE

    def lower(
        self, body: Body, layouts: tuple[str, ...] = (), frozen: bool = False, wished: tuple[str, ...] = ()
    ) -> LoweredBody:
        """One class takes and gives each value in one layout, wherever it is used."""
        if self.is_within:
            return super().lower(body, layouts, frozen, wished)
        self.is_within = True
        self._follow(body, layouts)
        try:
            while True:
                found = super().lower(body, layouts, frozen, wished)
                if self.torn <= self.settled:
                    return found
                self.settled |= self.torn
                for noted in (self.codes, self.layouts, self.torn):
                    noted.clear()
        finally:
            self.is_within = False

    def _follow(self, body: Body, layouts: tuple[str, ...]) -> None:
        """Follow the orders of numbers in a net; what the program's net moves is moved in others, too."""
        if self.program is None:
            self.program = self.orders = usual_orders(body)
        else:
            self.orders = self.program if layouts else usual_orders(body, self.program.moved)

    def turns(self, step: Step) -> bool:
        return key_of(step) in self.orders.steps

    def asked(self, step: Step) -> str:
        """The layout in which a step wants its values."""
        if not self.turns(step):
            return step.layer.layout
        before, _ = self.orders.steps[key_of(step)]
        return "first" if len(before) > 1 and before == torch_order(len(before), True) else "last"

    def note(self, code: LoweredBody) -> None:
        """Note in which layouts a block takes and gives its values, by place and rank."""
        span = code.body.definition.span
        taken = [port.value for port in code.body.inputs]
        given = [result.value for result in code.body.outputs]
        for word, values, layouts in (("in", taken, code.layouts), ("out", given, code.out_layouts)):
            for place, (value, layout) in enumerate(zip(values, layouts)):
                if self.layouts.setdefault((span, word, place, len(value.shape)), layout) != layout:
                    self.torn.add(span)

    def known_layouts(self, body: Body, word: str, values: Sequence[Tensor]) -> tuple[str, ...]:
        """The layouts in which a block is known to take or give values; empty for each that is not."""
        span = body.definition.span
        known = (self.layouts.get((span, word, k, len(v.shape)), "") for k, v in enumerate(values))
        return tuple(known) if self.follows else ("",) * len(values)

    def is_settled(self, call: BlockCall) -> bool:
        """Does what is called take and give values in the layouts that a net has?"""
        return call.body.definition.word != "block" or call.body.definition.span in self.settled

    def wanted(self, body: Body) -> tuple[str, ...]:
        """The layout in which all users of each input of a body want it, or empty where they do not agree."""
        if id(body) not in self._wanted:
            users: dict[int, list[Any]] = {}
            _consumers(body.items, users)
            self._wanted[id(body)] = tuple(self._agreed(users.get(p.value.number, ())) for p in body.inputs)
        return self._wanted[id(body)]

    def _agreed(self, users: Sequence[Any]) -> str:
        found = {self.asked(user) for user in users if isinstance(user, Step)} - {"any"}
        return found.pop() if len(found) == 1 else ""

    def use(self, step: Step, at: At) -> Use:
        use = step.layer.torch(at)
        if self.exports:
            use = use.replace(steps=tuple(map(exported, use.steps)))
        return noted(use, step.weights)

    def form(self, call: BlockCall) -> CellForm:
        assert call.use is not None
        form = call.use.torch()
        return exported(form) if self.exports else form

    def hold(self, use: Use, statistics: bool) -> Use:
        helpers = (FROZEN,) if statistics else ()
        steps = (
            a.replace(make=held_still(a.make, statistics), helpers=(*a.helpers, *helpers)) if a.stateful else a
            for a in use.steps
        )
        return use.replace(steps=tuple(steps))

    def spread(self, shape: Shape) -> Use:
        count = Index(Attr(X(1), "shape"), (0,))
        return Use((function(method(X(), "expand", count, *(-1 for _ in shape))),))

    def begin(self, body: Body, layouts: tuple[str, ...], frozen: bool, wished: tuple[str, ...]) -> BodyLowering:
        return _TorchLines(self, body, layouts, frozen, wished)


class _TorchLines(BodyLowering):
    """One body on the way, with the layout of each of its values."""

    lowering: TorchLowering

    def __init__(
        self, lowering: TorchLowering, body: Body, layouts: tuple[str, ...], frozen: bool, wished: tuple[str, ...]
    ) -> None:
        super().__init__(lowering, body, layouts, frozen)
        self.wished = dict(zip(map(id, body.outputs), wished))
        self.alone = not layouts
        self.layout: dict[int, str] = {}
        self.consumers: dict[int, list[Any]] = {}
        _consumers((*body.held, *body.starts), self.consumers)
        for result in body.outputs:
            self.consumers.setdefault(result.value.number, []).append(result)
        for place, port in enumerate(body.inputs):
            self.layout[port.value.number] = layouts[place] if layouts else entering(body, port.value.shape)

    def out_layouts(self) -> tuple[str, ...]:
        return tuple(self.layout.get(self._source(r.value), "last") for r in self.body.outputs)

    def _source(self, tensor: Tensor) -> int:
        return self.alias.get(tensor.number, tensor.number)

    def run(self) -> LoweredBody:
        code = super().run()
        if self.alone:
            code = self._given_in(code, [entering(self.body, result.value.shape) for result in self.body.outputs])
        elif self.wished:
            code = self._given_in(code, [self.wished.get(id(result), "") for result in self.body.outputs])
        self.lowering.note(code)
        return code

    def _given_in(self, code: LoweredBody, wanted: Sequence[str]) -> LoweredBody:
        """The code with what comes out in some layouts; as it is where none is said."""
        outputs, layouts, items = list(code.outputs), list(code.out_layouts), code.items
        for place, (result, layout) in enumerate(zip(self.body.outputs, wanted)):
            number = self._source(result.value)
            if len(result.value.shape) < 2:
                layouts[place] = "last"
            elif layout and self.layout[number] != layout:
                self.uses[number] -= 1
                outputs[place] = made = self._convert(number, result.value, layout)
                self.uses[made] = self.uses.get(made, 0) + 1
                items = _in_branch_of(items, number, self.pending) or (*items, *self.pending)
                self.pending = []
                layouts[place] = layout
        return code.replace(items=items, outputs=tuple(outputs), out_layouts=tuple(layouts))

    def step(self, step: Step) -> list[Lowered]:
        step = self.shortened(step)
        if self.handed_on(step):
            return []
        if self.lowering.turns(step) and step.layer.regroups:
            return self._regrouped(step)
        if not step.inputs:
            self.layout[step.output.number] = "last"
            return super().step(step)
        layer = step.layer
        flowing = layer.flowing(step.inputs)
        widest = flowing[0] if len(flowing) == 1 else max(flowing, key=lambda t: (len(t.shape), t.batched))
        have = self.layout.get(self._source(widest), "last") if len(widest.shape) >= 2 else "last"
        want = layer.layout
        if want == "any":
            want = have if len(flowing) == 1 else self._meeting(step, have)
        if self.lowering.turns(step) or (layer.kind == "flatten" and _is_same(widest.shape)):
            want = "first" if self.lowering.turns(step) else have
        inputs = self.for_samples(step, tuple(map(self._taken, step.inputs, self._wishes(step, want))))
        first = want == "first" and len(widest.shape) >= 2
        firsts = tuple(self.layout.get(number) == "first" for number in inputs) if layer.sized_by else ()
        at = At(step.shapes, step.output.shape, first, 0, self.free(step), firsts)
        kept = layer.keeps_channels(widest.shape)
        for tensor in step.outputs:
            self.layout[tensor.number] = want if kept and len(tensor.shape) >= 2 else "last"
        return self.flushed(self.act(step, at, inputs))

    def laid_out(self, step: Step) -> str:
        return self.layout[step.output.number]

    def _regrouped(self, step: Step) -> list[Lowered]:
        """A step that reads axes as others, with those of either side in the sequence that people give them."""
        x, y, (before, after) = step.inputs[0].shape, step.output.shape, self.lowering.orders.steps[key_of(step)]
        made = "first" if len(y) > 1 and after == torch_order(len(y), True) else "last"
        taken, given = sequences(x, y, before, torch_order(len(y), made == "first"), after)
        have = self.layout[self._source(step.inputs[0])] if len(x) > 1 else "last"
        want = next((word for word in (have, *_OTHER[have]) if torch_order(len(x), word == "first") == taken), have)
        inputs = (self._taken(step.inputs[0], want),)
        layer = step.layer.in_sequence(given, y)
        assert layer is not None  # what cannot be turned is none of these
        sizes = tuple(x[axis] for axis in taken), tuple(y[axis] for axis in given)
        self.layout[step.output.number] = made
        act = self.act(step.replace(layer=layer), At(sizes[:1], sizes[1]), inputs)
        lead = _permuted(torch_order(len(x), want == "first"), taken)
        tail = _permuted(given, torch_order(len(y), made == "first"))
        use = act.use.replace(steps=(*lead, *act.use.steps, *tail))
        return self.flushed(act.replace(step=step, use=use, general=lambda _: use))

    def _wishes(self, step: Step, want: str) -> list[str]:
        """The layouts that a step wants its values in: the one that each has, where its sizes alone are looked at."""
        if not step.layer.sized_by:
            return [want] * len(step.inputs)
        flowing = {tensor.number for tensor in step.layer.flowing(step.inputs)}
        have = (self.layout.get(self._source(tensor), "last") for tensor in step.inputs)
        return [want if t.number in flowing else layout for t, layout in zip(step.inputs, have)]

    def _meeting(self, step: Step, have: str) -> str:
        """The layout for values of both: that in which all users of the result want it, if they agree."""
        met = {self.layout[self._source(t)] for t in step.layer.flowing(step.inputs) if len(t.shape) >= 2}
        if len(met) < 2:
            return have
        users = self.consumers.get(step.output.number, ())
        asked = {self._asked(user, step.output.number) for user in users} - {"any", ""}
        return asked.pop() if len(asked) == 1 else have

    def _asked(self, user: Any, number: int) -> str:
        """In which layout a step or a call wants a value; nothing where either will do."""
        if isinstance(user, Step):
            return self.lowering.asked(user)
        if isinstance(user, BlockCall) and self.lowering.is_settled(user):
            return ""
        if isinstance(user, BlockCall):
            return self.lowering.wanted(user.body)[[t.number for t in user.inputs].index(number)]
        return self.wished.get(id(user), "")

    def call(self, call: BlockCall) -> list[Lowered]:
        layouts = tuple(self._layout_for(call, place) for place in range(len(call.inputs)))
        inputs = tuple(self._taken(t, layout) for t, layout in zip(call.inputs, layouts))
        # a net within a net is the class that it is alone, so it takes and gives what a net does
        wished = self.lowering.known_layouts(call.body, "out", call.outputs)
        code = self.lowering.lower(call.body, () if self.lowering.is_settled(call) else layouts, wished=wished)
        for tensor, layout in zip(call.outputs, code.out_layouts if call.use is None else _LAST):
            self.layout[tensor.number] = layout
        return self.flushed(self.enter(call, code, inputs))

    def _layout_for(self, call: BlockCall, place: int) -> str:
        """The layout in which a block takes a value: the one that it works on, or else as it comes. For a shared one
        and for a net it is always the same."""
        tensor, body = call.inputs[place], call.body
        if len(tensor.shape) < 2 or not tensor.batched:
            return "last"
        if call.shared is not None or self.lowering.is_settled(call):
            return entering(body, tensor.shape)
        known = self.lowering.known_layouts(body, "in", call.inputs)[place]
        return known or self.lowering.wanted(body)[place] or self.layout[self._source(tensor)]

    def _taken(self, tensor: Tensor, want: str) -> int:
        number = self._source(tensor)
        if len(tensor.shape) >= 2 and self.layout[number] != want:
            number = self._convert(number, tensor, want)
        self.uses[number] = self.uses.get(number, 0) + 1
        return number

    def _convert(self, number: int, tensor: Tensor, want: str) -> int:
        made = self.convert(number, want, Use((function(to_layout(tensor.shape, want, tensor.batched)),)))
        self.layout[made] = want
        return made


_OTHER = {"first": ("last",), "last": ("first",)}


def _is_same(shape: Shape) -> bool:
    """Are the numbers in one order, be the channels first or last?"""
    return shape[-1] == 1 or product(shape[:-1]) == 1


def _permuted(have: tuple[int, ...], want: tuple[int, ...]) -> tuple[Apply, ...]:
    """What brings the axes behind the batch from one sequence into another."""
    if have == want:
        return ()
    return (function(method(X(), "permute", 0, *(have.index(axis) + 1 for axis in want))),)


def _in_branch_of(items: tuple[Lowered, ...], number: int, more: Sequence[Lowered]) -> tuple[Lowered, ...]:
    """Items with more of them at the end of the branch, within branches alone, in which a value is made; none where it
    is made elsewhere."""
    for place, item in enumerate(items):
        if isinstance(item, LoweredRegion) and item.region.kind == "if":
            makes = any(number in inner.outputs for inner in item.items if not isinstance(inner, LoweredRegion))
            found = (*item.items, *more) if makes else _in_branch_of(item.items, number, more)
            if found:
                return (*items[:place], item.replace(items=found), *items[place + 1 :])
    return ()


# the layouts of all that cells give
_LAST = repeat("last")


def _consumers(items: Sequence[Item], found: dict[int, list[Any]]) -> None:
    for item in items:
        if isinstance(item, Step | BlockCall):
            for tensor in item.inputs:
                found.setdefault(tensor.number, []).append(item)
        else:
            _consumers(item.items, found)
