"""Layers on values without a batch axis, which are made of weights alone: they are a batch of one."""

from __future__ import annotations

from ...base.record import TYPE_CHECKING
from ...layers.arguments import Unsupported
from ...layers.base import Use
from ...pycode.expr import Index, Made, X, fill

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, Protocol

    from ...pycode.expr import Call

    class Framework(Protocol):
        @property
        def single(self) -> tuple[Any, ...]:
            """An index that makes a batch of one value."""

        def applied(self, values: Sequence[Any]) -> Call:
            """What was made for a step, called on values."""


def of_one_sample(use: Use, count: int, framework: Framework) -> Use:
    """The form of a layer on so many values without a batch axis. Raises Unsupported."""
    if use.outputs != (0,) or any(apply.gives != 0 for apply in use.steps):
        message = "what gives several values, or works on several on the way, takes none that is made of weights alone"
        raise Unsupported(message, help="join the weights with something that an input has a part in first")
    steps = []
    for number, apply in enumerate(use.steps):
        values: list[Any] = [Index(X(i), framework.single) for i in range(count)]
        values[:1] = [X()] if number else values[:1]
        code = framework.applied(values) if apply.call is None else fill(apply.call, values, Made())
        code = _only(code, framework.single) if number == len(use.steps) - 1 else code
        needed = apply.stateful or apply.call is None
        steps.append(
            apply.replace(make=apply.make if needed else None, call=code, stateful=needed, fresh=False, in_place=False)
        )
    return Use(tuple(steps))


def _only(code: Any, single: tuple[Any, ...]) -> Any:
    """What stands for the only sample of a batch; items of a value are taken of it as it is, without one."""
    value = code.value if isinstance(code, Index) else None
    if not isinstance(value, Index) or value.items != single or not isinstance(code, Index):
        return Index(code, (0,))
    items = code.items[1:] if code.items[0] == slice(None) else code.items
    taken = items and (items is not code.items or code.items[0] is ...)
    return Index(value.value, items) if taken else Index(code, (0,))
