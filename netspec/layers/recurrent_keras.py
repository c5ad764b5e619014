"""Recurrent layers in Keras, which has layers for all of them."""

from __future__ import annotations

from ..base.record import TYPE_CHECKING
from ..pycode.expr import Index, Infix, Made, X, call, unless
from .activations import WORDS
from .arguments import Unsupported
from .base import Use, WeightLayout, function, module
from .recurrent_helpers import KERAS_RESET
from .shapes import known

if TYPE_CHECKING:
    from typing import Any

    from ..base.dims import Shape
    from ..pycode.expr import Call, Code
    from .base import Apply, At, Gives, Layer
    from .recurrence import CellWeight, Core, Recurrence

# Keras's words for merging two directions
_MERGES = {"concat": "concat", "add": "sum", "mul": "mul", "average": "ave", "none": None}


def keras_place(layer: Recurrence, number: int, way: int, kept: CellWeight) -> WeightLayout:
    """Where an array of one layer and direction is."""
    before = f"{number}." if layer.depth > 1 else ""
    before += ("forward_layer.", "backward_layer.")[way] if layer.ways == 2 else ""
    name = "bias" if kept.part is not None else kept.name
    return WeightLayout(f"{before}cell.{name}", None, None if kept.part is None else (1, -1), None, kept.part)


def keras_form(layer: Recurrence, at: At) -> Use:
    """A layer of Keras for each layer, the last of which gives what is asked for."""
    known("Keras", at.channels)
    core, depth = layer.core, layer.depth
    if core.stateful and core.batch is None:
        raise Unsupported(
            "Keras must know how many samples a batch holds, to keep a state for each of them",
            "stateful",
            f"write `{core.kind}(..., stateful=true, batch=32)`",
            "symbolic-batch",
        )
    results = _KerasResults(layer, len(at.inputs), len(at.x) - 1)
    if core.stateful and core.masked and layer.ways == 2 and any(map(results.wants_state, range(depth))):
        message = "Keras's Bidirectional gives no state where it keeps one and skips steps, nor the last output by it"
        raise Unsupported(message, "stateful", "leave out `stateful` or the mask, or give `return=sequence`")
    steps: list[Apply] = []
    for number in range(depth):
        sequence = number < depth - 1 or results.sequence
        make = _made(layer, number, layer.taken(number, at.x), sequence, results.wants_state(number))
        gives = results.gives(number)
        helpers = (KERAS_RESET,) if core.stateful else ()
        made = module(make, str(number) if depth > 1 else "", helpers, _called(layer, number, at), gives)
        steps.append(made.replace(still=core.keras_still(at.x)))
    return Use((*steps, *results.finish()), results.outputs(), results.names())


def _made(layer: Recurrence, number: int, x: Shape, sequence: bool, state: bool) -> Call:
    """One layer of Keras, with both of its directions. The first one of a stack that reads from the end hands its
    sequence on in the order of reading."""
    core = layer.core
    words = unless(False, return_sequences=sequence, return_state=state)
    words |= unless(False, go_backwards=core.reverse and number == 0, stateful=core.stateful)
    made = core.keras_make(x, words)
    if layer.ways == 1:
        return made
    return call("layers.Bidirectional", made, **unless("concat", merge_mode=_MERGES[layer.merge]))


def _called(layer: Recurrence, number: int, at: At) -> Code:
    """How the layer is called; None where on its value alone."""
    core = layer.core
    words: dict[str, Code] = {}
    if core.initial:
        each = layer.states // layer.depth
        words["initial_state"] = [X(1 + number * each + k) for k in range(each)]
    if core.masked:
        mask = X(len(at.inputs) - 1)
        words["mask"] = call("ops.flip", mask, axis=1) if core.reverse and number > 0 else mask
    return call(Made(), X(), **words) if words else None


def keras_word(core: Layer, name: str, usual: Any) -> dict[str, Code]:
    """An activation as an argument."""
    value = getattr(core, name)
    word = None if value is None else WORDS[value].keras_word
    if word == "":
        raise Unsupported(f"Keras's {core.kind} takes activations by name, and has none for {value}", name)
    return unless(usual, **{name: word})


def cell_words(core: Core) -> dict[str, Code]:
    """What every cell is told: activations, bias and rates of dropout."""
    words: dict[str, Code] = {}
    for name, usual in core.usual.items():
        words |= keras_word(core, name, usual)
    words |= unless(True, use_bias=core.bias)
    return words | unless(0, dropout=core.dropout, recurrent_dropout=core.recurrent_dropout)


class _KerasResults:
    """The values that the layers give. Value 0 is what flows; all others are numbered behind the inputs."""

    def __init__(self, layer: Recurrence, inputs: int, axes: int) -> None:
        self.layer = layer
        self.inputs = inputs
        # those of a state
        self.axes = axes
        self.returns = layer.core.returns
        self.sequence = "sequence" in self.returns
        # are the last outputs told by the state? (Keras gives zeros for a sequence that is all padding, not its state)
        begun = bool(layer.core.initial) or layer.core.stateful
        self.by_state = self.sequence or (bool(layer.core.masked) and begun)
        self.per_layer = layer.states // layer.depth
        self.flow = (0, inputs) if layer.ways == 2 and layer.merge == "none" else (0,)
        # the last outputs of the directions, where they are merged beside a sequence
        self.joined = inputs + 1 + layer.states

    def state(self, number: int) -> tuple[int, ...]:
        """The state of one layer."""
        first = self.inputs + 1 + number * self.per_layer
        return tuple(range(first, first + self.per_layer))

    @property
    def ends(self) -> tuple[int, ...]:
        """The last outputs of the directions of the last layer, as parts of its state."""
        return self.state(self.layer.depth - 1)[:: self.layer.core.state_count]

    def wants_state(self, number: int) -> bool:
        """Must a layer give its state, too?"""
        is_last = number == self.layer.depth - 1
        return "state" in self.returns or (is_last and self.by_state and "last" in self.returns)

    def gives(self, number: int) -> Gives:
        """How the result of a layer is unpacked."""
        flow = self.flow if number == self.layer.depth - 1 else (0,)
        values = (*flow, *self.state(number)) if self.wants_state(number) else flow
        return values if len(values) > 1 else values[0]

    def outputs(self) -> tuple[int, ...]:
        """The outputs of the layer, in order."""
        every = tuple(n for k in range(self.layer.depth) for n in self.state(k))
        merged = len(self.ends) > len(self.flow)
        last = self.flow if not self.by_state else (self.joined,) if merged else self.ends
        found = {"sequence": self.flow, "last": last, "state": every}
        return tuple(n for word in self.returns for n in found[word])

    def names(self) -> dict[int, str]:
        return dict(zip(range(self.inputs + 1, self.joined), self.layer.state_names()))

    def finish(self) -> list[Apply]:
        """What is still to be done."""
        found: list[Apply] = []
        if self.sequence and self.layer.core.reverse and self.layer.ways == 1:
            found.append(function(call("ops.flip", X(), axis=1)))
        if self.sequence and self.layer.core.masked:
            # zeros at padded steps; Keras's own mask ends here, too, or later layers of other kinds would heed it
            mask = X(self.inputs - 1)
            several = Index(mask, (..., *[None] * self.axes))
            seen = call("ops.expand_dims", mask, axis=-1) if self.axes == 1 else several
            found += [function(call("ops.where", seen, X(n), 0.0), gives=n) for n in self.flow]
        if self.joined in self.outputs():
            found.append(function(_merged(self.layer.merge, *map(X, self.ends)), gives=self.joined))
        return found


def _merged(merge: str, a: Code, b: Code) -> Code:
    if merge == "concat":
        return call("ops.concatenate", [a, b], axis=-1)
    if merge == "average":
        return Infix(Infix(a, "+", b), "/", 2)
    return Infix(a, {"add": "+", "mul": "*"}[merge], b)
