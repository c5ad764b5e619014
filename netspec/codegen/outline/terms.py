"""Terms: what a number in generated code is, in the words of the class or function that it stands in.

Instances of one block differ only in numbers. Each number is a column of values, one for each instance (or loop
turn); a term is an expression whose column is the same. So a generated expression is right for every instance by
construction.
"""

from __future__ import annotations

from operator import add, itemgetter, mul, sub

from ...base.record import TYPE_CHECKING, Record
from ...consteval import Fault, apply_operator
from ...layers.arguments import Word
from ...pycode.expr import Raw, inline

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Mapping, Sequence
    from typing import Any

    from ...pycode.expr import Code
    from ...syntax.tree import Node

COMPARISONS = ("==", "!=", "<", "<=", ">", ">=", "in", "not in")
_MIRRORED = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
# how tightly an operator binds
_BINDING = dict.fromkeys(COMPARISONS, 4) | {
    "if": 0, "or": 1, "and": 2, "not": 3, "+": 5, "-": 5, "*": 6, "//": 6, "/": 6, "%": 6, "neg": 7, "**": 8, "atom": 9
}  # fmt: skip


class Term(Record):
    """An expression with its column of values. `names` are the names it uses; `rank` says how tightly it binds.

    It is `fitted` where the spec does not say it, but the numbers agree. `needs` are conditions without which it is not
    what the spec says: quotients that have to be whole. `parts` are the items of a list that is written out.
    """

    text: str
    values: tuple[Any, ...]
    names: frozenset[str] = frozenset()
    rank: int = 9
    fitted: bool = False
    needs: tuple[Term, ...] = ()
    parts: tuple[Term, ...] = ()

    def within(self, rank: int) -> str:
        return self.text if self.rank >= rank else f"({self.text})"


class Contexts:
    """The instances (or loop turns) that a piece of code stands for, and the terms that are known in them.

    `owners` gives the number of the body that each belongs to.
    """

    def __init__(
        self,
        owners: tuple[int, ...],
        terms: Mapping[str, Term],
        names: Mapping[str, Term],
        bound: Mapping[str, Node] | None = None,
    ) -> None:
        self.owners = owners
        # terms by their text, in the order in which they are tried
        self.terms: dict[str, Term] = dict(terms)
        # what the names of the language stand for
        self.names: dict[str, Term] = dict(names)
        # what the names that the body binds once were bound to
        self.bound: Mapping[str, Node] = bound or {}
        # those of them that are being worked out, one for the other, and what came of others meanwhile
        self.path: tuple[str, ...] = ()
        self.worked: dict[tuple[str, bool], Term | None] = {}
        # those of which nothing can be said as long as so many names are known, and how often a search ended too early
        # to tell
        self.hopeless: set[str] = set()
        self.known = len(self.names)
        self.cut_short = 0
        # the number of the turn, in a loop; and the names of all variables of loops
        self.index: Term | None = None
        self.loops: tuple[str, ...] = ()
        # are these the contexts of a branch, where what is one number may be several elsewhere?
        self.branch = False
        # is an expression worked out that is made whole then, as in `round(width / 8)`?
        self.fraction = False

    def __len__(self) -> int:
        return len(self.owners)

    def select(self, places: Sequence[int]) -> Contexts:
        """Some of the contexts, or each several times."""

        picked = itemgetter(*places) if len(places) > 1 else lambda values: tuple([values[p] for p in places])

        def pick(term: Term) -> Term:
            parts = tuple(map(pick, term.parts)) if term.parts else ()
            return Term(term.text, picked(term.values), term.names, term.rank, term.fitted, term.needs, parts)

        terms = {t: pick(v) for t, v in self.terms.items()}
        names = {n: pick(v) for n, v in self.names.items()}
        found = Contexts(picked(self.owners), terms, names, self.bound)
        found.index = None if self.index is None else pick(self.index)
        found.loops = self.loops
        found.path = self.path
        found.branch = self.branch
        found.fraction = self.fraction
        return found

    def in_branch(self, places: Sequence[int]) -> Contexts:
        """Those in which a branch is taken."""
        found = self.select(places)
        found.branch = True
        return found

    def is_hopeless(self, name: str) -> bool:
        """Is it known that a name stands for nothing that can be said here?"""
        if self.known != len(self.names):
            self.known, self.hopeless = len(self.names), set()
        return name in self.hopeless

    def learn(self, term: Term) -> None:
        self.terms.setdefault(term.text, term)


def chosen(condition: Term, value: Term, otherwise: Term, values: tuple[Any, ...]) -> Term:
    """`value if condition else otherwise`, with its column."""
    text = f"{value.within(1)} if {condition.within(1)} else {otherwise.within(0)}"
    needs = (*condition.needs, *under(value.needs, condition), *under(otherwise.needs, condition, holds=False))
    return Term(text, values, value.names | condition.names | otherwise.names, 0, needs=needs)


def constant(value: Any, count: int) -> Term:
    """A literal."""
    rank = _BINDING["neg"] if isinstance(value, int | float) and value < 0 else 9
    return Term(inline(value), (value,) * count, rank=rank)


def same(column: Sequence[Any]) -> bool:
    """Is the column one value?"""
    first = column[0] if column else None
    return all(value is first or equal(value, first) for value in column)


def equal(a: Any, b: Any) -> bool:
    """Equal in value and in type, so that 1 is not true; a word of the language is a string."""
    return (type(a) is type(b) or (isinstance(a, str) and isinstance(b, str))) and bool(a == b)


def plain(value: Any) -> bool:
    """Can it stand in Python text as it is?"""
    if isinstance(value, tuple):
        return all(plain(v) for v in value)
    return value is None or isinstance(value, bool | int | float | str)


def window(value: Any) -> Any:
    """The size of a window as both frameworks take it: 3 for 3x3."""
    alike = isinstance(value, tuple) and len(value) > 1 and same(value) and type(value[0]) is int
    return value[0] if alike else value


def matches(column: Sequence[Any], values: Sequence[Any]) -> bool:
    """Are two columns equal, row by row?"""
    return all(a is b or equal(a, b) for a, b in zip(column, values))


def each(compute: Callable[..., Any], *columns: Sequence[Any]) -> tuple[Any, ...] | None:
    try:
        return tuple(compute(*row) for row in zip(*columns))
    except (Fault, TypeError, ValueError, ArithmeticError, IndexError):
        return None


def pair(operator: str, left: Term | None, right: Term | None, fraction: bool = False) -> Term | None:
    """Two terms with an operator between them; `fraction` says that a quotient need not be whole."""
    if left is None or right is None or operator not in _BINDING:
        return None
    if operator in ("and", "or"):
        for side, other in ((left, right), (right, left)):
            if not side.names and same(side.values):
                return other if side.values[0] is (operator == "and") else side
        values = each(lambda a, b: (a and b) if operator == "and" else (a or b), left.values, right.values)
    else:
        values = _applied(operator, left, right)
    if values is None or (operator == "+" and _mixed(left, right)):
        return None
    if not left.names and not right.names and same(values):
        return constant(values[0], len(values))
    for side, other, mirrored in ((right, left, False), (left, right, True)):
        if _neutral(operator, side, mirrored) and all(map(equal, other.values, values)):
            return other
    if operator in _MIRRORED and right.names and not left.names:
        operator, left, right = _MIRRORED[operator], right, left
    needs = (*left.needs, *(right.needs if operator not in ("and", "or") else ()))
    if operator == "/" and not fraction and all(isinstance(v, int) for v in values):
        operator = "//"
        needs = (*needs, divides(right, left))
    rank = _BINDING[operator]
    if right.text == "None":
        operator = {"==": "is", "!=": "is not"}.get(operator, operator)
    # powers bind to the right, comparisons to neither side
    tight = operator == "**" or rank == _BINDING["=="]
    shown = right.within(rank + 1)
    if operator in ("in", "not in") and shown.startswith("["):
        shown = f"({shown[1:-1]})" if len(right.values[0]) > 1 else shown
    text = f"{left.within(rank + tight)} {operator} {shown}"
    return Term(text, values, left.names | right.names, rank, needs=tuple(dict.fromkeys(needs)))


def _applied(operator: str, left: Term, right: Term) -> tuple[Any, ...] | None:
    """The column of an operation. What stands in many rows, as words and most numbers do, is worked out once."""
    rows = [*zip(left.values, right.values)]
    alike = not right.names and same(right.values)  # a list of words, for example
    if _TOLD.issuperset(map(type, left.values)) and (alike or _TOLD.issuperset(map(type, right.values))):
        few = [*dict.fromkeys(rows)]
        found = each(lambda row: apply_operator(operator, *row), few)
        return None if found is None else tuple(map(dict(zip(few, found)).__getitem__, rows))
    return each(lambda row: apply_operator(operator, *row), rows)


# what is told from all else that is equal to it in Python, as 1 and true are not
_TOLD = frozenset((int, str, Word))


def divides(divisor: Term, number: Term) -> Term:
    """The condition that a quotient is whole."""
    text = f"{number.within(6)} % {divisor.within(7)} == 0"
    return Term(text, (), number.names | divisor.names, _BINDING["=="])


def without_implied(conditions: Sequence[str]) -> list[str]:
    """Conditions without those that another one implies: `width % 2 == 0` by `width % 8 == 0`."""
    divisors = {text: _divisor(text) for text in conditions}

    def implies(one: str, other: str) -> bool:
        (number, by), (same_number, multiple) = divisors[other], divisors[one]
        weaker = number == same_number and by != multiple and by > 0 and multiple % by == 0
        return weaker or other.endswith(f" or {one}")

    return [text for text in conditions if not any(implies(other, text) for other in conditions)]


def _divisor(condition: str) -> tuple[str, int]:
    """What a condition says to be divided, by which number; 0 where it says no such thing."""
    number, _, divisor = condition.removesuffix(" == 0").rpartition(" % ")
    alone = number and divisor.isdigit() and condition.endswith(" == 0")
    return (number, int(divisor)) if alone else (condition, 0)


def under(needs: Iterable[Term], condition: Term, holds: bool = True) -> tuple[Term, ...]:
    """What is needed only where a condition holds, or only where it does not."""
    if not condition.names:
        return tuple(needs)
    otherwise = negated(condition.text) if holds else condition.within(1)
    return tuple(Term(f"{otherwise} or {n.within(1)}", (), n.names | condition.names, 1) for n in needs)


def item_needs(items: Term, place: Term) -> tuple[Term, ...]:
    """What an item of a list needs; which one it is may hang on what a caller says."""
    if not place.names and same(place.values):
        return items.parts[place.values[0]].needs if items.parts else ()
    found = list(place.needs)
    for number, part in enumerate(items.parts):
        found += under(part.needs, Term(f"{place.within(5)} == {number}", (), place.names, _BINDING["=="]))
    return tuple(found)


def sometimes_whole(term: Term) -> bool:
    """Is a quotient, or a list of such, whole for some instances, and not for others?"""
    kinds = [_numbers(value) for value in term.values] if " / " in term.text else []
    return any(float in k for k in kinds) and {int} in kinds


def _numbers(value: Any) -> set[type]:
    return {kind for v in value for kind in _numbers(v)} if isinstance(value, tuple) else {type(value)}


def _mixed(left: Term, right: Term) -> bool:
    """Are they a list and a tuple in Python, which have no sum?"""
    many = any(isinstance(v, tuple) for v in left.values)
    return many and left.text.startswith("(") != right.text.startswith("(")


def _neutral(operator: str, side: Term, is_left: bool) -> bool:
    """Does an operand change nothing: `1 * x`, `x // 1`, `x + 0`?"""
    if side.names or not same(side.values):
        return False
    number = {"*": 1, "+": 0}.get(operator) if is_left else {"*": 1, "/": 1, "//": 1, "+": 0, "-": 0}.get(operator)
    return number is not None and equal(side.values[0], number)


_ON_NUMBERS = {"+": add, "*": mul, "-": sub}
# how two terms go together, and how where one is a number that nothing else could say
_SIGNS = ("+", "*", "-"), ("+",)


def combine(column: Sequence[Any], contexts: Contexts, added: Container[str] = ()) -> Term | None:
    """A product, quotient or sum of known terms that gives the column. Parameters that were `added` are numbers that
    nothing else could say: what they are besides in differences and products would be a coincidence."""
    if not all(isinstance(v, int) and not isinstance(v, bool) for v in column):
        return None
    terms = [
        t for t in contexts.terms.values() if all(isinstance(v, int) and not isinstance(v, bool) for v in t.values)
    ]
    for term in terms:
        for factor in _factors(term.values, column):
            found = factor(term)
            if found is not None:
                return found
    # the turn of a loop with itself would be a coincidence
    turn = contexts.index.text if contexts.index is not None else ""
    pairs = [(a, b) for i, a in enumerate(terms) for b in terms[i:] if not a.text == b.text == turn]
    for a, b in pairs:
        for operator in _SIGNS[any(name in added for name in a.names | b.names)]:
            if _ON_NUMBERS[operator](a.values[0], b.values[0]) != column[0]:
                continue  # most are told by one row
            made = pair(operator, a, b)
            if made is not None and matches(column, made.values):
                return made
    return _grown(column, terms, [p for p in pairs if not any(name in added for t in p for name in t.names)])


def _grown(column: Sequence[Any], terms: Sequence[Term], pairs: Sequence[tuple[Term, Term]]) -> Term | None:
    """`a + n * b`: what a loop that adds to its value leaves."""
    starts = {(term.values[0], term.values[-1]) for term in terms}
    for a, b in pairs:
        first, last = (column[k] - a.values[k] * b.values[k] for k in (0, -1))
        if first != last and (first, last) not in starts:
            continue  # most are told by two rows
        rest = tuple(c - v * w for c, v, w in zip(column, a.values, b.values))
        start = constant(rest[0], len(rest)) if same(rest) else next((t for t in terms if t.values == rest), None)
        if start is None or not (start.names or rest[0] > 0):
            continue
        product = pair("*", a, b)
        if product is not None:
            return pair("+", start, product)
    return None


def _factors(values: Sequence[int], column: Sequence[int]) -> list[Callable[[Term], Term | None]]:
    if not values or 0 in values or 0 in column:
        return []
    if column[0] % values[0] == 0 and all(c == v * (column[0] // values[0]) for c, v in zip(column, values)):
        times = column[0] // values[0]
        if times == -1:
            return [lambda t: Term(f"-{t.within(7)}", tuple(-v for v in t.values), t.names, 7, needs=t.needs)]
        return [lambda t: pair("*", constant(times, len(column)), t)]
    if values[0] % column[0] == 0 and all(v == c * (values[0] // column[0]) for c, v in zip(column, values)):
        part = values[0] // column[0]
        return [lambda t: _exact(t, constant(part, len(column)))]
    return []


def _exact(number: Term, divisor: Term) -> Term | None:
    """A quotient that is whole in all that was proved. That it need not be, as `width // 2` may not, only the text
    says."""
    found = pair("//", number, divisor)
    return found and found.replace(needs=(*found.needs, divides(divisor, number)))


def code(term: Term) -> Code:
    """A term as code; a plain literal stays a value."""
    return term.values[0] if not term.names and same(term.values) else Raw(term.text)


_OPPOSITES = {"==": "!=", "!=": "==", "<": ">=", "<=": ">", ">": "<=", ">=": "<"}
_OPPOSITES |= {"in": "not in", "not in": "in", "is": "is not", "is not": "is"}
_PARTS = {"in": "not in", "is": "is not"}


def negated(text: str) -> str:
    """The opposite of a condition."""
    if text.startswith("all("):
        return f"not {text}"
    words = text.split(" ")
    signs = [o for o in _OPPOSITES if f" {o} " in text and f" {_PARTS.get(o, chr(10))} " not in text]
    if not {"and", "or", "if"} & set(words):
        if words[0] == "not":
            return text.removeprefix("not ")
        if len(signs) == 1 and text.count(f" {signs[0]} ") == 1:
            return text.replace(f" {signs[0]} ", f" {_OPPOSITES[signs[0]]} ")
    return f"not ({text})" if " " in text else f"not {text}"
