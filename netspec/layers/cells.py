"""Cells of one's own: how their states begin, and how each framework runs them over time or for one step.

A cell takes what stands at a step and the parts of its state, and gives an output and the parts of its next state. In
PyTorch it is a module `cell(x, h, c) -> y, (h, c)`; in Keras a cell as `layers.RNN` takes it.
"""

from __future__ import annotations

from ..base.record import TYPE_CHECKING, Record
from ..pycode.expr import Attr, Index, Made, Raw, X, call, method, unless
from .arguments import Reader, Word, arg, flag
from .base import Apply, At, Helper, Layer, Use, function, layer
from .returning import JOINED, Returning, in_order, returns_reader, state_reader
from .shapes import known

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ..base.dims import Shape
    from ..pycode.expr import Code
    from .base import Array, Gives

# the number of samples, in the method of a Keras cell that makes its first state
_BATCH = Raw("batch_size")

SCAN = Helper("scan", file="torch/scan")


KERAS_SCAN = Helper("Scan", file="keras/scan")


@layer("scan", style="recurrent")
class Scan(Returning):
    """A `cell` run over the steps of a sequence, the first axis of what flows in.

    The state begins as the cell says, or with `initial`. Of a sequence that is read from its end, output t still
    belongs to step t. It may stand in `bidirectional` and `stack`.
    """

    calls = True
    several = JOINED

    cell: Any = arg(Reader(lambda value: value, "a cell, such as my_lstm(64)", (), "step"), doc="what is run")
    return_: Any = arg(returns_reader, Word("last"), doc="what comes out")
    reverse: bool = arg(flag, False, doc="begin with the last step")
    initial: int | None = arg(state_reader, None, doc="the first state")


TORCH_FILLED = Helper("Filled", file="torch/filled")


class Start(Layer):
    """How a part of a state begins: with a number, or with a second value, which is the same for every sample.

    The first value that it takes says how many samples there are.
    """

    kind = "state"
    arity = 2
    computes = False
    free = True
    torch_layout = "last"
    sizes: Shape = arg(Reader(lambda sizes: sizes, "whole numbers of at least 1"), doc="its shape")
    value: float = arg(Reader(lambda value: value, "a number"), 0, doc="what it is filled with")
    whole: bool = arg(flag, False, doc="does the first value hold whole numbers?")

    def shape(self, *xs: Shape) -> Shape:
        return self.sizes

    def torch(self, at: At) -> Use:
        sizes, count = known("PyTorch", *self.sizes), Index(Attr(X(), "shape"), (0,))
        if len(at.inputs) > 1:
            return Use((function(method(X(1), "expand", count, *(-1 for _ in sizes))),))
        if self.whole:
            return Use((Apply(call("Filled", *sizes, **unless(0, value=self.value)), helpers=(TORCH_FILLED,)),))
        code = method(X(), "new_full", (count, *sizes), self.value)
        return Use((function(code if self.value else method(X(), "new_zeros", count, *sizes)),))

    def keras(self, at: At) -> Use:
        shape = (_BATCH, *known("Keras", *self.sizes))
        if len(at.inputs) > 1:
            return Use((function(call("ops.broadcast_to", X(1), shape)),))
        return Use((function(call("ops.full", shape, self.value) if self.value else call("ops.zeros", shape)),))

    def reference(self, xs: tuple[Array, ...], w: Mapping[str, Array]) -> Array:
        import numpy as np

        shape = (len(xs[0]), *(size for size in self.sizes if isinstance(size, int)))
        return np.broadcast_to(xs[1], shape) if len(xs) > 1 else np.full(shape, float(self.value))


def start_sizes(code: Any) -> tuple[Code, ...]:
    """The sizes in Keras's form of a `Start`."""
    return next(tuple(part[1:]) for part in code.args if isinstance(part, tuple))


# --- how a cell is used ------------------------------------------------------------------------------------------


class CellForm(Record):
    """How generated code makes a cell and calls it.

    `make` is what is kept, over `Made()` for the cell itself, and `inner` the attribute that leads from there to the
    cell. `call` is over `Made()` for what is kept, and over the values. The rest is as in `Apply` and `Use`.
    """

    call: Code
    gives: Gives
    outputs: tuple[int, ...]
    names: Mapping[int, str]
    make: Code = Made()
    inner: str = ""
    steps: tuple[Apply, ...] = ()
    helpers: tuple[Helper, ...] = ()


class CellUse(Record):
    """A use of a cell whose state has parts of these names."""

    states: tuple[str, ...]

    def parts(self, first: int) -> tuple[int, ...]:
        """Numbers for the parts of a state."""
        return tuple(range(first, first + len(self.states)))

    @property
    def results(self) -> tuple[str, ...]:
        """What comes out of a run over time; of a step nothing is told."""
        return ()

    def torch(self) -> CellForm:
        raise NotImplementedError

    def keras(self, vectors: bool) -> CellForm:
        """`vectors` says whether the output and all parts of the state are vectors."""
        raise NotImplementedError


class StateUpdate(CellUse):
    """One step, within another cell: its state is part of the state there."""

    def _form(self, *state: Code) -> CellForm:
        later = self.parts(1 + len(self.states))
        names = dict(zip(later, self.states))
        return CellForm(call(Made(), X(), *state), (0, later), (0, *later), names)

    def torch(self) -> CellForm:
        return self._form(*map(X, self.parts(1)))

    def keras(self, vectors: bool) -> CellForm:
        return self._form(list(map(X, self.parts(1))))


class Open(CellUse):
    """The first state, within another cell."""

    def _form(self, made: Code) -> CellForm:
        return CellForm(made, self.parts(0), self.parts(0), dict(zip(self.parts(0), self.states)))

    def torch(self) -> CellForm:
        return self._form(method(Made(), "initial_state", X()))

    def keras(self, vectors: bool) -> CellForm:
        return self._form(method(Made(), "get_initial_state", _BATCH))


class Run(CellUse):
    """Over the steps of a sequence; values 1 and on are the first state, where one is `given`."""

    returns: tuple[str, ...]
    reverse: bool
    given: bool

    @property
    def state(self) -> tuple[int, ...]:
        return self.parts(1 + len(self.states) * self.given)

    @property
    def last(self) -> int:
        """The last output, where all are given, too."""
        return self.state[0] + len(self.states) if "sequence" in self.returns else 0

    def shapes(self, x: Shape, y: Shape, states: tuple[Shape, ...]) -> tuple[Shape, ...]:
        """What comes out, for an input and what the cell gives."""
        return in_order(self.returns, (y,), ((x[0], *y),), states)

    def picked(self, results: list[Any]) -> list[Any]:
        """What comes out, of what the last step gives: the output, and the parts of the state."""
        return list(in_order(self.returns, results[:1], results[:1], results[1:]))

    @property
    def results(self) -> tuple[str, ...]:
        return in_order(self.returns, ("last",), ("sequence",), self.states)

    def outputs(self) -> tuple[int, ...]:
        return in_order(self.returns, (self.last,), (0,), self.state)

    def names(self) -> dict[int, str]:
        return dict(zip(self.state, self.states))

    def _last(self) -> Apply:
        return function(Index(X(), (slice(None), 0 if self.reverse else -1)), gives=self.last)

    def torch(self) -> CellForm:
        words = unless(False, reverse=self.reverse)
        if self.given:
            words = {"state": tuple(map(X, self.parts(1))), **words}
        steps = (self._last(),) if "last" in self.returns else ()
        made = call("scan", Made(), X(), **words)
        return CellForm(made, (0, self.state), self.outputs(), self.names(), steps=steps, helpers=(SCAN,))

    def keras(self, vectors: bool) -> CellForm:
        sequence, state = "sequence" in self.returns, "state" in self.returns
        words = unless(False, return_sequences=sequence, return_state=state, go_backwards=self.reverse)
        made = call(Made(), X(), initial_state=list(map(X, self.parts(1)))) if self.given else call(Made(), X())
        steps = [function(call("ops.flip", X(), axis=1))] if sequence and self.reverse else []
        steps += [self._last()] if sequence and "last" in self.returns else []
        gives = (0, *self.state) if state else 0
        make = call("layers.RNN" if vectors else "Scan", Made(), **words)
        helpers = () if vectors else (KERAS_SCAN,)
        return CellForm(made, gives, self.outputs(), self.names(), make, "cell", tuple(steps), helpers)
