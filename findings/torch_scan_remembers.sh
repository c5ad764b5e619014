#!/usr/bin/env bash
# PyTorch 2.13.0: `torch.export` of a `scan` remembers earlier exports. After one with a dynamic length alone, another with
# a dynamic batch is refused, of another module of the class, too; `torch.compiler.reset()` before it helps.
. "$(dirname "$0")/common.sh"
install torch==2.13.0
run <<'CODE'
import torch
from torch._higher_order_ops.scan import scan

batch, length = torch.export.Dim("batch"), torch.export.Dim("length")
x = torch.randn(3, 5, 2)


class Sums(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.eye(2))

    def forward(self, x):
        def step(total, now):
            total = total + now @ self.weight
            return total, total.clone()

        return scan(step, x.new_zeros(x.shape[0], x.shape[2]), x.transpose(0, 1))[1]


def exported(sizes):
    try:
        torch.export.export(Sums(), (x,), dynamic_shapes=(sizes,))
    except torch._dynamo.exc.UserError as error:
        assert "batch as dynamic but your code specialized it to be a constant (3)" in str(error)
        return False
    return True


both = {0: batch, 1: length}
for before, expected in ((None, True), (both, True), ({1: length}, False)):
    torch.compiler.reset()
    assert exported(before)
    found = exported(both)
    print(f"after an export with {sorted(before or ())} dynamic: {'kept' if found else 'refused'}")
    assert found == expected
torch.compiler.reset()
assert exported(both)
print("after a reset: kept")
CODE
