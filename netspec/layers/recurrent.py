"""The three cells that both frameworks have: the simple recurrent layer, the LSTM, the GRU."""

from __future__ import annotations

from ..base.dims import product
from ..base.record import TYPE_CHECKING
from ..pycode.expr import call, unless
from .activations import inner_activation, reference_activation
from .arguments import Word, arg, flag, optional, positive, rate, values_reader
from .base import Example, layer
from .initialisers import FORGET
from .recurrence import CellWeight, Core, ModuleExpression
from .recurrent_forms import InFrameworks
from .recurrent_helpers import SINGLE_BIAS, STEPWISE
from .recurrent_keras import cell_words
from .recurrent_torch import functions_of, rates_of
from .returning import returns_reader, state_reader
from .shapes import known

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, ClassVar

    from ..base.dims import Dim, Shape
    from ..pycode.expr import Call, Code
    from .base import Array, Helper
    from .initialisers import Initialiser

_mask = values_reader("a value of the net, true at each step that counts")
TANH, SIGMOID = Word("tanh"), Word("sigmoid")


class Units(Core):
    """A cell on vectors: its size."""

    units: int = arg(positive, doc="size of the state, and of what comes out")
    activation: Any = arg(inner_activation, TANH, doc="applied to what enters the state")
    bias: bool = arg(flag, True, doc="add learned numbers to each gate")


class OverTime(InFrameworks, Core):
    """What all of them take, whatever the cell is."""

    return_: Any = arg(returns_reader, Word("last"), doc="what comes out: the last output, all of them, or the state")
    dropout: float = arg(rate, 0, doc="share of the inputs that is dropped, the same ones at all steps")
    recurrent_dropout: float = arg(rate, 0, doc="share of the state that is dropped on its way back, likewise")
    reverse: bool = arg(flag, False, doc="read from the end; output t still belongs to step t")
    stateful: bool = arg(flag, False, doc="begin with the state that the last batch left, until `reset_state()`")
    batch: int | None = arg(optional(positive), None, doc="samples of a batch, which Keras must know when `stateful`")
    initial: int | None = arg(state_reader, None, doc="the state to begin with; zeros without it")
    mask: int | None = arg(_mask, None, doc="steps to skip; behind `embedding(mask=true)` it is there by itself")


class Cell(OverTime, Units):
    """A cell on vectors."""

    torch_name: ClassVar[str] = ""
    keras_name: ClassVar[str] = ""
    # how many blocks of `units` columns the kernels have
    gates: ClassVar[int] = 1
    # how the bias begins where there is one for all; None for at 0
    bias_begins: ClassVar[Initialiser | None] = None

    @property
    def two_biases(self) -> bool:
        """Does the language know a bias for the state apart from that for the input?"""
        return False

    def state_shape(self, x: Shape) -> Shape:
        return (self.units,)

    def arrays(self, x: Shape) -> tuple[CellWeight, ...]:
        wide = self.gates * self.units
        kernel = CellWeight("kernel", (x[-1], wide), "weight_ih")
        recurrent = CellWeight("recurrent_kernel", (self.units, wide), "weight_hh")
        if not self.bias:
            return kernel, recurrent
        if not self.two_biases:
            bias = CellWeight("bias", (wide,), "bias_ih", "bias", "bias_hh", init=self.bias_begins)
            return kernel, recurrent, bias
        return (
            kernel,
            recurrent,
            CellWeight("bias", (wide,), "bias_ih", "bias", "", (0, 2)),
            CellWeight("recurrent_bias", (wide,), "bias_hh", "bias", "", (1, 2)),
        )

    def cell_macs(self, x: Shape) -> Dim:
        return product((self.gates * self.units, x[-1] + self.units))

    def torch_own(self) -> dict[str, Code]:
        """What PyTorch's own layer is told beside sizes and bias."""
        return {}

    def torch_make(self, x: Shape, depth: int, ways: int) -> ModuleExpression:
        words = {**unless(1, num_layers=depth), **self.torch_own(), **unless(True, bias=self.bias)}
        words |= {"batch_first": True, **unless(False, bidirectional=ways == 2)}
        return self._with_one_bias(call(f"nn.{self.torch_name}", *known("PyTorch", x[-1]), self.units, **words))

    def stepwise_own(self) -> dict[str, Code]:
        """What the loop over steps is told beside sizes, bias, activations and rates."""
        return {}

    def stepwise_make(self, x: Shape) -> ModuleExpression:
        helpers = STEPWISE[self.torch_name]
        words = {**unless(True, bias=self.bias), **functions_of(self), **rates_of(self), **self.stepwise_own()}
        made = call(helpers[-1].name, *known("PyTorch", x[-1]), self.units, **words)
        return self._with_one_bias(made, *helpers)

    def _with_one_bias(self, make: Call, *helpers: Helper) -> ModuleExpression:
        if not self.bias or self.two_biases:
            return ModuleExpression(make, helpers)
        return ModuleExpression(call("single_bias", make), (*helpers, SINGLE_BIAS))

    def keras_make(self, x: Shape, words: dict[str, Code]) -> Call:
        words = {**cell_words(self), **self.keras_own(), **words, **self.keras_words()}
        return call(f"layers.{self.keras_name}", self.units, **words)

    def keras_own(self) -> dict[str, Code]:
        """What only this layer of Keras is told."""
        return {}

    def _gates(self, x: Array, h: Array, w: Mapping[str, Array]) -> Array:
        """x W + h U + b of all gates."""
        gates: Array = x @ w["kernel"] + h @ w["recurrent_kernel"]
        return gates + w["bias"] if self.bias else gates


@layer("rnn", style="recurrent")
class Rnn(Cell):
    """h' = tanh(x W + h U + b), with h for output. Elman, "Finding structure in time" (1990).

    One bias; PyTorch's second one stays at zero.
    """

    torch_name, keras_name = "RNN", "SimpleRNN"
    usual = {"activation": "tanh"}
    examples = (
        Example("rnn(4)", (5, 3), (4,), weights=32, macs=140),
        Example("rnn(4, return=sequence, activation=relu)", (5, 3), (5, 4), weights=32, macs=140),
        Example("rnn(2, activation=gelu, bias=false)", (5, 3), (2,), weights=10, macs=50),
        Example("rnn(2, dropout=0.2, recurrent_dropout=0.3)", (5, 3), (2,), weights=12, macs=50),
        Example("rnn(2, return=(sequence, state), reverse=true)", (5, 3), ((5, 2), (2,)), weights=12, macs=50),
        Example("rnn(2, initial=h)", ((5, 3), (2,)), (2,), weights=12, macs=50, names=("x", "h")),
        Example("rnn(2, mask=mask)", ((5, 3), (5,)), (2,), weights=12, macs=50, names=("x", "mask")),
        Example("rnn(2, stateful=true, batch=3)", (5, 3), (2,), weights=12, macs=50),
        Example("rnn(2, l1=0.1, l2=0.01, init=he_normal)", (5, 3), (2,), weights=12, macs=50),
    )

    @property
    def torch_native(self) -> bool:
        return self.activation in ("tanh", "relu")

    def torch_own(self) -> dict[str, Code]:
        return unless("tanh", nonlinearity=str(self.activation))

    def advance(self, x: Array, states: list[Array], w: Mapping[str, Array]) -> list[Array]:
        return [reference_activation(self.activation, self._gates(x, states[0], w))]


class Gated(Cell):
    """A cell with gates."""

    recurrent_activation: Any = arg(inner_activation, SIGMOID, doc="applied to the gates")

    usual = {"activation": "tanh", "recurrent_activation": "sigmoid"}


@layer("lstm", style="recurrent")
class Lstm(Gated):
    """c' = f*c + i*g, h' = o*tanh(c'), where i, f, o are sigmoids and g the tanh of x W + h U + b; h is the output.

    Hochreiter & Schmidhuber, "Long short-term memory" (1997), with the forget gate of Gers et al. (2000). The kernels
    have the gates side by side, in the order i, f, g, o. One bias; PyTorch's second one stays at zero.
    """

    torch_name, keras_name = "LSTM", "LSTM"
    bias_begins = FORGET
    gates, state_count, elementwise = 4, 2, 9
    examples = (
        Example("lstm(4)", (5, 3), (4,), weights=128, macs=560),
        Example("lstm(2, return=sequence)", (5, 3), (5, 2), weights=48, macs=200),
        Example("lstm(2, return=(sequence, state))", (5, 3), ((5, 2), (2,), (2,)), weights=48, macs=200),
        Example("lstm(2, return=(state, last), bias=false)", (5, 3), ((2,), (2,), (2,)), weights=40, macs=200),
        Example("lstm(2, activation=relu, recurrent_activation=hard_sigmoid)", (5, 3), (2,), weights=48, macs=200),
        Example("lstm(2, activation=leaky_relu)", (5, 3), (2,), weights=48, macs=200, refused=("keras",)),
        Example("lstm(2, dropout=0.2)", (5, 3), (2,), weights=48, macs=200),
        Example("lstm(2, dropout=0.2, recurrent_dropout=0.3, return=sequence)", (5, 3), (5, 2), weights=48, macs=200),
        Example("lstm(2, reverse=true, return=(sequence, last))", (5, 3), ((5, 2), (2,)), weights=48, macs=200),
        Example("lstm(2, initial=(h, c))", ((5, 3), (2,), (2,)), (2,), weights=48, macs=200, names=("x", "h", "c")),
        Example(
            "lstm(2, mask=mask, return=(sequence, state))",
            ((5, 3), (5,)),
            ((5, 2), (2,), (2,)),
            weights=48,
            macs=200,
            names=("x", "mask"),
        ),
        Example("lstm(2, stateful=true, batch=3)", (5, 3), (2,), weights=48, macs=200),
        Example("lstm(2, l1=0.1, l2=0.01, init=normal(0.1), dropout=0.1)", (5, 3), (2,), weights=48, macs=200),
    )

    def advance(self, x: Array, states: list[Array], w: Mapping[str, Array]) -> list[Array]:
        h, c = states
        return remembered(self, self._gates(x, h, w), c)


def remembered(lstm: Any, gates: Array, c: Array) -> list[Array]:
    """The output and the state of an LSTM after a step, of its gates side by side before their activations."""
    import numpy as np

    i, f, g, o = np.split(gates, 4, -1)
    i, f, o = (reference_activation(lstm.recurrent_activation, gate) for gate in (i, f, o))
    c = f * c + i * reference_activation(lstm.activation, g)
    return [o * reference_activation(lstm.activation, c), c]


@layer("gru", style="recurrent")
class Gru(Gated):
    """h' = z*h + (1 - z)*n, where z and r are sigmoids of x W + h U + b and n = tanh(x W_n + b_n + r*(h U_n + b'_n)).

    Cho et al., "Learning phrase representations using RNN encoder-decoder" (2014), in the form of its first version,
    which PyTorch, Keras and cuDNN have: the reset gate r acts after the matrix product, and there are two biases. With
    `reset_after=false` it acts before, n = tanh(x W_n + (r*h) U_n + b_n), as in the paper's later versions, and there
    is one. The kernels have the gates side by side, in the order z, r, n.
    """

    reset_after: bool = arg(flag, True, doc="let the reset gate act after the matrix product")

    torch_name, keras_name = "GRU", "GRU"
    torch_blocks = (1, 0, 2)
    gates, elementwise = 3, 8
    examples = (
        Example("gru(4)", (5, 3), (4,), weights=108, macs=420),
        Example("gru(2, return=(last, sequence))", (5, 3), ((2,), (5, 2)), weights=42, macs=150),
        Example("gru(2, return=state, bias=false)", (5, 3), (2,), weights=30, macs=150),
        Example("gru(2, reset_after=false, return=sequence)", (5, 3), (5, 2), weights=36, macs=150),
        Example("gru(2, reset_after=false, bias=false)", (5, 3), (2,), weights=30, macs=150),
        Example("gru(2, activation=relu, recurrent_activation=tanh)", (5, 3), (2,), weights=42, macs=150),
        Example("gru(2, dropout=0.1, recurrent_dropout=0.5, return=sequence)", (5, 3), (5, 2), weights=42, macs=150),
        Example("gru(2, reverse=true, return=sequence)", (5, 3), (5, 2), weights=42, macs=150),
        Example("gru(2, initial=h, return=sequence)", ((5, 3), (2,)), (5, 2), weights=42, macs=150, names=("x", "h")),
        Example("gru(2, mask=mask, reverse=true)", ((5, 3), (5,)), (2,), weights=42, macs=150, names=("x", "mask")),
        Example("gru(2, stateful=true, batch=3)", (5, 3), (2,), weights=42, macs=150),
        Example("gru(2, l1=0.1, l2=0.01, init=zeros)", (5, 3), (2,), weights=42, macs=150),
    )

    @property
    def two_biases(self) -> bool:
        return self.reset_after

    @property
    def torch_native(self) -> bool:
        return self.reset_after and super().torch_native

    def stepwise_own(self) -> dict[str, Code]:
        return unless(True, reset_after=self.reset_after)

    def keras_own(self) -> dict[str, Code]:
        return unless(True, reset_after=self.reset_after)

    def advance(self, x: Array, states: list[Array], w: Mapping[str, Array]) -> list[Array]:
        import numpy as np

        h = states[0]
        from_x, u = x @ w["kernel"], w["recurrent_kernel"]
        from_x = from_x + w["bias"] if self.bias else from_x
        from_h = h @ u + w["recurrent_bias"] if self.bias and self.reset_after else h @ u
        (z, r, n), (z_h, r_h, n_h) = np.split(from_x, 3, -1), np.split(from_h, 3, -1)
        z, r = (reference_activation(self.recurrent_activation, gate) for gate in (z + z_h, r + r_h))
        n_h = r * n_h if self.reset_after else (r * h) @ u[:, 2 * self.units :]
        return [z * h + (1 - z) * reference_activation(self.activation, n + n_h)]
