"""Every layer of a net as often as it is applied, in one list: blocks are opened, and values numbered through."""

from __future__ import annotations

from ...base.record import TYPE_CHECKING, Record
from ...ir.paths import path_of, paths_of
from ...ir.types import Step, applied

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...base.dims import Shape
    from ...base.source import Span
    from ...ir.types import BlockCall, Body, Tensor
    from ...layers.shapes import AxisMap


class LayerUse(Record):
    """One application of a layer: its path, and the values that it takes and gives, by number."""

    path: str
    step: Step
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    map: AxisMap | None

    @property
    def flowing(self) -> list[int]:
        """The places of the inputs of which it does not take the sizes alone."""
        return [place for place in range(len(self.inputs)) if place not in self.step.layer.sized_by]


class Instances:
    """The layers of a net, and what is known of its values.

    `read` are the values, or single axes of values, that something looks at in the language's order: an input or output
    of the net, or a cell. `same` are pairs of axes that hold the same places, though no layer stands between. `ports`
    are the values that go in and out of each definition.
    """

    def __init__(self, body: Body) -> None:
        self.shapes: list[Shape] = []
        self.uses: list[LayerUse] = []
        self.read: list[tuple[int, int | None, Span, str]] = []
        self.same: list[tuple[tuple[int, int], tuple[int, int]]] = []
        self.ports: list[tuple[Span, int]] = []
        # values that cells take and give, which have the channels last
        self.of_cells: set[int] = set()
        self._paths: dict[int, dict[int, str]] = {}
        self.inputs = [self._value(port.value) for port in body.inputs]
        known = dict(zip((port.value.number for port in body.inputs), self.inputs))
        self._body(body, "", known)
        self.outputs = [known[result.value.number] for result in body.outputs]
        self._looks(self.inputs, body.definition.span, "an input of the net has the order of the language")
        self._looks(self.outputs, body.definition.span, "an output of the net has the order of the language")

    def _value(self, tensor: Tensor) -> int:
        self.shapes.append(tensor.shape)
        return len(self.shapes) - 1

    def _looks(self, values: Sequence[int], span: Span, who: str) -> None:
        self.read += [(value, None, span, who) for value in values]

    def _body(self, body: Body, prefix: str, known: dict[int, int]) -> None:
        """Walk over a body; `known` are its values by number."""
        if id(body) not in self._paths:
            self._paths[id(body)] = paths_of(body)
        paths = self._paths[id(body)]
        for item in applied(body.held):
            path = prefix + paths[id(item)]
            if isinstance(item, Step):
                self._step(item, path, known)
            elif item.use is not None:
                self._cell(item, f"{path}.", known)
            else:
                inner = {port.value.number: known[t.number] for port, t in zip(item.body.inputs, item.inputs)}
                self._body(item.body, f"{path}.", inner)
                known.update(zip((t.number for t in item.outputs), (inner[r.value.number] for r in item.body.outputs)))
                span = item.body.definition.span
                self.ports += [(span, known[t.number]) for t in (*item.inputs, *item.outputs)]

    def _step(self, step: Step, path: str, known: dict[int, int]) -> None:
        inputs = tuple(known[t.number] for t in step.inputs)
        if step.hands_on:
            known[step.output.number] = inputs[0]
            return
        outputs = tuple(map(self._value, step.outputs))
        known.update(zip((t.number for t in step.outputs), outputs))
        self.uses.append(LayerUse(path, step, inputs, outputs, step.layer.axis_map(*step.shapes)))

    def _cell(self, call: BlockCall, prefix: str, known: dict[int, int]) -> None:
        """A cell looks at the order of all that it takes and gives, but for what a run takes at each step."""
        taken = [known[t.number] for t in call.inputs]
        given = [self._value(t) for t in call.outputs]
        known.update(zip((t.number for t in call.outputs), given))
        inner = {port.value.number: self._value(port.value) for port in call.body.inputs}
        values = [*inner.values()]
        self._body(call.body, prefix, inner)
        for start in call.body.starts:
            if not isinstance(start, Step):
                self._opened(start, prefix)
        results = [inner[r.value.number] for r in call.body.outputs]
        who = f"the cell `{call.body.name}` looks at the order"
        if call.over_time:
            self.same += [((taken[0], axis + 1), (values[0], axis)) for axis in range(len(self.shapes[values[0]]))]
            self.read.append((taken[0], 0, call.span, who))
            self._looks([*taken[1:], *given, *values[1:], *results], call.span, who)
        else:
            self._looks([*taken, *given, *values, *results], call.span, who)
        self.of_cells.update((*taken, *given, *values))

    def _opened(self, call: BlockCall, prefix: str) -> None:
        """A cell whose first state is made within another one holds weights for that alone."""
        inner = {port.value.number: self._value(port.value) for port in call.body.inputs}
        self._looks([*inner.values()], call.span, f"the cell `{call.body.name}` looks at the order")
        self._body(call.body, f"{prefix}{path_of(call, '', '')}.", inner)
