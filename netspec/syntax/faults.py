"""What to say of a token that does not fit: the true place, what was expected, what to do."""

from __future__ import annotations

from ..diagnostics import nearest
from ..record import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .build import Token

_SHOWN = {"LPAR": "(", "RPAR": ")", "LSQB": "[", "RSQB": "]", "LBRACE": "{", "RBRACE": "}"}
_CLOSER = {"LPAR": ")", "LSQB": "]", "LBRACE": "}"}
_STATEMENT_WORDS = ("input", "output", "layer", "expect", "repeat", "for", "if")
_DEFINITION_WORDS = ("net", "block", "const")
# words of the language page that this version does not have
_LATER = ("cell", "state", "next", "weight", "scan")
_IMPORT_WORDS = ("import", "from")

Finding = "tuple[str, tuple[int, int], str, list[tuple[Token, str]], str]"


def explain(
    token: Token, row: Mapping[str, int], brackets: Sequence[Token], before: str
) -> tuple[str, tuple[int, int], str, list[tuple[Token, str]], str]:
    """Message, place, label, other places with labels, help."""
    here = (token.start, token.end)
    stripped = len(before.rstrip())
    after = (max(stripped - 1, 0), stripped) if stripped else here
    last_word = before.rstrip().rsplit("\n", 1)[-1].split()[-1:] or [""]
    opener = brackets[-1] if brackets else None
    if token.type == "?":
        return _odd_character(token, here)
    if token.text in _IMPORT_WORDS and opener is not None and opener.type == "LBRACE":
        others = [(opener, "it stands inside of this")]
        return f"`{token.text}` stands outside of nets and blocks", here, "", others, "move it to the top of the file"
    line = before.rstrip().rsplit("\n", 1)[-1].split()
    if line[:1] and line[0] in _IMPORT_WORDS and not brackets:
        return _in_import(token, row, here if token.text.strip() else after, line)
    if opener is not None and _closes_wrong(token, opener):
        closer = _CLOSER[opener.type]
        what = "the end of the file" if token.type == "$END" else f"`{token.text.strip()}`"
        return (
            f"`{opener.text}` is never closed: {what} comes before its `{closer}`",
            (opener.start, opener.end),
            f"this `{opener.text}` needs a `{closer}`",
            [] if token.type == "$END" else [(token, "found this instead")],
            f"write `{closer}` where it ends",
        )
    if token.type in ("RPAR", "RSQB", "RBRACE") and opener is None:
        return f"`{token.text}` closes nothing", here, "", [], "remove it, or open it before"
    if last_word[0] in _LATER:
        return (
            f"`{last_word[0]}` is not in this version of the language",
            after,
            "",
            [],
            "`netspec layers` lists what there is",
        )
    if last_word[0] in _STATEMENT_WORDS and token.text.strip() in ("=", "->"):
        return (
            f"`{last_word[0]}` begins a statement of its own here, so it cannot stand for a value",
            (stripped - len(last_word[0]), stripped),
            "",
            [],
            f"give the value another name, such as `{last_word[0]}_`",
        )
    if token.type == "ELSE" or (token.type == "LBRACE" and last_word[0] == "else"):
        end = token.end if token.type == "ELSE" else stripped
        help = "it stands right behind the `}` of an `if`, or in `a if condition else b`"
        return "this `else` belongs to no `if`", (end - len("else"), end), "", [], help
    if "_NEWLINE" in row and token.type in ("NAME", "LBRACE", "INTEGER", "SIZE", "DECIMAL", "STRING"):
        return _two_in_a_row(token, here, opener, before)
    if token.type in ("_NEWLINE", "$END"):
        return f"the line ends where {_expected(row)} should follow", after, "after this", [], ""
    found = "`" + (token.text.strip() or "the end of the line") + "`"
    if not brackets and "NET" in row:
        word = nearest(token.text, (*_DEFINITION_WORDS, *_IMPORT_WORDS))
        help = f"did you mean `{word}`?" if word else "a file holds `net`, `block` and `const` definitions, and imports"
        return f"a definition begins with `net`, `block` or `const`, not {found}", here, "", [], help
    help = "comparison is `==`" if token.text == "=" else ""
    return f"{_expected(row)} should stand here, not {found}", here, "", [], help


def _closes_wrong(token: Token, opener: Token) -> bool:
    if token.type == "$END":
        return True
    if token.type in ("RPAR", "RSQB", "RBRACE"):
        return token.text != _CLOSER[opener.type]
    words = _STATEMENT_WORDS + _DEFINITION_WORDS
    if opener.type == "LBRACE":
        return token.text in _DEFINITION_WORDS
    return token.type == "NAME" and token.text in words


def _in_import(
    token: Token, row: Mapping[str, int], place: tuple[int, int], line: Sequence[str]
) -> tuple[str, tuple[int, int], str, list[tuple[Token, str]], str]:
    """A line that begins as an import and does not go on as one."""
    found = f"`{token.text.strip()}`" if token.text.strip() else "the end of the line"
    helps = {"STRING": 'write `import "blocks.net"`, or `from "blocks.net" import name`'}
    if token.type == "TIMES":
        helps = {"NAME": f"`import {line[1]}` brings all definitions in"}
    expected = {"STRING": "the path of a file, in double quotes,", "IMPORT": "`import`", "NAME": "a name"}
    what, help = next(((text, helps.get(kind, "")) for kind, text in expected.items() if kind in row), ("", ""))
    if not what:
        return f"the import is complete before {found}", place, "", [], "one file stands in each import"
    return f"{what} should stand here, not {found}", place, "", [], help


def _odd_character(
    token: Token, here: tuple[int, int]
) -> tuple[str, tuple[int, int], str, list[tuple[Token, str]], str]:
    help = {
        '"': 'a string ends with `"` on the same line',
        "'": "strings stand in double quotes; words such as `same` need none",
        "=": "comparison is `==`",
        "!": "write `not`, or `!=`",
        "&": "write `and`",
        "|": "write `or`",
    }.get(token.text, "")
    shown = token.text if token.text.isprintable() else f"U+{ord(token.text):04X}"
    return f"the character `{shown}` has no meaning here", here, "", [], help


def _two_in_a_row(
    token: Token, here: tuple[int, int], opener: Token | None, before: str
) -> tuple[str, tuple[int, int], str, list[tuple[Token, str]], str]:
    if opener is not None and opener.type != "LBRACE":
        gap = before.rstrip()[-12:]
        comma = (
            f"write `,` before `{token.text}`, or `{_CLOSER[opener.type]}` after `{gap.split()[-1]}`"
            if gap.split()
            else ""
        )
        return (
            f"`,` or `{_CLOSER[opener.type]}` should stand before `{token.text}`",
            here,
            "",
            [(opener, "in this bracket")],
            comma,
        )
    first = before.rstrip().rsplit("\n", 1)[-1].split()
    word = nearest(first[0], _STATEMENT_WORDS) if first and first[0] not in _STATEMENT_WORDS else None
    if word and len(first) == 1:
        return (
            f"`{first[0]}` is followed by `{token.text}` with nothing between them",
            here,
            "",
            [],
            f"did you mean `{word}`?",
        )
    if token.type in ("INTEGER", "SIZE", "DECIMAL", "STRING") and first:
        return (
            f"`{token.text}` stands alone behind `{first[-1]}`",
            here,
            "",
            [],
            f"arguments stand in brackets: `{first[-1]}({token.text}, ...)`",
        )
    return (
        f"`{token.text}` begins a second step on the same line",
        here,
        "",
        [],
        "write `->` between the two, or begin a new line",
    )


def _expected(row: Mapping[str, int]) -> str:
    """What could come next, said in a few words."""
    if "INTEGER" in row:
        return "a step or a value"
    if "INPUT" in row or "NET" in row:
        return "a statement"
    words = {
        "NAME": "a name",
        "LBRACE": "`{`",
        "LPAR": "`(`",
        "RPAR": "`)`",
        "RSQB": "`]`",
        "RBRACE": "`}`",
        "IN": "`in`",
        "ELSE": "`else`",
        "COMMA": "`,`",
        "__ANON_0": "`=`",
    }
    named = [text for kind, text in words.items() if kind in row]
    if "_NEWLINE" in row and len(named) > 3:
        return "the end of the statement"
    return " or ".join(named[:3]) if named else "something else"
