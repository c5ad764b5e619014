"""What made a value, looked up where something cannot take it: to say which of its words to change."""

from __future__ import annotations

from ..base.record import TYPE_CHECKING
from ..ir.types import BlockCall, Step, Tensor
from ..layers import LAYERS
from ..syntax import tree

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..base.source import Span
    from .scope import Scope
    from .session import Poison


def lost_time(scope: Scope, value: Tensor) -> tuple[Span, str, str] | None:
    """Where the axis of time went, what happened there, and what to do. None if there was none."""
    seen = value
    while True:
        maker = scope.makers.get(seen.number)
        results = _over_time(maker)
        if maker is not None and results:
            name = results[maker.outputs.index(seen)]
            what = "last output" if name.startswith("last") else "state"
            help = "write `return=sequence` there, and the output of each step comes out"
            return None if name == "sequence" else (seen.span, f"the {what} comes out here", help)
        if not isinstance(maker, Step) or not maker.inputs or len(maker.inputs[0].shape) < len(seen.shape):
            return None
        if len(maker.inputs[0].shape) == len(seen.shape) + 1:
            return seen.span, "the axis of time ends here", "leave that out, or put it behind what runs over time"
        seen = maker.inputs[0]


def names_of(scope: Scope, values: Sequence[object]) -> tuple[str, ...]:
    """What each of several values is where it is made, `sequence` or `h`; nothing if not all are of one step."""
    place, found = _place(values), []
    for value in values:
        if place is None or not isinstance(value, Tensor):
            return ()
        maker = scope.makers.get(value.number)
        if isinstance(maker, Step) and not maker.layer.results and maker.inputs and maker.inputs[0].span == place:
            value = maker.inputs[0]  # two directions of one step, merged
            maker = scope.makers.get(value.number)
        if maker is None or maker.span != place or not _results(maker):
            return ()
        found.append(_results(maker)[maker.outputs.index(value)])
    from ..layers.returning import numbered

    return numbered(found)


def too_many(scope: Scope, span: Span, wanted: str, values: Sequence[object]) -> Poison | None:
    """Report that one step gives several values, where `wanted` says how many are taken. None if they are not of one
    step."""
    names, place = names_of(scope, values), _place(values)
    if place is None or len(names) < 2:
        return None
    step, bracket, _ = place.text.partition("(")
    help = f"give each a name, `{', '.join(names)} = {step}{bracket and '(...)'}`, and say which goes on"
    others = [(place, f"{len(values)} values come out here")]
    words = list(_at_fault(scope, place))
    if words:
        others = [(keyword.span, "this makes them several") for keyword, _ in words]
        help += f"; or write {' and '.join(f'`{keyword.name.text}={one}`' for keyword, one in words)}"
    message = f"{wanted}, but `{step}` gives {len(values)}: {', '.join(names)}"
    return scope.session.fault("several-values", message, span, others=tuple(others), help=help)


def _place(values: Sequence[object]) -> Span | None:
    """Where values were made, if at one place."""
    places = {value.span if isinstance(value, Tensor) else None for value in values}
    return places.pop() if len(places) == 1 else None


def _over_time(maker: Step | BlockCall | None) -> tuple[str, ...]:
    """What comes out of a layer over time; nothing of others."""
    if isinstance(maker, Step):
        return maker.layer.results
    return maker.use.results if maker is not None and maker.use is not None else ()


def _results(maker: Step | BlockCall) -> tuple[str, ...]:
    """The names of what comes out; nothing where there is one value."""
    if isinstance(maker, Step) and maker.layer.lists:
        return ("part",) * len(maker.outputs)
    return _over_time(maker) or (tuple(r.name for r in maker.body.outputs) if isinstance(maker, BlockCall) else ())


def _at_fault(scope: Scope, place: Span) -> Iterator[tuple[tree.Keyword, str]]:
    """The arguments of a step by which several values come out, and the word with which it would be one."""
    written = [
        node
        for node in tree.walk(scope.definition.body)
        if isinstance(node, tree.CallExpression) and node.span == place
    ]
    for call in [part for node in written[:1] for part in tree.walk(node) if isinstance(part, tree.CallExpression)]:
        cls = LAYERS.get(call.callee.text) if isinstance(call.callee, tree.Name) else None
        for keyword in [a for a in call.arguments if isinstance(a, tree.Keyword)]:
            several, one = cls.one_by.get(keyword.name.text, ("", "")) if cls is not None else ("", "")
            words = [word.span.text for word in getattr(keyword.value, "items", (keyword.value,))]
            if several and (len(words) > 1 or words == [several]):
                yield keyword, next((word for word in words if word != several), one)
