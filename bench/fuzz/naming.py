"""Hostile names in every place where a name or a text of the author's can stand."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .drawing import Drawn
from .values import NAMES, TEXTS

if TYPE_CHECKING:
    from .drawing import Dice

# `%A` ... `%H` are names, `%S` is the inside of a string, `%C` that of a comment
TEMPLATES = [
    """\
# %C
block %A(%B=3) { input %C1 [h, w, c]; y = %C1 -> conv(c, %B, padding=same) as %D -> relu; %C1 + y }
net %E(%F=4) {
  input %G [8, 8, 3]
  repeat 2 as %H { %A(3) as %B }
  conv(%F, 3x3, name="%S") as %A -> batchnorm as %C1
  flatten -> dense(%F, activation=softmax) as %D
  expect output == [%F]
}
""",
    """\
# %C
# %C
cell %A(%B) { input %D; state %E [%B]; next %E = tanh(dense(%D, %B) + dense(%E, %B)); output next %E }
net %F { input %G [T, 4]; scan(%A(3), return=sequence) as %H -> dense(2, name="%S") as %B; output %C1 = identity }
""",
    """\
net %A(%B=2) {
  input %C1 [6]
  input %D [6]
  layer %E = dense(6)
  weight %F [6]
  %G = %C1 -> %E
  %H = %D -> %E -> mul(%F)
  output %A = %G + %H, %B = concat(%G, %H)
}
""",
    """\
const %A = 3
block %B { input x [n]; dense(%A) as %C1 }
block %D(%E=2) { input %F; input %G; add(%F, %G) -> dense(%E) as %H }
net first { input %F [4]; %B as %A }
# %C
net %H(%C1=5) { input %G [4]; a, b = %B, %B as %D; %D(a, b, %C1) as %E -> dense(%C1, name="%S") as %F }
""",
    """\
net %A {
  input %B [7] int(20)
  embedding(20, 5) as %C1
  %D, %E, %F = lstm(4, return=(sequence, state)) as %G
  for %H in [3, 4] as %A { dense(%H) as %B }
  output %C1 = identity, %D = %D -> mean(axis=0)
}
""",
    """\
from "std/%S" import %A as %B
import "%S.net" as %C1
# %C
net %D { input %E [3]; if 1 < 2 { dense(3) as %F } else { relu as %G }; { tanh } as %H }
""",
]
_PLACE = re.compile(r"%(C1|[A-HSC])")
# some ways to go on from a name: a plural, a number, the same in capitals
_NEAR = ("{}1", "{}_1", "{}s", "_{}", "{}_", "{}1_1", "{}")


def _name(dice: Dice, known: list[str]) -> str:
    found = dice.choice(known) if known and dice.random() < 0.25 else dice.choice(NAMES)
    if dice.random() < 0.15:
        found = dice.choice(_NEAR).format(found)
    if dice.random() < 0.1:
        found = dice.choice((found.upper, found.lower, found.title, lambda: found[:1] * dice.randint(1, 300)))()
    return found


def named(dice: Dice) -> Drawn:
    """A net that is right but for its names. A place has one name wherever it is used."""
    names: dict[str, str] = {}
    odd = dice.random()

    def fill(match: re.Match[str]) -> str:
        place = match[1]
        if place in "SC":
            text = dice.choice(TEXTS)
            return text if place == "S" or dice.random() < 0.5 else text.replace("\\\\", "\\")
        if place not in names:
            strange = dice.random() < max(odd, 0.2)
            names[place] = _name(dice, list(names.values())) if strange else f"n{len(names)}"
        return names[place]

    text = _PLACE.sub(fill, dice.choice(TEMPLATES))
    path = f"{dice.choice((*TEXTS, *NAMES))}.net" if dice.random() < 0.3 else "fuzz.net"
    return Drawn(text.encode("utf-8", "surrogatepass"), path, words=_words(dice))


def _words(dice: Dice) -> tuple[str, ...]:
    """Words that other commands are asked for."""
    return tuple(dice.choice((*NAMES, *TEXTS)) for _ in range(2))
