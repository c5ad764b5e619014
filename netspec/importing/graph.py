"""The neutral graph between the readers of models and the writer of specs.

A reader (of an exported program, a Keras model, an ONNX file) turns operators into layers of netspec, drops what only
turns layouts, and keeps the path of the module that each step belongs to. The writer finds blocks and loops in it and
knows no framework.
"""

from __future__ import annotations

from ..base.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class ModuleLevel(Record):
    """A level of the module hierarchy: the name of the attribute (`"layer1"`, `"0"`) and the class (`"Bottleneck"`)."""

    name: str
    kind: str


class ValueRef(Record):
    """A value within an argument, as in `lstm(8, initial=state)`; `number` is that of the value."""

    number: int


class ImportedPort(Record):
    """An input: its value's number, its shape without the batch (symbols are strings), and its number type.

    `dtype` is "float32", "bool" or "int"; with `below`, whole numbers are below that (a vocabulary). `axes` has for
    each axis that of the model's own value, the batch included: `(2, 3, 1)` where images are `(N, C, H, W)`. Empty
    where they lie there as they do here.
    """

    name: str
    number: int
    shape: tuple[int | str, ...]
    dtype: str = "float32"
    below: int | None = None
    axes: tuple[int, ...] = ()


class ImportedStep(Record):
    """One step: a layer or function of netspec on values.

    `kind` is the name of a layer or function, an infix operator (`"+"`, `"@"`), `"slice"` (whose one argument holds an
    entry for each axis: an int, `slice` or `Ellipsis`), or `"constant"`. `args` holds pairs of name and value in the
    order of the call; the name is "" where an argument is positional. Sizes such as `3x3` are tuples of int, bare words
    are `layers.arguments.Word`. `path` leads from the root of the model to the module of the step. `tensors` says which
    arrays of the model are its weights, in pairs of netspec's name and the model's (`("weight", "conv1.weight")`).
    `shapes` are those of the results, without the batch. A step that a reader does not understand has the kind "", and
    `unknown` says what stands there.
    """

    kind: str
    args: tuple[tuple[str, Any], ...]
    operands: tuple[int, ...]
    results: tuple[int, ...]
    path: tuple[ModuleLevel, ...] = ()
    tensors: tuple[tuple[str, str], ...] = ()
    shapes: tuple[tuple[int | str, ...], ...] = ()
    unknown: str = ""


class ImportedModel(Record):
    """A model as steps in the order of computation. `outputs` are pairs of a name (or "") and a value's number.

    `output_axes` has for each output the axes of the model's own value, as `ImportedPort.axes` has.
    """

    name: str
    inputs: tuple[ImportedPort, ...]
    steps: tuple[ImportedStep, ...]
    outputs: tuple[tuple[str, int], ...]
    notes: tuple[str, ...] = ()
    output_axes: tuple[tuple[int, ...], ...] = ()
