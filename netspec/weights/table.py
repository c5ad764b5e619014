"""Weights held against a net."""

from __future__ import annotations

from ..base.diagnostics import did_you_mean
from ..base.record import TYPE_CHECKING
from ..ir.paths import penalised, weight_table
from .words import agree

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from ..ir.types import CheckedNet


class WeightsError(ValueError):
    """Weights do not fit a net. `problems` says which are missing, extra or of another shape, `hints` what may help on
    the command line."""

    def __init__(self, problems: Sequence[str], hints: Sequence[str] = ()) -> None:
        self.problems = tuple(problems)
        self.hints = tuple(hints)
        super().__init__("; ".join(self.problems))


def regularization(net: CheckedNet, weights: Mapping[str, Any]) -> float:
    """What the sizes of weights add to the loss: the definition, in NumPy and float64."""
    import numpy as np

    total = 0.0
    for path, weight in penalised(net).items():
        array = np.asarray(weights[path], np.float64)
        total += float(weight.l1 * abs(array).sum() + weight.l2 * np.square(array).sum())
    return total


def check_weights(net: CheckedNet, weights: Mapping[str, Any]) -> None:
    """Hold weights against a net. Raises WeightsError with all that does not fit."""
    wanted = {path: weight.shape for path, weight in weight_table(net).items()}
    problems = misfits(wanted, {path: tuple(array.shape) for path, array in weights.items()}, f"net {net.name}")
    if problems:
        raise WeightsError(problems)


def misfits(
    wanted: Mapping[str, tuple[Any, ...]],
    given: Mapping[str, tuple[int, ...]],
    holder: str,
    may_be: Callable[[str, str], bool] = agree,
) -> list[str]:
    """What is missing, extra or mis-shaped among named arrays, a line each, with the nearest name if there is one.

    `may_be` says of a wanted and a given name whether they can be of one array.
    """
    missing = [name for name in wanted if name not in given]
    extra = [name for name in given if name not in wanted]
    problems = []
    for name in missing:
        hint = did_you_mean(name, [n for n in extra if given[n] == wanted[name] and may_be(name, n)])
        problems.append(f"`{name}` {_shown(wanted[name])} is missing" + (f" ({hint})" if hint else ""))
    for name in extra:
        hint = did_you_mean(name, [n for n in missing if given[name] == wanted[n] and may_be(n, name)])
        problems.append(f"`{name}` {_shown(given[name])} is not a weight of {holder}" + (f" ({hint})" if hint else ""))
    for name, shape in wanted.items():
        if name in given and given[name] != shape:
            problems.append(f"`{name}` is {_shown(given[name])}, but should be {_shown(shape)}")
    return problems


def _shown(shape: Sequence[Any]) -> str:
    return f"[{', '.join(map(str, shape))}]"
