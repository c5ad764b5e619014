"""What the text of a definition decides by: numbers in its conditions, and names that count its turns."""

from __future__ import annotations

from ...base.record import TYPE_CHECKING
from ...elaborate.choices import only_expects
from ...syntax import tree
from .terms import COMPARISONS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from collections.abc import Sequence as Seq
    from typing import TypeAlias

    from ...syntax.tree import Definition

    # what may vary in a block: a parameter by its name, or a size by the numbers of the input and the axis
    Place: TypeAlias = "str | tuple[int, int]"

# functions that make a size of a fraction, so that a parameter of a net may be one
_ROUNDING = frozenset(("floor", "ceil", "round"))
# functions of which a number and another may give the same
_DECIDING = _ROUNDING | {"min", "max"}
# so many of the numbers that a definition decides by
_NUMBERS = 8
# so many of the numbers that conditions single out
_SINGLED_OUT = 6


def turning_points(definition: Definition, steps: Seq[int] = (-1, 1)) -> list[int]:
    """The first two of the numbers that a definition decides by, with `steps` added to each."""
    return [number + step for number in _numbers(_deciding(definition))[:2] for step in steps]


def deciding_numbers(definition: Definition) -> list[int]:
    """The whole numbers that conditions, counts of turns, `min`, `max` and rounding of a definition decide by."""
    return _numbers(_deciding(definition))[:_NUMBERS]


def decides_by_parts(definition: Definition) -> bool:
    """True if a definition decides by what is worked out, as `max(width // 4, 2)` does."""
    chains = (part for part in _deciding(definition) if isinstance(part, tree.Chain))
    return any(not {"*", "/", "//", "+", "-"}.isdisjoint(chain.operators) for chain in chains)


def numbers_beside(
    definition: Definition, names: Collection[str], constants: Mapping[str, tree.Const]
) -> dict[str, list[int]]:
    """For each of some names the whole numbers that it stands beside where the text decides, by itself or in what has a
    name: `big` in `big = width > limit`. `constants` are those of the file."""
    nodes = list(_of_the_net(definition))
    bound = {name: constant.value for name, constant in constants.items()}
    for node in nodes:
        if isinstance(node, tree.Binding) and isinstance(node.target, tree.BindingTarget):
            pairs = zip(node.target.names, node.values)
            bound |= {name.text: value for name, value in pairs if not _makes_layers(value)}
    found: dict[str, list[int]] = {}
    for source in (source for node in nodes for source in _decided_in(node)):
        parts = list(_with_bound(source, bound))
        for part in parts:
            if isinstance(part, tree.Name) and part.text in names:
                found.setdefault(part.text, []).extend(_numbers(parts))
    return {name: list(dict.fromkeys(numbers))[:_NUMBERS] for name, numbers in found.items()}


def _of_the_net(definition: Definition) -> Iterator[tree.Node]:
    """All that a definition says, but for what it only expects."""
    nodes = definition.nodes
    expecting = (n for n in nodes if isinstance(n, tree.Expect) or (isinstance(n, tree.If) and only_expects(n)))
    expected = {id(inner) for node in expecting for inner in tree.walk(node)}
    return (node for node in nodes if id(node) not in expected)


def _decided_in(node: tree.Node) -> tuple[tree.Node, ...]:
    """What the text decides by at a node: comparisons that are no conditions, and items of loops, as well."""
    if isinstance(node, tree.For):
        return (node.items,)
    compares = isinstance(node, tree.Chain) and not {*COMPARISONS}.isdisjoint(node.operators)
    decided = decided_by(node)
    return (node,) if compares or (decided and isinstance(node, tree.CallExpression)) else decided


def _with_bound(node: tree.Node, bound: Mapping[str, tree.Node], depth: int = 4) -> Iterator[tree.Node]:
    """The parts of an expression, and those of what its names stand for."""
    for part in tree.walk(node):
        yield part
        if isinstance(part, tree.Name) and part.text in bound and depth:
            yield from _with_bound(bound[part.text], bound, depth - 1)


def _numbers(parts: Iterable[tree.Node]) -> list[int]:
    literals = (part.value for part in parts if isinstance(part, tree.Literal))
    return list(dict.fromkeys(v for v in literals if type(v) is int and v > 1))


def _makes_layers(node: tree.Node) -> bool:
    parts = list(tree.walk(node))
    calls = (p.callee.text for p in parts if isinstance(p, tree.CallExpression) and isinstance(p.callee, tree.Name))
    return any(isinstance(part, tree.Pipeline) for part in parts) or not _DECIDING.issuperset(calls)


def rounds_fractions(definition: Definition) -> bool:
    """True if a definition makes whole numbers of fractions."""
    return any(name in _ROUNDING for _, name in _calls(definition))


def rounds(definition: Definition) -> bool:
    """True if a definition makes whole numbers of others: quotients rounded down, fractions rounded."""
    chains = (node for node in definition.nodes if isinstance(node, tree.Chain))
    return rounds_fractions(definition) or any("//" in chain.operators for chain in chains)


def _calls(definition: Definition) -> Iterator[tuple[tree.CallExpression, str]]:
    """The calls of a definition, with the names of what is called."""
    for node in definition.nodes:
        if isinstance(node, tree.CallExpression) and isinstance(node.callee, tree.Name):
            yield node, node.callee.text


def counting(definition: Definition, others: Mapping[str, Definition], depth: int = 4) -> set[str]:
    """The names that say how many turns loops have, those of blocks that are called included. `others` are the
    definitions by their names."""
    loops = (node for node in definition.nodes if isinstance(node, tree.Repeat | tree.For))
    counts = [loop.count if isinstance(loop, tree.Repeat) else loop.items for loop in loops]
    for call, name in _calls(definition) if depth else ():
        callee = others.get(name)
        if callee is not None and callee is not definition:
            inner = counting(callee, others, depth - 1)
            counts += [node for parameter, node in _given(call, callee) if parameter in inner]
    return {part.text for count in counts for part in tree.walk(count) if isinstance(part, tree.Name)}


def _given(call: tree.CallExpression, callee: Definition) -> Iterator[tuple[str, tree.Node]]:
    """The parameters that a call gives, with how they are written; values of the net stand before them."""
    names = [parameter.name.text for parameter in callee.parameters]
    plain = [node for node in call.arguments if not isinstance(node, tree.Keyword)]
    # which of them are values and which numbers is not told here: each may be any
    yield from ((name, node) for name in names for node in plain)
    yield from ((node.name.text, node.value) for node in call.arguments if isinstance(node, tree.Keyword))


def singled_out(definition: Definition) -> list[int]:
    """The whole numbers that conditions single out, as in `k == 3` and `k in [1, 3]`."""
    chains = (n for condition in _conditions(definition) for n in tree.walk(condition) if isinstance(n, tree.Chain))
    equal = (chain for chain in chains if {"==", "!=", "in", "not in"}.intersection(chain.operators))
    literals = (n.value for chain in equal for n in tree.walk(chain) if isinstance(n, tree.Literal))
    return list(dict.fromkeys(v for v in literals if type(v) is int and v > 0))[:_SINGLED_OUT]


def conditioned(definition: Definition, names: Mapping[str, Place]) -> dict[Place, list[int]]:
    """Those of some names that conditions speak of, by what they stand for, each with the whole numbers that these
    conditions speak of, and their neighbours; none where they speak of words and truth values."""
    found: dict[Place, list[int]] = {}
    for condition in (list(tree.walk(condition)) for condition in _conditions(definition)):
        numbers = [part.value for part in condition if isinstance(part, tree.Literal) and type(part.value) is int]
        for name in (part.text for part in condition if isinstance(part, tree.Name) and part.text in names):
            near = (n + step for n in numbers for step in (0, 1, -1) if n + step >= 0)
            found.setdefault(names[name], []).extend(near)
    return {place: list(dict.fromkeys(values)) for place, values in found.items()}


def _conditions(definition: Definition) -> Iterator[tree.Node]:
    """The conditions of a definition, but for those that choose between expectations only."""
    choices = (node for node in definition.nodes if isinstance(node, tree.If | tree.Conditional))
    return (condition for choice in choices for condition in decided_by(choice))


def alternatives(definition: Definition) -> Iterator[tree.Conditional]:
    """The choices between values of the net, as in `x if c == n else (x -> dense(n))`; choices of numbers are none."""
    for node in definition.body_nodes:
        if isinstance(node, tree.Conditional):
            parts = (part for side in (node.value, node.otherwise) for part in tree.walk(side))
            if any(isinstance(part, tree.Pipeline) for part in parts):
                yield node


def compared(definition: Definition) -> list[tuple[Place, Place]]:
    """What conditions compare with one another, as in `c == width`."""
    named = places(definition)
    chains = (n for n in _deciding(definition) if isinstance(n, tree.Chain) and len(n.operands) == 2)
    names = ([o.text for o in chain.operands if isinstance(o, tree.Name)] for chain in chains)
    found = [(named[a], named[b]) for a, b in (pair for pair in names if len(pair) == 2) if {a, b} <= named.keys()]
    return list(dict.fromkeys(found))


def speaks_of(definition: Definition, name: str) -> bool:
    """True if the text takes a size of an input, beside naming it."""
    named = {id(size) for port in tree.inputs(definition) for size in port.sizes or ()}
    parts = (part for part in definition.body_nodes if id(part) not in named)
    return any(isinstance(part, tree.Name) and part.text == name for part in parts)


def places(definition: Definition) -> dict[str, Place]:
    """What may vary in a definition, by its names: parameters, and sizes of inputs of a known rank."""
    found: dict[str, Place] = {p.name.text: p.name.text for p in definition.parameters}
    for number, port in enumerate(tree.inputs(definition)):
        sizes = port.sizes or ()
        if not any(isinstance(size, tree.Ellipsis) for size in sizes):
            found |= {s.text: (number, axis) for axis, s in enumerate(sizes) if isinstance(s, tree.Name)}
    return found


def _deciding(definition: Definition) -> Iterator[tree.Node]:
    """All parts of what conditions, `min`, `max` and rounding of a definition decide by."""
    return (inner for node in definition.nodes for part in decided_by(node) for inner in tree.walk(part))


def decided_by(node: tree.Node) -> tuple[tree.Node, ...]:
    """What a part of the text decides by: nothing where it only says what is expected."""
    if isinstance(node, tree.Conditional) or (isinstance(node, tree.If) and not only_expects(node)):
        return (node.condition,)
    if isinstance(node, tree.Repeat):  # no turn is another way
        return (node.count,)
    if isinstance(node, tree.CallExpression) and isinstance(node.callee, tree.Name) and node.callee.text in _DECIDING:
        return node.arguments
    return ()
