"""`weights match`: modules stay together, numbers count as numbers, and what order alone speaks for is told."""

from __future__ import annotations

import torch
from safetensors.torch import save_file
from test_handwritten import CLOSE, Nested, fill, last, off
from torch import nn

import netspec
from netspec.cli import main
from netspec.weights.match import partners
from netspec.weights.words import agree

PART = """
block part(units) {
  input x [n]; input t
  shift = t -> dense(units)
  x -> layernorm -> dense(units) -> add(identity, shift)
}
net n { input x [8]; input t [8]; part(x, t, 8) as p }
"""
REPEATED = "net n { input x [4]; repeat 3 { add(identity, { dense(4, activation=relu) -> dense(4) }) } }"


class Part(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm, self.main, self.shift = nn.LayerNorm(8), nn.Linear(8, 8), nn.Linear(8, 8)


def matched(tmp_path, spec, module):
    """The status of the command, and its table."""
    (tmp_path / "spec.net").write_text(spec)
    save_file(module.state_dict(), tmp_path / "w.safetensors")
    table = tmp_path / "table"
    words = [str(tmp_path / "spec.net"), str(tmp_path / "w.safetensors"), "--from", "torch"]
    status = main(["weights", "match", *words, "-o", str(table)])
    return status, table, words


def test_numbers_in_names_count_as_numbers(tmp_path):
    def run(module, x):
        for layer in module.layers:
            x = torch.tanh(layer(x))
        return x

    module = fill(Nested(run, layers=nn.ModuleList(nn.Linear(4, 4) for _ in range(12))))
    status, table, words = matched(tmp_path, "net n { input x [4]; repeat 12 { dense(4, activation=tanh) } }", module)
    assert status == 0
    out = tmp_path / "out.safetensors"
    assert main(["weights", "convert", *words, "--rename", str(table), "--to", "netspec", "-o", str(out)]) == 0
    net, x = netspec.load(tmp_path / "spec.net"), torch.randn(2, 4)
    assert off(last(module(x)), net.reference(net.load_weights(out))(x.numpy())) < CLOSE


def test_order_is_that_of_computation(tmp_path):
    """The file has a, b, a, b; attributes of the code are two lists."""

    def run(module, x):
        for pair in module.blocks:
            x = x + pair[1](torch.relu(pair[0](x)))
        return x

    module = fill(
        Nested(run, blocks=nn.ModuleList(nn.ModuleList([nn.Linear(4, 4), nn.Linear(4, 4)]) for _ in range(3)))
    )
    _, table, words = matched(tmp_path, REPEATED, module)
    out = tmp_path / "out.safetensors"
    assert main(["weights", "convert", *words, "--rename", str(table), "--to", "netspec", "-o", str(out)]) == 0
    net, x = netspec.load(tmp_path / "spec.net"), torch.randn(2, 4)
    assert off(last(module(x)), net.reference(net.load_weights(out))(x.numpy())) < CLOSE


def test_the_arrays_of_a_module_stay_together_and_doubts_are_told(tmp_path, capsys):
    status, table, _ = matched(tmp_path, PART, fill(Part()))
    assert status == 1
    assert "by nothing but their order" in capsys.readouterr().err
    rows = dict(line.partition("#")[0].split(" = ") for line in table.read_text().splitlines()[1:])
    owners = {}
    for foreign, ours in rows.items():
        owners.setdefault(foreign.strip().rpartition(".")[0], set()).add(ours.strip().rpartition(".")[0])
    assert [len(modules) for modules in owners.values()] == [1, 1, 1]
    assert "norm.weight" in next(foreign for foreign, ours in rows.items() if "layernorm.weight" in ours)


def test_roles_agree():
    """Scale is scale and shift is shift, wherever the alphabet has them."""
    wanted = {"n.gamma": (4,), "n.beta": (4,)}
    found = partners(wanted, {"batch.beta": (4,), "batch.gamma": (4,)}, agree)
    assert {ours: (p.name, p.how) for ours, p in found.items()} == {
        "n.gamma": ("batch.gamma", "structure"),
        "n.beta": ("batch.beta", "structure"),
    }
