"""Compile-time values: arithmetic, comparisons and the few functions of the language."""

from __future__ import annotations

import math
import operator

from .base.bounds import MOST_BITS
from .base.dims import DimExpr, ceil_div, floor_div
from .base.record import TYPE_CHECKING
from .layers.arguments import Quotient, Word, describe
from .layers.initialisers import SCALED, Initialiser

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .base.dims import Dim

# the items of a list, and how deep lists stand within one another
LONGEST = 100_000
_DEEPEST = 32
_HIGHEST_POWER = 8  # of a symbolic size


class Fault(Exception):
    """A value cannot be computed: a code, a message, and what to do."""

    def __init__(self, code: str, message: str, help: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.help = help


def _numbers(name: str, *values: Any) -> None:
    for value in values:
        if value.__class__ is int:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float | DimExpr):
            shown = f"the word `{value}`" if isinstance(value, Word) else describe(value)
            raise Fault("wrong-value", f"`{name}` needs numbers, not {shown}")


def items_in(value: Any) -> int:
    """How many items a value has, those of the lists in it included. Past the limits no more are counted."""
    level, count = (value,), 0
    for _ in range(_DEEPEST):
        lists = [item for item in level if isinstance(item, tuple)]
        many = sum(map(len, lists))
        count += many
        if not many or count > LONGEST:
            return count
        level = tuple([item for inner in lists for item in inner])
    return LONGEST + 1


def bounded(value: Any) -> Any:
    """A value as it is. Raises Fault where it is larger than the limits allow, or no real number."""
    if value is True or value is False:
        return value
    if isinstance(value, int):
        if value.bit_length() > MOST_BITS:
            raise Fault("too-large", f"a number of more than {MOST_BITS} bits comes out here")
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise Fault("too-large", "a number beyond all limits comes out here")
    elif isinstance(value, tuple):
        if items_in(value) > LONGEST:
            raise Fault("too-large", f"a list of more than {LONGEST:,} items, or {_DEEPEST} deep, comes out here")
    elif isinstance(value, complex):
        raise Fault("wrong-value", "no real number comes out here")
    return value


def _add(a: Any, b: Any) -> Any:
    return a + b if isinstance(a, tuple) and isinstance(b, tuple) else _plain("+", operator.add)(a, b)


def _divide(a: Any, b: Any) -> Any:
    """Exact: an int where it divides, else a float; with symbols, something that only `ceil` and `floor` take."""
    _alike("/", a, b)
    if isinstance(a, float) or isinstance(b, float):
        return a / b
    whole = floor_div(a, b)
    if whole * b == a:
        return whole
    return Quotient(a, b) if isinstance(a, DimExpr) or isinstance(b, DimExpr) else a / b


def _power(a: Any, b: Any) -> Any:
    _numbers("**", a, b)
    if isinstance(b, DimExpr) or (isinstance(a, DimExpr) and not isinstance(b, int)):
        raise Fault("unknown-size", f"`{describe(a)} ** {describe(b)}` is not a size")
    if isinstance(a, DimExpr) and b < 0:
        raise Fault("unknown-size", f"`({a}) ** {b}` is not a size")
    if isinstance(b, int) and abs(b) * _bits(a) > MOST_BITS:
        raise Fault("too-large", f"`{describe(a)} ** {describe(b)}` is too large")
    return a**b


def _bits(base: Any) -> int:
    """How much longer a number gets with each power, at least; a symbolic size has ever more terms."""
    if isinstance(base, DimExpr):
        return MOST_BITS // _HIGHEST_POWER
    return 0 if isinstance(base, float) else abs(base).bit_length() - 1


def _alike(name: str, a: Any, b: Any) -> None:
    """Numbers of which a symbolic one goes with whole ones. Raises Fault."""
    if a.__class__ is int and b.__class__ is int:
        return
    _numbers(name, a, b)
    if (isinstance(a, DimExpr) and isinstance(b, float)) or (isinstance(a, float) and isinstance(b, DimExpr)):
        raise Fault(
            "wrong-value", f"`{name}` of a symbolic size needs whole numbers, not {describe(a)} and {describe(b)}"
        )


def _whole(name: str, apply: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def compute(a: Any, b: Any) -> Any:
        _numbers(name, a, b)
        if isinstance(a, float) or isinstance(b, float):
            if isinstance(a, DimExpr) or isinstance(b, DimExpr):
                raise Fault("wrong-value", f"`{name}` of a symbol needs whole numbers")
            return {"//": operator.floordiv, "%": operator.mod}[name](a, b)
        return apply(a, b)

    return compute


def _plain(name: str, apply: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def compute(a: Any, b: Any) -> Any:
        _alike(name, a, b)
        return apply(a, b)

    return compute


def _order(name: str, apply: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def compute(a: Any, b: Any) -> bool:
        _alike(name, a, b)
        if isinstance(a, DimExpr) or isinstance(b, DimExpr):
            gap = a - b
            if isinstance(gap, DimExpr):
                raise undecided(name, a, b)
            return apply(gap, 0)
        return apply(a, b)

    return compute


def undecided(name: str, a: Any, b: Any) -> Fault:
    """A comparison that depends on a symbol."""
    return Fault(
        "unknown-size",
        f"`{describe(a)} {name} {describe(b)}` depends on a size that is not known",
        "give the symbol a value with `--set`, or write the spec without this condition",
    )


# what most values are that are compared; truth values are not equal to numbers
_PLAIN = frozenset((int, float, str, Word))


def equal(a: Any, b: Any) -> bool:
    """Equality of any two values. Raises Fault where it depends on a symbol."""
    if a.__class__ in _PLAIN and b.__class__ in _PLAIN:
        return bool(a == b)
    if isinstance(a, tuple) and isinstance(b, tuple):
        return len(a) == len(b) and all(equal(x, y) for x, y in zip(a, b))
    if isinstance(a, DimExpr) or isinstance(b, DimExpr):
        if not isinstance(a, int | DimExpr) or not isinstance(b, int | DimExpr):
            return False
        gap = a - b
        if isinstance(gap, DimExpr):
            raise undecided("==", a, b)
        return gap == 0
    if isinstance(a, bool) is not isinstance(b, bool):
        return False
    return bool(a == b)


def _contains(a: Any, b: Any) -> bool:
    if not isinstance(b, tuple):
        raise Fault("wrong-value", f"`in` needs a list on its right, not {describe(b)}")
    return any(equal(a, item) for item in b)


def _of_whole(*values: Any) -> str:
    """The code of a fault where whole numbers are needed: a symbol may be one."""
    return "unknown-size" if any(isinstance(value, DimExpr) for value in values) else "wrong-value"


def _range(a: Any, b: Any) -> tuple[int, ...]:
    for value in (a, b):
        if isinstance(value, bool) or not isinstance(value, int):
            raise Fault(_of_whole(value), f"`..` needs whole numbers, not {describe(value)}")
    if b - a > LONGEST:
        raise Fault("too-large", f"{a}..{b} has {b - a:,} turns; the limit is {LONGEST:,}")
    return tuple(range(a, b))


OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "+": _add,
    "-": _plain("-", operator.sub),
    "*": _plain("*", operator.mul),
    "/": _divide,
    "//": _whole("//", floor_div),
    "%": _whole("%", lambda a, b: a - floor_div(a, b) * b),
    "**": _power,
    "..": _range,
    "==": equal,
    "!=": lambda a, b: not equal(a, b),
    "<": _order("<", operator.lt),
    "<=": _order("<=", operator.le),
    ">": _order(">", operator.gt),
    ">=": _order(">=", operator.ge),
    "in": _contains,
    "not in": lambda a, b: not _contains(a, b),
}


def apply_operator(name: str, a: Any, b: Any) -> Any:
    """`a name b` of compile-time values. Raises Fault."""
    try:
        return bounded(OPERATORS[name](a, b))
    except ZeroDivisionError:
        raise Fault("wrong-value", f"`{describe(a)} {name} {describe(b)}` divides by zero") from None
    except OverflowError:
        raise Fault("too-large", f"`{describe(a)} {name} {describe(b)}` is too large") from None


def _items(values: tuple[Any, ...]) -> tuple[Any, ...]:
    return values[0] if len(values) == 1 and isinstance(values[0], tuple) else values


def _extreme(name: str, pick: Callable[..., Any]) -> Callable[..., Any]:
    def compute(*values: Any) -> Any:
        items = _items(values)
        _numbers(name, *items)
        if not items:
            raise Fault("wrong-value", f"`{name}` needs at least one number")
        if any(isinstance(i, DimExpr) for i in items):
            if len(set(items)) > 1:
                raise Fault("unknown-size", f"`{name}` depends on a size that is not known")
            return items[0]
        return pick(items)

    return compute


def _rounded(name: str, divide: Callable[[Dim, Dim], Dim], pick: Callable[[float], int]) -> Callable[..., Any]:
    def compute(value: Any) -> Any:
        if isinstance(value, Quotient):
            return divide(value.top, value.bottom)
        _numbers(name, value)
        return value if isinstance(value, DimExpr) else pick(value)

    return compute


def _real(name: str, compute: Callable[[float], float]) -> Callable[..., Any]:
    def apply(value: Any) -> Any:
        _numbers(name, value)
        if isinstance(value, DimExpr):
            raise Fault("unknown-size", f"`{name}({value})` depends on a size that is not known")
        try:
            result = compute(value)
        except ValueError:
            raise Fault("wrong-value", f"`{name}` of {describe(value)} does not exist") from None
        return int(result) if float(result).is_integer() else result

    return apply


def _length(value: Any) -> int:
    if not isinstance(value, tuple):
        raise Fault("wrong-value", f"`len` needs a list, not {describe(value)}")
    return len(value)


def _span(*values: Any) -> tuple[int, ...]:
    bounds = values if len(values) > 1 else (0, *values)
    step = bounds[2] if len(bounds) > 2 else 1
    if any(isinstance(v, bool) or not isinstance(v, int) for v in bounds) or step == 0:
        raise Fault(_of_whole(*bounds), "`range` needs whole numbers, and a step other than 0")
    found = range(bounds[0], bounds[1], step)
    if len(found) > LONGEST:
        raise Fault("too-large", f"`range` of {len(found):,} numbers; the limit is {LONGEST:,}")
    return tuple(found)


def _sum(*values: Any) -> Any:
    total: Any = 0
    for item in _items(values):
        total = _add(total, item)
    return total


def _absolute(value: Any) -> Any:
    _numbers("abs", value)
    if isinstance(value, DimExpr):
        raise Fault("unknown-size", f"`abs({value})` depends on a size that is not known")
    return abs(value)


def _initialiser(name: str) -> Callable[[Any], Any]:
    def compute(value: Any) -> Initialiser:
        _numbers(name, value)
        if isinstance(value, DimExpr) or (name != "constant" and value <= 0):
            raise Fault("wrong-value", f"`{name}` needs a number above 0, not {describe(value)}")
        return Initialiser(name, value)

    return compute


FUNCTIONS: dict[str, tuple[Callable[..., Any], int, int]] = {
    # name: (compute, least arguments, most arguments)
    "min": (_extreme("min", min), 1, 1000),
    "max": (_extreme("max", max), 1, 1000),
    "ceil": (_rounded("ceil", ceil_div, math.ceil), 1, 1),
    "floor": (_rounded("floor", floor_div, math.floor), 1, 1),
    "round": (_rounded("round", lambda a, b: floor_div(2 * a + b, 2 * b), round), 1, 1),
    "abs": (_absolute, 1, 1),
    "sum": (_sum, 1, 1000),
    "len": (_length, 1, 1),
    "range": (_span, 1, 3),
    "log2": (_real("log2", math.log2), 1, 1),
    "sqrt": (_real("sqrt", math.sqrt), 1, 1),
    **{name: (_real(name, getattr(math, name)), 1, 1) for name in ("log", "exp", "sin", "cos")},
    **{name: (_initialiser(name), 1, 1) for name in SCALED},
}


def call_function(name: str, values: tuple[Any, ...]) -> Any:
    """A compile-time function. Raises Fault."""
    compute, least, most = FUNCTIONS[name]
    if not least <= len(values) <= most:
        raise Fault(
            "wrong-arity", f"`{name}` takes {least if least == most else f'{least} or more'} values, not {len(values)}"
        )
    try:
        return bounded(compute(*values))
    except (OverflowError, ZeroDivisionError):
        raise Fault("too-large", f"`{name}` of {', '.join(map(describe, values))} is no number") from None
