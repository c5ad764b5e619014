#!/usr/bin/env bash
# litert-torch 0.10.0: `interpolate(mode="nearest")` becomes `nearest-exact` wherever the sizes are no multiples, so that
# other pixels are taken: of 7 rows, 3 are 0, 2, 4 in PyTorch and 1, 3, 5 in LiteRT. No word is said.
# Guess before the run: it differs. By how much was not known.
. "$(dirname "$0")/common.sh"
install torch==2.13.0 litert-torch==0.10.0
run <<'CODE'
import litert_torch
import torch
from torch.nn import Upsample

x = torch.arange(7.0).view(1, 1, 7, 1)


def rows(found):
    return torch.as_tensor(found)[0, 0, :, 0].tolist()


for size in 3, 5, 10, 14:
    module = Upsample((size, 1), mode="nearest")
    wanted, found = rows(module(x)), rows(litert_torch.convert(module, (x,))(x))
    exact = rows(Upsample((size, 1), mode="nearest-exact")(x))
    print(f"finding: 7 to {size}: PyTorch {wanted}, LiteRT {found}")
    assert found == exact
    assert (found == wanted) == (size == 14)
CODE
