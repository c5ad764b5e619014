"""The pieces of PyTorch that recurrent layers carry along where PyTorch's own do not suffice."""

from __future__ import annotations

from .base import Helper

_TORCH, _NN, _F = "import torch", "from torch import nn", "import torch.nn.functional as F"

SINGLE_BIAS = Helper("single_bias", file="torch/single_bias")

INPUT_DROPOUT = Helper("input_dropout", file="torch/input_dropout")

STATEFUL = Helper("stateful", file="torch/stateful")

RESET = Helper("reset_state", file="torch/reset_state")

KERAS_RESET = Helper("reset_state", file="keras/reset_state")

_SPLIT = Helper("split_state", file="torch/split_state")

_JOIN = Helper("join_states", file="torch/join_states")

_BOTH_WAYS = Helper("BothWays", file="torch/both_ways")

_STACKED = Helper("Stacked", file="torch/stacked")

BOTH_WAYS = (_SPLIT, _JOIN, _BOTH_WAYS)
STACKED = (_SPLIT, _JOIN, _STACKED)

# before the steps and behind them, whatever takes these
BEFORE_STEPS = '''\
class Stepwise(nn.Module):
    """Takes one step after the other, where PyTorch's own layer cannot.

    The weights have the names of that layer. The activations are free. With dropout
    each gate has masks of its own, the same for all steps. A step that is masked leaves
    the state as it is, and gives zeros.
    """

    gates = parts = 1

    def __init__(
        self,
        input_size,
        hidden_size,
        bias=True,
        activation=torch.tanh,
        recurrent_activation=torch.sigmoid,
        dropout=0.0,
        recurrent_dropout=0.0,
    ):
        super().__init__()
        self.sizes = self.gates, hidden_size
        self.activation = activation
        self.recurrent_activation = recurrent_activation
        self.dropout = dropout
        self.recurrent_dropout = recurrent_dropout
        wide = self.gates * hidden_size
        self.weight_ih_l0 = nn.Parameter(torch.empty(wide, input_size))
        self.weight_hh_l0 = nn.Parameter(torch.empty(wide, hidden_size))
        self.bias_ih_l0 = nn.Parameter(torch.empty(wide)) if bias else None
        self.bias_hh_l0 = nn.Parameter(torch.empty(wide)) if bias else None
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -(hidden_size**-0.5), hidden_size**-0.5)

    def forward(self, x, state=None, mask=None):
        (gates, size), samples = self.sizes, x.shape[0]
        kernel, recurrent = self.by_gate(self.weight_ih_l0, self.weight_hh_l0)
        bias, recurrent_bias = self.by_gate(self.bias_ih_l0, self.bias_hh_l0)
        ones = x.new_ones(samples, gates, x.shape[-1])
        dropped = F.dropout(ones, self.dropout, self.training)
        ones = x.new_ones(samples, gates, size)
        kept = F.dropout(ones, self.recurrent_dropout, self.training)

        def product(x, masks, weight):
            return torch.einsum("ngi,ghi->ngh", x[:, None] * masks, weight)

        def from_state(h):
            return product(h, kept, recurrent) + recurrent_bias

        if state is None:
            state = (x.new_zeros(1, samples, size),) * self.parts
        states = [s[0] for s in (state if isinstance(state, tuple) else (state,))]
'''
BEHIND_STEPS = """\
    def by_gate(self, *weights):
        return [0.0 if w is None else w.unflatten(0, self.sizes) for w in weights]
"""

LOOP = Helper(
    "Stepwise",
    BEFORE_STEPS
    + """\
        outputs = []
        for t, step in enumerate(x.unbind(1)):
            new = self.step(product(step, dropped, kernel) + bias, from_state, *states)
            if mask is None:
                states = new
                outputs.append(new[0])
            else:
                here = mask[:, t, None]
                states = [torch.where(here, n, s) for n, s in zip(new, states)]
                outputs.append(new[0] * here)
        last = tuple(s[None] for s in states)
        return torch.stack(outputs, 1), last if self.parts > 1 else last[0]

"""
    + BEHIND_STEPS,
    (_TORCH, _NN, _F),
)

_RNN = Helper(
    "StepwiseRNN",
    '''\
class StepwiseRNN(Stepwise):
    """A simple recurrent layer, step by step."""

    def step(self, x, from_state, h):
        return [self.activation((x + from_state(h)).squeeze(1))]
''',
)

_LSTM = Helper(
    "StepwiseLSTM",
    '''\
class StepwiseLSTM(Stepwise):
    """An LSTM, step by step."""

    gates, parts = 4, 2

    def step(self, x, from_state, h, c):
        i, f, g, o = (x + from_state(h)).unbind(1)
        gate = self.recurrent_activation
        c = gate(f) * c + gate(i) * self.activation(g)
        return [gate(o) * self.activation(c), c]
''',
)

_GRU = Helper(
    "StepwiseGRU",
    '''\
class StepwiseGRU(Stepwise):
    """A GRU, step by step; the reset gate acts after or before the matrix product."""

    gates = 3

    def __init__(self, *sizes, reset_after=True, **words):
        super().__init__(*sizes, **words)
        self.reset_after = reset_after

    def step(self, x, from_state, h):
        from_h = from_state(h)
        r, z = self.recurrent_activation(x[:, :2] + from_h[:, :2]).unbind(1)
        n = r * from_h[:, 2] if self.reset_after else from_state(r * h)[:, 2]
        return [z * h + (1 - z) * self.activation(x[:, 2] + n)]
''',
)

# by the name of PyTorch's own layer: what its stepwise form is made of, which comes last
STEPWISE = {"RNN": (LOOP, _RNN), "LSTM": (LOOP, _LSTM), "GRU": (LOOP, _GRU)}
