"""The kinds of inputs: how each is drawn, how often, and what it is put through."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netspec.base.record import Record
from netspec.codegen.pipeline import BACKENDS

from .calls import layers, sentences, set_values, statements
from .drawing import Dice, Drawn
from .growth import grown
from .mutations import changed_bytes, changed_lines, changed_tokens, spliced
from .naming import named

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

# how often a text is laid out anew, which costs more than a check
_LAID_OUT = 0.2
_CODE = ("draw", "torch", *(f"keras-{style}" for style in BACKENDS["keras"]))
# how many texts are checked at the same time
_BUNDLE = 11


class Kind(Record):
    """A kind of input: `often` is its share, `code` how often pictures and code are made of it too."""

    draw: Callable[[Dice], Drawn]
    often: float
    code: float = 0.0
    trials: tuple[str, ...] = ("check",)


def _bundle(dice: Dice) -> Drawn:
    """Some inputs of other kinds, to be checked at the same time."""
    ways = (changed_tokens, statements, layers, spliced)
    texts = [dice.choice(ways)(dice).data for _ in range(_BUNDLE)]
    return Drawn(texts[0], others=tuple(texts[1:]))


# shares go by what an input costs: those of one or two milliseconds make up most of a run
KINDS = {
    "bytes": Kind(changed_bytes, 12, 0.1),
    "tokens": Kind(changed_tokens, 10, 0.1),
    "lines": Kind(changed_lines, 4, 0.1),
    "splices": Kind(spliced, 6, 0.1),
    "sentences": Kind(sentences, 14, 0.5),
    "statements": Kind(statements, 12, 0.5),
    "layers": Kind(layers, 36, 0.3),
    "settings": Kind(set_values, 6, 0.5),
    "names": Kind(named, 0.15, 1.0, ("check", "twins", "commands")),
    "growth": Kind(grown, 0.1, 0.3),
    "threads": Kind(_bundle, 0.1, 0.0, ("threads",)),
}


class Task(Record):
    """An input to try, by the seed that it is drawn from."""

    seed: int
    kind: str
    drawn: Drawn
    trials: tuple[str, ...]


def task(seed: int, names: Sequence[str] = tuple(KINDS)) -> Task:
    """The input of a seed, of one of these kinds: always the same one."""
    dice = Dice(seed)
    name = dice.choices(names, [KINDS[n].often for n in names])[0]
    kind = KINDS[name]
    drawn = kind.draw(dice)
    more = ("fmt",) if dice.random() < _LAID_OUT else ()
    return Task(seed, name, drawn, (*kind.trials, *more, *(_CODE if dice.random() < kind.code else ())))
