"""Random PyTorch modules as people write them, channels first, each with the spec of the same function.

A value is its name in the spec and its shape in the language; the module computes it with PyTorch's own layers alone.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn


class Written(nn.Module):
    """A module whose steps are done one after the other on values by name."""

    def __init__(self):
        super().__init__()
        self.steps = []
        self.inputs = []

    def forward(self, *values):
        known = dict(zip(self.inputs, values))
        for name, given, function in self.steps:
            known[name] = function(*(known[g] for g in given))
        return known[self.steps[-1][0]]


class Body:
    """A net or block on the way: its lines in the language, and its module."""

    def __init__(self, rng, writer):
        self.rng, self.writer = rng, writer
        self.lines, self.module = [], Written()
        self.shapes = {}

    def input(self, shape, names=None):
        name = f"in{len(self.module.inputs)}"
        self.module.inputs.append(name)
        self.shapes[name] = tuple(shape)
        self.lines.append(f"input {name} [{', '.join(map(str, names or shape))}]")
        return name

    def add(self, text, given, shape, function, module=None):
        """A step; `text` is over the names of what goes in."""
        name = f"v{len(self.module.steps)}"
        if module is not None:
            self.module.add_module(f"m{name}", module)
            text += f" as m{name}"
        self.lines.append(f"{name} = {text.format(*given)}")
        self.module.steps.append((name, given, function or module))
        self.shapes[name] = tuple(shape)
        return name

    # --- maps ---------------------------------------------------------------------------------------------------------

    def conv(self, x, filters=None):
        *grid, c = self.shapes[x]
        filters = filters or self.rng.choice([2, 3, 4])
        made = (nn.Conv1d, nn.Conv2d, nn.Conv3d)[len(grid) - 1](c, filters, 3, padding=1)
        window = "x".join("3" * len(grid))
        return self.add(f"{{0}} -> conv({filters}, {window}, padding=1)", (x,), (*grid, filters), None, made)

    def on_map(self, x):
        """A map of the same shape, or half of it along the first axis."""
        *grid, c = shape = self.shapes[x]
        kind = self.rng.choice(["relu", "norm", "pool", "prelu", "group", "permuted", "cube", "residual"])
        if kind == "norm":
            made = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)[len(grid) - 1](c)
            return self.add("{0} -> batchnorm", (x,), shape, None, made)
        if kind == "pool" and grid[0] % 2 == 0:
            size = (2, *(1 for _ in grid[1:]))
            pool = (F.max_pool1d, F.max_pool2d, F.max_pool3d)[len(grid) - 1]
            text = f"{{0}} -> maxpool({'x'.join(map(str, size))})"
            return self.add(text, (x,), (grid[0] // 2, *grid[1:], c), lambda v: pool(v, size))
        if kind == "prelu":
            return self.add("{0} -> prelu", (x,), shape, None, nn.PReLU(c))
        if kind == "group":
            return self.add("{0} -> groupnorm(1)", (x,), shape, None, nn.GroupNorm(1, c))
        if kind == "cube":
            axes = ", ".join(map(str, range(len(shape))))
            return self.add(f"{{0}} -> layernorm(axes=({axes}))", (x,), shape, None, nn.LayerNorm((c, *grid)))
        if kind == "permuted" and len(grid) == 2:
            return self.add("{0} -> permute(1, 0, 2)", (x,), (grid[1], grid[0], c), lambda v: v.transpose(2, 3))
        if kind == "residual":
            return self.add("{0} + {1}", (x, self.conv(x, c)), shape, lambda a, b: a + b)
        return self.add("{0} -> relu", (x,), shape, torch.relu)

    def flatten(self, x):
        shape = self.shapes[x]
        size = 1
        for n in shape:
            size *= n
        word = self.rng.choice(["flatten", "flatten", f"reshape({size})", "reshape(-1)"])
        return self.add(f"{{0}} -> {word}", (x,), (size,), lambda v: v.flatten(1))

    # --- vectors ------------------------------------------------------------------------------------------------------

    def dense(self, x, units=None):
        units = units or self.rng.choice([3, 5, 8])
        *front, n = self.shapes[x]
        return self.add(f"{{0}} -> dense({units})", (x,), (*front, units), None, nn.Linear(n, units))

    def on_vector(self, x):
        """A vector, mostly of the same size."""
        (n,) = shape = self.shapes[x]
        kind = self.rng.choice(
            ["relu", "norm", "layernorm", "prelu", "softmax", "residual", "gate", "dropout", "scale"]
        )
        if kind == "norm":
            return self.add("{0} -> batchnorm", (x,), shape, None, nn.BatchNorm1d(n))
        if kind == "layernorm" and n > 1:
            return self.add("{0} -> layernorm", (x,), shape, None, nn.LayerNorm(n))
        if kind == "prelu":
            return self.add("{0} -> prelu", (x,), shape, None, nn.PReLU(n))
        if kind == "softmax":
            return self.add("{0} -> softmax", (x,), shape, lambda v: v.softmax(-1))
        if kind == "residual":
            return self.add("add({0}, {1})", (x, self.dense(x, n)), shape, lambda a, b: a + b)
        if kind == "gate":
            gate = self.add("{0} -> sigmoid", (self.dense(x, n),), shape, torch.sigmoid)
            return self.add("{0} * {1}", (x, gate), shape, lambda a, b: a * b)
        if kind == "dropout":
            return self.add("{0} -> dropout(0.3)", (x,), shape, lambda v: v)
        if kind == "scale":
            return self.add("{0} / (1 + sum({0} * {0}, axis=-1, keepdims=true))", (x,), shape, _scaled)
        return self.add("{0} -> relu", (x,), shape, torch.relu)

    def looks(self, x):
        """Something that looks at the order: netspec is to refuse it, where that is another one."""
        (n,) = self.shapes[x]
        if n % 2 == 0 and self.rng.random() < 0.5:
            return self.add("{0} -> glu", (x,), (n // 2,), lambda v: F.glu(v, -1))
        k = n // 2
        return self.add(f"{{0}}[:{k}]", (x,), (k,), lambda v: v[:, :k])

    def concat(self, *xs):
        size = sum(self.shapes[x][0] for x in xs)
        names = ", ".join(f"{{{k}}}" for k in range(len(xs)))
        return self.add(f"concat({names})", xs, (size,), lambda *vs: torch.cat(vs, 1))

    def part(self, x, start, stop):
        return self.add(f"{{0}}[{start}:{stop}]", (x,), (stop - start,), lambda v: v[:, start:stop])

    def repeat(self, x, times):
        """A residual block of layers, several times over."""
        (n,) = self.shapes[x]
        inner = nn.ModuleList(nn.Linear(n, n) for _ in range(times))
        self.module.add_module("loop", inner)
        name = f"v{len(self.module.steps)}"
        self.lines.append(f"{name} = {x} -> {{ repeat {times} {{ add(identity, dense({n}) as loop -> tanh) }} }}")
        self.module.steps.append((name, (x,), lambda v: _looped(inner, v)))
        self.shapes[name] = (n,)
        return name

    # --- vectors as maps, maps as sequences ---------------------------------------------------------------------------

    def unflatten(self, x, grid, c):
        shape = (*grid, c)
        return self.add(f"{{0}} -> reshape({', '.join(map(str, shape))})", (x,), shape, lambda v: v.view(-1, c, *grid))

    def deconv(self, x, filters):
        *grid, c = self.shapes[x]
        made = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)[len(grid) - 1](c, filters, 2, stride=2)
        window = "x".join("2" * len(grid))
        text = f"{{0}} -> conv_transpose({filters}, {window}, stride=2)"
        return self.add(text, (x,), (*(2 * n for n in grid), filters), None, made)

    def columns(self, x):
        """The columns of a map as a sequence, as in a CRNN."""
        h, w, c = self.shapes[x]
        text = f"{{0}} -> permute(1, 0, 2) -> reshape({w}, {h * c})"
        return self.add(text, (x,), (w, h * c), lambda v: v.permute(0, 3, 1, 2).flatten(2))

    def patches(self, x):
        """The cells of a map as a sequence, as in a ViT."""
        h, w, c = self.shapes[x]
        return self.add(f"{{0}} -> reshape({h * w}, {c})", (x,), (h * w, c), lambda v: v.flatten(2).transpose(1, 2))

    def over_time(self, x):
        t, n = self.shapes[x]
        kind = self.rng.choice(["lstm", "gru", "birnn", "dense", "attention", "layernorm"])
        if kind == "dense":
            return self.dense(x, 4)
        if kind == "layernorm" and n > 1:
            return self.add("{0} -> layernorm", (x,), (t, n), None, nn.LayerNorm(n))
        if kind == "attention":
            made = nn.MultiheadAttention(n, 1, batch_first=True)
            return self.add("{0} -> multihead_attention(1)", (x,), (t, n), lambda v: made(v, v, v)[0], made)
        if kind == "birnn":
            made = nn.LSTM(n, 3, batch_first=True, bidirectional=True)
            text = "{0} -> bidirectional(lstm(3, return=sequence))"
            return self.add(text, (x,), (t, 6), lambda v: made(v)[0], made)
        made = (nn.LSTM if kind == "lstm" else nn.GRU)(n, 3, batch_first=True)
        return self.add(f"{{0}} -> {kind}(3, return=sequence)", (x,), (t, 3), lambda v: made(v)[0], made)

    # --- blocks -------------------------------------------------------------------------------------------------------

    def block(self, x, inside):
        """What `inside` does to a value, in a block of its own."""
        name = f"part{len(self.writer.blocks)}"
        body = Body(self.rng, self.writer)
        self.writer.blocks.append("")
        place = len(self.writer.blocks) - 1
        out = inside(body, body.input(self.shapes[x], [f"n{axis}" for axis in range(len(self.shapes[x]))]))
        lines = "\n".join(f"  {line}" for line in (*body.lines, out))
        self.writer.blocks[place] = f"block {name} {{\n{lines}\n}}\n"
        return self.add(f"{{0}} -> {name}", (x,), body.shapes[out], None, body.module)


def _scaled(v):
    return v / (1 + (v * v).sum(-1, keepdim=True))


def _looped(layers, v):
    for layer in layers:
        v = v + torch.tanh(layer(v))
    return v


class Writer:
    """A random module with its spec."""

    def __init__(self, rng):
        self.rng, self.blocks = rng, []
        self.body = Body(rng, self)
        kinds = (_head, _head, _joined, _decoder, _columns, _patches, _sequence, _shared, _autoencoder, _residual_map)
        self.kind = rng.choice(kinds)
        self.out = self.kind(self, self.body)
        self.module = self.body.module.eval()

    @property
    def spec(self):
        lines = "\n".join(f"  {line}" for line in (*self.body.lines, f"output {self.out}"))
        return "".join(self.blocks) + f"net random {{\n{lines}\n}}\n"

    def tensors(self, batch=2):
        shapes = [self.body.shapes[name] for name in self.body.module.inputs]
        return [torch.randn(batch, *((s[-1], *s[:-1]) if len(s) > 2 else s)) for s in shapes]


def _image(rng, body):
    rank = rng.choice([2, 2, 2, 3])
    shape = (*(rng.choice([2, 3, 4, 5]) for _ in range(rank)), rng.choice([1, 2, 3]))
    x = body.conv(body.input(shape))
    for _ in range(rng.randrange(3)):
        x = body.on_map(x)
    return x


def _tail(rng, body, x, most=3):
    for _ in range(rng.randrange(most)):
        x = body.on_vector(x)
    if rng.random() < 0.1:
        x = body.looks(x)
    if rng.random() < 0.2:
        x = body.repeat(x, 2)
    return body.dense(x)


def _head(writer, body):
    """Convolutions and a head, of which any part may be a block."""
    rng, x = writer.rng, _image(writer.rng, body)
    way = rng.randrange(4)
    if way == 0:
        return body.block(x, lambda b, v: _tail(rng, b, b.flatten(v)))
    if way == 1:
        return body.block(body.flatten(x), lambda b, v: _tail(rng, b, v))
    if way == 2:
        return _tail(rng, body, body.block(x, lambda b, v: b.on_vector(b.flatten(v))))
    return _tail(rng, body, body.flatten(x))


def _joined(writer, body):
    """Several flattened maps and vectors side by side, and parts of them."""
    rng = writer.rng
    parts = [body.flatten(_image(rng, body)) for _ in range(rng.choice([1, 2]))]
    parts += [body.input((rng.choice([2, 3]),)) for _ in range(rng.choice([0, 1]))]
    rng.shuffle(parts)
    x = body.concat(*parts) if len(parts) > 1 else parts[0]
    if rng.random() < 0.3 and len(parts) > 1:
        first = body.shapes[parts[0]][0]
        return body.concat(body.dense(body.part(x, 0, first)), _tail(rng, body, x))
    return _tail(rng, body, x)


def _decoder(writer, body):
    """A vector becomes a map."""
    rng = writer.rng
    grid, c = [rng.choice([2, 3, 4]) for _ in range(rng.choice([2, 2, 3]))], rng.choice([2, 3, 4])
    size = c
    for n in grid:
        size *= n
    x = body.dense(body.input((4,)), size)
    if rng.random() < 0.5:
        return body.block(x, lambda b, v: b.deconv(b.unflatten(v, grid, c), 2))
    for _ in range(rng.randrange(3)):
        x = body.on_vector(x)
    if rng.random() < 0.1:
        x = body.dense(body.looks(x), size)
    x = body.unflatten(x, grid, c)
    return body.deconv(body.on_map(x) if rng.random() < 0.5 else x, rng.choice([1, 3]))


def _columns(writer, body):
    rng = writer.rng
    x = body.conv(body.input((rng.choice([2, 4]), rng.choice([3, 5]), rng.choice([1, 2]))))
    x = body.columns(body.on_map(x) if rng.random() < 0.5 else x)
    for _ in range(rng.choice([1, 2])):
        x = body.over_time(x)
    return x if rng.random() < 0.5 else _tail(rng, body, body.flatten(x))


def _patches(writer, body):
    rng = writer.rng
    x = body.patches(body.conv(body.input((rng.choice([2, 4]), rng.choice([3, 5]), rng.choice([1, 2])))))
    x = body.over_time(x)
    return _tail(rng, body, body.flatten(x))


def _sequence(writer, body):
    """What is a sequence from the start is flattened as it is."""
    rng = writer.rng
    x = body.over_time(body.input((rng.choice([3, 4]), rng.choice([2, 5]))))
    return _tail(rng, body, body.flatten(x))


def _shared(writer, body):
    """One layer on two flattened maps, or on one and on a vector of its size, for which there is no order."""
    rng = writer.rng
    shape = (rng.choice([2, 3]), rng.choice([2, 4]), 2)
    x = body.flatten(body.conv(body.input(shape), 3))
    (n,) = body.shapes[x]
    other = body.input((n,)) if rng.random() < 0.4 else body.flatten(body.conv(body.input(shape), 3))
    layer = nn.Linear(n, 4)
    body.module.add_module("both", layer)
    body.lines.append("layer both = dense(4)")
    one = body.add("{0} -> both", (x,), (4,), layer)
    two = body.add("{0} -> both", (other,), (4,), layer)
    return body.add("{0} - {1}", (one, two), (4,), lambda a, b: a - b)


def _autoencoder(writer, body):
    """A map, a vector in between, and a map again."""
    rng = writer.rng
    x = _image(rng, body)
    *grid, c = body.shapes[x]
    x = body.flatten(x)
    (n,) = body.shapes[x]
    x = body.on_vector(x)
    if rng.random() < 0.5:
        x = body.dense(body.dense(x, 3), n)
    return body.deconv(body.unflatten(x, grid, c), 2)


def _residual_map(writer, body):
    """A gate for each number of a map, made of all of them."""
    rng = writer.rng
    x = _image(rng, body)
    *grid, c = body.shapes[x]
    flat = body.flatten(x)
    gate = body.unflatten(body.dense(body.on_vector(flat), body.shapes[flat][0]), grid, c)
    both = body.add("{0} * {1}", (x, gate), body.shapes[x], lambda a, b: a * b)
    return body.deconv(both, 2) if rng.random() < 0.5 else _tail(rng, body, body.flatten(both))
