import torch
import torch.nn.functional as F
from torch import nn


class Stepwise:
    """Takes one step after the other, where PyTorch's own layer cannot.

    The activations are free. With dropout each gate has masks of its own, the same for
    all steps. A step that is masked leaves the state as it is, and gives zeros.
    """

    parts = 1

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
        super().__init__(input_size, hidden_size, bias=bias, batch_first=True)
        self.activation = activation
        self.recurrent_activation = recurrent_activation
        self.input_dropout = dropout
        self.recurrent_dropout = recurrent_dropout

    def forward(self, x, state=None, mask=None):
        size = self.hidden_size
        weights = [w.unflatten(0, (-1, size)) for w in self.all_weights[0]]
        kernel, recurrent, *biases = weights
        bias, recurrent_bias = biases or (0.0, 0.0)
        ones = x.new_ones(len(x), len(kernel), x.shape[-1])
        dropped = F.dropout(ones, self.input_dropout, self.training)
        ones = x.new_ones(len(x), len(kernel), size)
        kept = F.dropout(ones, self.recurrent_dropout, self.training)

        def product(x, masks, weight):
            return torch.einsum("ngi,ghi->ngh", x[:, None] * masks, weight)

        def from_state(h):
            return product(h, kept, recurrent) + recurrent_bias

        if state is None:
            state = (x.new_zeros(1, len(x), size),) * self.parts
        states = [s[0] for s in (state if isinstance(state, tuple) else (state,))]
        outputs = []
        for t in range(x.shape[1]):
            from_x = product(x[:, t], dropped, kernel) + bias
            new = self.step(from_x, from_state, *states)
            if mask is None:
                states = new
                outputs.append(new[0])
            else:
                here = mask[:, t, None]
                states = [torch.where(here, n, s) for n, s in zip(new, states)]
                outputs.append(new[0] * here)
        last = tuple(s[None] for s in states)
        return torch.stack(outputs, 1), last if self.parts > 1 else last[0]


class StepwiseGRU(Stepwise, nn.GRU):
    """A GRU, step by step; the reset gate acts after or before the matrix product."""

    def __init__(self, *sizes, reset_after=True, **words):
        super().__init__(*sizes, **words)
        self.reset_after = reset_after

    def step(self, x, from_state, h):
        from_h = from_state(h)
        r, z = self.recurrent_activation(x[:, :2] + from_h[:, :2]).unbind(1)
        n = r * from_h[:, 2] if self.reset_after else from_state(r * h)[:, 2]
        return [z * h + (1 - z) * self.activation(x[:, 2] + n)]


def single_bias(layer):
    """Hold the second bias of a recurrent layer at zero: it would add nothing."""
    for name, bias in layer.named_parameters():
        if name.startswith("bias_hh"):
            nn.init.zeros_(bias).requires_grad_(False)
    return layer


def split_state(state, count):
    """The states of several layers, of which `state` is one behind the other."""
    if state is None:
        return [None] * count
    if isinstance(state, tuple):
        return list(zip(*(part.chunk(count) for part in state)))
    return state.chunk(count)


def join_states(*states):
    """The states of several layers, one behind the other."""
    if isinstance(states[0], tuple):
        return tuple(torch.cat(parts) for parts in zip(*states))
    return torch.cat(states)


class BothWays(nn.Module):
    """Two recurrent layers, the second of which reads from the end."""

    def __init__(
        self, forward_layer, backward_layer, merge="concat", time=1, channels=-1
    ):
        super().__init__()
        self.forward_layer = forward_layer
        self.backward_layer = backward_layer
        self.merge = merge
        self.time = time
        self.channels = channels

    def forward(self, x, state=None, mask=None):
        a, b = split_state(state, 2)
        words = {} if mask is None else {"mask": mask}
        y, a = self.forward_layer(x, a, **words)
        words = {} if mask is None else {"mask": mask.flip(1)}
        z, b = self.backward_layer(x.flip(self.time), b, **words)
        both = y, z.flip(self.time)
        if self.merge == "concat":
            y = torch.cat(both, self.channels)
        else:
            y = getattr(torch.stack(both), self.merge)(0)
        return y, join_states(a, b)


class Stacked(nn.Module):
    """Recurrent layers, each of which takes the sequence that the last one gives."""

    def __init__(self, *layers):
        super().__init__()
        self.layers = nn.ModuleList(layers)

    def forward(self, x, state=None, **words):
        states = []
        for layer, start in zip(self.layers, split_state(state, len(self.layers))):
            x, state = layer(x, start, **words)
            states.append(state)
        return x, join_states(*states)


def init_weights(module):
    """Fill the weights of a module with what they begin with."""
    if isinstance(module, nn.Linear):
        nn.init.xavier_uniform_(module.weight)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    elif isinstance(module, nn.RNN | nn.GRU | nn.LSTM):
        for name, parameter in module.named_parameters(recurse=False):
            if name.startswith("weight_ih"):
                nn.init.xavier_uniform_(parameter)
            elif name.startswith("weight_hh"):
                nn.init.orthogonal_(parameter)
            else:
                nn.init.zeros_(parameter)
            if isinstance(module, nn.LSTM) and name.startswith("bias_ih"):
                nn.init.ones_(parameter.data.chunk(4)[1])  # the forget gate


class Temperature(nn.Module):
    """A temperature one day ahead, from 14 measurements

    Takes N, T, F and gives N, F.
    """

    def __init__(self, units=32):
        super().__init__()
        self.gru1 = StepwiseGRU(14, units, dropout=0.1, recurrent_dropout=0.5)
        self.stack = Stacked(
            BothWays(
                single_bias(nn.LSTM(units, 2 * units, batch_first=True)),
                single_bias(nn.LSTM(units, 2 * units, batch_first=True)),
                merge="sum",
            ),
            BothWays(
                single_bias(nn.LSTM(2 * units, 2 * units, batch_first=True)),
                single_bias(nn.LSTM(2 * units, 2 * units, batch_first=True)),
                merge="sum",
            ),
        )
        self.gru2 = nn.GRU(2 * units, units, batch_first=True)
        self.dense1 = nn.Linear(units, units)
        self.rnn = single_bias(nn.RNN(units, units, batch_first=True))
        self.dense2 = nn.Linear(2 * units, 1)
        self.apply(init_weights)

    def forward(self, series):
        x, _ = self.gru1(series)  # T x 32
        x, _ = self.stack(x)  # T x 64
        steps, h = self.gru2(x)  # T x 32
        h = h[-1]
        start = torch.tanh(self.dense1(h))
        _, h2 = self.rnn(steps.flip(1), start.unsqueeze(0))
        again = h2[-1]
        x = torch.cat([h, again], dim=-1)
        return self.dense2(x)
