"""Texts of the project, damaged: bytes, tokens and lines changed, and two of them joined."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .drawing import Drawn, some_text, tokens
from .values import HOSTILE, NAMES

if TYPE_CHECKING:
    from collections.abc import Callable

    from .drawing import Dice

SIGNS = [
    *(
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ",",
        ";",
        ":",
        "=",
        "->",
        "..",
        "...",
        ".",
        "\n",
        "\n\n",
        " ",
        "\t",
        "\r",
        "#",
        '"',
    ),
    *(
        "+",
        "-",
        "*",
        "/",
        "//",
        "%",
        "**",
        "@",
        "==",
        "!=",
        "<",
        "<=",
        ">",
        ">=",
        "!",
        "&",
        "|",
        "~",
        "^",
        "?",
        "$",
        "\\",
    ),
    *(
        "if",
        "else",
        "for",
        "in",
        "as",
        "and",
        "or",
        "not",
        "net",
        "block",
        "cell",
        "repeat",
        "input",
        "output",
        "state",
    ),
    *("next", "weight", "layer", "expect", "const", "import", "from", "true", "false", "none", "identity", "x"),
    *("\u00e9", "\u4e2d", "\ufb01", "\u212a", "\u0301", "\u200b", "\u202e", "\u00b2", "\u0660", "\U0001f600", "\x0c"),
    *("\x1b[31m", "\ufeff", "\u2028", "\x85", "\x7f", "\xa0"),
]
_CHANGES = 4


def _drop(dice: Dice, parts: list[Any], at: int) -> None:
    del parts[at : at + dice.choice((1, 1, 1, 2, 3, 10, 40))]


def _double(dice: Dice, parts: list[Any], at: int) -> None:
    size, times = dice.choice((1, 1, 2, 5, 20)), dice.choice((1, 1, 1, 1, 2, 3, 10, 100))
    parts[at:at] = parts[at : at + size] * times


def _swap(dice: Dice, parts: list[Any], at: int) -> None:
    other = dice.randrange(len(parts))
    parts[at], parts[other] = parts[other], parts[at]


def _move(dice: Dice, parts: list[Any], at: int) -> None:
    piece = parts[at : at + dice.choice((1, 2, 5, 20))]
    del parts[at : at + len(piece)]
    to = dice.randrange(len(parts) + 1)
    parts[to:to] = piece


WAYS: list[Callable[[Dice, list[Any], int], None]] = [_drop, _double, _swap, _move]


def _changed(dice: Dice, parts: list[Any], strange: Callable[[], Any]) -> list[Any]:
    """A few changes; half of them put something strange in the place of a part."""
    for _ in range(dice.randint(1, _CHANGES)):
        if not parts:
            break
        at = dice.randrange(len(parts))
        if dice.random() < 0.5:
            parts[at] = strange()
        else:
            dice.choice(WAYS)(dice, parts, at)
    return parts


def changed_bytes(dice: Dice) -> Drawn:
    text = some_text(dice)
    parts = list(text.text.encode())
    most = dice.choice((128, 128, 128, 256))
    return Drawn(bytes(_changed(dice, parts, lambda: dice.randrange(most))), text.path)


def changed_tokens(dice: Dice) -> Drawn:
    text = some_text(dice)
    parts = list(tokens(text.text))

    def strange() -> str:
        return dice.choice(dice.choice((SIGNS, HOSTILE, NAMES, parts or SIGNS)))

    return Drawn("".join(_changed(dice, parts, strange)).encode(), text.path)


def changed_lines(dice: Dice) -> Drawn:
    text, other = some_text(dice), some_text(dice)
    lines = other.text.split("\n")
    return Drawn("\n".join(_changed(dice, text.text.split("\n"), lambda: dice.choice(lines))).encode(), text.path)


def spliced(dice: Dice) -> Drawn:
    """The beginning of a text with the end of another, or a piece of another within."""
    text, other = some_text(dice), some_text(dice)
    one, two = tokens(text.text), tokens(other.text)
    at, (start, end) = dice.randrange(len(one) + 1), sorted(dice.randrange(len(two) + 1) for _ in range(2))
    ways = (one[:at] + two[start:], one[:at] + two[start:end] + one[at:], two[:end] + one[at:])
    return Drawn("".join(dice.choice(ways)).encode(), text.path)
