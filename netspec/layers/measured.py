"""Sizes that are known when a net runs: read off the axes of its values.

A symbolic size such as `H + 3` is an expression; what runs needs to know where to look it up. An axis says it whole
where the two differ by whole numbers only (`H + 3` of an axis of `2*H`); else each of its symbols is looked up.
"""

from __future__ import annotations

from math import gcd

from ..base.dims import DimExpr, Floor, Largest, Symbol, substitute, symbol, symbols
from ..base.record import TYPE_CHECKING, Record
from ..pycode.expr import Attr, Index, Infix, X, call
from .arguments import Unsupported
from .forms import Helper

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..base.dims import Atom, Dim, Shape
    from ..pycode.expr import Code
    from .forms import Array, At


class Reading(Record):
    """A size that an axis says: (times * length + plus) // over, of an axis of the input at a place."""

    place: int
    axis: int
    times: int = 1
    plus: int = 0
    over: int = 1


class Measured(Record):
    """A size with symbols, and where each part of it is read: the whole (of no name), or each of its symbols."""

    size: DimExpr
    readings: tuple[tuple[str, Reading], ...]

    def __str__(self) -> str:
        return str(self.size)

    @property
    def whole(self) -> Reading | None:
        """Where all of it is read, if that is one axis."""
        return dict(self.readings).get("")

    def of(self, xs: Sequence[Array]) -> int:
        """The number that it is for these arrays, which have a batch axis."""
        values = {name: _number(reading, xs) for name, reading in self.readings}
        found = values[""] if "" in values else substitute(self.size, values)
        assert isinstance(found, int)
        return found

    def torch(self, at: At) -> Code:
        """The same in PyTorch."""
        parts = {name: _code(reading, at) for name, reading in self.readings}
        return parts[""] if "" in parts else _polynomial(self.size, parts)

    def keras(self, at: At) -> tuple[int, ...]:
        """The same for the layers below, without the parts that change nothing. Raises Unsupported."""
        if self.whole is None:
            help = f"give {' and '.join(f'`{name}`' for name in symbols(self.size))} a value with `--set`"
            raise Unsupported(f"Keras is told sizes that one axis says, and {self.size} hangs on several", help=help)
        place, axis, *how = self.whole.__dict__.values()
        found = (place, axis + at.lead(place), *how)
        while len(found) > 2 and found[-1] == (1, 0, 1)[len(found) - 3]:
            found = found[:-1]
        return found


def measured(size: DimExpr, shapes: Sequence[Shape]) -> Measured | None:
    """A size as the axes of some values say it; None where they do not."""
    whole = _reading(size, shapes)
    if whole is not None:
        return Measured(size, (("", whole),))
    found = {name: _reading(symbol(name), shapes) for name in symbols(size)}
    known = tuple((name, reading) for name, reading in found.items() if reading is not None)
    return Measured(size, known) if len(known) == len(found) else None


def unread(size: DimExpr, shapes: Sequence[Shape]) -> tuple[str, ...]:
    """The symbols in a size that no axis of some values says."""
    if measured(size, shapes) is not None:
        return ()
    return tuple(name for name in symbols(size) if not says(name, shapes))


def says(name: str, shapes: Sequence[Shape]) -> bool:
    """Does an axis of some values say a symbol?"""
    return _reading(symbol(name), shapes) is not None


def _reading(size: DimExpr, shapes: Sequence[Shape]) -> Reading | None:
    """The axis from which a size is read with the least arithmetic."""
    found = [
        Reading(place, axis, *how)
        for place, shape in enumerate(shapes)
        for axis, n in enumerate(shape)
        if isinstance(n, DimExpr) and (how := _affine(size, n)) is not None
    ]
    return min(found, key=lambda r: (r.over != 1, r.times != 1, r.plus != 0, r.place), default=None)


def _affine(size: DimExpr, n: DimExpr) -> tuple[int, int, int] | None:
    """times, plus and over, all that a size and that of an axis differ by; None where they differ by more."""
    (first, factor), own = next((m, f) for m, f in n.terms if m), dict(size.terms)
    if first not in own:
        return None
    common = gcd(factor, own[first])
    times, over = own[first] // common, factor // common
    if over < 0:
        times, over = -times, -over
    plus = size * over - n * times
    return (times, plus, over) if isinstance(plus, int) else None


# --- in NumPy and PyTorch ------------------------------------------------------------------------------------------


def _number(reading: Reading, xs: Sequence[Array]) -> int:
    length: int = xs[reading.place].shape[reading.axis + 1]
    return (reading.times * length + reading.plus) // reading.over


def _code(reading: Reading, at: At) -> Code:
    rank, lead = len(at.inputs[reading.place]), at.lead(reading.place)
    axis = reading.axis + lead
    if at.is_first(reading.place):
        axis = lead if reading.axis == rank - 1 else axis + 1
    code: Code = Index(Attr(X(reading.place), "shape"), (axis,))
    code = _times(code, reading.times)
    if reading.plus:
        code = _plus(code, reading.plus)
    return Infix(code, "//", reading.over) if reading.over != 1 else code


def _times(code: Code, factor: int) -> Code:
    return code if factor == 1 else Infix(factor, "*", code)


def _plus(code: Code, more: int) -> Code:
    return Infix(code, "+" if more > 0 else "-", abs(more))


def _polynomial(size: Dim, parts: Mapping[str, Code]) -> Code:
    """A size written out, with what stands for each of its symbols."""
    if isinstance(size, int):
        return size
    ordered = sorted(size.terms, key=lambda term: (term[1] < 0, not term[0]))
    total: Code = None
    for monomial, factor in ordered:
        atoms = [_power(_atom(atom, parts), power) for atom, power in monomial]
        number = abs(factor) if total is not None else factor
        term: Code = number if not atoms or number != 1 else None
        for atom in atoms:
            term = atom if term is None else Infix(term, "*", atom)
        total = term if total is None else Infix(total, "+" if factor > 0 else "-", term)
    return total


def _power(code: Code, power: int) -> Code:
    return code if power == 1 else Infix(code, "**", power)


def _atom(atom: Atom, parts: Mapping[str, Code]) -> Code:
    if isinstance(atom, Symbol):
        return parts[atom.text]
    if isinstance(atom, Floor):
        return Infix(_polynomial(atom.top, parts), "//", _polynomial(atom.bottom, parts))
    assert isinstance(atom, Largest)
    return call("max", *(_polynomial(one, parts) for one in atom.sizes))


# --- in Keras, where a size is known only within a layer ----------------------------------------------------------

_IMPORTS = ("import keras", "from keras import layers, ops")
KERAS_LENGTH = Helper("length_of", file="keras/length_of")
KERAS_CUT = Helper("CutTo", file="keras/cut_to")
KERAS_RESHAPE = Helper("ReshapeTo", file="keras/reshape_to")
