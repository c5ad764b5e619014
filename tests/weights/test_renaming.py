"""Tables of names: what a `*` stands for, which line counts, and what is said of lines that do nothing."""

from __future__ import annotations

import pytest

from netspec.base.source import Source
from netspec.files import ReadError
from netspec.weights.rename import read_rules, renaming, show_rules


@pytest.mark.parametrize(
    ("pattern", "ours", "name", "made"),
    [
        # a star may stand for nothing, at either end and between
        ("enc*.weight", "a*.kernel", "enc.weight", "a.kernel"),
        ("enc*.weight", "a*.kernel", "enc12.weight", "a12.kernel"),
        ("*weight", "*kernel", "weight", "kernel"),
        ("weight*", "kernel*", "weight", "kernel"),
        ("*", "*", "", ""),
        ("*", "x.*", "", "x."),
        ("a*b*c", "*-*", "abc", "-"),
        ("a*b*c", "*-*", "a1bc", "1-"),
        ("a*b*c", "*-*", "ab2c", "-2"),
        ("**", "*/*", "ab", "ab/"),
        # as much as can be, the first before the others
        ("*.*", "*/*", "a.b.c", "a.b/c"),
        ("h.*.w", "*", "h.1.2.w", "1.2"),
        # the whole name, and signs are themselves
        ("enc.*", "a.*", "my.enc.w", "my.enc.w"),
        ("enc.*", "a.*", "encXw", "encXw"),
        ("a+b[0]*", "c*", "a+b[0].w", "c.w"),
        ("a", "b", "ab", "ab"),
        ("a", "b", "a", "b"),
        # an empty side leaves out
        ("opt*", "", "opt", ""),
        ("opt*", "", "optimizer.step", ""),
        ("opt*", "", "no.opt", "no.opt"),
    ],
)
def test_stars(pattern, ours, name, made):
    assert renaming({pattern: ours}).of(name) == made


def test_the_first_line_that_fits_counts():
    table = renaming({"enc*.w": "a*.w", "enc.*": "b.*", "*": "c.*"})
    assert [table.of(n) for n in ("enc.w", "enc1.w", "enc.v", "x")] == ["a.w", "a1.w", "b.v", "c.x"]


def test_two_names_that_would_be_one():
    found, problems = renaming({"enc*": "a*", "b": ""}).names(["enc.w", "a.w", "b", "enc"])
    assert found == {"a.w": "enc.w", "a": "enc"}
    assert problems == ["`enc.w` and `a.w` would both be `a.w`"]


def test_lines_that_do_nothing():
    table = read_rules(Source("t", "enc*.w = a*.w  # all\n\n# none\nenc.w = b.w\nno*ne = c*\n"))
    assert table.idle(["enc.w", "x"]) == [
        "line 4 of the table: line 1 takes `enc.w` first",
        "line 5 of the table: no array is called `no*ne`",
    ]
    assert table.idle(["enc1.w", "enc.w", "none"]) == ["line 4 of the table: line 1 takes `enc.w` first"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a = b\nc", "t:2: a line is `foreign = ours`, not `c`"),
        ("= b", "t:1: a line is `foreign = ours`, not `= b`"),
        ("a* = b", "t:1: both sides need as many `*`: `a* = b`"),
        ("a*b* = c*", "t:1: both sides need as many `*`: `a*b* = c*`"),
        ("a = *", "t:1: both sides need as many `*`: `a = *`"),
    ],
)
def test_lines_that_are_none(text, said):
    with pytest.raises(ReadError) as error:
        read_rules(Source("t", text))
    assert str(error.value) == said


@pytest.mark.parametrize("names", [{"a*": "b"}, {"a": "b*"}, {"a**": "b*"}])
def test_a_mapping_that_is_none(names):
    with pytest.raises(ValueError, match="both sides need as many"):
        renaming(names)


def test_a_table_is_shown_as_it_is_read():
    names = {"long.name.w": "a.w", "b": "", "c*": "d*"}
    table = read_rules(Source("t", show_rules(names)))
    assert [(rule.pattern, rule.name) for rule in table.rules] == list(names.items())
    assert show_rules({}) == ""
