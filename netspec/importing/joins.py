"""Joins of all that came before, step by step: `concat(a, b, c)` behind `concat(a, b)` is that with `c` joined to it.

And a module that begins by joining what it is given takes the joined value: its caller joins. So the layers of a
DenseNet, of which each is given one value more than the one before, are one block.
"""

from __future__ import annotations

from ..base.record import TYPE_CHECKING
from .levels import ModuleCall, tree_of

if TYPE_CHECKING:
    from .graph import ImportedModel, ImportedStep


def with_joins(model: ImportedModel) -> ImportedModel:
    """The same model with its joins as a person would say them."""
    given_first = _first_joins(tree_of(model))
    steps = [step.replace(path=step.path[:-1]) if step.results[:1] in given_first else step for step in model.steps]
    known: dict[tuple[object, tuple[int, ...]], int] = {}
    return model.replace(steps=tuple(_joined(step, known) for step in steps))


def _joined(step: ImportedStep, known: dict[tuple[object, tuple[int, ...]], int]) -> ImportedStep:
    """A join of what an earlier one joins and one value more, as that."""
    if step.kind != "concat":
        return step
    before = known.get((step.args, step.operands[:-1]))
    known[step.args, step.operands] = step.results[0]
    return step if before is None else step.replace(operands=(before, step.operands[-1]))


def _first_joins(tree: ModuleCall) -> set[tuple[int, ...]]:
    """What comes out of the joins that modules begin with, where they are all that is done with what comes in."""
    found: set[tuple[int, ...]] = set()
    stack = [tree]
    while stack:
        module = stack.pop()
        stack += [part for part in module.parts if isinstance(part, ModuleCall)]
        first, *others = module.parts
        if isinstance(first, ModuleCall) or first.kind != "concat" or module is tree:
            continue
        taken = {n for part in others for n in (part.inputs if isinstance(part, ModuleCall) else part.operands)}
        if len(first.path) == len(module.path) and taken.isdisjoint(module.inputs):
            found.add(first.results)
    return found
