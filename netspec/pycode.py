"""Python text as values.

Emitters and layers build expressions from these records; `inline` writes one on a line and `lay_out` breaks it
the way `ruff format` does. Leaves may be numbers, words (`str`, quoted), `None`, booleans, tuples and lists.
"""

from __future__ import annotations

from .record import TYPE_CHECKING, Record

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, TypeAlias

    Code: TypeAlias = "Any"  # a record of this module, or a plain leaf

WIDTH = 88


class Raw(Record):
    """Text that is a Python expression already."""

    text: str


class X(Record):
    """The value that a layer is applied to: the first, or the one of that index."""

    index: int = 0


class Made(Record):
    """The module or layer that was constructed for a step, in the expression that applies it."""


class Call(Record):
    """`func(*args, **kwargs)`; `func` is dotted text or an expression."""

    func: Code
    args: tuple[Code, ...] = ()
    kwargs: tuple[tuple[str, Code], ...] = ()


class Attr(Record):
    """`value.name`"""

    value: Code
    name: str


class Index(Record):
    """`value[items]`; an item may be a `slice`."""

    value: Code
    items: tuple[Code, ...]


class Infix(Record):
    """`left op right`, in brackets inside another one."""

    left: Code
    op: str
    right: Code


class Star(Record):
    """`*value` in a list of arguments."""

    value: Code


class Generator(Record):
    """`element for names in items`, the only argument of a call, the only item of a list, or in brackets of its own."""

    element: Code
    names: str
    items: Code


def call(func: Code, *args: Code, **kwargs: Code) -> Call:
    """`func(*args, **kwargs)`."""
    return Call(func, args, tuple(kwargs.items()))


def method(value: Code, name: str, *args: Code, **kwargs: Code) -> Call:
    """`value.name(*args, **kwargs)`."""
    return Call(Attr(value, name), args, tuple(kwargs.items()))


class Opt(Record):
    """The value of a named argument that is not written where it equals the default."""

    default: Code
    value: Code


def unless(default: Code, **named: Code) -> dict[str, Code]:
    """A named argument that is written only where it differs from the framework's default: `unless(1, stride=2)`."""
    return {name: Opt(default, given) for name, given in named.items()}


def _written(kwargs: Sequence[tuple[str, Code]]) -> list[tuple[str, Code]]:
    """The named arguments that are not at their defaults."""
    found = []
    for name, value in kwargs:
        if isinstance(value, Opt):
            if value.value == value.default and type(value.value) is type(value.default):
                continue
            value = value.value
        found.append((name, value))
    return found


def each_part(code: Code, change: Callable[[Code], Code]) -> Code:
    """The expression with `change` applied to each of its parts, but not to what is inside them."""
    if isinstance(code, tuple | list):
        return type(code)([change(c) for c in code])
    if isinstance(code, slice):
        return slice(*(change(c) for c in (code.start, code.stop, code.step)))
    if isinstance(code, Record) and not isinstance(code, X | Raw | Made):
        return type(code)(*[change(v) for v in code.__dict__.values()])
    return code


def rebuild(code: Code, change: Callable[[Code], Code]) -> Code:
    """The expression with `change` applied to each part, the inner ones first."""
    return change(each_part(code, lambda part: rebuild(part, change)))


def fill(code: Code, values: Sequence[Code], made: Code = None) -> Code:
    """The expression with each `X(i)` replaced by `values[i]`, and `Made()` by what was constructed."""
    return rebuild(code, lambda c: values[c.index] if isinstance(c, X) else made if isinstance(c, Made) else c)


def inline(code: Code) -> str:
    """The expression on one line."""
    return _WRITERS.get(type(code), _word if isinstance(code, str) else repr)(code)


def _word(code: str) -> str:
    """A string in the quotes that the formatter chooses. `##` would begin a command of services that read logs."""
    # with this sign in it, `repr` writes it in single quotes
    body = repr(code + '"')[1:-2].replace("##", "#\\x23")
    if code.count('"') > code.count("'"):
        return f"'{body}'"
    return '"' + body.replace('"', '\\"').replace("\\'", "'") + '"'


def _items(code: Sequence[Code]) -> str:
    return ", ".join(inline(c) for c in code)


def _tuple(code: tuple[Code, ...]) -> str:
    return f"({inline(code[0])},)" if len(code) == 1 else f"({_items(code)})"


def _float(code: float) -> str:
    text = repr(code)
    if text in ("inf", "-inf", "nan"):
        return f'float("{text}")'
    return text.replace("e-0", "e-").replace("e+0", "e")


def _slice(code: slice) -> str:
    def part(value: Code) -> str:
        return "" if value is None else inline(value)

    step = "" if code.step is None else ":" + inline(code.step)
    start, stop = part(code.start), part(code.stop)
    if any(not side.removeprefix("-").isalnum() for side in (start, stop) if side):
        return f"{start} : {stop}{step}".strip()
    return f"{start}:{stop}{step}"


def _index(code: Index) -> str:
    return _operand(code.value) + _items_of(code)


def _items_of(code: Index) -> str:
    return f"[{', '.join('...' if c is ... else inline(c) for c in code.items)}]"


def _operand(code: Code) -> str:
    loose = isinstance(code, Infix) or (isinstance(code, Raw) and _is_loose(code.text))
    return f"({inline(code)})" if loose else inline(code)


def _is_loose(text: str) -> bool:
    """Is a text an operation, which needs brackets within another one?"""
    return " " in text and any(depth == 0 and text[place] == " " for place, depth in _depths(text))


def _infix(code: Infix) -> str:
    left, right = _left(code), _right(code)
    if code.op == "**" and _is_simple(left) and _is_simple(right):
        return f"{left}**{right}"
    return f"{left} {code.op} {right}"


def _is_simple(text: str) -> bool:
    """A name or number, around which no spaces stand in a power."""
    return text.removeprefix("-").replace(".", "").replace("_", "").isalnum()


def _is_chain(code: Infix) -> bool:
    """Is it `a + b + c`, which needs no brackets?"""
    return isinstance(code.left, Infix) and code.left.op == code.op != "**"


def _left(code: Infix) -> str:
    return _infix(code.left) if _is_chain(code) or _is_product(code, code.left) else _operand(code.left)


def _right(code: Infix) -> str:
    """The right side; a power needs no brackets behind a product or quotient."""
    right = code.right
    tight = isinstance(right, Infix) and right.op == "**" and code.op in ("*", "/")
    return _infix(right) if tight or _is_product(code, right) else _operand(right)


def _is_product(code: Infix, side: Code) -> bool:
    """Is a side of a sum a product, which needs no brackets?"""
    return code.op in ("+", "-") and isinstance(side, Infix) and side.op in ("*", "/", "@")


def _callee(code: Code) -> str:
    return code if isinstance(code, str) else _operand(code)


def _generator(code: Generator) -> str:
    return f"{inline(code.element)} for {code.names} in {inline(code.items)}"


def _is_comprehension(code: Code) -> bool:
    return isinstance(code, list) and len(code) == 1 and isinstance(code[0], Generator)


def _arguments(code: Call) -> list[Code]:
    if len(code.args) == 1 and isinstance(code.args[0], Generator) and not code.kwargs:
        return [Raw(_generator(code.args[0]))]
    return [*code.args, *(Raw(f"{name}={inline(value)}") for name, value in _written(code.kwargs))]


_WRITERS: dict[type, Callable[[Any], str]] = {
    Raw: lambda c: c.text,
    str: _word,
    float: _float,
    list: lambda c: f"[{_generator(c[0]) if _is_comprehension(c) else _items(c)}]",
    tuple: _tuple,
    slice: _slice,
    Attr: lambda c: f"{_operand(c.value)}.{c.name}",
    Index: _index,
    Star: lambda c: f"*{inline(c.value)}",
    Infix: _infix,
    Generator: lambda c: f"({_generator(c)})",
    Call: lambda c: f"{_callee(c.func)}({_items(_arguments(c))})",
}


def lay_out(prefix: str, code: Code, suffix: str = "", indent: int = 0, note: str = "") -> list[str]:
    """The lines of `prefix code suffix`, broken one argument to a line where they do not fit.

    `note` is a comment for the end of a line that has room for it.
    """
    pad = " " * indent
    line = pad + prefix + inline(code) + suffix
    if len(line) <= WIDTH:
        with_note = f"{line}  # {note}"
        return [with_note if note and len(with_note) <= WIDTH else line]
    if isinstance(code, Call) and len(code.args) == 1 and isinstance(code.args[0], Generator):
        inner = _broken_generator(code.args[0], indent + 4)
        return [pad + prefix + _callee(code.func) + "(", *inner, pad + ")" + suffix]
    if isinstance(code, Call) and isinstance(code.func, Attr) and isinstance(code.func.value, Call):
        return lay_out(prefix, code.func.value, f".{code.func.name}({_items(_arguments(code))}){suffix}", indent)
    if isinstance(code, Call) and isinstance(code.func, Call) and (code.func.args or _written(code.func.kwargs)):
        return lay_out(prefix, code.func, f"({_items(_arguments(code))}){suffix}", indent)
    if isinstance(code, Index) and isinstance(code.value, Call):
        return lay_out(prefix, code.value, _items_of(code) + suffix, indent)
    if isinstance(code, Generator):
        return [pad + prefix + "(", *_broken_generator(code, indent + 4), pad + ")" + suffix]
    if _is_comprehension(code):
        return [pad + prefix + "[", *_broken_generator(code[0], indent + 4), pad + "]" + suffix]
    if isinstance(code, Call) and (code.args or _written(code.kwargs)):
        opening, closing = _callee(code.func) + "(", ")"
        parts = [("", c) for c in code.args] + [(f"{n}=", v) for n, v in _written(code.kwargs)]
    elif isinstance(code, Index):
        opening, closing = _operand(code.value) + "[", "]"
        parts = [("", Raw("...") if c is ... else c) for c in code.items]
    elif isinstance(code, list) and code:
        opening, closing, parts = "[", "]", [("", c) for c in code]
    elif isinstance(code, tuple) and code:
        opening, closing, parts = "(", ")", [("", c) for c in code]
    elif isinstance(code, Infix) and suffix == ",":  # an argument, which needs no brackets of its own
        lines = _broken(code, indent)
        return [*lines[:-1], lines[-1] + suffix] if not prefix else _in_brackets(prefix, code, suffix, indent)
    elif isinstance(code, Infix):
        head = f"{prefix}{_left(code)} {code.op} "
        if isinstance(code.right, Call) and not _is_chain(code) and len(pad + head + _callee(code.right.func)) < WIDTH:
            return lay_out(head, code.right, suffix, indent)
        return _in_brackets(prefix, code, suffix, indent)
    elif isinstance(code, Raw):
        return _wrapped(prefix, code.text, suffix, indent)
    else:
        return [line]
    lines = [pad + prefix + opening]
    for name, part in parts:
        starred = isinstance(part, Star)
        inner = part.value if starred else part
        lines += lay_out(("*" if starred else "") + name, inner, ",", indent + 4)
    return [*lines, pad + closing + suffix]


def _broken_generator(code: Generator, indent: int) -> list[str]:
    """A generator on a line of its own, or with its `for` on the next."""
    line = " " * indent + _generator(code)
    if len(line) <= WIDTH:
        return [line]
    return [*lay_out("", code.element, "", indent), *lay_out(f"for {code.names} in ", code.items, "", indent)]


def _in_brackets(prefix: str, code: Infix, suffix: str, indent: int) -> list[str]:
    """An operation in brackets, broken before its operator where it is too long for a line of its own."""
    pad, line = " " * indent, " " * (indent + 4) + inline(code)
    inner = [line] if len(line) <= WIDTH else _broken(code, indent + 4)
    return [pad + prefix + "(", *inner, pad + ")" + suffix]


def _broken(code: Infix, indent: int) -> list[str]:
    """An operand a line; a chain of one operator is broken before each of them."""
    pad, lines = " " * indent, [f"{code.op} {_right(code)}"]
    while _is_chain(code):
        code = code.left
        lines.append(f"{code.op} {_right(code)}")
    return [pad + line for line in (_left(code), *reversed(lines))]


# --- expressions that came as text ------------------------------------------------------------------------------------


def _wrapped(prefix: str, text: str, suffix: str, indent: int) -> list[str]:
    """The lines of `prefix text suffix`."""
    pad = " " * indent
    line = f"{pad}{prefix}{text}{suffix}"
    if len(line) <= WIDTH:
        return [line]
    start = _last_group(text)
    head = f"{pad}{prefix}{text[: start + 1]}"
    if start >= 0 and len(head) <= WIDTH:
        return [head, *_inside(text[start + 1 : -1], indent + 4), pad + text[-1] + suffix]
    if suffix == "," and not prefix:  # an argument, which needs no brackets of its own
        *lines, last = _operands(text, indent)
        return [*lines, last + suffix]
    return [f"{pad}{prefix}(", *_operands(text, indent + 4), f"{pad}){suffix}"]


def _last_group(text: str) -> int:
    """Where the bracket opens that closes at the end; -1 where the end is none."""
    opened = [place for place, depth in _depths(text) if depth == 0 and text[place] in "(["]
    return opened[-1] if opened and text[-1] in ")]" else -1


def _depths(text: str) -> list[tuple[int, int]]:
    """How many brackets are open before each place."""
    found, depth = [], 0
    for place, sign in enumerate(text):
        depth -= sign in ")]"
        found.append((place, depth))
        depth += sign in "(["
    return found


def _inside(text: str, indent: int) -> list[str]:
    """What stands between brackets: on one line, or else an item, or a part of a comprehension, a line."""
    pad = " " * indent
    if len(pad + text) <= WIDTH:
        return [pad + text]
    parts = _cut(text, (" for ", " if "))
    if len(parts) > 1:
        return [pad + part for part in parts]
    return [f"{pad}{part.removeprefix(', ')}," for part in _cut(text, (", ",))]


def _operands(text: str, indent: int) -> list[str]:
    """An operation, broken before its outermost operators where it does not fit."""
    pad = " " * indent
    if len(pad + text) <= WIDTH:
        return [pad + text]
    for signs in ((" if ", " else "), (" or ",), (" and ",), (" + ", " - "), (" * ", " / ", " // ")):
        parts = _cut(text, signs)
        if len(parts) > 1:
            return [pad + part for part in parts]
    return [pad + text]


def _cut(text: str, signs: tuple[str, ...]) -> list[str]:
    """The text cut before each of these signs outside of all brackets."""
    places = [place for place, depth in _depths(text) if depth == 0 and text.startswith(signs, place)]
    return [text[a:b].removeprefix(" ") for a, b in zip([0, *places], [*places, len(text)])]
