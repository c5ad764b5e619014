"""Other names: files written when a layer was called otherwise, or by PyTorch's own layer where code has several."""

from __future__ import annotations

import re

from ..base.record import TYPE_CHECKING
from .rename import Rule

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# a stack of recurrent layers is called after the word that it is written with; it was `stacked1`, `stacked2`, ...
_NOW, _BEFORE = re.compile(r"stack\d*"), "stacked"
# the arrays of one direction of one layer of several; `nn.LSTM` numbers them
_APART = re.compile(r"(|.*?\.)(?:layers\.(\d+)\.)?(?:(forward|backward)_layer\.)?((?:weight|bias)_[ih]h)_l0")


def earlier_names(wanted: Iterable[str], given: Iterable[str]) -> tuple[Rule, ...]:
    """Rules from other names in a file to those that a net wants and the file does not have."""
    theirs = set(given)
    counts: dict[str, dict[str, int]] = {}
    found = []
    for name in wanted:
        if name not in theirs:
            other = next((other for other in _others(name, counts) if other in theirs), None)
            if other is not None:
                found.append(Rule(0, other, name))
    return tuple(found)


def _others(name: str, counts: dict[str, dict[str, int]]) -> Iterator[str]:
    """What an array was called, or is called in other code. `counts` numbers the stacks within each part of a net, in
    their order."""
    before = _before(name, counts)
    for one in dict.fromkeys((before, name)):
        yield one
        found = _APART.fullmatch(one)
        if found is None:
            continue
        stem, layer, way, array = found.groups()
        yield f"{stem}{array}_l{layer or 0}{'_reverse' if way == 'backward' else ''}"
        yield from _within(stem, layer, way, array)


def _within(stem: str, layer: str | None, way: str | None, array: str) -> Iterator[str]:
    """The names where dropout, and a state that is kept, were modules around a layer."""
    inner = f"layers.{layer}." if layer else ""
    inner += f"{way}_layer." if way else ""
    for kept in ("", "layer."):
        for dropped in ("", "layer."):
            if kept or dropped:
                yield f"{stem}{kept}{inner}{dropped}{array}_l0"


def _before(name: str, counts: dict[str, dict[str, int]]) -> str:
    """The name with the stacks as they were called."""
    parts = re.split(r"([./])", name)
    for place in range(0, len(parts), 2):
        if _NOW.fullmatch(parts[place]):
            inside = counts.setdefault("".join(parts[:place]), {})
            parts[place] = f"{_BEFORE}{inside.setdefault(parts[place], len(inside) + 1)}"
    return "".join(parts)
