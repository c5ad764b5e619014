"""One layer applied: its arguments bound, its shapes worked out, its step added to the body."""

from __future__ import annotations

from ..base.diagnostics import did_you_mean
from ..base.dims import show, symbols
from ..base.record import TYPE_CHECKING
from ..base.source import Span
from ..ir.types import Step, Tensor
from ..layers import LAYERS
from ..layers.arguments import Violation
from ..layers.base import bind
from ..layers.shapes import held
from ..syntax import tree
from .arguments import tensors_in
from .doubts import SHAPED, doubt_arguments, habit_help, misread, misread_window
from .given import Given
from .lookup import loose_name, unknown
from .makers import lost_time
from .session import NEW_LAYER, Poison, kind_of
from .sizes import with_sizes

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ..base.dims import Shape
    from ..layers.base import Layer
    from ..syntax.tree import Node
    from .scope import Context, Scope


def layer(
    at: Context,
    kind: str,
    values: Mapping[str, Any],
    inputs: tuple[Tensor, ...],
    span: Span,
    written: Mapping[str, tuple[Any, Span, Node]] | None = None,
    given: Given | None = None,
) -> Any:
    """One layer applied to tensors: a new step of the body, or a hole."""
    scope = at.scope
    scope.session.spend_items(span, values.values())
    try:
        inputs = with_sizes(scope, kind, values, inputs)
    except Violation as violation:
        return violated(at, kind, violation, inputs, span, written or {})
    key = (kind, value_key(values) if values else (), tuple([(t.shape, t.dtype) for t in inputs]))
    known = scope.session.cache.layers.get(key)
    if known is None:
        scope.session.spend(span, NEW_LAYER)
        other = misread(kind, values, inputs, given)
        try:
            known = _checked(kind, values, inputs)
        except Violation as violation:
            if violation.code == "window-too-large":
                other = misread_window(kind, values, inputs, given)
            violation.help = other or violation.help
            return violated(at, kind, violation, inputs, span, written or {})
        if other:
            doubt_arguments(at, kind, values, span, other)
        scope.session.cache.layers[key] = known
    made, shapes, dtype = known
    if kind == "dense" and inputs[0].flattened:
        return _unsized(at, inputs[0], span)
    made, inputs = scope.padding.skipping(made, inputs, span, scope.session.faults)
    mask = _mask(scope, inputs[0], span) if made.marks_padding else None
    label = given.label if given is not None and given.label is not None else at.chosen
    name, chosen = scope.name_for(made.word, label)
    flowing = made.flowing(inputs)
    batched = any(t.batched for t in flowing)
    flattened = _flattened(made, inputs)
    results = tuple([scope.tensor(shape, dtype, span, batched, flattened) for shape in shapes])
    shared_instance = scope.shared.instance if scope.shared is not None else None
    nodes = {n: w[2] for n, w in written.items()} if written else {}
    frozen = given is not None and given.frozen
    scope.add(Step(name, chosen, made, inputs, results, span, nodes, frozen, shared_instance), 1)
    if scope.padding.begun:
        scope.padding.note(made.by_step, flowing, results, span)
    if mask is not None:
        scope.padding.begin(mask, results[0], span)
    return results[0] if len(results) == 1 and not made.lists else results


def _mask(scope: Scope, places: Tensor, span: Span) -> Tensor:
    """Which integers are no padding: a value of its own for each use, also where the embedding is shared."""
    made, (shape,), dtype = _checked("not_equal", {"to": 0}, (places,))
    value = scope.tensor(shape, dtype, span, places.batched)
    scope.labels[value.number] = "mask"
    scope.add(Step(scope.namer.automatic("mask"), "", made, (places,), (value,), span, {}), 1)
    return value


def _flattened(made: Layer, inputs: tuple[Tensor, ...]) -> Shape:
    """What a flatten makes of sizes that are not known; what works on each number alone hands it on."""
    if made.kind == "flatten":
        shape = inputs[0].shape
        return shape if any(not isinstance(size, int) for size in shape[:-1]) else ()
    return inputs[0].flattened if made.pointwise and inputs else ()


def _unsized(at: Context, value: Tensor, span: Span) -> Poison:
    """A dense layer behind a flatten has weights for each place, so the number of places must be known."""
    shape = value.flattened
    names = list(dict.fromkeys(name for size in shape[:-1] for name in symbols(size)))
    listed = " and ".join(f"`{name}`" for name in names)
    return at.scope.session.fault(
        "unknown-size",
        f"dense needs the size of what flows in, but {show(value.shape)} hangs on {listed}",
        span,
        f"{show(shape)} was flattened before it",
        ((value.span, "it comes from here"),),
        f"put `global_avgpool` in place of `flatten`, or bind it with `--set {names[0]}=64`",
    )


def value_key(values: Mapping[str, Any]) -> tuple[Any, ...]:
    """Arguments as a key; with their types, since 1, 1.0 and true are equal to Python."""
    return tuple([(name, value, type(value)) for name, value in values.items()])


_HOLDS = {"float": "real numbers", "int": "whole numbers", "bool": "true and false"}
# by what is needed and what is there
_REMEDIES = {
    ("float", "int"): "put `embedding` or `cast(float)` before it",
    ("float", "bool"): "put `cast(float)` before it",
    ("int", "float"): "declare the input as `input x [T] int(vocabulary)`",
    ("int", "bool"): "put `cast(int)` before it",
    ("bool", "float"): "compare it with something: `x > 0`",
    ("bool", "int"): "compare it with something: `x > 0`",
}


def _checked(kind: str, values: Mapping[str, Any], inputs: tuple[Tensor, ...]) -> tuple[Layer, tuple[Shape, ...], str]:
    cls = LAYERS[kind]
    made = bind(cls, values)
    if cls.arity is None and len(inputs) < cls.least:
        raise Violation("wrong-arity", f"`{kind}` needs at least {cls.least} values", help=f"write `{kind}(a, b)`")
    if cls.most is not None and len(inputs) > cls.most:
        raise Violation("wrong-arity", f"`{kind}` takes at most {cls.most} values, not {len(inputs)}")
    for tensor, wanted in zip(inputs, made.kinds(len(inputs))):
        holds = tensor.dtype.rstrip("0123456789")
        if wanted not in ("any", holds):
            message = f"{cls.word} needs {_HOLDS[wanted]}, but its input holds {_HOLDS[holds]} ({tensor.dtype})"
            raise Violation("wrong-dtype", message, help=_REMEDIES[wanted, holds])
    shapes = tuple(t.shape for t in inputs)
    made = made.measured(*shapes)
    return made, tuple(map(held, made.shapes(*shapes))), made.dtype(*(t.dtype for t in inputs))


def violated(
    at: Context, kind: str, violation: Violation, inputs: tuple[Tensor, ...], span: Span, written: Mapping[str, Any]
) -> Poison:
    """The argument at fault, or else the step with the shape that flows into it; and where that comes from."""
    loose = _loose(at.scope, kind, violation, written)
    if loose is not None:
        return unknown(at.scope, loose, number=True)
    if violation.argument in written:
        return _argument_at_fault(at, kind, violation, inputs, *written[violation.argument])
    others, label, help = [], violation.label, violation.help
    if len(inputs) == 1 and not label:
        origin = inputs[0].span
        label = f"the flow here is {show(inputs[0].shape)}, from {_origin(origin)} on line {origin.line}"
    if len(inputs) > 1:
        others = list(dict.fromkeys((t.span, f"this is {show(t.shape)}") for t in inputs if t.span != span))
    habit = habit_help(at.scope.session.inputs) if violation.code in SHAPED else ""
    help = "\n".join(filter(None, (habit, help)))
    lost = lost_time(at.scope, inputs[0]) if violation.code == "no-time-axis" and inputs else None
    if lost is not None:
        others, help = [(lost[0], lost[1])], lost[2]
    return at.scope.session.fault(violation.code, violation.message, span, label, tuple(others), help)


def _argument_at_fault(
    at: Context, kind: str, violation: Violation, inputs: tuple[Tensor, ...], value: Any, place: Span, node: Node
) -> Poison:
    """The argument, or of several values in it those that are at fault; and where they, or what flows in, come from."""
    violation = _as_written(at.scope, kind, violation, value, node)
    others = []
    if violation.values is not None:
        wrong = _values(at, node)[violation.values]
        others = [(t.span, f"this is {show(t.shape)}") for _, t in wrong if t is not None]
        place = wrong[0][0] if len(wrong) == 1 else place
    elif len(inputs) > 1:
        others = [(t.span, f"this is {show(t.shape)}") for t in inputs if t.span != place]
    elif inputs and violation.code != "wrong-value":
        others = [(inputs[0].span, f"the input, {show(inputs[0].shape)}, comes from here")]
    unique = tuple(dict.fromkeys(others))
    habit = habit_help(at.scope.session.inputs) if violation.code in SHAPED else ""
    help = "\n".join(filter(None, (habit, violation.help)))
    return at.scope.session.fault(violation.code, violation.message, place, violation.label, unique, help)


def _values(at: Context, node: Node) -> list[tuple[Span, Tensor | None]]:
    """The values of the net that an argument was given: where it says so, and each that has a name there."""
    found: list[tuple[Span, Tensor | None]] = []
    for part in node.items if isinstance(node, tree.TupleExpression) else (node,):
        named = tensors_in(at.scope.names.get(part.text)) if isinstance(part, tree.Name) else None
        found += [(part.span, tensor) for tensor in named or (None,)]
    return found


def _as_written(scope: Scope, kind: str, violation: Violation, value: Any, node: Node) -> Violation:
    """The violation, with what only the text can tell of a value."""
    message, help = violation.message, violation.help
    if not help and loose_name(scope, value, node) is not None:
        help = did_you_mean(value, [name for name, known in scope.names.items() if isinstance(known, Tensor)])
    if isinstance(value, Tensor):
        reader = LAYERS[kind].arguments[violation.argument].reader
        message = f"`{violation.argument}` of {LAYERS[kind].word} must be {reader.doc}, not {kind_of(value)}"
        if (
            isinstance(node, tree.CallExpression)
            and isinstance(node.callee, tree.Name)
            and node.callee.text in reader.words
        ):
            word = node.callee.text
            help = reader.instead.format(node.span.text) if node.arguments else f"write `{word}` alone"
    elif isinstance(node, tree.Literal) and (whole := _thousands(node.span)):
        help = f"a number holds no `,`: thousands are parted by `_`, as in `{whole}`"
    elif isinstance(value, float) and isinstance(node, tree.Chain) and "/" in node.operators:
        help = "`//` divides and rounds down"
    return Violation(violation.code, message, violation.argument, help, violation.label, violation.values)


def _thousands(span: Span) -> str:
    """The number that the arguments of a call hold up to here as two, as `30_522` of `(30,522`; empty without one."""
    line = span.source.text[max(span.start - _FURTHEST, 0) : span.end]
    parts = line.rpartition("(")[2].replace(", ", ",,").split(",")
    places = [k for k, part in enumerate(parts) if k and len(part) == 3 and part.isdigit() and parts[k - 1].isdigit()]
    return "_".join(parts[places[0] - 1 : places[0] + 1]) if places else ""


# how far the arguments before one are looked at
_FURTHEST = 60


def _loose(scope: Scope, kind: str, violation: Violation, written: Mapping[str, Any]) -> tree.Name | None:
    """The fault where it is a bare name that nothing binds, in a place that asks for no word."""
    argument = violation.argument
    declared = LAYERS[kind].arguments.get(argument)
    if violation.code != "wrong-value" or argument not in written or declared is None or declared.reader.words:
        return None
    value, _, node = written[argument]
    loose = loose_name(scope, value, node)
    return None if loose is None or loose.text in LAYERS else loose


def _origin(span: Span) -> str:
    """What a value comes from, in few words: the step, or the operation if it is short."""
    text = span.text
    words = text.partition("(")[0].split()
    if words[:1] in (["input"], ["weight"]):
        return " ".join(words[:2])
    if len(words) == 1 and words[0].replace(".", "").replace("_", "").isalnum():
        return words[0]
    return f"`{text}`" if len(text) <= _SHORT and "\n" not in text else "what is worked out"


_SHORT = 30
