"""Recurrent layers in PyTorch: `nn.LSTM` and its like where they compute the same, else a loop over the steps.

All forms share one protocol, that of `nn.LSTM`: a sequence and perhaps a state go in, the sequence of outputs and the
last state come out, and a state has a first axis for layers and directions.
"""

from __future__ import annotations

from ..base.record import TYPE_CHECKING
from ..pycode.expr import Call, Index, Made, Raw, X, call, method, unless
from .activations import WORDS
from .arguments import Unsupported
from .base import At, Use, WeightLayout, function, module
from .recurrence import ModuleExpression
from .recurrent_helpers import BOTH_WAYS, INPUT_DROPOUT, RESET, STACKED, STATEFUL

if TYPE_CHECKING:
    from typing import Any

    from ..base.dims import Shape
    from ..pycode.expr import Code
    from .base import Apply, Gives
    from .recurrence import CellWeight, Core, Recurrence

# reductions of PyTorch that merge two directions
_MERGES = {"add": "sum", "mul": "prod", "average": "mean"}


# --- which form ------------------------------------------------------------------------------------------------------


def is_fused(layer: Recurrence) -> bool:
    """Is one of PyTorch's layers all of its layers and directions?"""
    core = layer.core
    if core.by_steps or core.dropout:
        return False
    single = layer.depth == layer.ways == 1
    return single or (core.torch_fuses and (layer.depth == 1 or layer.ways == 1 or layer.merge == "concat"))


# --- where weights are -----------------------------------------------------------------------------------------------


def torch_place(layer: Recurrence, number: int, way: int, kept: CellWeight) -> WeightLayout:
    """Where an array of one layer and direction is."""
    fused = is_fused(layer)
    suffix = f"_l{number if fused else 0}{'_reverse' if fused and way else ''}" if layer.core.torch_fuses else ""
    before = ""
    if not fused:
        before += f"layers.{number}." if layer.depth > 1 else ""
        before += ("forward_layer.", "backward_layer.")[way] if layer.ways == 2 else ""
    return WeightLayout(
        before + kept.place + suffix,
        kept.order,
        None,
        layer.core.torch_blocks,
        None,
        before + kept.plus + suffix if kept.plus else "",
    )


# --- what is made ----------------------------------------------------------------------------------------------------


def _built(layer: Recurrence, x: Shape) -> ModuleExpression:
    core = layer.core
    if is_fused(layer):
        found = core.torch_make(x, layer.depth, layer.ways)
    else:
        each = [_both_ways(layer, layer.taken(n, x)) for n in range(layer.depth)]
        stacked = call("Stacked", *(one.make for one in each))
        found = each[0] if len(each) == 1 else each[0].within(stacked, *STACKED)
    return found.within(call("stateful", found.make), STATEFUL, RESET) if core.stateful else found


def _both_ways(layer: Recurrence, x: Shape) -> ModuleExpression:
    core = layer.core
    one = _one_way(core, x)
    if layer.ways == 1:
        return one
    words = unless("concat", merge=_MERGES.get(layer.merge, "concat") if layer.depth > 1 else "concat")
    words |= unless(1, time=core.torch_time) | unless(-1, channels=core.torch_channels)
    return one.within(call("BothWays", one.make, one.make, **words), *BOTH_WAYS)


def _one_way(core: Core, x: Shape) -> ModuleExpression:
    found = core.stepwise_make(x) if core.by_steps else core.torch_make(x, 1, 1)
    return found.within(call("input_dropout", found.make, core.dropout), INPUT_DROPOUT) if core.drops_before else found


def rates_of(core: Any) -> dict[str, Code]:
    """The rates of dropout of a form that drops by itself."""
    dropout = 0 if core.drops_before else core.dropout
    return unless(0, dropout=dropout, recurrent_dropout=core.recurrent_dropout)


def functions_of(core: Any) -> dict[str, Code]:
    """The activations that differ from those of the paper, as functions."""
    return {
        name: _function_of(getattr(core, name)) for name, usual in core.usual.items() if getattr(core, name) != usual
    }


def _function_of(word: Any) -> Code:
    """An activation as something to be called."""
    if word is None:
        return call("nn.Identity")
    (apply,) = WORDS[word].torch(At(((1,),), (1,))).steps
    if isinstance(apply.call, Call) and apply.call.args == (X(),) and not apply.call.kwargs:
        return Raw(str(apply.call.func))
    if apply.make is None:
        raise Unsupported(f"PyTorch has no module for {word} with these arguments")
    return apply.make


# --- how it is called ------------------------------------------------------------------------------------------------


def torch_form(layer: Recurrence, at: At) -> Use:
    """The module, how it is called, and what is made of its results."""
    core = layer.core
    built = _built(layer, at.x)
    flipped = core.reverse and layer.ways == 1
    words: dict[str, Code] = {}
    if core.masked:
        mask = X(len(at.inputs) - 1)
        words["mask"] = method(mask, "flip", 1) if flipped else mask
    args: list[Code] = [method(X(), "flip", core.torch_time) if flipped else X()]
    if core.initial:
        args.append(_state(layer))
    results = _TorchResults(layer, len(at.inputs), flipped)
    made = module(built.make, "", built.helpers, call(Made(), *args, **words), results.gives)
    return Use((made, *results.finish()), results.outputs(), results.names())


def _state(layer: Recurrence) -> Code:
    """The initial state as the module takes it."""
    count = layer.core.state_count
    parts = []
    for k in range(count):
        each = tuple(X(1 + n) for n in range(k, layer.states, count))
        parts.append(method(each[0], "unsqueeze", 0) if len(each) == 1 else call("torch.stack", each))
    return parts[0] if count == 1 else tuple(parts)


class _TorchResults:
    """What comes out of the module, and the outputs of the layer that are made of it.

    Value 0 is what flows. Behind the inputs stand the parts of the module's state, then those of the layer's.
    """

    def __init__(self, layer: Recurrence, inputs: int, flipped: bool) -> None:
        self.layer = layer
        self.flipped = flipped
        self.returns = layer.core.returns
        self.sequence = "sequence" in self.returns
        count = layer.core.state_count
        self.raw = tuple(range(inputs, inputs + count))
        self.flow = (0, inputs + count) if layer.ways == 2 and layer.merge == "none" else (0,)
        first = inputs + count + 1
        self.single = layer.depth == 1 and layer.ways == 1
        self.state = self.raw if self.single else tuple(range(first, first + layer.states))
        # the last outputs, where they are neither what flows nor part of the state
        self.apart = tuple(range(first + layer.states, first + layer.states + len(self.flow)))

    @property
    def gives(self) -> Gives:
        """How the result is unpacked."""
        state: Gives = self.raw if len(self.raw) > 1 else self.raw[0]
        return (0, state)

    @property
    def last(self) -> tuple[int, ...]:
        """Where the last outputs are put."""
        if not self.sequence:
            return self.flow
        return self.state[:1] if self.single and "state" in self.returns else self.apart

    def outputs(self) -> tuple[int, ...]:
        """The outputs of the layer, in order."""
        found = {"sequence": self.flow, "last": self.last, "state": self.state}
        return tuple(n for word in self.returns for n in found[word])

    def names(self) -> dict[int, str]:
        return {**dict(zip(self.state, self.layer.state_names())), **dict(zip(self.raw, "hc"))}

    def finish(self) -> list[Apply]:
        """What is still to be done to the parts."""
        made = [*self._whole(), *self._ends()] if "last" in self.returns else [*self._whole()]
        parts = tuple(code for _, code in made)
        gives = tuple(number for number, _ in made)
        found = [self._merged_sequence()] if self.sequence else []
        if made:
            found.append(function(parts[0], gives=gives[0]) if len(made) == 1 else function(parts, gives=gives))
        return [step for step in found if step is not None]

    def _merged_sequence(self) -> Apply | None:
        core, axis = self.layer.core, self.layer.core.torch_channels
        if self.flipped:
            return function(method(X(), "flip", core.torch_time))
        if self.layer.ways == 1 or self.layer.merge == "concat":
            return None
        if self.layer.merge == "none":
            return function(method(X(), "chunk", 2, axis), gives=self.flow)
        if self.layer.depth > 1:
            return None  # its layers are merged one by one
        apart = method(X(), "unflatten", axis, (2, -1))
        return function(method(apart, _MERGES[self.layer.merge], axis - 1 if axis < 0 else axis))

    def _whole(self) -> list[tuple[int, Code]]:
        """The state, each layer and direction apart."""
        if "state" not in self.returns:
            return []
        raw = [X(n) for n in self.raw]
        if self.single:
            return [(n, Index(part, (-1,))) for n, part in zip(self.state, raw)]
        count = self.layer.states // len(raw)
        codes = (Index(part, (n,)) for n in range(count) for part in raw)
        return list(zip(self.state, codes))

    def _ends(self) -> list[tuple[int, Code]]:
        """The last outputs."""
        h = X(self.raw[0])
        if self.layer.ways == 1:
            known = self.last[0] in self.state and "state" in self.returns
            return [] if known else [(self.last[0], Index(h, (-1,)))]
        ends = Index(h, (-2,)), Index(h, (-1,))
        if self.layer.merge == "none":
            return list(zip(self.last, ends))
        if self.layer.merge == "concat":
            return [(self.last[0], call("torch.cat", ends, 1))]
        both = h if self.layer.depth == 1 else Index(h, (slice(-2, None),))
        return [(self.last[0], method(both, _MERGES[self.layer.merge], 0))]
