"""Messages speak of the spec, in words: no object of Python shows in any of them, whatever stands where."""

from __future__ import annotations

import re

import pytest
from checking import check

from netspec.consteval import FUNCTIONS
from netspec.layers import LAYERS

# values of every kind, each of which is wrong nearly everywhere
ODD = (
    *(
        "1 / T",
        "T",
        "2 * T",
        "x",
        "[x, x]",
        "enc",
        "[enc]",
        "[none, true]",
        '"text"',
        "none",
        "true",
        "3.5",
        "-1",
        "[]",
    ),
    *("[1, [2]]", "normal(0.1)", "word", "{ relu }", "relu", "(1, 2, 3)", "(1 / T, 2)", "3x3", "1e400"),
)
FORMS = (
    *("if {} {{ relu }}", "repeat {} {{ relu }}", "for i in {} {{ relu }}", "for (a, b) in {} {{ relu }}", "y = {}"),
    *(
        "x[{}]",
        "x[{}:]",
        "x[:, {}]",
        "a, b = {}",
        "output {}",
        "{} -> relu",
        "x -> {}",
        "{}(3)",
        "({}).shape",
        "not {}",
    ),
    *("({})[0]", "expect {}", "expect params == {}", "expect {} < 3", "dense(3) as z; expect z.shape == {}", "-{}"),
    *("weight w [{}]", "weight w [3] init={}", "dense(3, frozen={})", "dense(3, name={})", "[k for k in {}]"),
    *("2 if {} else 3", "len({})", "expect memory(batch={}) < 3", "expect receptive_field({}) == 3", "dense({})"),
)
OPERATORS = ("+", "-", "*", "/", "//", "%", "**", "@", "<", "==", "in", "and", "..")
# how Python shows an object, a list, or its own constants
PYTHON = re.compile(r"<\w|object at|\b[A-Z]\w*\(\w+=|DimExpr|\bTrue\b|\bFalse\b|\bNone\b|NoneType|[{\[(]'")


def _told(lines):
    """What is said of each line, in a net that has a value of each kind."""
    for line in lines:
        net = check(f"net t {{\n  input x [T, 6]\n  layer enc = dense(3)\n  y = x -> relu\n  {line}\n}}\n")
        for d in net.diagnostics:
            yield line, "\n".join([d.message, d.help, *d.notes, d.primary.text, *(o.text for o in d.others)])


def _of_python(lines):
    return {line: text for line, text in _told(lines) if PYTHON.search(text)}


@pytest.mark.parametrize("value", ODD)
def test_arguments_of_layers(value):
    given = [f"{cls.kind}({name}={value})" for cls in LAYERS.values() for name in cls.arguments]
    assert not _of_python([*given, *(f"{kind}({value})" for kind in LAYERS), *(f"{f}({value})" for f in FUNCTIONS)])


@pytest.mark.parametrize("value", ODD)
def test_statements_and_operators(value):
    lines = [form.format(value) for form in FORMS]
    assert not _of_python(lines + [f"n = {value} {sign} {other}" for sign in OPERATORS for other in ODD])


@pytest.mark.parametrize(
    ("text", "said", "help"),
    [
        ("expect params == 3,n", "the end of the statement should stand here, not `,`", ""),
        ("expect params == 15,000", "a number holds no `,`", "write `15_000`"),
        ("expect params == 15,0", "the end of the statement should stand here, not `,`", ""),
        ("expect params == 15,0000", "the end of the statement should stand here, not `,`", ""),
        ("relu,", "a statement does not end with a comma", "leave it out; the new line is enough"),
        ("dense(3),\nrelu", "a statement does not end with a comma", "leave it out; the new line is enough"),
        ("dense(3,,4)", "nothing stands between these two commas", "remove one of them"),
        ("if T:{ relu }", "`:` has no meaning here", "leave it out"),
        ("if T:x", "`:` has no meaning here", "a body stands in braces: `{ ... }`"),
        ("for i in 0:3 { relu }", "`:` does not make a range", "a range is `0..n`, with `n` left out"),
        ("n:3", "`:` has no meaning here", "a step is named behind it: `3 as n`"),
        ("dense(3 repeat)", "`,` or `)` should stand before `repeat`", "write `,` before `repeat`, or `)` behind `3`"),
        ("n : 3", "`:` has no meaning here", "a step is named behind it: `3 as n`"),
        ("z = 1.2.3", "a number holds no second `.`", "thousands are parted by `_`: `61_706`"),
        ("expect params == 15 000", "a number holds no blank", "write `15_000`"),
        ("dense(.5)", "a number begins with a digit", "write `0.5`"),
        ("dense(5.)", "a number does not end with `.`", "write `5.0`"),
        ("dense(3) --> relu", "`-->` is no sign of the language", "steps are joined by `->`"),
        ("relu -> -> relu", "there is no step between these two arrows", "remove one of them"),
        ("n += 1", "`+=` is no sign of the language", "write `n = n + ...`"),
        ("n++", "`++` is no sign of the language", "write `n = n + 1`"),
        ("if n = 1 { relu }", "`=` binds a name; it does not compare", "comparison is `==`"),
        ("conv(3, 3 x 3)", "this is not a size", "a size is whole numbers and a small x between them: `3x3`"),
        ("dense(5k)", "`5k` is neither a number nor a name", "write `5_000`"),
        ("dropout(50%)", "`%` is the remainder of a division", "write `0.5`"),
    ],
)
def test_what_is_said_of_a_line(text, said, help):
    """At the end of a line, where nothing else stands behind it, too."""
    found = check(f"net t {{\n  input x [T, 6]\n  n = 1\n{text}\n}}\n").diagnostics
    assert (found[0].message, found[0].help) == (said, help)


@pytest.mark.parametrize(
    ("shape", "warned"),
    [
        ("[3, 32, 32]", True),
        ("[4, 64, 64]", True),
        ("[3, 480, 640]", True),
        ("[5, 32, 32]", False),
        ("[64, 56, 56]", False),
        ("[32, 32, 3]", False),
        ("[3, 12, 20]", False),
        ("[3, 4, 4]", False),
    ],
)
def test_channels_that_look_to_be_first(shape, warned):
    """Of images, few channels and equal or large sides."""
    found = check(f"net n {{ input x {shape}; conv(8, 1x1) -> flatten -> dense(2) }}").diagnostics
    assert [d.code for d in found] == ["channels-first"] * warned
