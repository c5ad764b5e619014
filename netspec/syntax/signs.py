"""Signs, words and numbers that other languages write otherwise."""

from __future__ import annotations

import re

from ..base.record import TYPE_CHECKING
from . import habits
from .lexer import match
from .scan import line_start
from .situation import ASSIGN, DEFINITION_WORDS, STATEMENT_WORDS, Finding

if TYPE_CHECKING:
    from .situation import Situation


def odd_character(at: Situation) -> Finding | None:
    if at.kind != "?":
        return None
    if at.header == "expect" and at.text.startswith(_NEARLY, at.start):
        help = "compare with both bounds: `40 < macs < 50`"
        return Finding(f"`{at.shown}` is no sign of the language", at.here, help)
    decides = at.header in ("if", "expect")
    help = (habits.CONDITIONS if decides else {}).get(at.shown) or habits.CHARACTERS.get(at.text[at.start], "")
    character = at.text[at.start]
    shown = character if character.isprintable() and character.strip() else f"U+{ord(character):04X}"
    word = at.rest[1:].partition(character)[0]
    if character in "'`" and word.isidentifier() and at.rest[len(word) + 1 :].startswith(character):
        help = f"words stand without quotes: `{word}`"
    return Finding(f"the character `{shown}` has no meaning here", at.here, help)


_NEARLY = ("~=", "\u2248", "\u2245")


def comment(at: Situation) -> Finding | None:
    line = line_start(at.text, at.start)
    found = [at.text.find(mark, line, at.start + len(mark)) for mark in (*habits.COMMENTS, habits.DOCUMENTATION)]
    starts = [place for place in found if place >= 0]
    if not starts:
        return None
    place = min(starts)
    mark = next(m for m in (*habits.COMMENTS, habits.DOCUMENTATION) if at.text.startswith(m, place))
    # `a // b` is a division, and `--` may stand before an arrow
    if (mark == "//" and place != at.start and "_NEWLINE" not in at.expected) or at.text.startswith("-->", place):
        return None
    help = habits.DOCUMENTED if mark == habits.DOCUMENTATION else habits.COMMENTS[mark]
    return Finding(f"`{mark}` does not begin a comment", (place, place + len(mark)), help)


def foreign_word(at: Situation) -> Finding | None:
    if at.previous in habits.WORDS and not at.inside and at.kind not in ("LPAR", "COLON", ASSIGN):
        word, place, name = at.previous, at.last, at.shown if at.kind == "NAME" else ""
        name = at.rest if word in _WHOLE else name
    elif at.shown in habits.WORDS and at.kind == "NAME":
        word, place, name = at.shown, at.here, "".join(at.rest.split()[1:2])
    else:
        return None
    return Finding(f"`{word}` is no word of the language", place, habits.word_help(word, name))


# words behind which all of the rest stays
_WHOLE = ("return", "yield", "assert")


def colon(at: Situation) -> Finding | None:
    if at.kind != "COLON":
        return None
    message = "`:` has no meaning here"
    if at.text.startswith("=", at.end):
        return Finding("`:=` is no sign of the language", (at.start, at.end + 1), "write `=`")
    if "LBRACE" in at.expected and at.header in ("if", "else", "for", "repeat", *DEFINITION_WORDS):
        opened = at.rest[1:].lstrip().startswith("{")
        return Finding(message, at.here, "leave it out" if opened else "a body stands in braces: `{ ... }`")
    if at.header in ("net", "block", "cell") and at.opener is not None and at.opener.type == "LPAR":
        return Finding(message, at.here, f"parameters have no types; a default is `{at.previous}=3`")
    if at.inside and at.previous.isidentifier():
        return Finding(message, at.here, f"an argument is given with `=`: `{at.previous}=...`")
    named = len(at.before) == 1 and at.header.isidentifier() and at.header not in STATEMENT_WORDS
    if named and at.rest[1:].strip():
        return Finding(message, at.here, f"a step is named behind it: `{at.rest[1:].strip()} as {at.header}`")
    if not at.rest[1:].strip() or (at.header in DEFINITION_WORDS and not at.inside):
        return Finding(message, at.here, "leave it out")
    helps = {"output": "leave it out", "expect": "a condition compares: `expect params == 61_706`"}
    return Finding(message, at.here, helps.get(at.header, ""))


def equals(at: Situation) -> Finding | None:
    if at.kind == "MORE" and at.previous == ">" and at.touches:
        return Finding("`>>` is no sign of the language", (at.start - 1, at.end), "steps are joined by `->`")
    if at.kind == "MORE" and at.previous == "=" and at.touches:
        return Finding("`=>` is no sign of the language", (at.start - 1, at.end), "steps are joined by `->`")
    if at.ends_line and at.before[-2:] in (["+", "+"], ["-", "-"]) and len(at.before) > 2:
        sign, name = at.previous, at.before[-3]
        message = f"`{sign}{sign}` is no sign of the language"
        return Finding(message, (at.last[0] - 1, at.last[1]), f"write `{name} = {name} {sign} 1`")
    if at.kind != ASSIGN:
        return None
    if at.touches and at.previous in ("+", "-", "*", "/", "//", "**", "@"):
        name = at.before[-2] if len(at.before) > 1 else "n"
        message = f"`{at.previous}=` is no sign of the language"
        return Finding(message, (at.last[0], at.end), f"write `{name} = {name} {at.previous} ...`")
    if at.header in ("if", "else", "expect"):
        return Finding("`=` binds a name; it does not compare", at.here, "comparison is `==`")
    return None


def arrow(at: Situation) -> Finding | None:
    if at.kind != "ARROW":
        return None
    if at.previous == "-" and at.touches:
        return Finding("`-->` is no sign of the language", (at.start - 1, at.end), "steps are joined by `->`")
    if at.previous == "->":
        return Finding("there is no step between these two arrows", at.here, "remove one of them")
    if at.previous in ("{", "") or at.begins_line:
        return Finding("nothing stands before this `->`", at.here, "the first step takes the input as it is")
    return None


def continued(at: Situation) -> Finding | None:
    """A line that begins with an operator, which the line above has nothing to do with."""
    if at.kind not in _JOINING or not at.begins_line or at.inside or at.previous in ("", "{"):
        return None
    rest = at.rest[len(at.shown) :].strip()
    return Finding(f"`{at.shown}` takes nothing from the line above", at.here, habits.goes_on(at.shown, rest))


_JOINING = ("TIMES", "DIVIDE", "FLOOR_DIVIDE", "REMAINDER", "MATRIX", "POWER", "DOT", "MORE", "LESS")


def unpacking(at: Situation) -> Finding | None:
    if at.kind in ("TIMES", "POWER") and "INTEGER" in at.expected and at.inside:
        return Finding("arguments cannot be unpacked", at.here, "write each of them out: `kernel=3x3`")
    return None


def comma(at: Situation) -> Finding | None:
    if at.previous == "," and at.kind == "COMMA":
        return Finding("nothing stands between these two commas", at.here, "remove one of them")
    if at.kind == "COMMA" and at.previous.isdigit() and at.touches and _begins_group(at.rest[1:]):
        return Finding("a number holds no `,`", at.here, f"write `{_thousands(at)}`")
    comma = at.here if at.kind == "COMMA" and not at.rest[1:].strip() and not at.inside else None
    if at.previous == "," and at.ends_line and not at.inside:
        comma = at.last
    return comma and Finding("a statement does not end with a comma", comma, "leave it out; the new line is enough")


def _begins_group(text: str) -> bool:
    """Does a text begin with three digits and no more, as behind the `,` of `1,000`?"""
    return len(text[:3]) == 3 and text[:3].isdigit() and not text[3:4].isalnum()


def _thousands(at: Situation, start: int | None = None) -> str:
    """The number that begins at a place, or with the last token, and goes on at signs or blanks: with `_` for these."""
    found = _GROUPS.match(at.text, at.last[0] if start is None else start)
    return "_".join(re.findall(r"\d+", found[0])) if found is not None else at.previous


_GROUPS = re.compile(r"\d+(?:(?:[ \t]+|[,.])\d{3}(?!\w))*")


def number(at: Situation) -> Finding | None:
    if at.kind == "INTEGER" and at.previous.isdigit() and len(at.shown) == 3:
        return Finding("a number holds no blank", at.here, f"write `{_thousands(at)}`")
    if at.kind == "INTEGER" and at.previous == "," and at.touches and at.text[at.last[0] - 1].isdigit():
        start = at.last[0] - len(at.before[-2])
        return Finding("a number holds no `,`", at.last, f"write `{_thousands(at, start)}`")
    if at.kind == "INTEGER" and at.previous == "." and at.before[-2:-1] and at.before[-2].replace(".", "").isdigit():
        return Finding("a number holds no second `.`", at.last, "thousands are parted by `_`: `61_706`")
    if at.kind == "DOT" and at.text[at.end : at.end + 1].isdigit():
        digits = "".join(match(at.text, at.end).group().split(".")[:1])  # type: ignore[union-attr]
        return Finding("a number begins with a digit", at.here, f"write `0.{digits}`")
    if at.previous == "." and at.before[-2:-1] and at.before[-2].isdigit():
        return Finding("a number does not end with `.`", at.last, f"write `{at.before[-2]}.0`")
    if at.previous == "%" and at.before[-2:-1] and at.before[-2].isdigit():
        return Finding("`%` is the remainder of a division", at.last, f"write `{int(at.before[-2]) / 100}`")
    if at.kind != "NAME" or not at.previous.replace("_", "").replace(".", "").isdigit():
        return None
    if at.shown[0] in "xX" and (at.shown[1:].isdigit() or (len(at.shown) == 1 and at.rest[1:].strip()[:1].isdigit())):
        place = at.last[0], at.end
        return Finding("this is not a size", place, "a size is whole numbers and a small x between them: `3x3`")
    if at.touches:
        zeros = {"k": "_000", "K": "_000", "M": "_000_000"}.get(at.shown)
        help = f"write `{at.previous}{zeros}`" if zeros and at.previous.isdigit() else ""
        return Finding(f"`{at.previous}{at.shown}` is neither a number nor a name", (at.last[0], at.end), help)
    return None
