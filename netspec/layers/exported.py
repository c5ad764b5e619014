"""The pieces of PyTorch code that is to be exported: loops over time that stay loops, windows that follow the size.

They do what the usual pieces do, under the same names and with the same weights.
"""

from __future__ import annotations

from ..base.record import TYPE_CHECKING
from ..pycode.expr import Call, rebuild
from . import conv_lstm
from .base import Helper
from .cell_uses import SCAN
from .recurrent_helpers import BEFORE_STEPS, BEHIND_STEPS, LOOP

if TYPE_CHECKING:
    from typing import Any, TypeVar

    from ..pycode.expr import Code
    from .cell_uses import CellForm
    from .forms import Apply

    A = TypeVar("A", "Apply", "CellForm")

_TORCH, _NN, _F = "import torch", "from torch import nn", "import torch.nn.functional as F"

_OVER_TIME = Helper("over_time", file="torch/export_over_time")

_RECURRENT = Helper("Recurrent", file="torch/export_recurrent")

_LSTM = Helper("LSTM", file="torch/export_lstm")

_GRU = Helper("GRU", file="torch/export_gru")

_RNN = Helper("RNN", file="torch/export_rnn")

_STEPWISE = LOOP.replace(
    written=BEFORE_STEPS
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
    written='''\
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
    needs=(),
    file="",
)

_CONV_LSTM = conv_lstm.TORCH_CONV_LSTM.replace(
    written=conv_lstm.BEFORE_STEPS
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
    written=conv_lstm.BEFORE_MASKED_STEPS
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

_WINDOWS = Helper("windows", file="torch/export_windows")

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
