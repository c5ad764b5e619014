"""Random weights and inputs that let every layer react to what comes in."""

from __future__ import annotations

from math import prod

from ..base.diagnostics import Collector
from ..base.dims import substitute
from ..base.record import TYPE_CHECKING
from ..elaborate.net import elaborate
from ..ir.paths import weight_table
from .padded import pad, padded_inputs

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy as np

    from ..base.dims import Dim
    from ..ir.types import CheckedNet
    from ..layers.base import Array, Weight

# integers of an input whose limit is not known
_LIMIT = 10


def random_weights(net: CheckedNet, rng: np.random.Generator) -> dict[str, Array]:
    """float32 arrays by path: kernels that keep the scale (He et al., 2015), variances and scales near 1."""
    return {path: _random(rng, weight) for path, weight in weight_table(net).items()}


def _random(rng: np.random.Generator, weight: Weight) -> Array:
    import numpy as np

    shape, found = weight.sizes, np.asarray(rng.standard_normal(weight.sizes, np.float32))
    if "mean" in weight.name or weight.role == "bias":
        found *= np.float32(0.1)
    elif weight.role == "statistic" or len(shape) < 2:
        found = np.asarray(rng.random(shape, np.float32) + np.float32(0.5))
    else:
        # PyTorch keeps what a number of the output is made of behind the first axis
        found *= np.float32((2 / prod(weight.torch.shape_of(shape)[1:])) ** 0.5)
    return found


def random_inputs(net: CheckedNet, rng: np.random.Generator, batch: int, sizes: Mapping[str, int]) -> list[Array]:
    """An array for each input, in the language's order: float32, integers, true and false.

    `sizes` gives symbols their values. Sequences in which 0 is padding are padded.
    """
    import numpy as np

    found: list[Array] = []
    for port in net.net.body.inputs:
        shape = (batch, *numbers(port.value.shape, sizes))
        if port.value.dtype.startswith("int"):
            (limit,) = numbers((_LIMIT if port.limit is None else port.limit,), sizes)
            found.append(rng.integers(0, limit, shape).astype(np.int32))
        elif port.value.dtype == "bool":
            found.append(rng.random(shape) < 0.5)
        else:
            found.append(rng.standard_normal(shape, np.float32))
    for place in padded_inputs(net.net):  # behind all others, which are the same without masks
        found[place] = pad(found[place], rng)
    return found


def numbers(dims: Sequence[Dim], sizes: Mapping[str, int]) -> tuple[int, ...]:
    """Sizes with their symbols replaced. Raises KeyError where a symbol has no value."""
    found = (substitute(d, sizes) for d in dims)
    return tuple(d if isinstance(d, int) else sizes[str(d)] for d in found)


def figure(dim: Dim, sizes: Mapping[str, int]) -> int:
    """A figure with its symbols replaced; 0 where one has no value."""
    found = substitute(dim, sizes)
    return found if isinstance(found, int) else 0


def _holds(net: CheckedNet, sizes: dict[str, int]) -> bool:
    """Is the net whole with these values for its symbols?"""
    faults, design = Collector(), net.net.design
    found = elaborate(design, net.net.body.definition, {**net.net.settings, **sizes}, faults)
    return found.whole and not faults.failed


def _candidates(symbols: Sequence[str], least: int, more: int) -> Iterator[dict[str, int]]:
    """Sizes to try: each larger than the one before, or smaller, or all of them multiples of one number."""
    for order in (symbols, symbols[::-1]) if len(symbols) > 1 else (symbols,):
        yield {symbol: least + 3 * place + more for place, symbol in enumerate(order)}
    yield {symbol: least * (1 + place + more) for place, symbol in enumerate(symbols)}


def sizes_that_fit(net: CheckedNet, count: int = 2) -> Sequence[dict[str, int]]:
    """Values for the symbolic sizes with which the net holds. Raises ValueError where none are found.

    Each set gives all symbols other values, so that sizes that were mixed up come to light.
    """
    symbols = net.net.symbols
    if not symbols:
        return [{}]
    found: list[dict[str, int]] = []
    for least in (5, 8, 16, 32, 48, 64, 96, 128, 224, 256, 299, 331, 512):
        for sizes in _candidates(symbols, least, len(found)):
            if _holds(net, sizes):
                found.append(sizes)
                break
        if len(found) == count:
            return found
    if not found:
        raise ValueError(f"no sizes were found that fit {', '.join(symbols)}; give some with --set")
    return found


def example(net: CheckedNet) -> list[Array]:
    """Inputs with which a model can be made."""
    import numpy as np

    return random_inputs(net, np.random.default_rng(0), 1, sizes_that_fit(net, 1)[0])
