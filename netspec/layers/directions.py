"""Layers around recurrent layers: both directions of time, and several layers one on the other."""

from __future__ import annotations

from ..base.dims import show
from ..base.record import TYPE_CHECKING
from .arguments import Reader, Violation, Word, arg, choice, describe, whole
from .base import Example, layer
from .recurrence import Core, Recurrence
from .recurrent_forms import InFrameworks

if TYPE_CHECKING:
    from typing import Any

    from typing_extensions import Self

    from ..base.dims import Shape

# layers of a stack; each has weights of its own, and frameworks name every one of them
_HIGHEST = 1_000
_DOC = "a recurrent layer, such as lstm(64)"


def _recurrent(value: Any) -> Recurrence:
    if not isinstance(value, Recurrence):
        raise ValueError(f"must be {_DOC}, not {describe(value)}", "")
    return value


def _merge(value: Any) -> Any:
    return Word("none") if value is None else _MERGES.read(value)  # `none` is no word, but here it reads like one


_MERGES = choice("concat", "add", "mul", "average", "none")
merge_reader = Reader(_merge, _MERGES.doc, _MERGES.words)
step_reader = Reader(_recurrent, _DOC, (), "step")


class RecurrentWrapper(InFrameworks):
    """A layer that holds a recurrent one."""

    if TYPE_CHECKING:
        step: Recurrence

    @property
    def core(self) -> Core:
        return self.step.core

    @property
    def layout(self) -> str:
        return self.core.torch_layout

    def skipping(self) -> Self:
        return self.replace(step=self.step.skipping())

    def check(self) -> None:
        self.step.check()


@layer("bidirectional", style="recurrent")
class Bidirectional(RecurrentWrapper):
    """The step forwards and, with weights of its own, backwards; output t of each direction belongs to step t.

    Schuster & Paliwal (1997). What is last is the last output of each direction: the backward one has read from the end
    to the beginning. The state is that of the forward direction, then that of the backward one.
    """

    step: Recurrence = arg(step_reader, doc="what is run")
    merge: str = arg(merge_reader, Word("concat"), doc="how the outputs of the two become one")

    one_by = {"merge": ("none", "concat")}

    examples = (
        Example("bidirectional(lstm(2))", (5, 3), (4,), weights=96, macs=400),
        Example("bidirectional(gru(2, return=sequence), merge=add)", (5, 3), (5, 2), weights=84, macs=300),
        Example(
            "bidirectional(rnn(2, return=(sequence, last)), merge=mul)", (5, 3), ((5, 2), (2,)), weights=24, macs=100
        ),
        Example("bidirectional(gru(2), merge=average)", (5, 3), (2,), weights=84, macs=300),
        Example(
            "bidirectional(lstm(2, return=(sequence, state)))",
            (5, 3),
            ((5, 4), (2,), (2,), (2,), (2,)),
            weights=96,
            macs=400,
        ),
        Example(
            "bidirectional(gru(2, return=(sequence, last, state)), merge=none)",
            (5, 3),
            ((5, 2), (5, 2), (2,), (2,), (2,), (2,)),
            weights=84,
            macs=300,
        ),
        Example("bidirectional(conv_lstm(1, 2), merge=mul)", (3, 4, 4, 2), (3, 3, 1), weights=104),
        Example(
            "bidirectional(conv_lstm(2, 2, return=(sequence, last, state)))",
            (3, 4, 4, 1),
            ((3, 3, 3, 4), (3, 3, 4), (3, 3, 2), (3, 3, 2), (3, 3, 2), (3, 3, 2)),
            weights=208,
        ),
        Example(
            "bidirectional(conv_lstm(2, 2, return=sequence), merge=none)",
            (3, 4, 4, 1),
            ((3, 3, 3, 2), (3, 3, 3, 2)),
            weights=208,
        ),
        Example("bidirectional(lstm(2, dropout=0.2), merge=none)", (5, 3), ((2,), (2,)), weights=96, macs=400),
        Example("bidirectional(lstm(2, recurrent_dropout=0.2))", (5, 3), (4,), weights=96, macs=400),
        Example(
            "bidirectional(gru(2, mask=mask, return=(sequence, last)))",
            ((5, 3), (5,)),
            ((5, 4), (4,)),
            weights=84,
            macs=300,
            names=("x", "mask"),
        ),
        Example(
            "bidirectional(gru(2, initial=(h, g)))",
            ((5, 3), (2,), (2,)),
            (4,),
            weights=84,
            macs=300,
            names=("x", "h", "g"),
        ),
    )

    @property
    def ways(self) -> int:
        return 2

    def check(self) -> None:
        super().check()
        if self.step.ways == 2 or self.step.depth > 1:
            message = f"bidirectional runs one recurrent layer, not {self.step.word}"
            help = "for several layers of both directions: `stack(2, bidirectional(lstm(64)))`"
            raise Violation("wrong-value", message, "step", help)
        check_both_ways(self.core.reverse)


@layer("stacked", style="recurrent")
class Stacked(RecurrentWrapper):
    """`n` recurrent layers, each of which takes the sequence of the one before; the last gives what comes out.

    Graves et al., "Speech recognition with deep recurrent neural networks" (2013). The state is that of all layers, the
    first one first. It is written `stack(3, lstm(64))`.
    """

    word = "stack"

    n: int = arg(whole(1, f"a whole number from 1 to {_HIGHEST:,}", _HIGHEST), doc="how many layers")
    step: Recurrence = arg(step_reader, doc="each of them")

    examples = (
        Example("stacked(3, gru(2))", (5, 3), (2,), weights=114, macs=390),
        Example(
            "stacked(2, lstm(2, return=(state, sequence)))",
            (5, 3),
            ((2,), (2,), (2,), (2,), (5, 2)),
            weights=88,
            macs=360,
        ),
        Example("stacked(2, bidirectional(rnn(2)))", (5, 3), (4,), weights=52, macs=220),
        Example("stacked(2, bidirectional(rnn(2, return=sequence), merge=add))", (5, 3), (5, 2), weights=44, macs=180),
        Example("stacked(2, rnn(2, return=sequence, reverse=true))", (5, 3), (5, 2), weights=22, macs=90),
        Example("stacked(2, conv_lstm(2, 2, padding=same))", (3, 4, 4, 1), (4, 4, 2), weights=240),
        Example(
            "stacked(2, bidirectional(conv_lstm(1, 2, padding=same, return=(state, sequence)), merge=average))",
            (3, 4, 4, 2),
            (*((4, 4, 1),) * 8, (3, 4, 4, 1)),
            weights=176,
        ),
        Example("stacked(2, gru(2, dropout=0.1, reset_after=false))", (5, 3), (2,), weights=66, macs=270),
        Example(
            "stacked(2, rnn(2, mask=mask, initial=(h, g), reverse=true))",
            ((5, 3), (2,), (2,), (5,)),
            (2,),
            weights=22,
            macs=90,
            names=("x", "h", "g", "mask"),
        ),
    )

    def shapes(self, *xs: Shape) -> tuple[Shape, ...]:
        found = super().shapes(*xs)
        state, next_state = (self.core.state_shape(self.taken(layer, xs[0])) for layer in range(2))
        if self.n > 1 and state != next_state:
            message = f"the layers of a stack have states of one size, but here {show(state)} and {show(next_state)}"
            help = "`padding=same` without a stride keeps the size; or write the layers one after the other"
            raise Violation("wrong-value", message, "step", help)
        return found

    @property
    def depth(self) -> int:
        return self.n

    @property
    def ways(self) -> int:
        return self.step.ways

    @property
    def merge(self) -> str:
        return str(self.step.merge)

    def check(self) -> None:
        super().check()
        check_stack(self.step.depth, self.ways, self.merge)


def check_both_ways(reverse: bool) -> None:
    """Can a step be run in both directions? Raises Violation."""
    if reverse:
        message = "bidirectional reads in both directions, so its step has no `reverse`"
        raise Violation("wrong-value", message, "reverse", "leave it out")


def check_stack(depth: int, ways: int, merge: str) -> None:
    """Can a step be a layer of a stack? Raises Violation."""
    if depth > 1:
        raise Violation("wrong-value", "stack holds one recurrent layer, not another stack", "step", "multiply `n`")
    if ways == 2 and merge == "none":
        message = "a layer of a stack gives one value to the next, so its directions must be merged"
        raise Violation("wrong-value", message, "merge", "write `merge=concat`")
