"""What layers with a sliding window share: the window itself, and what they ask of their input."""

from __future__ import annotations

from ..dims import DimExpr, show, symbols
from ..record import TYPE_CHECKING, Record
from .base import Unsupported, Violation, square
from .padding import pads, reached, window_sizes

if TYPE_CHECKING:
    from typing import Any

    from ..dims import Dim, Shape
    from .base import At
    from .padding import Pads


def needs_grid(kind: str, x: Shape) -> int:
    """The number of spatial axes, 1 to 3. Raises Violation for other ranks."""
    if not 2 <= len(x) <= 4:
        few = len(x) < 2
        raise Violation(
            "wrong-rank",
            f"{kind} needs 1 to 3 spatial axes and channels, but the input is {show(x)}",
            help="`reshape` gives it an axis more, for example `reshape(28, 28, 1)`" if few else "",
        )
    return len(x) - 1


def known_channels(at: At, framework: str) -> int:
    """The number of channels, which the weights hang on. Raises Unsupported for a symbol."""
    channels = at.channels
    if isinstance(channels, DimExpr):
        raise Unsupported(
            f"{framework} must know the number of channels to make the weights, but it is {channels}",
            help=f"give it a value with `--set {symbols(channels)[0]}=64`",
        )
    return channels


def divides(groups: int, channels: Dim, filters: int) -> None:
    """Raises Violation where the channels or the filters do not fall into equal groups."""
    for argument, number in (("groups", channels), ("filters", filters)):
        if isinstance(number, int) and number % groups:
            what = "channels of the input" if argument == "groups" else "filters"
            raise Violation(
                "group-mismatch",
                f"the {number} {what} do not divide into {groups} groups",
                argument,
                help=f"`groups` must divide both {channels} and {filters}",
            )


class Window(Record):
    """A window on a grid of known rank."""

    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    dilation: tuple[int, ...]
    padding: Any

    @property
    def rank(self) -> int:
        return len(self.kernel)

    @property
    def spans(self) -> tuple[int, ...]:
        """How many cells it reaches over."""
        return tuple(map(reached, self.kernel, self.dilation))

    @property
    def reach(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        return self.spans, self.stride

    def sizes(self, spatial: Shape, ceil: bool = False) -> tuple[Dim, ...]:
        """The sizes that come out. Raises Violation."""
        return window_sizes(self.padding, spatial, self.kernel, self.stride, self.dilation, ceil)

    def pads(self, spatial: Shape) -> Pads | None:
        """The amounts on each side; None where they depend on a size that is still a symbol."""
        return pads(self.padding, spatial, self.kernel, self.stride, self.dilation)

    def same(self, spatial: Shape) -> Pads | None:
        """The amounts of `same`, whatever the padding is."""
        return pads("same", spatial, self.kernel, self.stride, self.dilation)

    def steps(self, name: str) -> dict[str, Any]:
        """The stride as an argument of that name, or nothing where it is 1."""
        return {} if set(self.stride) == {1} else {name: square(self.stride)}

    def gaps(self, name: str) -> dict[str, Any]:
        """The dilation as an argument of that name, or nothing where it is 1."""
        return {} if set(self.dilation) == {1} else {name: square(self.dilation)}
