"""Where chance comes from."""

from __future__ import annotations

import random

from hypothesis import strategies as st


class Choices:
    """Where chance comes from. What is simplest stands first, since that is where shrinking goes."""

    def whole(self, low, high):
        raise NotImplementedError

    def pick(self, options):
        options = list(options)
        return options[self.whole(0, len(options) - 1)]

    def often(self, percent):
        return self.whole(0, 99) >= 100 - percent

    def weighted(self, **weights):
        place = self.whole(0, sum(weights.values()) - 1)
        for name, weight in weights.items():
            place -= weight
            if place < 0:
                return name
        raise AssertionError


class Dice(Choices):
    """The choices of a seed."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def whole(self, low, high):
        return self.random.randint(low, high)


class Drawn(Choices):
    """The choices of a hypothesis strategy."""

    def __init__(self, draw):
        self.draw = draw

    def whole(self, low, high):
        return self.draw(st.integers(low, high))
