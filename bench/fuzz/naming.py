"""Hostile names in every place where a name or a text of the author's can stand."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .drawing import Drawn
from .values import HOSTILE, NAMES, TEXTS

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
net %F { input %G [T, 4]; scan(%A(3), return=sequence) as %H -> dense(2, name="%S") as %B; output %C1 = %B }
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
PLACES = ("A", "B", "C1", "D", "E", "F", "G", "H")
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
    """A net that is right but for its names, and its twin. A place has one name wherever it is used."""
    template, names, texts = dice.choice(TEMPLATES), _names(dice), iter(_texts(dice))
    filled = _PLACE.sub(lambda match: next(texts) if match[1] in "SC" else match[0], template)
    text = _PLACE.sub(lambda match: names[match[1]], filled)
    plain = _PLACE.sub(lambda match: f"plain_{match[1].lower()}", filled)
    twin = plain if len(set(names.values())) == len(names) else ""
    path = f"{dice.choice((*TEXTS, *NAMES))}.net" if dice.random() < 0.3 else "fuzz.net"
    data, other = (t.encode("utf-8", "surrogatepass") for t in (text, twin))
    return Drawn(data, path, words=_words(dice), twin=other)


def _names(dice: Dice) -> dict[str, str]:
    """A name for each place: strange or plain."""
    found: dict[str, str] = {}
    odd = max(dice.random(), 0.2)
    for place in PLACES:
        found[place] = _name(dice, list(found.values())) if dice.random() < odd else f"n{len(found)}"
    return found


def _texts(dice: Dice) -> list[str]:
    """The insides of the strings and comments of a template, in their order."""
    return [t if dice.random() < 0.5 else t.replace("\\\\", "\\") for t in dice.choices(TEXTS, k=8)]


def _words(dice: Dice) -> tuple[str, ...]:
    """Words that commands are given as arguments and options: one that may be a name, and one that may be a value."""
    value = dice.choice((*HOSTILE, *(f"{name}={dice.choice(HOSTILE)}" for name in dice.choices(NAMES, k=20))))
    return dice.choice((*NAMES, *TEXTS)), value
