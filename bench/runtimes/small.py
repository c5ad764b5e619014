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
# What costs more still repeats its blocks less often. These are the ways in which the specs say how often: a loop over
# counts beside other numbers, over counts alone, over places, and the towers of cells.
_DEEP = 400_000_000
_REPEATS = (
    (re.compile(r"(?<=[\[ ])\(\d+(?=(, \d+){2,}\))"), "(1"),
    (re.compile(r"\[6, 12, \d+"), "[2, 2, 2"),
    (re.compile(r"\bin 0\.\.\d+"), "in 0..1"),
    (re.compile(r"\brepeat ([3-9]|\d\d+)\b"), "repeat 2"),
    (re.compile(r"\bn=\d+"), "n=1"),
    (re.compile(r"\bfilters=\d\d+"), "filters=24"),
)


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
        found = _checked(_with_small_images(source), settings)
        return (net, settings) if found is None else (found, {**settings, "image": _IMAGE})
    return net, settings


def shallow(name: str) -> tuple[CheckedNet, dict[str, int]]:
    """As `small`, but what is deep still repeats its blocks less often: `repeats=1` is among its settings."""
    net, settings = small(name)
    if cost(net) <= _DEEP:
        return net, settings
    source = _with_small_images(read_source(ZOO + name))
    found = _checked(_with_few_repeats(source), {key: value for key, value in settings.items() if key != "image"})
    return (net, settings) if found is None or cost(found) >= cost(net) else (found, {**settings, "repeats": 1})


def _with_small_images(source: Source) -> Source:
    """The spec on smaller images, without what it expects."""
    return Source(source.name, _FIXED.sub(f"[{_IMAGE}, {_IMAGE}, 3]", _EXPECTED.sub("", source.text)), source.path)


def _with_few_repeats(source: Source) -> Source:
    text = source.text
    for count, few in _REPEATS:
        text = count.sub(few, text)
    return Source(source.name, text, source.path)


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
