#!/usr/bin/env bash
# litert-torch 0.10.0: a transposed convolution of kernel 3, stride 2, padding 1, output_padding 1, which doubles a map and is
# in most decoders, is refused ("failed to legalize operation 'mhlo.convolution'"); kernel 4 with padding 1, which doubles
# as well, and kernel 3 without padding are converted and equal.
# Guess before the run: groups are refused. They are not.
. "$(dirname "$0")/common.sh"
install torch==2.13.0 litert-torch==0.10.0
run <<'CODE'
import litert_torch
import torch
from torch.nn import ConvTranspose2d

x = torch.randn(1, 4, 7, 8)


def taken(module):
    try:
        found = litert_torch.convert(module.eval(), (x,))(x)
    except ValueError as error:
        assert "failed to legalize operation 'mhlo.convolution'" in str(error)
        return False
    torch.testing.assert_close(torch.as_tensor(found), module(x).detach(), rtol=1e-4, atol=1e-5)
    return True


cases = {
    "kernel 3, padding 1, output_padding 1": (ConvTranspose2d(4, 6, 3, 2, 1, 1), False),
    "kernel 3": (ConvTranspose2d(4, 6, 3, 2), True),
    "kernel 2": (ConvTranspose2d(4, 6, 2, 2), True),
    "kernel 4, padding 1": (ConvTranspose2d(4, 6, 4, 2, 1), True),
    "kernel 4, padding 1, groups 2": (ConvTranspose2d(4, 6, 4, 2, 1, groups=2), True),
}
for name, (module, expected) in cases.items():
    converted = taken(module)
    print(f"finding: stride 2, {name}: {'equal' if converted else 'refused'}")
    assert converted == expected
CODE
