"""What a layer is: one declarative class with every facet.

A facet is a pure function of the layer's arguments and the shapes that come in. Shapes are written as in the
language, without the batch axis and with the channels last. Facets import no framework and do no I/O; what a
framework should do comes back as a value (`Use`), and what is wrong is raised as a `Violation` that names the
argument at fault. Layers know no syntax tree, span or file.
"""

from __future__ import annotations

from math import prod

from ..dims import product
from ..pycode import Call
from ..record import TYPE_CHECKING, Record
from .arguments import Argument, Declared, Violation, describe

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, ClassVar, TypeAlias, TypeVar

    import numpy as np

    from ..dims import Dim, Shape
    from ..pycode import Code

    Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"
    L = TypeVar("L", bound="type[Layer]")

# --- what a layer hands to the emitters --------------------------------------------------------------------------


class At(Record):
    """Where a layer stands: the shapes around it and, for PyTorch, the layout of its values.

    `first` says that the values are channels-first (N, C, spatial...) in PyTorch; only values of two axes and more
    have a layout. `general` asks for a form that fits other instances too, not for the shortest one: 1 for one that
    fits other windows, 2 for one that fits other strides and sizes as well.
    """

    inputs: tuple[Shape, ...]
    output: Shape
    first: bool = False
    general: int = 0

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
        """The framework's number, batch counted, of an axis as the language numbers it."""
        rank = len(self.x)
        place = written % rank
        if self.first and rank > 1:
            return 1 if place == rank - 1 else place + 2
        return written if written < 0 else written + 1


class Helper(Record):
    """A small function or class that generated code carries along, with the imports it needs.

    `source` is text in the final format; `imports` are lines such as `import torch.nn.functional as F`.
    """

    name: str
    source: str
    imports: tuple[str, ...] = ()


class Apply(Record):
    """One application in generated code.

    `make` constructs the thing that holds state or that the framework has as a layer (`nn.Conv2d(...)`,
    `layers.Conv2D(...)`); it is then called on the values. Without `make`, `call` is an expression over `X(i)`
    (`F.relu(X())`). A stateless step of PyTorch gives both: `call` for a `forward`, `make` for an `nn.Sequential`.
    A stateful one gives both where it is not just called on its values; `Made()` then stands for the module:
    `Made()(X(), X(), X(), need_weights=False)[0]`.
    `name` tells several modules of one layer apart (`depthwise`, `pointwise`).
    """

    make: Call | None = None
    call: Code = None
    stateful: bool = False
    name: str = ""
    helpers: tuple[Helper, ...] = ()

    @property
    def plain(self) -> bool:
        """Is it a module that is called on its values, and nothing else?"""
        return self.make is not None and not (self.stateful and self.call is not None)


class Use(Record):
    """How a framework says a layer: one or more applications, one after the other.

    The first takes all the layer's inputs, each later one the value before it.
    """

    steps: tuple[Apply, ...]


def module(make: Call, name: str = "", helpers: tuple[Helper, ...] = (), call: Code = None) -> Apply:
    """A step with weights or state: constructed once, then called, or applied as `call` says."""
    return Apply(make, call, True, name, helpers)


def function(code: Code, make: Call | None = None, helpers: tuple[Helper, ...] = ()) -> Apply:
    """A step without state: an expression over `X(i)`, and the module that does the same, if there is one."""
    return Apply(make, code, False, "", helpers)


class Place(Record):
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


class Weight(Record):
    """One array of a layer, in the language's order (channels last, kernels as spatial..., in, out).

    `role` is `weight`, `bias` or `statistic` (running mean or variance: kept apart from the parameters).
    """

    name: str
    shape: Shape
    torch: Place
    keras: Place
    role: str = "weight"

    @property
    def size(self) -> Dim:
        return product(self.shape)

    @property
    def sizes(self) -> tuple[int, ...]:
        """The shape in numbers. Raises ValueError where it hangs on a symbol."""
        found = tuple(d for d in self.shape if isinstance(d, int))
        if len(found) < len(self.shape):
            raise ValueError(f"the shape of a {self.name} hangs on {', '.join(map(str, self.shape))}")
        return found


Weights: TypeAlias = "tuple[Weight, ...]"


class Example(Record):
    """A use of the layer that is documentation and test: `code` on an input of `shape` gives `gives`.

    `shape` is one shape, or a tuple of shapes for a layer of several inputs. `weights` counts the learned
    numbers. `macs` is given by hand where a framework's counter sees nothing. `vocabulary` bounds the integers of
    an integer input; `positive` says that the numbers are above 0, and `conditions` how many of the inputs, from the
    first, are true or false. `refused` names the frameworks ("torch", "keras") that have no form for it.
    """

    code: str
    shape: Any
    gives: Shape
    weights: int = 0
    macs: int | None = None
    vocabulary: int = 0
    positive: bool = False
    conditions: int = 0
    refused: tuple[str, ...] = ()


class Layer:
    """Base of all layers. A subclass declares its arguments with `arg` and overrides the facets that differ."""

    kind: ClassVar[str] = ""
    style: ClassVar[str] = "shape"
    arguments: ClassVar[Mapping[str, Argument]] = {}
    # the names of those that have no default
    required: ClassVar[tuple[str, ...]] = ()
    examples: ClassVar[tuple[Example, ...]] = ()
    # how many values it takes; None is one or more (a join)
    arity: ClassVar[int | None] = 1
    # the least number of values that a join needs
    least: ClassVar[int] = 1
    # the most values that a layer of several takes; None for any number
    most: ClassVar[int | None] = None
    # the argument that takes all values given by position, as in `reshape(28, 28, 1)`; empty where each has its own
    gathers: ClassVar[str] = ""
    # by place in a call, the argument that a number in the place of a value is; empty where it can be none
    places: ClassVar[tuple[str, ...]] = ()
    # the layer that does to several values what this one does to the numbers of one
    several: ClassVar[str] = ""
    # what the values must hold: "float", "int", "bool" or "any"
    takes: ClassVar[str] = "float"
    # PyTorch layout: "first", "last", or "any" where the layer works in either; `at.first` then says which it is
    torch_layout: ClassVar[str] = "any"
    # does it compute new numbers (counted as activations), or only hand on or rearrange them?
    computes: ClassVar[bool] = True
    # is the same thing done to each number, whatever its place? (then axes, layout and receptive field are kept)
    pointwise: ClassVar[bool] = False
    # does it behave otherwise in training? (dropout, batch norm)
    training: ClassVar[bool] = False

    def __init__(self, **values: Any) -> None:
        self.__dict__.update(values)

    def __init_subclass__(cls) -> None:
        found = dict(cls.arguments)
        for name, value in list(cls.__dict__.items()):
            if isinstance(value, Declared):
                found[name] = Argument(name, value.reader, value.default, value.doc)
                delattr(cls, name)
        cls.arguments = found
        cls.required = tuple(name for name, argument in found.items() if argument.required)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("a layer is immutable")

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.__dict__ == other.__dict__

    def __hash__(self) -> int:
        return hash((type(self), *self.__dict__.values()))

    def __repr__(self) -> str:
        return f"{self.kind}({', '.join(f'{n}={describe(v)}' for n, v in self.__dict__.items())})"

    # --- the facets, with what most layers share ---------------------------------------------------------------

    def shape(self, *xs: Shape) -> Shape:
        """The shape that comes out. Raises Violation."""
        return xs[0]

    def hands_on(self, *xs: Shape) -> bool:
        """Is what comes out the value that goes in, as it is?"""
        return False

    def dtype(self, *given: str) -> str:
        """The type of number that comes out."""
        return given[0]

    def weights(self, *xs: Shape) -> Weights:
        """The arrays that the layer holds, in the language's order."""
        return ()

    def macs(self, xs: tuple[Shape, ...], y: Shape) -> Dim:
        """Multiply-accumulates of convolutions and matrix products, for one sample."""
        return 0

    def other_ops(self, xs: tuple[Shape, ...], y: Shape) -> Dim:
        """Element-wise, pooling and normalising operations, for one sample."""
        return product(y) if self.computes else 0

    def reach(self, x: Shape) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
        """Window and stride for each spatial axis (dilation counted in the window).

        None where every output sees the whole input. A stride of 1 and a window of 1 leave the field as it is.
        """
        ones = (1,) * max(len(x) - 1, 0)
        return ones, ones

    def finer(self, x: Shape) -> tuple[int, ...]:
        """How many cells one cell of the input becomes along each spatial axis: 1 but for what makes a grid finer.

        The step between neighbouring outputs, counted on the input, is `reach`'s stride divided by this.
        """
        return (1,) * max(len(x) - 1, 0)

    def draws(self) -> bool:
        """Does it draw random numbers in training?"""
        return False

    def keeps_channels(self, x: Shape) -> bool:
        """Is the last axis of the result still that of the channels?

        Where it is not, what PyTorch makes of a channels-first value has its axes in the language's order.
        """
        return True

    def torch(self, at: At) -> Use:
        """The PyTorch form. Raises Unsupported."""
        raise NotImplementedError

    def keras(self, at: At) -> Use:
        """The Keras 3 form. Raises Unsupported."""
        raise NotImplementedError

    def reference(self, xs: tuple[Array, ...], w: Mapping[str, Array]) -> Array:
        """The definition, in NumPy: arrays with a batch axis, channels last, float64; inference mode."""
        raise NotImplementedError


LAYERS: dict[str, type[Layer]] = {}


def layer(kind: str, style: str = "shape") -> Callable[[L], L]:
    """Registers a layer class under its name in the language. `style` picks the colour in diagrams."""

    def register(cls: L) -> L:
        cls.kind = kind
        cls.style = style
        LAYERS[kind] = cls
        return cls

    return register


def bind(cls: type[Layer], given: Mapping[str, Any]) -> Layer:
    """A layer from named argument values.

    Raises Violation for a value that an argument cannot take; names and arity are the caller's business.
    """
    values = {}
    for name, argument in cls.arguments.items():
        if name not in given:
            values[name] = argument.default
            continue
        try:
            values[name] = argument.reader.read(given[name])
        except ValueError as error:
            message, help = (*error.args, "")[:2]
            raise Violation("wrong-value", f"`{name}` of {cls.kind} {message}", name, help) from None
    return cls(**values)
