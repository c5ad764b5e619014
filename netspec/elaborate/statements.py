"""Statements: what each makes of the body that it stands in."""

from __future__ import annotations

from ..base.dims import DimExpr
from ..base.record import TYPE_CHECKING
from ..ir.types import Expectation, Instance, Tensor
from ..syntax import tree
from .bindings import bind_names, named_after, unpack
from .cells import advance, declare_state
from .choices import choose
from .inputs import declare_input
from .machine import HOLE, ITEMS, MOST_INSTANCES, SharedStep, kind_of
from .makers import too_many
from .outputs import declare_output
from .weights import declare_weight

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from ..syntax.tree import Node
    from .frame import Frame


def _flow(frame: Frame, node: tree.Flow) -> None:
    if node.span.source.text[node.span.start] in "+-":
        from .stages import begins_with_sign

        if begins_with_sign(frame, node):
            frame.flow = HOLE
            return
    value = frame.evaluate(node.value, words=False)
    if value is HOLE or isinstance(value, Tensor):
        frame.flow = value
        if isinstance(value, Tensor):
            frame.flows.append((node.span, value.number))
        return
    help = "a statement is a step or a value that flows"
    if isinstance(value, tuple):
        frame.flow = HOLE
        if too_many(frame, node.span, "the flow is one value", value) is not None:
            return
        help = "bind it to a name: `a, b = ...`"
    elif isinstance(value, str):
        help = f"leave the quotes out: `{value}`"
    frame.flow = frame.machine.fault(
        "not-a-value", f"the flow needs one value, but this is {kind_of(value)}", node.span, help=help
    )


def _shared(frame: Frame, node: tree.Shared) -> None:
    name = frame.take_name(frame.body_namer, node.name, frame.turns > 0) or node.name.text
    frame.machine.spend(node.span, len(frame.names) // ITEMS)
    frame.bind(node.name, SharedStep(node.step, Instance(name, node.name.span), dict(frame.names)))


def _expect(frame: Frame, node: tree.Expect) -> None:
    word = frame.definition.word
    if word != "net":
        message = f"`expect` is about the figures of a net, and this is a {word}"
        help = f"put it into the net that uses the {word}"
        frame.machine.fault("misplaced-expect", message, node.span, help=help)
        return
    # later statements go on binding names: an expectation keeps those of its place
    frame.machine.spend(node.span, len(frame.names) // ITEMS)
    frame.expectations.append(Expectation(node, dict(frame.names)))


def _turns(
    frame: Frame, node: tree.Repeat | tree.For, turns: Sequence[tuple[Callable[[], None], Mapping[str, Any]]]
) -> None:
    machine, before = frame.machine, frame.machine.work + frame.size

    def run() -> None:
        for number, (enter, bindings) in enumerate(turns):
            machine.spend(node.span)
            name = frame.namer.turn(node.name.text) if node.name is not None else ""
            looping, frame.looping = frame.looping, True

            def one(enter: Callable[[], None] = enter) -> None:
                enter()
                frame.run(node.body)

            frame.turns += 1
            frame.scoped("turn", name, node.body, one, bindings)
            frame.turns -= 1
            frame.looping = looping
            spent = machine.work + frame.size - before
            if number == 0 and spent * len(turns) > 4 * MOST_INSTANCES:
                machine.too_large(
                    node.span,
                    f"{len(turns):,} turns of about {spent:,} instances are over the limit of {MOST_INSTANCES:,}",
                )

    frame.scoped("repeat" if isinstance(node, tree.Repeat) else "for", "", node, run)


def _counted(frame: Frame, node: Node) -> Any:
    """What a loop goes over; a bare name must be bound there, since no single word will do."""
    return frame.evaluate(node, words=not isinstance(node, tree.Name))


def _repeat(frame: Frame, node: tree.Repeat) -> None:
    count = _counted(frame, node.count)
    if count is HOLE:
        frame.flow = HOLE
        return
    if isinstance(count, bool) or not isinstance(count, int) or count < 0:
        code = "unknown-size" if isinstance(count, DimExpr) else "wrong-value"
        frame.machine.fault(code, f"`repeat` needs a whole number of at least 0, not {kind_of(count)}", node.count.span)
        frame.flow = HOLE
        return
    if count > MOST_INSTANCES:
        frame.machine.too_large(node.count.span, f"{count:,} turns are over the limit of {MOST_INSTANCES:,}")
    _turns(frame, node, [(lambda: None, {})] * count)


def _for(frame: Frame, node: tree.For) -> None:
    items = _counted(frame, node.items)
    if not isinstance(items, tuple):
        if items is not HOLE:
            frame.machine.fault(
                "wrong-value",
                f"`for` needs a list or a range, not {kind_of(items)}",
                node.items.span,
                help="write `0..n` or `[a, b]`",
            )
        frame.flow = HOLE
        return

    def enter(item: Any) -> Callable[[], None]:
        return lambda: unpack(frame, node.target, item, node.items.span)

    names = [n.text for n in node.target.names]
    pairs = [
        dict(zip(names, item)) if node.target.unpacks and isinstance(item, tuple) else {names[0]: item}
        for item in items
    ]
    _turns(frame, node, [(enter(item), bindings) for item, bindings in zip(items, pairs)])


def _broken(frame: Frame, node: tree.Broken) -> None:
    """A statement that did not parse leaves a hole in the flow, and in the names that it would have bound."""
    frame.flow = HOLE
    for name in tree.lost_names(node):
        frame.names.setdefault(name, HOLE)
        frame.missed.add(name)


STATEMENTS: dict[type, Callable[[Frame, Any], None]] = {
    tree.Flow: _flow,
    tree.Binding: bind_names,
    tree.Input: declare_input,
    tree.Output: declare_output,
    tree.Weight: declare_weight,
    tree.State: declare_state,
    tree.Advance: advance,
    tree.Shared: _shared,
    tree.Expect: _expect,
    tree.Repeat: named_after(_repeat),
    tree.For: named_after(_for),
    tree.If: choose,
    tree.Broken: _broken,
}
