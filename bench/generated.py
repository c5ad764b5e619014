"""Generated PyTorch beside the same network written by hand: CPU time of inference and of a training step.

`python -m bench.generated [--pairs N] [--threads N] [--only WORDS]`. Both hold the same weights, must give the same
numbers, and run in turn in one process, each first in every other pair; the median of the ratios is shown with its
quartiles. A second module written by hand, beside the first, shows what of that is noise.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import time

import torch
from torch import nn

from bench import byhand
from netspec.api import check
from netspec.base.record import TYPE_CHECKING, Record
from netspec.base.source import Source
from netspec.codegen.pipeline import emit
from netspec.files import ZOO, read_source
from netspec.runtime.code import execute

if TYPE_CHECKING:
    from collections.abc import Callable


class Pair(Record):
    """A network: its source, how it is made by hand, and the shape of a batch as PyTorch takes it."""

    title: str
    source: Callable[[], Source]
    by_hand: Callable[[], nn.Module]
    shape: tuple[int, ...]


def _of_zoo(name: str, by_hand: Callable[[], nn.Module]) -> Pair:
    return Pair(name, lambda: read_source(f"{ZOO}{name}.net"), by_hand, (2, 3, 224, 224))


def _recurrent(kind: str, cls: type[nn.RNNBase], samples: int, steps: int) -> list[Pair]:
    """Two layers, alone and in both directions, one layer behind the other as two lines and as a stack."""
    texts = {
        f"{kind}, one layer": (f"{kind}(128)", 1, 1),
        f"{kind}, two layers": (f"{kind}(128, return=sequence) -> {kind}(128)", 2, 1),
        f"{kind}, a stack of two": (f"stack(2, {kind}(128))", 2, 1),
        f"{kind}, both ways": (f"bidirectional({kind}(128))", 1, 2),
        f"{kind}, two layers with dropout": (f"{kind}(128, return=sequence) -> dropout(0.2) -> {kind}(128)", 2, 1),
    }
    return [
        Pair(
            f"{title} [{samples}, {steps}]",
            lambda body=body: Source("bench.net", f"net bench {{ input x [{steps}, 64]\n {body} -> dense(10) }}"),
            lambda layers=layers, ways=ways, rate=0.2 * ("dropout" in title): byhand.Recurrent(cls, layers, ways, rate),
            (samples, steps, 64),
        )
        for title, (body, layers, ways) in texts.items()
    ]


PAIRS = (
    _of_zoo("resnet50", byhand.ResNet50),
    _of_zoo("vgg16", byhand.VGG16),
    _of_zoo("mobilenet_v2", byhand.MobileNetV2),
    _of_zoo("densenet121", byhand.DenseNet121),
    *_recurrent("lstm", nn.LSTM, 32, 50),
    *_recurrent("gru", nn.GRU, 32, 50),
    *_recurrent("lstm", nn.LSTM, 2, 10),
)


def generated(source: Source) -> nn.Module:
    """The module that netspec writes."""
    net = check(source).checked
    assert net is not None, source.name
    module: nn.Module = execute(emit(net, "torch"), net.name)()
    return module


def alike(module: nn.Module, other: nn.Module, x: torch.Tensor) -> None:
    """Give a module the weights of another one, in order, and see that both are one function."""
    pairs = list(zip(module.parameters(), other.parameters(), strict=True))
    with torch.no_grad():
        for one, two in pairs:
            one.copy_(two)
        torch.testing.assert_close(module.eval()(x), other.eval()(x), rtol=1e-3, atol=1e-4)


def infer(module: nn.Module, x: torch.Tensor) -> None:
    with torch.no_grad():
        module.eval()(x)


def learn(module: nn.Module, x: torch.Tensor) -> None:
    """A step but for the change of the weights, which is the same for both."""
    module.zero_grad()
    module.train()(x).square().sum().backward()


def seconds(work: Callable[[nn.Module, torch.Tensor], None], module: nn.Module, x: torch.Tensor, least: float) -> float:
    """CPU time of one run, of as many as take some time."""
    start, runs = time.process_time(), 0
    while not runs or time.process_time() - start < least:
        work(module, x)
        runs += 1
    return (time.process_time() - start) / runs


def ratios(pair: Pair, count: int) -> None:
    """A line for each way, with the medians and quartiles of so many pairs."""
    x = torch.randn(pair.shape)
    hand, again, ours = pair.by_hand(), pair.by_hand(), generated(pair.source())
    alike(again, hand, x)
    alike(ours, hand, x)
    for title, work in (("inference", infer), ("training", learn)):
        found: dict[str, list[float]] = {"ours": [], "again": []}
        base = []
        for number in range(count + 1):  # the first one warms up
            gc.collect()
            order = [("ours", ours), ("hand", hand), ("again", again)]
            spent = {name: seconds(work, m, x, 0.05) for name, m in (order if number % 2 else reversed(order))}
            if number:
                base.append(spent["hand"])
                for name, those in found.items():
                    those.append(spent[name] / spent["hand"])
        shown = "  ".join("{1:6.3f} [{0:.3f} {2:.3f}]".format(*statistics.quantiles(r, n=4)) for r in found.values())
        print(f"{pair.title:<38} {title:<10} {statistics.median(base) * 1e3:8.1f} {shown}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=15, help="runs of each, in pairs (default: 15)")
    parser.add_argument("--threads", type=int, default=1, help="threads of PyTorch (default: 1)")
    parser.add_argument("--only", metavar="WORDS", default="", help="the networks with these words in their titles")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    print(f"{'network':<38} {'':<10} {'by hand':>8} {'generated':>15} {'by hand again':>24}")
    for pair in PAIRS:
        if options.only in pair.title:
            ratios(pair, options.pairs)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
