"""`upto="name"`: a net that ends at one of its values; what does not lead there is neither built nor counted."""

from __future__ import annotations

from ..base.diagnostics import did_you_mean
from ..base.record import TYPE_CHECKING
from ..ir.types import Region, Step, Tensor

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from ..base.source import Span
    from ..ir.types import Item
    from ..syntax.tree import Definition
    from .session import Session


class Reached(Exception):
    """The value that a net ends at is there: what is behind it is not looked at."""


class End:
    """Where a net ends: at the value of a name, as the report has it (`layer4`, `layer4.0`) or as the net binds it."""

    def __init__(self, name: str, span: Span) -> None:
        self.name = name
        self.span = span
        self.passed: dict[str, None] = {}
        # has the net run to its own end without a fault?
        self.overrun = False

    def meet(self, name: str, value: Any) -> None:
        """A value has got a name. Raises Reached where it is the end."""
        if isinstance(value, Tensor):
            if name == self.name:
                raise Reached(value)
            self.passed[name] = None

    def missed(self, session: Session, definition: Definition) -> None:
        """Report that the net has no such value."""
        net, names = definition.name.text, list(self.passed)
        outer = self.name
        while outer and outer not in self.passed:
            outer = outer.rpartition(".")[0]
        help = did_you_mean(self.name, names) or f"it has {', '.join(n for n in names if '.' not in n)}"
        if outer:
            help = f"`{outer}` is one step of the net, which can end behind it, not within"
        session.fault(
            "unknown-name",
            f"net {net} has no value `{self.name}` to end at",
            self.span,
            others=((definition.name.span, "this net"),),
            help=help,
        )


def leading(items: Sequence[Item], wanted: set[int]) -> tuple[Item, ...]:
    """The items that values hang on. `wanted` are the numbers of the values; those that lead there are added."""
    kept: list[Item] = []
    for item in reversed(items):
        if isinstance(item, Region):
            inner = leading(item.items, wanted)
            if inner:
                kept.append(item.replace(items=inner))
            continue
        if any(t.number in wanted for t in item.outputs):
            wanted.update(t.number for t in item.inputs)
            kept.append(item)
    return tuple(reversed(kept))


def instances(items: Sequence[Item]) -> int:
    """How many instances there are in items, those in calls included."""
    return sum(
        instances(i.items) if isinstance(i, Region) else 1 if isinstance(i, Step) else 1 + i.body.size for i in items
    )
