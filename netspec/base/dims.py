"""Exact arithmetic on sizes that may hold symbols: `T`, `2*H + 1`, `ceil(W/2)`.

A `Dim` is an `int` or a `DimExpr`. A `DimExpr` is a polynomial with integer coefficients over atoms; an atom is a
symbol, a floor division of one polynomial by another, or the largest of several. But for the last, which shapes do
without, the form is canonical, so equal sizes compare equal however they were written: `n + 1 == 1 + n`,
`(2*n + 4)//2 == n + 2`, `ceil(n/2) == (n + 1)//2`, and `ceil(ceil(n/2)/2) == ceil(n/4)`.
"""

from __future__ import annotations

from math import gcd

from .bounds import DEEPEST_SIZE, METER, MOST_PARTS, TooLarge
from .record import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import TypeAlias

    Dim: TypeAlias = "int | DimExpr"
    Shape: TypeAlias = "tuple[Dim, ...]"
    # the atoms of a product with their powers, sorted; () is the constant term
    Monomial: TypeAlias = "tuple[tuple[Atom, int], ...]"


class Atom:
    """What stands in products as it is. Its text is worked out once, since products are sorted by it; `parts` is how
    many symbols and numbers it is made of, and `depth` how many atoms stand within one another."""

    __slots__ = ("depth", "key", "parts", "text", "within")

    def __init__(self, text: str, within: tuple[Dim, ...] = ()) -> None:
        self.text = text
        self.within = within
        self.depth = 1 + max([d.depth for d in within if isinstance(d, DimExpr)], default=0)
        self.parts = 1 + len(text) // 1000 + sum(map(_parts, within))
        self.key = hash((type(self), text))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Atom) or self.key != other.key:
            return False
        return self is other or (type(self) is type(other) and (self.text, self.within) == (other.text, other.within))

    def __hash__(self) -> int:
        return self.key

    def __str__(self) -> str:
        return self.text


class Symbol(Atom):
    """A size that is not known yet."""

    __slots__ = ()


class Floor(Atom):
    """floor(top / bottom), kept whole because it does not divide evenly."""

    __slots__ = ("bottom", "top")

    def __init__(self, top: DimExpr, bottom: Dim) -> None:
        self.top = top
        self.bottom = bottom
        super().__init__(_quotient(top, bottom), (top, bottom))


def _quotient(top: DimExpr, bottom: Dim) -> str:
    """A division that is rounded, as text: up where that is shorter."""
    word, below = "floor", str(bottom)
    if isinstance(bottom, int):
        rest = top.constant
        if rest == bottom - 1:
            shifted = top - rest
            top, word = shifted if isinstance(shifted, DimExpr) else top, "ceil"
    elif not _is_atom(bottom):
        below = f"({below})"
    inner = str(top) if len(top.terms) == 1 else f"({top})"
    return f"{word}({inner}/{below})"


class Largest(Atom):
    """The largest of several sizes, none of which is known to be at least another."""

    __slots__ = ("sizes",)

    def __init__(self, sizes: tuple[Dim, ...]) -> None:
        self.sizes = sizes
        super().__init__(f"max({', '.join(map(str, sizes))})", sizes)


class DimExpr:
    """A canonical polynomial over symbols and floor divisions, never a plain number.

    Raises TooLarge where it would have too many parts, while a net is checked.
    """

    __slots__ = ("_text", "depth", "parts", "terms")
    terms: tuple[tuple[Monomial, int], ...]
    depth: int
    parts: int
    _text: str

    def __init__(self, terms: tuple[tuple[Monomial, int], ...]) -> None:
        put = object.__setattr__
        put(self, "terms", terms)
        put(self, "depth", max([a.depth for m, _ in terms for a, _ in m], default=0))
        put(self, "parts", sum([1 + f.bit_length() // 8 + sum([a.parts for a, _ in m]) for m, f in terms]))
        put(self, "_text", "")
        if METER.runs and (self.parts > MOST_PARTS or self.depth > DEEPEST_SIZE):
            raise TooLarge("a symbolic size grows past all use here")

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("DimExpr is immutable")

    @property
    def constant(self) -> int:
        """The term without symbols."""
        return dict(self.terms).get((), 0)

    @property
    def longest(self) -> int:
        """The largest number in it."""
        return max([abs(factor) for _, factor in self.terms])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DimExpr) and self.terms == other.terms

    def __hash__(self) -> int:
        return hash(self.terms)

    def __repr__(self) -> str:
        return f"DimExpr({self})"

    def __add__(self, other: Dim) -> Dim:
        return _total([*self.terms, *_terms(other)])

    def __sub__(self, other: Dim) -> Dim:
        return self + -other

    def __rsub__(self, other: int) -> Dim:
        return -self + other

    def __neg__(self) -> Dim:
        return self * -1

    def __mul__(self, other: Dim) -> Dim:
        METER.spend(len(self.terms) * len(_terms(other)))
        products = [(_join(m, n), a * b) for m, a in self.terms for n, b in _terms(other)]
        return _total(products)

    def __pow__(self, power: int) -> Dim:
        result: Dim = 1
        for _ in range(power):
            result = self * result
        return result

    def __floordiv__(self, other: Dim) -> Dim:
        return floor_div(self, other)

    def __rfloordiv__(self, other: int) -> Dim:
        return floor_div(other, self)

    def __mod__(self, other: Dim) -> Dim:
        return self - floor_div(self, other) * other

    __radd__ = __add__
    __rmul__ = __mul__

    def __str__(self) -> str:
        if not self._text:
            object.__setattr__(self, "_text", self._written())
        return self._text

    def _written(self) -> str:
        ordered = sorted(self.terms, key=lambda t: (-sum(p for _, p in t[0]), _order(t[0])))
        text = ""
        for monomial, factor in ordered:
            sign = "-" if factor < 0 else "+"
            body = _product(monomial, abs(factor))
            text += f" {sign} {body}" if text else ("-" if factor < 0 else "") + body
        return text


def _product(monomial: Monomial, factor: int) -> str:
    parts = [str(a) if p == 1 else f"{a}**{p}" for a, p in monomial]
    return "*".join(([str(factor)] if factor != 1 or not parts else []) + parts)


def _order(monomial: Monomial) -> tuple[tuple[str, int], ...]:
    return tuple([(a.text, p) for a, p in monomial])


def _is_atom(dim: Dim) -> bool:
    return isinstance(dim, DimExpr) and len(dim.terms) == 1 and dim.terms[0][1] == 1 and len(dim.terms[0][0]) == 1


def _parts(dim: Dim) -> int:
    return dim.parts if isinstance(dim, DimExpr) else 1


def _terms(dim: Dim) -> tuple[tuple[Monomial, int], ...]:
    return dim.terms if isinstance(dim, DimExpr) else (((), dim),)


def _join(left: Monomial, right: Monomial) -> Monomial:
    if not left or not right:
        return left or right
    powers = dict(left)
    for atom, power in right:
        powers[atom] = powers.get(atom, 0) + power
    return tuple(sorted(powers.items(), key=lambda item: item[0].text))


def _total(terms: Iterable[tuple[Monomial, int]]) -> Dim:
    sums: dict[Monomial, int] = {}
    terms = list(terms)
    METER.spend(len(terms))
    for monomial, factor in terms:
        sums[monomial] = sums.get(monomial, 0) + factor
    kept = tuple(sorted(((m, f) for m, f in sums.items() if f), key=lambda t: _order(t[0])))
    if not kept:
        return 0
    if len(kept) == 1 and not kept[0][0]:
        return kept[0][1]
    return DimExpr(kept)


def symbol(name: str) -> DimExpr:
    """The symbol of that name, as a size."""
    return DimExpr(((((Symbol(name), 1),), 1),))


def floor_div(top: Dim, bottom: Dim) -> Dim:
    """floor(top / bottom), simplified as far as the canonical form goes.

    Raises ZeroDivisionError where `bottom` is 0.
    """
    if bottom == 0:
        raise ZeroDivisionError("division by zero")
    if isinstance(top, int) and isinstance(bottom, int):
        return top // bottom
    if top == bottom:
        return 1
    if not isinstance(bottom, int):
        return _whole_quotient(top, bottom)
    if bottom < 0:
        top, bottom = -top, -bottom
    if bottom == 1:
        return top
    even = _total((m, f - f % bottom) for m, f in _terms(top))
    rest = top - even
    whole = _total((m, f // bottom) for m, f in _terms(even))
    if isinstance(rest, int):
        return whole  # 0 <= rest < bottom
    common = gcd(bottom, *(f for m, f in rest.terms if m))
    if common > 1:  # floor((g*a + c) / (g*k)) is floor((a + floor(c/g)) / k)
        return whole + floor_div(_total((m, f // common) for m, f in rest.terms), bottom // common)
    return whole + _floor_of_floor(rest, bottom)


def _floor_of_floor(top: DimExpr, bottom: int) -> Dim:
    """floor((floor(a/b) + c) / k) is floor((a + b*c) / (b*k)); otherwise a new atom."""
    inner = [m[0][0] for m, f in top.terms if f == 1 and len(m) == 1 and m[0][1] == 1]
    floors = [a for a in inner if isinstance(a, Floor) and isinstance(a.bottom, int)]
    if len(floors) != 1:
        return _atom(Floor(top, bottom))
    (floor,) = floors
    return floor_div(floor.top + (top - _atom(floor)) * floor.bottom, floor.bottom * bottom)


def _whole_quotient(top: Dim, bottom: DimExpr) -> Dim:
    """Division by a symbol: exact where every term holds it, an atom otherwise."""
    if isinstance(top, DimExpr) and len(bottom.terms) == 1:
        (divisor, factor) = bottom.terms[0]
        need = dict(divisor)
        quotient: list[tuple[Monomial, int]] = []
        for monomial, f in top.terms:
            powers = dict(monomial)
            if f % factor or any(powers.get(a, 0) < p for a, p in need.items()):
                break
            left = tuple((a, p - need.get(a, 0)) for a, p in monomial if p > need.get(a, 0))
            quotient.append((left, f // factor))
        else:
            return _total(quotient)
    expr = top if isinstance(top, DimExpr) else DimExpr((((), top),))
    return 0 if top == 0 else _atom(Floor(expr, bottom))


def _atom(atom: Atom) -> DimExpr:
    return DimExpr(((((atom, 1),), 1),))


def ceil_div(top: Dim, bottom: Dim) -> Dim:
    """ceil(top / bottom)."""
    return floor_div(top + bottom - 1, bottom)


# how many sums of alternatives are held against each other; beyond it a largest size stands within another
_WAYS = 64


def largest(sizes: Iterable[Dim]) -> Dim:
    """The largest of some sizes, the lengths of axes: a symbol is at least 1."""
    common, rests = _shared(tuple(dict.fromkeys(sizes)))
    ways = tuple(dict.fromkeys(way for rest in rests for way in _ways(rest)))
    kept = [w for n, w in enumerate(ways) if not any(_covers(v, w, m < n) for m, v in enumerate(ways) if m != n)]
    more, kept_rests = _shared(tuple(kept))
    one = kept_rests[0] if len(kept) == 1 else _atom(Largest(tuple(sorted(kept_rests, key=str))))
    return common + more + one


def _shared(sizes: tuple[Dim, ...]) -> tuple[Dim, tuple[Dim, ...]]:
    """What all sizes have in common, and the rest of each."""
    first, *others = (dict(_terms(size)) for size in sizes)
    least = ((m, min([f, *(other.get(m, 0) for other in others)])) for m, f in first.items())
    common = _total((m, f) for m, f in least if f > 0)
    return common, tuple(size - common for size in sizes)


def _ways(size: Dim) -> list[Dim]:
    """The sizes of which it is the largest: max(a, b) + c is the larger of a + c and b + c."""
    ways: list[Dim] = [0]
    for monomial, factor in _terms(size):
        choice = next((a for a, power in monomial if isinstance(a, Largest) and power == 1), None)
        others = tuple(p for p in monomial if p[0] != choice)
        each: list[Dim] = [_total([(monomial, factor)])]
        if choice is not None and factor > 0 and _of_symbols(others):
            each = [_total([(others, factor)]) * option for option in choice.sizes]
        if len(ways) * len(each) > _WAYS:
            return [size]
        ways = [one + way for one in each for way in ways]
    return ways


def _covers(size: Dim, other: Dim, equal: bool) -> bool:
    """Is a size at least another one, whatever the symbols stand for? `equal` says what is said of equal ones."""
    return equal if size == other else never_negative(size - other)


def never_negative(dim: Dim) -> bool:
    """Can it be seen that it is at least 0? Of a floor division by a number its bounds are taken, and of what a symbol
    has above 1 all coefficients must be."""
    at = next((p for p in _terms(dim) if len(p[0]) == 1 and _by_number(*p[0][0])), None)
    if at is None:
        above = substitute(dim, {name: symbol(name) + 1 for name in symbols(dim)})
        return all(f >= 0 and _of_symbols(m) for m, f in _terms(above))
    (((floor, _),), factor) = at
    assert isinstance(floor, Floor)
    rest = dim - _total([at])
    return never_negative(rest * floor.bottom + (floor.top - (floor.bottom - 1) * (factor > 0)) * factor)


def _of_symbols(monomial: Monomial) -> bool:
    return all(isinstance(atom, Symbol) for atom, _ in monomial)


def _by_number(atom: Atom, power: int) -> bool:
    return power == 1 and isinstance(atom, Floor) and isinstance(atom.bottom, int)


def product(dims: Iterable[Dim]) -> Dim:
    """All sizes multiplied; 1 for none."""
    result: Dim = 1
    for dim in dims:
        result = dim * result
    return result


def symbols(dim: Dim) -> tuple[str, ...]:
    """The names of the symbols in a size, each once, sorted."""
    found: set[str] = set()
    for monomial, _ in _terms(dim):
        for atom, _power in monomial:
            found.update([atom.text] if isinstance(atom, Symbol) else [n for d in atom.within for n in symbols(d)])
    return tuple(sorted(found))


def substitute(dim: Dim, values: Mapping[str, Dim]) -> Dim:
    """The size with some of its symbols replaced."""
    if isinstance(dim, int):
        return dim
    result: Dim = 0
    for monomial, factor in dim.terms:
        part: Dim = factor
        for atom, power in monomial:
            if isinstance(atom, Symbol):
                base = values.get(atom.text, symbol(atom.text))
            else:
                inner = [substitute(d, values) for d in atom.within]
                base = largest(inner) if isinstance(atom, Largest) else floor_div(*inner)
            for _ in range(power):
                part = base * part
        result = part + result
    return result


def show(shape: Shape) -> str:
    """A shape as the language writes it: `[224, 224, 3]`."""
    return "[" + ", ".join(str(d) for d in shape) + "]"
