"""Names of instances: the author's first, then the kind of the layer, numbered where it stands more than once.

In a net or block a nameless step is called after its kind: `conv1`, `conv2`, `maxpool`. In a scope that `as` made (a
named loop turn, a named `{ ... }`) nameless steps are numbered from 0, as in an `nn.Sequential`: `layer1.0`.
"""

from __future__ import annotations

from ..base.record import TYPE_CHECKING
from ..layers.signs import ARITHMETIC, COMPARISONS
from ..syntax import tree

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from ..syntax.tree import Definition

_LOOPS = frozenset((tree.Repeat, tree.For))


class Plan:
    """What a definition says, found once: its parameters, names the author gave, kinds that stand more than once."""

    def __init__(self, definition: Definition) -> None:
        self.parameters = parameters(definition)
        # the defaults that are the same wherever it is used, once they have been worked out
        self.defaults: dict[str, Any] | None = None
        # its inputs, and how many values it takes: one, the flow, where it declares none
        self.written = {id(port): port for port in tree.inputs(definition)}
        self.ports = [port.name.text for port in self.written.values()]
        self.inputs = len(self.ports) or 1
        self.given: set[str] = set()
        self.sites: dict[str, int] = {}
        end = -1  # of the loops so far: what stands before it is in one of them
        words: set[int] = set()  # a word such as that of activation=relu is no step
        for node in definition.body_nodes:
            kind = node.__class__
            if kind in _LOOPS:
                end = max(end, node.span.end)
            elif (visit := _VISITS.get(kind)) is not None and id(node) not in words:
                visit(self, node, 2 if node.span.start < end else 1)
                if isinstance(node, tree.Keyword) and isinstance(node.value, tree.Name):
                    words.add(id(node.value))

    def _named_step(self, node: tree.NamedStep, weight: int) -> None:
        self.given.add(node.name.text)
        step = node.step.callee if isinstance(node.step, tree.CallExpression) else node.step
        if isinstance(step, tree.Name | tree.Attribute):
            self._count(step.text if isinstance(step, tree.Name) else step.name.text, -weight)

    def _declared(self, node: tree.Shared | tree.WeightDeclaration, weight: int) -> None:
        self.given.add(node.name.text)

    def _keyword(self, node: tree.Keyword, weight: int) -> None:
        if node.name.text == "mask":
            self._count("mask", weight)  # `embedding(mask=true)` makes a value

    def _name(self, node: tree.Name, weight: int) -> None:
        self._count(node.text, weight)

    def _attribute(self, node: tree.Attribute, weight: int) -> None:
        self._count(node.name.text, weight)

    def _operation(self, node: tree.CallExpression | tree.Chain | tree.Unary | tree.Subscript, weight: int) -> None:
        for kind in _operations(node):
            self._count(kind, weight)

    def _count(self, kind: str, weight: int) -> None:
        self.sites[kind] = self.sites.get(kind, 0) + weight

    def repeated(self, kind: str) -> bool:
        return self.sites.get(kind, 2) > 1


_VISITS: dict[type, Callable[[Plan, Any, int], None]] = {
    tree.NamedStep: Plan._named_step,
    tree.Shared: Plan._declared,
    tree.WeightDeclaration: Plan._declared,
    tree.Keyword: Plan._keyword,
    tree.Name: Plan._name,
    tree.Attribute: Plan._attribute,
    **dict.fromkeys((tree.CallExpression, tree.Chain, tree.Unary, tree.Subscript), Plan._operation),
}
# the layers that a sign may stand for where one side is a number
_WITH_NUMBER = {
    "+": ("shift",),
    "-": ("shift", "complement", "scale"),
    "*": ("scale",),
    "/": ("scale", "reciprocal"),
    "**": ("power",),
}
# the layers that an operator may stand for
_OPERATIONS = {
    **{sign: (kind, *_WITH_NUMBER.get(sign, ())) for sign, kind in ARITHMETIC.items()},
    **{sign: (kind,) for sign, kind in COMPARISONS.items()},
    **{word: (f"logical_{word}",) for word in ("and", "or", "not")},
}


def _operations(node: tree.CallExpression | tree.Chain | tree.Unary | tree.Subscript) -> Sequence[str]:
    if isinstance(node, tree.CallExpression):
        return _with_numbers(node)
    if isinstance(node, tree.Subscript):
        value = node.value
        new = ["expand" for item in node.items if isinstance(item, tree.Literal) and item.value is None]
        return new if isinstance(value, tree.Attribute) and value.name.text == "shape" else ["slice", *new]
    operators = node.operators if isinstance(node, tree.Chain) else (node.operator,)
    return [kind for operator in operators for kind in _OPERATIONS.get(operator, ())]


# what a join may stand for where a number is among what it joins
_WITH_NUMBERS = {
    **dict.fromkeys(("maximum", "minimum"), ("clip",)),
    **{ARITHMETIC[sign]: kinds for sign, kinds in _WITH_NUMBER.items()},
}


def _with_numbers(node: tree.CallExpression) -> Sequence[str]:
    """The layers that a join of values and numbers stands for."""
    numbers = any(isinstance(a, tree.Literal) for a in (getattr(a, "operand", a) for a in node.arguments))
    return _WITH_NUMBERS.get(node.callee.span.text, ()) if numbers else ()


class Namer:
    """Gives out the names of one scope, each once."""

    def __init__(self, plan: Plan, sequence: bool = False) -> None:
        self.plan = plan
        self.sequence = sequence
        self.taken: set[str] = set()
        self.counts: dict[str, int] = {}

    def automatic(self, kind: str) -> str:
        if self.sequence:
            return self._next("", 0)
        if not self.plan.repeated(kind) and kind not in self.taken and kind not in self.plan.given:
            self.taken.add(kind)
            return kind
        return self._next(kind, 1)

    def _next(self, stem: str, first: int) -> str:
        number = self.counts.get(stem, first)
        # the tenth `block8` is no `block810`
        apart = f"{stem}_" if stem[-1:].isdigit() else stem
        while f"{apart}{number}" in self.taken or (stem and f"{apart}{number}" in self.plan.given):
            number += 1
        self.counts[stem] = number + 1
        name = f"{apart}{number}"
        self.taken.add(name)
        return name

    def chosen(self, name: str) -> str | None:
        """The author's name, or None where it is taken already in this scope."""
        if name in self.taken:
            return None
        self.taken.add(name)
        if self.sequence:
            self.counts[""] = self.counts.get("", 0) + 1
        return name

    def turn(self, name: str) -> str:
        """The next name of a loop that is called `name`, or of a name given within a loop."""
        return self._next(name, 1)


def parameters(definition: Definition) -> Mapping[str, tree.ParameterDeclaration]:
    """The parameters of a definition by name, in order."""
    return {p.name.text: p for p in definition.parameters}
