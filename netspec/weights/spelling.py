"""Spellings: the same weights under a framework's names, in its order of axes."""

from __future__ import annotations

from ..base.record import TYPE_CHECKING, Record
from .ordering import in_languages_order, in_usual_order
from .table import WeightsError, misfits

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from ..codegen.backends.weight_map import WeightBinding
    from ..layers.base import Array


class Spelling(Record):
    """Where one form of generated code keeps the weights of a net. `held` has each weight of the spec once."""

    held: tuple[WeightBinding, ...]

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The framework's arrays by name, with their shapes."""
        found: dict[str, tuple[int, ...]] = {}
        for held in self.held:
            found[held.key] = held.shape
            if held.plus:
                found[held.plus] = found[held.key]
        return found

    def put(self, weights: Mapping[str, Array]) -> dict[str, Array]:
        """The framework's arrays from the language's, by path. Raises KeyError where one is missing."""
        import numpy as np

        found: dict[str, Array] = {}
        parts: dict[str, list[Any]] = {}
        for held in self.held:
            array = held.place.put(_ordered(held, weights[held.path]))
            if held.place.part is None:
                found[held.key] = array
            else:
                at, count = held.place.part
                parts.setdefault(held.key, [None] * count)[at] = array
            if held.plus:
                found[held.plus] = np.zeros_like(array)
        return found | {key: np.concatenate(arrays) for key, arrays in parts.items()}

    def take(self, arrays: Mapping[str, Array]) -> dict[str, Array]:
        """The language's arrays by path from the framework's. Raises WeightsError where they do not fit."""
        problems = misfits(self.shapes, {name: tuple(a.shape) for name, a in arrays.items()}, "this net")
        if problems:
            raise WeightsError(problems)
        return {held.path: _taken(held, arrays) for held in self.held}

    def gradients(self, arrays: Mapping[str, Array]) -> dict[str, Array]:
        """Gradients in the language's order by path, of those weights that have one."""
        alone = (held.replace(place=held.place.replace(plus="")) for held in self.held if held.key in arrays)
        return {held.path: _taken(held, arrays) for held in alone}


def spelling(held: Iterable[WeightBinding]) -> Spelling:
    """A spelling of weights; of those that are used several times, the first use counts."""
    first: dict[str, WeightBinding] = {}
    for one in held:
        first.setdefault(one.path, one)
    return Spelling(tuple(first.values()))


def _taken(held: WeightBinding, arrays: Mapping[str, Array]) -> Array:
    array = arrays[held.key]
    if held.plus:
        array = array + arrays[held.plus]
    if held.place.part is not None:
        at, count = held.place.part
        size = array.shape[0] // count
        array = array[at * size : (at + 1) * size]
    if held.order is None:
        return held.place.take(array, held.weight.sizes)
    return in_languages_order(held.order, held.place.take(array, held.order.shape_of(held.weight.sizes)))


def _ordered(held: WeightBinding, array: Array) -> Array:
    """The array in the order that the framework has for its numbers."""
    return array if held.order is None else in_usual_order(held.order, array)
