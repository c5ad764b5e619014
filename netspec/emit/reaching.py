"""What leads to an output. A model of Keras's functional API keeps no layer that does not."""

from __future__ import annotations

from ..diagnostics import Diagnostic, Label, SpecError
from ..record import TYPE_CHECKING
from .lower import Act, Enter
from .pieces import numbers_in, taken_by

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..ir import Instance, Step
    from .lower import Code, Lowered


def check_reaching(code: Code) -> None:
    """Raises SpecError where weights would be lost."""
    lost: list[Step] = []
    kept: set[Instance | None] = set()
    _needed(code, code.outputs, lost, kept)
    # of shared weights one use that leads to an output is enough
    lost = [step for step in lost if step.shared is None or step.shared not in kept or keeps_statistics(step)]
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


def _needed(code: Code, wanted: Iterable[int], lost: list[Step], kept: set[Instance | None]) -> set[int]:
    """The values that the wanted ones hang on. Steps with weights that are not among them are lost, the last first.

    `kept` are the shared layers that some of them are made by.
    """
    live = set(wanted)
    for item in reversed(list(_flat(code.items))):
        if isinstance(item, Enter) and item.form is not None:
            if live.intersection(item.outputs):
                live.update(item.inputs)
            else:  # a cell that is run is one layer, which keeps all that is in it
                _needed(item.code, (), lost, kept)
        elif isinstance(item, Enter):
            asked = [i for i, o in zip(item.code.outputs, item.outputs) if o in live]
            inner = _needed(item.code, asked, lost, kept)
            if asked and (item.shared is not None or item.frozen):
                live.update(item.inputs)  # a model of its own takes all that is given to it
            elif asked:
                live.update(o for i, o in zip(item.code.inputs, item.inputs) if i in inner)
        elif live.intersection(item.outputs):
            live.update(item.inputs)
            kept.add(item.step.shared if item.step is not None else None)
            if item.step is not None and _keeps_idle(item, live):
                lost.append(item.step)
        elif item.step is not None and item.step.weights:
            lost.append(item.step)
    return live


def _keeps_idle(act: Act, live: set[int]) -> bool:
    """Has a layer of several, such as a stack, some with weights that nothing wanted hangs on?"""
    needed = {slot for value, slot in zip(act.outputs, act.use.outputs) if value in live}
    for apply in reversed(act.use.steps):
        made = {*numbers_in(apply.gives)}
        if needed & made:
            needed = (needed - made) | ({0} if apply.call is None else taken_by(apply.call))
        elif apply.stateful:
            return True
    return False


def _flat(items: Iterable[Lowered]) -> Iterator[Act | Enter]:
    for item in items:
        if isinstance(item, Act | Enter):
            yield item
        else:
            yield from _flat(item.items)
