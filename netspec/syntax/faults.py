"""What to say of a token that does not fit: the true place, what was expected, what to do.

Each rule knows one kind of mistake. The first that knows the situation speaks; the last one always does.
"""

from __future__ import annotations

from ..base.diagnostics import nearest
from ..base.record import TYPE_CHECKING
from . import lines, signs
from .habits import ends_early
from .scan import OPENERS, indent, line_start, unclosed, words
from .situation import ASSIGN, DEFINITION_WORDS, IMPORT_WORDS, NUMBERS, STATEMENT_WORDS, Finding

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .build import Token
    from .situation import Situation

_CLOSER = {"LPAR": ")", "LSQB": "]", "LBRACE": "}"}


def explain(at: Situation) -> Finding:
    """What is wrong, and what to do."""
    found = (rule(at) for rule in _RULES)
    return next(finding for finding in found if finding is not None)


# --- brackets --------------------------------------------------------------------------------------------------------


def _nested_definition(at: Situation) -> Finding | None:
    words = (*DEFINITION_WORDS, *IMPORT_WORDS)
    word = at.shown if at.shown in words else at.previous
    place = at.here if word == at.shown else at.last
    if word not in words or not at.brackets:
        return None
    if word in IMPORT_WORDS and at.opener is not None and at.opener.type == "LBRACE":
        others = ((at.opener.start, at.opener.end, "it stands inside of this"),)
        return Finding(
            f"`{word}` stands outside of nets and blocks", place, "move it to the top of the file", "", others
        )
    if not at.nested:
        return None
    help = "leave the word out: here `name = value` is enough" if word == "const" else "move it out, above this one"
    first = at.brackets[0]
    others = ((first.start, first.end, "it stands inside of this"),)
    return Finding(f"`{word}` stands outside of nets and blocks", place, help, "", others)


def _never_closed(at: Situation) -> Finding | None:
    """The bracket that was left open, not the place where that came out."""
    if not at.brackets or not _is_left_open(at):
        return None
    outer = at.brackets[0] if at.kind == "$END" or at.shown in DEFINITION_WORDS else at.brackets[-1]
    start = unclosed(at.text, outer.start, at.start)
    start = outer.start if start is None else start
    sign = at.text[start]
    closer = {"(": ")", "[": "]", "{": "}"}[sign]
    what = "the end of the file" if at.kind == "$END" else f"`{at.shown}`"
    others = () if at.kind == "$END" else ((at.start, at.end, "found this instead"),)
    one_line = line_start(at.text, start) == line_start(at.text, at.last[0]) and sign != "{"
    behind = f"behind `{at.previous}`" if at.previous not in ")]}" else "at the end of the line"
    help = f"write `{closer}` {behind if one_line else 'where it ends'}"
    message = f"`{sign}` is never closed: {what} comes before its `{closer}`"
    return Finding(message, (start, start + 1), help, f"this `{sign}` needs a `{closer}`", others)


def _is_left_open(at: Situation) -> bool:
    opener = at.opener
    if opener is None or at.kind == "$END":
        return opener is not None
    if at.shown in ")]}":
        meant = at.inside or any(at.shown == _CLOSER[b.type] for b in at.brackets)
        return at.shown != _CLOSER[opener.type] and meant
    if not at.inside:
        return at.shown in DEFINITION_WORDS and at.begins_line
    if at.kind == "NAME" and at.shown in STATEMENT_WORDS + DEFINITION_WORDS and at.begins_line:
        return True
    if at.kind == "LBRACE" and at.header in ("for", "if", "repeat", "net", "block", "cell"):
        return True
    # inside brackets the items of a list are indented; what is not is the next statement
    return at.begins_line and indent(at.text, at.start) <= indent(at.text, opener.start)


def _closes_nothing(at: Situation) -> Finding | None:
    if at.shown in (")", "]", "}") and not any(at.shown == _CLOSER[b.type] for b in at.brackets):
        return Finding(f"`{at.shown}` closes nothing", at.here, "remove it, or open it before")
    return None


def _semicolon_in_brackets(at: Situation) -> Finding | None:
    if not at.inside or at.kind != "_NEWLINE":
        return None
    return Finding("`;` ends a statement, but a bracket is still open", (at.start, at.start + 1), "write `,`")


# --- two things with nothing between them ----------------------------------------------------------------------------


def _two_in_brackets(at: Situation) -> Finding | None:
    if at.opener is None or not at.inside or at.kind not in (*_BEGINS, "NAME", "LBRACE"):
        return None
    if not {"COMMA", _closing(at.opener)} & at.expected:
        return None
    closer, opener = _CLOSER[at.opener.type], at.opener
    if at.kind in NUMBERS and at.previous.isidentifier() and not at.begins_line:
        message = f"nothing stands between `{at.previous}` and `{at.shown}`"
        step = f"{at.previous}({', '.join(_as_arguments(at).partition(',')[0].split())})"
        return Finding(message, at.here, f"an argument is `{at.previous}={at.shown}`, and a step `{step}`")
    message = f"`,` or `{closer}` should stand before `{at.shown}`"
    others: tuple[tuple[int, int, str], ...] = ((opener.start, opener.end, "in this bracket"),)
    if at.begins_line:
        others = (*others, (at.start, at.end, "this is the next item"))
        return Finding(f"`,` or `{closer}` is missing here", at.after, "write `,` between the items", "", others)
    return Finding(message, at.here, f"write `,` before `{at.shown}`, or `{closer}` behind `{at.previous}`", "", others)


_BEGINS = (*NUMBERS, "STRING")


def _closing(opener: Token) -> str:
    return OPENERS[opener.type]


def _two_on_a_line(at: Situation) -> Finding | None:
    if "_NEWLINE" not in at.expected or at.kind not in (*_BEGINS, "NAME", "LBRACE"):
        return None
    word = nearest(at.previous, STATEMENT_WORDS) if len(at.before) == 1 else None
    if word:
        message = f"`{at.previous}` is followed by `{at.shown}` with nothing between them"
        return Finding(message, at.last, f"did you mean `{word}`?")
    if at.kind in _BEGINS and at.before:
        line = _as_arguments(at)
        help = f"arguments stand in brackets: `{at.previous}({line})`"
        is_short = len(line) < 40 and at.previous.isidentifier()
        return Finding(f"`{at.shown}` stands alone behind `{at.previous}`", at.here, help if is_short else "")
    if at.kind == "LBRACE" and at.touches and at.previous.isidentifier():
        return Finding(f"`{{` opens a body, and `{at.previous}` has none", at.here, "arguments stand in round brackets")
    if at.shown == "is":
        return Finding("`is` compares nothing", at.here, "comparison is `==`")
    if at.shown in STATEMENT_WORDS:
        return lines.second_statement(at.shown, at.here)
    message = f"`{at.shown}` begins a second step on the same line"
    return Finding(message, at.here, "write `->` between the two, or begin a new line")


def _as_arguments(at: Situation) -> str:
    """The rest of a line as the arguments of the step that stands before it, which lacks its brackets."""
    parts, depth = [], 0
    for word in words(at.rest, 0, len(at.rest)):
        depth += word in OPENING
        depth -= word in CLOSING
        if depth < 0 or (depth == 0 and word in ("->", "as", ";")):
            break
        parts.append(word)
    text = at.rest[: _end_of(at.rest, parts)].rstrip(", ")
    return text if {"=", ","} & set(parts) else ", ".join(text.split())


OPENING, CLOSING = "([{", ")]}"


def _end_of(text: str, parts: Sequence[str]) -> int:
    """Where the last of the words ends with which a text begins."""
    place = 0
    for part in parts:
        place = text.index(part, place) + len(part)
    return place


# --- all else --------------------------------------------------------------------------------------------------------


def _line_ends(at: Situation) -> Finding | None:
    if not at.ends_line:
        return None
    help = "begin the next line with the `->`" if at.previous == "->" else ends_early(at.previous)
    if "ELSE" in at.expected:
        help = "a choice has two sides: `a if condition else b`"
    return Finding(f"the line ends where {_expected(at)} should follow", at.after, help, "after this")


def _unexpected(at: Situation) -> Finding:
    help = "a body stands in braces: `{ ... }`" if "LBRACE" in at.expected and at.header in _WITH_BODY else ""
    return Finding(f"{_expected(at)} should stand here, not `{at.shown}`", at.here, help)


_WITH_BODY = ("for", "if", "repeat")


def _expected(at: Situation) -> str:
    """What could come next, said in a few words."""
    if "INTEGER" in at.expected:
        return "a step or a value"
    if at.expected & {"INPUT", "NET"}:
        return "a statement"
    if at.inside and "COMMA" in at.expected and at.opener is not None:
        return f"`,` or `{_CLOSER[at.opener.type]}`"
    words = {"LBRACE": "`{`", "IN": "`in`", "ELSE": "`else`", "LPAR": "`(`", "NAME": "a name", ASSIGN: "`=`"}
    if "_NEWLINE" in at.expected:
        return "the end of the statement"
    if "LBRACE" in at.expected and at.header in _WITH_BODY:
        return "`{`"
    named = [text for kind, text in words.items() if kind in at.expected]
    return " or ".join(named[:2]) if named else "something else"


_RULES: tuple[Callable[[Situation], Finding | None], ...] = (
    signs.comment,
    lines.size,
    signs.odd_character,
    lines.import_,
    _nested_definition,
    _semicolon_in_brackets,
    signs.arrow,
    signs.continued,
    signs.unpacking,
    signs.comma,
    signs.number,
    lines.parameter,
    lines.input,
    lines.step_behind_input,
    lines.state,
    lines.weight,
    lines.loop,
    signs.colon,
    signs.equals,
    _never_closed,
    _closes_nothing,
    signs.foreign_word,
    lines.definition,
    lines.name_of_definition,
    lines.word_for_a_value,
    lines.stray_else,
    lines.shared,
    lines.named,
    _two_in_brackets,
    _two_on_a_line,
    _line_ends,
    _unexpected,
)
