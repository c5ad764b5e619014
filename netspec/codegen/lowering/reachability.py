"""What leads to an output. A model of Keras's functional API keeps no layer that does not."""

from __future__ import annotations

from ...base.diagnostics import Diagnostic, Label, SpecError
from ...base.record import TYPE_CHECKING, Record
from ...layers.forms import numbers_in
from ...pycode.names import taken_by
from .lower import LoweredCall, LoweredStep, flat

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ...ir.types import Instance, Step
    from .lower import LoweredBody


class Lost(Record):
    """A step with weights that leads nowhere. If it is part of what is `shared`, another use makes up for it."""

    step: Step
    shared: Instance | None


def check_reaching(code: LoweredBody) -> None:
    """Raises SpecError where weights would be lost."""
    _, lost = _needed(code, code.outputs)
    if not lost:
        return
    name = lost[0].name  # in a row of layers it is a number
    what = f"this {lost[0].layer.kind}" if name.isdigit() else f"`{name}`"
    message = f"{what} leads to no output, and a functional Keras model keeps only what does"
    help = "leave it out, or make what comes of it an output"
    raise SpecError([Diagnostic("not-in-keras", message, Label(lost[0].span), (), help)])


def keeps_statistics(step: Step) -> bool:
    """Does each use of a layer count, since it has running statistics?"""
    return any(weight.role == "statistic" for weight in step.weights)


def _needed(code: LoweredBody, wanted: Iterable[int]) -> tuple[set[int], list[Step]]:
    """The values that the wanted ones hang on, and the steps with weights that are not among them, the last first."""
    live = set(wanted)
    kept: set[Instance | None] = set()
    lost: list[Lost] = []
    for item in reversed(list(flat(code.items))):
        used = not live.isdisjoint(item.outputs)
        shared = item.shared if isinstance(item, LoweredCall) else _shared(item)
        if used:
            kept.add(shared)
        taken, idle = _entered(item, live) if isinstance(item, LoweredCall) else _done(item, live)
        live.update(taken)
        lost += [Lost(step, None if used else shared) for step in idle]
    return live, [one.step for one in lost if one.shared not in kept - {None} or keeps_statistics(one.step)]


def _shared(act: LoweredStep) -> Instance | None:
    return None if act.step is None else act.step.shared


def _done(act: LoweredStep, live: set[int]) -> tuple[Iterable[int], list[Step]]:
    """What a layer takes for the values of it that are live, and the layer itself where some of it is lost."""
    if live.isdisjoint(act.outputs):
        return (), [act.step] if act.step is not None and act.step.weights else []
    return act.inputs, [act.step] if act.step is not None and _keeps_idle(act, live) else []


def _entered(call: LoweredCall, live: set[int]) -> tuple[Iterable[int], list[Step]]:
    """What a call takes for the values of it that are live, and the steps in it that are lost."""
    if call.form is not None:  # a cell that is run is one layer, which keeps all that is in it
        return ((), _needed(call.code, ())[1]) if live.isdisjoint(call.outputs) else (call.inputs, [])
    asked = [i for i, o in zip(call.code.outputs, call.outputs) if o in live]
    inner, lost = _needed(call.code, asked)
    if asked and (call.shared is not None or call.frozen):
        return call.inputs, lost  # a model of its own takes all that is given to it
    return [o for i, o in zip(call.code.inputs, call.inputs) if i in inner] if asked else (), lost


def _keeps_idle(act: LoweredStep, live: set[int]) -> bool:
    """Has a layer of several, such as a stack, some with weights that nothing wanted hangs on?"""
    needed = {slot for value, slot in zip(act.outputs, act.use.outputs) if value in live}
    for apply in reversed(act.use.steps):
        made = {*numbers_in(apply.gives)}
        if needed & made:
            needed = (needed - made) | ({0} if apply.call is None else taken_by(apply.call))
        elif apply.stateful:
            return True
    return False
