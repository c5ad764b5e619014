"""The LSTM on grids: its products are convolutions."""

from __future__ import annotations

from ..base.dims import product, show
from ..base.record import TYPE_CHECKING
from ..pycode.expr import call, unless
from .activations import inner_activation
from .arguments import Unsupported, Violation, Word, arg, axes, choice, flag, positive, spread, square
from .base import Example, Helper, held_still, layer
from .initialisers import FORGET
from .padding import flat, is_nothing
from .recurrence import CellWeight, Core, ModuleExpression
from .recurrent import SIGMOID, TANH, OverTime, remembered
from .recurrent_keras import cell_words
from .recurrent_torch import functions_of, rates_of
from .shapes import count_symbols, known
from .window import Window

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ..base.dims import Dim, Shape
    from ..pycode.expr import Call, Code
    from .base import Array

# what is the same, however the steps are taken
BEFORE_STEPS = '''\
class ConvLSTM(nn.Module):
    """An LSTM whose products are convolutions (Shi et al., 2015, without peepholes).

    `conv` works on the input and `recurrent` on the output of the step before; both give
    the input gate, the forget gate, the new content and the output gate. A sequence is
    (N, C, T, ...), and `pad` is put around each step. A state has a first axis for
    layers and directions, as that of `nn.LSTM`.
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

'''
BEHIND_STEPS = """\
    def begin(self, gates, state):
        if state is None:
            zeros = torch.zeros_like(gates.chunk(4, 1)[0])
            return zeros, zeros
        h, c = state
        return h[0], c[0]

    def advance(self, gates, c):
        i, f, g, o = gates.chunk(4, 1)
        gate = self.recurrent_activation
        c = gate(f) * c + gate(i) * self.activation(g)
        return gate(o) * self.activation(c), c
"""
BEFORE_MASKED_STEPS = '''\
class StepwiseConvLSTM(ConvLSTM):
    """A ConvLSTM with dropout and masks.

    Where something is dropped, the convolution is in groups, one for each gate: they
    have masks of their own, the same for all steps. A step that is masked leaves the
    state as it is, and gives zeros.
    """

    def __init__(self, *parts, dropout=0.0, recurrent_dropout=0.0, **words):
        super().__init__(*parts, **words)
        self.dropout = dropout
        self.recurrent_dropout = recurrent_dropout

    def forward(self, x, state=None, mask=None):
        x = torch.cat([x] * self.conv.groups, 1)
        kept = F.dropout(torch.ones_like(x[:, :, :1]), self.dropout, self.training)
        steps = self.from_input(x * kept)
        h, c = self.begin(steps[0], state)
        ones = torch.ones_like(torch.cat([h] * self.recurrent.groups, 1))
        kept = F.dropout(ones, self.recurrent_dropout, self.training)
'''

TORCH_CONV_LSTM = Helper(
    "ConvLSTM",
    BEFORE_STEPS
    + """\
    def forward(self, x, state=None):
        steps = self.from_input(x)
        h, c = self.begin(steps[0], state)
        outputs = []
        for step in steps:
            h, c = self.advance(step + self.recurrent(h), c)
            outputs.append(h)
        return torch.stack(outputs, 2), (h[None], c[None])

    def from_input(self, x):
        x = x.transpose(1, 2)
        steps = self.conv(F.pad(x.flatten(0, 1), self.pad))
        return steps.unflatten(0, x.shape[:2]).unbind(1)

"""
    + BEHIND_STEPS,
    ("import torch", "import torch.nn.functional as F", "from torch import nn"),
)

TORCH_STEPWISE = Helper(
    "StepwiseConvLSTM",
    BEFORE_MASKED_STEPS
    + """\
        outputs = []
        for t, step in enumerate(steps):
            copies = torch.cat([h] * self.recurrent.groups, 1)
            new_h, new_c = self.advance(step + self.recurrent(copies * kept), c)
            if mask is None:
                h, c = new_h, new_c
                outputs.append(h)
            else:
                here = mask[:, t].view(-1, *[1] * (h.dim() - 1))
                h, c = torch.where(here, new_h, h), torch.where(here, new_c, c)
                outputs.append(new_h * here)
        return torch.stack(outputs, 2), (h[None], c[None])
""",
    ("import torch", "import torch.nn.functional as F"),
)


class Grids(Core):
    """A cell on grids: its convolutions."""

    filters: int = arg(positive, doc="channels of the state, and of what comes out")
    kernel: Any = arg(axes, doc="size of the window")
    stride: Any = arg(axes, 1, doc="step from one window on the input to the next")
    padding: Any = arg(choice("valid", "same"), Word("valid"), doc="cells added around each step of the input")
    activation: Any = arg(inner_activation, TANH, doc="applied to what enters the state")
    recurrent_activation: Any = arg(inner_activation, SIGMOID, doc="applied to the gates")
    bias: bool = arg(flag, True, doc="add a learned number to each channel of each gate")


@layer("conv_lstm", style="recurrent")
class ConvLstm(OverTime, Grids):
    """An LSTM on a sequence of grids [T, H, W, C]: c' = f*c + i*g, h' = o*tanh(c'), gates of W * x + U * h + b.

    Shi et al., "Convolutional LSTM network: a machine learning approach for precipitation nowcasting" (2015), without
    the peepholes of its equations (3), as in Keras. The convolution of the state keeps its size, whatever the stride
    and the padding of that of the input. The kernels have the gates side by side, in the order i, f, g, o.
    """

    torch_layout = "first"
    torch_time, torch_channels, torch_fuses = 2, 1, False
    usual = {"activation": "tanh", "recurrent_activation": "sigmoid"}
    state_count, elementwise = 2, 9

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
        Example("conv_lstm(1, 2, dropout=0.2)", (3, 4, 4, 2), (3, 3, 1), weights=52),
        Example("conv_lstm(2, 2, recurrent_dropout=0.2, padding=same)", (3, 4, 4, 1), (4, 4, 2), weights=104),
        Example("conv_lstm(1, 2, mask=mask, return=(sequence, state))", ((3, 4, 4, 1), (3,)),
                ((3, 3, 3, 1), (3, 3, 1), (3, 3, 1)), weights=36, names=("x", "mask")),
        Example("conv_lstm(1, 2, stateful=true, batch=3)", (3, 4, 4, 1), (3, 3, 1), weights=36),
        Example("conv_lstm(1, 2, l1=0.1, l2=0.01, init=he_normal)", (3, 4, 4, 1), (3, 3, 1), weights=36),
    )  # fmt: skip

    # --- shapes -------------------------------------------------------------------------------------------------

    def window(self, x: Shape) -> Window:
        """The window on one step."""
        rank = len(x) - 2
        return Window(
            spread(self.kernel, rank, "kernel"), spread(self.stride, rank, "stride"), (1,) * rank, self.padding
        )

    def check_input(self, kind: str, x: Shape) -> None:
        if not 3 <= len(x) <= 5:
            message = f"{kind} needs a sequence of grids [T, H, W, C], but its input is {show(x)}"
            help = (
                "`lstm` works on vectors" if len(x) == 2 else "an axis of time, 1 to 3 axes of space and the channels"
            )
            raise Violation("wrong-rank", message, help=help)

    def state_shape(self, x: Shape) -> Shape:
        return (*self.window(x).sizes(x[1:-1]), self.filters)

    def check_state(self, state: Shape, given: tuple[Shape, ...]) -> None:
        for shape in given:
            if shape != state and count_symbols((*shape, *state)):
                message = f"the state is {show(state)}, which is not known to be {show(shape)}"
                raise Violation("unknown-size", message, "initial", "give the sizes as numbers, or with `--set`")

    # --- weights and cost ------------------------------------------------------------------------------------------

    def arrays(self, x: Shape) -> tuple[CellWeight, ...]:
        kernel, wide = self.window(x).kernel, 4 * self.filters
        found = (
            CellWeight("kernel", (*kernel, x[-1], wide), "conv.weight"),
            CellWeight("recurrent_kernel", (*kernel, self.filters, wide), "recurrent.weight"),
        )
        bias = CellWeight("bias", (wide,), "conv.bias", "bias", init=FORGET)
        return (*found, bias) if self.bias else found

    def cell_macs(self, x: Shape) -> Dim:
        return product((*self.state_shape(x), 4, *self.window(x).kernel, x[-1] + self.filters))

    # --- forms ---------------------------------------------------------------------------------------------------

    @property
    def by_steps(self) -> bool:
        return bool(self.dropout or self.recurrent_dropout or self.masked)

    @property
    def drops_before(self) -> bool:
        return False

    def torch_make(self, x: Shape, depth: int, ways: int) -> ModuleExpression:
        return ModuleExpression(call("ConvLSTM", *self._convolutions(x), **self._words(x)), (TORCH_CONV_LSTM,))

    def stepwise_make(self, x: Shape) -> ModuleExpression:
        made = call("StepwiseConvLSTM", *self._convolutions(x), **self._words(x), **rates_of(self))
        return ModuleExpression(made, (TORCH_CONV_LSTM, TORCH_STEPWISE))

    def _convolutions(self, x: Shape) -> tuple[Call, Call]:
        """That of the input, and that of the output of the step before."""
        (channels,) = known("PyTorch", x[-1])
        window = self.window(x)
        conv, wide, kernel = f"nn.Conv{window.rank}d", 4 * self.filters, square(window.kernel)
        groups, back = (4 if rate else 1 for rate in (self.dropout, self.recurrent_dropout))
        words = {**window.steps("stride"), **unless(1, groups=groups), **unless(True, bias=self.bias)}
        from_x = call(conv, groups * channels, wide, kernel, **words)
        return from_x, call(
            conv, back * self.filters, wide, kernel, padding="same", **unless(1, groups=back), bias=False
        )

    def _words(self, x: Shape) -> dict[str, Code]:
        amounts = self.window(x).pads(x[1:-1])
        if amounts is None:
            help = "give the sizes with `--set`, or take a stride of 1"
            raise Unsupported("the padding of `same` hangs on sizes that are not known", "padding", help)
        return {**({} if is_nothing(amounts) else {"pad": flat(amounts)}), **functions_of(self)}

    def keras_make(self, x: Shape, words: dict[str, Code]) -> Call:
        window = self.window(x)
        known("Keras", *x[1:])
        own = {**window.steps("strides"), **unless("valid", padding=str(self.padding)), **cell_words(self)}
        if self.masked and isinstance(x[0], int):
            # in a loop of its own Keras on JAX takes the mask of the samples for one of the rows (3.15.1)
            own |= unless(False, unroll=True)
        kernel = square(window.kernel)
        return call(f"layers.ConvLSTM{window.rank}D", self.filters, kernel, **own, **words, **self.keras_words())

    def keras_still(self, x: Shape) -> Helper:
        name = f"ConvLSTM{self.window(x).rank}D"
        about = f"{name} that holds the weights of its cell still, too, where it is not trainable."
        return held_still(name, "sequences_shape, initial_state_shape=None", about)

    def advance(self, x: Array, states: list[Array], w: Mapping[str, Array]) -> list[Array]:
        from .arrays import convolve

        h, c = states
        # (a sequence of one step, without the samples)
        window, ones = self.window(x.shape), (1,) * (x.ndim - 2)
        amounts = window.pads(x.shape[1:-1]) or ()
        around = Window(window.kernel, ones, ones, "same").pads(h.shape[1:-1]) or ()
        gates = convolve(x, w["kernel"], window.stride, amounts, ones, 1)
        gates = gates + convolve(h, w["recurrent_kernel"], ones, around, ones, 1) + w.get("bias", 0)
        return remembered(self, gates, c)
