"""Networks of images: what is read is the module, by its numbers and by its figures."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

pytest.importorskip("torch")
import torch
import vision
from exporting import imported
from flat import difference, randomised, spec_of

import netspec

FIGURES = Path(__file__).parents[2] / "data" / "figures.csv"


def figures(net, settings=""):
    with FIGURES.open() as file:
        for row in csv.reader(file):
            if row[:2] == [net, settings]:
                return int(row[2]), int(row[4])
    raise KeyError(net)


MODULES = {
    "lenet5": (vision.LeNet, (1, 28, 28), 28),
    "vgg16": (vision.VGG16, (3, 224, 224), 32),
    "resnet18": (lambda: vision.ResNet(vision.BasicBlock, (2, 2, 2, 2)), (3, 224, 224), 33),
    "resnet50": (lambda: vision.ResNet(vision.Bottleneck, (3, 4, 6, 3)), (3, 224, 224), 33),
    "mobilenet_v2": (vision.MobileNetV2, (3, 224, 224), 33),
    "densenet121": (vision.DenseNet, (3, 224, 224), 64),
    "googlenet": (vision.GoogLeNet, (3, 224, 224), 64),
    "unet": (vision.UNet, (1, 572, 572), 188),
}


@pytest.mark.parametrize("name", MODULES)
def test_figures_are_the_published_ones(name, tmp_path):
    make, shape, _ = MODULES[name]
    model = imported(make(), [torch.randn(2, *shape)], tmp_path)
    totals = netspec.parse(spec_of(model)).checked.totals
    assert (totals.params, totals.macs) == figures(name)


@pytest.mark.parametrize("core", [False, True], ids=["training", "core"])
@pytest.mark.parametrize("name", [n for n in MODULES if n not in ("vgg16", "unet")])
def test_outputs_are_the_module_s(name, core, tmp_path):
    make, shape, size = MODULES[name]
    torch.manual_seed(1)
    module = randomised(make())
    inputs = [torch.randn(2, shape[0], size, size)]
    _, error = difference(imported(module, inputs, tmp_path, core=core), module, inputs)
    assert error < 1e-9


def test_vgg(tmp_path):
    torch.manual_seed(2)
    module, inputs = randomised(vision.VGG16(10)), [torch.randn(1, 3, 32, 32)]
    assert difference(imported(module, inputs, tmp_path, fixed=True), module, inputs)[1] < 1e-9


def test_narrow_unet(tmp_path):
    torch.manual_seed(2)
    module, inputs = randomised(vision.UNet(4)), [torch.randn(2, 1, 188, 188)]
    assert difference(imported(module, inputs, tmp_path), module, inputs)[1] < 1e-9


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("make", [vision.SmallUNet, vision.SqueezeExcite])
def test_pieces(make, strict, tmp_path):
    torch.manual_seed(3)
    module, inputs = randomised(make()), [torch.randn(2, 3, 12, 16)]
    model = imported(module, inputs, tmp_path, strict=strict)
    assert difference(model, module, inputs)[1] < 1e-9


def test_pieces_in_core_operators(tmp_path):
    torch.manual_seed(3)
    module, inputs = randomised(vision.SqueezeExcite(mode="constant")), [torch.randn(2, 3, 12, 16)]
    assert difference(imported(module, inputs, tmp_path, core=True), module, inputs)[1] < 1e-9


def test_what_is_not_understood_is_told_with_its_place(tmp_path):
    model = imported(vision.SmallUNet(), [torch.randn(2, 3, 12, 16)], tmp_path, core=True)
    odd = [step for step in model.steps if not step.kind]
    assert odd
    # in core operators an instance norm repeats statistics, and interpolation picks cells by index
    assert {tuple(level.name for level in step.path) for step in odd} == {("b", "1"), ("up",), ("near",)}
    assert odd[0].unknown == "repeat.default"


def test_batch_of_one_without_symbols(tmp_path):
    module, inputs = randomised(vision.SqueezeExcite()), [torch.randn(1, 3, 12, 16)]
    assert difference(imported(module, inputs, tmp_path, fixed=True), module, inputs)[1] < 1e-9


def test_open_sizes_are_symbols(tmp_path):
    module = randomised(vision.ResNet(vision.BasicBlock, (1, 1, 1, 1), 5))
    inputs = [torch.randn(2, 3, 64, 96)]
    model = imported(module, inputs, tmp_path, axes=((0, 2, 3),))
    assert model.inputs[0].shape == ("H", "W", 3)
    assert difference(model, module, inputs)[1] < 1e-9


def test_steps_stand_in_their_modules(tmp_path):
    module = vision.ResNet(vision.Bottleneck, (1, 1, 1, 1), 5)
    model = imported(module, [torch.randn(2, 3, 64, 64)], tmp_path)
    step = next(s for s in model.steps if ("kernel", "layer2.0.downsample.0.weight") in s.tensors)
    assert [(level.name, level.kind) for level in step.path] == [
        ("layer2", "Sequential"),
        ("0", "Bottleneck"),
        ("downsample", "Sequential"),
        ("0", "Conv2d"),
    ]
    held = [name for s in model.steps for _, name in s.tensors]
    assert sorted(held) == sorted(n for n in module.state_dict() if not n.endswith("num_batches_tracked"))
