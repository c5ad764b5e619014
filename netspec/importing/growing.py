"""A graph as a reader makes it: values get numbers, and the shape of each step is worked out by its own layer."""

from __future__ import annotations

from ..base.dims import symbol
from ..base.record import TYPE_CHECKING
from ..layers.arguments import Values, Violation
from ..layers.base import LAYERS, bind
from ..layers.signs import ARITHMETIC, COMPARISONS
from .graph import ImportedPort, ImportedStep, ValueRef

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from ..base.dims import Shape
    from .graph import ModuleLevel

SIGNS = {**ARITHMETIC, **COMPARISONS}


class NotUnderstood(Exception):
    """A step of a model has no counterpart in the language; the message says what has none."""


class GrowingGraph:
    """Steps so far, with the shape of each value: None where a step before it was not understood."""

    def __init__(self) -> None:
        self.inputs: list[ImportedPort] = []
        self.steps: list[ImportedStep] = []
        self.shapes: list[Shape | None] = []
        self.path: tuple[ModuleLevel, ...] = ()
        self.owner = ""  # what the model calls that which holds the weights of the next steps

    def value(self, shape: Shape | None) -> int:
        self.shapes.append(shape)
        return len(self.shapes) - 1

    def port(self, name: str, shape: Shape, dtype: str) -> int:
        number = self.value(shape)
        self.inputs.append(ImportedPort(name, number, written(shape), dtype))
        return number

    def vocabulary(self, number: int, below: int) -> None:
        """Say of an input that it holds whole numbers below one."""
        for place, port in enumerate(self.inputs):
            if port.number == number:
                least = below if port.below is None else min(port.below, below)
                self.inputs[place] = port.replace(dtype="int", below=least)

    def shape(self, number: int) -> Shape:
        """The shape of a value. Raises NotUnderstood where it is not known."""
        found = self.shapes[number]
        if found is None:
            raise NotUnderstood("its input comes from a step that was not understood")
        return found

    def add(
        self,
        kind: str,
        operands: Sequence[int],
        args: Mapping[str, Any] | None = None,
    ) -> tuple[int, ...]:
        """One more step; the numbers of the values that come out. Raises NotUnderstood where its layer refuses it."""
        given = {name: value for name, value in (args or {}).items() if value is not None}
        shapes = self._shapes(kind, given, operands)
        results = tuple(self.value(shape) for shape in shapes)
        pairs = tuple(given.items())
        names = self._holder()
        step = ImportedStep(kind, pairs, tuple(operands), results, self.path, names, tuple(written(s) for s in shapes))
        self.steps.append(step)
        return results

    def _holder(self) -> tuple[tuple[str, str], ...]:
        return (("", self.owner),) if self.owner else ()

    def one(self, kind: str, operands: Sequence[int], args: Mapping[str, Any] | None = None) -> int:
        """The same, of a step that gives one value."""
        return self.add(kind, operands, args)[0]

    def weight(self, name: str, sizes: Shape, **args: Any) -> int:
        """Learned numbers of the model's own, by the name that they have there."""
        number = self.value(sizes)
        pairs = (("", name), ("", sizes), *args.items())
        here = self.path[:-1]
        self.steps.append(ImportedStep("weight", pairs, (), (number,), here, (("", self.owner),), (written(sizes),)))
        return number

    def applied(self, kind: str, operands: Sequence[int], step: ImportedStep, shape: Shape) -> tuple[int, ...]:
        """A way to use a step that is no layer itself (`each_step`), and gives one value of a shape."""
        number = self.value(shape)
        pairs = (("step", step),)
        made = ImportedStep(
            kind,
            pairs,
            tuple(operands),
            (number,),
            self.path,
            ((("", self.owner),) if self.owner else ()),
            (written(shape),),
        )
        self.steps.append(made)
        return (number,)

    def unknown(self, what: str, operands: Sequence[int], results: Sequence[Shape | None]) -> tuple[int, ...]:
        """A step that is not understood; `results` are the shapes that the model itself tells, where it does."""
        numbers = tuple(self.value(shape) for shape in results)
        shapes = tuple(() if shape is None else written(shape) for shape in results)
        self.steps.append(ImportedStep("", (), tuple(operands), numbers, self.path, (), shapes, what))
        return numbers

    def _shapes(self, kind: str, args: Mapping[str, Any], operands: Sequence[int]) -> tuple[Shape, ...]:
        shapes = [self.shape(number) for number in operands]
        values = {n: v for n, v in args.items() if n not in ("frozen", "name")}
        if kind == "slice":
            items = values.pop("")
            values["items"] = tuple((i.start, i.stop, i.step) if isinstance(i, slice) else i for i in items)
        for name, value in args.items():
            refs = value if isinstance(value, tuple) else (value,)
            if refs and all(isinstance(ref, ValueRef) for ref in refs):
                shapes += [self.shape(ref.number) for ref in refs]
                values[name] = Values(len(refs))
        try:
            made = layer_of(SIGNS.get(kind, kind), values)
            return tuple(made.measured(*shapes).shapes(*shapes))
        except Violation as violation:
            raise NotUnderstood(violation.message) from None


def layer_of(kind: str, values: Mapping[str, Any]) -> Any:
    """The layer of a call, those that it holds included. Raises Violation."""
    inner = {n: layer_of(v.kind, dict(v.args)) if isinstance(v, ImportedStep) else v for n, v in values.items()}
    return bind(LAYERS[kind], inner)


def written(shape: Shape) -> tuple[int | str, ...]:
    """A shape as the graph holds it."""
    return tuple(size if isinstance(size, int) else str(size) for size in shape)


def sizes_of(shape: Sequence[int | None], names: Sequence[str]) -> Shape:
    """A shape in which what is open becomes a symbol, by names for each axis."""
    return tuple(symbol(name) if size is None else size for size, name in zip(shape, names))
