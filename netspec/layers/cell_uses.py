"""How a cell is used: over the steps of a sequence, or for one step within another cell; what code makes and calls."""

from __future__ import annotations

from ..base.record import TYPE_CHECKING, Record
from ..pycode.expr import Index, Made, Raw, X, call, method, unless
from .forms import Helper, function
from .returning import in_order

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ..base.dims import Shape
    from ..pycode.expr import Code
    from .forms import Apply, Gives

# the number of samples, in the method of a Keras cell that makes its first state
BATCH = Raw("batch_size")

SCAN = Helper("scan", file="torch/scan")


KERAS_SCAN = Helper("Scan", file="keras/scan")


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

    over_time = False

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
        return self._form(method(Made(), "get_initial_state", BATCH))


class Run(CellUse):
    """Over the steps of a sequence; values 1 and on are the first state, where one is `given`."""

    returns: tuple[str, ...]
    reverse: bool
    given: bool

    over_time = True

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
