"""Statements: what each makes of the body that it stands in."""

from __future__ import annotations

from ..base.dims import DimExpr
from ..base.record import TYPE_CHECKING
from ..ir.types import Expectation, Instance, Tensor
from ..syntax import tree
from .bindings import bind_names, named_after, unpack
from .choices import choose
from .inputs import declare_input
from .makers import too_many
from .outputs import declare_output
from .session import ITEMS, MORE, POISON, SharedStep, kind_of
from .weights import declare_weight

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from ..syntax.tree import Node
    from .scope import Scope


def _flow(scope: Scope, node: tree.Flow) -> None:
    if node.span.source.text[node.span.start] in "+-":
        from .stages import begins_with_sign

        if begins_with_sign(scope, node):
            scope.flow = POISON
            return
    value = scope.evaluate(node.value, words=False)
    if value is POISON or isinstance(value, Tensor):
        scope.flow = value
        if isinstance(value, Tensor):
            scope.flows.append((node.span, value.number))
        return
    help = "a statement is a step or a value that flows"
    if isinstance(value, tuple):
        scope.flow = POISON
        if too_many(scope, node.span, "the flow is one value", value) is not None:
            return
        help = "bind it to a name: `a, b = ...`"
    elif isinstance(value, str):
        from .stages import word_help

        said = node.value.stages[-1] if isinstance(node.value, tree.Pipeline) else node.value
        help = word_help(value, said.span.text) or f"leave the quotes out: `{value}`"
    scope.flow = scope.session.fault(
        "not-a-value", f"the flow needs one value, but this is {kind_of(value)}", node.span, help=help
    )


def _shared(scope: Scope, node: tree.Shared) -> None:
    name = scope.take_name(scope.body_namer, node.name, scope.turns > 0) or node.name.text
    scope.session.spend(node.span, len(scope.names) // ITEMS)
    scope.bind(node.name, SharedStep(node.step, Instance(name, node.name.span), dict(scope.names)))


def _expect(scope: Scope, node: tree.Expect) -> None:
    word = scope.definition.word
    if word != "net":
        message = f"`expect` is about the figures of a net, and this is a {word}"
        help = f"put it into the net that uses the {word}"
        scope.session.fault("misplaced-expect", message, node.span, help=help)
        return
    # later statements go on binding names: an expectation keeps those of its place
    scope.session.spend(node.span, len(scope.names) // ITEMS)
    scope.expectations.append(Expectation(node, dict(scope.names)))


def _turns(
    scope: Scope, node: tree.Repeat | tree.For, turns: Sequence[tuple[Callable[[], None], Mapping[str, Any]]]
) -> None:
    session, before = scope.session, (scope.session.placed, scope.size)

    def run() -> None:
        for number, (enter, bindings) in enumerate(turns):
            session.place(node.span)
            name = scope.namer.turn(node.name.text) if node.name is not None else ""
            looping, scope.looping = scope.looping, True

            def one(enter: Callable[[], None] = enter) -> None:
                enter()
                scope.run(node.body)

            scope.turns += 1
            scope.in_region("turn", name, node.body, one, bindings)
            scope.turns -= 1
            scope.looping = looping
            if number == 0:
                _foresee(scope, node, len(turns), before)

    scope.in_region("repeat" if isinstance(node, tree.Repeat) else "for", "", node, run)


def _foresee(scope: Scope, node: Node, turns: int, before: tuple[int, int]) -> None:
    """Refuse a loop whose first turn says that all of them are far over a limit; `before` is what was there already."""
    session = scope.session
    for now, then, limit, what in (
        (scope.size, before[1], session.limit, "instances"),
        (session.placed, before[0], session.most_placed, "layers and turns of loops"),
    ):
        if (now - then) * turns > 2 * limit:
            message = f"{turns:,} turns of about {now - then:,} {what} are over the limit of {limit:,}"
            session.too_large(node.span, message, MORE)


def _counted(scope: Scope, node: Node) -> Any:
    """What a loop goes over; a bare name must be bound there, since no single word will do."""
    return scope.evaluate(node, words=not isinstance(node, tree.Name))


def _repeat(scope: Scope, node: tree.Repeat) -> None:
    count = _counted(scope, node.count)
    if count is POISON:
        scope.flow = POISON
        return
    if isinstance(count, bool) or not isinstance(count, int) or count < 0:
        code = "unknown-size" if isinstance(count, DimExpr) else "wrong-value"
        scope.session.fault(code, f"`repeat` needs a whole number of at least 0, not {kind_of(count)}", node.count.span)
        scope.flow = POISON
        return
    if count > scope.session.limit:
        message = f"{count:,} turns are over the limit of {scope.session.limit:,} instances"
        scope.session.too_large(node.count.span, message, MORE)
    _turns(scope, node, [(lambda: None, {})] * count)


def _for(scope: Scope, node: tree.For) -> None:
    items = _counted(scope, node.items)
    if not isinstance(items, tuple):
        if items is not POISON:
            scope.session.fault(
                "wrong-value",
                f"`for` needs a list or a range, not {kind_of(items)}",
                node.items.span,
                help="write `0..n` or `[a, b]`",
            )
        scope.flow = POISON
        return

    def enter(item: Any) -> Callable[[], None]:
        return lambda: unpack(scope, node.target, item, node.items.span)

    names = [n.text for n in node.target.names]
    pairs = [
        dict(zip(names, item)) if node.target.unpacks and isinstance(item, tuple) else {names[0]: item}
        for item in items
    ]
    _turns(scope, node, [(enter(item), bindings) for item, bindings in zip(items, pairs)])


def _broken(scope: Scope, node: tree.Broken) -> None:
    """A statement that did not parse leaves a hole in the flow, and in the names that it would have bound."""
    scope.flow = POISON
    for name in tree.lost_names(node):
        scope.names.setdefault(name, POISON)
        scope.missed.add(name)


def _state(scope: Scope, node: tree.StateDeclaration) -> None:
    from .cells import declare_state

    declare_state(scope, node)


def _advance(scope: Scope, node: tree.NextStatement) -> None:
    from .cells import advance

    advance(scope, node)


STATEMENTS: dict[type, Callable[[Scope, Any], None]] = {
    tree.Flow: _flow,
    tree.Binding: bind_names,
    tree.Input: declare_input,
    tree.Output: declare_output,
    tree.WeightDeclaration: declare_weight,
    tree.StateDeclaration: _state,
    tree.NextStatement: _advance,
    tree.Shared: _shared,
    tree.Expect: _expect,
    tree.Repeat: named_after(_repeat),
    tree.For: named_after(_for),
    tree.If: choose,
    tree.Broken: _broken,
}
