"""The canonical layout of a spec: its tree printed anew, with the comments of its text.

What is printed are the words and signs of the text in their order; the tree says where lines may end and blanks
stand. Only `;` and the comma behind the last item of a list come and go. So nothing is lost, and a comment stays
between the words it stood between.

There is one function for each kind of node, in `PRINTED`.
"""

from __future__ import annotations

from ..base.diagnostics import Diagnostic, Label
from ..base.record import TYPE_CHECKING
from ..base.source import Span
from . import tree
from .layout import HARD, Branches, Fill, Group, write
from .parser import parse
from .typeset import Typesetter

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from ..base.diagnostics import Collector
    from ..base.source import Source
    from .layout import Doc
    from .tree import Node


def format_source(source: Source, faults: Collector) -> str | None:
    """The text in canonical layout; None where it does not parse, which the collector is told."""
    spec = parse(source, faults)
    if faults.failed:
        return None
    try:
        return write(Typesetter(source, PRINTED).file(spec.definitions))
    except RecursionError:
        start = Label(Span(source, 0, 0))
        faults.add(Diagnostic("too-large", "an expression is nested too deeply to be laid out", start))
        return None


def _lines(node: Node) -> bool:
    """Does a node have several lines in the text?"""
    return "\n" in node.span.text


# --- expressions ---------------------------------------------------------------------------------------------------


def _leaf(p: Typesetter, node: Node) -> Doc:
    return p.take()


def _group(p: Typesetter, node: tree.TupleExpression) -> Doc:
    bracket = p.next
    if bracket.text != "(" or p.pieces[bracket.closer].end != node.span.end:
        return p.joined(node.items)  # a flow of several values, without brackets of its own
    return p.items(node.items, lone=len(node.items) == 1)


def _list(p: Typesetter, node: tree.List) -> Doc:
    return p.items(node.items)


def _comprehension(p: Typesetter, node: tree.Comprehension) -> Doc:
    def inner() -> Doc:
        parts, hard = [p.show(node.value)], [False, p.next.newline]
        parts.append((p.take(), " ", p.show(node.target), " ", p.take(), " ", p.show(node.items)))
        if node.condition is not None:
            hard.append(p.next.newline)
            parts.append((p.take(), " ", p.show(node.condition)))
        return p.spaced(parts, hard)

    return p.bracketed(inner)


def _call(p: Typesetter, node: tree.CallExpression) -> Doc:
    callee = p.show(node.callee)
    return callee, _hugged(p, node.arguments[0]) if _hugs(p, node.arguments) else p.items(node.arguments)


def _hugs(p: Typesetter, arguments: Sequence[Node]) -> bool:
    """Is the only argument a list or body, whose brackets can stand next to those of the call?"""
    if len(arguments) != 1 or not isinstance(arguments[0], tree.List | tree.Comprehension | tree.Braces):
        return False
    inner = p.pieces[p.at + 1]
    behind = p.pieces[inner.closer + 1 : p.next.closer + 1]
    return inner.start == arguments[0].span.start and not any(q.remarks for q in (inner, *behind))


def _hugged(p: Typesetter, argument: Node) -> Doc:
    opener, inner = p.take(), p.show(argument)
    if p.next.text == ",":
        p.bare()
    return opener, inner, p.bare()


def _keyword(p: Typesetter, node: tree.Keyword) -> Doc:
    return p.show(node.name), p.take(), p.show(node.value)


def _subscript(p: Typesetter, node: tree.Subscript) -> Doc:
    return p.show(node.value), p.items(node.items)


def _slice(p: Typesetter, node: tree.SliceExpression) -> Doc:
    outer, p.narrow = p.narrow, True
    docs = [p.shown(node.start, ""), p.take(), p.shown(node.stop, "")]
    if p.next.text == ":":
        docs += [p.take(), p.shown(node.step, "")]
    p.narrow = outer
    return tuple(docs)


def _attribute(p: Typesetter, node: tree.Attribute) -> Doc:
    return p.show(node.value), p.take(), p.show(node.name)


def _unary(p: Typesetter, node: tree.Unary) -> Doc:
    return p.take(), " " if node.operator == "not" else "", p.show(node.operand)


_SUMS = frozenset(("+", "-"))
_PRODUCTS = frozenset(("*", "/", "//", "%", "@", "**"))


def _chain(p: Typesetter, node: tree.Chain) -> Doc:
    kind = node.operators[0]
    outer, p.narrow = p.narrow, p.narrow or kind == ".."
    narrow = p.narrow
    first, rest, hard = p.show(node.operands[0]), [], [False]
    tight = True
    for operator, operand in zip(node.operators, node.operands[1:]):
        hard.append(p.next.newline)
        before, sign = p.pieces[p.at - 1], p.next
        taken = (p.take(), " ", p.take()) if operator == "not in" else p.take()
        tight = tight and before.end == sign.start and sign.end == p.next.start
        rest.append((taken, p.show(operand)))
    p.narrow = outer
    if kind == ".." or (narrow and kind in _SUMS | _PRODUCTS) or (tight and kind in _PRODUCTS):
        return (first, *rest)
    return p.spaced([first, *((sign, " ", operand) for sign, operand in rest)], hard)


def _conditional(p: Typesetter, node: tree.Conditional) -> Doc:
    parts, hard = [p.show(node.value)], [False]
    for part in (node.condition, node.otherwise):
        hard.append(p.next.newline)
        parts.append((p.take(), " ", p.show(part)))
    return p.spaced(parts, hard)


def _named(p: Typesetter, node: tree.NamedStep) -> Doc:
    return p.show(node.step), " ", p.take(), " ", p.show(node.name)


def _pipeline(p: Typesetter, node: tree.Pipeline) -> Doc:
    """Stages in a row. A line ends where the author ended it, and where there is no more room."""
    parts = [p.show(node.stages[0])]
    hard = [False]
    for stage in node.stages[1:]:
        hard.append(p.next.newline)
        parts[-1] = (parts[-1], p.behind())
        own = (p.above(), HARD) if p.next.remarks else ""
        parts.append((own, p.bare(), " ", p.show(stage)))
    return Fill(tuple(parts), tuple(hard), None)


def _body(p: Typesetter, node: tree.Braces) -> Doc:
    return p.inline(), Group(p.body(node), bool(node.statements) and _lines(node))


# --- statements ----------------------------------------------------------------------------------------------------


def _opens_all(p: Typesetter) -> bool:
    """Does a bracket that stands here hold all the names that are bound?"""
    return p.next.text in ("(", "[") and p.pieces[p.next.closer + 1].text in ("=", "in")


def _target(p: Typesetter, node: tree.BindingTarget) -> Doc:
    return _bound(p, node.names, p.show)


def _bound(p: Typesetter, names: Sequence[tree.Identifier], show: Callable[[tree.Identifier], Doc]) -> Doc:
    """Names with the brackets around all of them; behind one name, a comma counts."""
    opener = p.take() if _opens_all(p) else ""
    docs = tuple(((p.take(), " ") if n else "", show(name)) for n, name in enumerate(names))
    comma = p.comma(True) if p.next.text == "," else ""
    return opener, docs, comma if len(names) == 1 else "", p.take() if opener else ""


def _unbindable(p: Typesetter, node: tree.Unbindable) -> Doc:
    return p.joined(node.values)


def _input(p: Typesetter, node: tree.Input) -> Doc:
    docs = [p.take(), " ", p.show(node.name)]
    if node.sizes is not None:
        docs += [" ", p.items(node.sizes)]
    docs.append(p.shown(node.dtype))
    if node.limit is not None:
        limit = node.limit
        docs.append(p.bracketed(lambda: p.show(limit)))
    return tuple(docs)


def _output(p: Typesetter, node: tree.Output) -> Doc:
    return p.take(), " ", p.joined(node.items)


def _produced(p: Typesetter, node: tree.Produced) -> Doc:
    name = "" if node.name is None else (p.show(node.name), " ", p.take(), " ")
    return name, p.show(node.value)


def _weight(p: Typesetter, node: tree.WeightDeclaration | tree.StateDeclaration) -> Doc:
    head = (p.take(), " ", p.show(node.name), " ", p.items(node.sizes))
    return head, (" ", p.joined(node.options)) if node.options else ""


def _state(p: Typesetter, node: tree.StateDeclaration) -> Doc:
    head = _weight(p, node)
    return head if node.start is None else (head, " ", p.take(), " ", p.show(node.start))


def _next(p: Typesetter, node: tree.Next) -> Doc:
    return p.take(), " ", p.show(node.name)


def _advance(p: Typesetter, node: tree.NextStatement) -> Doc:
    target = _bound(p, node.target.names, lambda name: _told(p, name))
    return target, " ", p.take(), " ", p.joined(node.values)


def _told(p: Typesetter, name: tree.Identifier) -> Doc:
    """`next name`, and the brackets around it."""
    return p.bracketed(lambda: _told(p, name)) if p.next.text == "(" else (p.take(), " ", p.show(name))


def _set(p: Typesetter, node: tree.Shared | tree.Const) -> Doc:
    """`layer name = step`, `const name = value`"""
    value = node.step if isinstance(node, tree.Shared) else node.value
    return p.take(), " ", p.show(node.name), " ", p.take(), " ", p.show(value)


def _expect(p: Typesetter, node: tree.Expect) -> Doc:
    return p.take(), " ", p.show(node.condition)


def _as(p: Typesetter, name: tree.Identifier | None) -> Doc:
    return "" if name is None else (" ", p.take(), " ", p.show(name))


def _repeat(p: Typesetter, node: tree.Repeat) -> Doc:
    return p.take(), " ", p.show(node.count), _as(p, node.name), " ", p.show(node.body), _as(p, node.result)


def _for(p: Typesetter, node: tree.For) -> Doc:
    head = (p.take(), " ", p.show(node.target), " ", p.take(), " ", p.show(node.items))
    return head, _as(p, node.name), " ", p.show(node.body), _as(p, node.result)


def _if(p: Typesetter, node: tree.If) -> Doc:
    """All branches on one line, each on a line of its own, or all of them broken."""
    docs = [_branch(p, node)]
    branches, broken, apart, remarked = docs[:], _lines(node.body), False, False
    last: tree.If | None = node
    while last is not None and last.otherwise is not None:
        apart, remarked = apart or p.next.newline, remarked or bool(p.next.remarks)
        docs.append((p.remarks(), HARD) if p.next.remarks else " ")
        last, body = _else(last.otherwise)
        broken = broken or _lines(body)
        branches.append((p.bare(), " ", p.body(body) if last is None else _branch(p, last)))
        docs.append(branches[-1])
    return Branches(tuple(branches)) if apart and not broken and not remarked else Group(tuple(docs), broken)


def _else(node: Node) -> tuple[tree.If | None, tree.Braces]:
    """What stands behind `else`: another `if` or none, and its body."""
    if isinstance(node, tree.If):
        return node, node.body
    assert isinstance(node, tree.Braces)
    return None, node


def _branch(p: Typesetter, node: tree.If) -> Doc:
    return p.take(), " ", p.show(node.condition), " ", p.body(node.body)


def _binding(p: Typesetter, node: tree.Binding) -> Doc:
    return p.show(node.target), " ", p.take(), " ", p.joined(node.values)


def _flow(p: Typesetter, node: tree.Flow) -> Doc:
    return p.show(node.value)


# --- definitions ---------------------------------------------------------------------------------------------------


def _parameter(p: Typesetter, node: tree.ParameterDeclaration) -> Doc:
    return p.show(node.name), "" if node.default is None else (p.take(), p.show(node.default))


def _definition(p: Typesetter, node: tree.Definition) -> Doc:
    head = (p.take(), " ", p.show(node.name))
    return head, p.items(node.parameters) if p.next.text == "(" else "", " ", p.show(node.body)


def _import(p: Typesetter, node: tree.Import) -> Doc:
    return p.take(), " ", p.show(node.path), _as(p, node.name)


def _import_names(p: Typesetter, node: tree.ImportNames) -> Doc:
    head = (p.take(), " ", p.show(node.path), " ", p.take(), " ")
    if p.next.text == "(":
        return head, p.items(node.items)
    names = p.joined(node.items)
    if p.next.text == ",":
        p.comma(True)
    return head, names


def _imported(p: Typesetter, node: tree.Imported) -> Doc:
    return p.show(node.name), _as(p, node.alias)


PRINTED: dict[type, Callable[[Typesetter, Any], Doc]] = {
    tree.Identifier: _leaf,
    tree.Name: _leaf,
    tree.Literal: _leaf,
    tree.Ellipsis: _leaf,
    tree.TupleExpression: _group,
    tree.List: _list,
    tree.Comprehension: _comprehension,
    tree.CallExpression: _call,
    tree.Keyword: _keyword,
    tree.Subscript: _subscript,
    tree.SliceExpression: _slice,
    tree.Attribute: _attribute,
    tree.Unary: _unary,
    tree.Chain: _chain,
    tree.Conditional: _conditional,
    tree.NamedStep: _named,
    tree.Pipeline: _pipeline,
    tree.Braces: _body,
    tree.BindingTarget: _target,
    tree.Unbindable: _unbindable,
    tree.Input: _input,
    tree.Output: _output,
    tree.Produced: _produced,
    tree.WeightDeclaration: _weight,
    tree.StateDeclaration: _state,
    tree.Next: _next,
    tree.NextStatement: _advance,
    tree.Shared: _set,
    tree.Const: _set,
    tree.Expect: _expect,
    tree.Repeat: _repeat,
    tree.For: _for,
    tree.If: _if,
    tree.Binding: _binding,
    tree.Flow: _flow,
    tree.ParameterDeclaration: _parameter,
    tree.Import: _import,
    tree.ImportNames: _import_names,
    tree.Imported: _imported,
    tree.Definition: _definition,
}
