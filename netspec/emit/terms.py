"""Terms: what a number in generated code is, in the words of the class or function that it stands in.

Instances of one block differ only in numbers. Each number is a column of values, one for each instance (or loop
turn); a term is an expression whose column is the same. So a generated expression is right for every instance by
construction.
"""

from __future__ import annotations

from ..elaborate.functions import Fault, apply_operator, call_function
from ..layers.arguments import Word
from ..pycode import Raw, inline
from ..record import TYPE_CHECKING, Record
from ..syntax import tree
from .naming import safe

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from ..pycode import Code
    from ..syntax.tree import Node

_COMPARISONS = ("==", "!=", "<", "<=", ">", ">=", "in", "not in")
_MIRRORED = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
# how tightly an operator binds
_BINDING = dict.fromkeys(_COMPARISONS, 4) | {
    "if": 0, "or": 1, "and": 2, "not": 3, "+": 5, "-": 5, "*": 6, "//": 6, "/": 6, "%": 6, "neg": 7, "**": 8, "atom": 9
}  # fmt: skip
_IN_PYTHON = frozenset(("min", "max", "abs", "sum", "len", "round", "range"))
# functions of the language that give a whole number of a real one, as Python has them
_TO_WHOLE = {"round": "round", "ceil": "math.ceil", "floor": "math.floor"}
_REAL = {"sqrt": "math.sqrt", "log2": "math.log2"}


class Term(Record):
    """An expression with its column of values. `names` are the names it uses; `rank` says how tightly it binds.

    It is `fitted` where the spec does not say it, but the numbers agree.
    """

    text: str
    values: tuple[Any, ...]
    names: frozenset[str] = frozenset()
    rank: int = 9
    fitted: bool = False

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
        # the number of the turn, in a loop; and the names of all variables of loops
        self.index: Term | None = None
        self.loops: tuple[str, ...] = ()
        # are these the contexts of a branch, where what is one number may be several elsewhere?
        self.branch = False

    def __len__(self) -> int:
        return len(self.owners)

    def select(self, places: Sequence[int]) -> Contexts:
        """Some of the contexts, or each several times."""

        def pick(term: Term) -> Term:
            return term.replace(values=tuple(term.values[p] for p in places))

        terms = {t: pick(v) for t, v in self.terms.items()}
        names = {n: pick(v) for n, v in self.names.items()}
        found = Contexts(tuple(self.owners[p] for p in places), terms, names, self.bound)
        found.index = None if self.index is None else pick(self.index)
        found.loops = self.loops
        found.branch = self.branch
        return found

    def in_branch(self, places: Sequence[int]) -> Contexts:
        """Those in which a branch is taken."""
        found = self.select(places)
        found.branch = True
        return found

    def learn(self, term: Term) -> None:
        self.terms.setdefault(term.text, term)


def constant(value: Any, count: int) -> Term:
    """A literal."""
    rank = _BINDING["neg"] if isinstance(value, int | float) and value < 0 else 9
    return Term(inline(value), (value,) * count, rank=rank)


def same(column: Sequence[Any]) -> bool:
    """Is the column one value?"""
    return all(equal(v, column[0]) for v in column)


def equal(a: Any, b: Any) -> bool:
    """Equal in value and in type, so that 1 is not true; a word of the language is a string."""
    return (type(a) is type(b) or (isinstance(a, str) and isinstance(b, str))) and bool(a == b)


def plain(value: Any) -> bool:
    """Can it stand in Python text as it is?"""
    if isinstance(value, tuple):
        return all(plain(v) for v in value)
    return value is None or isinstance(value, bool | int | float | str)


def matches(column: Sequence[Any], values: Sequence[Any]) -> bool:
    return all(equal(a, b) for a, b in zip(column, values))


def express(node: Node, contexts: Contexts) -> Term | None:
    """An expression of the spec in Python, or None where it has no such form or uses what is not known here."""
    rule = _EXPRESS.get(type(node))
    return rule(node, contexts) if rule is not None else None


def _name(node: tree.Name, contexts: Contexts) -> Term | None:
    known = contexts.names.get(node.text)
    if known is not None or node.text not in contexts.bound:
        return known
    # a name that is bound once stands for the expression that it was bound to
    bound, contexts.bound = contexts.bound, {n: v for n, v in contexts.bound.items() if n != node.text}
    try:
        return express(bound[node.text], contexts)
    finally:
        contexts.bound = bound


def _literal(node: tree.Literal, contexts: Contexts) -> Term | None:
    return constant(node.value, len(contexts))


def _each(compute: Callable[..., Any], *columns: Sequence[Any]) -> tuple[Any, ...] | None:
    try:
        return tuple(compute(*row) for row in zip(*columns))
    except (Fault, TypeError, ValueError, ArithmeticError, IndexError):
        return None


def _chain(node: tree.Chain, contexts: Contexts) -> Term | None:
    operands = [express(o, contexts) or _word(o, contexts) for o in node.operands]
    if _BINDING.get(node.operators[0]) == _BINDING["=="] and len(operands) > 2:
        # a < b < c
        pairs = [pair(o, a, b) for o, a, b in zip(node.operators, operands, operands[1:])]
        found = pairs[0]
        for other in pairs[1:]:
            found = pair("and", found, other)
        return found
    left = operands[0]
    for operator, right in zip(node.operators, operands[1:]):
        left = pair(operator, left, right)
    return left


def _word(node: Node, contexts: Contexts) -> Term | None:
    """A bare word, as something to compare with."""
    return constant(Word(node.text), len(contexts)) if isinstance(node, tree.Name) else None


def pair(operator: str, left: Term | None, right: Term | None) -> Term | None:
    """Two terms with an operator between them."""
    if left is None or right is None or operator not in _BINDING:
        return None
    if operator in ("and", "or"):
        for side, other in ((left, right), (right, left)):
            if not side.names and same(side.values):
                return other if side.values[0] is (operator == "and") else side
        values = _each(lambda a, b: (a and b) if operator == "and" else (a or b), left.values, right.values)
    else:
        values = _each(lambda a, b: apply_operator(operator, a, b), left.values, right.values)
    if values is None or (operator == "+" and _mixed(left, right)):
        return None
    if not left.names and not right.names and same(values):
        return constant(values[0], len(values))
    for side, other, mirrored in ((right, left, False), (left, right, True)):
        if _neutral(operator, side, mirrored) and all(map(equal, other.values, values)):
            return other
    if operator in _MIRRORED and right.names and not left.names:
        operator, left, right = _MIRRORED[operator], right, left
    if operator == "/":
        operator = "//" if all(isinstance(v, int) for v in values) else "/"
    rank = _BINDING[operator]
    if right.text == "None":
        operator = {"==": "is", "!=": "is not"}.get(operator, operator)
    # powers bind to the right, comparisons to neither side
    tight = operator == "**" or rank == _BINDING["=="]
    shown = right.within(rank + 1)
    if operator in ("in", "not in") and shown.startswith("["):
        shown = f"({shown[1:-1]})" if len(right.values[0]) > 1 else shown
    text = f"{left.within(rank + tight)} {operator} {shown}"
    return Term(text, values, left.names | right.names, rank)


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


def _unary(node: tree.Unary, contexts: Contexts) -> Term | None:
    inner = express(node.operand, contexts)
    if inner is None:
        return None
    if node.operator == "not":
        return Term(f"not {inner.within(3)}", tuple(not v for v in inner.values), inner.names, 3)
    values = _each(lambda v: -v if node.operator == "-" else v, inner.values)
    return None if values is None else Term(f"{node.operator}{inner.within(7)}", values, inner.names, 7)


def _conditional(node: tree.Conditional, contexts: Contexts) -> Term | None:
    condition = express(node.condition, contexts)
    value, otherwise = express(node.value, contexts), express(node.otherwise, contexts)
    if condition is None or value is None or otherwise is None:
        return None
    if not condition.names and same(condition.values):
        return value if condition.values[0] else otherwise
    values = tuple(a if c else b for a, c, b in zip(value.values, condition.values, otherwise.values))
    text = f"{value.within(1)} if {condition.within(1)} else {otherwise.within(0)}"
    return Term(text, values, value.names | condition.names | otherwise.names, 0)


def _call(node: tree.Call, contexts: Contexts) -> Term | None:
    callee = node.callee.text if isinstance(node.callee, tree.Name) else ""
    arguments = [express(a, contexts) for a in node.arguments]
    if callee not in _IN_PYTHON | _TO_WHOLE.keys() | _REAL.keys() or not arguments or None in arguments:
        return None
    known = [a for a in arguments if a is not None]
    values = _each(lambda *row: call_function(callee, row), *(a.values for a in known))
    if values is None:
        return None
    names = frozenset().union(*(a.names for a in known))
    if not names and same(values):
        return constant(values[0], len(values))
    if callee in _TO_WHOLE:
        return _whole(callee, known[0], values)
    if callee in _REAL and all(type(v) is int for v in values):
        return _whole_root(callee, known[0], values)
    return Term(f"{_REAL.get(callee, callee)}({', '.join(a.text for a in known)})", values, names)


def _whole(callee: str, inner: Term, values: tuple[Any, ...]) -> Term:
    """A real number rounded; `int` where that is the same as `floor`, as people write it."""
    if all(type(v) is int for v in inner.values):
        return inner
    cuts = callee == "floor" and all(v >= 0 for v in inner.values)
    return Term(f"{'int' if cuts else _TO_WHOLE[callee]}({inner.text})", values, inner.names)


def _whole_root(callee: str, inner: Term, values: tuple[Any, ...]) -> Term:
    """A root or logarithm that is whole, as a size has to be."""
    text = f"math.isqrt({inner.text})" if callee == "sqrt" else f"round(math.log2({inner.text}))"
    return Term(text, values, inner.names)


def _attribute(node: tree.Attribute, contexts: Contexts) -> Term | None:
    """`x.channels` of an input."""
    return contexts.names.get(f"{node.value.text}.{node.name.text}") if isinstance(node.value, tree.Name) else None


def _subscript(node: tree.Subscript, contexts: Contexts) -> Term | None:
    value = express(node.value, contexts)
    items = [express(i, contexts) for i in node.items]
    place = items[0]
    if value is None or place is None or len(items) != 1:
        return None
    values = _each(lambda v, i: v[i], value.values, place.values)
    return None if values is None else Term(f"{value.within(9)}[{place.text}]", values, value.names | place.names)


def _group(node: tree.Group | tree.List, contexts: Contexts) -> Term | None:
    items = [express(i, contexts) or _word(i, contexts) for i in node.items]
    if not items or None in items:
        return None
    known = [i for i in items if i is not None]
    listed = ", ".join(i.text for i in known)
    is_list = isinstance(node, tree.List)
    text = f"[{listed}]" if is_list else f"({listed}{',' if len(known) == 1 else ''})"
    return Term(text, tuple(zip(*(i.values for i in known))), frozenset().union(*(i.names for i in known)))


def _comprehension(node: tree.Comprehension, contexts: Contexts) -> Term | None:
    items = express(node.items, contexts)
    if items is None or not all(isinstance(v, tuple) for v in items.values):
        return None
    turns = [(place, item) for place, value in enumerate(items.values) for item in value]
    inner = contexts.select([place for place, _ in turns])
    names = [n.text for n in node.target.names]
    columns = _unpacked([item for _, item in turns], len(names), node.target.unpacks)
    if not turns or columns is None or any(safe(n) != n for n in names):
        return None
    inner.names.update((n, Term(n, c, frozenset((n,)))) for n, c in zip(names, columns))
    value = express(node.value, inner)
    condition = None if node.condition is None else express(node.condition, inner)
    if value is None or (condition is None and node.condition is not None):
        return None
    kept = [True] * len(turns) if condition is None else [bool(v) for v in condition.values]
    found: list[list[Any]] = [[] for _ in items.values]
    for (place, _), wanted, item in zip(turns, kept, value.values):
        found[place] += [item] if wanted else []
    tail = f" if {condition.within(1)}" if condition is not None else ""
    text = f"[{value.text} for {', '.join(names)} in {items.within(1)}{tail}]"
    used = items.names | ((value.names | (condition.names if condition is not None else frozenset())) - set(names))
    return Term(text, tuple(map(tuple, found)), used)


def _unpacked(items: Sequence[Any], count: int, unpacks: bool) -> list[tuple[Any, ...]] | None:
    """The columns of the names that items are unpacked to."""
    if not unpacks:
        return [tuple(items)]
    if not all(isinstance(i, tuple) and len(i) == count for i in items):
        return None
    return list(zip(*items))


_EXPRESS: dict[type, Callable[[Any, Contexts], Term | None]] = {
    tree.Name: _name,
    tree.Attribute: _attribute,
    tree.Literal: _literal,
    tree.Chain: _chain,
    tree.Unary: _unary,
    tree.Conditional: _conditional,
    tree.Call: _call,
    tree.Group: _group,
    tree.List: _group,
    tree.Subscript: _subscript,
    tree.Comprehension: _comprehension,
}


def combine(column: Sequence[Any], contexts: Contexts) -> Term | None:
    """A product, quotient or sum of known terms that gives the column."""
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
    for i, a in enumerate(terms):
        for b in terms[i:]:
            for operator in ("+", "*", "-"):
                made = pair(operator, a, b)
                if made is not None and matches(column, made.values):
                    return made
    return None


def _factors(values: Sequence[int], column: Sequence[int]) -> list[Callable[[Term], Term | None]]:
    if not values or 0 in values or 0 in column:
        return []
    if column[0] % values[0] == 0 and all(c == v * (column[0] // values[0]) for c, v in zip(column, values)):
        times = column[0] // values[0]
        if times == -1:
            return [lambda t: Term(f"-{t.within(7)}", tuple(-v for v in t.values), t.names, 7)]
        return [lambda t: pair("*", constant(times, len(column)), t)]
    if values[0] % column[0] == 0 and all(v == c * (values[0] // column[0]) for c, v in zip(column, values)):
        part = values[0] // column[0]
        return [lambda t: pair("//", t, constant(part, len(column)))]
    return []


def code(term: Term) -> Code:
    """A term as code; a plain literal stays a value."""
    return term.values[0] if not term.names and same(term.values) else Raw(term.text)


_OPPOSITES = {"==": "!=", "!=": "==", "<": ">=", "<=": ">", ">": "<=", ">=": "<"}
_OPPOSITES |= {"in": "not in", "not in": "in", "is": "is not", "is not": "is"}
_PARTS = {"in": "not in", "is": "is not"}


def negated(text: str) -> str:
    """The opposite of a condition."""
    words = text.split(" ")
    signs = [o for o in _OPPOSITES if f" {o} " in text and f" {_PARTS.get(o, chr(10))} " not in text]
    if not {"and", "or", "if"} & set(words):
        if words[0] == "not":
            return text.removeprefix("not ")
        if len(signs) == 1 and text.count(f" {signs[0]} ") == 1:
            return text.replace(f" {signs[0]} ", f" {_OPPOSITES[signs[0]]} ")
    return f"not ({text})" if " " in text else f"not {text}"
