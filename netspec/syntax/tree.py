"""What was written: the tree of a spec, each node with its span. It says nothing of meaning."""

from __future__ import annotations

import re

from ..base.record import TYPE_CHECKING, Record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..base.source import Source, Span


class Node(Record):
    """Anything with a place in a text."""

    span: Span


class Identifier(Node):
    """A name where it is given, not where it is used."""

    text: str


# --- expressions ---------------------------------------------------------------------------------------------


class Name(Node):
    """A name used: a value, a parameter, a layer, or a bare word."""

    text: str


class Next(Node):
    """`next name`: what a state will be at the next step."""

    name: Identifier


class Literal(Node):
    """A number, size, string, `true`, `false` or `none`; `value` is what it stands for."""

    value: object


class TupleExpression(Node):
    """`(a, b)`: a tuple; one item without a comma never makes a Group."""

    items: tuple[Node, ...]


class List(Node):
    """`[a, b]`"""

    items: tuple[Node, ...]


class Comprehension(Node):
    """`[value for target in items if condition]`"""

    value: Node
    target: BindingTarget
    items: Node
    condition: Node | None


class CallExpression(Node):
    """`callee(a, b, key=c)`"""

    callee: Node
    arguments: tuple[Node, ...]


class Keyword(Node):
    """`key=value` among arguments."""

    name: Identifier
    value: Node


class Subscript(Node):
    """`value[items]`"""

    value: Node
    items: tuple[Node, ...]


class SliceExpression(Node):
    """`start:stop:step` in a subscript."""

    start: Node | None
    stop: Node | None
    step: Node | None


class Ellipsis(Node):
    """`...` in a shape or a subscript."""


class Attribute(Node):
    """`value.name`"""

    value: Node
    name: Identifier


class Unary(Node):
    """`-a`, `+a`, `not a`"""

    operator: str
    operand: Node


class Chain(Node):
    """Operands of one precedence, left to right, so that long sums are flat: `a + b - c`, `a and b`, `a < b < c`."""

    operands: tuple[Node, ...]
    operators: tuple[str, ...]


class Conditional(Node):
    """`value if condition else otherwise`"""

    value: Node
    condition: Node
    otherwise: Node


class NamedStep(Node):
    """`step as name`"""

    step: Node
    name: Identifier


class Pipeline(Node):
    """`a -> b -> c`, at least two stages."""

    stages: tuple[Node, ...]


class Braces(Node):
    """`{ ... }`"""

    statements: tuple[Node, ...]


# --- statements ------------------------------------------------------------------------------------------------


class BindingTarget(Node):
    """What a `for` or a binding binds. `unpacks` tells `(a,)` from `a`."""

    names: tuple[Identifier, ...]
    unpacks: bool


class Input(Node):
    """`input name [sizes] dtype(limit)`; sizes None where the shape is left open."""

    name: Identifier
    sizes: tuple[Node, ...] | None
    dtype: Identifier | None
    limit: Node | None


class Output(Node):
    """`output a, name = pipeline`"""

    items: tuple[Produced, ...]


class Produced(Node):
    """One output, with the name it is given, if any."""

    name: Identifier | None
    value: Node


class StateDeclaration(Node):
    """`state name [sizes] key=value = start`: what a cell remembers from step to step."""

    name: Identifier
    sizes: tuple[Node, ...]
    options: tuple[Keyword, ...]
    start: Node | None


class WeightDeclaration(Node):
    """`weight name [sizes] key=value, ...`: learned numbers of one's own."""

    name: Identifier
    sizes: tuple[Node, ...]
    options: tuple[Keyword, ...]


class Shared(Node):
    """`layer name = step`: one instance, to be used several times."""

    name: Identifier
    step: Node


class Expect(Node):
    """`expect condition`"""

    condition: Node


class Repeat(Node):
    """`repeat count as name { ... } as result`"""

    count: Node
    name: Identifier | None
    body: Braces
    result: Identifier | None = None


class For(Node):
    """`for target in items as name { ... } as result`"""

    target: BindingTarget
    items: Node
    name: Identifier | None
    body: Braces
    result: Identifier | None = None


class If(Node):
    """`if condition { ... } else ...`; `otherwise` is a Body, another If, or None."""

    condition: Node
    body: Braces
    otherwise: Node | None


class Unbindable(Node):
    """What stands before `=` and is no name."""

    values: tuple[Node, ...]


class Binding(Node):
    """`names = values`"""

    target: BindingTarget | Unbindable
    values: tuple[Node, ...]


class NextStatement(Node):
    """`next names = values`: what states will be at the next step."""

    target: BindingTarget
    values: tuple[Node, ...]


class Flow(Node):
    """A pipeline that stands as a statement."""

    value: Node


class Broken(Node):
    """A statement or definition that did not parse; its fault has been reported."""


# the names that a text binds, as far as can be seen: `name = `, `as name`, a second word such as that of `input x`, and
# further ones behind commas
_NAME = r"([^\W\d]\w*)"
_BOUND = rf"\b{_NAME}\s*=(?!=)|\bas\s+{_NAME}|\A\w+\s+{_NAME}|,\s*{_NAME}\s*\["


def lost_names(node: Broken) -> list[str]:
    """The names that something which did not parse would have bound; that they are missing is not said again."""
    found = ("".join(names) for names in re.findall(_BOUND, node.span.text))
    imported = re.findall(r"[^\W\d]\w*", node.span.text) if node.span.text.startswith("from ") else []
    return list(dict.fromkeys((*found, *imported)))


# --- definitions -----------------------------------------------------------------------------------------------


class ParameterDeclaration(Node):
    """`name` or `name = default`"""

    name: Identifier
    default: Node | None


class Definition(Node):
    """A `net`, a `block` or a `cell` (`word` says which), with the comment lines above it."""

    word: str
    name: Identifier
    parameters: tuple[ParameterDeclaration, ...]
    body: Braces
    doc: str

    __slots__ = ("_body_nodes", "_nodes")  # beside the fields: no part of what it is

    @property
    def nodes(self) -> tuple[Node, ...]:
        """The definition and all nodes in it, in the order of the text; found once, as many phases ask."""
        known: tuple[Node, ...] | None = getattr(self, "_nodes", None)
        if known is None:
            known = tuple(walk(self))
            object.__setattr__(self, "_nodes", known)
        return known

    @property
    def body_nodes(self) -> tuple[Node, ...]:
        """Those of its body, which is the first of them."""
        known: tuple[Node, ...] | None = getattr(self, "_body_nodes", None)
        if known is None:
            known = self.nodes[next(n for n, node in enumerate(self.nodes) if node is self.body) :]
            object.__setattr__(self, "_body_nodes", known)
        return known


class Const(Node):
    """`const name = value`"""

    name: Identifier
    value: Node


class Import(Node):
    """`import "path" as name`; without a name all definitions of the file are brought in."""

    path: Literal
    name: Identifier | None


class ImportNames(Node):
    """`from "path" import a, b as c`"""

    path: Literal
    items: tuple[Imported, ...]


class Imported(Node):
    """A definition of another file, with the name that it has here, if that is another."""

    name: Identifier
    alias: Identifier | None


class Spec(Record):
    """A whole file."""

    source: Source
    definitions: tuple[Node, ...]


def binders(node: object) -> Iterator[Identifier]:
    """The names that something binds below a node; those of arguments, properties and types bind nothing."""
    nodes = list(walk(node))
    asked = {id(n.name) for n in nodes if isinstance(n, Keyword | Attribute | Next)}
    asked |= {id(n.dtype) for n in nodes if isinstance(n, Input)}
    return (n for n in nodes if isinstance(n, Identifier) and id(n) not in asked)


_INNER = (tuple, Node)


def walk(node: object) -> Iterator[Node]:
    """The node and all below it, in the order of the text."""
    stack = [node]
    while stack:
        top = stack.pop()
        if isinstance(top, Node):
            yield top
            stack += [v for v in reversed(top.__dict__.values()) if isinstance(v, _INNER)]
        elif isinstance(top, tuple):
            stack += reversed(top)


def inputs(definition: Definition) -> Iterator[Input]:
    """The inputs of a definition; those of a net may stand in a choice."""
    stack: list[Node] = [definition.body]
    while stack:
        top = stack.pop()
        if isinstance(top, Input):
            yield top
        elif isinstance(top, Braces):
            kinds = Input | If if definition.word == "net" else Input
            stack += [s for s in reversed(top.statements) if isinstance(s, kinds)]
        elif isinstance(top, If):
            stack += [part for part in (top.otherwise, top.body) if part is not None]
