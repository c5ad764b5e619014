"""Twins: the PyTorch and the Keras model that are generated for a net, and the NumPy reference, on the same weights.

Which module of a model holds which weight of the spec is found by running: modules (layers) are first met in the order
in which the net first applies its steps. Arrays are in the language's order, channels last; each twin gets them its own
way.
"""

from __future__ import annotations

import harness  # noqa: F401  # first: it chooses the Keras backend
import keras
import numpy as np
import torch

from netspec.api import _run
from netspec.dims import substitute
from netspec.emit import keras as emit_keras
from netspec.emit import torch as emit_torch
from netspec.emit.layout import TorchLowering
from netspec.emit.lower import Act, Enter
from netspec.record import Record
from netspec.reference import Reference

# how far two may be apart, in the kind of number that both work with
TOLERANCE = {"float32": 1e-4, "float64": 1e-7}


def texts(net, style="functional"):
    """The generated code, for PyTorch and for Keras."""
    return emit_torch.emit(net), emit_keras.emit(net, style)


# --- the weights of a net --------------------------------------------------------------------------------------------


def uses(items, body=(), place=()):
    """Each use of a layer that has weights, in the order of the net, with a key; uses that share weights share it.

    `body` is the key of the body that the items stand in, `place` where in it.
    """
    for number, item in enumerate(items):
        here = (*place, number)
        if isinstance(item, Act):
            if item.step is not None and weights_of(item):
                yield (body, item.step.shared or here), item
        elif isinstance(item, Enter):
            yield from uses(item.code.items, (body, item.call.shared or here))
        else:
            yield from uses(item.items, body, here)


def weights_of(act):
    return act.step.layer.weights(*(t.shape for t in act.step.inputs))


def random_array(rng, act, weight):
    """Numbers that let every layer react to its input: variances near 1, kernels that keep the scale."""
    if "mean" in weight.name or weight.role == "bias":
        return rng.standard_normal(weight.shape) * 0.1
    if weight.role == "statistic" or len(weight.shape) == 1:
        return rng.uniform(0.5, 1.5, weight.shape)
    by_channel = act.step.layer.kind == "depthwise_conv" or "depthwise" in weight.name
    reach = weight.shape[:-2] if by_channel else weight.shape[:-1]
    return rng.standard_normal(weight.shape) * np.sqrt(2 / np.prod(reach))


def reordered(array, shape):
    """A dense kernel behind a flatten that was done channels first, from the language's order of rows."""
    return np.moveaxis(array.reshape(*shape, -1), len(shape) - 1, 0).reshape(array.shape)


def holders(names):
    """The parts of a layer that hold weights: `depthwise` of `depthwise.weight`, or the layer itself."""
    return list(dict.fromkeys(name.rpartition(".")[0] for name in names))


# --- the twins -------------------------------------------------------------------------------------------


class TorchTwin:
    def __init__(self, net, dtype="float32"):
        self.text = emit_torch.emit(net)
        self.model = _run(self.text, net.name).eval().to(getattr(torch, dtype))
        self.parameters = sum(p.numel() for p in self.model.parameters())
        self.trainable = sum(p.numel() for p in self.model.parameters() if p.requires_grad)
        self.statistics = sum(b.numel() for b in self.model.buffers() if b.is_floating_point())

    def __call__(self, arrays):
        """Outputs in the language's order."""
        tensors = [torch.from_numpy(np.ascontiguousarray(np.moveaxis(a, -1, 1) if a.ndim > 3 else a)) for a in arrays]
        with torch.no_grad():
            outputs = self.model(*tensors)
        outputs = outputs if isinstance(outputs, tuple) else (outputs,)
        return [np.moveaxis(o.numpy(), 1, -1) if o.ndim > 3 else o.numpy() for o in outputs]

    def load(self, found, arrays):
        """Put weights where they belong. `found` are the uses, each with its arrays; `arrays` are inputs to run on."""
        order = {}
        for module in self.model.modules():
            if [*module.parameters(recurse=False), *module.buffers(recurse=False)]:
                module.register_forward_hook(lambda module, *_: order.setdefault(module))
        self(arrays)
        met = iter(order)
        for act, values in found:
            modules = {name: next(met) for name in holders(w.torch.name for w in weights_of(act))}
            for weight in weights_of(act):
                value = values[weight.name]
                if act.flattened and weight.name == "kernel":
                    value = reordered(value, act.flattened)
                owner, _, name = weight.torch.name.rpartition(".")
                put = weight.torch.put(value)
                held = getattr(modules[owner], name)
                assert tuple(held.shape) == put.shape, f"{weight.name}: {tuple(held.shape)} and {put.shape}"
                held.data.copy_(torch.from_numpy(put.copy()))
        assert next(met, None) is None, "PyTorch runs modules with weights that the net does not have"


class KerasTwin:
    def __init__(self, net, style="functional", dtype="float32", arrays=()):
        """`arrays` are inputs to run on: only then a subclassed model makes its weights."""
        self.text = emit_keras.emit(net, style)
        self.order = {}
        called = keras.layers.Layer.__call__

        def noted(layer, *args, **kwargs):
            result = called(layer, *args, **kwargs)
            if not layer._flatten_layers(include_self=False) and any("seed" not in w.name for w in layer.weights):
                self.order.setdefault(id(layer), layer)
            return result

        keras.utils.clear_session()
        keras.config.set_floatx(dtype)
        keras.layers.Layer.__call__ = noted
        try:
            self.model = _run(self.text, net.name)
            if style == "subclass":
                self(arrays)
        finally:
            keras.layers.Layer.__call__ = called
            keras.config.set_floatx("float32")
        held = {id(w): w for w in self.model.weights if "seed" not in w.name}.values()
        sizes = [(w, int(np.prod(w.shape))) for w in held]
        self.statistics = sum(n for w, n in sizes if "moving" in w.name)
        self.parameters = sum(n for w, n in sizes) - self.statistics
        trainable = {id(w) for w in self.model.trainable_weights}
        self.trainable = sum(n for w, n in sizes if id(w) in trainable)

    def __call__(self, arrays):
        outputs = self.model(arrays if len(arrays) > 1 else arrays[0], training=False)
        return [np.array(o) for o in (outputs if isinstance(outputs, list | tuple) else [outputs])]

    def load(self, found):
        met = iter(self.order.values())
        for act, values in found:
            layers = {name: next(met) for name in holders(w.keras.name for w in weights_of(act))}
            for weight in weights_of(act):
                owner, _, name = weight.keras.name.rpartition(".")
                (variable,) = [v for v in layers[owner].weights if v.name == name]
                variable.assign(weight.keras.put(values[weight.name]))
        assert next(met, None) is None, "Keras runs layers with weights that the net does not have"


# --- the comparison ------------------------------------------------------------------------------------------------


class Constant(AssertionError):
    """The output does not hang on the input."""


class Infinite(AssertionError):
    """The numbers are past all bounds."""


class Errors(Record):
    """The worst relative error between each two."""

    torch_keras: float = 0.0
    torch_reference: float = 0.0
    keras_reference: float = 0.0

    def worse(self, other):
        return Errors(*(max(pair) for pair in zip(self.__dict__.values(), other.__dict__.values())))


def random_inputs(rng, net, sizes, batch, dtype="float32"):
    found = []
    for port in net.net.body.inputs:
        shape = (batch, *(substitute(n, sizes) for n in port.value.shape))
        if port.value.dtype == "float32":
            found.append(rng.standard_normal(shape).astype(dtype))
        else:
            found.append(rng.integers(0, substitute(port.limit, sizes) if port.limit else 4, shape))
    return found


def relative(a, b):
    return float(np.abs(a - b).max(initial=0) / max(np.abs(b).max(initial=0), 1e-6))


def random_weights(rng, net):
    """The layers that have weights, in the order of their first use, each with its arrays; and all arrays by path."""
    rows = [r for r in net.layers if r.node.layer.weights(*(t.shape for t in r.node.inputs))]
    found, arrays = {}, {}
    for (key, act), row in zip(uses(TorchLowering().lower(net.net.body).items), rows, strict=True):
        if key not in found:
            values = {w.name: random_array(rng, act, w) for w in weights_of(act)}
            found[key] = act, values
            arrays.update((f"{row.path}.{name}", array) for name, array in values.items())
    return list(found.values()), arrays


def compare(net, batches=(3, 1), sizes=({},), style="functional", reacts=True, dtype="float32"):
    """Build both models and hold them against the checker, the reference and each other. The worst relative errors.

    `sizes` are values for the symbols of the net; the same models are run with each. `reacts` says that the outputs
    must depend on the inputs, without which agreement would mean little. `dtype` is what the frameworks work with; the
    reference has float64.
    """
    assert net.ok, [(d.code, d.message) for d in net.diagnostics]
    rng = np.random.default_rng(0)
    arrays = random_inputs(rng, net, sizes[0], 2, dtype)
    one, other = TorchTwin(net, dtype), KerasTwin(net, style, dtype, arrays)
    totals = net.totals
    for twin in (one, other):
        counts = (twin.parameters, twin.statistics)
        assert counts == (totals.params, totals.statistics), f"{type(twin).__name__}: {counts}"
        assert twin.trainable == totals.trainable, f"{type(twin).__name__}: {twin.trainable} {totals.trainable}"
    found, weights = random_weights(rng, net)
    one.load(found, arrays)
    other.load(found)
    reference = Reference(net, weights)
    worst = Errors()
    for values in sizes:
        worst = worst.worse(_errors(net, (one, other, reference), rng, values, batches, reacts, dtype))
    for pair, error in worst.__dict__.items():
        assert error < TOLERANCE[dtype], f"{pair}: relative error {error:.2g}"
    return worst


def _errors(net, three, rng, sizes, batches, reacts, dtype):
    one, other, reference = three
    worst = Errors()
    inputs = random_inputs(rng, net, sizes, max(batches), dtype)
    before = None
    for batch in batches:
        given = [x[:batch] for x in inputs]
        a, b, c = one(given), other(given), reference.outputs(*given).values()
        for result, x, y, z in zip(net.net.body.outputs, a, b, c, strict=True):
            shape = (batch, *(substitute(n, sizes) for n in result.value.shape))
            shapes = {"torch": x.shape, "keras": y.shape, "reference": z.shape}
            assert x.shape == y.shape == z.shape == shape, f"{result.name}: {shapes}, {shape}"
            if not np.isfinite(z).all():
                raise Infinite("the reference gives infinite numbers")
            worst = worst.worse(Errors(relative(x, y), relative(x, z), relative(y, z)))
        before = before or a
    if reacts:
        _reacts(one, inputs, before)
    return worst


def _reacts(twin, inputs, before):
    """Two models that give a constant agree, too; so the outputs must depend on the inputs."""
    moved = [x[::-1].copy() if len(x) > 1 and x.dtype.kind == "i" else x for x in inputs]
    moved = [x * x.dtype.type(1.5) + x.dtype.type(0.3) if x.dtype.kind == "f" else x for x in moved]
    for old, new in zip(before, twin(moved)):
        if relative(new, old) <= 1e-4:
            raise Constant("the output does not react to the input")
