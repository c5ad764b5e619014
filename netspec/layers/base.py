"""What a layer is: one declarative class with every facet.

A facet is a pure function of the layer's arguments and the shapes that come in. Shapes are written as in the
language, without the batch axis and with the channels last. Facets import no framework and do no I/O; what a
framework should do comes back as a value (`Use`), and what is wrong is raised as a `Violation` that names the
argument at fault. Layers know no syntax tree, span or file.
"""

from __future__ import annotations

from ..base.dims import product
from ..base.record import TYPE_CHECKING, Record
from .arguments import REQUIRED, Argument, Declared, Reader, Violation, describe, meant, not_known, takes_numbers
from .forms import Apply as Apply
from .forms import At as At
from .forms import Helper as Helper
from .forms import Use as Use
from .forms import Weight as Weight
from .forms import WeightLayout as WeightLayout
from .forms import function as function
from .forms import held_still as held_still
from .forms import module as module
from .registry import KINDS
from .shapes import pointwise_map

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, MutableMapping, Sequence
    from typing import Any, ClassVar, TypeAlias, TypeVar

    from typing_extensions import Self

    from ..base.dims import Dim, DimExpr, Shape
    from .forms import Array as Array
    from .forms import Gives as Gives
    from .shapes import AxisMap

    L = TypeVar("L", bound="type[Layer]")
    V = TypeVar("V")
    Weights: TypeAlias = "tuple[Weight, ...]"


class Example(Record):
    """A use of the layer that is documentation and test: `code` on an input of `shape` gives `gives`.

    `weights` counts the learned numbers. `macs` is given by hand where a framework's counter sees nothing.
    `vocabulary` bounds the integers of an integer input; `positive` says that the numbers are above 0, and `conditions`
    how many of the inputs, from the first, are true or false. `refused` names the frameworks ("torch", "keras") that
    have no form for it. `names` are those of the inputs, where the code asks for some of them by name.
    """

    code: str
    shape: Any
    gives: Any
    weights: int = 0
    macs: int | None = None
    vocabulary: int = 0
    positive: bool = False
    conditions: int = 0
    refused: tuple[str, ...] = ()
    names: tuple[str, ...] = ()


class Layer:
    """Base of all layers. A subclass declares its arguments with `arg` and overrides the facets that differ."""

    kind: ClassVar[str] = ""
    # what it is called where it is written, if that is not its kind
    word: ClassVar[str] = ""
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
    # what to do with several values, if it takes one
    several: ClassVar[str] = ""
    # by argument, the word that makes several values come out, and the one that makes it one
    one_by: ClassVar[Mapping[str, tuple[str, str]]] = {}
    # the arguments that take values of the net; these are inputs behind the `arity` others
    by_name: ClassVar[tuple[str, ...]] = ()
    # the argument that takes a step; empty where there is none
    holds: ClassVar[str] = ""
    # what the values must hold: "float", "int", "bool" or "any"
    takes: ClassVar[str] = "float"
    # does it matter which of several inputs comes first?
    ordered: ClassVar[bool] = True
    # the inputs, by number, of which it takes the sizes only
    sized_by: ClassVar[tuple[int, ...]] = ()
    # the kind of layer that it undoes, and the kinds that make no difference, where they stand right before it
    undoes: ClassVar[str] = ""
    overrides: ClassVar[tuple[str, ...]] = ()
    # how many of the sizes that it asks for it works out from the others
    works_out: ClassVar[int] = 0
    # PyTorch layout: "first", "last", or "any" where the layer works in either; `at.first` then says which it is
    torch_layout: ClassVar[str] = "any"
    # does PyTorch code of the usual kind give it values in the layout that they have, whatever the form here takes?
    follows: ClassVar[bool] = False
    # does it read axes as others, so that the layout of what goes in or comes out decides the order along them?
    regroups: ClassVar[bool] = False
    # does it compute new numbers (counted as activations), or only hand on or rearrange them?
    computes: ClassVar[bool] = True
    # is the same thing done to each number, whatever its place? (then axes, layout and receptive field are kept)
    pointwise: ClassVar[bool] = False
    # do its forms heed `At.free`? Other layers get values with a batch axis only
    free: ClassVar[bool] = False
    # is what comes out a list, though it holds one value?
    lists: ClassVar[bool] = False
    # the rule that reads its calls, where it is no layer of the net itself but a way to use a step: `scan`, `each_step`
    calls: ClassVar[str] = ""
    # does it behave otherwise in training? (dropout, batch norm)
    training: ClassVar[bool] = False

    def __init__(self, **values: Any) -> None:
        self.__dict__.update(values)

    def __init_subclass__(cls) -> None:
        cls.word = cls.__dict__.get("word") or cls.__dict__.get("kind", "")
        if len(cls.__bases__) == 1 and not any(isinstance(value, Declared) for value in cls.__dict__.values()):
            return  # what it takes is what its base takes
        found: dict[str, Argument] = {}
        for base in reversed(cls.__bases__):
            found |= getattr(base, "arguments", {})
        for name, value in list(cls.__dict__.items()):
            if isinstance(value, Declared):
                word = name.removesuffix("_")  # `return_` stands for a word that Python keeps to itself
                found[word] = Argument(word, value.reader, value.default, value.doc, value.last)
                delattr(cls, name)
        cls.arguments = dict(sorted(found.items(), key=lambda pair: pair[1].last))
        cls.required = tuple(name for name, argument in cls.arguments.items() if argument.required)
        cls.by_name = tuple(name for name, argument in found.items() if argument.reader.holds == "values")
        cls.holds = next((name for name, argument in found.items() if argument.reader.holds == "step"), "")

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("a layer is immutable")

    def replace(self, **changes: Any) -> Self:
        """A copy with some arguments changed."""
        return type(self)(**{**self.__dict__, **changes})

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.__dict__ == other.__dict__

    def __hash__(self) -> int:
        return hash((type(self), *self.__dict__.values()))

    def __repr__(self) -> str:
        return f"{self.kind}({', '.join(f'{n}={describe(v)}' for n, v in self.__dict__.items())})"

    def __str__(self) -> str:
        """As the language writes it, without what is at its default."""
        defaults = {name: argument.default for name, argument in self.arguments.items()}
        said = [
            describe(value) if defaults[name] is REQUIRED else f"{name}={describe(value)}"
            for name, value in self.__dict__.items()
            if name not in self.by_name and value != defaults[name]
        ]
        return f"{self.word}({', '.join(said)})" if said else self.word

    def said(self, name: str) -> Any:
        """The value of an argument, also of the step that the layer applies."""
        return self.__dict__[name] if name in self.__dict__ or not self.holds else self.__dict__[self.holds].said(name)

    @classmethod
    def misread(cls, values: Mapping[str, Any], x: Shape, places: int) -> str:
        """What to write for arguments that look like those of another library; empty where they do not.

        `values` are as they were given, the first `places` of them without names; `x` is the shape that comes in.
        """
        return ""

    def noted(self, shapes: Sequence[Shape]) -> Shape | None:
        """The shape that a comment behind the line in generated code tells: the first one, but none for parts of
        several shapes."""
        return None if self.lists and len(set(shapes)) > 1 else shapes[0]

    def flowing(self, inputs: tuple[V, ...]) -> tuple[V, ...]:
        """What goes in, but for the values whose sizes alone are looked at."""
        return tuple(x for n, x in enumerate(inputs) if n not in self.sized_by) if self.sized_by else inputs

    # --- the facets, with what most layers share ---------------------------------------------------------------

    def shape(self, *xs: Shape) -> Shape:
        """The shape that comes out, the first one where there are several. Raises Violation."""
        return xs[0]

    def hands_on(self, *xs: Shape) -> bool:
        """Is what comes out the value that goes in, as it is?"""
        return False

    def shapes(self, *xs: Shape) -> tuple[Shape, ...]:
        """The shapes of all values that come out. Raises Violation."""
        return (self.shape(*xs),)

    def asks(self, *xs: Shape) -> tuple[DimExpr, ...]:
        """The sizes in its arguments that the values which go in have to say, and perhaps do not."""
        return ()

    def measured(self, *xs: Shape) -> Self:
        """The same layer, which knows of each symbolic size in its arguments where values say it. Raises Violation."""
        return self

    @property
    def results(self) -> tuple[str, ...]:
        """What the values are that come out of a layer over time: `last`, `sequence`, or parts of the state."""
        return ()

    def dtype(self, *given: str) -> str:
        """The type of number that comes out."""
        return given[0]

    def kinds(self, count: int) -> tuple[str, ...]:
        """What each of the inputs must hold: "float", "int", "bool" or "any"."""
        return (self.takes,) * count

    @property
    def layout(self) -> str:
        """The PyTorch layout of this one: a layer that holds another has that one's."""
        return self.torch_layout

    @property
    def by_step(self) -> bool:
        """Does step t of a sequence that comes out belong to step t of one that goes in, and to no other?"""
        return self.pointwise

    @property
    def may_skip(self) -> bool:
        """Can it skip the padded steps of a sequence, and has it not been told which these are?"""
        return False

    def skipping(self) -> Self:
        """The same layer, which takes a mask as its last input."""
        return self

    @property
    def remembers(self) -> bool:
        """Does it begin with what the last batch left, until it is reset?"""
        return False

    @property
    def static_batch(self) -> int | None:
        """How many samples each batch has; None where that does not matter."""
        return None

    @property
    def marks_padding(self) -> bool:
        """Is 0 in the input padding, which recurrent layers further down skip?"""
        return False

    def weights(self, *xs: Shape) -> Weights:
        """The arrays that the layer holds, in the language's order."""
        return ()

    def macs(self, xs: tuple[Shape, ...], y: Shape) -> Dim:
        """Multiply-accumulates of convolutions and matrix products, for one sample."""
        return 0

    def other_ops(self, xs: tuple[Shape, ...], y: Shape) -> Dim:
        """Element-wise, pooling and normalising operations, for one sample."""
        return product(y) if self.computes else 0

    def steps(self, *xs: Shape) -> Dim:
        """How many steps are done one after the other, since each takes the state that the one before it leaves."""
        return 0

    def time_steps(self, *xs: Shape) -> Dim:
        """How many elements the sequence has that it goes over with a state; 0 where there is no state."""
        return 0

    def step_macs(self, xs: tuple[Shape, ...]) -> Dim:
        """Of `macs`, those for one element of that sequence."""
        return 0

    def reach(self, x: Shape) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
        """Window and stride for each spatial axis (dilation counted in the window).

        None where every output sees the whole input. A stride of 1 and a window of 1 leave the field as it is. Where
        the grid becomes finer, both are counted in cells of the finer one: of d + 1 neighbours that come out, at most
        ceil((d*stride + window - 1) / finer) + 1 are seen of what goes in.
        """
        ones = (1,) * max(len(x) - 1, 0)
        return ones, ones

    def finer(self, x: Shape) -> tuple[int, ...]:
        """How many cells one cell of the input becomes along each spatial axis: 1 but for what makes a grid finer.

        The step between neighbouring outputs, counted on the input, is `reach`'s stride divided by this.
        """
        return (1,) * max(len(x) - 1, 0)

    def axis_map(self, *xs: Shape) -> AxisMap | None:
        """Which axes hold the same places; None where it looks at the order along all of them."""
        return pointwise_map(xs[0], len(self.shapes(*xs))) if self.pointwise and len(xs) == 1 else None

    def in_sequence(self, axes: tuple[int, ...], y: Shape) -> Self | None:
        """What makes the same of a value, of shape y, with its axes in another sequence; None where it cannot."""
        return None

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

    def reference(self, xs: tuple[Array, ...], w: Mapping[str, Array]) -> Array | tuple[Array, ...]:
        """The definition, in NumPy: arrays with a batch axis, channels last, float64; inference mode.

        A tuple where several values come out.
        """
        raise NotImplementedError


LAYERS: MutableMapping[str, type[Layer]] = KINDS


def layer(kind: str, style: str = "shape") -> Callable[[L], L]:
    """Registers a layer class under its name in the language. `style` picks the colour in diagrams."""

    def register(cls: L) -> L:
        cls.kind = kind
        cls.word = cls.word or kind
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
        values[name] = read(cls, argument, given[name])
    return cls(**values)


def read(cls: type[Layer], argument: Argument, given: Any) -> Any:
    """The value of an argument of a layer. Raises Violation."""
    reader = argument.reader
    try:
        return reader.read(given)
    except ValueError as error:
        message, help = _said(reader, given, error)
        raise Violation("wrong-value", f"`{argument.name}` of {cls.word} {message}", argument.name, help) from None


def _said(reader: Reader, given: Any, error: ValueError) -> tuple[str, str]:
    """What is wrong with a value, and what to do."""
    from .foreign import foreign_word

    message, help = (*error.args, "")[:2]
    unknown = not_known(given, reader.doc)
    if unknown is not None and not help and takes_numbers(reader):
        return unknown
    return message, help or foreign_word(str(given), reader.words) or meant(given, reader.words)
