"""What leads to an output. A model of Keras's functional API keeps no layer that does not."""

from __future__ import annotations

from ..diagnostics import Diagnostic, Label, SpecError
from ..record import TYPE_CHECKING
from .lower import Act, Enter

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..ir import Step
    from .lower import Code, Lowered


def check_reaching(code: Code) -> None:
    """Raises SpecError where weights would be lost."""
    lost = next(_lost(code, code.outputs), None)
    if lost is None:
        return
    message = f"`{lost.name}` leads to no output, and a functional Keras model keeps only what does"
    help = "leave it out, or make what comes of it an output"
    raise SpecError([Diagnostic("not-in-keras", message, Label(lost.span), (), help)])


def _lost(code: Code, wanted: Iterable[int]) -> Iterator[Step]:
    """The steps with weights that the wanted values do not hang on, the last one first."""
    live = set(wanted)
    for item in reversed(list(_flat(code.items))):
        if isinstance(item, Enter):
            yield from _lost(item.code, [i for i, o in zip(item.code.outputs, item.outputs) if o in live])
            if live.intersection(item.outputs):
                live.update(item.inputs)
        elif live.intersection(item.outputs):
            live.update(item.inputs)
        elif item.step is not None and item.step.layer.weights(*(t.shape for t in item.step.inputs)):
            yield item.step


def _flat(items: Iterable[Lowered]) -> Iterator[Act | Enter]:
    for item in items:
        if isinstance(item, Act | Enter):
            yield item
        else:
            yield from _flat(item.items)
