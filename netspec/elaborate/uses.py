"""What statements, inputs and values of a net are used, noted while it is elaborated."""

from __future__ import annotations

from ..base.record import TYPE_CHECKING
from ..ir.types import taken

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..base.source import Span
    from ..ir.types import Body, Item
    from ..syntax.tree import Definition


class Uses:
    """What has been used so far, over all bodies of an elaboration."""

    def __init__(self) -> None:
        # by definition: the names of its inputs that were used
        self.definitions: dict[int, tuple[Definition, set[str]]] = {}
        # by the statement that gave them: whether a flow was used, and the name that it has
        self.flows: dict[Span, bool] = {}

    def note(self, body: Body, items: Sequence[Item], flows: Iterable[tuple[Span, int]]) -> None:
        """Note what a body that is finished has used. `items` are those that it was written with, `flows` the values
        that its statements gave: the place of each, and the number of the value."""
        used = {t.number for t in taken((*items, *body.starts))} | {r.value.number for r in body.outputs}
        for span, number in flows:
            self.flows[span] = self.flows.get(span, False) or number in used
        alive = {port.name for port in body.given if port.value.number in used}
        _, before = self.definitions.get(id(body.definition), (None, set()))
        self.definitions[id(body.definition)] = body.definition, before | alive
