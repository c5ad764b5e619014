"""The levels of a model's modules as a tree: which steps belong to which module, and what goes in and out of it."""

from __future__ import annotations

import re
from collections import Counter

from ..base.record import TYPE_CHECKING, Record
from ..layers.base import LAYERS, Layer
from .graph import ImportedStep, ValueRef

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any, TypeAlias

    from .graph import ImportedModel

    Part: TypeAlias = "ImportedStep | ModuleCall"

# modules that only hold others
CONTAINERS = ("Sequential", "ModuleList", "ModuleDict", "")


class ModuleCall(Record):
    """A module where it is called: its parts in order, the values that it takes, and those that are taken from it."""

    name: str
    kind: str
    path: tuple[str, ...]
    parts: tuple[Part, ...]
    inputs: tuple[int, ...] = ()
    outputs: tuple[int, ...] = ()

    @property
    def is_container(self) -> bool:
        """Is it a list of others, called one after the other?"""
        return self.kind in CONTAINERS or all(part_name(part, len(self.path)).isdigit() for part in self.parts)


def part_name(part: Part, depth: int) -> str:
    """The name of a part within a module of that depth; empty for what the module does itself."""
    if isinstance(part, ModuleCall):
        return part.name
    return part.path[depth].name if len(part.path) > depth else ""


def tree_of(model: ImportedModel) -> ModuleCall:
    """The whole model as a module. A module that is called twice stands there twice."""
    parts = _nested(model.steps, 0)
    inputs = tuple(port.number for port in model.inputs)
    outputs = tuple(number for _, number in model.outputs)
    taken = Counter(n for step in model.steps for n in taken_by(step))
    taken.update(outputs)
    return _bounded(ModuleCall(model.name, "", (), parts), taken).replace(inputs=inputs, outputs=outputs)


def _nested(steps: Sequence[ImportedStep], depth: int) -> tuple[Part, ...]:
    """Steps that follow one another within one module become that module."""
    parts: list[Part] = []
    start = 0
    while start < len(steps):
        path = steps[start].path
        if len(path) <= depth or not path[depth].name:  # what has no name there is no module
            parts.append(steps[start])
            start += 1
            continue
        end = start + 1
        while end < len(steps) and len(steps[end].path) > depth and steps[end].path[depth] == path[depth]:
            end += 1
        names = tuple(level.name for level in path[: depth + 1])
        for call in _calls(steps[start:end]):
            module = ModuleCall(path[depth].name, path[depth].kind, names, _nested(call, depth + 1))
            parts += [module] if _holds(module) else module.parts
        start = end
    return tuple(parts)


def _calls(run: Sequence[ImportedStep]) -> list[Sequence[ImportedStep]]:
    """Steps of one module that follow one another, call by call, where it is called several times in the same way."""
    known = [(step.path, step.kind) for step in run]
    first = next((place for place, step in enumerate(run) if has_weights(step)), 0)
    times = sum(has_weights(step) and step.path == run[first].path and step.kind == run[first].kind for step in run)
    long, rest = divmod(len(run), max(times, 1))
    if times < 2 or rest or known[long:] != known[:-long]:
        return [run]
    return [run[start : start + long] for start in range(0, len(run), long)]


def _holds(module: ModuleCall) -> bool:
    """Is it more than one layer, or steps without weights of its own? Else its steps are those of what it stands in."""
    weighted = sum(1 for step in steps_of(module) if has_weights(step))
    inner = any(
        isinstance(part, ModuleCall) or part_name(part, len(module.path)) or part.kind == "weight"
        for part in module.parts
    )
    return weighted > 1 or (inner and weighted > 0)


def steps_of(part: Part) -> Iterator[ImportedStep]:
    """All steps of a module, in order."""
    stack: list[Part] = [part]
    while stack:
        top = stack.pop()
        if isinstance(top, ModuleCall):
            stack += reversed(top.parts)
        else:
            yield top


def has_weights(step: ImportedStep) -> bool:
    """Does a step hold numbers of the model?"""
    held = [v for _, v in step.args if isinstance(v, ImportedStep)]
    kinds = (step.kind, *(v.kind for v in held))
    return any(k == "weight" or (k in LAYERS and _weighted(LAYERS[k])) for k in kinds)


def _weighted(cls: type[Layer]) -> bool:
    return cls.weights is not Layer.weights


def taken_by(step: ImportedStep) -> tuple[int, ...]:
    """The values that a step takes, those of its arguments behind the others."""
    return (*step.operands, *(ref.number for _, value in step.args for ref in references(value)))


def references(value: Any) -> Iterator[ValueRef]:
    """The values in an argument."""
    if isinstance(value, ValueRef):
        yield value
    elif isinstance(value, tuple | list):
        for item in value:
            yield from references(item)
    elif isinstance(value, ImportedStep):
        for _, inner in value.args:
            yield from references(inner)


def _bounded(module: ModuleCall, taken: Counter[int]) -> ModuleCall:
    """The module with its inputs and outputs; `taken` counts all uses of each value in the model."""
    parts = tuple(_bounded(p, taken) if isinstance(p, ModuleCall) else p for p in module.parts)
    made: set[int] = set()
    inside: Counter[int] = Counter()
    inputs: dict[int, None] = {}
    for step in steps_of(module):
        for number in taken_by(step):
            inside[number] += 1
            if number not in made:
                inputs.setdefault(number)
        made.update(step.results)
    results = [n for step in steps_of(module) for n in step.results]
    outputs = tuple(n for n in results if taken[n] > inside[n])
    return module.replace(parts=parts, inputs=tuple(inputs), outputs=outputs)


def snake(name: str) -> str:
    """A class as a block is called: `BasicBlock` becomes `basic_block`."""
    text = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", re.sub(r"\W+", "_", name))
    text = re.sub(r"([a-z])([A-Z])", r"\1_\2", text).lower()
    return re.sub(r"__+", "_", text).strip("_") or "block"
