"""Activations in place: the same numbers and gradients as without, in training and in use, and inputs as they were.

PyTorch itself is the judge of what a layer says of its tensors (`Apply.fresh`): what a gradient asks for and finds
overwritten it refuses, and an input that is overwritten is not what it was. Here vectors are written over as maps are.
"""

from __future__ import annotations

import copy
from contextlib import suppress

import numpy as np
import pytest
import torch
from checking import check, check_spec
from randomly import Dice, spec_of
from test_layer_examples import EXAMPLES, spec

from netspec.base.diagnostics import SpecError
from netspec.codegen import pipeline
from netspec.codegen.passes import inplace
from netspec.codegen.pipeline import emit
from netspec.layers.base import LAYERS, Apply
from netspec.layers.pointwise import Activation
from netspec.runtime.torch_model import TorchModel
from netspec.weights.samples import random_inputs, sizes_that_fit

IN_PLACE = {kind: cls for kind, cls in LAYERS.items() if issubclass(cls, Activation) and cls.torch_in_place}
# PyTorch's gradient of a group norm that has a bias and no weight fails: "tensor does not have a device"
NO_GRADIENT = {"groupnorm(groups=3, scale=false)"}


@pytest.fixture
def everywhere(monkeypatch):
    """Values of any number of axes are written over."""
    monkeypatch.setattr(inplace, "_MAP", 0)


def written(net, monkeypatch):
    """The code of a net with activations in place, and without."""
    with monkeypatch.context() as patch:
        patch.setattr(pipeline, "PASSES", {n: p for n, p in pipeline.PASSES.items() if n != "inplace"})
        plain = emit(net, "torch")
    return emit(net, "torch"), plain


def results(module, tensors, training):
    """What comes out, and the gradients of all weights and inputs."""
    module.train(training)
    torch.manual_seed(0)
    found = module(*tensors)
    outputs = [y for y in (found if isinstance(found, tuple | list) else [found]) if y.requires_grad]
    sources = [p for p in (*module.parameters(), *tensors) if p.requires_grad]
    rng = torch.Generator().manual_seed(0)
    loss = sum((y * torch.rand(y.shape, generator=rng, dtype=y.dtype)).sum() for y in outputs)
    gradients = torch.autograd.grad(loss, sources, allow_unused=True) if outputs and sources else ()
    return [*outputs, *gradients]


def agree(net, monkeypatch):
    """Hold both codes of a net against one another. Are they different codes?"""
    texts = written(net, monkeypatch)
    if texts[0] == texts[1]:
        return False
    arrays = random_inputs(net, np.random.default_rng(0), 3, sizes_that_fit(net)[0])
    models = [TorchModel(text, net.name, "float64") for text in texts]
    models[1].module.load_state_dict(models[0].module.state_dict())
    for training in (False, True):
        answers = []
        for model in models:
            module = copy.deepcopy(model.module)
            given = [x.requires_grad_(x.is_floating_point()) for x in map(model._tensor, arrays)]
            answers.append(results(module, given, training))
            tensors = [x.detach().clone() for x in given]
            with torch.no_grad():
                module(*tensors)
            assert all(map(torch.equal, tensors, given)), "an input was overwritten"
        for one, other in zip(*answers):
            torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-12, equal_nan=True)
    return True


def behind(example):
    """A net of an example of a layer with an activation behind it."""
    text = spec(example)
    return text.replace("\n output y0", "\n z = y0 -> relu\n output z") if "output y0 }" in text else None


def fresh_examples():
    """The examples whose layers say that what they give may be written over, with the kinds of the layers."""
    for example in EXAMPLES:
        without = "torch" in example.refused or example.code in NO_GRADIENT
        text = None if without else behind(example)
        net = text and check(text)
        if net and net.ok and net.net.body.outputs[0].value.dtype == "float32":
            yield example


@pytest.mark.usefixtures("everywhere")
def test_what_layers_give_may_be_written_over(monkeypatch):
    found = set()
    for example in fresh_examples():
        if agree(check(behind(example)), monkeypatch):
            found.add(example.code.partition("(")[0])
    norms = {"batchnorm", "layernorm", "groupnorm", "instancenorm"}
    assert found >= {"conv", "depthwise_conv", "separable_conv", "conv_transpose", "dense", "add", "sub"} | norms


@pytest.mark.usefixtures("everywhere")
@pytest.mark.parametrize("kind", IN_PLACE)
def test_activations_may_write_over(kind, monkeypatch):
    for example in LAYERS[kind].examples:
        assert agree(check(f"net n {{ input x [5, 4]\n dense(3) -> {example.code} }}"), monkeypatch)
        assert agree(check(f"net n {{ input x [5, 4, 3]\n batchnorm -> {example.code} }}"), monkeypatch)


@pytest.mark.usefixtures("everywhere")
@pytest.mark.parametrize(
    "layer", ["sigmoid", "tanh", "softmax", "exp", "relu", "dropout", "flatten", "x[:, 1:]", "permute(1, 0)"]
)
def test_a_layer_that_claims_too_much_is_found(layer, monkeypatch):
    """Results that a gradient asks for, and views, are no tensors of their own."""
    net = check(f"net n {{ input x [5, 4]\n y = x -> {layer}\n z = y -> relu\n output z }}".replace("x -> x[", "x["))
    original = Apply.__init__

    def claims(self, *args, **words):
        original(self, *args, **words)
        self.__dict__["fresh"] = True

    monkeypatch.setattr(Apply, "__init__", claims)
    with pytest.raises((AssertionError, RuntimeError)):
        agree(net, monkeypatch)


# values that somebody asks for beside the activation, and those of which no one does
NETS = {
    "taken twice": "y = x -> conv(4, 3x3, padding=same)\n z = y -> relu\n w = y -> conv(4, 1x1) -> relu\n z + w",
    "a residual": "conv(4, 1x1) as y -> relu -> conv(4, 1x1) -> batchnorm\n add(y, identity) -> relu",
    "an output": "y = x -> conv(4, 1x1)\n z = y -> conv(4, 1x1) -> relu\n w = y -> relu\n output y, z, w",
    "parts": "a, b = split(x -> conv(4, 1x1), 2)\n p = a -> relu -> conv(2, 1x1) -> relu\n p + b -> relu",
    "a view": "y = x -> conv(4, 1x1)\n z = y -> permute(1, 0, 2) -> relu\n y + z -> relu",
    "an input": "relu -> conv(4, 1x1) -> relu\n add(identity, x -> conv(4, 1x1))",
    "shared": "layer c = conv(4, 1x1)\n a = c(x) -> relu\n b = c(x) -> leaky_relu\n a + b",
    "a loop": "conv(4, 1x1) as y\n repeat 3 { conv(4, 1x1) -> relu\n add(identity, y) -> relu }",
    "carried": "conv(4, 1x1)\n repeat 3 { relu -> conv(4, 1x1) -> relu }\n relu",
    "noise": "conv(4, 1x1) as y -> dropout -> relu -> conv(4, 1x1) -> relu\n add(identity, y) -> relu",
    "two in a row": "conv(4, 1x1) -> relu -> relu -> leaky_relu -> elu -> selu",
}
# the caller asks for what the block takes, once more
CALLED = """block b(n) { input x\n relu -> conv(n, 1x1) -> relu }
block c(n) { input x\n conv(n, 1x1) -> batchnorm }
net n { input x [4, 4, 4]\n y = x -> conv(4, 1x1)\n z = y -> b(4) -> c(4) -> relu\n y + z -> relu }"""


@pytest.mark.usefixtures("everywhere")
@pytest.mark.parametrize("text", [*(f"net n {{ input x [4, 4, 4]\n {b} }}" for b in NETS.values()), CALLED])
def test_what_somebody_asks_for_stays(text, monkeypatch):
    net = check(text)
    assert net.ok, [d.message for d in net.diagnostics]
    assert agree(net, monkeypatch)


def different(seeds, monkeypatch):
    """How many of the random nets of some seeds have activations in place."""
    found = 0
    for seed in seeds:
        net = check(spec_of(Dice(seed)))
        with suppress(SpecError):  # PyTorch has no form for some
            found += agree(net, monkeypatch)
    return found


@pytest.mark.usefixtures("everywhere")
def test_random_nets(monkeypatch):
    assert different(range(4), monkeypatch)


@pytest.mark.sweep
@pytest.mark.usefixtures("everywhere")
def test_many_random_nets(monkeypatch):
    assert different(range(300), monkeypatch) > 30


@pytest.mark.parametrize("name", ["resnet50", "vgg16", "mobilenet_v2", "inception_v3"])
def test_maps_alone(name, monkeypatch):
    """The nets of the zoo are written over where there are maps, and not in their dense layers."""
    code, plain = written(check_spec(name), monkeypatch)
    assert code != plain
    assert not any("inplace" in line for line in code.splitlines() if "dense" in line)


def test_only_where_there_are_maps(monkeypatch):
    code, plain = written(
        check("net n { input x [5, 4]\n dense(3, activation=relu) -> batchnorm -> relu }"), monkeypatch
    )
    assert code == plain
