"""An input, and where the texts of the project are."""

from __future__ import annotations

import random
import re
from functools import lru_cache
from pathlib import Path

from netspec.base.record import Record

ROOT = Path(__file__).resolve().parent.parent.parent
FOLDERS = ("specs", "examples", "tests/cases", "netspec/std")
TOKEN = re.compile(r"\w+|\s+|->|[^\w\s]")
# what a text costs more than its letters: short ones are drawn more often, since they cost less to check
_OVERHEAD, _POWER = 100, 1.3

Dice = random.Random


class Drawn(Record):
    """What is put to the test: the bytes of a spec, the file that they stand in for, and what else is asked.

    `settings` are what `--set` gets, `words` are options of a command, `others` are the texts that are checked at the
    same time, and `twin` is the same net with plain names.
    """

    data: bytes
    path: str = "fuzz.net"
    settings: tuple[str, ...] = ()
    others: tuple[bytes, ...] = ()
    words: tuple[str, ...] = ()
    twin: bytes = b""


class Text(Record):
    """A text of the project."""

    path: str
    text: str


@lru_cache
def corpus() -> tuple[list[Text], list[float]]:
    """The texts of the project, and how often each is drawn."""
    paths = sorted(p for folder in FOLDERS for p in (ROOT / folder).rglob("*.net"))
    texts = [Text(str(p), p.read_text(encoding="utf-8")) for p in paths]
    return texts, [(len(t.text) + _OVERHEAD) ** -_POWER for t in texts]


def some_text(dice: Dice) -> Text:
    texts, often = corpus()
    return dice.choices(texts, often)[0]


@lru_cache(4096)
def tokens(text: str) -> tuple[str, ...]:
    """Words, blanks and signs; together they are the text."""
    return tuple(TOKEN.findall(text))
