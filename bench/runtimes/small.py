"""Specs of the zoo as small as their settings permit, so that all of them run in each runtime."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from netspec.api import check
from netspec.base.source import Source
from netspec.files import ZOO, read_source

if TYPE_CHECKING:
    from collections.abc import Iterator

    from netspec.ir.types import CheckedNet

# what a layer costs beside a weight
_LAYER = 1_000_000
# a net within both stays as it is
_WEIGHTS, _MACS = 1_000_000, 5_000_000
# by the names of arguments, what is tried instead of a larger default, the best first
_SMALLER = {
    "vocabulary": (50,),
    "source_vocabulary": (50,),
    "target_vocabulary": (50,),
    "classes": (10,),
    "size": (32, 40, 64, 75, 96, 107, 139, 171, 188, 224),
    "length": (6, 20),
    "hours": (24,),
    "layers": (2, 3),
    "n": (1,),
    "stacks": (1,),
    "depth": (3, 18, 50),
    "units": (24,),
    "filters": (12, 24, 36),
    "width": (24, 96),
    "hidden": (48,),
    "context": (32,),
}

# weights and tenths of MACs: what costs more and has images of a fixed size takes smaller ones
_LARGEST, _IMAGE = 800_000_000, 64
_FIXED, _EXPECTED = re.compile(r"\[224, 224, 3\]"), re.compile(r"\bexpect [^\n}]*")


def small(name: str) -> tuple[CheckedNet, dict[str, int]]:
    """The net of a spec and the settings that make it small; none where it is."""
    source = read_source(ZOO + name)
    net, settings = _checked(source, {}), dict[str, int]()
    assert net is not None
    if _within(net):
        return net, settings
    for argument in _SMALLER:
        for value in _values(net, argument):
            found = _checked(source, {**settings, argument: value})
            if found is not None:
                net, settings = found, {**settings, argument: value}
                break
    if cost(net) - len(net.rows) * _LAYER > _LARGEST and _FIXED.search(source.text):
        found = _with_small_images(source, settings)
        return (net, settings) if found is None else (found, {**settings, "image": _IMAGE})
    return net, settings


def _with_small_images(source: Source, settings: dict[str, int]) -> CheckedNet | None:
    """The net on smaller images, without what its spec expects of it."""
    text = _FIXED.sub(f"[{_IMAGE}, {_IMAGE}, 3]", _EXPECTED.sub("", source.text))
    return _checked(Source(source.name, text), settings)


def _values(net: CheckedNet, argument: str) -> Iterator[int]:
    default = net.net.body.arguments.get(argument)
    if isinstance(default, int):
        yield from (value for value in _SMALLER[argument] if value < default)


def _checked(source: Source, settings: dict[str, int]) -> CheckedNet | None:
    found = check(source, settings=settings).checked
    return found if found is not None and found.ok else None


def _within(net: CheckedNet) -> bool:
    return _number(net.totals.params) <= _WEIGHTS and _number(net.totals.macs) <= _MACS


def cost(net: CheckedNet) -> int:
    """What a net costs, roughly: its layers are traced, its weights written and read, its products worked out."""
    return len(net.rows) * _LAYER + _number(net.totals.params) + _number(net.totals.macs) // 10


def _number(count: object) -> int:
    """A number of weights or MACs; what hangs on symbolic sizes counts as nothing."""
    return count if isinstance(count, int) else 0
