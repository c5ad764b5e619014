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


def scan(cell, x, state=None, reverse=False):
    """Run a cell over the steps of a sequence; all outputs, and the last state."""
    steps = x.transpose(0, 1).flip(0) if reverse else x.transpose(0, 1)
    state = cell.initial_state(steps[0]) if state is None else state

    def advance(state, step):
        y, state = cell(step, *state)
        return state, y

    outputs, state = over_time(advance, state, steps)
    return (outputs.flip(0) if reverse else outputs).transpose(0, 1), state


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

    def by_gate(self, *weights):
        return [0.0 if w is None else w.unflatten(0, self.sizes) for w in weights]


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


def init_weights(module):
    """Fill the weights of a module with what they begin with."""
    if isinstance(module, nn.Conv2d | nn.Linear):
        nn.init.xavier_uniform_(module.weight)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    elif isinstance(module, nn.Embedding):
        nn.init.uniform_(module.weight, -0.05, 0.05)
    elif isinstance(module, LSTM | StepwiseGRU):
        for name, parameter in module.named_parameters(recurse=False):
            if name.startswith("weight_ih"):
                nn.init.xavier_uniform_(parameter)
            elif name.startswith("weight_hh"):
                nn.init.orthogonal_(parameter)
            else:
                nn.init.zeros_(parameter)
            if isinstance(module, LSTM) and name.startswith("bias_ih"):
                nn.init.ones_(parameter.data.chunk(4)[1])  # the forget gate
    elif isinstance(module, ConvLSTM):
        nn.init.orthogonal_(module.recurrent.weight)
        if module.conv.bias is not None:
            nn.init.ones_(module.conv.bias.data.chunk(4)[1])  # the forget gate


class Fading(nn.Module):
    """Loops of every kind over lengths that are not known, which an export can keep"""

    def __init__(self):
        super().__init__()
        self.dense = nn.Linear(8, 5)

    def initial_state(self, x):
        trace = x.new_zeros(x.shape[0], 5)
        return (trace,)

    def forward(self, x, trace):
        trace = trace * 0.9 + self.dense(x) * 0.1
        x = torch.tanh(trace)
        return x, (trace,)


class Lengths(nn.Module):
    """Takes sound (N, T, F), words (N, T) and film (N, C, D, H, W) and gives N, F."""

    def __init__(self):
        super().__init__()
        self.stack = single_bias(
            LSTM(3, 4, num_layers=2, batch_first=True, bidirectional=True),
        )
        self.fading = Fading()
        self.embedding = nn.Embedding(20, 4)
        self.gru = StepwiseGRU(4, 6)
        self.conv_lstm = ConvLSTM(
            nn.Conv2d(2, 8, 3),
            nn.Conv2d(2, 8, 3, padding="same", bias=False),
            pad=(1, 1, 1, 1),
        )
        self.dense = nn.Linear(13, 1)
        self.apply(init_weights)

    def forward(self, sound, words, film):
        heard, _ = self.stack(sound)  # T x 8
        heard, _ = scan(self.fading, heard)
        heard = heard[:, -1]
        mask = words != 0
        read = self.embedding(words)  # S x 4
        _, h = self.gru(read, mask=mask)
        read = h[-1]
        _, (h, _) = self.conv_lstm(film)
        seen = h[-1]  # 2 x 6 x 6
        seen = torch.flatten(F.adaptive_avg_pool2d(seen, 1), 1)
        x = torch.cat([heard, read, seen], dim=-1)
        return self.dense(x)
