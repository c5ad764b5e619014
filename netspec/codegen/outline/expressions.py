"""Expressions of the spec in Python: what the author wrote, with the names that a class or function has for it."""

from __future__ import annotations

from ...base.record import TYPE_CHECKING
from ...consteval import call_function
from ...layers.arguments import Word
from ...syntax import tree
from ..identifiers import safe
from .terms import COMPARISONS, Term, chosen, constant, each, item_needs, negated, pair, same, sometimes_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from ...syntax.tree import Node
    from .terms import Contexts


# names in what a name was bound to, one within the other, and letters that an expression has at most
_DEEPEST, _LONGEST = 20, 500
_IN_PYTHON = frozenset(("min", "max", "abs", "sum", "len", "round", "range"))
# functions of the language that give a whole number of a real one, as Python has them
_TO_WHOLE = {"round": "round", "ceil": "math.ceil", "floor": "math.floor"}
_REAL = {name: f"math.{name}" for name in ("sqrt", "log2", "log", "exp", "sin", "cos")}


def express(node: Node, contexts: Contexts) -> Term | None:
    """An expression of the spec in Python, or None where it has no such form or uses what is not known here."""
    rule = _EXPRESS.get(type(node))
    return rule(node, contexts) if rule is not None else None


def _name(node: tree.Name, contexts: Contexts) -> Term | None:
    """A name that is known, or what a name that is bound once was bound to, unless nobody would write that out."""
    name, path = node.text, contexts.path
    known = contexts.names.get(name)
    if known is not None or name not in contexts.bound or contexts.is_hopeless(name):
        return known
    key = name, contexts.fraction
    if key in contexts.worked:
        contexts.cut_short += contexts.worked[key] is None
        return contexts.worked[key]
    if name in path or len(path) == _DEEPEST:
        contexts.cut_short += 1
        return None
    contexts.path, before = (*path, name), contexts.cut_short
    try:
        term = express(contexts.bound[name], contexts)
    finally:
        contexts.path = path
    if term is not None and len(term.text) > _LONGEST:
        contexts.cut_short, term = contexts.cut_short + 1, None
    if term is None and contexts.cut_short == before:
        contexts.hopeless.add(name)
    contexts.worked = {**contexts.worked, key: term} if path else {}  # other names may be known the next time
    return term


def _literal(node: tree.Literal, contexts: Contexts) -> Term | None:
    return constant(node.value, len(contexts))


def _chain(node: tree.Chain, contexts: Contexts) -> Term | None:
    compares = node.operators[0] in COMPARISONS
    operands = [_operand(o, contexts, compares) for o in node.operands]
    if compares and len(operands) > 2:
        # a < b < c
        pairs = [pair(o, a, b) for o, a, b in zip(node.operators, operands, operands[1:])]
        found = pairs[0]
        for other in pairs[1:]:
            found = pair("and", found, other)
        return found
    left = operands[0]
    for operator, right in zip(node.operators, operands[1:]):
        left = pair(operator, left, right, contexts.fraction)
    return left


def _operand(node: Node, contexts: Contexts, compared: bool) -> Term | None:
    """One side of an operator; what is compared need not be whole."""
    before = contexts.fraction
    contexts.fraction = before or compared
    try:
        return express(node, contexts) or _word(node, contexts)
    finally:
        contexts.fraction = before


def _word(node: Node, contexts: Contexts) -> Term | None:
    """A bare word, as something to compare with."""
    return constant(Word(node.text), len(contexts)) if isinstance(node, tree.Name) else None


def _unary(node: tree.Unary, contexts: Contexts) -> Term | None:
    inner = express(node.operand, contexts)
    if inner is None:
        return None
    if node.operator == "not":
        text = negated(inner.text)
        rank = 3 if text.startswith("not ") else 4
        return Term(text, tuple(not v for v in inner.values), inner.names, rank, needs=inner.needs)
    values = each(lambda v: -v if node.operator == "-" else v, inner.values)
    text = f"{node.operator}{inner.within(7)}"
    return None if values is None else Term(text, values, inner.names, 7, needs=inner.needs)


def _conditional(node: tree.Conditional, contexts: Contexts) -> Term | None:
    condition = express(node.condition, contexts)
    if condition is None:
        return None
    if not condition.names and same(condition.values):
        return express(node.value if condition.values[0] else node.otherwise, contexts)
    value, otherwise = (
        _where(side, condition, c, contexts) for side, c in ((node.value, True), (node.otherwise, False))
    )
    if value is None or otherwise is None:
        return None
    sides = {True: iter(value.values), False: iter(otherwise.values)}
    values = tuple(next(sides[bool(c)]) for c in condition.values)
    return chosen(condition, value, otherwise, values)


def _where(node: Node, condition: Term, wanted: bool, contexts: Contexts) -> Term | None:
    """One side of a choice, for the contexts that take it; for all, where none does."""
    places = [place for place, value in enumerate(condition.values) if bool(value) is wanted]
    inner = contexts.select(places or range(len(contexts)))
    found = express(node, inner)
    contexts.cut_short += inner.cut_short
    if found is not None and isinstance(node, tree.List):
        # a guard holds what is chosen against tuples
        return found.replace(text=_bracketed(found.parts, "()"))
    return found


def _call(node: tree.CallExpression, contexts: Contexts) -> Term | None:
    callee = node.callee.text if isinstance(node.callee, tree.Name) else ""
    before = contexts.fraction
    contexts.fraction = before or callee in _TO_WHOLE
    try:
        arguments = [express(a, contexts) for a in node.arguments]
    finally:
        contexts.fraction = before
    if callee not in _IN_PYTHON | _TO_WHOLE.keys() | _REAL.keys() or not arguments or None in arguments:
        return None
    known = [a for a in arguments if a is not None]
    values = each(lambda *row: call_function(callee, row), *(a.values for a in known))
    if values is None:
        return None
    names = frozenset().union(*(a.names for a in known))
    if not names and same(values):
        return constant(values[0], len(values))
    if callee in _TO_WHOLE:
        return _whole(callee, known[0], values)
    if callee in _REAL and all(type(v) is int for v in values):
        return _whole_root(callee, known[0], values)
    text = f"{_REAL.get(callee, callee)}({', '.join(a.text for a in known)})"
    found = Term(text, values, names, needs=_needed(known))
    may_be_real = any(type(v) is float for a in known for v in a.values)
    return _held_whole(found) if may_be_real and not contexts.fraction else found


def _held_whole(term: Term) -> Term:
    """A whole number out of real ones, such as the larger of a quotient and a size."""
    if not all(type(v) is int for v in term.values):
        return term
    whole = Term(f"{term.within(7)} % 1 == 0", (), term.names, 4)
    return Term(f"int({term.text})", term.values, term.names, needs=(*term.needs, whole))


def _needed(terms: Sequence[Term]) -> tuple[Term, ...]:
    """What any of some terms needs, each once."""
    return tuple(dict.fromkeys(need for term in terms for need in term.needs))


def _whole(callee: str, inner: Term, values: tuple[Any, ...]) -> Term:
    """A real number rounded; `int` where that is the same as `floor`, as people write it."""
    cuts = callee == "floor" and all(v >= 0 for v in inner.values)
    return Term(f"{'int' if cuts else _TO_WHOLE[callee]}({inner.text})", values, inner.names, needs=inner.needs)


def _whole_root(callee: str, inner: Term, values: tuple[Any, ...]) -> Term:
    """A root or logarithm that is whole, as a size has to be."""
    text = f"math.isqrt({inner.text})" if callee == "sqrt" else f"round({_REAL[callee]}({inner.text}))"
    return Term(text, values, inner.names, needs=inner.needs)


def _attribute(node: tree.Attribute, contexts: Contexts) -> Term | None:
    if node.name.text == "rank" and isinstance(node.value, tree.Name):
        return contexts.names.get(f"{node.value.text}.rank")
    return _channels(node.value, contexts) if node.name.text == "channels" else None


def _channels(node: Node, contexts: Contexts) -> Term | None:
    """`x.channels`, or `x.shape[-1]`, of an input, or of a value whose channels are known."""
    return contexts.names.get(f"{node.text}.channels") if isinstance(node, tree.Name) else None


def _subscript(node: tree.Subscript, contexts: Contexts) -> Term | None:
    items = [express(i, contexts) for i in node.items]
    place = items[0]
    if isinstance(node.value, tree.Attribute) and node.value.name.text == "shape" and place is not None:
        return _channels(node.value.value, contexts) if set(place.values) == {-1} else None
    value = express(node.value, contexts)
    if value is None or place is None or len(items) != 1:
        return None
    values = each(lambda v, i: v[i], value.values, place.values)
    if values is None:
        return None
    fixed = not place.names and same(place.values)
    if value.parts and fixed and not value.text.isidentifier():
        item: Term = value.parts[place.values[0]]
        return item
    if not fixed and any(sometimes_whole(part) for part in value.parts):
        return None
    text = f"{value.within(9)}[{place.text}]"
    return Term(text, values, value.names | place.names, needs=item_needs(value, place))


def _group(node: tree.TupleExpression | tree.List, contexts: Contexts) -> Term | None:
    items = [express(i, contexts) or _word(i, contexts) for i in node.items]
    if not items or None in items:
        return None
    known = [i for i in items if i is not None]
    is_list = isinstance(node, tree.List)
    text = _bracketed(known, "[]" if is_list else "()")
    names = frozenset().union(*(i.names for i in known))
    values = tuple(zip(*(i.values for i in known)))
    return Term(text, values, names, needs=_needed(known), parts=tuple(known))


def _bracketed(items: Sequence[Term], signs: str) -> str:
    alone = "," if signs == "()" and len(items) == 1 else ""
    return f"{signs[0]}{', '.join(i.text for i in items)}{alone}{signs[1]}"


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
    contexts.cut_short += inner.cut_short
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
    tree.CallExpression: _call,
    tree.TupleExpression: _group,
    tree.List: _group,
    tree.Subscript: _subscript,
    tree.Comprehension: _comprehension,
}
