import torch
import torch.nn.functional as F
from torch import nn

from .export_over_time import over_time


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
