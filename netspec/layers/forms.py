"""What a layer hands to the emitters: where it stands, the form that a framework says it in, and its weights."""

from __future__ import annotations

import os
from math import prod

from ..base.dims import product
from ..base.record import TYPE_CHECKING, Record
from ..pycode.expr import Call, rebuild

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, TypeAlias

    import numpy as np

    from ..base.dims import Dim, Shape
    from ..pycode.expr import Code

    Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"
    Gives: TypeAlias = "int | tuple[int | Gives | None, ...]"


class At(Record):
    """Where a layer stands: the shapes around it and, for PyTorch, the layout of its values.

    `first` says that the values are channels-first (N, C, spatial...) in PyTorch; only values of two axes and more
    have a layout. `general` asks for a form that fits other instances too, not for the shortest one: 1 for one that
    fits other windows, 2 for one that fits other strides and sizes as well. `free` says of each input that it has no
    batch axis, being made of weights alone; only layers that are `free` are asked for that. `firsts` says of each
    input whether it is channels-first, where some that are asked for their sizes only are not as the others.
    """

    inputs: tuple[Shape, ...]
    output: Shape
    first: bool = False
    general: int = 0
    free: tuple[bool, ...] = ()
    firsts: tuple[bool, ...] = ()

    @property
    def x(self) -> Shape:
        return self.inputs[0]

    @property
    def y(self) -> Shape:
        return self.output

    @property
    def spatial(self) -> Shape:
        """The input's axes without the channels."""
        return self.x[:-1]

    @property
    def channels(self) -> Dim:
        return self.x[-1]

    def axis(self, written: int) -> int:
        """The framework's number of an axis of the first input, as the language numbers it; the batch counts."""
        rank, lead = len(self.x), self.lead(0)
        place = written % rank
        if self.first and rank > 1:
            return lead if place == rank - 1 else place + 1 + lead
        return written if written < 0 else written + lead

    def is_free(self, place: int) -> bool:
        """Has an input no batch axis?"""
        return place < len(self.free) and self.free[place]

    def lead(self, place: int) -> int:
        """How many axes stand before those that are written: the batch."""
        return 0 if self.is_free(place) else 1

    def is_first(self, place: int) -> bool:
        """Is an input channels-first, and has it axes enough for that?"""
        return len(self.inputs[place]) > 1 and (self.firsts[place] if self.firsts else self.first)


_FILES: dict[str, tuple[tuple[str, ...], str]] = {}


def _support(file: str) -> tuple[tuple[str, ...], str]:
    """The imports and the text of a file of support code. Imports of its neighbours are none of generated code: there
    they stand beside it."""
    if file not in _FILES:
        path = os.path.join(os.path.dirname(os.path.dirname(__file__)), "support", *f"{file}.py".split("/"))
        with open(path, encoding="utf-8") as text:
            head, parted, source = text.read().partition("\n\n\n")
        head, source = (head, source) if head.startswith(("import ", "from ")) else ("", head + parted + source)
        lines = (line for line in head.splitlines() if line and not line.startswith("from ."))
        _FILES[file] = tuple(lines), source
    return _FILES[file]


class Helper(Record):
    """A small function or class that generated code carries along, with the imports it needs.

    It is a `file` of `netspec/support/`, such as `torch/same_pad`, or else `written` in the final format, with lines
    such as `import torch.nn.functional as F` that it `needs`. One that is `optional` is left out where the code does
    not speak of it.
    """

    name: str
    written: str = ""
    needs: tuple[str, ...] = ()
    optional: bool = False
    file: str = ""

    @property
    def source(self) -> str:
        """Its text."""
        return _support(self.file)[1] if self.file else self.written

    @property
    def imports(self) -> tuple[str, ...]:
        """The imports that it needs, a line each."""
        return _support(self.file)[0] if self.file else self.needs

    @property
    def defines(self) -> set[str]:
        """The names of its functions and classes."""
        heads = (line for line in self.source.splitlines() if line.startswith(("def ", "class ")))
        return {head.partition(" ")[2].partition("(")[0] for head in heads}


class Apply(Record):
    """One application in generated code.

    `make` constructs the thing that holds state or that the framework has as a layer (`nn.Conv2d(...)`,
    `layers.Conv2D(...)`); it is then called on the values. Without `make`, `call` is an expression over `X(i)`
    (`F.relu(X())`). A stateless step of PyTorch gives both: `call` for a `forward`, `make` for an `nn.Sequential`.
    Of a stateful step `call` says how `Made()` is called, where that is not simply on its values.
    `name` tells several modules of one layer apart (`depthwise`, `pointwise`).

    `gives` says which value the result is from then on, or where several things come out, which values they are in the
    form in which they are unpacked: `(0, (1, None))` for `y, (h, _) = ...`.

    `still` is the class to construct where weights are held still, if Keras's own would not do that. `rank` is the
    number of axes to which a first use binds the layer, if it does.

    `fresh` says that PyTorch gives a tensor of its own whose numbers no gradient asks for, in training and in use, so
    that the next step may write over it; `in_place` that the function can do so, by `inplace=True`.
    """

    make: Call | None = None
    call: Code = None
    stateful: bool = False
    name: str = ""
    helpers: tuple[Helper, ...] = ()
    gives: Gives = 0
    still: Helper | None = None
    rank: int | None = None
    fresh: bool = False
    in_place: bool = False

    def holding_still(self) -> Apply:
        """The same with a class whose weights can be held still."""
        if self.still is None or self.make is None:
            return self
        return self.replace(make=_in_place(self.make, self.still.name), helpers=(*self.helpers, self.still))

    @property
    def on_values(self) -> bool:
        """Is it a module that is called on its values, and nothing else?"""
        return self.make is not None and not (self.stateful and self.call is not None)

    @property
    def plain(self) -> bool:
        """Is it such a module, and does it give one value?"""
        return self.on_values and self.gives == 0


def held_still(name: str, shapes: str, about: str) -> Helper:
    """A class in place of Keras's layer of a name, which forgets to tell its own layers that they are not trainable.

    `shapes` are the arguments of its `build`, `about` is what it says of itself. For `Apply.still`.
    """
    given = ", ".join(part.partition("=")[0] for part in shapes.split(", "))
    source = f'''\
class Still{name}(layers.{name}):
    """{about}"""

    def build(self, {shapes}):
        super().build({given})
        for variable in self.variables:
            variable.trainable = self.trainable
'''
    return Helper(f"Still{name}", source, ("import keras", "from keras import layers"))


def _in_place(make: Call, name: str) -> Any:
    """The call with the class of a name from `held_still`, wherever it makes the layer in whose place that is."""

    def held(part: Code) -> Code:
        replaced = isinstance(part, Call) and str(part.func).replace("layers.", "Still") == name
        return part.replace(func=name) if replaced else part

    return rebuild(make, held)


class Use(Record):
    """How a framework says a layer: one or more applications, one after the other.

    The layer's inputs are values 0, 1, ... to begin with. The first step takes all of them and each later one value 0,
    unless its `call` says otherwise. `outputs` are the values that come out, `names` are names that values may have.
    """

    steps: tuple[Apply, ...]
    outputs: tuple[int, ...] = (0,)
    names: Mapping[int, str] = {}


def module(
    make: Call,
    name: str = "",
    helpers: tuple[Helper, ...] = (),
    call: Code = None,
    gives: Gives = 0,
    fresh: bool = False,
) -> Apply:
    """A step with weights or state: constructed once, then called."""
    return Apply(make, call, True, name, helpers, gives, fresh=fresh)


def function(
    code: Code, make: Call | None = None, helpers: tuple[Helper, ...] = (), gives: Gives = 0, fresh: bool = False
) -> Apply:
    """A step without state: an expression over `X(i)`, and the module that does the same, if there is one."""
    return Apply(make, code, False, "", helpers, gives, fresh=fresh)


class WeightLayout(Record):
    """Where a framework keeps a weight: its name there, and how to get its array from the language's.

    The language's array has the equal blocks of its last axis (the gates of a recurrent layer) taken in the order of
    `blocks`, is transposed by `order`, then reshaped to `shape`, in which one size may be -1; each may be None. With
    `part=(i, n)` it is the i-th of n equal parts of the framework's array along its first axis. `plus` names a second
    array of the framework that is added to this one (PyTorch's second bias of a recurrent layer): zero when written,
    summed up when read.

    `name` is a path of attributes from the layer or module to the array, such as `cell.kernel`; it begins with the name
    of the `Apply` where a layer has several modules (`depthwise.weight`).
    """

    name: str
    order: tuple[int, ...] | None = None
    shape: tuple[int, ...] | None = None
    blocks: tuple[int, ...] | None = None
    part: tuple[int, int] | None = None
    plus: str = ""

    def within(self, modules: set[str]) -> tuple[str, str]:
        """Which of the modules of a layer, by their names, holds the array, and its path from there."""
        head, _, rest = self.name.partition(".")
        if rest and head in modules:
            return head, rest
        return ("" if "" in modules else next(iter(modules))), self.name

    @property
    def turns(self) -> bool:
        """Is the framework's array another one than the language's?"""
        return any(how is not None for how in (self.order, self.shape, self.blocks, self.part))

    def put(self, array: Array) -> Array:
        """The framework's array (or its part) from the language's."""
        if self.blocks is not None:
            array = _in_blocks(array, self.blocks)
        if self.order is not None:
            array = array.transpose(self.order)
        return array if self.shape is None else array.reshape(self.shape)

    def shape_of(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The shape of the framework's array (the whole, not the part) for one of the language's."""
        found = self.shape or tuple(shape[axis] for axis in self.order or range(len(shape)))
        if -1 in found:
            rest = -prod(found)
            found = tuple(prod(shape) // rest if n == -1 else n for n in found)
        return found if self.part is None else (found[0] * self.part[1], *found[1:])

    def take(self, array: Array, shape: tuple[int, ...]) -> Array:
        """The language's array, of this shape, from the framework's (or from its part): `put` undone."""
        order = self.order or tuple(range(len(shape)))
        array = array.reshape(tuple(shape[axis] for axis in order))
        array = array.transpose(tuple(order.index(axis) for axis in range(len(order))))
        if self.blocks is None:
            return array
        return _in_blocks(array, tuple(self.blocks.index(k) for k in range(len(self.blocks))))


def _in_blocks(array: Array, order: tuple[int, ...]) -> Array:
    """The equal blocks of the last axis in another order."""
    parts = array.reshape(*array.shape[:-1], len(order), -1)
    moved: Array = parts[..., list(order), :].reshape(array.shape)
    return moved


class Initialiser(Record):
    """A way to begin; `value` is the number that some have: a constant, a standard deviation or a bound."""

    name: str
    value: float | None = None

    def __str__(self) -> str:
        return self.name if self.value is None else f"{self.name}({self.value})"


class Weight(Record):
    """One array of a layer, in the language's order (channels last, kernels as spatial..., in, out).

    `role` is `weight`, `bias` or `statistic` (running mean or variance: kept apart from the parameters).

    `init` is how it begins (None: biases and means at 0, scales and variances at 1), `given` says that the author chose
    that, and `fans` how many numbers it takes in and gives, where the shape does not say it. `l1` and `l2` are what the
    sums of its sizes and of its squares are multiplied by in the loss.
    """

    name: str
    shape: Shape
    torch: WeightLayout
    keras: WeightLayout
    role: str = "weight"
    init: Initialiser | None = None
    fans: tuple[Dim, Dim] | None = None
    given: bool = False
    l1: float = 0
    l2: float = 0

    @property
    def size(self) -> Dim:
        return product(self.shape)

    @property
    def sizes(self) -> tuple[int, ...]:
        """The shape in numbers. Raises ValueError where it hangs on a symbol."""
        found = tuple(d for d in self.shape if isinstance(d, int))
        if len(found) < len(self.shape):
            odd = ", ".join(str(d) for d in self.shape if not isinstance(d, int))
            raise ValueError(f"the shape of a {self.name or 'weight'} hangs on {odd}; `--set` gives it a size")
        return found


def numbers_in(gives: Gives | None) -> tuple[int, ...]:
    """The values that a result makes."""
    if gives is None:
        return ()
    return (gives,) if isinstance(gives, int) else tuple(n for part in gives for n in numbers_in(part))
