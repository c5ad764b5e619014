"""Is the plainest text of a model the model? Its steps are held against those of the graph, one by one.

The names of steps say which is which where they have weights; all others are known by their kinds and by the values
that they take.
"""

from __future__ import annotations

from collections import Counter

from ..base.record import TYPE_CHECKING
from ..ir.types import Step
from ..layers.arguments import Values
from ..layers.base import LAYERS
from ..layers.parameter import Parameter
from .growing import SIGNS, layer_of
from .levels import has_weights, references, taken_by

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from ..ir.types import Net
    from .graph import ImportedModel, ImportedStep

# what is no layer itself, but a way to use one
_USES = ("each_step", "scan")


def is_grounded(net: Net, model: ImportedModel, name_of: Callable[[ImportedStep], str]) -> bool:
    """Has a net without blocks the steps of a model, each on its values, with its arguments and of its shapes?

    `name_of` says what a step with weights is called in the net.
    """
    if any(not step.kind or step.kind in _USES for step in model.steps):
        return True  # they have no layers to compare, and the text names them by their classes
    known: dict[Any, int] = {}
    wanted = _of_graph(model, known, name_of)
    found = _of_net(net, known)
    return wanted is not None and found[1] == wanted[1] and _agree(found[0], wanted[0])


def _agree(found: dict[int, list[Step]], wanted: dict[int, list[ImportedStep]]) -> bool:
    if {made: len(steps) for made, steps in found.items()} != {made: len(steps) for made, steps in wanted.items()}:
        return False
    return all(_alike(found[made], wanted[made]) for made in found)


def _alike(found: Sequence[Step], wanted: Sequence[ImportedStep]) -> bool:
    """Are they the same layers, in some order?"""
    left = list(found)
    for step in wanted:
        same = next((other for other in left if _is_same(other, step)), None)
        if same is None:
            return False
        left.remove(same)
    return True


def _is_same(found: Step, wanted: ImportedStep) -> bool:
    shapes = tuple(tuple(map(str, t.shape)) for t in found.outputs)
    if wanted.shapes and shapes != tuple(tuple(map(str, shape)) for shape in wanted.shapes):
        return False
    if wanted.kind == "weight":
        return True
    made = _layer(wanted)
    bare = found.shapes[: len(taken_by(wanted))]
    measured = made.measured(*bare)
    return found.layer in (made, measured) or (made.may_skip and found.layer in (made.skipping(), measured.skipping()))


def _layer(step: ImportedStep) -> Any:
    """The layer that a step of the graph asks for."""
    declared = list(LAYERS[SIGNS.get(step.kind, step.kind)].arguments)
    placed = dict(zip(declared, (value for name, value in step.args if not name)))
    values = {**placed, **{n: v for n, v in step.args if n and n not in ("frozen", "name")}}
    if step.kind == "slice":
        items = step.args[0][1]
        values = {"items": tuple((i.start, i.stop, i.step) if isinstance(i, slice) else i for i in items)}
    for name, value in values.items():
        refs = list(references(value))
        if refs and not hasattr(value, "kind"):
            values[name] = Values(len(refs))
    from .pieces import normal

    return layer_of(SIGNS.get(step.kind, step.kind), normal(SIGNS.get(step.kind, step.kind), values))


def _kind(step: ImportedStep) -> type:
    return Parameter if step.kind == "weight" else LAYERS[SIGNS.get(step.kind, step.kind)]


def _of_graph(
    model: ImportedModel, known: dict[Any, int], name_of: Callable[[ImportedStep], str]
) -> tuple[dict[int, list[ImportedStep]], list[int]] | None:
    values = {port.number: known.setdefault(("input", place), len(known)) for place, port in enumerate(model.inputs)}
    found: dict[int, list[ImportedStep]] = {}
    for step in model.steps:
        name = name_of(step) if has_weights(step) else ""
        key = (_kind(step), name, tuple(values[n] for n in taken_by(step)))
        made = known.setdefault(key, len(known))
        found.setdefault(made, []).append(step)
        for place, number in enumerate(step.results):
            values[number] = known.setdefault((made, place), len(known))
    return found, [values[number] for _, number in model.outputs]


def _of_net(net: Net, known: dict[Any, int]) -> tuple[dict[int, list[Step]], list[int]]:
    body = net.body
    values = {p.value.number: known.setdefault(("input", place), len(known)) for place, p in enumerate(body.inputs)}
    masks = _masks(body.items)
    found: dict[int, list[Step]] = {}
    for step in body.items:
        assert isinstance(step, Step)  # there are no blocks in it
        if step.outputs[0].number in masks:
            continue
        taken = tuple(values[t.number] for t in step.inputs if t.number not in masks)
        if step.hands_on and step.layer.kind != "flatten":
            values[step.outputs[0].number] = taken[0]
            continue
        name = (step.shared.name if step.shared is not None else step.name) if step.weights else ""
        made = known.setdefault((type(step.layer), name, taken), len(known))
        found.setdefault(made, []).append(step)
        values.update({t.number: known.setdefault((made, n), len(known)) for n, t in enumerate(step.outputs)})
    return found, [values[out.value.number] for out in body.outputs]


def _masks(items: Sequence[Any]) -> set[int]:
    """The values that say which steps are padding, which `embedding(mask=true)` makes by itself."""
    spans = Counter(step.span for step in items)
    marking = {step.span for step in items if step.layer.marks_padding and spans[step.span] > 1}
    return {step.outputs[0].number for step in items if step.span in marking and step.layer.kind == "not_equal"}
