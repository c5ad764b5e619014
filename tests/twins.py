"""Twins: the PyTorch and the Keras model that are generated for a net, with the same random weights.

Which module of a model holds which weight of the spec is found by running: modules (layers) are met in the order in
which the net applies its steps. Arrays are in the language's order, channels last; each twin gets them its own way.
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
from netspec.emit.keras_file import KerasLowering
from netspec.emit.layout import TorchLowering
from netspec.emit.lower import Act, Enter

TOLERANCE = 1e-4


def texts(net, style="functional"):
    """The generated code, for PyTorch and for Keras."""
    return emit_torch.emit(net), emit_keras.emit(net, style)


# --- the weights of a net --------------------------------------------------------------------------------------------


def uses(code, owner=()):
    """Each use of a layer that has weights, in the order of the net, with a key; uses that share weights share it."""
    for number, item in enumerate(code if isinstance(code, tuple) else code.items):
        key = (*owner, number)
        if isinstance(item, Act):
            if item.step is not None and weights_of(item):
                yield (*owner, item.step.shared) if item.step.shared else key, item
        elif isinstance(item, Enter):
            yield from uses(item.code, (*owner, item.call.shared) if item.call.shared else key)
        else:
            yield from uses(item.items, key)


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


def kept(act):
    """The modules of a layer, by their names in it."""
    return [apply for apply in act.use.steps if apply.stateful]


def class_of(make):
    """The class that is constructed: `nn.Linear` for `nn.Linear(3, 4).requires_grad_(False)`."""
    while not isinstance(make.func, str):
        make = make.func.value
    return make.func


def is_one_of(thing, names):
    """Is a module or layer of one of these classes? Those of generated code have no room in front of their names."""
    kind = type(thing)
    room = "" if kind.__module__.startswith("netspec_") else "layers." if isinstance(thing, keras.Layer) else "nn."
    return room + kind.__name__ in names


def classes(net, lowering):
    """The classes of all modules that the layers with weights make."""
    return {class_of(apply.make) for _, act in uses(lowering.lower(net.net.body)) for apply in kept(act)}


def outermost(module, names):
    """The modules of these classes, but not what is inside one of them."""
    if is_one_of(module, names):
        yield module
        return
    for child in module.children():
        yield from outermost(child, names)


def owner_of(place, modules):
    """The module that holds a weight, followed along the path in it, and the name of the array there."""
    head, _, rest = place.name.partition(".")
    found, path = (modules[head], rest) if head in modules and rest else (next(iter(modules.values())), place.name)
    *parts, name = path.split(".")
    for part in parts:
        found = getattr(found, part)
    return found, name


# --- the twins -------------------------------------------------------------------------------------------


class TorchTwin:
    def __init__(self, net):
        self.text = emit_torch.emit(net)
        self.classes = classes(net, TorchLowering())
        self.model = _run(self.text, net.name).eval()
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
        order = []
        for module in outermost(self.model, self.classes):
            if [*module.parameters(), *module.buffers()]:
                module.register_forward_hook(lambda module, *_: order.append(module))
        self(arrays)
        met = iter(order)
        for act, values in found:
            modules = {apply.name: next(met) for apply in kept(act)}
            for weight in weights_of(act):
                value = values[weight.name]
                if act.flattened and weight.name == "kernel":
                    value = reordered(value, act.flattened)
                put = weight.torch.put(value).astype(np.float32)
                held = getattr(*owner_of(weight.torch, modules))
                if weight.torch.part is not None:
                    held = held.data.chunk(weight.torch.part[1])[weight.torch.part[0]]
                assert tuple(held.shape) == put.shape, f"{weight.name}: {tuple(held.shape)} and {put.shape}"
                held.data.copy_(torch.from_numpy(put.copy()))
        assert next(met, None) is None, "PyTorch runs modules with weights that the net does not have"


class KerasTwin:
    def __init__(self, net, style="functional"):
        self.text = emit_keras.emit(net, style)
        self.uses = [act for _, act in uses(KerasLowering().lower(net.net.body))]
        self.order = []
        names, inside = classes(net, KerasLowering()), []
        called = keras.layers.Layer.__call__

        def noted(layer, *args, **kwargs):
            if not is_one_of(layer, names):
                return called(layer, *args, **kwargs)
            inside.append(layer)
            result = called(layer, *args, **kwargs)
            inside.pop()
            if not inside and any("seed" not in w.name for w in layer.weights):
                self.order.append(layer)
            return result

        keras.utils.clear_session()
        keras.layers.Layer.__call__ = noted
        try:
            self.model = _run(self.text, net.name)
        finally:
            keras.layers.Layer.__call__ = called
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
        met = iter(self.order)
        for act, (_, values) in zip(self.uses, found, strict=True):
            layers = {apply.name: next(met) for apply in kept(act)}
            for weight in weights_of(act):
                owner, name = owner_of(weight.keras, layers)
                (variable,) = [v for v in owner.weights if v.name == name]
                variable.assign(weight.keras.put(values[weight.name]).astype(np.float32))
        assert next(met, None) is None, "Keras runs layers with weights that the net does not have"


# --- the comparison ------------------------------------------------------------------------------------------------


def random_inputs(rng, net, sizes, batch):
    found = []
    for port in net.net.body.inputs:
        shape = (batch, *(substitute(n, sizes) for n in port.value.shape))
        if port.value.dtype == "float32":
            found.append(rng.standard_normal(shape).astype(np.float32))
        elif port.value.dtype == "bool":
            found.append(rng.random(shape) < 0.5)
        else:
            found.append(rng.integers(0, substitute(port.limit, sizes) if port.limit else 4, shape))
    return found


def relative(a, b):
    return float(np.abs(a - b).max(initial=0) / max(np.abs(b).max(initial=0), 1e-6))


def compare(net, batches=(3, 1), sizes=({},), style="functional", reacts=True):
    """Build both models and hold them against the checker and each other. The worst relative error.

    `sizes` are values for the symbols of the net; the same two models are run with each. `reacts` says that the outputs
    must depend on the inputs, without which agreement would mean little.
    """
    assert net.ok, [(d.code, d.message) for d in net.diagnostics]
    one, other = TorchTwin(net), KerasTwin(net, style)
    totals = net.totals
    for twin in (one, other):
        counts = (twin.parameters, twin.statistics)
        assert counts == (totals.params, totals.statistics), f"{type(twin).__name__}: {counts}"
        assert twin.trainable == totals.trainable, f"{type(twin).__name__}: {twin.trainable} {totals.trainable}"
    rng = np.random.default_rng(0)
    found, arrays = [], {}
    for key, act in uses(TorchLowering().lower(net.net.body)):
        values = {w.name: arrays.setdefault((key, w.name), random_array(rng, act, w)) for w in weights_of(act)}
        found.append((act, values))
    one.load(found, random_inputs(rng, net, sizes[0], 2))
    other.load(found)
    return max(_errors(net, one, other, rng, values, batches, reacts) for values in sizes)


def _errors(net, one, other, rng, sizes, batches, reacts):
    worst = 0.0
    inputs = random_inputs(rng, net, sizes, max(batches))
    before = None
    for batch in batches:
        given = [x[:batch] for x in inputs]
        a, b = one(given), other(given)
        for result, y, z in zip(net.net.body.outputs, a, b, strict=True):
            shape = (batch, *(substitute(n, sizes) for n in result.value.shape))
            assert y.shape == z.shape == shape, f"{result.name}: {y.shape}, {z.shape}, {shape}"
            assert np.isfinite(y).all()
            worst = max(worst, relative(y, z))
        before = before or a
    assert worst < TOLERANCE, f"relative error {worst:.2g}"
    if reacts:
        _reacts(one, inputs, before)
    return worst


def _reacts(twin, inputs, before):
    """Two models that give a constant agree, too; so the outputs must depend on the inputs."""
    moved = [x[::-1].copy() if len(x) > 1 and x.dtype.kind == "i" else x for x in inputs]
    moved = [x * 1.5 + np.float32(0.3) if x.dtype.kind == "f" else x for x in moved]
    for old, new in zip(before, twin(moved)):
        assert relative(new, old) > 1e-4, "the output does not react to the input"
