"""`input`: the shape that a net asks for, the shape that comes into a block."""

from __future__ import annotations

from ..base.bounds import LARGEST_SIZE
from ..base.diagnostics import nearest
from ..base.dims import DimExpr, floor_div, show, substitute, symbol
from ..base.record import TYPE_CHECKING
from ..ir.types import Port, Tensor
from ..layers.arguments import CONSTANTS, Violation, Word, describe
from ..layers.shapes import held
from ..syntax import tree
from .lookup import names_step, unknown
from .session import POISON, Poison, kind_of

if TYPE_CHECKING:
    from typing import Any

    from ..base.dims import Dim, Shape
    from ..base.source import Span
    from ..syntax.tree import Node
    from .scope import Scope


def declare_input(scope: Scope, node: tree.Input) -> None:
    if id(node) not in scope.session.plan(scope.definition).written:
        _misplaced(scope, node)
    if isinstance(scope.flow, Tensor) and scope.flow not in [p.value for p in scope.ports]:
        help = "move it up, before all steps"
        scope.session.fault("misplaced-input", "this input stands behind the first steps", node.span, help=help)
    value = _net_input(scope, node) if scope.top else _block_input(scope, node)
    scope.bind(node.name, POISON if node.name.text in scope.arguments else value)  # two things of one name are told of
    if isinstance(value, Tensor):
        scope.ports.append(Port(node.name.text, value, None if node.limit is None else _limit(scope, node.limit)))
        if scope.top:
            scope.session.inputs.append(scope.ports[-1])
    scope.flow = value if len(scope.ports) <= 1 else None


def _misplaced(scope: Scope, node: tree.Input) -> None:
    word = scope.definition.word
    choice = "; a choice (`if`) may stand around it" if word == "net" else ""
    message = f"an input stands at the top of its {word}, not in braces"
    scope.session.fault("misplaced-input", message, node.span, help=f"move it out of the braces{choice}")


def _limit(scope: Scope, node: tree.Node) -> Dim | None:
    """The bound of `int(bound)`; None where it is none, which is reported."""
    value = scope.evaluate(node)
    if isinstance(value, Word) and isinstance(node, tree.Name):
        unknown(scope, node, number=True)
    elif isinstance(value, DimExpr) or (type(value) is int and 1 <= value <= LARGEST_SIZE):
        return value
    elif value is not POISON:
        message = f"whole numbers are bounded by a whole number of at least 1, not by {kind_of(value)}"
        scope.session.fault("wrong-value", message, node.span, help="`int(1000)` holds 0 to 999")
    return None


_DTYPES = {"int": "int64", "float": "float32", "bool": "bool"}


def _net_input(scope: Scope, node: tree.Input) -> Any:
    if node.sizes is None:
        return scope.session.fault(
            "missing-shape",
            f"the input `{node.name.text}` of a net needs a shape",
            node.span,
            help=f"write `input {node.name.text} [224, 224, 3]`",
        )
    sizes = []
    for size in node.sizes:
        if isinstance(size, tree.Ellipsis):
            return scope.session.fault(
                "wrong-value", "`...` stands for axes of a block's input; a net must say its own", size.span
            )
        if isinstance(size, tree.Name) and size.text in CONSTANTS:
            return scope.session.fault("wrong-value", "a size is a number or a name", size.span, help=NO_BATCH)
        for name in free_names(scope, size):
            scope.symbols[name] = None
            scope.names[name] = symbol(name)
        value = scope.evaluate(size)
        if value is POISON:
            return POISON
        if isinstance(value, bool) or not isinstance(value, int | DimExpr) or (isinstance(value, int) and value < 1):
            return scope.session.fault(
                "wrong-value",
                f"a size is a whole number of at least 1, not {kind_of(value)}",
                size.span,
                help=_size_help(value),
            )
        sizes.append(value)
    dtype = _DTYPES.get(node.dtype.text) if node.dtype is not None else "float32"
    if dtype is None and node.dtype is not None:
        return _no_type(scope, node)
    return declared(scope, tuple(sizes), dtype or "float32", node.span)


def declared(scope: Scope, shape: Shape, dtype: str, span: Span, batched: bool = True) -> Tensor | Poison:
    """A value whose shape was written, of an input, a weight or a state."""
    try:
        return scope.tensor(held(shape), dtype, span, batched)
    except Violation as violation:
        return scope.session.fault(violation.code, violation.message, span)


_TYPES = {"long": "int", "short": "int", "uint": "int", "double": "float", "half": "float", "bfloat": "float"}


def _type_help(name: str) -> str:
    word = name.rstrip("0123456789_t")
    word = _TYPES.get(word, word)
    meant = word if word in _DTYPES else nearest(word, _DTYPES)
    return f"write `{meant}`" if meant else "types are float, int and bool"


NO_BATCH = "the batch is never written; a size that is not known yet is a name, such as `T`"


def _size_help(value: Any) -> str:
    if isinstance(value, tuple):
        return f"sizes stand apart: `[{', '.join(map(describe, value))}]`"
    return NO_BATCH if value is None or value == -1 else ""


def _block_input(scope: Scope, node: tree.Input) -> Any:
    place = len(scope.ports)
    value = scope.given[place] if place < len(scope.given) else POISON
    if not isinstance(value, Tensor):
        return POISON
    inner = scope.tensor(value.shape, value.dtype, node.span, value.batched, value.flattened)
    if not _match_dtype(scope, node, value):
        return POISON
    if node.sizes is not None and not _match_sizes(scope, node, value.shape):
        lost = (name for size in node.sizes for name in free_names(scope, size))
        scope.names.update(dict.fromkeys(lost, POISON))
        return POISON
    return inner


def _match_dtype(scope: Scope, node: tree.Input, value: Tensor) -> bool:
    """Hold the type that is declared (in a net it is float where none is) against what comes in."""
    definition = scope.definition
    if node.dtype is None and definition.word != "net":
        return True
    wanted = _DTYPES.get(node.dtype.text) if node.dtype is not None else "float32"
    if wanted is None:
        _no_type(scope, node)
        return False
    if wanted.rstrip("0123456789") == value.dtype.rstrip("0123456789"):
        return True
    scope.session.fault(
        "wrong-dtype",
        f"{definition.word} {definition.name.text} wants {wanted} here, but {value.dtype} comes in",
        _called_at(scope, node),
        "called here",
        ((node.span, "declared here"),),
    )
    return False


def _no_type(scope: Scope, node: tree.Input) -> Poison:
    assert node.dtype is not None
    name, span = node.dtype.text, node.dtype.span
    if names_step(scope, name):
        help = f"write `;` before `{name}`, or begin a new line"
        return scope.session.fault("wrong-value", f"`{name}` is a step, and a type should stand here", span, help=help)
    return scope.session.fault("wrong-value", f"there is no type `{name}`", span, help=_type_help(name))


def _called_at(scope: Scope, node: tree.Input) -> Span:
    return scope.session.chain[-1][1] if scope.session.chain else node.span


def _match_sizes(scope: Scope, node: tree.Input, shape: Shape) -> bool:
    """Bind the names of `[h, w, c]`, and hold the numbers against what comes in."""
    written = list(node.sizes or ())
    dots = [i for i, s in enumerate(written) if isinstance(s, tree.Ellipsis)]
    where, whole = _called_at(scope, node), _whole(scope)
    count = len(written) - len(dots)
    if count > len(shape) or (not dots and count != len(shape)):
        scope.session.fault(
            "wrong-rank",
            f"{whole} takes {count} {'axis' if count == 1 else 'axes'}, but {show(shape)} comes in",
            where,
            "called here",
            ((node.span, "declared here"),),
        )
        return False
    head = dots[0] if dots else len(written)
    pairs = list(zip(written[:head], shape)) + (
        list(zip(written[::-1], shape[::-1]))[: len(written) - head - 1] if dots else []
    )
    # names that stand alone say what they are, and then others can be worked out
    pairs.sort(key=lambda pair: not isinstance(pair[0], tree.Name))
    return all(_fits(scope, node, size, actual, shape) for size, actual in pairs)


def _fits(scope: Scope, node: tree.Input, size: Node, actual: Dim, shape: Shape) -> bool:
    """Bind the name in one written size, or hold its number against what comes in."""
    names = free_names(scope, size)
    if isinstance(size, tree.Name) and names:
        scope.sizes[size.text] = scope.names[size.text] = actual
        return True
    if names and not _solve(scope, node, size, names, actual, shape):
        return False
    wanted = scope.evaluate(size)
    if wanted == actual:
        return True
    if isinstance(wanted, int | DimExpr):
        message = f"{_whole(scope)} wants {wanted} here, but {show(shape)} comes in with {actual}"
        _misfit(scope, "shape-mismatch", message, size, node, shape, f"{wanted} is asked for here")
    elif wanted is not POISON:
        scope.session.fault("wrong-value", f"a size is a whole number, not {kind_of(wanted)}", size.span)
    return False


def _misfit(
    scope: Scope, code: str, message: str, size: Node, node: tree.Input, shape: Shape, label: str, help: str = ""
) -> None:
    """Report that what comes in has another size than the one that is written."""
    where = _called_at(scope, node)
    scope.session.fault(code, message, where, f"this gives it {show(shape)}", ((size.span, label),), help)


def _whole(scope: Scope) -> str:
    return f"{scope.definition.word} {scope.definition.name.text}"


def free_names(scope: Scope, size: Node) -> tuple[str, ...]:
    """The names in a written size that nothing binds, each once."""
    found: dict[str, None] = {}
    todo = [size]
    while todo:
        node = todo.pop(0)
        if isinstance(node, tree.Name) and node.text not in scope.names and node.text not in scope.design.constants:
            found[node.text] = None
        todo[:0] = _operands(node)
    return tuple(found)


def _operands(node: Node) -> tuple[Node, ...]:
    """What an expression is worked out of."""
    if isinstance(node, tree.Chain):
        return node.operands
    if isinstance(node, tree.Unary):
        return (node.operand,)
    return node.arguments if isinstance(node, tree.CallExpression) else ()


def _solve(scope: Scope, node: tree.Input, size: Node, names: tuple[str, ...], actual: Dim, shape: Shape) -> bool:
    """Bind the one name in a written size, so that the size is what comes in. Another input may say what it is."""
    known = {name: found for name in names if (found := _ahead(scope, name)) is not None}
    for name, value in known.items():
        scope.sizes[name] = scope.names[name] = value
    left = [name for name in names if name not in known]
    if not left:
        return True
    solved = _solution(scope, size, left, actual)
    if isinstance(solved, DimExpr) or (isinstance(solved, int) and solved >= 1):
        scope.sizes[left[0]] = scope.names[left[0]] = solved
        return True
    if isinstance(solved, Poison):
        return False
    listed = " and ".join(f"`{name}`" for name in left)
    code, help = "shape-mismatch", f"no whole number {listed} makes {size.span.text} of {actual}"
    if isinstance(actual, DimExpr):
        code, help = "unknown-size", f"say so where {actual} comes from: `input x [{size.span.text}]`"
    message = f"{_whole(scope)} wants {size.span.text} here, but {show(shape)} comes in with {actual}"
    _misfit(scope, code, message, size, node, shape, f"{listed} is worked out of it", help)
    return False


def _ahead(scope: Scope, name: str) -> Dim | None:
    """What a later input says that a name is."""
    written = tree.inputs(scope.definition)
    for port, value in list(zip(written, scope.given))[len(scope.ports) + 1 :]:
        sizes = list(port.sizes or ())
        if len(sizes) != len(value.shape) or any(isinstance(size, tree.Ellipsis) for size in sizes):
            continue
        for size, actual in zip(sizes, value.shape):
            if isinstance(size, tree.Name) and size.text == name:
                return actual
    return None


def _solution(scope: Scope, size: Node, names: list[str], actual: Dim) -> Dim | Poison | None:
    """What the one name in a size must be; None where there are several, or no whole number is."""
    if len(names) > 1:
        return None
    unknown = f"{names[0]}?"  # a name that no symbol has
    scope.names[names[0]] = symbol(unknown)
    value = scope.evaluate(size)
    del scope.names[names[0]]
    if not isinstance(value, int | DimExpr):
        return POISON if value is POISON else None
    rest = substitute(value, {unknown: 0})
    factor = substitute(value, {unknown: 1}) - rest
    if factor == 0 or value != symbol(unknown) * factor + rest:
        return None
    found = floor_div(actual - rest, factor)
    return found if found * factor == actual - rest else None
