"""What layers over time are asked for, and the state that they begin with: the same for all of them."""

from __future__ import annotations

from ..base.dims import show
from ..base.record import TYPE_CHECKING
from .arguments import Reader, Violation, Word, describe, values_reader
from .base import Layer

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any, TypeVar

    from ..base.dims import Shape

    T = TypeVar("T")

# what to do with several sequences
JOINED = "`concat` the sequences"
_RETURNS = ("last", "sequence", "state")
_RETURNS_DOC = "last, sequence or state, or several of them in brackets"


def _returns(value: Any) -> Any:
    words = value if isinstance(value, tuple) else (value,)
    if not words or not all(isinstance(w, Word) and w in _RETURNS for w in words):
        raise ValueError(f"must be {_RETURNS_DOC}, not {describe(value)}", "")
    if len(set(words)) < len(words):
        raise ValueError(f"must name each thing once, not {describe(value)}", "")
    return words[0] if len(words) == 1 else words


returns_reader = Reader(_returns, _RETURNS_DOC, _RETURNS)
state_reader = values_reader("values of the net, one for each part of the state: (h, c)")


def numbered(names: Sequence[str]) -> tuple[str, ...]:
    """Names, with numbers where one stands several times: h1, c1, h2, c2."""
    return tuple(f"{n}{names[: i + 1].count(n)}" if names.count(n) > 1 else n for i, n in enumerate(names))


class Returning(Layer):
    """A layer with an argument `return`."""

    one_by = {"return": ("state", "last")}

    @property
    def returns(self) -> tuple[str, ...]:
        """What is asked for, in order."""
        value = self.__dict__["return"]
        return value if isinstance(value, tuple) else (value,)


def in_order(returns: Iterable[str], last: Iterable[T], sequence: Iterable[T], state: Iterable[T]) -> tuple[T, ...]:
    """What is asked for, of all that there is."""
    found = {"last": last, "sequence": sequence, "state": state}
    return tuple(each for word in returns for each in found[word])


def check_initial(kind: str, names: tuple[str, ...], shapes: Iterable[Shape], given: tuple[Shape, ...]) -> None:
    """Does a first state fit, whose parts have these names and shapes? Raises Violation."""
    if len(given) != len(names):
        listed = ", ".join(names)
        count = f"{len(names)} value{'s' * (len(names) > 1)}"
        message = f"the state of this {kind} is {count} ({listed}), but `initial` gives {len(given)}"
        written = f"({listed})" if len(names) > 1 else listed
        raise Violation("wrong-state", message, "initial", f"write `initial={written}`", values=slice(None))
    for i, (name, shape, actual) in enumerate(zip(names, shapes, given)):
        if shape != actual:
            message = f"`{name}` of this {kind} is {show(shape)}, but {show(actual)} is given"
            help = "`dense` brings a vector to the size of a state"
            if actual[1:] == shape:
                help = "a state is what one step leaves: `return=state` in place of a sequence, or `-> last` behind it"
            raise Violation("wrong-state", message, "initial", help, values=slice(i, i + 1))
