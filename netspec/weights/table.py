"""The weights of a net by path, in the order of the language."""

from __future__ import annotations

from ..diagnostics import did_you_mean
from ..ir import Call, Scope, Step, path_of, weight_path
from ..record import TYPE_CHECKING
from .words import agree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import Any

    from ..ir import Body, CheckedNet, Item
    from ..layers.base import Weight


class WeightsError(ValueError):
    """Weights do not fit a net. `problems` says which are missing, extra or of another shape, `hints` what may help on
    the command line."""

    def __init__(self, problems: Sequence[str], hints: Sequence[str] = ()) -> None:
        self.problems = tuple(problems)
        self.hints = tuple(hints)
        super().__init__("; ".join(self.problems))


def paths_of(body: Body) -> dict[int, str]:
    """The path within a body of each step and call, by its identity.

    What is shared has the path of its declaration, wherever it is used.
    """
    return {id(item): path for path, item in _placed(body.held, "")}


def _placed(items: Sequence[Item], prefix: str) -> Iterator[tuple[str, Step | Call]]:
    for item in items:
        if isinstance(item, Scope):
            yield from _placed(item.items, f"{prefix}{item.name}." if item.name else prefix)
        else:
            yield path_of(item, prefix, ""), item


def steps_of(body: Body, prefix: str = "", learning: bool = False) -> Iterator[tuple[str, Step]]:
    """All steps and their paths, in the order of the net; each use of a shared one. With `learning` those that are not
    held still."""
    for path, item in _placed(body.held, ""):
        if learning and item.frozen:
            continue
        if isinstance(item, Call):
            yield from steps_of(item.body, f"{prefix}{path}.", learning)
        else:
            yield prefix + path, item


def weight_table(net: CheckedNet) -> dict[str, Weight]:
    """All weights of a net by path, in the order of the language; shared ones once."""
    found: dict[str, Weight] = {}
    for path, step in steps_of(net.net.body):
        for weight in step.weights:
            found.setdefault(weight_path(path, weight), weight)
    return found


def penalised(net: CheckedNet) -> dict[str, Weight]:
    """The weights whose size adds to the loss, by path; shared ones once, and none that are held still."""
    found: dict[str, Weight] = {}
    for path, step in steps_of(net.net.body, learning=True):
        for weight in step.weights:
            if weight.l1 or weight.l2:
                found.setdefault(weight_path(path, weight), weight)
    return found


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
