"""Python text in lines: an expression that does not fit on one is broken the way `ruff format` does it.

Brackets of the expression's own are opened first, one item to a line. Where the line still ends too late for that, or
there are none, the whole of it is put in brackets behind what stands before it, if this helps.
"""

from __future__ import annotations

from ..base.record import TYPE_CHECKING
from .expr import (
    Attr,
    Bare,
    Call,
    Generator,
    Index,
    Infix,
    Named,
    Raw,
    Star,
    arguments,
    callee,
    generator,
    inline,
    is_chain,
    is_comprehension,
    items_of,
    left,
    operand,
    right,
    written,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .expr import Code

    # the name before an item of brackets, and the item
    Part = tuple[str, Code]

WIDTH = 88

# what an expression is broken at, that which binds least first
_LEVELS = (
    (" if ", " else "),
    (" or ",),
    (" and ",),
    (" == ", " != ", " <= ", " >= ", " < ", " > ", " is not ", " is ", " not in ", " in "),
    (" + ", " - "),
    (" * ", " / ", " // ", " % ", " @ "),
)


def lay_out(prefix: str, code: Code, suffix: str = "", indent: int = 0, note: str = "") -> list[str]:
    """The lines of `prefix code suffix`; with a comma behind it, it is one of several items.

    `note` is a comment for the end of a line that has room for it.
    """
    if isinstance(code, Bare) and len(code.items) == 1:
        code = code.items[0]
    line = " " * indent + prefix + inline(code) + suffix
    if len(line) <= WIDTH:
        with_note = f"{line}  # {note}"
        return [with_note if note and len(with_note) <= WIDTH else line]
    found = _opened(prefix, code, suffix, indent)
    if suffix.startswith(",") or (found is not None and len(found[0]) <= WIDTH):
        return found or [line]
    return _bracketed(prefix, code, suffix, indent) or found or [line]


def assignment(targets: Sequence[str], code: Code, indent: int = 0, note: str = "") -> list[str]:
    """The lines of `targets = code`; targets may be in groups, as text."""
    return _unpacked("", targets, " = ", code, "", indent, note)


def loop_head(targets: Sequence[str], items: Code, indent: int = 0) -> list[str]:
    """The line or lines of `for targets in items:`."""
    head = f"for {', '.join(targets)} in "
    line = " " * indent + head + inline(items) + ":"
    lines = [line] if len(line) <= WIDTH else _opened(head, items, ":", indent) or [line]
    if len(lines[0]) <= WIDTH:
        return lines
    if len(targets) > 1:
        return [" " * indent + "for (", *_targets(targets, indent + 4), *lay_out(") in ", items, ":", indent)]
    only, closing = " " * (indent + 4) + targets[0], " " * indent + f") in {inline(items)}:"
    helps = not isinstance(items, Call) and max(len(only), len(closing)) <= WIDTH
    return [" " * indent + "for (", only, closing] if helps else lines


def _unpacked(
    word: str, targets: Sequence[str], sign: str, code: Code, suffix: str, indent: int, note: str
) -> list[str]:
    """What is unpacked into several targets: they are in brackets, one a line, where the rest does not fit behind."""
    lines = lay_out(f"{word}{', '.join(targets)}{sign}", code, suffix, indent, note)
    if len(lines[0]) <= WIDTH or len(targets) < 2:
        return lines
    opening = " " * indent + word + "("
    return [opening, *_targets(targets, indent + 4), *lay_out(f"){sign}", code, suffix, indent)]


def _targets(targets: Sequence[str], indent: int) -> list[str]:
    return [line for target in targets for line in _target(target, indent)]


def _target(text: str, indent: int) -> list[str]:
    """One of several targets, a line, or a group in brackets."""
    pad = " " * indent
    if len(pad + text) < WIDTH or not text.startswith("("):
        return [f"{pad}{text},"]
    return [f"{pad}(", *_targets(split(text[1:-1]), indent + 4), f"{pad}),"]


# --- brackets that are there ----------------------------------------------------------------------------------------


def _opened(prefix: str, code: Code, suffix: str, indent: int) -> list[str] | None:
    """With the brackets of an expression opened; None where it has none, or nothing in them."""
    if isinstance(code, Infix | Raw):
        return _of_operands(prefix, code, suffix, indent)
    if isinstance(code, Call | Index):
        return _of_trailers(prefix, code, suffix, indent)
    if isinstance(code, Generator):
        return _around(prefix + "(", _in_turns(code, indent + 4), ")" + suffix, indent)
    if is_comprehension(code):
        return _around(prefix + "[", _in_turns(code[0], indent + 4), "]" + suffix, indent)
    if isinstance(code, list) and code:
        return _listed(prefix + "[", [("", c) for c in code], "]" + suffix, indent)
    if isinstance(code, Bare) and isinstance(code.items[-1], list | tuple):
        head = f"{prefix}{', '.join(map(inline, code.items[:-1]))}, "
        if len(" " * indent + head + "(") <= WIDTH:
            return _opened(head, code.items[-1], suffix, indent)
    if isinstance(code, Bare | tuple):
        items = code.items if isinstance(code, Bare) else code
        return _listed(prefix + "(", [("", c) for c in items], ")" + suffix, indent) if items else None
    return None


def _of_trailers(prefix: str, code: Call | Index, suffix: str, indent: int) -> list[str] | None:
    """A call, or items of a value: of several in a row the first one with anything in it is opened, and where the
    line that closes it is too long, the last."""
    before, name = _row_of(code)
    if isinstance(before, Index) and len(" " * indent + prefix + inline(before) + name + "[") <= WIDTH:
        before = None
    if before is not None:
        within = _of_trailers(prefix, before, f"{name}{_trailer(code)}{suffix}", indent)
        if within is not None and len(within[-1]) > WIDTH:
            opened = _of_trailers(prefix, before, "", indent) or [""]
            last = _own(opened[-1].strip() + name, code, suffix, indent)
            return within if last is None else [*opened[:-1], *last]
        if within is not None:
            return within
    if isinstance(code, Index):
        return _own(prefix + operand(code.value), code, suffix, indent)
    return _own(prefix + callee(code.func), code, suffix, indent)


def _row_of(code: Call | Index) -> tuple[Call | Index | None, str]:
    """The call or the items that something is called on or taken from, and the name between them."""
    inner, name = (code.value if isinstance(code, Index) else code.func), ""
    if isinstance(inner, Attr) and isinstance(code, Call):
        inner, name = inner.value, "." + inner.name
    return (inner if isinstance(inner, Call | Index) else None), name


def _trailer(code: Call | Index) -> str:
    return items_of(code) if isinstance(code, Index) else f"({', '.join(map(inline, arguments(code)))})"


def _own(opening: str, code: Call | Index, suffix: str, indent: int) -> list[str] | None:
    """The brackets of a call or of items opened; None where nothing is in them."""
    if isinstance(code, Index):
        items = [("", Raw("...") if c is ... else c) for c in code.items]
        lines = _listed(opening + "[", items, "]" + suffix, indent)
        if len(items) == 1:  # a comma would make a tuple of it
            lines[-2] = lines[-2].removesuffix(",")
        return lines
    if len(code.args) == 1 and isinstance(code.args[0], Generator):
        return _around(opening + "(", _in_turns(code.args[0], indent + 4), ")" + suffix, indent)
    parts = [(f"{c.name}=", c.value) if isinstance(c, Named) else ("", c) for c in code.args]
    parts += [(f"{name}=", value) for name, value in written(code.kwargs)]
    return _listed(opening + "(", parts, ")" + suffix, indent) if parts else None


def _around(opening: str, lines: list[str], closing: str, indent: int) -> list[str]:
    pad = " " * indent
    return [pad + opening, *lines, pad + closing]


def _listed(opening: str, parts: Sequence[Part], closing: str, indent: int) -> list[str]:
    """Items in brackets, one to a line."""
    lines: list[str] = []
    for name, part in parts:
        starred = isinstance(part, Star)
        inner = part.value if starred else part
        lines += lay_out(("*" if starred else "") + name, inner, ",", indent + 4)
    return _around(opening, lines, closing, indent)


def _in_turns(code: Generator, indent: int) -> list[str]:
    """A generator on a line of its own, or with its `for` on the next."""
    line = " " * indent + generator(code)
    if len(line) <= WIDTH:
        return [line]
    element = " " * indent + inline(code.element)
    *lines, last = [element] if len(element) <= WIDTH else lay_out("", code.element, ",", indent)
    turns = _unpacked("for ", split(code.names), " in ", code.items, "", indent, "")
    return [*lines, last.removesuffix(","), *turns]


# --- brackets around the whole --------------------------------------------------------------------------------------


def _of_operands(prefix: str, code: Code, suffix: str, indent: int) -> list[str] | None:
    """Operands: those of an item are broken as they are, and else brackets of theirs may be opened."""
    if isinstance(code, Raw) and not _signs(code.text):
        return _of_text(prefix, code.text, suffix, indent)
    if not suffix.startswith(","):
        at_the_end = _at_the_end if isinstance(code, Infix) else _text_at_the_end
        return at_the_end(prefix, code, suffix, indent)
    lines = _broken(code, indent, suffix)
    if len(lines) == 1:
        return None
    return _bracketed(prefix, code, suffix, indent) if prefix else lines


def _at_the_end(prefix: str, code: Infix, suffix: str, indent: int) -> list[str] | None:
    """One operation, with the call at its end opened, or the one before it, or both."""
    if is_chain(code) or not isinstance(code.right, Call):
        return None
    middle = f"{left(code)} {code.op} "
    if len(" " * indent + prefix + middle + callee(code.right.func)) < WIDTH:
        return _of_trailers(prefix + middle, code.right, suffix, indent)
    if not isinstance(code.left, Call):
        return None
    first = _of_trailers(prefix, code.left, f" {code.op} {right(code)}{suffix}", indent)
    if first is None or len(first[-1]) <= WIDTH:
        return first
    first = _of_trailers(prefix, code.left, "", indent) or []
    return [*first[:-1], *(_of_trailers(f"{first[-1].strip()} {code.op} ", code.right, suffix, indent) or [first[-1]])]


def _text_at_the_end(prefix: str, code: Code, suffix: str, indent: int) -> list[str] | None:
    """One operation that came as text, with the brackets at its end opened."""
    text = inline(code)
    start = len(text) - len(_last_group(text)) - 1
    several = sum(len(_places(text, sign)) for sign in _signs(text)) > 1
    if several or start == len(text) - 1 or len(" " * indent + prefix + text[:start]) > WIDTH:
        return None
    return _of_text(prefix, text, suffix, indent)


def _bracketed(prefix: str, code: Code, suffix: str, indent: int) -> list[str] | None:
    """In brackets behind the prefix; None where that helps nothing."""
    whole = " " * (indent + 4) + inline(code)
    if isinstance(code, Infix | Raw):
        operands = _broken(code, indent + 4)
        if len(operands) > 1:
            return _around(prefix + "(", [whole] if len(whole) <= WIDTH else operands, ")" + suffix, indent)
    if not prefix or isinstance(code, list | tuple | Bare) or len(" " * indent + prefix + "(") > WIDTH:
        return None
    inner = [whole] if len(whole) <= WIDTH else _opened("", code, "", indent + 4) or [whole]
    return _around(prefix + "(", inner, ")" + suffix, indent) if max(map(len, inner)) <= WIDTH else None


def _broken(code: Code, indent: int, suffix: str = "") -> list[str]:
    """Operands, one to a line, each behind its operator, and what stands behind the last."""
    if isinstance(code, Raw):
        *lines, last = _operands(code.text, WIDTH - indent)
        return [" " * indent + line for line in (*lines, last + suffix)]
    if not isinstance(code, Infix):
        return [" " * indent + inline(code) + suffix]
    found: list[list[str]] = []
    while True:
        found.append(_operand(f"{code.op} ", code.right, right(code), indent, "" if found else suffix))
        if not is_chain(code):
            break
        code = code.left
    first = _operand("", code.left, left(code), indent)
    return [line for lines in (first, *reversed(found)) for line in lines]


def _operand(sign: str, code: Code, text: str, indent: int, suffix: str = "") -> list[str]:
    """One operand behind its operator, with its brackets opened where it is too long."""
    line = " " * indent + sign + text + suffix
    if len(line) <= WIDTH:
        return [line]
    if isinstance(code, Infix):
        if text.startswith("("):
            return _around(sign + "(", _broken(code, indent + 4), ")" + suffix, indent)
        first, *rest = _broken(code, indent, suffix)
        return [" " * indent + sign + first.strip(), *rest]
    return _opened(sign, code, suffix, indent) or [line]


def _operands(text: str, room: int) -> list[str]:
    """The operands of an expression, each with the operator before it; in smaller ones where one needs more room."""
    places: dict[int, str] = {}
    for sign in _signs(text):  # longer ones come first
        places = {**dict.fromkeys(_places(text, sign), sign), **places}
    starts = [0, *(place + 1 for place in sorted(places))]
    ends = [*sorted(places), len(text)]
    found: list[str] = []
    if not places:
        return _of_text("", text, "", 0) or [text]
    for start, end, sign in zip(starts, ends, ["", *(places[k].strip() + " " for k in sorted(places))]):
        operand = text[start:end]
        if len(operand) <= room:
            found.append(operand)
            continue
        first, *rest = _operands(operand[len(sign) :], room)
        found += [sign + first, *rest]
    return found


def _of_text(prefix: str, text: str, suffix: str, indent: int) -> list[str] | None:
    """A text that ends with brackets, with these opened; None where it ends otherwise."""
    inner = _last_group(text)
    if not inner:
        return None
    pad, start = " " * (indent + 4), len(text) - len(inner) - 1
    parts = [part.strip() for part in _turns(inner)]
    if len(pad + inner) <= WIDTH:
        lines = [pad + inner]
    elif len(parts) > 1:
        lines = [pad + part for part in parts]
    else:
        lines = [line for part in split(inner) for line in lay_out("", Raw(part), ",", indent + 4)]
    return _around(prefix + text[:start], lines, text[-1] + suffix, indent)


def _last_group(text: str) -> str:
    """What stands in the brackets that a text ends with."""
    if text[-1:] not in (")", "]"):
        return ""
    depth = 0
    for place in range(len(text) - 1, -1, -1):
        depth += (text[place] in ")]") - (text[place] in "([")
        if depth == 0:
            return text[place + 1 : -1]
    return ""


def _turns(text: str) -> list[str]:
    """The parts of a comprehension: what it makes, and each `for` and `if` behind it."""
    cuts = sorted(place for sign in (" for ", " if ") for place in _places(text, sign)) if " for " in text else []
    return [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)])]


def _signs(text: str) -> tuple[str, ...]:
    """The operators outside of brackets that bind least; none where there are none."""
    return next((found for found in _LEVELS if any(_places(text, sign) for sign in found)), ())


def _places(text: str, sign: str) -> list[int]:
    """Where a sign stands outside of brackets and quotes."""
    return [] if sign not in text else [k for k in _outside(text) if text.startswith(sign, k)]


def _outside(text: str) -> list[int]:
    """The places outside of brackets and quotes."""
    found, depth, quoted = [], 0, ""
    for place, sign in enumerate(text):
        if quoted:
            quoted = "" if sign == quoted and not _is_escaped(text, place) else quoted
        elif sign in "\"'":
            quoted = sign
        elif depth == 0 and sign not in "([{":
            found.append(place)
        if not quoted:
            depth += (sign in "([{") - (sign in ")]}")
    return found


def _is_escaped(text: str, place: int) -> bool:
    return (place - len(text[:place].rstrip("\\"))) % 2 == 1


def split(text: str) -> list[str]:
    """What commas part, outside of brackets."""
    cuts = [place for place in _outside(text) if text[place] == ","]
    return [text[start:end].strip() for start, end in zip([0, *(c + 1 for c in cuts)], [*cuts, len(text)])]
