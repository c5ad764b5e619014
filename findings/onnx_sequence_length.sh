#!/usr/bin/env bash
# PyTorch 2.13.0, `torch.onnx.export(dynamo=True)` with a dynamic length, of a net that gives the last state of an LSTM or GRU:
# the first export in a process keeps the length open and is right at others; a second one, of the same module, has the length
# of its example, and onnxruntime 1.32.0 refuses any other. No error is raised. RNN has it from the first.
# Guess before the run: all of them have the length of the example.
. "$(dirname "$0")/common.sh"
install torch==2.13.0 onnx==1.23.2 onnxscript==0.7.2 onnxruntime==1.32.0
run <<'CODE'
import onnxruntime
import torch

example, other = torch.randn(3, 5, 4), torch.randn(3, 7, 4)
shapes = ({1: torch.export.Dim("length", min=2, max=64)},)


class Last(torch.nn.Module):
    def __init__(self, kind):
        super().__init__()
        self.recurrence = kind(4, 6, batch_first=True)

    def forward(self, x):
        state = self.recurrence(x)[1]
        return state[0] if isinstance(state, tuple) else state


def open_length(module):
    """Does a file that is written now take a sequence of 7, where the example has 5?"""
    torch.onnx.export(module, (example,), "net.onnx", dynamic_shapes=shapes, dynamo=True, verbose=False)
    session = onnxruntime.InferenceSession("net.onnx")
    try:
        (found,) = session.run(None, {"x": other.numpy()})
    except onnxruntime.capi.onnxruntime_pybind11_state.InvalidArgument as error:
        assert "Got: 7 Expected: 5" in str(error)
        return False
    torch.testing.assert_close(torch.as_tensor(found), module(other).detach())
    return True


for kind in torch.nn.LSTM, torch.nn.GRU, torch.nn.RNN:
    module = Last(kind).eval()
    found = [open_length(module) for _ in range(3)]
    print(f"{kind.__name__}: another length runs: {found}")
    assert found == [kind is not torch.nn.RNN, False, False]
CODE
