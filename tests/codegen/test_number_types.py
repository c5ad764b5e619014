"""PyTorch code in other types: every layer runs after `.half()`, `.to(torch.bfloat16)` and `.double()`."""

from __future__ import annotations

import harness  # noqa: F401  # first: it chooses the Keras backend
import numpy as np
import pytest
import torch
from checking import check, torch_code
from harness import build, load_torch, shapes_of, to_first, torch_built
from test_layers import EXAMPLES, at_of, numbers

from netspec.runtime.code import run

TYPES = {"half": torch.float16, "bfloat16": torch.bfloat16, "double": torch.float64}
# how far numbers may be from those of float64
NEAR = {"half": 0.05, "bfloat16": 0.3, "double": 1e-5}


@pytest.mark.parametrize("word", TYPES)
@pytest.mark.parametrize(("cls", "example"), EXAMPLES)
def test_of_every_layer(cls, example, word):
    layer, shapes = build(example.code), shapes_of(example)
    if "torch" in example.refused:
        pytest.skip("PyTorch has no form of it")
    first = layer.layout == "first"
    xs, arrays, _ = numbers(layer, cls, example, layer.static_batch or 2)
    exact, other = (torch_built(layer, at_of(layer, shapes, first)) for _ in range(2))
    for built in (exact, other):
        load_torch(built, layer.weights(*shapes), arrays)
    wanted = results(exact, xs, first, torch.float64)
    if lacks_kernel(layer, shapes[0], word):
        with pytest.raises(NotImplementedError, match="avg_pool3d"):
            results(other, xs, first, TYPES[word])
        return
    found = results(other, xs, first, TYPES[word])
    for one, right in zip(found, wanted, strict=True):
        assert one.is_floating_point() == right.is_floating_point()
        if one.is_floating_point() and not is_told(layer):
            assert one.dtype == TYPES[word]
            scale = max(1.0, float(right.abs().max()))
            assert float((one.double() - right).abs().max()) / scale < NEAR[word]


def is_told(layer):
    """Does the spec say the type?"""
    return layer.kind == "cast" and layer.to not in ("float32", "float")


def lacks_kernel(layer, shape, word):
    """Does it take averages in three directions, which PyTorch does on a CPU in 32 and 64 bits only?"""
    in_space = layer.kind in ("avgpool", "lppool") and len(shape) == 4
    return word != "double" and (in_space or (layer.kind == "local_response_norm" and len(shape) > 2))


def results(built, xs, first, dtype):
    for thing, *_ in built.steps:
        if isinstance(thing, torch.nn.Module):
            thing.to(dtype)
    tensors = [torch.from_numpy(np.ascontiguousarray(to_first(x) if first else x)) for x in xs]
    given = [t.to(dtype) if t.is_floating_point() else t for t in tensors]
    with torch.no_grad():
        y = built.run(given, lambda module, values: module(*values))
    return y if isinstance(y, tuple) else (y,)


NETS = {
    "chosen": """
net m8 { input x [T, 8]; y = x -> dense(4); chosen = y -> argmax -> one_hot(4); y * chosen -> dense(2) }""",
    "masked": "net m { input x [5, 8]; y = x -> dense(8); y * ((y > 0) -> cast(float)) -> dense(2) }",
    "places": """
net p { input x [6] int(9); embedding(9, 8) -> positional_encoding -> multihead_attention(2) -> dense(3) }""",
    "counts": """
cell tally {
  input token
  state seen [1, 4]
  next seen = seen + one_hot(token, 4)
  output next seen
}
net c { input tokens [6, 1] int(4); scan(tally()) -> flatten -> dense(2) }""",
    "noise": """
net n { input x [6, 8]; gaussian_noise(0.1) -> drop_path(0.2) -> spatial_dropout(0.1) -> gru(4) -> dense(2) }""",
}


@pytest.mark.parametrize("word", TYPES)
@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize("training", [False, True])
def test_of_nets(name, word, training):
    net = check(NETS[name])
    assert net.ok, [d.message for d in net.diagnostics]
    model = run(torch_code(net), net.name).to(TYPES[word]).train(training)
    (port,) = net.net.body.inputs
    shape = tuple(n if isinstance(n, int) else 5 for n in port.value.shape)
    whole = port.value.dtype.startswith("int")
    x = torch.randint(0, 4, (3, *shape)) if whole else torch.randn(3, *shape, dtype=TYPES[word])
    y = model(x)
    assert y.dtype == TYPES[word]
    y.sum().backward()
    assert all(p.grad is None or p.grad.dtype == TYPES[word] for p in model.parameters())


def test_positions_are_exact_in_double():
    net = check("net p { input x [300, 6]; positional_encoding }")
    model = run(torch_code(net), net.name).double()
    found = model(torch.zeros(1, 300, 6, dtype=torch.float64))[0].numpy()
    places = np.arange(300)[:, None] / 10000 ** (np.arange(0, 6, 2) / 6)
    np.testing.assert_allclose(found[:, ::2], np.sin(places), atol=1e-12)
