"""What the style `export` costs: `python -m bench.exports [--steps N] [--compile] [NAME ...]`.

Each net is made in both styles. The table has how long the usual one takes, in milliseconds, and how many times as long
the other one does: run eagerly, in a step of training, exported, and in ONNX Runtime; with `--compile` compiled, too.
It also has the seconds that an export takes to make. The usual style is exported for the length of the example, the
other one for any. All in one process on one thread, the shortest of several runs.
"""

from __future__ import annotations

import argparse
import sys
import time
from typing import TYPE_CHECKING

import numpy as np

from netspec.api import check
from netspec.base.source import Source
from netspec.runtime.torch_model import TorchModel
from netspec.runtime.torch_runtimes import RUNTIMES
from netspec.verify.legs import varying
from netspec.weights.samples import random_inputs
from netspec.weights.targets import torch_target

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from netspec.ir.types import CheckedNet

_CELL = """cell leaky(units) {
  input x
  state h [units]
  next h = 0.9 * h + 0.1 * tanh(dense(x, units) + dense(h, units, bias=false))
  output next h
}
"""
NETS = {
    "lstm": "input x [T, 64]; lstm(128, return=sequence)",
    "lstm, 2 layers, both ways": "input x [T, 64]; stack(2, bidirectional(lstm(128, return=sequence)))",
    "gru": "input x [T, 64]; gru(128, return=sequence)",
    "gru, activation=relu": "input x [T, 64]; gru(128, activation=relu, return=sequence)",
    "conv_lstm": "input x [T, 16, 16, 8]; conv_lstm(16, 3, padding=same, return=sequence)",
    "scan": "input x [T, 64]; scan(leaky(128), return=sequence)",
}
_BATCH, _RUNS = 8, 7


def shortest(function: Callable[[], object]) -> float:
    """How many milliseconds a function takes."""
    function()
    times = []
    for _ in range(_RUNS):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return 1e3 * min(times)


def times(net: CheckedNet, style: str, steps: int, ways: Sequence[str]) -> Iterator[tuple[str, float]]:
    """How long each way takes, and how many seconds it takes to make what is exported."""
    target = torch_target(net, style)
    axes = varying(net, None)
    axes = axes if style == "export" else [["batch", *[""] * (len(names) - 1)] for names in axes]
    plain = TorchModel(target.text, target.net)
    inputs = [plain._tensor(array) for array in random_inputs(net, np.random.default_rng(0), _BATCH, {"T": steps})]
    run = plain.torch.no_grad()(plain.call)
    yield "eager", shortest(lambda: run(inputs))
    yield "training", shortest(lambda: plain.call(inputs).sum().backward())
    for way in ways:
        model = RUNTIMES[way](target.text, target.net, axes)
        run, start = plain.torch.no_grad()(model.call), time.perf_counter()
        run(inputs)
        yield f"{way}, made in s", time.perf_counter() - start
        yield way, shortest(lambda: run(inputs))  # noqa: B023  (it is called at once)


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.exports", description=__doc__)
    parser.add_argument("names", metavar="NAME", nargs="*", choices=[[], *NETS], help="default: all")
    parser.add_argument("--steps", type=int, default=50, metavar="N", help="length of the sequences (default: 50)")
    parser.add_argument("--compile", action="store_true", help="compile each, too")
    options = parser.parse_args(words)
    import torch

    torch.set_num_threads(1)
    ways = [*(["compile"] if options.compile else []), "export", "onnxruntime"]
    print("| net | way | usual | export |\n|---|---|---:|---:|")
    for name in options.names or NETS:
        net = check(Source("exports.net", f"{_CELL}\nnet n {{ {NETS[name]} }}")).checked
        assert net is not None
        usual, other = (times(net, style, options.steps, ways) for style in ("module", "export"))
        for (way, before), (_, now) in zip(usual, other):
            print(f"| {name} | {way} | {before:.2f} | {now / before:.2f}x |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
