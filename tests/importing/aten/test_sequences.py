"""Networks of sequences: what is read is the module, by its numbers."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")
import sequences
import torch
from exporting import imported
from flat import difference, randomised


def ids():
    return torch.randint(0, 50, (3, 12))


CASES = {
    "vit": (sequences.ViT, lambda: [torch.randn(2, 3, 32, 32)], ((0,),)),
    "encoder": (sequences.Encoder, lambda: [ids()], ((0,),)),
    "encoder_batch_first": (lambda: sequences.Encoder("relu", True, True), lambda: [ids()], ((0,),)),
    "attended": (sequences.Attended, lambda: [ids(), torch.randn(3, 4)], ((0,), (0,))),
    "attended_any_length": (sequences.Attended, lambda: [ids(), torch.randn(3, 4)], ((0, 1), (0,))),
    "vae": (sequences.VAE, lambda: [torch.randn(2, 1, 28, 28)], ((0,),)),
}


@pytest.mark.parametrize("name", CASES)
def test_outputs_are_the_module_s(name, tmp_path):
    make, inputs, axes = CASES[name]
    torch.manual_seed(4)
    module, given = randomised(make()), inputs()
    assert difference(imported(module, given, tmp_path, axes=axes), module, given)[1] < 1e-9


@pytest.mark.parametrize("name", ["attended", "vae"])
def test_core_operators(name, tmp_path):
    make, inputs, axes = CASES[name]
    torch.manual_seed(5)
    module, given = randomised(make()), inputs()
    assert difference(imported(module, given, tmp_path, axes=axes, core=True), module, given)[1] < 1e-9


def test_one_sample_without_symbols(tmp_path):
    module, given = randomised(sequences.ViT()), [torch.randn(1, 3, 32, 32)]
    assert difference(imported(module, given, tmp_path, fixed=True), module, given)[1] < 1e-9
