"""Lines of one kind that go wrong in ways of their own: definitions, imports, inputs, loops, names."""

from __future__ import annotations

from ..base.diagnostics import nearest
from ..base.record import TYPE_CHECKING
from . import habits
from .situation import ASSIGN, DEFINITION_WORDS, IMPORT_WORDS, NUMBERS, STATEMENT_WORDS, Finding

if TYPE_CHECKING:
    from .situation import Situation


def import_(at: Situation) -> Finding | None:
    """A line that begins as an import and does not go on as one."""
    if at.header not in IMPORT_WORDS or at.brackets:
        return None
    place, found = (at.here, f"`{at.shown}`") if at.shown else (at.after, "the end of the line")
    helps = {"STRING": _path_help(at)}
    if at.kind == "TIMES" and len(at.before) > 1:
        helps = {"NAME": f"`import {at.before[1]}` brings all definitions in"}
    expected = {"STRING": "the path of a file, in double quotes,", "IMPORT": "`import`", "NAME": "a name"}
    for kind, what in expected.items():
        if kind in at.expected:
            return Finding(f"{what} should stand here, not {found}", place, helps.get(kind, ""))
    return Finding(f"the import is complete before {found}", place, "one file stands in each import")


def _path_help(at: Situation) -> str:
    """What to write in place of a path without quotes, or of a module of Python."""
    written, _, rest = at.rest.partition(" ")
    if at.shown in habits.MODULES:
        return "nothing of Python is imported: all layers are known by their names"
    if not written or written[0] in "\"'":
        return 'write `import "blocks.net"`, or `from "blocks.net" import name`'
    path = written.removesuffix(".net").replace(".", "/")
    return f"write `{' '.join([at.header, f'{chr(34)}{path}.net{chr(34)}', rest]).rstrip()}`"


def definition(at: Situation) -> Finding | None:
    """Where a definition should begin."""
    if at.brackets or not {"NET", "_NEWLINE"} & at.expected or at.header in (*DEFINITION_WORDS, *IMPORT_WORDS):
        return None if at.brackets or at.previous != "}" or "_NEWLINE" not in at.expected else _same_line(at)
    if at.shown in STATEMENT_WORDS:
        help = "write `net name { ... }` around the statements"
        return Finding(f"`{at.shown}` stands inside of a net or block", at.here, help)
    behind = at.rest[len(at.shown) :].lstrip()
    if at.kind == "NAME" and behind.startswith("=") and not behind.startswith("=="):
        help = f"a value for the whole file is a constant: `const {at.shown} = ...`"
        return Finding(f"a name is bound inside of a net or block, so `{at.shown} =` cannot stand here", at.here, help)
    lower = at.shown.lower()
    word = habits.DEFINITIONS.get(lower) or nearest(lower, (*DEFINITION_WORDS, *IMPORT_WORDS)) or ""
    if at.shown.lower() in DEFINITION_WORDS:
        word = at.shown.lower()
    held = "a file holds `net`, `block`, `cell` and `const` definitions, and imports"
    help = f"did you mean `{word}`?" if word else held
    return Finding(f"a definition begins with `net`, `block`, `cell` or `const`, not `{at.shown}`", at.here, help)


def _same_line(at: Situation) -> Finding:
    return Finding(f"a definition ends before `{at.shown}`", at.here, "begin a new line")


def name_of_definition(at: Situation) -> Finding | None:
    if at.header not in ("net", "block", "cell") or at.brackets or len(at.before) > 2:
        return None
    if at.previous == at.header and at.ends_line | (at.kind in ("LBRACE", "LPAR")):
        return Finding(f"the {at.header} has no name", at.last, f"write `{at.header} name {{ ... }}`")
    if at.previous == at.header:
        help = "it has letters, digits and `_`, begins with no digit, and stands without quotes"
        return Finding(f"this is not the name of a {at.header}", at.here, help)
    if at.kind in ("MINUS", "DOT", "DIVIDE"):
        return Finding(f"a name cannot hold `{at.shown}`", at.here, "write `_`")
    if at.kind in (ASSIGN, "COLON"):
        return Finding(f"nothing stands between the name and its `{{`, so `{at.shown}` cannot", at.here, "leave it out")
    return None


def parameter(at: Situation) -> Finding | None:
    """An input among the parameters of a definition: `net n(x [8]) { ... }`."""
    if at.header not in DEFINITION_WORDS or at.kind != "LSQB" or not at.inside or len(at.brackets) != 1:
        return None
    help = f"what comes in is declared in the body: `input {at.previous} [{_sizes(at)}]`"
    return Finding("a parameter has no shape", at.here, help)


def _sizes(at: Situation) -> str:
    """The sizes that stand in the rest of a line, in whatever brackets, or those of an example."""
    inner = at.rest.strip(" :=([{").partition(")")[0].partition("]")[0].partition("->")[0].replace("x", ",")
    sizes = [size.strip() for size in inner.replace(",", " ").split()]
    return ", ".join(sizes) if sizes and all(size.isalnum() for size in sizes) else "28, 28, 1"


def size(at: Situation) -> Finding | None:
    """`input x [*, 28, 28]`"""
    if at.header != "input" or not at.inside or at.shown not in ("*", "?"):
        return None
    return Finding(f"`{at.shown}` is no size", at.here, _NO_BATCH)


def input(at: Situation) -> Finding | None:
    """`input x [28, 28, 1]` in the ways of others."""
    if at.header != "input" or at.inside or (len(at.before) > 2 and at.kind not in ("ARROW", "COMMA")):
        return None
    if at.kind == "ARROW":
        return Finding("an input is a statement of its own", at.here, "begin a new line with the first step")
    if len(at.before) == 1 and at.kind in ("LPAR", "LSQB"):
        return Finding("this input has no name", at.last, f"write `input x [{_sizes(at)}]`")
    if len(at.before) >= 2 and at.kind in ("COLON", "LPAR", "COMMA", ASSIGN, *NUMBERS):
        if at.kind == "COMMA" and at.previous == "]":
            others = bool(at.rest[1:].strip())
            message = "each input is a statement of its own"
            return Finding(message, at.here, "write `;` here, and `input` again") if others else None
        help = f"write `input {at.before[1]} [{_sizes(at)}]`, one input a line"
        return Finding("a name and a shape in square brackets make an input", at.here, help)
    return None


def step_behind_input(at: Situation) -> Finding | None:
    """`input x [5, 3] conv(4, 3x3)`: what stands behind a shape is a type, which takes no more than a number."""
    words = at.before[len(at.before) - at.before[::-1].index("input") :] if "input" in at.before else []
    closed = words.index("]") + 1 if "]" in words else len(words)
    name, *behind = words[closed:] or [""]
    if not name.isidentifier() or ")" in behind[:-1] or not (behind or at.kind == "ARROW"):
        return None
    start = at.text.rindex(name, 0, at.text.rindex(behind[0], 0, at.start) if behind else at.start)
    if at.text[:start].rstrip()[-1] != "]":
        return None
    return second_statement(name, (start, start + len(name)))


def second_statement(word: str, place: tuple[int, int]) -> Finding:
    """The word at a place begins a statement where none has ended."""
    message = f"`{word}` begins a second statement on the same line"
    return Finding(message, place, "write `;` before it, or begin a new line")


_NO_BATCH = "the batch is never written; a size that is not known yet is a name, such as `T`"


def state(at: Situation) -> Finding | None:
    """`state h [units]` in other ways. It may stand behind a `;`, so its words are counted from the end."""
    if "state" not in at.before[-2:-1] and not ("state" in at.before and at.previous == "]"):
        return None
    if at.previous == "]":
        if at.kind == "COMMA":
            return Finding("each state is a statement of its own", at.here, "write `;` here, and `state` again")
        number = at.kind in NUMBERS and "_NEWLINE" in at.expected
        return Finding("a state begins with `init=`", at.here, f"write `init={at.shown}`") if number else None
    if not at.previous.isidentifier() or not (at.ends_line or at.kind in ("LPAR", "COLON", "COMMA", ASSIGN, *NUMBERS)):
        return None
    place = at.last if at.ends_line else at.here
    help = f"write `state {at.previous} [units]`, one state a line"
    return Finding("a name and a shape in square brackets make a state", place, help)


def weight(at: Situation) -> Finding | None:
    """`weight w [n, m]` in other ways."""
    if at.header != "weight" or at.inside or len(at.before) != 2 or not (at.ends_line or at.kind in ("LPAR", ASSIGN)):
        return None
    place = at.last if at.ends_line else at.here
    help = f"write `weight {at.previous} [8, 4]`; how it begins stands behind: `init=zeros`"
    return Finding("a name and a shape in square brackets make a weight", place, help)


def word_for_a_value(at: Situation) -> Finding | None:
    if at.previous in STATEMENT_WORDS and at.shown in ("=", "->"):
        message = f"`{at.previous}` begins a statement of its own here, so it cannot stand for a value"
        help = f"give the value another name, such as `{at.previous}_`"
        if at.previous == "output" and at.shown == "=":
            help = f"write `output{at.rest[1:]}`"
        return Finding(message, at.last, help)
    return None


def stray_else(at: Situation) -> Finding | None:
    if at.kind != "ELSE" and not (at.kind == "LBRACE" and at.previous == "else"):
        return None
    help = "it stands right behind the `}` of an `if`, or in `a if condition else b`"
    return Finding("this `else` belongs to no `if`", at.here if at.kind == "ELSE" else at.last, help)


def loop(at: Situation) -> Finding | None:
    if at.header != "for" or (at.inside and at.before[1:2] != ["("]):
        return None
    if at.inside and at.shown == "=":
        return Finding("`for` goes over a list or a range", at.here, "write `for i in 0..n { ... }`")
    if "IN" in at.expected and at.shown in ("=", "of", ":", ";"):
        return Finding(f"`in` should stand here, not `{at.shown}`", at.here, "write `for i in 0..n { ... }`")
    # a blank behind `:`, or brackets before it, and it begins a body as in Python
    ranges = at.shown == "..." or (at.shown == ":" and at.previous not in (")", "]") and at.rest[1:2] != " ")
    if ranges and at.touches and at.rest[len(at.shown) :].strip()[:1].isalnum():
        return Finding(f"`{at.shown}` does not make a range", at.here, "a range is `0..n`, with `n` left out")
    return None


def shared(at: Situation) -> Finding | None:
    """`layer dense(64)` without a name."""
    if at.header != "layer" or len(at.before) != 2 or at.kind not in ("LPAR", "ARROW", "_NEWLINE", "$END"):
        return None
    return Finding("a shared layer has a name", at.last, f"write `layer name = {at.previous}{at.rest}`")


def named(at: Situation) -> Finding | None:
    if at.shown == "as" and at.before[-2:-1] == ["as"]:
        return Finding(f"the step is named `{at.previous}` already", at.here, "one name is enough")
    if "as" in at.before[-2:-1] and at.kind == "MINUS":
        return Finding("a name cannot hold `-`", at.here, "write `_`")
    if at.previous == "as" and at.kind == "STRING":
        return Finding("a name stands without quotes", at.here, f"write `as {at.shown[1:-1]}`")
    if "as" in at.before[-2:-1] and at.kind == "LPAR":
        help = f"the step comes first: `{at.previous}(...) as {at.before[-3] if len(at.before) > 2 else 'name'}`"
        return Finding("a name stands behind `as`, and no step", at.last, help)
    return None
