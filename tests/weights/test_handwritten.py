"""Weights of PyTorch modules that people wrote: they land where they belong, or are refused."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch
from handwritten import Writer
from torch import nn

import netspec
from netspec.weights.convert import read_weights

# of numbers of about 1
CLOSE = 1e-5


def fill(module):
    """Random numbers for all that a module holds, so that nothing is as it begins."""
    for name, array in module.state_dict().items():
        if array.dtype.is_floating_point:
            array.copy_(torch.rand_like(array) + 0.5 if "var" in name else 0.5 * torch.randn_like(array))
    return module.eval()


def last(array):
    """A map with its channels last, as an array; vectors and sequences are as they are."""
    array = array.detach().numpy()
    return np.moveaxis(array, 1, -1) if array.ndim > 3 else array


def off(one, other):
    assert one.shape == other.shape
    return float(np.abs(one - other).max() / max(1, np.abs(one).max()))


class Carried:
    """A module, its spec, and what comes of weights that are read from its file."""

    def __init__(self, spec, module, inputs, folder):
        self.module, self.inputs, self.net = fill(module), inputs, netspec.parse(spec)
        self.path = folder / "weights.pth"
        torch.save(self.module.state_dict(), self.path)
        with torch.no_grad():
            self.wanted = self.module(*inputs)

    def read(self):
        return self.net.load_weights(self.path)

    def in_numpy(self):
        return off(last(self.wanted), self.net.reference(self.read())(*map(last, self.inputs)))

    def in_pytorch(self):
        """The generated code takes the module's own arrays under their own names."""
        made = self.net.torch().eval()
        made.load_state_dict(self.module.state_dict())
        with torch.no_grad():
            return off(self.wanted.numpy(), made(*self.inputs).numpy())

    def in_keras(self):
        given = [torch.from_numpy(np.ascontiguousarray(last(x))).numpy() for x in self.inputs]
        made = self.net.keras(weights=self.read())
        return off(last(self.wanted), np.asarray(made(given if len(given) > 1 else given[0])))


def codes(carried):
    """Those of the diagnostics with which weights are refused."""
    try:
        carried.read()
    except netspec.SpecError as refused:
        return [d.code for d in refused.diagnostics]
    return []


def random_one(seed, folder):
    torch.manual_seed(seed)
    writer = Writer(random.Random(seed))
    return Carried(writer.spec, writer.module, writer.tensors(), folder), writer.spec


def verdict(seed, folder):
    """Whether the weights of a random module are read, which is right to the last digits, or refused."""
    carried, spec = random_one(seed, folder)
    if codes(carried):
        assert set(codes(carried)) == {"unknown-order"}, spec
        return "refused"
    assert carried.in_numpy() < CLOSE, spec
    assert carried.in_pytorch() < CLOSE, spec
    return "read"


@pytest.mark.parametrize("start", range(0, 40, 10))
def test_random_modules(start, tmp_path):
    found = [verdict(seed, tmp_path) for seed in range(start, start + 10)]
    assert found.count("read") >= 6


@pytest.mark.sweep
def test_three_hundred_random_modules(tmp_path):
    found = [verdict(seed, tmp_path) for seed in range(1000, 1300)]
    assert found.count("read") >= 240


@pytest.mark.sweep
@pytest.mark.parametrize("seed", range(40))
def test_random_modules_in_keras(seed, tmp_path):
    carried, spec = random_one(seed, tmp_path)
    assert codes(carried) or carried.in_keras() < CLOSE, spec


# --- one by one -------------------------------------------------------------------------------------------------------


class Classifier(nn.Module):
    """A convolution of [6, 5, 3] to four channels, flattened, and what stands behind; `behind` is over `self`."""

    def __init__(self, behind, **layers):
        super().__init__()
        self.c = nn.Conv2d(3, 4, 3, padding=1)
        self.behind = behind
        for name, layer in layers.items():
            setattr(self, name, layer)

    def forward(self, x, *others):
        return self.behind(self, self.c(x), *others)


FRONT = "input image [6, 5, 3]; conv(4, 3x3, padding=1) as c"
NORMED = "net n { " + FRONT + " -> flatten -> batchnorm as n -> dense(5) as d }"
HEAD = """
block head(classes) { flatten -> dropout(0.2) -> dense(8, activation=relu) as a -> dense(classes) as b }
net n { input image [6, 5, 3]; conv(4, 3x3, padding=1) as c -> head(5) as h }
"""
TAIL = """
block tail { input v [n]; v -> relu -> dense(5) as d }
net n { input image [6, 5, 3]; conv(4, 3x3, padding=1) as c -> flatten -> tail as t }
"""
TWICE = "net n { " + FRONT + " -> flatten as f; concat(f, dense(7) as e) -> dense(5) as d }"
RESIDUAL = "net n { " + FRONT + " -> flatten -> add(identity, dense(120) as e) -> dense(5) as d }"
SLICED = "net n { " + FRONT + " -> flatten as f; f[:60] -> dense(5) as d }"


class Nested(nn.Module):
    def __init__(self, forward, **layers):
        super().__init__()
        self.run = forward
        for name, layer in layers.items():
            setattr(self, name, layer)

    def forward(self, x):
        return self.run(self, x)


def behind(layer):
    """`FRONT`, a flatten, one more layer and a dense one."""
    return f"net n {{ {FRONT} -> flatten -> {layer} as p -> dense(5) as d }}"


CARRIED = {
    "a head in a block": (
        HEAD,
        lambda: Classifier(
            lambda m, x: m.h(x),
            h=Nested(lambda m, x: m.b(m.a(x.flatten(1)).relu()), a=nn.Linear(120, 8), b=nn.Linear(8, 5)),
        ),
    ),
    "a dense layer in a block": (
        TAIL,
        lambda: Classifier(lambda m, x: m.t(x.flatten(1)), t=Nested(lambda m, x: m.d(x.relu()), d=nn.Linear(120, 5))),
    ),
    "a norm": (
        NORMED,
        lambda: Classifier(lambda m, x: m.d(m.n(x.flatten(1))), n=nn.BatchNorm1d(120), d=nn.Linear(120, 5)),
    ),
    "prelu": (
        behind("prelu"),
        lambda: Classifier(lambda m, x: m.d(m.p(x.flatten(1))), p=nn.PReLU(120), d=nn.Linear(120, 5)),
    ),
    "softmax": (
        behind("softmax"),
        lambda: Classifier(lambda m, x: m.d(x.flatten(1).softmax(1)), d=nn.Linear(120, 5)),
    ),
    "maxout": (
        behind("maxout(4)"),
        lambda: Classifier(
            lambda m, x: m.d(m.p(x.flatten(1)).unflatten(1, (4, 2)).amax(-1)), p=nn.Linear(120, 8), d=nn.Linear(4, 5)
        ),
    ),
    "two uses": (
        TWICE,
        lambda: Classifier(
            lambda m, x: m.d(torch.cat([x.flatten(1), m.e(x.flatten(1))], 1)),
            e=nn.Linear(120, 7),
            d=nn.Linear(127, 5),
        ),
    ),
    "a residual": (
        RESIDUAL,
        lambda: Classifier(
            lambda m, x: m.d(x.flatten(1) + m.e(x.flatten(1))), e=nn.Linear(120, 120), d=nn.Linear(120, 5)
        ),
    ),
    "glu in the language's order": (
        behind("glu").replace("flatten", "permute(2, 0, 1) -> flatten"),
        lambda: Classifier(lambda m, x: m.d(nn.functional.glu(x.flatten(1), 1)), d=nn.Linear(60, 5)),
    ),
    "a slice in the language's order": (
        SLICED.replace("flatten", "permute(2, 0, 1) -> flatten"),
        lambda: Classifier(lambda m, x: m.d(x.flatten(1)[:, :60]), d=nn.Linear(60, 5)),
    ),
}


@pytest.mark.parametrize("name", CARRIED)
def test_behind_a_flatten(name, tmp_path):
    spec, module = CARRIED[name]
    torch.manual_seed(0)
    carried = Carried(spec, module(), [torch.randn(2, 3, 6, 5)], tmp_path)
    assert carried.in_numpy() < CLOSE
    assert carried.in_pytorch() < CLOSE


def test_an_order_that_is_looked_at_is_refused(tmp_path):
    module = Classifier(lambda m, x: m.d(nn.functional.glu(x.flatten(1), 1)), d=nn.Linear(60, 5))
    carried = Carried(behind("glu"), module, [torch.randn(2, 3, 6, 5)], tmp_path)
    with pytest.raises(netspec.SpecError) as caught:
        carried.read()
    (found,) = caught.value.diagnostics
    assert (found.code, found.primary.span.text, found.others[0].span.text) == ("unknown-order", "flatten", "glu")
    assert "permute(2, 0, 1) -> flatten" in found.help


def test_the_same_weight_in_two_orders_is_refused(tmp_path):
    front = FRONT.replace("; conv", "; input v [120]; image -> conv")
    spec = f"net n {{ {front} -> flatten as f; layer d = dense(5); d(f) + d(v) }}"
    module = Classifier(lambda m, x, v: m.d(x.flatten(1)) + m.d(v), d=nn.Linear(120, 5))
    carried = Carried(spec, module, [torch.randn(2, 3, 6, 5), torch.randn(2, 120)], tmp_path)
    assert codes(carried) == ["unknown-order"]


def test_generated_code_is_right_where_others_are_refused(tmp_path):
    """Its own files are the form `built`."""
    net = netspec.parse(behind("glu"))
    module = fill(net.torch())
    torch.save(module.state_dict(), tmp_path / "weights.pth")
    x = torch.randn(2, 3, 6, 5)
    weights = net.load_weights(tmp_path / "weights.pth", form="built")
    with torch.no_grad():
        assert off(module(x).numpy(), net.reference(weights)(last(x))) < CLOSE
    net.save_weights(tmp_path / "again.safetensors", weights, form="built")
    again = net.load_weights(tmp_path / "again.safetensors", form="built")
    assert all(np.array_equal(weights[path], again[path]) for path in weights)
    with pytest.raises(netspec.SpecError):
        net.save_weights(tmp_path / "again.pth", weights)


@pytest.mark.parametrize("shape", [(6, 5, 3), (4, 4, 4), (5, 3), (2, 3, 4, 5)])
def test_a_norm_over_a_whole_map(shape, tmp_path):
    """The shape of a cube does not tell the order of its axes."""
    *grid, c = shape
    rank = len(grid)
    conv = (nn.Conv1d, nn.Conv2d, nn.Conv3d)[rank - 1](c, c, 1)
    spec = f"net n {{ input x [{', '.join(map(str, shape))}]; conv({c}, {'x'.join('1' * rank)}) as c"
    spec += f" -> layernorm(axes=({', '.join(map(str, range(len(shape))))})) as n -> flatten -> dense(2) as d }}"
    size = int(np.prod(shape))
    module = Nested(lambda m, x: m.d(m.n(m.c(x)).flatten(1)), c=conv, n=nn.LayerNorm((c, *grid)), d=nn.Linear(size, 2))
    x = torch.randn(2, c, *grid)
    if rank == 1:
        fill(module)
        torch.save(module.state_dict(), tmp_path / "weights.pth")
        net = netspec.parse(spec)
        got = net.reference(net.load_weights(tmp_path / "weights.pth"))(x.transpose(1, 2).numpy())
        assert off(module(x).detach().numpy(), got) < CLOSE
        return
    carried = Carried(spec, module, [x], tmp_path)
    assert carried.in_numpy() < CLOSE
    assert carried.in_pytorch() < CLOSE


@pytest.mark.parametrize(("shape", "refused"), [((4, 4, 4), True), ((6, 5, 4), False)])
def test_a_weight_of_ones_own_beside_a_map(shape, refused, tmp_path):
    """A cube does not tell the order of its axes; of other shapes one with the channels first does not fit."""
    *grid, c = shape
    sizes = ", ".join(map(str, shape))
    spec = f"net n {{ input x [{sizes}]; weight w [{sizes}]; x -> conv({c}, 1x1) as c -> add(identity, w) }}"
    net = netspec.parse(spec)
    module = Nested(lambda m, x: m.c(x) + m.w, c=nn.Conv2d(c, c, 1), w=nn.Parameter(torch.zeros(c, *grid)))
    torch.save(fill(module).state_dict(), tmp_path / "weights.pth")
    with pytest.raises(netspec.SpecError if refused else ValueError, match=r"unknown-order|`w` is \[4, 6, 5\]"):
        net.load_weights(tmp_path / "weights.pth")


def test_numbers_that_are_not_finite_are_told(tmp_path):
    net = netspec.parse("net n { input x [3]; dense(2) as d }")
    arrays = fill(net.torch()).state_dict()
    arrays["d.bias"][0] = float("nan")
    torch.save(arrays, tmp_path / "weights.pth")
    assert read_weights(net.checked, str(tmp_path / "weights.pth")).notes == (
        "NaN or infinite numbers are in `d.bias`",
    )
