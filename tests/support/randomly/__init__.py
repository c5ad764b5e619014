"""Random specs: whole valid texts over the whole language.

A text grows statement by statement, and the compiler itself says what may stand at a place: the open text is closed,
its block is called in all the ways that it is meant for, and the whole is checked. Probes (`identity as probe`) tell
from that check the shapes of the flow and of every value there, in each turn of each loop and in each call. So there is
no second list of rules. What is drawn by chance are layers and arguments of the registry, and how they are combined.
"""

from __future__ import annotations

from hypothesis import assume
from hypothesis import strategies as st

from .choices import Dice, Drawn
from .parametric import parametric
from .specs import Spec

__all__ = ["Dice", "Drawn", "parametric", "spec_of", "spec_texts"]


def spec_of(choices, tries=20):
    """A text. Chance may lead nowhere; then it is tried again."""
    for _ in range(tries):
        text = Spec(choices).net()
        if text is not None:
            return text
    raise AssertionError("chance leads nowhere")


@st.composite
def spec_texts(draw):
    text = Spec(Drawn(draw)).net()
    assume(text is not None)
    return text
