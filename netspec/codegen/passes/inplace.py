"""Writing in place: an activation writes over what it takes, where nobody else asks for that.

What it takes has to be a tensor of its own that no gradient asks for (`Apply.fresh`), made by a layer right there, in
the same turn or branch, and taken by the activation alone. So it is no input, output or weight, and no view of one,
and no step that keeps it for the gradient has taken it before. What a block takes or gives is left alone: the caller
may still need the one, and people put hooks on the other.

Time is saved where the operand is large: on maps and volumes. Vectors, and what steps of a recurrence make, stay.
"""

from __future__ import annotations

from collections import Counter

from ...base.record import TYPE_CHECKING
from ..ir import Leaf, opened

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from collections.abc import Sequence as Seq

    from ...layers.base import Apply
    from ...pycode.expr import Call
    from ..ir import Node, Template
    from ..styles import Style

# the axes of a map, without the batch
_MAP = 3


def write_in_place(template: Template, style: Style) -> Template:
    """The template with activations in place, where the style has those."""
    if not style.overwrites or template.states:
        return template
    taken = (value for node in opened(template.nodes) for value in node.takes)
    counts = Counter([*taken, *(value for _, value in template.outputs)])
    return template.replace(nodes=_row(template.nodes, counts))


def _row(nodes: Seq[Node], counts: Mapping[int, int]) -> tuple[Node, ...]:
    """Nodes one behind the other; `counts` says how often each value is taken."""
    fresh: set[int] = set()
    found: list[Node] = []
    for node in nodes:
        changed = node.with_parts(tuple(_row(part, counts) for part in node.parts))
        if isinstance(changed, Leaf) and changed.inputs:
            first = changed.inputs[0]
            changed = _overwriting(changed, first in fresh and counts[first] == 1)
            fresh.update(changed.outputs if changed.slots == (0,) and _is_fresh(changed.applies[-1]) else ())
        found.append(changed)
    return tuple(found)


def _overwriting(leaf: Leaf, fresh: bool) -> Leaf:
    """A layer with the functions in place that may be; `fresh` says that its only operand may be written over."""
    if leaf.step is None or len(leaf.step.output.shape) < _MAP:
        return leaf
    may = _may(leaf.applies, fresh)
    return leaf.replace(applies=tuple(_in_place(apply) if can else apply for apply, can in zip(leaf.applies, may)))


def _may(applies: Seq[Apply], fresh: bool) -> Iterator[bool]:
    """Which of the expressions of a layer may write over what they take."""
    for apply in applies:
        yield apply.in_place and fresh
        fresh = _is_fresh(apply)


def _is_fresh(apply: Apply) -> bool:
    return apply.fresh and apply.gives == 0


def _in_place(apply: Apply) -> Apply:
    """A function, and the module that does the same, in place."""
    make, code = (part and _with_word(part) for part in (apply.make, apply.call))
    return apply.replace(make=make, call=code)


def _with_word(code: Call) -> Call:
    return code.replace(kwargs=(*code.kwargs, ("inplace", True)))
