"""What all recurrent layers share: a cell run over time, in one direction or both, in one layer or several.

The axis of time is the first one. A padded step leaves the state as it is and gives zeros; of a sequence that is read
from its end, output t still belongs to step t.
"""

from __future__ import annotations

from ..base.dims import product, show
from ..base.record import TYPE_CHECKING, Record
from .arguments import Violation
from .base import Layer, Weight
from .initialisers import ORTHOGONAL
from .returning import JOINED, Returning, check_initial, in_order, numbered
from .shapes import AxisMap, needs_rank
from .weighted import Weighted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any, ClassVar

    from typing_extensions import Self

    from ..base.dims import Dim, Shape
    from ..pycode.expr import Call, Code
    from .base import Array, Helper, WeightLayout, Weights
    from .initialisers import Initialiser
    from .shapes import Labels


class ModuleExpression(Record):
    """A module with the helpers that it needs."""

    make: Call
    helpers: tuple[Helper, ...] = ()

    def within(self, make: Call, *helpers: Helper) -> ModuleExpression:
        """In another module, with what that needs."""
        return ModuleExpression(make, (*self.helpers, *helpers))


class CellWeight(Record):
    """An array of a cell. `place` names PyTorch's array without its layer (`weight_ih`), `part` Keras's row, if any.

    `plus` is PyTorch's second bias where the language has one only.
    """

    name: str
    shape: Shape
    place: str
    role: str = "weight"
    plus: str = ""
    part: tuple[int, int] | None = None
    init: Initialiser | None = None

    @property
    def is_kernel(self) -> bool:
        return self.role == "weight"

    @property
    def order(self) -> tuple[int, ...] | None:
        """The axes of PyTorch's array: what comes out, what goes in, and those of a window; None where they agree."""
        rank = len(self.shape)
        return (rank - 1, rank - 2, *range(rank - 2)) if self.is_kernel else None


class Recurrence(Layer):
    """A cell run over time. `core` is the layer whose cell it is, run in `depth` layers of `ways` directions each."""

    style = "recurrent"
    several = JOINED
    torch_layout = "last"
    # how two directions become one value: "concat", "add", "mul", "average" or "none"
    merge: Any = "concat"

    @property
    def depth(self) -> int:
        return 1

    @property
    def ways(self) -> int:
        return 1

    @property
    def core(self) -> Core:
        raise NotImplementedError

    def draws(self) -> bool:
        return bool(self.core.dropout or self.core.recurrent_dropout)

    @property
    def remembers(self) -> bool:
        return self.core.stateful

    @property
    def static_batch(self) -> int | None:
        return self.core.batch

    @property
    def by_step(self) -> bool:
        return True

    @property
    def may_skip(self) -> bool:
        return not self.core.masked

    def skipping(self) -> Self:
        raise NotImplementedError

    def kinds(self, count: int) -> tuple[str, ...]:
        masked = self.core.masked
        return ("float",) * (count - masked) + ("bool",) * masked

    # --- shapes -------------------------------------------------------------------------------------------------

    def shape(self, *xs: Shape) -> Shape:
        return self.shapes(*xs)[0]

    def shapes(self, *xs: Shape) -> tuple[Shape, ...]:
        self.check()
        core, x = self.core, xs[0]
        core.check_input(self.word, x)
        state = core.state_shape(x)
        self._check_values(xs, state)
        joined = self._joined(state)
        values = 2 if self.ways == 2 and self.merge == "none" else 1
        return in_order(core.returns, (joined,) * values, ((x[0], *joined),) * values, (state,) * self.states)

    @property
    def results(self) -> tuple[str, ...]:
        values = 2 if self.ways == 2 and self.merge == "none" else 1
        return numbered(in_order(self.core.returns, ("last",) * values, ("sequence",) * values, self.state_names()))

    def _joined(self, state: Shape) -> Shape:
        """The outputs of both directions as one."""
        return (*state[:-1], 2 * state[-1]) if self.ways == 2 and self.merge == "concat" else state

    def taken(self, layer: int, x: Shape) -> Shape:
        """The sequence that a layer takes; the layers of a stack have states of one size."""
        return x if layer == 0 else (x[0], *self._joined(self.core.state_shape(x)))

    @property
    def states(self) -> int:
        """How many values the state has: those of each direction of each layer."""
        return self.core.state_count * self.ways * self.depth

    def state_names(self) -> tuple[str, ...]:
        letters = ("h", "c")[: self.core.state_count]
        return numbered(letters * (self.states // len(letters)))

    def check(self) -> None:
        """Raises Violation where arguments do not go together."""
        core = self.core
        if core.batch is not None and not core.stateful:
            raise Violation("wrong-value", "`batch` is the size of the batches of a `stateful` layer", "batch")
        if core.stateful and core.initial:
            message = f"{core.kind} is stateful: it begins with the state that it kept, so it takes no `initial`"
            raise Violation("wrong-value", message, "initial", "leave out one of the two")

    def _check_values(self, xs: tuple[Shape, ...], state: Shape) -> None:
        """Do the initial state and the mask fit? Raises Violation."""
        given = xs[1 : 1 + (self.core.initial or 0)]
        if given:
            self.core.check_state(state, given)
            check_initial(self.word, self.state_names(), (state,) * self.states, given)
        for shape in xs[1 + len(given) :]:
            if shape != xs[0][:1]:
                message = f"the mask is {show(shape)}, but the sequence has {xs[0][0]} steps"
                raise Violation("unequal-lengths", message, "mask")

    # --- weights and cost ------------------------------------------------------------------------------------------

    def directions(self) -> Iterator[tuple[int, int, str]]:
        """Each layer and direction, with what stands before the names of its weights."""
        for layer in range(self.depth):
            for way in range(self.ways):
                above = f"{layer}." if self.depth > 1 else ""
                yield layer, way, above + (("forward.", "backward.")[way] if self.ways == 2 else "")

    def weights(self, *xs: Shape) -> Weights:
        found: list[Weight] = []
        for layer, way, before in self.directions():
            arrays = self.core.arrays(self.taken(layer, xs[0]))
            found += [self.core.held(a, before + a.name, *self.kept_in(layer, way, a)) for a in arrays]
        return tuple(found)

    def axis_map(self, *xs: Shape) -> AxisMap:
        weights: dict[str, Labels] = {}
        for layer, _, before in self.directions():
            for array in self.core.arrays(xs[0]) if layer == 0 else ():
                if array.name == "kernel":
                    weights[before + array.name] = (*(None,) * (len(array.shape) - 2), "in", None)
        given = (*(None,) * (len(xs[0]) - 1), "in")
        others = ((None,) * len(x) for x in xs[1:])
        return AxisMap((given, *others), tuple((None,) * len(y) for y in self.shapes(*xs)), weights)

    def time_steps(self, *xs: Shape) -> Dim:
        return xs[0][0]

    def step_macs(self, xs: tuple[Shape, ...]) -> Dim:
        return sum(self.core.cell_macs(self.taken(layer, xs[0])) for layer, _, _ in self.directions())

    def macs(self, xs: tuple[Shape, ...], y: Shape) -> Dim:
        return self.step_macs(xs) * self.time_steps(*xs)

    def other_ops(self, xs: tuple[Shape, ...], y: Shape) -> Dim:
        state = product(self.core.state_shape(xs[0]))
        within = self.core.elementwise * state * xs[0][0] * self.ways * self.depth
        return within + _MERGING.get(self.merge, 0) * state * self._merges(xs[0][0])

    def _merges(self, length: Dim) -> Dim:
        """How many values of both directions are made one: each step of a layer below, and what the last one gives."""
        if self.ways == 1:
            return 0
        given = {"sequence": length, "last": 1}
        return length * (self.depth - 1) + sum(given.get(word, 0) for word in self.core.returns)

    def steps(self, *xs: Shape) -> Dim:
        return self.time_steps(*xs) * self.depth

    def reach(self, x: Shape) -> None:
        return None

    def kept_in(self, layer: int, way: int, array: CellWeight) -> tuple[WeightLayout, WeightLayout]:
        """Where PyTorch and Keras keep an array of one layer and direction."""
        raise NotImplementedError

    def reference(self, xs: tuple[Array, ...], w: Mapping[str, Array]) -> Array | tuple[Array, ...]:
        core = self.core
        y: tuple[Array, ...] = (xs[0],)
        initial = list(xs[1 : 1 + (core.initial or 0)])
        mask = xs[-1] if core.masked else None
        finals: list[Array] = []
        for layer in range(self.depth):
            runs = []
            for _, way, before in [p for p in self.directions() if p[0] == layer]:
                own = {name.removeprefix(before): a for name, a in w.items() if name.startswith(before)}
                start = [initial.pop(0) for _ in range(core.state_count)] if initial else None
                runs.append(core.run(y[0], start, own, mask, core.reverse or way == 1))
            finals += [state for _, states in runs for state in states]
            y = self._merged([sequence for sequence, _ in runs])
        last = self._merged(finals[-core.state_count * self.ways :: core.state_count])
        values = in_order(core.returns, last, y, finals)
        return values if len(values) > 1 else values[0]

    def _merged(self, values: list[Array]) -> tuple[Array, ...]:
        """The values of both directions as one."""
        import numpy as np

        if len(values) == 1 or self.merge == "none":
            return tuple(values)
        if self.merge == "concat":
            return (np.concatenate(values, -1),)
        a, b = values
        return ({"add": a + b, "mul": a * b, "average": (a + b) / 2}[self.merge],)


# operations for each number of a merge, as in the joins of these names
_MERGING = {"add": 1, "mul": 1, "average": 2}


class Core(Weighted, Recurrence, Returning):
    """A recurrent layer with a cell of its own. The arguments are those that every cell has.

    `init`, `l1` and `l2` are about the kernel that the input meets; that of the state begins as an orthogonal matrix,
    as in Keras, so that what is fed back neither grows nor fades (Saxe et al., 2014).
    """

    state_count: ClassVar[int] = 1
    # element-wise operations of a step for each unit
    elementwise: ClassVar[int] = 1
    # the blocks of PyTorch's kernels by their numbers in the language's, where the order differs
    torch_blocks: ClassVar[tuple[int, ...] | None] = None
    # the axes of time and of the channels in PyTorch
    torch_time: ClassVar[int] = 1
    torch_channels: ClassVar[int] = -1
    # is PyTorch's layer one for all layers and directions, whose arrays have numbers?
    torch_fuses: ClassVar[bool] = True
    # the arguments that are activations, and those that PyTorch's own layer has
    usual: ClassVar[Mapping[str, str]] = {}
    if TYPE_CHECKING:
        dropout: float
        recurrent_dropout: float
        reverse: bool
        stateful: bool
        batch: int | None
        initial: int | None
        mask: int | None
        activation: Any
        bias: bool

    @property
    def core(self) -> Core:
        return self

    def held(self, array: CellWeight, name: str, torch: WeightLayout, keras: WeightLayout) -> Weight:
        """The weight of one layer and direction that an array of the cell is."""
        if array.name == "kernel":
            return self.kernel_weight(name, array.shape, torch, keras)
        init = ORTHOGONAL if array.is_kernel else array.init
        return Weight(name, array.shape, torch, keras, array.role, init)

    @property
    def masked(self) -> int:
        return self.mask or 0

    def skipping(self) -> Self:
        return self.replace(mask=1)

    @property
    def torch_native(self) -> bool:
        """Has PyTorch a layer that knows these activations?"""
        return all(getattr(self, name) == word for name, word in self.usual.items())

    @property
    def by_steps(self) -> bool:
        """Must PyTorch take one step after the other, dropping and skipping?"""
        return not self.torch_native or bool(self.recurrent_dropout) or bool(self.masked)

    @property
    def drops_before(self) -> bool:
        """Is dropout of the input a module of its own? (With that of the state each gate has masks of its own.)"""
        return bool(self.dropout) and not self.recurrent_dropout

    def torch_make(self, x: Shape, depth: int, ways: int) -> ModuleExpression:
        """The fast form in PyTorch, for a sequence; of several layers and directions if `torch_fuses`."""
        raise NotImplementedError

    def stepwise_make(self, x: Shape) -> ModuleExpression:
        """The form that can do all: dropout of the state, masks, any activation."""
        raise NotImplementedError

    def keras_make(self, x: Shape, words: dict[str, Code]) -> Call:
        """Keras's layer for a sequence; `words` are what it is told of sequences and states."""
        raise NotImplementedError

    def keras_still(self, x: Shape) -> Helper | None:
        """The class to take where its weights are held still, if Keras's own would not do that."""
        return None

    def check_input(self, kind: str, x: Shape) -> None:
        """Raises Violation where there is no axis of time, or where the cell cannot take what is at a step."""
        check_time(kind, x)
        if len(x) > 2:
            help = "`each_step(flatten)` makes a vector of each step, and `conv_lstm` works on images"
            raise Violation("wrong-rank", f"{kind} needs a vector at each step, but its input is {show(x)}", help=help)

    def state_shape(self, x: Shape) -> Shape:
        raise NotImplementedError

    def check_state(self, state: Shape, given: tuple[Shape, ...]) -> None:
        """Raises Violation where it is not known whether a first state is as large as it must be."""

    def arrays(self, x: Shape) -> tuple[CellWeight, ...]:
        """The arrays of the cell, for a sequence."""
        raise NotImplementedError

    def cell_macs(self, x: Shape) -> Dim:
        """Multiply-accumulates of the cell at one step of a sequence."""
        raise NotImplementedError

    def run(
        self, x: Array, states: list[Array] | None, w: Mapping[str, Array], mask: Array | None, back: bool
    ) -> tuple[Array, list[Array]]:
        """The outputs of all steps, and the last state. `back` reads from the end."""
        import numpy as np

        shape = tuple(n for n in self.state_shape(x.shape[1:]) if isinstance(n, int))
        held = states or [np.zeros((len(x), *shape)) for _ in range(self.state_count)]
        outputs: list[Array] = [held[0]] * x.shape[1]
        order = range(x.shape[1])
        for t in reversed(order) if back else order:
            made = self.advance(x[:, t], held, w)
            outputs[t] = made[0]
            if mask is not None:
                kept = mask[:, t].reshape(-1, *[1] * len(shape))
                made = [np.where(kept, new, old) for new, old in zip(made, held)]
                outputs[t] = made[0] * kept
            held = made
        return np.stack(outputs, 1), held

    def advance(self, x: Array, states: list[Array], w: Mapping[str, Array]) -> list[Array]:
        """The state after one step, of which the first part is the output."""
        raise NotImplementedError


def check_time(kind: str, x: Shape) -> None:
    """Raises Violation where the only axis is that of the channels."""
    if len(x) < 2:
        message = f"{kind} runs over time, but its input is {show(x)}: its only axis is that of the channels"
        help = "a sequence is [T, F]; `reshape(n, 1)` gives a vector an axis of time"
        raise Violation("no-time-axis", message if x else f"{kind} runs over time, but its input is []", help=help)
    needs_rank(kind, x, 2, "a sequence [T, F]")
