import torch
import torch.nn.functional as F
from torch import nn
from torch._higher_order_ops.scan import scan as torch_scan


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


class LSTM(Recurrent):
    """An `nn.LSTM` that can be exported for any number of steps."""

    def __init__(self, *sizes, **words):
        super().__init__("LSTM", *sizes, **words)

    def step(self, x, from_h, h, c):
        i, f, g, o = (x + from_h).chunk(4, -1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(c), c


def single_bias(layer):
    """Hold the second bias of a recurrent layer at zero: it would add nothing."""
    for name, bias in layer.named_parameters():
        if name.startswith("bias_hh"):
            nn.init.zeros_(bias).requires_grad_(False)
    return layer


class GRU(Recurrent):
    """An `nn.GRU` that can be exported for any number of steps."""

    def __init__(self, *sizes, **words):
        super().__init__("GRU", *sizes, **words)

    def step(self, x, from_h, h):
        r, z, n = x.chunk(3, -1)
        r_h, z_h, n_h = from_h.chunk(3, -1)
        r, z = torch.sigmoid(r + r_h), torch.sigmoid(z + z_h)
        return ((1 - z) * torch.tanh(n + r * n_h) + z * h,)


class RNN(Recurrent):
    """An `nn.RNN` that can be exported for any number of steps."""

    def __init__(self, *sizes, nonlinearity="tanh", **words):
        super().__init__(f"RNN_{nonlinearity.upper()}", *sizes, **words)

    def step(self, x, from_h, h):
        activation = torch.tanh if self.mode == "RNN_TANH" else torch.relu
        return (activation(x + from_h),)


def init_weights(module):
    """Fill the weights of a module with what they begin with."""
    if isinstance(module, RNN | GRU | LSTM):
        for name, parameter in module.named_parameters(recurse=False):
            if name.startswith("weight_ih"):
                nn.init.xavier_uniform_(parameter)
            elif name.startswith("weight_hh"):
                nn.init.orthogonal_(parameter)
            else:
                nn.init.zeros_(parameter)
            if isinstance(module, LSTM) and name.startswith("bias_ih"):
                nn.init.ones_(parameter.data.chunk(4)[1])  # the forget gate


class Ends(nn.Module):
    """What comes of the last step, in one direction and in both, however these are
    joined

    Takes N, T, F and gives one (N, F), joined (N, F), added (N, F), mean (N, F), there
    (N, F), back (N, F), deep (N, F) and all (N, T, F).
    """

    def __init__(self):
        super().__init__()
        self.lstm1 = single_bias(LSTM(4, 3, batch_first=True))
        self.bidirectional1 = single_bias(
            LSTM(4, 3, batch_first=True, bidirectional=True),
        )
        self.bidirectional2 = GRU(4, 3, batch_first=True, bidirectional=True)
        self.bidirectional3 = single_bias(
            RNN(4, 3, batch_first=True, bidirectional=True),
        )
        self.bidirectional4 = GRU(4, 3, batch_first=True, bidirectional=True)
        self.stack = GRU(4, 3, num_layers=2, batch_first=True, bidirectional=True)
        self.bidirectional5 = GRU(4, 3, batch_first=True, bidirectional=True)
        self.apply(init_weights)

    def forward(self, x):
        _, (h, _) = self.lstm1(x)
        one = h[-1]
        _, (h, _) = self.bidirectional1(x)
        joined = torch.cat((h[-2], h[-1]), 1)
        _, h = self.bidirectional2(x)
        added = h.sum(0)
        _, h = self.bidirectional3(x)
        mean = h.mean(0)
        _, h = self.bidirectional4(x)
        there, back = h[-2], h[-1]
        _, h = self.stack(x)
        deep = torch.cat((h[-2], h[-1]), 1)
        all, _ = self.bidirectional5(x)
        all = all.unflatten(-1, (2, -1)).prod(-2)  # 5 x 3
        return one, joined, added, mean, there, back, deep, all
