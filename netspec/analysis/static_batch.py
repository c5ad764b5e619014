"""The number of samples in each batch, where a net fixes it: layers that keep a state keep one for each sample."""

from __future__ import annotations

from ..base.diagnostics import Diagnostic, Label, SpecError
from ..base.record import TYPE_CHECKING
from ..ir.paths import steps_of

if TYPE_CHECKING:
    from ..ir.types import CheckedNet, Step


def static_batch(net: CheckedNet) -> int | None:
    """How many samples each batch has, where layers keep a state for each. Raises SpecError where they differ."""
    first: Step | None = None
    for _, step in steps_of(net.net.body):
        if step.layer.static_batch is None:
            continue
        if first is not None and first.layer.static_batch != step.layer.static_batch:
            message = f"states are kept for {step.layer.static_batch} samples here, and for another number before"
            there = Label(first.span, f"for {first.layer.static_batch} samples")
            raise SpecError([Diagnostic("symbolic-batch", message, Label(step.span), (there,), "write one number")])
        first = first or step
    return None if first is None else first.layer.static_batch
