"""What layers and their arguments are called elsewhere, for those who come from there; see `vocabulary`.

Loaded where something is unknown, and only then.
"""

from __future__ import annotations

import re

from ..base.diagnostics import did_you_mean, nearest
from ..base.record import TYPE_CHECKING
from .registry import KINDS
from .vocabulary import ADVICE, ARGUMENTS, LAYERS_ELSEWHERE, NEEDLESS, WITH_ENDING, WORDS

if TYPE_CHECKING:
    from collections.abc import Iterable


def _plain(name: str) -> str:
    return name.lower().replace("_", "")


def _without_ending(name: str) -> str:
    return re.sub(r"[123]d", "", name)


def layer_for(name: str) -> str | None:
    """The layer that is called so elsewhere."""
    plain = _plain(name.rpartition(".")[2])
    own = {_plain(kind): kind for kind in KINDS}
    bare = _without_ending(plain)
    for known in (WITH_ENDING.get(plain), LAYERS_ELSEWHERE.get(bare), own.get(bare)):
        if known in KINDS and known != name:
            return known
    return None


def help_for(name: str) -> str:
    """What to write for a name of the field; empty where it is none of its words."""
    whole, layer = ADVICE.get(_plain(name)), layer_for(name)
    if whole or layer:
        return whole or f"here it is `{layer}`"
    return ADVICE.get(_without_ending(_plain(name.rpartition(".")[2])), "")


def suggestion(
    word: str, values: Iterable[str], definitions: Iterable[str], known: Iterable[str], library: str = ""
) -> str:
    """What may be meant by an unknown name, as a help line; empty where nothing is near.

    A value of the spec that is a letter off comes first, or a definition that is written in other letters; then the
    words of the field; then what is near in spelling, in the spec, in the library, whose help is given, and among what
    the language knows.
    """
    values, definitions = list(values), list(definitions)
    slip = nearest(word, values, most=1) or nearest(word, definitions, most=0)
    if slip is not None:
        return f"did you mean `{slip}`?"
    return help_for(word) or did_you_mean(word, [*values, *definitions]) or library or did_you_mean(word, known)


def foreign_word(word: str, known: tuple[str, ...]) -> str:
    """What to write for a word of another library, where `known` are those there are; empty where that is open."""
    if word in known:
        return ""
    same = next((w for w in (WORDS.get(_plain(word)), layer_for(word)) if w in known), None)
    if same:
        return f"here it is `{same}`"
    return ADVICE.get(_plain(word), "") if "relu" in known else ""  # an activation that is a formula here


def foreign_argument(name: str, known: list[str]) -> str:
    """What to write for an argument of another library, where `known` are those there are; empty where that is open."""
    same = next((a for a in ARGUMENTS.get(_plain(name), ()) if a in known), "")
    return f"here it is `{same}`" if same else NEEDLESS.get(_plain(name), "")
