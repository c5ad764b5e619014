"""The LSTM on grids: its products are convolutions."""

from __future__ import annotations

from ..dims import product, show
from ..pycode import Call, Made, X, call, method, unless
from ..record import TYPE_CHECKING
from .activations import activation_reader, reference_activation
from .arguments import Unsupported, Violation, Word, arg, axes, choice, flag, positive, spread, square
from .base import Apply, At, Example, Helper, Place, Use, Weight, function, held_still, layer, module
from .initialisers import FORGET, ORTHOGONAL
from .padding import flat, is_nothing
from .recurrent_keras import keras_word
from .recurrent_torch import functions_of
from .returning import Returning, check_initial, in_order, returns_reader, state_reader
from .shapes import count_symbols, known
from .weighted import Weighted
from .window import Window

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ..dims import Dim, Shape
    from ..pycode import Code
    from .base import Array, Gives, Weights

TORCH_CONV_LSTM = Helper(
    "ConvLSTM",
    '''\
class ConvLSTM(nn.Module):
    """An LSTM whose products are convolutions (Shi et al., 2015, without peepholes).

    `conv` works on the input and `recurrent` on the output of the step before; both give
    the input gate, the forget gate, the new content and the output gate. A sequence is
    (N, C, T, ...), and `pad` is put around each step.
    """

    def __init__(
        self,
        conv,
        recurrent,
        pad=(),
        activation=torch.tanh,
        recurrent_activation=torch.sigmoid,
    ):
        super().__init__()
        self.conv = conv
        self.recurrent = recurrent
        self.pad = pad
        self.activation = activation
        self.recurrent_activation = recurrent_activation

    def forward(self, x, state=None):
        x = x.transpose(1, 2)
        steps = self.conv(F.pad(x.flatten(0, 1), self.pad))
        steps = steps.unflatten(0, x.shape[:2]).unbind(1)
        if state is None:
            zeros = torch.zeros_like(steps[0].chunk(4, 1)[0])
            state = zeros, zeros
        h, c = state
        gate = self.recurrent_activation
        outputs = []
        for step in steps:
            i, f, g, o = (step + self.recurrent(h)).chunk(4, 1)
            c = gate(f) * c + gate(i) * self.activation(g)
            h = gate(o) * self.activation(c)
            outputs.append(h)
        return torch.stack(outputs, 2), (h, c)
''',
    ("import torch", "import torch.nn.functional as F", "from torch import nn"),
)


def _still(name: str) -> Helper:
    about = f"{name} that holds the weights of its cell still, too, where it is not trainable."
    return held_still(name, "sequences_shape, initial_state_shape=None", about)


_H, _C = 3, 4  # the last state among the values of a form, behind the inputs


@layer("conv_lstm", style="recurrent")
class ConvLstm(Weighted, Returning):
    """An LSTM on a sequence of grids [T, H, W, C]: c' = f*c + i*g, h' = o*tanh(c'), gates of W * x + U * h + b.

    Shi et al., "Convolutional LSTM network: a machine learning approach for precipitation nowcasting" (2015), without
    the peepholes of its equations (3), as in Keras. The convolution of the state keeps its size, whatever the stride
    and the padding of that of the input. The kernels have the gates side by side, in the order i, f, g, o.
    """

    torch_layout = "first"
    usual = {"activation": "tanh", "recurrent_activation": "sigmoid"}

    filters: int = arg(positive, doc="channels of the state, and of what comes out")
    kernel: Any = arg(axes, doc="size of the window")
    stride: Any = arg(axes, 1, doc="step from one window on the input to the next")
    padding: Any = arg(choice("valid", "same"), Word("valid"), doc="cells added around each step of the input")
    activation: Any = arg(activation_reader, Word("tanh"), doc="applied to what enters the state")
    recurrent_activation: Any = arg(activation_reader, Word("sigmoid"), doc="applied to the gates")
    bias: bool = arg(flag, True, doc="add a learned number to each channel of each gate")
    return_: Any = arg(returns_reader, Word("last"), doc="what comes out: the last output, all of them, or the state")
    reverse: bool = arg(flag, False, doc="read from the end; output t still belongs to step t")
    initial: int | None = arg(state_reader, None, doc="the state to begin with; zeros without it")

    examples = (
        Example("conv_lstm(2, 3x3)", (3, 5, 4, 2), (3, 2, 2), weights=296),
        Example("conv_lstm(2, 3, padding=same, return=sequence)", (3, 5, 4, 1), (3, 5, 4, 2), weights=224),
        Example("conv_lstm(2, 2x3, stride=2, padding=same)", (3, 5, 4, 2), (3, 2, 2), weights=200),
        Example("conv_lstm(2, 2, stride=2x1, return=(sequence, last))", (3, 5, 4, 1), ((3, 2, 3, 2), (2, 3, 2)), 104),
        Example("conv_lstm(1, 3, return=(state, sequence))", (4, 5, 2), ((3, 1), (3, 1), (4, 3, 1)), weights=40),
        Example("conv_lstm(2, 2)", (2, 3, 3, 3, 1), (2, 2, 2, 2), weights=200),
        Example("conv_lstm(1, 3, bias=false, reverse=true)", (3, 4, 4, 2), (2, 2, 1), weights=108),
        Example("conv_lstm(1, 2, reverse=true, return=(sequence, last, state))", (3, 4, 4, 1),
                ((3, 3, 3, 1), (3, 3, 1), (3, 3, 1), (3, 3, 1)), weights=36),
        Example("conv_lstm(2, 2, activation=relu, recurrent_activation=hard_sigmoid)", (3, 4, 4, 1), (3, 3, 2), 104),
        Example("conv_lstm(1, 2, initial=(h, c))", ((3, 4, 4, 1), (3, 3, 1), (3, 3, 1)), (3, 3, 1), weights=36,
                names=("x", "h", "c")),
        Example("conv_lstm(1, 2, l1=0.1, l2=0.01, init=he_normal)", (3, 4, 4, 1), (3, 3, 1), weights=36),
    )  # fmt: skip

    # --- shapes -------------------------------------------------------------------------------------------------

    def window(self, x: Shape) -> Window:
        """The window on one step."""
        rank = len(x) - 2
        return Window(
            spread(self.kernel, rank, "kernel"), spread(self.stride, rank, "stride"), (1,) * rank, self.padding
        )

    def state_shape(self, x: Shape) -> Shape:
        if not 3 <= len(x) <= 5:
            message = f"conv_lstm needs a sequence of grids [T, H, W, C], but x is {show(x)}"
            help = (
                "`lstm` works on vectors" if len(x) == 2 else "an axis of time, 1 to 3 axes of space and the channels"
            )
            raise Violation("wrong-rank", message, help=help)
        return (*self.window(x).sizes(x[1:-1]), self.filters)

    def shape(self, *xs: Shape) -> Shape:
        return self.shapes(*xs)[0]

    def shapes(self, *xs: Shape) -> tuple[Shape, ...]:
        state = self.state_shape(xs[0])
        if self.initial:
            _check_sizes(state, xs[1:])
            check_initial("cell", ("h", "c"), (state, state), xs[1:])
        return in_order(self.returns, (state,), ((xs[0][0], *state),), (state, state))

    def reach(self, x: Shape) -> None:
        return None

    # --- weights and cost ------------------------------------------------------------------------------------------

    def weights(self, *xs: Shape) -> Weights:
        kernel, wide = self.window(xs[0]).kernel, 4 * self.filters
        rank = len(kernel)
        order = (rank + 1, rank, *range(rank))
        from_x = Place("conv.weight", order), Place("cell.kernel")
        from_h = Place("recurrent.weight", order), Place("cell.recurrent_kernel")
        found = (
            self.kernel_weight("kernel", (*kernel, xs[0][-1], wide), *from_x),
            Weight("recurrent_kernel", (*kernel, self.filters, wide), *from_h, "weight", ORTHOGONAL),
        )
        bias = Weight("bias", (wide,), Place("conv.bias"), Place("cell.bias"), "bias", FORGET)
        return (*found, bias) if self.bias else found

    def macs(self, xs: tuple[Shape, ...], y: Shape) -> Dim:
        x = xs[0]
        each = 4 * product(self.window(x).kernel) * (x[-1] + self.filters)
        return product(self.state_shape(x)) * each * x[0]

    def other_ops(self, xs: tuple[Shape, ...], y: Shape) -> Dim:
        return 9 * product(self.state_shape(xs[0])) * xs[0][0]

    def steps(self, *xs: Shape) -> Dim:
        return xs[0][0]

    # --- forms ---------------------------------------------------------------------------------------------------

    def torch(self, at: At) -> Use:
        args = [method(X(), "flip", 2) if self.reverse else X(), *([(X(1), X(2))] if self.initial else [])]
        made = module(self._torch_make(at), "", (TORCH_CONV_LSTM,), call(Made(), *args), (0, (_H, _C)))
        back = self.reverse and "sequence" in self.returns
        return self._use((made, *((function(method(X(), "flip", 2)),) if back else ())), _H)

    def _torch_make(self, at: At) -> Call:
        (channels,) = known("PyTorch", at.channels)
        window = self.window(at.x)
        amounts = window.pads(at.x[1:-1])
        if amounts is None:
            help = "give the sizes with `--set`, or take a stride of 1"
            raise Unsupported("the padding of `same` hangs on sizes that are not known", "padding", help)
        conv, wide = f"nn.Conv{window.rank}d", 4 * self.filters
        words = {**window.steps("stride"), **unless(True, bias=self.bias)}
        from_x = call(conv, channels, wide, square(window.kernel), **words)
        from_h = call(conv, self.filters, wide, square(window.kernel), padding="same", bias=False)
        pad = {} if is_nothing(amounts) else {"pad": flat(amounts)}
        return call("ConvLSTM", from_x, from_h, **pad, **functions_of(self))

    def keras(self, at: At) -> Use:
        window = self.window(at.x)
        known("Keras", *at.x[1:])
        sequence, state = "sequence" in self.returns, "state" in self.returns
        both = sequence and "last" in self.returns
        words: dict[str, Code] = {**window.steps("strides"), **unless("valid", padding=str(self.padding))}
        for name, usual in self.usual.items():
            words |= keras_word(self, name, usual)
        words |= unless(True, use_bias=self.bias)
        words |= unless(False, return_sequences=sequence, return_state=state or both, go_backwards=self.reverse)
        kernel = square(window.kernel)
        make = call(f"layers.ConvLSTM{window.rank}D", self.filters, kernel, **words, **self.keras_words())
        made = call(Made(), X(), initial_state=[X(1), X(2)]) if self.initial else None
        gives: Gives = (0, _H, _C) if state or both else 0
        back = self.reverse and sequence
        lstm = module(make, "", (), made, gives).replace(still=_still(f"ConvLSTM{window.rank}D"))
        steps = (lstm, *((function(call("ops.flip", X(), axis=1)),) if back else ()))
        return self._use(steps, _H if both else 0)

    def _use(self, steps: tuple[Apply, ...], last: int) -> Use:
        return Use(steps, in_order(self.returns, (last,), (0,), (_H, _C)), {_H: "h", _C: "c"})

    def reference(self, xs: tuple[Array, ...], w: Mapping[str, Array]) -> Array | tuple[Array, ...]:
        import numpy as np

        from .arrays import convolve

        x, window = xs[0], self.window(xs[0].shape[1:])
        ones = (1,) * window.rank
        amounts = window.pads(x.shape[2:-1]) or ()
        shape = (len(x), *self.state_shape(x.shape[1:]))
        h, c = xs[1:] or (np.zeros(shape), np.zeros(shape))
        around = Window(window.kernel, ones, ones, "same").pads(shape[1:-1]) or ()
        order, outputs = range(x.shape[1]), [h] * x.shape[1]
        for t in reversed(order) if self.reverse else order:
            gates = convolve(x[:, t], w["kernel"], window.stride, amounts, ones, 1)
            gates = gates + convolve(h, w["recurrent_kernel"], ones, around, ones, 1) + w.get("bias", 0)
            i, f, g, o = np.split(gates, 4, -1)
            i, f, o = (reference_activation(self.recurrent_activation, gate) for gate in (i, f, o))
            c = f * c + i * reference_activation(self.activation, g)
            h = outputs[t] = o * reference_activation(self.activation, c)
        values = in_order(self.returns, (h,), (np.stack(outputs, 1),), (h, c))
        return values if len(values) > 1 else values[0]


def _check_sizes(state: Shape, given: tuple[Shape, ...]) -> None:
    """Raises Violation where it is not known whether a first state is as large as it must be."""
    for shape in given:
        if shape != state and count_symbols((*shape, *state)):
            message = f"the state is {show(state)}, which is not known to be {show(shape)}"
            raise Violation("unknown-size", message, "initial", "give the sizes as numbers, or with `--set`")
