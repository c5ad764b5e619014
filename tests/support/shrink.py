"""Shrink a spec: the smallest text found that still has some property.

Pieces of the text are cut out or replaced by what stands within them, as the syntax tree tells, the largest first. What
the compiler refuses is passed over, so that only valid specs are put to the test.
"""

from __future__ import annotations

from netspec.api import check
from netspec.base.diagnostics import Collector
from netspec.base.source import Source
from netspec.syntax import tree
from netspec.syntax.parser import parse

# what stands between the items of a list, by the field that holds it
SEPARATORS = {"statements": "\n", "stages": " -> ", "definitions": "\n"}
EXPRESSIONS = (
    *(
        tree.Name,
        tree.Literal,
        tree.TupleExpression,
        tree.List,
        tree.Comprehension,
        tree.CallExpression,
        tree.Subscript,
        tree.Attribute,
    ),
    *(tree.Unary, tree.Chain, tree.Conditional, tree.NamedStep, tree.Pipeline, tree.Braces),
)
LOOPS = (tree.Repeat, tree.For, tree.If)


def shrink(text, fails, most=300):
    """The smallest text found that `fails`, which is asked at most so many times."""
    seen, asked, again = {text}, 0, True
    while again:
        again = False
        for candidate in sorted(candidates(text), key=len):
            if candidate in seen or asked >= most:
                continue
            seen.add(candidate)
            if not _is_valid(candidate):
                continue
            asked += 1
            if fails(candidate):
                text, again = candidate, True
                break
    return text


def _is_valid(text):
    try:
        return check(Source("shrunk", text)).ok
    except Exception:  # a compiler that breaks down is a fault worth shrinking
        return True


def candidates(text):
    """Texts with a piece less, or with one that is simpler."""
    source = Source("shrunk", text)
    spec = parse(source, Collector())
    for start, end, instead in _changes(spec, text):
        yield text[:start] + instead + text[end:]


def _changes(spec, text):
    """Places in the text, each with what may stand there instead."""
    yield from _fewer(spec.definitions, "\n", text)
    for node in tree.walk(spec.definitions):
        for field, items in node.__dict__.items():
            if isinstance(items, tuple) and items and all(isinstance(i, tree.Node) for i in items):
                yield from _fewer(items, SEPARATORS.get(field, ", "), text)
        yield from ((node.span.start, node.span.end, instead) for instead in _simpler(node, text))


def _fewer(items, separator, text):
    """The items of a list, less some in a row."""
    count = len(items)
    size = count
    while size:
        for first in range(0, count - size + 1, max(1, size // 2)):
            left = [_text(item, text) for k, item in enumerate(items) if not first <= k < first + size]
            yield items[0].span.start, items[-1].span.end, separator.join(left)
        size //= 2


def _simpler(node, text):
    """What may stand instead of a node."""
    if isinstance(node, LOOPS):
        yield _inner(node.body, text)
        if isinstance(node, tree.If) and node.otherwise is not None:
            yield text[node.span.start : node.body.span.end]
            yield (
                _inner(node.otherwise, text) if isinstance(node.otherwise, tree.Braces) else _text(node.otherwise, text)
            )
    elif isinstance(node, tree.Literal):
        yield from _smaller(node.value)
    elif isinstance(node, tree.Binding) and len(node.values) == 1:
        yield _text(node.values[0], text)
    elif isinstance(node, EXPRESSIONS):
        yield "identity"
        yield from (
            _text(child, text) for child in tree.walk(node) if isinstance(child, EXPRESSIONS) and child is not node
        )


def _smaller(value):
    if isinstance(value, bool) or not isinstance(value, int):
        return
    yield from (str(n) for n in (1, 2, 3, value // 2, value - 1) if n < value)


def _text(node, text):
    return text[node.span.start : node.span.end]


def _inner(body, text):
    """The statements of a body without its braces."""
    return _text(body, text).strip()[1:-1].strip()
