"""The pieces of PyTorch code that is to be exported: loops over time that stay loops, windows that follow the size.

They do what the usual pieces do, under the same names and with the same weights.
"""

from __future__ import annotations

from ..base.record import TYPE_CHECKING
from ..pycode.expr import Call, rebuild
from . import conv_lstm
from .base import Helper
from .cells import SCAN
from .recurrent_helpers import BEFORE_STEPS, BEHIND_STEPS, LOOP

if TYPE_CHECKING:
    from typing import Any, TypeVar

    from ..pycode.expr import Code
    from .cells import Form
    from .forms import Apply

    A = TypeVar("A", "Apply", "Form")

_TORCH, _NN, _F = "import torch", "from torch import nn", "import torch.nn.functional as F"

_OVER_TIME = Helper(
    "over_time",
    '''\
def over_time(step, state, *sequences):
    """Take one step after the other; all outputs, and the last state.

    `step` takes the state and what each sequence has at a step; the first axis of a
    sequence is time. What is exported has a loop, for any number of steps.
    """
    if torch.compiler.is_exporting():

        def one(state, now):
            state, y = step(state, *now)
            return [part.clone() for part in state], y.clone()  # none is another

        state, outputs = torch_scan(one, [part.clone() for part in state], sequences)
        return outputs, state
    outputs = []
    for now in zip(*sequences):
        state, y = step(state, *now)
        outputs.append(y)
    return torch.stack(outputs), state
''',
    (_TORCH, "from torch._higher_order_ops.scan import scan as torch_scan"),
)

_RECURRENT = Helper(
    "Recurrent",
    '''\
class Recurrent(nn.RNNBase):
    """A recurrent layer of PyTorch that can be exported for any number of steps.

    Weights and results are those of PyTorch's own layer, and so are the kernels, unless
    it is exported or compiled: then it takes one step after the other.
    """

    def forward(self, x, state=None):
        if state is None:
            zeros = x.new_zeros(len(self.all_weights), x.shape[0], self.hidden_size)
            state = (zeros, zeros) if self.mode == "LSTM" else zeros
        if torch.compiler.is_compiling():
            y, state = self.by_steps(x, state if self.mode == "LSTM" else (state,))
        else:
            weights = [weight for layer in self.all_weights for weight in layer]
            words = self.bias, self.num_layers, 0.0, self.training, self.bidirectional
            kernel = getattr(torch, self.mode.lower())
            y, *state = kernel(x, state, weights, *words, self.batch_first)
        return y, tuple(state) if self.mode == "LSTM" else state[0]

    def by_steps(self, x, states):
        x, found, last = x.transpose(0, 1).contiguous(), [], []
        for number, (weights, *start) in enumerate(zip(self.all_weights, *states)):
            back = self.bidirectional and number % 2 == 1
            y, state = self.run(x.flip(0) if back else x, start, *weights)
            found.append(y.flip(0) if back else y)
            last.append(state)
            if back or not self.bidirectional:
                x, found = torch.cat(found, -1), []
        return x.transpose(0, 1), [torch.stack(parts) for parts in zip(*last)]

    def run(self, x, state, kernel, recurrent, bias=None, recurrent_bias=None):
        def advance(state, step):
            from_h = F.linear(state[0], recurrent, recurrent_bias)
            state = self.step(step, from_h, *state)
            return state, state[0]

        return over_time(advance, state, F.linear(x, kernel, bias))
''',
    (_TORCH, _NN, _F),
)

_LSTM = Helper(
    "LSTM",
    '''\
class LSTM(Recurrent):
    """An `nn.LSTM` that can be exported for any number of steps."""

    def __init__(self, *sizes, **words):
        super().__init__("LSTM", *sizes, **words)

    def step(self, x, from_h, h, c):
        i, f, g, o = (x + from_h).chunk(4, -1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(c), c
''',
)

_GRU = Helper(
    "GRU",
    '''\
class GRU(Recurrent):
    """An `nn.GRU` that can be exported for any number of steps."""

    def __init__(self, *sizes, **words):
        super().__init__("GRU", *sizes, **words)

    def step(self, x, from_h, h):
        r, z, n = x.chunk(3, -1)
        r_h, z_h, n_h = from_h.chunk(3, -1)
        r, z = torch.sigmoid(r + r_h), torch.sigmoid(z + z_h)
        return ((1 - z) * torch.tanh(n + r * n_h) + z * h,)
''',
)

_RNN = Helper(
    "RNN",
    '''\
class RNN(Recurrent):
    """An `nn.RNN` that can be exported for any number of steps."""

    def __init__(self, *sizes, nonlinearity="tanh", **words):
        super().__init__(f"RNN_{nonlinearity.upper()}", *sizes, **words)

    def step(self, x, from_h, h):
        activation = torch.tanh if self.mode == "RNN_TANH" else torch.relu
        return (activation(x + from_h),)
''',
)

_STEPWISE = LOOP.replace(
    source=BEFORE_STEPS
    + """\

        def advance(states, step, here=None):
            new = self.step(product(step, dropped, kernel) + bias, from_state, *states)
            if here is None:
                return new, new[0]
            states = [torch.where(here, n, s) for n, s in zip(new, states)]
            return states, new[0] * here

        masks = () if mask is None else (mask.transpose(0, 1)[..., None],)
        outputs, states = over_time(advance, states, x.transpose(0, 1), *masks)
        last = tuple(s[None] for s in states)
        return outputs.transpose(0, 1), last if self.parts > 1 else last[0]

"""
    + BEHIND_STEPS
)

_SCAN = SCAN.replace(
    source='''\
def scan(cell, x, state=None, reverse=False):
    """Run a cell over the steps of a sequence; all outputs, and the last state."""
    steps = x.transpose(0, 1).flip(0) if reverse else x.transpose(0, 1)
    state = cell.initial_state(steps[0]) if state is None else state

    def advance(state, step):
        y, state = cell(step, *state)
        return state, y

    outputs, state = over_time(advance, state, steps)
    return (outputs.flip(0) if reverse else outputs).transpose(0, 1), state
''',
    imports=(),
)

_CONV_LSTM = conv_lstm.TORCH_CONV_LSTM.replace(
    source=conv_lstm.BEFORE_STEPS
    + """\
    def forward(self, x, state=None):
        steps = self.from_input(x)

        def advance(state, step):
            h, c = state
            h, c = self.advance(step + self.recurrent(h), c)
            return (h, c), h

        outputs, (h, c) = over_time(advance, self.begin(steps[0], state), steps)
        return outputs.movedim(0, 2), (h[None], c[None])

    def from_input(self, x):
        x = x.movedim(2, 0)
        steps = self.conv(F.pad(x.flatten(0, 1), self.pad))
        return steps.unflatten(0, x.shape[:2])

"""
    + conv_lstm.BEHIND_STEPS
)

_STEPWISE_CONV_LSTM = conv_lstm.TORCH_STEPWISE.replace(
    source=conv_lstm.BEFORE_MASKED_STEPS
    + """\

        def advance(state, step, here=None):
            h, c = state
            copies = torch.cat([h] * self.recurrent.groups, 1)
            new_h, new_c = self.advance(step + self.recurrent(copies * kept), c)
            if here is None:
                return (new_h, new_c), new_h
            here = here.view(-1, *[1] * (h.dim() - 1))
            h, c = torch.where(here, new_h, h), torch.where(here, new_c, c)
            return (h, c), new_h * here

        masks = () if mask is None else (mask.transpose(0, 1),)
        outputs, (h, c) = over_time(advance, (h, c), steps, *masks)
        return outputs.movedim(0, 2), (h[None], c[None])
"""
)

_WINDOWS = Helper(
    "windows",
    '''\
def windows(x, axis, count):
    """Which cells of an axis are in each of the windows that share it evenly."""
    cells = torch.arange(x.shape[axis], device=x.device)
    window = torch.arange(count, device=x.device)[:, None]
    start, end = window * x.shape[axis], (window + 1) * x.shape[axis]
    return (start < count * (cells + 1)) & (count * cells < end)
''',
    (_TORCH,),
)

# one axis after the other, behind the channels: what becomes of the cells of each window
_AVERAGE = """\
        share = windows(x, axis, count).to(x.dtype)
        share = share / share.sum(1, keepdim=True)
        x = (x.movedim(axis, -1) @ share.mT).movedim(-1, axis)
"""
_LARGEST = """\
        outside = ~windows(x, axis, count)
        cells = x.movedim(axis, -1)[..., None, :]
        x = cells.masked_fill(outside, -torch.inf).amax(-1).movedim(-1, axis)
"""


def _adaptive(word: str, each: str, rank: int) -> dict[str, tuple[Helper, ...]]:
    """What stands in the place of an adaptive pool, as a function and as a module."""
    name = f"adaptive_{word}_pool{rank}d"
    function = Helper(
        name,
        f'''\
def {name}(x, size):
    """`F.{name}` that can be exported for any size of `x`."""
    if not torch.compiler.is_exporting():
        return F.{name}(x, size)
    sizes = size if isinstance(size, tuple) else (size,) * {rank}
    for axis, count in enumerate(sizes, 2):
{each}    return x
''',
        (_TORCH, _F),
    )
    title = f"Adaptive{word.title()}Pool{rank}d"
    module = Helper(
        title,
        f'''\
class {title}(nn.{title}):
    """The module of that function."""

    def forward(self, x):
        return {name}(x, self.output_size)
''',
        (_NN,),
        optional=True,
    )
    return {f"F.{name}": (_WINDOWS, function), f"nn.{title}": (_WINDOWS, function, module)}


# in whose place each stands
_HELPERS = {
    LOOP: _STEPWISE,
    SCAN: _SCAN,
    conv_lstm.TORCH_CONV_LSTM: _CONV_LSTM,
    conv_lstm.TORCH_STEPWISE: _STEPWISE_CONV_LSTM,
}
# the same by the name of what PyTorch has, with all that it needs, itself last
_OWN: dict[str, tuple[Helper, ...]] = {f"nn.{own.name}": (_OVER_TIME, _RECURRENT, own) for own in (_LSTM, _GRU, _RNN)}
for _word, _each in (("avg", _AVERAGE), ("max", _LARGEST)):
    for _rank in (1, 2, 3):
        _OWN |= _adaptive(_word, _each, _rank)


def exported(form: A) -> A:
    """What a layer or a cell says, in pieces that can be exported."""
    helpers: list[Helper] = [_HELPERS.get(helper, helper) for helper in form.helpers]
    if helpers != [*form.helpers]:
        helpers = [_OVER_TIME, *helpers]

    def change(part: Code) -> Code:
        own = _OWN.get(part.func, ()) if isinstance(part, Call) and isinstance(part.func, str) else ()
        if not own or part.args[-1:] == (1,):  # a pool to one cell is the same for every size
            return part
        helpers[:0] = own
        return part.replace(func=own[-1].name)

    make: Any = rebuild(form.make, change)
    return form.replace(make=make, call=rebuild(form.call, change), helpers=tuple(dict.fromkeys(helpers)))
