"""Texts that say one thing many times: in a row, in one another, or each of the last."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netspec.base.record import Record

from .calls import statements
from .drawing import Drawn, some_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .drawing import Dice

# letters of a text: what takes time in proportion is far below a second, and what takes its square is not
_LONGEST = 50_000
_TIMES = (3, 10, 30, 60, 100, 300, 1000, 3000, 10_000)
_NET = "net n(m=3) {{\n  input x [{shape}]\n  {body}\n}}\n"
_SHAPES = ("4", "T", "T, 4", "H, W, 3", "8, 8, 4", "T, S, 2", "")


class Form(Record):
    """A part that is said again and again, with its number `#` and the one before `@`, and what stands around all.

    `then` is another part, said as often behind all of the first, with `middle` before it.
    """

    part: str
    before: str = ""
    between: str = "\n  "
    behind: str = ""
    middle: str = ""
    then: str = ""


# statements of a body
STATEMENTS = (
    Form("a# = a@ + a@", "a0 = 1\n  "),
    Form("a# = a@ * a@", "a0 = x.shape[0] + m\n  "),
    Form("a# = (a@ + m) // 2", "a0 = x.shape[0]\n  "),
    Form("a# = ceil(a@ / 2) * 3", "a0 = x.shape[0]\n  "),
    Form("a# = [a@, a@]", "a0 = [1]\n  "),
    Form("a# = a@ + a@", "a0 = [1, 2]\n  "),
    Form("a# = max(a@, a@ * 2 - m)", "a0 = x.channels\n  "),
    Form("a# = a@ ** 2", "a0 = x.shape[0]\n  "),
    Form("v# = v@ + v@", "v0 = x\n  ", behind="\n  v1"),
    Form("v# = concat(v@, v@)", "v0 = x\n  ", behind="\n  v1"),
    Form("v# = [v@, x]", "v0 = [x]\n  "),
    Form("v# = x -> relu as r#", behind="\n  v1"),
    Form("v# = undefined# -> relu"),
    Form("unknown#"),
    Form("unknown(#)"),
    Form("relu(undefined=#)"),
    Form("dense(-#)"),
    Form("+ x"),
    Form("x # y"),
    Form("relu as same"),
    Form("x[# : #]"),
    Form("layer e# = relu"),
    Form("layer e# = dense(#)"),
    Form("weight w# [#]"),
    Form("state s# [#]"),
    Form("expect params == #"),
    Form("expect output == [#]"),
    Form("expect memory(batch=#) < 0"),
    Form("output o# = x"),
    Form("input i# [#]"),
    Form("if m > # { relu }"),
    Form("if x.shape[0] > # { relu }"),
    Form("for i in 0..# { a = i }"),
    Form("repeat # { }"),
    Form("-> relu", "x", between=" "),
    Form("-> conv(4, 3, stride=2, padding=same) -> upsample(3)", "x", between=" "),
    Form("-> identity", "x"),
    Form("add(identity, dense(4))"),
    Form("identity * 2 + 1"),
    Form("dense(4) as d#"),
    Form("weight w# [4]", middle="\n  ", then="identity + w#"),
    Form("layer e# = dense(4)", middle="\n  ", then="e#"),
    Form("v# = dense(x, 4)", middle="\n  add(", then="v#,", behind=")"),
    Form("input i# [4]", middle="\n  concat(", then="i#,", behind=")"),
    Form("output o# = dense(x, 4)"),
    Form("relu -> relu -> relu; identity", between="; "),
    Form(";", between=""),
    Form("# a comment", between="\n"),
    Form('name = "text #"'),
    Form("{ relu }"),
    Form('relu(name="a")'),
)
# expressions: of one part after the other, and of brackets within brackets
EXPRESSIONS = (
    *(Form("#", between=f" {sign} ") for sign in ("+", "-", "*", "//", "%", "**", "..", "==", "<", "and", "or", "in")),
    *(Form("x", between=f" {sign} ") for sign in ("+", "-", "*", "/", "@", "==", "and")),
    *(Form("T", between=f" {sign} ") for sign in ("+", "*", "-", "//", "**", "%")),
    *(Form(sign, between="") for sign in ("- ", "not ", "+ ", "9", "x", "1x", "next ", "\u4e2d")),
    Form("#", "[", ", ", "]"),
    Form("x", "[", ", ", "]"),
    Form("x", "concat(", ", ", ")"),
    Form("a#=#", "relu(", ", ", ")"),
    Form("(", between=""),
    Form("[", between=""),
    Form("{", between=""),
    Form("relu(", between=""),
    Form("x[", between=""),
    Form(".shape", "x", between=""),
    Form("[0]", "x.shape", between=""),
    Form("[...]", "x", between=""),
    Form("(3)", "relu", between=""),
    Form("1 if m > # else ", between="", behind="2"),
    Form("[i for i in ", between="", behind="0..3" + "]" * 30),
    Form("a as b#", between=" -> "),
    Form('"', between=""),
    Form("\\n", '"', between="", behind='"'),
)
# what closes, said as often as what opens
NESTED = (
    *(("(", "x", ")"), ("[", "1", "]"), ("{ ", "relu", " }"), ("relu(", "x", ")"), ("x[", "0", "]"), ("-(", "x", ")")),
    *(("repeat 2 { ", "relu", " }"), ("if true { ", "relu", " }"), ("for i in 0..2 { ", "relu", " }")),
    *(("if m > 9 { relu } else { ", "tanh", " }"), ("bidirectional(", "lstm(3)", ")"), ("stack(2, ", "lstm(3)", ")")),
    *(("each_step(", "relu", ")"), ("add(x, ", "x", ")"), ("concat(identity, ", "x", ")"), ("max(1, ", "T", ")")),
    *(("ceil((1 + ", "T", ") / 2)"), ("(T + S) * (", "T", ")"), ("[", "x", ", x]"), ("not (", "true", ")")),
)
# definitions; `n` is the net that is checked
DEFINITIONS = (
    Form("block b# { relu }"),
    Form("block b# { dense(4) }", middle="\nnet n { input x [4]\n", then="b#", behind="\n}"),
    Form("net n# { input x [4]; dense(4) }", middle="\nnet n { input x [4]\n", then="n#", behind="\n}"),
    Form("p#=4,", "net n(", middle=") { input x [4]\n", then="dense(p#)", behind="\n}"),
    Form("block b# { b@ -> b@ }", "block b0 { dense(4) }\n", behind="\nnet n { input x [4]; b1 }"),
    Form("block b#(k=b@(3)) { b@ }", "block b0(k=3) { relu }\n", behind="\nnet n { input x [4]; b1 }"),
    Form("const c# = c@ + c@", "const c0 = 1\n", behind="\nnet n { input x [4]; dense(c1) }"),
    Form("const c# = [c@, c@]", "const c0 = [1]\n", behind="\nnet n { input x [4]; dense(c1) }"),
    Form("net n# { input x [4]; dense(#) }"),
    Form("net n# { input x [4]; n@ -> n@ }", "net n0 { input x [4]; dense(4) }\n"),
    Form("cell c# { input x; state h [4]; next h = x; output h }"),
    Form('import "lib#.net"'),
    Form('import "std/plain.net" as p#'),
    Form('from "std/plain.net" import stage as s#'),
    Form("block same { relu }"),
    Form("block b { b }"),
    Form("}"),
    Form("net"),
    Form("# a comment"),
)


def grown(dice: Dice) -> Drawn:
    """One of the forms, as often as a text may be long."""
    return Drawn(dice.choice((_statements, _statements, _expression, _nested, _definitions, _again))(dice).encode())


def _said(dice: Dice, form: Form) -> str:
    """The parts of a form in their order; backwards at times, so that each speaks of what comes later."""
    times = min(dice.choice(_TIMES), _LONGEST // (len(form.part) + len(form.then) + len(form.between) + 4))
    order = range(1, times + 1) if dice.random() < 0.8 else range(times, 0, -1)
    return said(form, order)


def said(form: Form, order: Iterable[int]) -> str:
    """The text of a form with parts of these numbers."""
    numbers = list(order)
    first = form.between.join(_numbered(form.part, number) for number in numbers)
    then = form.between.join(_numbered(form.then, number) for number in numbers if form.then)
    return f"{form.before}{first}{form.middle}{then}{form.behind}"


def _numbered(part: str, number: int) -> str:
    if part.startswith("#"):
        return part if part[1:] else str(number)  # a comment, or the number alone
    return part.replace("#", str(number)).replace("@", str(number - 1))


def _statements(dice: Dice) -> str:
    return _NET.format(shape=dice.choice(_SHAPES), body=_said(dice, dice.choice(STATEMENTS)))


_PLACES = (
    "{}",
    "dense({})",
    "a = {}",
    "repeat {} {{ relu }}",
    "x[{}]",
    "output {}",
    "expect {}",
    "input y [{}]",
    "x -> {}",
)


def _expression(dice: Dice) -> str:
    body = dice.choice(_PLACES).format(_said(dice, dice.choice(EXPRESSIONS)))
    return _NET.format(shape=dice.choice(_SHAPES), body=body)


def _nested(dice: Dice) -> str:
    opened, inner, closed = dice.choice(NESTED)
    times = min(dice.choice(_TIMES), _LONGEST // (len(opened) + len(closed)))
    body = dice.choice(_PLACES).format(opened * times + inner + closed * (times if dice.random() < 0.8 else times - 1))
    return _NET.format(shape=dice.choice(_SHAPES), body=body)


def _definitions(dice: Dice) -> str:
    return _said(dice, dice.choice(DEFINITIONS).replace(between="\n")) + "\n"


def _again(dice: Dice) -> str:
    """A line of a text many times, or the statements that the grammar makes."""
    if dice.random() < 0.3:
        return statements(dice).data.decode("utf-8", "replace") * 5
    lines = some_text(dice).text.split("\n")
    at = dice.randrange(len(lines))
    times = min(dice.choice(_TIMES), _LONGEST // (len(lines[at]) + 1))
    return "\n".join([*lines[:at], *([lines[at]] * times), *lines[at:]])
