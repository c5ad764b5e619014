"""What stands behind an arrow and is no step, and lines that do not go on: where brackets and arrows belong."""

from __future__ import annotations

from ..base.diagnostics import Diagnostic, Label
from ..base.record import TYPE_CHECKING
from ..layers.activations import WORDS
from ..layers.arguments import Word
from ..syntax import tree
from ..syntax.habits import GOES_ON, goes_on
from .lookup import names_step
from .session import POISON, SharedStep

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..syntax.tree import Node
    from .scope import Scope
    from .session import Poison

# a text that is longer is not shown whole
_LONGEST = 60


def no_step(scope: Scope, stages: Sequence[Node], place: int) -> Poison:
    """Report the stage of a pipeline that is no step; of several operations in one the first."""
    if any(_parts(stage) for stage in stages[1:place]):
        return POISON
    stage = stages[place]
    step = stage.step if isinstance(stage, tree.NamedStep) else stage
    message = "a step should stand after `->`: a layer, a block or `{ ... }`"
    return scope.session.fault("not-a-step", message, step.span, help=_help(scope, stages, place, step))


def _help(scope: Scope, stages: Sequence[Node], place: int, step: Node) -> str:
    if isinstance(step, tree.TupleExpression | tree.List):
        return f"branches are joined: `concat({', '.join(item.span.text for item in step.items)})`"
    if isinstance(step, tree.Literal):
        return f"leave the quotes out: `{step.value}`" if isinstance(step.value, str) else ""
    parts = _parts(step)
    steps = [part for part in parts if _is_step(scope, part)]
    if len(steps) > 1:
        return f"in braces each of them takes what flows in: `-> {{ {_short(step.span.text)} }}`"
    if isinstance(step, tree.Unary) and not steps and step.operator != "not":
        return f"in braces the flow is `identity`: `-> {{ identity {step.operator} {_short(parts[0].span.text)} }}`"
    if not steps:
        return "a pipeline starts with a value and goes on with steps; `add(a, b)` joins two values"
    return f"bracket it: `{_bracketed(scope, stages, place, step, steps[0])}`"


def value_help(scope: Scope, name: str) -> str:
    """What to do where a value stands in the place of a step: it may be meant for a layer that is used again."""
    bindings = [n for n in tree.walk(scope.definition.body) if isinstance(n, tree.Binding) and len(n.values) == 1]
    for binding in bindings:
        names = [n.text for n in getattr(binding.target, "names", ())]
        if names == [name] and _is_step(scope, binding.values[0]):
            return f"a layer that is used again is declared: `layer {name} = {_short(binding.values[0].span.text)}`"
    return "a pipeline starts with a value and goes on with steps; to join two values write `add(a, b)`"


def word_help(value: object, said: str) -> str:
    """What to do where a word stands in the place of a step: `act`, which a caller gave as `relu`."""
    given = isinstance(value, Word) and value in WORDS
    return f"an activation that is given as a word is applied by `activation({said})`" if given else ""


def _parts(node: Node) -> tuple[Node, ...]:
    """What an operation is done to."""
    if isinstance(node, tree.Chain):
        return tuple(part for operand in node.operands for part in (_parts(operand) or (operand,)))
    if isinstance(node, tree.Unary):
        return _parts(node.operand) or (node.operand,)
    return (node.value,) if isinstance(node, tree.Subscript | tree.Attribute) else ()


def _is_step(scope: Scope, node: Node) -> bool:
    if isinstance(node, tree.CallExpression | tree.Braces):
        return True
    if not isinstance(node, tree.Name):
        return False
    bound = scope.names.get(node.text)
    return isinstance(bound, SharedStep) if bound is not None else names_step(scope, node.text)


def _bracketed(scope: Scope, stages: Sequence[Node], place: int, step: Node, inner: Node) -> str:
    """The pipeline as far as the one step of an operation, in brackets, and the operation around it."""
    source = step.span.source.text
    before, behind = source[step.span.start : inner.span.start], source[inner.span.end : step.span.end]
    flow = _short(source[stages[0].span.start : stages[place - 1].span.end])
    last = _parts(step)[-1]
    again = isinstance(last, tree.Name) and last.text == stages[0].span.text
    if again and last is not inner and place + 1 < len(stages):
        after = stages[place + 1]
        follows = next(iter(_parts(after)), after)
        cut = source[inner.span.end : last.span.start]
        return f"{before}({flow} -> {inner.span.text}){cut}({last.span.text} -> {follows.span.text})"
    return f"{before}({flow} -> {_short(inner.span.text)}){_short(behind)}"


def _short(text: str) -> str:
    """A part of the text on one line, without its comments; or dots where it is long."""
    lines = [line.partition("#")[0] for line in text.split("\n")]
    flat = " " * text[:1].isspace() + " ".join(" ".join(lines).split())
    return flat if len(flat) <= _LONGEST else " " * flat.startswith(" ") + "..."


# --- lines that do not go on -----------------------------------------------------------------------------------------


def begins_with_sign(scope: Scope, node: tree.Flow) -> bool:
    """Report a statement that begins with `+`, or with a `-` further right than the line above, to which it belongs."""
    from ..syntax.scan import begins_line, indent

    start, text = node.span.start, node.span.source.text
    above = _above(scope, node)
    deeper = above is not None and begins_line(text, start) and indent(text, start) > indent(text, above.span.start)
    if text[start] == "-" and not deeper:
        return False
    scope.session.report(not_going_on(node, above))
    return True


def _above(scope: Scope, node: tree.Flow) -> Node | None:
    """The statement before one in its body, if there is one and the body is of this definition."""
    body, known = scope.definition.body, scope.session.above
    if id(body) not in known:  # looked up once: there may be as many faults as statements
        bodies = [n.statements for n in tree.walk(body) if isinstance(n, tree.Braces)]
        known[id(body)] = {id(s): found[place - 1] for found in bodies for place, s in enumerate(found) if place}
    return known[id(body)].get(id(node))


def not_going_on(node: Node, above: Node | None) -> Diagnostic:
    """That a statement begins with a sign, and takes nothing from the one above."""
    sign, rest = node.span.text[0], node.span.text[1:].strip()
    mark = Label(node.span)
    if above is None:
        return Diagnostic("syntax", f"nothing stands on the left of this `{sign}`", mark, help="leave it out")
    others = (Label(above.span, "this ends here"),)
    message = f"`{sign}` takes nothing from the line above"
    help = goes_on(sign, _short(rest))
    if isinstance(above, tree.Binding):
        help = f"write it behind the line above: `... {sign} {_short(rest)}`; {GOES_ON}"
    return Diagnostic("syntax", message, mark, others, help)
