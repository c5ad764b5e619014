"""Builds generated code and runs it: PyTorch, Keras and the NumPy reference on the same random numbers.

Arrays are held in the language's order (batch, spatial axes, channels) and in float64; each framework gets its own
copy, moved to its layout and type.
"""

from __future__ import annotations

import ast
import os
import re

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import torch

from netspec.base.dims import substitute, symbol
from netspec.layers.arguments import REQUIRED, Values, Word
from netspec.layers.base import LAYERS, bind
from netspec.layers.initialisers import SCALED, Initialiser
from netspec.pycode.expr import Raw, fill, inline

NAMESPACE = {
    "torch": "import torch",
    "nn": "from torch import nn",
    "F": "import torch.nn.functional as F",
    "keras": "import keras",
    "layers": "from keras import layers",
    "ops": "from keras import ops",
    "partial": "from functools import partial",
}

# --- the code of an example --------------------------------------------------------------------------------------


def _value(node):
    """A compile-time value from a Python expression that spells it."""
    match node:
        case ast.Constant():
            return node.value
        case ast.Name(id=("true" | "false" | "none") as word):
            return {"true": True, "false": False, "none": None}[word]
        case ast.Name():
            return Word(node.id)
        case ast.Tuple() | ast.List():
            return tuple(map(_value, node.elts))
        case ast.UnaryOp(op=ast.USub()):
            return -_value(node.operand)
        case ast.Call(func=ast.Name(id=name)) if name in SCALED:
            return Initialiser(name, _value(node.args[0]))
        case ast.Call():
            return bind(*_read(node))
        case ast.Slice():
            return tuple(part and _value(part) for part in (node.lower, node.upper, node.step))
    raise ValueError(ast.dump(node))


def _item(node):
    """An item of a slice, as the compiler hands it over."""
    value = _value(node)
    return ("pick", *value) if isinstance(node, ast.List) else value


def read(code):
    """The layer class and the named arguments of `conv(6, 5x5)`, `relu` or `x[::2, 1:]`."""
    sizes = re.compile(r"\b\d+(x\d+)+\b")
    text = sizes.sub(lambda m: "(" + m[0].replace("x", ", ") + ")", code)
    return _read(ast.parse(text.replace("return=", "return_="), mode="eval").body)


def _read(node):
    if isinstance(node, ast.Subscript):
        items = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        return LAYERS["slice"], {"items": tuple(map(_item, items))}
    if isinstance(node, ast.Name):
        return LAYERS[node.id], {}
    cls = LAYERS[node.func.id]
    given = [_value(argument) for argument in node.args]
    named = {word.arg.removesuffix("_"): _value(word.value) for word in node.keywords}
    named |= {n: Values(len(v) if isinstance(v, tuple) else 1) for n, v in named.items() if n in cls.by_name}
    positional = {cls.gathers: tuple(given)} if cls.gathers else dict(zip(cls.arguments, given))
    assert not positional.keys() & named.keys(), f"{ast.unparse(node)}: twice"
    return cls, {**positional, **named}


def build(code):
    """The layer that an example writes."""
    cls, given = read(code)
    assert given.keys() <= cls.arguments.keys(), f"{code}: unknown argument"
    missing = [n for n, a in cls.arguments.items() if a.default is REQUIRED and n not in given]
    assert not missing, f"{code}: {missing} missing"
    return bind(cls, given)


def shapes_of(example):
    """The input shapes, always a tuple of them."""
    shape = example.shape
    return shape if shape and isinstance(shape[0], tuple) else (shape,)


# --- random numbers ------------------------------------------------------------------------------------------------


def gives_of(example):
    """The output shapes, always a tuple of them."""
    shape = example.gives
    return shape if shape and isinstance(shape[0], tuple) else (shape,)


def kinds(layer, example):
    """What each input of an example holds: `int32`, `bool` or `float32`."""
    many = len(shapes_of(example))
    if layer.takes == "int" or (layer.takes == "any" and example.vocabulary):
        return ("int32",) * many
    if layer.takes == "any":
        return ("bool",) * example.conditions + ("float32",) * (many - example.conditions)
    return tuple({"float": "float32"}.get(kind, kind) for kind in layer.kinds(many))


def random_numbers(rng, shapes, batch):
    """Float64 arrays."""
    return tuple(rng.standard_normal((batch, *shape)) * 1.5 for shape in shapes)


def random_inputs(rng, layer, example, batch):
    """Float64 arrays, integers below the example's `vocabulary`, or true and false."""
    found = []
    for shape, kind in zip(shapes_of(example), kinds(layer, example)):
        if kind == "int32":
            found.append(rng.integers(0, example.vocabulary, (batch, *shape)))
        elif kind == "bool":
            found.append(rng.random((batch, *shape)) < 0.5)
        else:
            (array,) = random_numbers(rng, (shape,), batch)
            found.append(abs(array) + 0.1 if example.positive else array)
    return tuple(found)


def random_weights(rng, weights):
    """An array for each weight; running variances are positive."""
    found = {}
    for weight in weights:
        array = rng.standard_normal(weight.shape) * 0.7
        positive = weight.role == "statistic" and "var" in weight.name
        found[weight.name] = abs(array) + 0.3 if positive else array
    return found


def to_first(array):
    """Channels behind the batch, where there is more than one axis."""
    return np.moveaxis(array, -1, 1) if array.ndim > 2 else array


def to_last(array):
    return np.moveaxis(array, 1, -1) if array.ndim > 2 else array


# --- running text ----------------------------------------------------------------------------------------------------


def namespace(steps):
    """The names that generated code sees: the usual imports and the helpers of these steps."""
    names: dict = {"__name__": "generated"}
    for line in NAMESPACE.values():
        exec(line, names)
    for step in steps:
        for helper in step.helpers:
            for line in helper.imports:
                exec(line, names)
            exec(helper.source, names)
    return names


def unpack(result, gives, held):
    """Put a result, or its parts, where `gives` says."""
    if isinstance(gives, int):
        held[gives] = result
    elif gives is not None:
        assert len(result) == len(gives)
        for part, place in zip(result, gives):
            unpack(part, place, held)


class Built:
    """The steps of one `Use`, constructed from their text and ready to be called.

    `prefer` says what is taken where a step offers both a call and a module.
    """

    def __init__(self, use, prefer="call"):
        names = namespace(use.steps)
        self.outputs = use.outputs
        self.modules = {}
        self.steps = []
        for step in use.steps:
            by_call = step.call is not None and not step.stateful and (prefer == "call" or step.make is None)
            if by_call:
                self.steps.append((None, step.call, step.gives))
                continue
            thing = eval(inline(step.make), names)
            self.steps.append((thing, step.call if step.stateful else None, step.gives))
            if step.stateful:
                assert step.name not in self.modules, "two modules of one layer need names"
                self.modules[step.name] = thing
        self.names = names

    def run(self, values, join):
        """Apply the steps; `join` passes several values to a module. A tuple where several things come out."""
        held = dict(enumerate(values))
        taken = len(held)
        for thing, code, gives in self.steps:
            if code is None:
                result = join(thing, [held[i] for i in range(taken)])
            else:
                local = {f"x{i}": value for i, value in held.items()} | {"made": thing}
                names = [Raw(f"x{i}") for i in range(max(held) + 1)]
                result = eval(inline(fill(code, names, Raw("made"))), {**self.names, **local})
            unpack(result, gives, held)
            taken = 1
        found = tuple(held[i] for i in self.outputs)
        return found if len(found) > 1 else found[0]

    def module(self, name):
        """The module that holds a weight, and the weight's path in it."""
        head, _, rest = name.partition(".")
        if head in self.modules and rest and head:
            return self.modules[head], rest
        (only,) = [m for key, m in self.modules.items() if key == "" or len(self.modules) == 1]
        return only, name


def _followed(owner, path):
    """What stands behind a path of attributes."""
    for part in path.split("."):
        owner = getattr(owner, part)
    return owner


def load_torch(built, weights, arrays):
    """Put the arrays where PyTorch keeps them. Every parameter and float buffer must be set."""
    left = {id(t) for m in built.modules.values() for t in [*m.parameters(), *m.buffers()] if t.is_floating_point()}
    with torch.no_grad():
        for weight in weights:
            place = weight.torch
            held = _followed(*built.module(place.name))
            array = place.put(arrays[weight.name])
            assert (place.take(array, weight.shape) == arrays[weight.name]).all(), f"{weight.name} does not come back"
            left.discard(id(held))
            if place.plus:
                other = _followed(*built.module(place.plus))
                other.zero_()
                left.discard(id(other))
            if place.part is not None:
                held = held.chunk(place.part[1])[place.part[0]]
            assert tuple(held.shape) == array.shape, f"{weight.name}: {tuple(held.shape)} and {array.shape}"
            held.copy_(torch.from_numpy(np.array(array)))
    assert not left, "PyTorch keeps numbers that the layer does not declare"


def load_keras(built, weights, arrays):
    """Put the arrays where Keras keeps them. Every variable must be set, but for the seeds of random numbers."""
    seeds = {"seed_generator_state"}
    left = {id(v) for m in built.modules.values() for v in m.weights if v.name not in seeds}
    for weight in weights:
        layer, path = built.module(weight.keras.name)
        *parts, name = path.split(".")
        for part in parts:
            layer = getattr(layer, part)
        (variable,) = [v for v in layer.weights if v.name == name]
        array = weight.keras.put(arrays[weight.name])
        assert (weight.keras.take(array, weight.shape) == arrays[weight.name]).all(), (
            f"{weight.name} does not come back"
        )
        if weight.keras.part is not None:
            at, count = weight.keras.part
            parts = np.split(np.array(variable), count)
            parts[at] = array
            array = np.concatenate(parts)
        assert tuple(variable.shape) == array.shape, f"{weight.name}: {tuple(variable.shape)} and {array.shape}"
        variable.assign(array)
        left.discard(id(variable))
    assert not left, "Keras keeps numbers that the layer does not declare"


def count_torch(built):
    """Parameters, without those that are held still: second biases of recurrent layers."""
    return sum(p.numel() for m in built.modules.values() for p in m.parameters() if p.requires_grad)


def count_keras(built):
    return sum(int(np.prod(v.shape)) for m in built.modules.values() for v in m.trainable_weights)


# --- PyTorch ---------------------------------------------------------------------------------------------------------


def torch_built(layer, at, prefer="call"):
    built = Built(layer.torch(at), prefer)
    for module in [thing for thing, *_ in built.steps if thing is not None]:
        module.eval()
    return built


def torch_run(built, xs, first, keeps_channels=True):
    """The result in the language's order; `first` says that the values are channels-first in PyTorch."""
    tensors = []
    for x in xs:
        array = np.ascontiguousarray(to_first(x) if first else x)
        tensors.append(torch.from_numpy(array if array.dtype.kind in "iub" else array.astype(np.float32)))
    with torch.no_grad():
        y = built.run(tensors, lambda module, values: module(*values))
    parts = [part.numpy() for part in (y if isinstance(y, tuple) else (y,))]
    if first and keeps_channels:
        parts = [to_last(part) for part in parts]
    return tuple(parts) if isinstance(y, tuple) else parts[0]


# --- Keras -----------------------------------------------------------------------------------------------------------


def keras_inputs(shapes, kinds, batch=None):
    sizes = [tuple(n if isinstance(n, int) else None for n in shape) for shape in shapes]
    return [keras.Input(size, batch, dtype=kind) for size, kind in zip(sizes, kinds)]


def keras_model(layer, at, kinds=None, prefer="make"):
    """A functional model of one layer, and what it is made of. `kinds` are the types of its inputs."""
    built = Built(layer.keras(at), prefer)
    inputs = keras_inputs(at.inputs, kinds or ["float32"] * len(at.inputs), layer.static_batch)
    output = built.run(inputs, lambda made, values: made(values if len(values) > 1 else values[0]))
    outputs = [keras.layers.Identity()(y) for y in (output if isinstance(output, tuple) else (output,))]
    return keras.Model(inputs, outputs if len(outputs) > 1 else outputs[0]), built


def keras_run(model, xs):
    given = [x if x.dtype.kind in "iub" else x.astype(np.float32) for x in xs]
    y = model(given if len(given) > 1 else given[0], training=False)
    return tuple(map(np.array, y)) if isinstance(y, list | tuple) else np.array(y)


# --- symbols ---------------------------------------------------------------------------------------------------------


def symbolic(shapes):
    """The shapes with a symbol for each spatial size (equal sizes get one symbol), and the symbols' values.

    A size that is a number of channels in one of several inputs stays a number in all.
    """
    values = {}
    channels = {shape[-1] for shape in shapes if shape} if len(shapes) > 1 else set()

    def change(shape):
        spatial = []
        for n in shape[:-1]:
            known = n == 1 or n in channels
            spatial.append(n if known else symbol(f"S{n}"))
            if not known:
                values[f"S{n}"] = n
        return (*spatial, *shape[-1:])

    return tuple(map(change, shapes)), values


def settled(shape, values):
    """A shape with its symbols replaced."""
    return tuple(substitute(n, values) for n in shape)


def close(a, b):
    """Do they agree as float32 and float64 can be expected to?"""
    if isinstance(b, tuple):
        assert len(a) == len(b)
        for one, other in zip(a, b):
            close(one, other)
        return
    assert a.shape == b.shape, f"{a.shape} and {b.shape}"
    scale = max(float(np.abs(b[np.isfinite(b)]).max(initial=1.0)), 1.0) if b.dtype.kind == "f" else 1.0
    np.testing.assert_allclose(a.astype(np.float64), b.astype(np.float64), rtol=1e-4, atol=1e-5 * scale)
