#!/usr/bin/env bash
# coremltools 9.0 with PyTorch 2.13.0: an exported program leaves out arguments that are at their defaults, and the
# converter counts those that are there. `cosine_similarity(x, y, dim=-1)` and `max_pool2d(x, 2)` are refused ("got 3
# input(s), expected [4]", "got 2 input(s), expected minimum 3"); with any eps but 1e-8, or with the stride written out, the
# same converts. `avg_pool2d(x, 2)`, which has the same default, converts as it is. Of `layer_norm` a bias without a weight
# is refused, neither of them is not.
# Guess before the run: what is computed decides about conversion, not how much of it was written.
. "$(dirname "$0")/common.sh"
install torch==2.13.0 coremltools==9.0
run <<'CODE' 2> /dev/null
import coremltools
import torch
import torch.nn.functional as F


class Net(torch.nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


def outcome(function):
    program = torch.export.export(Net(function).eval(), (torch.randn(2, 3, 6, 6),)).run_decompositions({})
    try:
        coremltools.convert(program, minimum_deployment_target=coremltools.target.iOS17)
    except (ValueError, AttributeError) as error:
        return f"{type(error).__name__}: {error}".splitlines()[0]
    return "converted"


found = {
    "cosine": outcome(lambda x: F.cosine_similarity(x, x.flip(1), dim=-1)),
    "cosine, eps=1e-6": outcome(lambda x: F.cosine_similarity(x, x.flip(1), dim=-1, eps=1e-6)),
    "max_pool2d": outcome(lambda x: F.max_pool2d(x, 2)),
    "max_pool2d, stride=2": outcome(lambda x: F.max_pool2d(x, 2, 2)),
    "avg_pool2d": outcome(lambda x: F.avg_pool2d(x, 2)),
    "layer_norm, bias": outcome(lambda x: F.layer_norm(x, (6,), None, torch.ones(6))),
    "layer_norm": outcome(lambda x: F.layer_norm(x, (6,))),
}
for name, said in found.items():
    print(f"{name:21} {said}")
assert "got 3 input(s), expected [4]" in found["cosine"]
assert "got 2 input(s), expected minimum 3" in found["max_pool2d"]
assert found["layer_norm, bias"].startswith("AttributeError")
assert {said for name, said in found.items() if name not in ("cosine", "max_pool2d", "layer_norm, bias")} == {"converted"}
CODE
