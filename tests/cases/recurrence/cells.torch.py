import torch
from torch import nn


def scan(cell, x, state=None, reverse=False):
    """Run a cell over the steps of a sequence; all outputs, and the last state."""
    steps = x.unbind(1)[::-1] if reverse else x.unbind(1)
    state = cell.initial_state(steps[0]) if state is None else state
    outputs = []
    for step in steps:
        y, state = cell(step, *state)
        outputs.append(y)
    return torch.stack(outputs[::-1] if reverse else outputs, 1), state


def init_weights(module):
    """Fill the weights of a module with what they begin with."""
    if isinstance(module, nn.Linear):
        nn.init.xavier_uniform_(module.weight)
        if module.bias is not None:
            nn.init.zeros_(module.bias)


class Smooth(nn.Module):
    """A mean that begins where it has learned to"""

    def __init__(self, x_features, rate=0.9):
        super().__init__()
        self.rate = rate
        self.first = nn.Parameter(torch.zeros(x_features))

    def initial_state(self, x):
        mean = self.first.expand(x.shape[0], -1)
        return (mean,)

    def forward(self, x, mean):
        mean = mean * self.rate + x * (1 - self.rate)
        return mean, (mean,)


class Gated(nn.Module):
    """The gated cell of the courses"""

    def __init__(self, x_features, units):
        super().__init__()
        self.units = units
        self.dense1 = nn.Linear(x_features, units)
        self.dense2 = nn.Linear(units, units, bias=False)
        self.dense3 = nn.Linear(x_features, units)
        self.dense4 = nn.Linear(units, units, bias=False)
        self.dense5 = nn.Linear(x_features, units)
        self.dense6 = nn.Linear(units, units, bias=False)
        self.dense7 = nn.Linear(x_features, units)
        self.dense8 = nn.Linear(units, units, bias=False)

    def initial_state(self, x):
        h = x.new_zeros(x.shape[0], self.units)
        s = x.new_full((x.shape[0], self.units), 0.1)
        return h, s

    def forward(self, x, h, s):
        f = torch.sigmoid(self.dense1(x) + self.dense2(h))
        g = torch.sigmoid(self.dense3(x) + self.dense4(h))
        q = torch.sigmoid(self.dense5(x) + self.dense6(h))
        s = f * s + g * torch.sigmoid(self.dense7(x) + self.dense8(h))
        h = torch.tanh(s) * q
        return h, (h, s)


class Smoothed(nn.Module):
    """Both in one"""

    def __init__(self, x_features, units):
        super().__init__()
        self.inner = Gated(x_features, units)
        self.smooth = Smooth(units)

    def initial_state(self, x):
        inner_h, inner_s = self.inner.initial_state(x)
        (smooth_mean,) = self.smooth.initial_state(x)
        return inner_h, inner_s, smooth_mean

    def forward(self, x, inner_h, inner_s, smooth_mean):
        inner, (inner_h, inner_s) = self.inner(x, inner_h, inner_s)
        x, (smooth_mean,) = self.smooth(inner, smooth_mean)
        x = inner + x
        return x, (inner_h, inner_s, smooth_mean)


class Cells(nn.Module):
    """Takes series (N, T, F) and start (N, F) and gives N, F."""

    def __init__(self, units=8):
        super().__init__()
        self.smooth = Smooth(units, rate=0.5)
        self.shared = Gated(units, units)
        self.stack_0 = Gated(units, units)
        self.stack_1 = Gated(units, units)
        self.around_forward = Smoothed(units, units)
        self.around_backward = Smoothed(units, units)
        self.back = Smoothed(units, units)
        self.head = nn.Linear(4 * units, 1)
        self.apply(init_weights)

    def forward(self, series, start):
        mean, (last,) = scan(self.smooth, series, state=(start,))  # T x 8
        both, _ = scan(self.shared, series)  # T x 8
        y, _ = scan(self.shared, mean)  # T x 8
        both = both + y  # T x 8
        x, (_, s) = scan(self.stack_0, both)  # T x 8
        deep, (h2, _) = scan(self.stack_1, x)  # T x 8
        branch1, _ = scan(self.around_forward, deep)  # T x 8
        y, _ = scan(self.around_backward, deep, reverse=True)  # T x 8
        branch1 = branch1 + y  # T x 8
        branch1, _ = scan(self.back, branch1, reverse=True)
        branch1 = branch1[:, 0]
        x = torch.cat([branch1, last, h2, s], dim=-1)
        return self.head(x)
