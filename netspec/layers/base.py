"""What a layer is: one declarative class with every facet.

A facet is a pure function of the layer's arguments and the shapes that come in. Shapes are written as in the
language, without the batch axis and with the channels last. Facets import no framework and do no I/O; what a
framework should do comes back as a value (`Use`), and what is wrong is raised as a `Violation` that names the
argument at fault. Layers know no syntax tree, span or file.
"""

from __future__ import annotations

from ..dims import DimExpr, product
from ..pycode import Call
from ..record import TYPE_CHECKING, Record

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, ClassVar, TypeAlias, TypeVar

    import numpy as np

    from ..dims import Dim, Shape
    from ..pycode import Code

    Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"
    L = TypeVar("L", bound="type[Layer]")

REQUIRED = object()


class Violation(Exception):
    """A layer cannot be built or applied as asked.

    `argument` names the argument at fault; empty where the input itself does not suit the layer.
    """

    def __init__(self, code: str, message: str, argument: str = "", help: str = "", label: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.argument = argument
        self.help = help
        self.label = label


class Unsupported(Exception):
    """A framework has no form for this layer with these arguments."""

    def __init__(self, message: str, argument: str = "", help: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.argument = argument
        self.help = help


class Word(str):
    """A bare word of the language: `same`, `relu`, `last`."""

    __slots__ = ()


# --- arguments -------------------------------------------------------------------------------------------------


class Reader(Record):
    """How an argument is read: `read` returns the value or raises `ValueError(message, help)`."""

    read: Callable[[Any], Any]
    doc: str
    words: tuple[str, ...] = ()


class Argument(Record):
    """The declaration of one argument."""

    name: str
    reader: Reader
    default: Any
    doc: str

    @property
    def required(self) -> bool:
        return self.default is REQUIRED


class _Declared(Record):
    reader: Reader
    default: Any
    doc: str


def arg(reader: Reader, default: Any = REQUIRED, doc: str = "") -> Any:
    """Declares an argument of a layer, in the class body."""
    return _Declared(reader, default, doc)


def describe(value: Any) -> str:
    """A compile-time value as the language writes it, for messages."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "none"
    if isinstance(value, Word | DimExpr | int | float):
        return str(value)
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, tuple):
        return "(" + ", ".join(describe(v) for v in value) + ("," if len(value) == 1 else "") + ")"
    return str(value)


def _whole(value: Any, least: int, doc: str) -> int:
    if isinstance(value, DimExpr):
        raise ValueError(
            f"must be {doc}, but {value} is not known here",
            f"give it a value with `--set`, for example `--set {_first_symbol(value)}=64`",
        )
    if isinstance(value, float) and value.is_integer() and value >= least:
        raise ValueError(f"must be {doc}, not the float {value}", f"write {int(value)}")
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ValueError(f"must be {doc}, not {describe(value)}", "")
    return value


def _first_symbol(value: DimExpr) -> str:
    from ..dims import symbols

    return symbols(value)[0]


def whole(least: int, doc: str) -> Reader:
    """A reader of whole numbers from `least` up."""
    return Reader(lambda v: _whole(v, least, doc), doc)


positive = whole(1, "a whole number of at least 1")
count = whole(0, "a whole number of at least 0")


def _integer(value: Any) -> int:
    return _whole(value, -(10**9), "a whole number")


integer = Reader(_integer, "a whole number")


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"must be a number, not {describe(value)}", "")
    return value


number = Reader(_number, "a number")


def _rate(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1:
        raise ValueError(
            f"must be a number from 0 up to, but not including, 1, not {describe(value)}",
            "it is the share that is dropped",
        )
    return value


rate = Reader(_rate, "a share: 0 <= p < 1")


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"must be true or false, not {describe(value)}", "")
    return value


flag = Reader(_flag, "true or false")


def choice(*words: str) -> Reader:
    """A reader of one bare word out of a few."""
    listed = ", ".join(words[:-1]) + (" or " if len(words) > 1 else "") + words[-1]

    def read(value: Any) -> str:
        if isinstance(value, str) and value in words:
            if not isinstance(value, Word):
                raise ValueError(f"must be the bare word {value}, not a string", f"leave the quotes out: `{value}`")
            return value
        raise ValueError(f"must be {listed}, not {describe(value)}", "")

    return Reader(read, listed, words)


def optional(reader: Reader) -> Reader:
    """The same reader, with `none` allowed."""
    return Reader(lambda v: None if v is None else reader.read(v), f"{reader.doc}, or none", reader.words)


def _axes(value: Any) -> int | tuple[int, ...]:
    doc = "a whole number of at least 1, or one for each axis, as in 3x3"
    if isinstance(value, str):
        raise ValueError(
            f"must be {doc}, not {describe(value)}", f"leave the quotes out: `{value}`" if "x" in value else ""
        )
    if isinstance(value, tuple) and value:
        return tuple(_whole(v, 1, doc) for v in value)
    return _whole(value, 1, doc)


axes = Reader(_axes, "a whole number, or one for each axis: 3 or 3x3")


def spread(value: int | tuple[int, ...], rank: int, argument: str) -> tuple[int, ...]:
    """One number for each of `rank` axes.

    Raises Violation where a tuple has another length.
    """
    if isinstance(value, int):
        return (value,) * rank
    if len(value) != rank:
        many = "axis" if rank == 1 else "axes"
        raise Violation(
            "wrong-rank",
            f"`{argument}` has {len(value)} numbers, but the input has {rank} spatial {many}",
            argument,
            help=f"give one number, or {rank}",
        )
    return value


def square(value: tuple[int, ...]) -> int | tuple[int, ...]:
    """One number where all axes agree, as a person would write it."""
    return value[0] if len(set(value)) == 1 else value


# --- what a layer hands to the emitters --------------------------------------------------------------------------


class At(Record):
    """Where a layer stands: the shapes around it and, for PyTorch, the layout of its values.

    `first` says that the values are channels-first (N, C, spatial...) in PyTorch; only values of two axes and more
    have a layout. `general` asks for the form that fits other arguments too, not for the shortest one: instances that
    differ in a stride are then said by one piece of code.
    """

    inputs: tuple[Shape, ...]
    output: Shape
    first: bool = False
    general: bool = False

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
    `name` tells several modules of one layer apart (`depthwise`, `pointwise`).
    """

    make: Call | None = None
    call: Code = None
    stateful: bool = False
    name: str = ""
    helpers: tuple[Helper, ...] = ()


class Use(Record):
    """How a framework says a layer: one or more applications, one after the other.

    The first takes all the layer's inputs, each later one the value before it.
    """

    steps: tuple[Apply, ...]


def module(make: Call, name: str = "", helpers: tuple[Helper, ...] = ()) -> Apply:
    """A step with weights or state: constructed once, then called."""
    return Apply(make, None, True, name, helpers)


def function(code: Code, make: Call | None = None, helpers: tuple[Helper, ...] = ()) -> Apply:
    """A step without state: an expression over `X(i)`, and the module that does the same, if there is one."""
    return Apply(make, code, False, "", helpers)


class Place(Record):
    """Where a framework keeps a weight: its name there, and how to get its array from the language's.

    The language's array is transposed by `order`, then reshaped to `shape` (either may be None).
    """

    name: str
    order: tuple[int, ...] | None = None
    shape: tuple[int, ...] | None = None


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


Weights: TypeAlias = "tuple[Weight, ...]"


class Example(Record):
    """A use of the layer that is documentation and test: `code` on an input of `shape` gives `gives`.

    `shape` is one shape, or a tuple of shapes for a layer of several inputs. `weights` counts the learned
    numbers. `macs` is given by hand where a framework's counter sees nothing. `vocabulary` bounds the integers of
    an integer input. `refused` names the frameworks ("torch", "keras") that have no form for it.
    """

    code: str
    shape: Any
    gives: Shape
    weights: int = 0
    macs: int | None = None
    vocabulary: int = 0
    refused: tuple[str, ...] = ()


class Layer:
    """Base of all layers. A subclass declares its arguments with `arg` and overrides the facets that differ."""

    kind: ClassVar[str] = ""
    style: ClassVar[str] = "shape"
    arguments: ClassVar[Mapping[str, Argument]] = {}
    examples: ClassVar[tuple[Example, ...]] = ()
    # how many values it takes; None is one or more (a join)
    arity: ClassVar[int | None] = 1
    # the least number of values that a join needs
    least: ClassVar[int] = 1
    # the argument that takes all values given by position, as in `reshape(28, 28, 1)`; empty where each has its own
    gathers: ClassVar[str] = ""
    # what the values must hold: "float", "int" or "any"
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
            if isinstance(value, _Declared):
                found[name] = Argument(name, value.reader, value.default, value.doc)
                delattr(cls, name)
        cls.arguments = found

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
