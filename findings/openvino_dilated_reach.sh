#!/usr/bin/env bash
# OpenVINO 2026.4.1 on a CPU: a dilated convolution without padding that reaches over more than 64 cells (kernel 2 and
# dilation 64, kernel 3 and dilation 32) does not compile where the length is open ("Can not clone with new dims ...
# {64, 4, 0}"): the plugin seems to try it on 64 cells. `convert_model` leaves the length open even where the exported
# program has one. One cell less compiles, so does a kernel of 65 without dilation, and so does the same model after
# `reshape` to the true length.
# Guess before the run: how far a kernel reaches is no matter as long as the input is longer.
. "$(dirname "$0")/common.sh"
install torch==2.13.0 openvino==2026.4.1 packaging==25.0  # openvino asks for packaging, and does not name it
run <<'CODE'
import openvino
import torch

torch.manual_seed(0)
x = torch.randn(2, 4, 600)


def outcome(kernel, dilation, known=False):
    module = torch.nn.Conv1d(4, 4, kernel, dilation=dilation).eval()
    model = openvino.convert_model(torch.export.export(module, (x,)))
    assert model.inputs[0].partial_shape.is_dynamic
    if known:
        model.reshape(list(x.shape))
    try:
        compiled = openvino.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    except RuntimeError as error:
        return next(line for line in str(error).splitlines() if "ParameterMismatch" in line).partition(".")[0]
    found = torch.from_numpy(compiled([x.numpy()])[0])
    torch.testing.assert_close(found, module(x).detach(), rtol=1e-4, atol=1e-4)
    return "equal"


found = {
    (kernel, dilation, known): outcome(kernel, dilation, known)
    for kernel, dilation in ((2, 63), (2, 64), (3, 31), (3, 32), (33, 2), (65, 1))
    for known in (False, True)
}
for (kernel, dilation, known), said in found.items():
    print(f"kernel {kernel:2} dilation {dilation:2} length {'known' if known else 'open '}: {said}")
refused = {key for key, said in found.items() if said != "equal"}
assert refused == {(2, 64, False), (3, 32, False), (33, 2, False)}
assert {found[key] for key in refused} == {"ParameterMismatch: Can not clone with new dims"}
CODE
