"""From the rules of the grammar to nodes of the tree: one method a rule."""

from __future__ import annotations

import re

from ..base.bounds import MOST_DIGITS
from ..base.diagnostics import Diagnostic, Label
from ..base.record import TYPE_CHECKING
from ..base.source import Span
from . import tree
from .tree import Identifier, Node

if TYPE_CHECKING:
    from typing import Any

    from ..base.diagnostics import Collector
    from ..base.source import Source

# lines of documentation of one definition
MOST_DOC = 200
_ESCAPES = {"n": "\n", "t": "\t"}
_ESCAPE = r"\\(.)"
# the groups of `1,234,056` before one of them and behind it; and how far that is looked at
_GROUPS = r"(?<![\w.])[1-9]\d{0,2},(?:\d{3},)*$"
_MORE_GROUPS = r"(?:,\d{3}(?!\w))+"
_FURTHEST = 30


class Token:
    """A piece of text with its kind."""

    __slots__ = ("end", "start", "text", "type")

    def __init__(self, type: str, text: str, start: int, end: int) -> None:
        self.type = type
        self.text = text
        self.start = start
        self.end = end


class Builder:
    """Makes the node of a rule from its parts."""

    def __init__(self, source: Source, faults: Collector) -> None:
        self.source = source
        self.faults = faults

    def make(self, rule: str, parts: list[Any], start: int, end: int) -> Any:
        return getattr(self, rule)(parts, Span(self.source, start, end))

    def _identifier(self, token: Token) -> Identifier:
        return Identifier(Span(self.source, token.start, token.end), token.text)

    def _optional_name(self, parts: list[Any]) -> Identifier | None:
        found = [p for p in parts if p.__class__ is Token]
        return self._identifier(found[0]) if found else None

    # --- definitions

    def start(self, parts: list[Any], span: Span) -> list[Node]:
        return [p for p in parts if isinstance(p, Node)]

    def net(self, parts: list[Any], span: Span) -> Node:
        return self._definition("net", parts, span)

    def block(self, parts: list[Any], span: Span) -> Node:
        return self._definition("block", parts, span)

    def cell(self, parts: list[Any], span: Span) -> Node:
        return self._definition("cell", parts, span)

    def _definition(self, word: str, parts: list[Any], span: Span) -> Node:
        parameters = parts[1] if len(parts) == 3 else ()
        doc = comment_above(self.source.text, span.start)
        return tree.Definition(span, word, self._identifier(parts[0]), parameters, parts[-1], doc)

    def const(self, parts: list[Any], span: Span) -> Node:
        return tree.Const(span, self._identifier(parts[0]), parts[1])

    def import_all(self, parts: list[Any], span: Span) -> Node:
        return tree.Import(span, self._path(parts[0]), self._optional_name(parts[1:]))

    def import_names(self, parts: list[Any], span: Span) -> Node:
        return tree.ImportNames(span, self._path(parts[0]), tuple(p for p in parts if isinstance(p, tree.Imported)))

    def imported(self, parts: list[Any], span: Span) -> Node:
        return tree.Imported(span, self._identifier(parts[0]), self._optional_name(parts[1:]))

    def _path(self, token: Token) -> tree.Literal:
        return self.string([token], Span(self.source, token.start, token.end))

    def parameters(self, parts: list[Any], span: Span) -> tuple[Node, ...]:
        return tuple(parts)

    def parameter(self, parts: list[Any], span: Span) -> Node:
        return tree.ParameterDeclaration(span, self._identifier(parts[0]), parts[1] if len(parts) > 1 else None)

    def body(self, parts: list[Any], span: Span) -> Node:
        return tree.Braces(span, tuple(p for p in parts if isinstance(p, Node)))

    # --- statements

    def input(self, parts: list[Any], span: Span) -> Node:
        sizes = next((p for p in parts if p.__class__ is tuple), None)
        dtype, limit = next(((p.name, p.limit) for p in parts if p.__class__ is _Dtype), (None, None))
        return tree.Input(span, self._identifier(parts[0]), sizes, dtype, limit)

    def shape(self, parts: list[Any], span: Span) -> tuple[Node, ...]:
        return tuple(parts)

    def ellipsis(self, parts: list[Any], span: Span) -> Node:
        return tree.Ellipsis(span)

    def dtype(self, parts: list[Any], span: Span) -> _Dtype:
        return _Dtype(self._identifier(parts[0]), parts[1] if len(parts) > 1 else None)

    def output(self, parts: list[Any], span: Span) -> Node:
        return tree.Output(span, tuple(parts))

    def produced(self, parts: list[Any], span: Span) -> Node:
        return tree.Produced(span, self._optional_name(parts), parts[-1])

    def state(self, parts: list[Any], span: Span) -> Node:
        name, sizes, *rest = parts
        options = tuple(p for p in rest if isinstance(p, tree.Keyword))
        return tree.StateDeclaration(
            span, self._identifier(name), sizes, options, rest[-1] if len(rest) > len(options) else None
        )

    def weight(self, parts: list[Any], span: Span) -> Node:
        return tree.WeightDeclaration(span, self._identifier(parts[0]), parts[1], tuple(parts[2:]))

    def layer(self, parts: list[Any], span: Span) -> Node:
        return tree.Shared(span, self._identifier(parts[0]), parts[1])

    def expect(self, parts: list[Any], span: Span) -> Node:
        return tree.Expect(span, parts[0])

    def repeat(self, parts: list[Any], span: Span) -> Node:
        return tree.Repeat(span, parts[0], *self._loop(parts[1:]))

    def for_(self, parts: list[Any], span: Span) -> Node:
        return tree.For(span, parts[0], parts[1], *self._loop(parts[2:]))

    def _loop(self, parts: list[Any]) -> tuple[Identifier | None, tree.Braces, Identifier | None]:
        """The name of the turns, the body, and the name of what comes out."""
        place = next(i for i, part in enumerate(parts) if isinstance(part, tree.Braces))
        return self._optional_name(parts[:place]), parts[place], self._optional_name(parts[place:])

    def if_(self, parts: list[Any], span: Span) -> Node:
        return tree.If(span, parts[0], parts[1], parts[2] if len(parts) > 2 else None)

    def binding(self, parts: list[Any], span: Span) -> Node:
        written, values = parts
        items = written
        if len(written) == 1 and isinstance(written[0], tree.TupleExpression | tree.List):
            items = written[0].items
        place = Span(self.source, span.start, written[-1].span.end)
        unpacks = items is not written or len(written) > 1
        if all(isinstance(i, tree.Name) for i in items):
            names = tuple(Identifier(i.span, i.text) for i in items if isinstance(i, tree.Name))
            return tree.Binding(span, tree.BindingTarget(place, names, unpacks), values)
        if all(isinstance(i, tree.Next) for i in items):
            names = tuple(i.name for i in items if isinstance(i, tree.Next))
            return tree.NextStatement(span, tree.BindingTarget(place, names, unpacks), values)
        return tree.Binding(span, tree.Unbindable(place, written), values)

    def flow(self, parts: list[Any], span: Span) -> Node:
        items = parts[0]
        return tree.Flow(span, items[0] if len(items) == 1 else tree.TupleExpression(span, items))

    def pipelines(self, parts: list[Any], span: Span) -> tuple[Node, ...]:
        return tuple(parts)

    def target(self, parts: list[Any], span: Span) -> Node:
        names = parts[0]
        bracketed = self.source.text[span.start : span.end].rstrip().endswith((")", ","))
        return tree.BindingTarget(span, tuple(names), bracketed or len(names) > 1)

    def names(self, parts: list[Any], span: Span) -> tuple[Identifier, ...]:
        return tuple(self._identifier(p) for p in parts)

    # --- expressions

    def pipeline_chain(self, parts: list[Any], span: Span) -> Node:
        return tree.Pipeline(span, tuple(parts))

    def named(self, parts: list[Any], span: Span) -> Node:
        return tree.NamedStep(span, parts[0], self._identifier(parts[1]))

    def conditional(self, parts: list[Any], span: Span) -> Node:
        return tree.Conditional(span, *parts)

    def or_chain(self, parts: list[Any], span: Span) -> Node:
        return tree.Chain(span, tuple(parts), ("or",) * (len(parts) - 1))

    def and_chain(self, parts: list[Any], span: Span) -> Node:
        return tree.Chain(span, tuple(parts), ("and",) * (len(parts) - 1))

    def not_(self, parts: list[Any], span: Span) -> Node:
        return tree.Unary(span, "not", parts[0])

    def chain(self, parts: list[Any], span: Span) -> Node:
        operands = tuple(p for p in parts if p.__class__ is not Token)
        operators: list[str] = []
        for part in parts:
            if part.__class__ is Token:
                if part.text == "in" and operators and operators[-1] == "not":
                    operators[-1] = "not in"
                else:
                    operators.append(part.text)
        return tree.Chain(span, operands, tuple(operators))

    comparison_chain = sum_chain = product_chain = chain

    def span(self, parts: list[Any], span: Span) -> Node:
        return tree.Chain(span, tuple(parts), ("..",))

    def negative(self, parts: list[Any], span: Span) -> Node:
        return tree.Unary(span, "-", parts[-1])

    def positive(self, parts: list[Any], span: Span) -> Node:
        return tree.Unary(span, "+", parts[-1])

    def raised(self, parts: list[Any], span: Span) -> Node:
        return tree.Chain(span, (parts[0], parts[-1]), ("**",))

    def call(self, parts: list[Any], span: Span) -> Node:
        return tree.CallExpression(span, parts[0], tuple(parts[1:]))

    def keyword(self, parts: list[Any], span: Span) -> Node:
        return tree.Keyword(span, self._identifier(parts[0]), parts[1])

    option = keyword

    def subscript(self, parts: list[Any], span: Span) -> Node:
        return tree.Subscript(span, parts[0], tuple(parts[1:]))

    def slice(self, parts: list[Any], span: Span) -> Node:
        found: list[Node | None] = [None]
        for part in parts:
            if part.__class__ is Token:
                found.append(None)
            else:
                found[-1] = part
        return tree.SliceExpression(span, *[*found, None, None][:3])

    def attribute(self, parts: list[Any], span: Span) -> Node:
        return tree.Attribute(span, parts[0], self._identifier(parts[1]))

    def name(self, parts: list[Any], span: Span) -> Node:
        return tree.Name(span, parts[0].text)

    def next(self, parts: list[Any], span: Span) -> Node:
        return tree.Next(span, self._identifier(parts[0]))

    def integer(self, parts: list[Any], span: Span) -> Node:
        text = parts[0].text
        if text[0] == "0" and len(text) == 3 and self.source.text[span.start - 1] == ",":
            return self._group_of_thousands(span)
        return tree.Literal(span, self._whole(text, span))

    def _group_of_thousands(self, span: Span) -> Node:
        """Report the `024` of `1,024`, which nobody writes for 24: a number of which a comma makes two."""
        before = re.compile(_GROUPS).search(self.source.text, max(span.start - _FURTHEST, 0), span.start)
        if before is None:
            return tree.Literal(span, int(span.text))
        if ",0" in before[0]:
            return tree.Broken(span)  # the group before it told of it
        behind = re.compile(_MORE_GROUPS).match(self.source.text, span.end, span.end + _FURTHEST)
        whole = Span(self.source, before.start(), span.end if behind is None else behind.end())
        help = f"thousands are parted by `_`: write `{whole.text.replace(',', '_')}`"
        message = f"a number holds no `,`: this is read as {whole.text.count(',') + 1} numbers"
        self.faults.add(Diagnostic("syntax", message, Label(whole), (), help))
        return tree.Broken(span)

    def decimal(self, parts: list[Any], span: Span) -> Node:
        value = float(parts[0].text.replace("_", ""))
        return tree.Literal(span, value if value < float("inf") else float(self._too_large(span)))

    def size_literal(self, parts: list[Any], span: Span) -> Node:
        return tree.Literal(span, tuple(self._whole(n, span) for n in parts[0].text.split("x")))

    def _whole(self, text: str, span: Span) -> int:
        digits = text.replace("_", "").lstrip("0")
        return int(digits or "0") if len(digits) <= MOST_DIGITS else self._too_large(span)

    def _too_large(self, span: Span) -> int:
        """Report a number that is too large; the one that stands for it."""
        help = f"a whole number has at most {MOST_DIGITS} digits, another at most 308 before the point"
        self.faults.add(Diagnostic("too-large", "this number is too large", Label(span), (), help))
        return 1

    def string(self, parts: list[Any], span: Span) -> tree.Literal:
        inner = parts[0].text[1:-1]
        return tree.Literal(
            span, re.sub(_ESCAPE, lambda m: _ESCAPES.get(m[1], m[1]), inner) if "\\" in inner else inner
        )

    def true(self, parts: list[Any], span: Span) -> Node:
        return tree.Literal(span, True)

    def false(self, parts: list[Any], span: Span) -> Node:
        return tree.Literal(span, False)

    def none(self, parts: list[Any], span: Span) -> Node:
        return tree.Literal(span, None)

    def group(self, parts: list[Any], span: Span) -> Node:
        items = tuple(p for p in parts if p.__class__ is not Token)
        return items[0] if len(items) == len(parts) == 1 else tree.TupleExpression(span, items)

    def list_(self, parts: list[Any], span: Span) -> Node:
        return tree.List(span, tuple(parts))

    def comprehension(self, parts: list[Any], span: Span) -> Node:
        value, target, items, *rest = parts
        return tree.Comprehension(span, value, target, items, rest[0] if rest else None)


# rules whose names are words of Python or of its types
for _rule in ("for", "if", "not", "list"):
    setattr(Builder, _rule, getattr(Builder, _rule + "_"))


class _Dtype:
    """What `dtype` hands to `input`."""

    def __init__(self, name: Identifier, limit: Node | None) -> None:
        self.name = name
        self.limit = limit


def comment_above(text: str, start: int) -> str:
    """The comment lines directly above an offset, without their signs; of more than `MOST_DOC`, the last ones."""
    lines: list[str] = []
    line_start = text.rfind("\n", 0, start) + 1
    if text[line_start:start].replace(";", " ").strip():
        return ""  # what stands before it on its line has the comment
    while line_start > 0 and len(lines) < MOST_DOC:
        above = text.rfind("\n", 0, line_start - 1) + 1
        line = text[above : line_start - 1].lstrip("; \t").rstrip()
        if not line.startswith("#"):
            break
        lines.append(line[1:].removeprefix(" ").rstrip())
        line_start = above
    return "\n".join(reversed(lines))
