"""What a framework would train, held against what the spec says is learned, frozen or a statistic."""

from __future__ import annotations

from math import prod

from ..base.record import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ..base.dims import Dim
    from ..ir.types import CheckedNet
    from ..weights.spelling import Spelling

# so many layers are named; where one flag is wrong many may be
_SHOWN = 3


def learning(net: CheckedNet, spelling: Spelling, trainable: Mapping[str, bool]) -> list[str]:
    """Where a framework differs from the checker, in words that go on behind its name. `trainable` is by the
    framework's names."""
    statistics = [held for held in spelling.held if held.weight.role == "statistic"]
    sizes = sum(prod(held.weight.sizes) for held in statistics)
    problems = []
    if sizes != net.totals.statistics:
        problems.append(f"has {sizes:,} statistics, the checker says {net.totals.statistics:,}")
    trained = [held.path for held in statistics if trainable[held.key]]
    problems += _some([f"trains `{path}`, which is a statistic" for path in trained])
    return problems + _some(list(_otherwise(net, spelling, trainable)))


def _otherwise(net: CheckedNet, spelling: Spelling, trainable: Mapping[str, bool]) -> Iterator[str]:
    """The layers of which a framework learns more or less than the checker says."""
    found: dict[str, int] = {}
    for held in spelling.held:
        learns = held.weight.role != "statistic" and trainable[held.key]
        found[held.layer] = found.get(held.layer, 0) + prod(held.weight.sizes) * learns
    for path, told in _told(net).items():
        size = within(found, path)
        if size != told:
            yield f"trains {size:,} parameters of `{path}`, the checker says {told:,}"


def _told(net: CheckedNet) -> dict[str, Dim]:
    """What is learned of each layer; of one that is used several times, at its first use."""
    found: dict[str, Dim] = {}
    for row in net.layers:
        found[row.path] = row.figures.trainable + found.get(row.path, 0)
    return found


def within(counts: Mapping[str, int], path: str) -> int:
    """The sum of the counts at a path and below it."""
    return sum(count for name, count in counts.items() if f"{name}.".startswith(f"{path}."))


def _some(told: list[str]) -> list[str]:
    """The first few, and how many more there are."""
    rest = len(told) - _SHOWN
    return [*told[:_SHOWN], *([f"differs in {rest:,} more layers"] if rest > 0 else [])]
