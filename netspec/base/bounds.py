"""What is too large, whatever it is for; and the meter of symbolic arithmetic."""

from __future__ import annotations

from _thread import _local

# a whole number that a spec works with, as it is written and as it is held
MOST_DIGITS = 150
MOST_BITS = 512
# a size, as frameworks hold it, and the axes of a value: NumPy has 64, one of them for the batch
LARGEST_SIZE = 2**63 - 1
MOST_AXES = 32
# a symbolic size: its parts, and how deep divisions stand within divisions
MOST_PARTS = 2_000
DEEPEST_SIZE = 40
# names that are held against those that nobody knows, for one net; beyond it no name is offered
MOST_GUESSES = 100_000
# terms of sums and products that are worked out for one net, each some microseconds, and for each layer of it
MOST_TERMS = 100_000
TERMS_OF_LAYER = 100


class TooLarge(Exception):
    """Something comes to more than the limits allow."""


class Meter(_local):
    """Counts the terms that this thread works out while a net is checked, and the names that it holds against each
    other; at other times nothing is counted."""

    def __init__(self) -> None:
        self.left = -1
        self.guesses = 0

    @property
    def runs(self) -> bool:
        return self.left >= 0

    def start(self) -> None:
        self.left = MOST_TERMS
        self.guesses = MOST_GUESSES

    def stop(self) -> None:
        self.left = -1

    def earn(self) -> None:
        """One more layer may have sizes of its own."""
        if self.left >= 0:
            self.left += TERMS_OF_LAYER

    def spend(self, terms: int) -> None:
        """Count some terms. Raises TooLarge past the limit."""
        if self.left >= 0:
            if terms > self.left:
                self.left = 0
                raise TooLarge("the arithmetic of symbolic sizes takes more steps than the limit allows")
            self.left -= terms

    def guess(self, names: int) -> bool:
        """Count some names; False past the limit."""
        if self.left >= 0:
            self.guesses -= names
        return self.left < 0 or self.guesses >= 0


METER = Meter()
