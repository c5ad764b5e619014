"""From an exported program to a spec that reads as if by hand, and holds the module's own weights by its own names."""

from __future__ import annotations

import pytest
import torch
import vision
from flat import randomised

import netspec
from netspec.cli import main

NETS = {
    "resnet50": (lambda: vision.ResNet(vision.Bottleneck, (3, 4, 6, 3)), (3, 224, 224), 40),
    "vgg16": (vision.VGG16, (3, 224, 224), 25),
    "mobilenet_v2": (vision.MobileNetV2, (3, 224, 224), 45),
}


def exported(module, shape, path):
    batch = ({0: torch.export.Dim.DYNAMIC},)
    torch.export.save(torch.export.export(module.eval(), (torch.randn(2, *shape),), dynamic_shapes=batch), path)
    return str(path)


@pytest.mark.parametrize("name", NETS)
def test_is_short(name, tmp_path):
    make, shape, most = NETS[name]
    module = make()
    path, spec = exported(module, shape, tmp_path / "model.pt2"), tmp_path / "model.net"
    assert main(["import", path, "-o", str(spec), "-q"]) == 0
    assert len(spec.read_text().splitlines()) <= most
    net = netspec.load(spec)
    assert not net.checked.diagnostics
    assert net.report().totals.params == sum(p.numel() for p in module.parameters())


def test_weights_load_without_a_table(tmp_path):
    torch.manual_seed(3)
    module = randomised(vision.ResNet(vision.Bottleneck, (2, 2, 1, 1), 7)).float()
    path, spec = exported(module, (3, 40, 40), tmp_path / "model.pt2"), tmp_path / "model.net"
    assert main(["import", path, "-o", str(spec), "-q"]) == 0
    assert main(["verify", str(spec), "--against", path, "--target", "torch", "-q"]) == 0


def test_what_is_not_read_is_listed(tmp_path, capsys):
    module = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.LSTM(4, 5, batch_first=True))
    path = tmp_path / "model.pt2"
    torch.export.save(torch.export.export(module.eval(), (torch.randn(2, 6, 3),)), path)
    assert main(["import", str(path)]) == 1
    shown = capsys.readouterr()
    assert "dense(4" in shown.out
    assert "lstm" in shown.err


def test_damaged_files(tmp_path, capsys):
    path = tmp_path / "model.pt2"
    exported(torch.nn.Linear(3, 4), (3,), path)
    whole = path.read_bytes()
    for data in (b"", b"no archive", whole[: len(whole) // 2], whole.replace(b"aten", b"\x00\x00\x00\x00")):
        path.write_bytes(data)
        assert main(["import", str(path)]) in (1, 2)
        assert "Traceback" not in capsys.readouterr().err
