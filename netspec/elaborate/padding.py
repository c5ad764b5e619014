"""Padded sequences: how the mask of `embedding(mask=true)` reaches the recurrent layers behind it.

The mask is a value of its own, made of the integers that the embedding takes. It goes with every sequence that is made
step by step of the embedded one; where steps are mixed or their number changes it ends, which is said, if a recurrent
layer comes later.
"""

from __future__ import annotations

from ..base.diagnostics import Diagnostic, Label
from ..base.record import TYPE_CHECKING
from ..ir.types import Tensor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..base.diagnostics import Collector
    from ..base.source import Span
    from ..layers.base import Layer


_MIXED = "it ends here: what comes out is not made step by step"
_MEETING = "it ends here, where sequences with other masks come in"
_BLOCK = "it ends here: a block knows nothing of masks outside"


class Mask:
    """A mask on its way. `end` is where it was lost first, and why; `used`: has a recurrent layer taken it?"""

    def __init__(self, value: Tensor, span: Span) -> None:
        self.value = value
        self.span = span
        self.used = False
        self.end: Label | None = None


class Padding:
    """What a body knows of padded steps."""

    def __init__(self) -> None:
        self.begun: list[Mask] = []
        # by the number of a value: its mask, or the one that it has no more and where that ended
        self.masks: dict[int, Mask] = {}
        self.lost: dict[int, tuple[Mask, Label]] = {}

    def begin(self, mask: Tensor, embedded: Tensor, span: Span) -> None:
        """Values embedded at a place have a mask."""
        self.begun.append(Mask(mask, span))
        self.masks[embedded.number] = self.begun[-1]

    def skipping(
        self, made: Layer, inputs: tuple[Tensor, ...], span: Span, faults: Collector
    ) -> tuple[Layer, tuple[Tensor, ...]]:
        """A layer and its inputs, with the mask of its sequence if it has one and can skip steps."""
        if not made.may_skip:
            return made, inputs
        number = inputs[0].number
        if number in self.lost:
            faults.add(_warning(*self.lost[number], span))
        mask = self.masks.get(number)
        if mask is None:
            return made, inputs
        mask.used = True
        return made.skipping(), (*inputs, mask.value)

    def note(self, by_step: bool, inputs: Sequence[Tensor], results: Sequence[Tensor], span: Span) -> None:
        """Values are made of others, step by step or otherwise: masks go on, or end there."""
        if self.begun:
            self._through(inputs, results, Label(span, _MEETING if by_step else _MIXED))

    def called(self, inputs: Sequence[Tensor], results: Sequence[Tensor], span: Span) -> None:
        """The same for a block, within which nothing is known of masks outside."""
        if self.begun:
            self._through(inputs, results, Label(span, _BLOCK))

    def _through(self, inputs: Sequence[Tensor], results: Sequence[Tensor], end: Label) -> None:
        """Masks go on where nothing but a meeting could end them."""
        masks = list(dict.fromkeys(self.masks[t.number] for t in inputs if t.number in self.masks))
        if len(masks) == 1 and end.text == _MEETING:
            sizes = masks[0].value.shape
            for result in results:
                if len(result.shape) > 1 and result.shape[:1] == sizes:
                    self.masks[result.number] = masks[0]
            return  # what is no sequence, such as the last state, has lost nothing
        for mask in masks:
            mask.end = mask.end or end
        gone = next((self.lost[t.number] for t in inputs if t.number in self.lost), None)
        lost = (masks[0], end) if masks else gone
        if lost is not None:
            self.lost |= {result.number: lost for result in results if len(result.shape) > 1}

    def check(self, faults: Collector) -> None:
        """Warn of masks that no recurrent layer has taken."""
        for mask in self.begun:
            if not mask.used and not faults.failed:
                faults.add(_warning(mask, mask.end, None))


def _warning(mask: Mask, end: Label | None, layer: Span | None) -> Diagnostic:
    """A mask without effect: for one recurrent layer, or altogether."""
    others = [] if end is None else [end]
    if layer is None:
        message, place = "no recurrent layer takes this mask", Label(mask.span)
        help = "leave out `mask=true`, or put the recurrent layer where each step is still one of the embedded ones"
    else:
        message, place = "the mask of the sequence is lost before this layer", Label(layer, "padded steps count here")
        others.append(Label(mask.span, "it begins here"))
        help = "give it one with `mask=`, a value [T] that is true at each step that counts"
    return Diagnostic("lost-mask", message, place, tuple(others), help, severity="warning")
