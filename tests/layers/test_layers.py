"""The contract: every layer of the registry, every example, every facet.

PyTorch, Keras and the NumPy reference must agree in shape, count and numbers, on random weights: equal shapes and
counts alone let a transposed kernel or a pad on the wrong side through.
"""

from __future__ import annotations

import ast
import contextlib
import subprocess
import sys

import keras
import numpy as np
import pytest
import torch
from harness import (
    build,
    close,
    count_keras,
    count_torch,
    gives_of,
    keras_model,
    keras_run,
    kinds,
    load_keras,
    load_torch,
    random_inputs,
    random_numbers,
    random_weights,
    settled,
    shapes_of,
    symbolic,
    to_first,
    torch_built,
    torch_run,
)
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from netspec.base.dims import substitute, symbol
from netspec.layers import LAYERS
from netspec.layers.activations import WORDS
from netspec.layers.arguments import REQUIRED, Unsupported, Violation
from netspec.layers.base import At
from netspec.layers.dropout import Noise

# `scan` is no layer, but a way to use a cell
CLASSES = {cls.kind: cls for cls in LAYERS.values() if not cls.calls}
EXAMPLES = [
    pytest.param(cls, example, id=f"{example.code} on {example.shape}")
    for cls in CLASSES.values()
    for example in cls.examples
]


def batches_of(layer):
    """The sizes of batches to try; a layer that remembers is tried once, with the one that it is made for."""
    return (layer.static_batch,) if layer.remembers else (1, 3)


every_class = pytest.mark.parametrize("cls", CLASSES.values(), ids=CLASSES)
every_example = pytest.mark.parametrize(("cls", "example"), EXAMPLES)


def at_of(layer, shapes, first=False):
    return At(shapes, layer.shape(*shapes), first)


def numbers(layer, cls, example, batch):
    """Inputs, weights and the reference's answer, the same each time."""
    rng = np.random.default_rng(batch)
    shapes = shapes_of(example)
    arrays = random_weights(rng, layer.weights(*shapes))
    xs = random_inputs(rng, layer, example, batch)
    return xs, arrays, layer.reference(xs, arrays)


# --- what is declared ------------------------------------------------------------------------------------------------


@every_class
def test_documented(cls):
    assert (cls.__doc__ or "").strip(), "a docstring says what it computes"
    assert cls.__doc__ is not cls.__mro__[1].__doc__
    assert cls.examples, "examples are documentation and test"
    assert cls.torch_layout in ("first", "last", "any")
    for argument in cls.arguments.values():
        assert argument.doc, f"`{argument.name}` has no doc"
        assert argument.reader.doc, f"`{argument.name}` has no doc of its values"


@every_class
def test_examples_move_every_argument(cls):
    layers = [build(example.code) for example in cls.examples]
    for name, argument in cls.arguments.items():
        if argument.default is not REQUIRED:
            assert any(getattr(layer, name) != argument.default for layer in layers), f"no example moves `{name}`"


@every_class
def test_defaults_are_readable(cls):
    """A default is what its reader gives back for it."""
    for argument in cls.arguments.values():
        if argument.default is not REQUIRED and not isinstance(argument.default, str):
            assert argument.reader.read(argument.default) == argument.default


# --- shape, count, cost --------------------------------------------------------------------------------------------


@every_example
def test_shape_and_count(cls, example):
    layer, shapes = build(example.code), shapes_of(example)
    assert isinstance(layer, cls)
    assert layer.shapes(*shapes) == gives_of(example)
    assert layer.shape(*shapes) == gives_of(example)[0]
    learned = [w for w in layer.weights(*shapes) if w.role != "statistic"]
    assert sum(w.size for w in learned) == example.weights
    if cls.pointwise:
        assert example.gives == shapes[0]
    hash(layer)


@every_example
def test_symbols(cls, example):
    """Sizes that are not known give the same shape, once they are known."""
    layer, shapes = build(example.code), shapes_of(example)
    unknown, values = symbolic(shapes)
    try:
        ys = layer.shapes(*unknown)
    except Violation as fault:
        if fault.code != "unknown-size":
            raise
        return
    gives = gives_of(example)
    assert tuple(settled(y, values) for y in ys) == gives
    macs = layer.macs(unknown, ys[0])
    assert substitute(macs, values) == layer.macs(shapes, gives[0])
    assert substitute(layer.other_ops(unknown, ys[0]), values) == layer.other_ops(shapes, gives[0])


@every_example
def test_macs(cls, example):
    layer, shapes = build(example.code), shapes_of(example)
    macs = layer.macs(shapes, gives_of(example)[0])
    if example.macs is not None:
        assert macs == example.macs
        return
    if "torch" in example.refused:
        pytest.skip("PyTorch has no form to count")
    first = layer.layout == "first"
    built = torch_built(layer, at_of(layer, shapes, first))
    xs, _, _ = numbers(layer, cls, example, 1)
    # the counter knows no fused attention, so attention is done in its parts
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
            torch_run(built, xs, first)
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)
    assert macs == counter.get_total_flops() / 2


@every_example
def test_reach(cls, example):
    shape = shapes_of(example)[0]
    field = build(example.code).reach(shape)
    if field is not None:
        window, stride = field
        assert len(window) == len(stride)
        assert all(n >= 1 for n in stride)
        # where the grid becomes finer, some cells may see nothing
        assert all(n >= 1 or finer > 1 for n, finer in zip(window, build(example.code).finer(shape)))


# --- the frameworks ------------------------------------------------------------------------------------------------


def layouts(layer, shapes, y):
    """The PyTorch layouts in which a layer must work; only values of two axes and more have one."""
    if all(len(shape) < 2 for shape in (*shapes, *y)):
        return (False,)
    return {"first": (True,), "last": (False,), "any": (False, True)}[layer.layout]


def symbolic_at(layer, shapes, first=False):
    """The same place with symbols for sizes; None where the layer's shape or weights need the numbers."""
    unknown, values = symbolic(shapes)
    try:
        at = At(unknown, layer.shape(*unknown), first)
    except Violation as fault:
        if fault.code != "unknown-size":
            raise
        return None
    fixed = all(isinstance(n, int) for weight in layer.weights(*unknown) for n in weight.shape)
    return at if values and fixed else None


@every_example
def test_sizes_that_nobody_knows(cls, example):
    """Where no size is known, not even that of the channels, there is code, or a reason why not."""
    layer, shapes = build(example.code), shapes_of(example)
    unknown = tuple(tuple(n if n == 1 else symbol(f"S{n}") for n in shape) for shape in shapes)
    for first in (False, True):
        for form in (layer.torch, layer.keras):
            with contextlib.suppress(Violation, Unsupported):
                at = At(unknown, layer.shape(*unknown), first)
                form(at)
                assert all(isinstance(n, int) for w in layer.weights(*unknown) for n in w.shape)


@every_example
def test_torch(cls, example):
    layer, shapes = build(example.code), shapes_of(example)
    if "torch" in example.refused:
        with pytest.raises(Unsupported):
            layer.torch(at_of(layer, shapes, layer.layout == "first"))
        return
    for first in layouts(layer, shapes, gives_of(example)):
        use = layer.torch(at_of(layer, shapes, first))
        both = any(step.make is not None and step.call is not None for step in use.steps)
        for prefer in ("call", "make") if both else ("call",):
            built = torch_built(layer, at_of(layer, shapes, first), prefer)
            check_torch(layer, cls, example, built, first)


def check_torch(layer, cls, example, built, first):
    weights = layer.weights(*shapes_of(example))
    assert count_torch(built) == example.weights
    for batch in batches_of(layer):
        xs, arrays, expected = numbers(layer, cls, example, batch)
        load_torch(built, weights, arrays)
        close(torch_run(built, xs, first, layer.keeps_channels(shapes_of(example)[0])), expected)
        expected = expected if isinstance(expected, tuple) else (expected,)
        assert tuple(y.shape for y in expected) == tuple((batch, *shape) for shape in gives_of(example))


@every_example
def test_torch_symbols(cls, example):
    """Code for sizes that are not known gives the same numbers, or is refused."""
    layer, shapes = build(example.code), shapes_of(example)
    first = True in layouts(layer, shapes, gives_of(example))
    at = symbolic_at(layer, shapes, first)
    if at is None:
        return
    try:
        built = torch_built(layer, at)
    except Unsupported:
        return
    check_torch(layer, cls, example, built, first)


@every_example
def test_keras(cls, example):
    layer, shapes = build(example.code), shapes_of(example)
    at = at_of(layer, shapes)
    if "keras" in example.refused:
        with pytest.raises(Unsupported):
            layer.keras(at)
        return
    use = layer.keras(at)
    both = any(step.make is not None and step.call is not None for step in use.steps)
    for prefer in ("call", "make") if both else ("make",):
        check_keras(layer, cls, example, at, prefer)


def check_keras(layer, cls, example, at, prefer):
    model, built = keras_model(layer, at, kinds(layer, example), prefer)
    given = model.output_shape if isinstance(model.output_shape, list) else [model.output_shape]
    told = layer.shapes(*at.inputs)
    assert given == [(layer.static_batch, *(n if isinstance(n, int) else None for n in shape)) for shape in told]
    assert count_keras(built) == example.weights
    weights = layer.weights(*shapes_of(example))
    for batch in batches_of(layer):
        xs, arrays, expected = numbers(layer, cls, example, batch)
        load_keras(built, weights, arrays)
        close(keras_run(model, xs), expected)


@every_example
def test_keras_symbols(cls, example):
    layer, shapes = build(example.code), shapes_of(example)
    at = symbolic_at(layer, shapes)
    if at is None:
        return
    try:
        layer.keras(at)
    except Unsupported:
        return
    check_keras(layer, cls, example, at, "make")


# --- words of `activation=` ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize(
    ("code", "shape"), [("dense(6, activation={})", (6,)), ("conv(4, 3, activation={})", (7, 6, 3))]
)
def test_fused_activation(word, code, shape):
    """A word behind a weighted layer is the layer of that name, in both frameworks."""
    layer, plain = build(code.format(word)), build(code.format("none"))
    at = At((shape,), layer.shape(shape), len(shape) > 1)
    rng = np.random.default_rng(0)
    arrays = random_weights(rng, layer.weights(shape))
    xs = random_numbers(rng, (shape,), 2)
    expected = build(word).reference((plain.reference(xs, arrays),), {})
    close(layer.reference(xs, arrays), expected)
    built = torch_built(layer, at)
    load_torch(built, layer.weights(shape), arrays)
    close(torch_run(built, xs, at.first), expected)
    model, parts = keras_model(layer, At((shape,), at.output))
    load_keras(parts, layer.weights(shape), arrays)
    close(keras_run(model, xs), expected)


# --- training --------------------------------------------------------------------------------------------------------

NOISES = [cls for cls in CLASSES.values() if issubclass(cls, Noise)]


def in_training(layer, x):
    """What both frameworks give in training, in the language's order."""
    first = layer.layout == "first"
    at = At((x.shape[1:],), x.shape[1:], first)
    built = torch_built(layer, at)
    for module in built.modules.values():
        module.train()
    torch.manual_seed(0)
    keras.utils.set_random_seed(0)
    model, _ = keras_model(layer, at)
    return torch_run(built, (x,), first), np.array(model(x.astype(np.float32), training=True))


@pytest.mark.parametrize("cls", NOISES, ids=lambda cls: cls.kind)
def test_no_noise_at_zero(cls):
    x = np.random.default_rng(0).standard_normal((3, 5, 4, 2))
    for y in in_training(build(f"{cls.kind}(0)"), x):
        close(y, x)


@pytest.mark.parametrize("cls", NOISES, ids=lambda cls: cls.kind)
def test_noise_keeps_the_mean(cls):
    x = np.ones((400, 8, 8, 8)) if cls.kind != "alpha_dropout" else np.zeros((400, 8, 8, 8))
    spreads = []
    for y in in_training(build(f"{cls.kind}(0.4)"), x):
        assert abs(y.mean() - x.mean()) < 0.1
        assert y.std() > 0.1
        spreads.append(y.std())
    assert abs(spreads[0] - spreads[1]) < 0.1


def test_attention_drops_weights():
    """`multihead_attention` drops a share of its weights in training, in both frameworks, and none otherwise."""
    layer, shape = build("multihead_attention(2, dropout=0.5)"), (6, 4)
    x, at = np.ones((2, *shape)), At((shape,), shape)
    built, (model, parts) = torch_built(layer, at), keras_model(layer, at)
    arrays = random_weights(np.random.default_rng(0), layer.weights(shape))
    load_torch(built, layer.weights(shape), arrays)
    load_keras(parts, layer.weights(shape), arrays)
    still = layer.reference((x,), arrays)
    built.modules[""].train()
    for y in (torch_run(built, (x,), False), np.array(model(x.astype(np.float32), training=True))):
        assert abs(y - still).max() > 0.1


def test_what_is_dropped_together():
    """`drop_path` drops samples, `spatial_dropout` channels of a sample."""
    x = np.ones((60, 4, 4, 8))
    for y in in_training(build("drop_path(0.4)"), x):
        assert {len(set(sample.ravel().round(4))) for sample in y} == {1}
    for y in in_training(build("spatial_dropout(0.4)"), x):
        assert len({len(set(sample.ravel())) for sample in y}) == 1
        assert all(len(set(y[n, :, :, c].ravel())) == 1 for n in range(60) for c in range(8))


@pytest.mark.parametrize("code", ["batchnorm", "batchnorm(momentum=0.99)", "batchnorm(momentum=0.8)"])
def test_running_statistics(code):
    """One step of training keeps the share `momentum` of the old mean in both frameworks."""
    layer, shape = build(code), (5, 4)
    x = np.random.default_rng(0).standard_normal((6, *shape)) + 3
    built = torch_built(layer, At((shape,), shape, True))
    built.modules[""].train()
    torch_run(built, (x,), True)
    model, parts = keras_model(layer, At((shape,), shape))
    model(x.astype(np.float32), training=True)
    for mean in (built.modules[""].running_mean.numpy(), np.array(parts.modules[""].moving_mean)):
        np.testing.assert_allclose(mean, (1 - layer.momentum) * x.mean((0, 1)), rtol=1e-4)


# --- types and helpers -----------------------------------------------------------------------------------------------


@every_example
def test_types(cls, example):
    """Both frameworks give the type of number that the layer says (PyTorch counts in int64)."""
    layer, shapes = build(example.code), shapes_of(example)
    xs, _, _ = numbers(layer, cls, example, 1)
    given = kinds(layer, example)
    expected = layer.dtype(*given)
    at = at_of(layer, shapes)
    if "keras" not in example.refused:
        model, _ = keras_model(layer, at, given)
        assert {y.dtype for y in model.outputs} == {expected}
    if "torch" not in example.refused and layer.layout != "first":
        results = torch_run(torch_built(layer, at), xs, False)
        (found,) = {y.dtype.name for y in (results if isinstance(results, tuple) else (results,))}
        assert found == expected or (found, expected) == ("int64", "int32")


def helpers():
    """Every helper that the examples need, once."""
    found = {}
    for cls in CLASSES.values():
        for example in cls.examples:
            layer, shapes = build(example.code), shapes_of(example)
            for framework in [name for name in ("torch", "keras") if name not in example.refused]:
                use = getattr(layer, framework)(at_of(layer, shapes, layer.layout == "first"))
                found.update({(framework, h.name): h for step in use.steps for h in step.helpers})
    return found


@pytest.mark.parametrize("helper", [pytest.param(h, id=" ".join(key)) for key, h in helpers().items()])
def test_helper(helper):
    """A helper defines its name, says what it does, and is in the final format."""
    definition = ast.parse(helper.source).body[0]
    assert definition.name == helper.name
    assert ast.get_docstring(definition)
    ruff = [sys.executable, "-m", "ruff", "format", "--isolated", "--line-length=88", "--diff", "-"]
    assert subprocess.run(ruff, input=helper.source, text=True, capture_output=True).stdout == ""


@every_example
def test_keras_saves(cls, example):
    """Helper layers come back from their configuration."""
    layer, shapes = build(example.code), shapes_of(example)
    if "keras" in example.refused:
        return
    use = layer.keras(at_of(layer, shapes))
    if not any(step.helpers for step in use.steps):
        return
    _, built = keras_model(layer, at_of(layer, shapes))
    for made, *_ in built.steps:
        if made is not None:
            again = type(made).from_config(made.get_config())
            assert again.get_config() == made.get_config()


# --- faults --------------------------------------------------------------------------------------------------------

T = symbol("T")

FAULTS = [
    ("dense(4)", [(7, 7, 512)], "wrong-rank", ""),
    ("dense(4)", [()], "wrong-rank", ""),
    ("dense(0)", [(4,)], "wrong-value", "units"),
    ("dense(4, activation=rleu)", [(4,)], "wrong-value", "activation"),
    ("dense(4, activation=prelu)", [(4,)], "wrong-value", "activation"),
    ("maxout(4, pieces=1)", [(4,)], "wrong-value", "pieces"),
    ("bilinear(4)", [(5, 3), (6, 3)], "shape-mismatch", ""),
    ("softmax(axis=2)", [(5, 3)], "wrong-axis", "axis"),
    ("glu", [(5, 3)], "shape-mismatch", "axis"),
    ("prelu", [()], "wrong-rank", ""),
    ("batchnorm", [()], "wrong-rank", ""),
    ("batchnorm(epsilon=0)", [(4,)], "wrong-value", "epsilon"),
    ("batchnorm(momentum=1)", [(4,)], "wrong-value", "momentum"),
    ("layernorm(axes=3)", [(5, 4)], "wrong-axis", "axes"),
    ("groupnorm(groups=4)", [(5, 6)], "group-mismatch", "groups"),
    ("instancenorm", [(5,)], "wrong-rank", ""),
    ("local_response_norm", [(5,)], "wrong-rank", ""),
    ("dropout(1)", [(5,)], "wrong-value", "rate"),
    ("spatial_dropout", [(5,)], "wrong-rank", ""),
    ("spatial_dropout", [(2, 2, 2, 2, 5)], "wrong-rank", ""),
    ("gaussian_noise(-1)", [(5,)], "wrong-value", "stddev"),
    ("flatten", [()], "wrong-rank", ""),
    ("reshape(5, 5)", [(4, 6)], "shape-mismatch", "sizes"),
    ("reshape(-1, 5)", [(4, 6)], "shape-mismatch", "sizes"),
    ("reshape(-1, -1)", [(4, 6)], "wrong-value", "sizes"),
    ("reshape(4, 6)", [(T, 6)], "unknown-size", "sizes"),
    ("permute(0, 0)", [(4, 6)], "wrong-axis", "order"),
    ("reverse(2)", [(4, 6)], "wrong-axis", "axis"),
    ("squeeze", [(4, 6)], "shape-mismatch", "axis"),
    ("cast(real)", [(4, 6)], "wrong-value", "to"),
    ("first", [(4,)], "wrong-rank", ""),
    ("x[4]", [(4, 6)], "wrong-axis", "items"),
    ("x[..., [0, 6]]", [(4, 6)], "wrong-axis", "items"),
    ("x[1, 2, 3]", [(4, 6)], "wrong-rank", "items"),
    ("x[::-1]", [(4, 6)], "wrong-value", "items"),
    ("x[3:1]", [(4, 6)], "window-too-large", "items"),
    ("x[:4]", [(T, 6)], "unknown-size", "items"),
    ("x[[0], [1]]", [(4, 6)], "wrong-value", "items"),
    ("add", [(5, 4, 3), (5, 4, 2)], "shape-mismatch", ""),
    ("add", [(T, 3), (symbol("S"), 3)], "unequal-lengths", ""),
    ("concat", [(5, 4, 3), (5, 5, 3)], "shape-mismatch", ""),
    ("concat", [(5, 4, 3), (5, 3)], "shape-mismatch", ""),
    ("stack", [(5, 4), (5, 3)], "shape-mismatch", ""),
    ("dot", [(5, 4), (5, 4)], "wrong-rank", ""),
    ("dot", [(5,), (4,)], "shape-mismatch", ""),
    ("matmul", [(5, 4), (5, 4)], "shape-mismatch", ""),
    ("attention", [(5, 4), (6, 3)], "shape-mismatch", ""),
    ("sum(axis=2)", [(5, 4)], "wrong-axis", "axis"),
    ("sum(axis=(0, -2))", [(5, 4)], "wrong-axis", "axis"),
    ("mean(axis=same)", [(5, 4)], "wrong-value", "axis"),
    ("norm(p=0)", [(5, 4)], "wrong-value", "p"),
    ("argmax(axis=2)", [(5, 4)], "wrong-axis", "axis"),
    ("clip", [(5, 4)], "wrong-value", ""),
    ("clip(1, 0)", [(5, 4)], "wrong-value", "low"),
    ("greater", [(5, 4)], "wrong-arity", ""),
    ("greater(2)", [(5, 4), (5, 4)], "wrong-arity", ""),
    ("where(1)", [(5, 4)], "wrong-arity", ""),
    ("where", [(5, 4), (5, 4), (3,)], "shape-mismatch", ""),
    ("transpose(0, 2)", [(5, 4)], "wrong-axis", "second"),
    ("roll(1, axis=2)", [(5, 4)], "wrong-axis", "axis"),
    ("outer", [(5, 4), (4,)], "shape-mismatch", ""),
    ("cosine", [(5, 4), (3,)], "shape-mismatch", ""),
    ('einsum("ij,jk")', [(5, 4), (4, 3)], "wrong-value", "formula"),
    ('einsum("ii->i")', [(5, 5)], "wrong-value", "formula"),
    ('einsum("ij->k")', [(5, 5)], "wrong-value", "formula"),
    ('einsum("ij,jk->ik")', [(5, 4)], "wrong-arity", "formula"),
    ('einsum("ij,jk->ik")', [(5, 4), (3, 3)], "shape-mismatch", "formula"),
    ('einsum("i,jk->ik")', [(5, 4), (3, 3)], "wrong-rank", "formula"),
    ("attention", [(5, 4), (6, 3), (7, 4)], "shape-mismatch", ""),
    ("attention", [(5, 4), (4,)], "wrong-rank", ""),
    ("attention", [(5, 5, 4), (6, 4)], "wrong-rank", ""),
    ("attention(causal=true)", [(4,), (6, 4)], "wrong-rank", "causal"),
    ("attention(scale=sqrt)", [(5, 4), (6, 4)], "wrong-value", "scale"),
    ("additive_attention(0)", [(5, 4), (6, 4)], "wrong-value", "units"),
    ("multihead_attention(4)", [(5, 6)], "group-mismatch", "heads"),
    ("multihead_attention(3)", [(6,)], "wrong-rank", ""),
    ("multihead_attention(3, key_size=0)", [(5, 6)], "wrong-value", "key_size"),
    ("positional_encoding", [(5, 4, 3)], "wrong-rank", ""),
    ("positional_encoding(learned=true)", [(T, 4)], "unknown-size", "learned"),
    ("positional_encoding(learned=true, length=4)", [(5, 4)], "shape-mismatch", "length"),
    ("positional_encoding(length=4)", [(5, 4)], "wrong-value", "length"),
    ("matmul", [(5, 4), ()], "wrong-rank", ""),
]


@pytest.mark.parametrize(("code", "shapes", "expected", "argument"), FAULTS)
def test_faults(code, shapes, expected, argument):
    with pytest.raises(Violation) as caught:
        build(code).shape(*shapes)
    assert (caught.value.code, caught.value.argument) == (expected, argument)


def test_messages():
    """What a fault says: both shapes and the place where they differ, or both products."""
    with pytest.raises(Violation, match=r"add of \[5, 4, 3\] and \[5, 4, 2\]: axis -1 is 3 in one and 2 in the other"):
        build("add").shape((5, 4, 3), (5, 4, 2))
    with pytest.raises(Violation, match=r"4 \* 6 = 24 cells do not fit into 5 \* 5 = 25"):
        build("reshape(5, 5)").shape((4, 6))
    with pytest.raises(
        Violation, match=r"dense needs a vector for each sample, but its input is \[7, 7, 512\]"
    ) as caught:
        build("dense(10)").shape((7, 7, 512))
    assert caught.value.help == (
        "put `flatten` or `global_avgpool` before it; a dense layer at each place is `conv(10, 1x1)`"
    )
    with pytest.raises(Violation) as caught:
        build("dense(10, activation=Relu)")
    assert caught.value.help == "here it is `relu`"


def test_symbols_stay():
    """Sizes that are not known are equal only where their expressions are."""
    assert build("add").shape((T + 1, 4), (1 + T, 4)) == (T + 1, 4)
    assert build("concat(axis=0)").shape((T, 4), (2 * T, 4)) == (3 * T, 4)
    assert build("reshape(-1, 8)").shape((T, 64)) == (8 * T, 8)
    assert build("x[1:-1]").shape((T, 4)) == (T - 2, 4)
    assert build("x[::2]").shape((T, 4)) == ((T + 1) // 2, 4)
    assert build("flatten").shape((T, 4)) == (4 * T,)


def test_flatten_is_plain_in_both_layouts():
    """The emitter reorders the weights behind it, or the axes before it."""
    layer, shape = build("flatten"), (4, 3, 2)
    x = np.random.default_rng(0).standard_normal((2, *shape))
    y = torch_run(torch_built(layer, At((shape,), (24,), True)), (to_first(x),), False)
    close(y, to_first(x).reshape(2, -1))
