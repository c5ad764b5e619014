"""A recurrence drawn as steps side by side: what each one takes, the state that it hands on, and what comes out."""

from __future__ import annotations

from ..base.record import TYPE_CHECKING, Record
from ..ir.types import BlockCall, Step
from ..layers.cell_uses import Run
from ..layers.recurrence import Recurrence
from .labels import block_text, layer_text, shape_text, steps_text
from .model import EdgeSource, Row

if TYPE_CHECKING:
    from ..base.dims import Dim, Shape
    from ..ir.types import Item, Tensor
    from .canvas import Canvas
    from .model import Box, Frame


class Unrolled(Record):
    """What is drawn: `cells` are the words in the steps of each layer, `parts` the values of the state of each.

    `given` values of a first state flow in, and `step` is the shape of what a step gives.
    """

    title: str
    cells: tuple[str, ...]
    ways: int
    reverse: bool
    merged: bool
    returns: tuple[str, ...]
    parts: int
    given: int
    step: Shape
    length: Dim

    def shown(self, steps: int) -> int:
        """How many steps are drawn, where so many are asked for."""
        return min(steps, self.length) if isinstance(self.length, int) else steps

    def said(self, steps: int) -> str:
        """How much is drawn."""
        shown = self.shown(steps)
        return steps_text(shown) if shown == self.length else f"{shown} of {steps_text(self.length)}"


def of_item(item: Item) -> Unrolled | None:
    """A recurrent layer, or a cell that is run over time; None for all else."""
    if isinstance(item, Step):
        return _of_layer(item)
    return _of_run(item, item.use) if isinstance(item, BlockCall) and isinstance(item.use, Run) else None


def _of_layer(step: Step) -> Unrolled | None:
    layer = step.layer
    if not isinstance(layer, Recurrence):
        return None
    core, depth, sequence = layer.core, layer.depth, step.inputs[0].shape
    return Unrolled(
        layer_text(step),
        tuple(f"{core.kind} {n + 1}" for n in range(depth)) if depth > 1 else (core.kind,),
        layer.ways,
        core.reverse,
        layer.merge != "none",
        core.returns,
        core.state_count,
        core.initial or 0,
        core.state_shape(sequence),
        sequence[0],
    )


def _of_run(call: BlockCall, use: Run) -> Unrolled:
    body, length = call.body, call.inputs[0].shape[0]
    parts, given = len(use.states), len(call.inputs) - 1
    return Unrolled(
        block_text(call), (body.name,), 1, use.reverse, True, use.returns, parts, given, body.output.shape, length
    )


class UnrolledSteps:
    """Draws a recurrence into a frame."""

    def __init__(self, canvas: Canvas, frame: Frame, path: str, what: Unrolled, steps: int) -> None:
        self.canvas = canvas
        self.frame = frame
        self.path = path
        self.what = what
        self.count = what.shown(steps)
        self.caption = canvas.box(frame, path, "caption", [what.title, what.said(steps)], None)

    def draw(self, sources: list[EdgeSource], outputs: tuple[Tensor, ...]) -> list[EdgeSource]:
        """What comes out, for each of the outputs."""
        what = self.what
        given, masks = sources[1 : 1 + what.given], sources[1 + what.given :]
        taken = self._row("x", "state", sources[0].shape[1:])
        self.frame.rows.append(Row(taken))
        for source in [sources[0], *masks]:
            self._feed(source, taken)
        below, ends = [[box] for box in taken], []
        for number, cell in enumerate(what.cells):
            first = given[number * what.parts * what.ways :][: what.parts * what.ways]
            below, last = self._layer(number, cell, below, first)
            ends += last
        return self._results(below, ends, outputs)

    def _row(self, word: str, style: str, shape: Shape, said: str = "") -> tuple[Box, ...]:
        """A box for each step."""
        return tuple(self._box(f"{word}{t + 1}", style, shape, said) for t in range(self.count))

    def _box(self, word: str, style: str, shape: Shape, said: str = "") -> Box:
        box = self.canvas.box(
            self.frame, f"{self.path}:{word}", style, [said] if said else [word, shape_text(shape)], shape
        )
        box.frozen = self.frame.frozen and style == "recurrent"
        return box

    def _feed(self, source: EdgeSource, row: tuple[Box, ...]) -> None:
        """Each step takes its own part of a sequence."""
        parts = source.parts if len(source.parts) == len(row) else [source.box] * len(row)
        for part, box in zip(parts, row):
            self.canvas.join(part, box)

    def _layer(
        self, number: int, cell: str, below: list[list[Box]], given: list[EdgeSource]
    ) -> tuple[list[list[Box]], list[Box]]:
        """One layer in all its directions: the boxes of each step, and the last one of each direction."""
        rows: list[tuple[Box, ...]] = []
        for way in range(self.what.ways):
            boxes = self._row(f"{number}.{way}.", "recurrent", self.what.step, cell)
            back = self.what.reverse or way == 1
            self.frame.rows.append(
                Row(boxes, True, back, rows[-1] if rows else (), None if number or way else self.caption)
            )
            for inner, box in zip(below, boxes):
                for source in inner:
                    self.canvas.join(source, box)
            for start in dict.fromkeys(s.box for s in given[way * self.what.parts :][: self.what.parts]):
                self.canvas.join(start, boxes[-1 if back else 0])
            rows.append(boxes)
        ends = [row[0 if self.what.reverse or way == 1 else -1] for way, row in enumerate(rows)]
        return [list(boxes) for boxes in zip(*rows)], ends

    def _results(self, top: list[list[Box]], ends: list[Box], outputs: tuple[Tensor, ...]) -> list[EdgeSource]:
        """The values by the words that ask for them; the boxes `y` are what comes out."""
        rest, found = iter(outputs), []
        ways = range(self.what.ways)
        for word in self.what.returns:
            if word == "state":
                found += [EdgeSource(end, next(rest).shape) for end in ends for _ in range(self.what.parts)]
                continue
            steps = top if word == "sequence" else [ends[-self.what.ways :]]
            for several in [steps] if self.what.merged else [[[boxes[way]] for boxes in steps] for way in ways]:
                found.append(self._result(several, next(rest).shape, word == "sequence"))
        return found

    def _result(self, steps: list[list[Box]], shape: Shape, sequence: bool) -> EdgeSource:
        """A value, or one for each step, with the boxes that it is made of."""
        row = self._row("y", "state", shape[1:]) if sequence else (self._box("y", "state", shape),)
        for inner, box in zip(steps, row):
            for source in inner:
                self.canvas.join(source, box)
        self.frame.rows.append(Row(row))
        return EdgeSource(row[-1], shape, row if sequence else ())
