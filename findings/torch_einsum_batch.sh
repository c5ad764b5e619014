#!/usr/bin/env bash
# PyTorch 2.13.0: `torch.einsum` of three operands keeps a dynamic batch under `torch.export`. Where opt_einsum 3.4.0 is
# installed, which JAX and TensorFlow bring along, the same export is refused: the search for an order fixes the batch.
# Guess before the run: whether opt_einsum is there decides.
. "$(dirname "$0")/common.sh"
install torch==2.13.0
cat > "$folder/export.py" <<'CODE'
import sys

import torch


class Chain(torch.nn.Module):
    def forward(self, a, b, c):
        return torch.einsum("bi,ij,jk->bk", a, b, c)


def kept():
    batch = torch.export.Dim("batch", min=2, max=64)
    given = torch.randn(4, 3), torch.randn(3, 5), torch.randn(5, 6)
    try:
        program = torch.export.export(Chain(), given, dynamic_shapes=({0: batch}, None, None))
    except torch._dynamo.exc.UserError as error:
        assert "specialized it to be a constant (4)" in str(error)
        return False
    assert program.module()(torch.randn(7, 3), *given[1:]).shape == (7, 6)
    return True


found, there = kept(), torch.backends.opt_einsum.is_available()
print(f"opt_einsum {'installed' if there else 'not installed'}: the batch is {'kept' if found else 'refused'}")
assert there == (sys.argv[1] == "there") and found != there
if there:
    torch.backends.opt_einsum.enabled = False
    assert kept()
    print("opt_einsum switched off: the batch is kept")
CODE
"$folder/venv/bin/python" -W ignore "$folder/export.py" absent
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check opt_einsum==3.4.0
"$folder/venv/bin/python" -W ignore "$folder/export.py" there
