"""Arguments of layers: how they are declared, how values are read, and what is said of values that do not fit."""

from __future__ import annotations

from ..base.diagnostics import did_you_mean
from ..base.dims import DimExpr, symbols
from ..base.record import TYPE_CHECKING, Record

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ..base.dims import Dim

REQUIRED = object()
# words of other languages for what the language has a word for
CONSTANTS = {"True": "true", "False": "false", "None": "none", "null": "none", "nil": "none"}


class Violation(Exception):
    """A layer cannot be built or applied as asked.

    `argument` names the argument at fault; empty where the input itself does not suit the layer. `values` says which of
    the values of the net that it was given are wrong, and that nothing else has a part in it.
    """

    def __init__(
        self,
        code: str,
        message: str,
        argument: str = "",
        help: str = "",
        label: str = "",
        values: slice | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.argument = argument
        self.help = help
        self.label = label
        self.values = values


class Unsupported(Exception):
    """A framework has no form for this layer with these arguments. `code` is that of the diagnostic, if it is not the
    usual one of the framework."""

    def __init__(self, message: str, argument: str = "", help: str = "", code: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.argument = argument
        self.help = help


class Word(str):
    """A bare word of the language: `same`, `relu`, `last`."""

    __slots__ = ()


class Quotient(Record):
    """A division by a symbol's side that is not whole; `ceil` and `floor` make a size of it."""

    top: Dim
    bottom: Dim

    def __str__(self) -> str:
        return "/".join(side if side.isalnum() else f"({side})" for side in (str(self.top), str(self.bottom)))


class Reader(Record):
    """How an argument is read: `read` returns the value or raises `ValueError(message, help)`.

    `holds` says what is no number or word: `values` of the net, which become inputs of the layer, or a `step` that the
    layer applies in its own way. `instead` says what to do where a step stands in the place of a word.
    """

    read: Callable[[Any], Any]
    doc: str
    words: tuple[str, ...] = ()
    holds: str = ""
    instead: str = ""


def takes_numbers(reader: Reader) -> bool:
    """Would a number do?"""
    for number in (1, 0.5):
        try:
            reader.read(number)
        except ValueError:
            continue
        return True
    return False


class Argument(Record):
    """The declaration of one argument. One that is `last` stands behind all others, and is given by name alone."""

    name: str
    reader: Reader
    default: Any
    doc: str
    last: bool = False

    @property
    def required(self) -> bool:
        return self.default is REQUIRED


class Declared(Record):
    """What `arg` leaves in the class body until the class is made."""

    reader: Reader
    default: Any
    doc: str
    last: bool = False


def arg(reader: Reader, default: Any = REQUIRED, doc: str = "", last: bool = False) -> Any:
    """Declares an argument of a layer, in the class body."""
    return Declared(reader, default, doc, last)


class Values(Record):
    """Values of the net that an argument was given. A layer knows how many there are; they are its last inputs."""

    count: int

    def __str__(self) -> str:
        return "a value of the net" if self.count == 1 else f"{self.count} values of the net"


# items of a list that are shown
_SHOWN = 16


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
        shown = [describe(v) for v in value[:_SHOWN]] + ["..."] * (len(value) > _SHOWN)
        return "(" + ", ".join(shown) + ("," if len(value) == 1 else "") + ")"
    return str(value)


def not_known(value: Any, doc: str) -> tuple[str, str] | None:
    """A message and a help for what hangs on a symbol; None for all else."""
    if not isinstance(value, DimExpr | Quotient):
        return None
    sides = (value.top, value.bottom) if isinstance(value, Quotient) else (value,)
    name = next(name for side in sides for name in symbols(side))
    help = f"give it a value with `--set`, for example `--set {name}=64`"
    return f"must be {doc}, but {value} is not known here", help


def _whole(value: Any, least: int, doc: str, most: float = float("inf")) -> int:
    unknown = not_known(value, doc)
    if unknown is not None:
        raise ValueError(*unknown)
    if isinstance(value, float) and value.is_integer() and value >= least:
        raise ValueError(f"must be {doc}, not the float {value}", f"write {int(value)}")
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise ValueError(f"must be {doc}, not {describe(value)}", _whole_help(value))
    return value


def _whole_help(value: Any) -> str:
    return "one number stands here" if isinstance(value, tuple) else ""


def whole(least: int, doc: str, most: float = float("inf")) -> Reader:
    """A reader of whole numbers from `least` to `most`."""
    return Reader(lambda v: _whole(v, least, doc, most), doc)


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


def _penalty(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
        raise ValueError(f"must be a number of at least 0, not {describe(value)}", "")
    return value


penalty = Reader(_penalty, "a number of at least 0")


def _rate(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1:
        share = f": {value / 100:g}" if isinstance(value, int) and 1 < value < 100 else ""
        raise ValueError(
            f"must be a number from 0 up to, but not including, 1, not {describe(value)}",
            "" if isinstance(value, str) else f"it is a share{share}",
        )
    return value


rate = Reader(_rate, "a share: 0 <= p < 1")


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        meant = {0: "false", 1: "true", None: "false"}.get(value) if isinstance(value, int | None) else None
        raise ValueError(f"must be true or false, not {describe(value)}", f"write `{meant}`" if meant else "")
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


def meant(value: Any, words: tuple[str, ...]) -> str:
    """What to write for a word that is none of those asked for."""
    if not isinstance(value, str):
        return ""
    if value in words or (not isinstance(value, Word) and value[:1].isdigit()):
        return f"leave the quotes out: `{value}`"
    if value in CONSTANTS:
        return f"write `{CONSTANTS[value]}`"
    return did_you_mean(value, (*words, "none", "true", "false"))


def optional(reader: Reader) -> Reader:
    """The same reader, with `none` allowed."""
    return Reader(lambda v: None if v is None else reader.read(v), f"{reader.doc}, or none", reader.words)


def values_reader(doc: str) -> Reader:
    """A reader of values of the net, which gives their number."""

    def read(value: Any) -> int | None:
        if value is None:
            return None
        if not isinstance(value, Values):
            raise ValueError(f"must be {doc}, not {describe(value)}", "")
        return value.count

    return Reader(read, doc, (), "values")


def _axes(value: Any) -> int | tuple[int, ...]:
    doc = "a whole number of at least 1, or one for each axis, as in 3x3"
    if isinstance(value, str):
        raise ValueError(f"must be {doc}, not {describe(value)}", "")
    if isinstance(value, tuple) and value:
        return tuple(_whole(v, 1, doc) for v in value)
    return _whole(value, 1, doc)


axes = Reader(_axes, "a whole number, or one for each axis: 3 or 3x3")


_CHANNELS = "; or does the shape lack its last axis, the channels?"


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
            f"`{argument}` has {len(value)} number{'s' * (len(value) != 1)}, but the input has {rank} spatial {many}",
            argument,
            help=f"give one number, or {rank}" + _CHANNELS * (len(value) == rank + 1),
        )
    return value


def square(value: tuple[int, ...]) -> int | tuple[int, ...]:
    """One number where all axes agree, as a person would write it."""
    return value[0] if len(set(value)) == 1 else value
