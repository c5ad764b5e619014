#!/usr/bin/env bash
# OpenVINO 2026.4.1, from torch.export: `scaled_dot_product_attention(enable_gqa=True)` with 4 heads of queries and 2 of keys is
# converted and compiled, and raises when it runs: the flag is lost. Repeated keys and values are equal.
# Guess before the run: it agrees.
. "$(dirname "$0")/common.sh"
install torch==2.13.0 openvino==2026.4.1 packaging==25.0  # openvino asks for packaging, and does not name it
run <<'CODE'
import openvino
import torch
from torch.nn.functional import scaled_dot_product_attention as attention


class Grouped(torch.nn.Module):
    def forward(self, q, k, v):
        return attention(q, k, v, enable_gqa=True)


class Repeated(torch.nn.Module):
    def forward(self, q, k, v):
        return attention(q, k.repeat_interleave(2, 1), v.repeat_interleave(2, 1))


q, k, v = torch.randn(2, 4, 5, 8), torch.randn(2, 2, 6, 8), torch.randn(2, 2, 6, 8)
arrays = [x.numpy() for x in (q, k, v)]


def ready(module):
    found = openvino.convert_model(torch.export.export(module, (q, k, v)))
    return openvino.compile_model(found, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})


wanted = Grouped()(q, k, v)
torch.testing.assert_close(torch.as_tensor(ready(Repeated())(arrays)[0]), wanted)
grouped = ready(Grouped())
try:
    grouped(arrays)
except RuntimeError as error:
    print("finding: it compiles, and running it raises:", str(error).strip().splitlines()[-1][:100])
else:
    raise SystemExit("it runs now")
CODE
