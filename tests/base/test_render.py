"""Diagnostics as text: the form that users are promised, and straight marks under any line."""

from __future__ import annotations

import re
import textwrap
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netspec.base.diagnostics import Diagnostic, Label
from netspec.base.render import WIDEST, clean, render, show_line, width
from netspec.base.source import Source, Span


def region(text, part, label="", name="x.net", nth=0):
    """The label on a part of a text."""
    source = text if isinstance(text, Source) else Source(name, text)
    start = -1
    for _ in range(nth + 1):
        start = source.text.index(part, start + 1)
    return Label(Span(source, start, start + len(part)), label)


def shown(text, part, label="", name="x.net", **rest):
    return render(Diagnostic("wrong-value", "no", region(text, part, label, name), **rest))


def marks(text):
    """Each marked line of a rendering with the columns under its marks."""
    lines = text.split("\n")
    return [(before, after) for before, after in pairwise(lines) if re.match(r" *\| +[\^-]", after)]


def test_the_promised_form():
    text = "\n" * 13 + "  dense(4096, activation=relu)\n"
    label = region(
        Source("specs/vgg16.net", text), "dense(4096,", "the flow here is [7, 7, 512], from maxpool on line 12"
    )
    diagnostic = Diagnostic(
        "wrong-rank",
        "dense needs a vector for each sample, but its input is [7, 7, 512]",
        label,
        (),
        "put `flatten` or `global_avgpool` before it",
        ("in net vgg16, line 14",),
    )
    assert render(diagnostic) == textwrap.dedent(
        """\
        error[wrong-rank]: dense needs a vector for each sample, but its input is [7, 7, 512]
          --> specs/vgg16.net:14:3
           |
        14 |   dense(4096, activation=relu)
           |   ^^^^^^^^^^^ the flow here is [7, 7, 512], from maxpool on line 12
           |
           = help: put `flatten` or `global_avgpool` before it
           = note: in net vgg16, line 14"""
    )


def test_without_advice_it_ends_at_the_mark():
    assert shown("conv(3)\n", "3") == "\n".join(
        ["error[wrong-value]: no", " --> x.net:1:6", "  |", "1 | conv(3)", "  |      ^"]
    )


def test_a_warning_says_so():
    assert shown("a\n", "a", severity="warning").startswith("warning[wrong-value]: no\n")


def test_two_regions_of_one_line():
    source = Source("x.net", "add(first, second)\n")
    text = shown(source, "second", "this is [3]", others=(region(source, "first", "this is [2]"),))
    assert text.split("\n")[3:] == [
        "1 | add(first, second)",
        "  |     ----- this is [2]",
        "  |            ^^^^^^ this is [3]",
    ]


def test_regions_of_several_lines_stand_in_the_order_of_the_file():
    source = Source("x.net", "\n".join(f"line{n}" for n in range(1, 13)))
    others = (region(source, "line2", "here is its input"), region(source, "line3"))
    text = shown(source, "line12", "here it is used", others=others)
    assert text.split("\n")[1:] == [
        "  --> x.net:12:1",
        "   |",
        " 2 | line2",
        "   | ----- here is its input",
        " 3 | line3",
        "   | -----",
        "  ...",
        "12 | line12",
        "   | ^^^^^^ here it is used",
    ]


def test_a_region_of_another_source():
    other = region(Source("blocks.net", "\nblock b {}\n"), "b", "declared here", nth=1)
    text = shown(Source("x.net", "b(2)\n"), "2", others=(other,))
    assert " --> x.net:1:3" in text
    assert " ::: blocks.net:2:7" in text
    assert "2 | block b {}\n  |       - declared here" in text


def test_a_span_of_several_lines_is_shown_by_its_first():
    text = shown("repeat 2 {\n  dense(3)\n}\n", "repeat 2 {\n  dense(3)\n}", "this loop")
    assert text.endswith("1 | repeat 2 {\n  | ^^^^^^^^^^ this loop")


@pytest.mark.parametrize(
    ("text", "offset", "place", "line"),
    [
        ("", 0, "1:1", "1 |\n  | ^"),
        ("net", 3, "1:4", "1 | net\n  |    ^"),
        ("net\n", 3, "1:4", "1 | net\n  |    ^"),
        ("net\n", 4, "2:1", "2 |\n  | ^"),
    ],
)
def test_the_end_of_a_file_and_of_a_line(text, offset, place, line):
    text = render(Diagnostic("syntax", "no", Label(Span(Source("x.net", text), offset, offset))))
    assert f"x.net:{place}" in text
    assert text.endswith(line)


@pytest.mark.parametrize(
    ("line", "before", "under"),
    [
        ("\tbad", "    bad", "    ^^^"),
        ("a\tbad", "a   bad", "    ^^^"),
        ("漢字 bad", "漢字 bad", "     ^^^"),
        ("🙂 bad", "🙂 bad", "   ^^^"),
        ("e\u0301e\u0301 bad", "e\u0301e\u0301 bad", "   ^^^"),
        ("\uff57\uff49\uff44\uff45\tbad", "\uff57\uff49\uff44\uff45    bad", "            ^^^"),
    ],
)
def test_marks_stand_under_what_they_mark(line, before, under):
    assert marks(shown(f"{line}\n", "bad")) == [(f"1 | {before}", f"  | {under}")]


def test_a_wide_word_has_a_wide_mark():
    assert marks(shown("a 漢字 b\n", "漢字")) == [("1 | a 漢字 b", "  |   ^^^^")]


@pytest.mark.parametrize("place", [0, 1, 500, 990, 996])
def test_a_long_line_is_cut_around_its_mark(place):
    line = "a" * place + "BAD" + "a" * (997 - place)
    ((source, under),) = marks(shown(line, "BAD"))
    assert "BAD" in source
    assert under.index("^") == source.index("BAD")
    assert len(source) <= WIDEST + 12
    assert source.endswith("...") is (place < 900)
    assert source.startswith("1 | ...") is (place > 40)


def test_regions_far_apart_on_a_long_line_are_shown_apart():
    source = Source("x.net", "first" + "a" * 1000 + "second")
    found = marks(shown(source, "second", others=(region(source, "first"),)))
    assert [("first" in line, "second" in line) for line, _ in found] == [(True, False), (False, True)]


def test_a_region_longer_than_the_line_shown():
    ((source, under),) = marks(shown("b" * 900, "b" * 900))
    assert len(under) <= len(source)


def test_control_characters_never_reach_the_terminal():
    text = shown("a\x1b[31mbad\u202e\x07\n", "bad", "see \x1b]0;title\x07", name="odd\x1b.net", help="no\x00")
    assert not any(c != "\n" and not c.isprintable() for c in text)
    assert clean("\x1b[2J\x7f\x85") == "\u241b[2J\u2421\ufffd"


def test_help_of_several_lines_is_set_in():
    assert shown("a\n", "a", help="one\ntwo").endswith("  = help: one\n          two")


def test_colour_only_where_it_is_wanted():
    diagnostic = Diagnostic("wrong-value", "no", region("conv(3)\n", "3", "this"), (), "help", ("note",))
    plain, painted = render(diagnostic), render(diagnostic, colour=True)
    assert "\x1b" not in plain
    assert "\x1b[1;31merror[wrong-value]\x1b[0m" in painted
    assert re.sub(r"\x1b\[[0-9;]*m", "", painted) == plain


@given(st.text(max_size=200), st.integers(0, 220), st.integers(0, 220))
def test_any_text_can_be_shown(text, start, length):
    start = min(start, len(text))
    span = Span(Source("x.net", text), start, min(start + length, len(text)))
    lines = render(Diagnostic("syntax", "no", Label(span, "here"))).split("\n")
    assert all(c.isprintable() or c in "\u3000\xa0\u200c\u200d" for line in lines for c in line)
    assert "^" in lines[-1]


@given(st.text(alphabet="ab\t漢é🙂\u0301", max_size=60))
def test_columns_grow_with_the_line(line):
    laid = show_line(line)
    assert list(laid.columns) == sorted(laid.columns)
    assert laid.columns[-1] == width(laid.text)
