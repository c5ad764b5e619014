"""Quotients in sizes: a class takes the arguments with which they are whole, as `--set` does, and no others."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

import netspec
from netspec.runtime.code import execute

# by name: the text, and values for arguments of its class
NETS = {
    "quotient": ("net a(width=16) { input x [4]; dense(width / 8) }", {"width": [8, 9, 12, 24]}),
    "quotient of a quotient": ("net a(width=16) { input x [4]; dense(width / 2 / 4) }", {"width": [8, 12, 6, 9]}),
    "within a product": ("net a(width=16) { input x [4]; dense(3 * (width / 8) + 1) }", {"width": [9, 24, 20]}),
    "product that is divided": ("net a(width=16) { input x [4]; dense(3 * width / 8) }", {"width": [9, 24, 4]}),
    "two arguments": (
        "net a(width=24, heads=4) { input x [5]; dense(width / heads) -> dense(width) }",
        {"width": [20, 21, 26], "heads": [5, 6, 12]},
    ),
    "name": ("net a(width=16) { input x [4]; half = width / 2; dense(half) -> dense(3 * half) }", {"width": [3, 6]}),
    "larger of two": ("net a(width=512) { input x [4]; dense(max(width / 8, 32)) }", {"width": [9, 256, 257, 264]}),
    "smaller of two": ("net a(width=64) { input x [4]; dense(min(width / 8, 32)) }", {"width": [9, 256, 257, 264]}),
    "chosen": (
        "net a(width=48) { input x [4]; dense(width / 8 if width > 32 else width) -> dense(2) }",
        {"width": [9, 32, 33, 40, 41]},
    ),
    "chosen where it is whole": (
        "net a(width=48) { input x [4]; dense(width / 8 if width % 8 == 0 else 5) -> dense(2) }",
        {"width": [7, 8, 9, 40]},
    ),
    "compared": (
        "net a(width=48) { input x [4]; dense(width if width / 8 > 3 else 2 * width) }",
        {"width": [23, 24, 25, 31, 32]},
    ),
    "branch": (
        "net a(width=48) { input x [4]; if width > 32 { dense(width / 8) } else { dense(width) -> dense(2) } }",
        {"width": [9, 40]},
    ),
    "branch with two quotients": (
        "net a(width=48) { input x [8]; if width > 32 { dense(width / 8) -> dense(width / 2) } else { dense(4) } }",
        {"width": [9, 32, 33, 40, 41, 42]},
    ),
    "other branch": (
        "net a(width=48) { input x [4]; if width > 32 { dense(7) } else { dense(width / 8) } }",
        {"width": [9, 24, 32, 33, 41]},
    ),
    "third branch": (
        "net a(width=48) { input x [5]; if width > 32 { dense(width / 8) } else if width > 16 { dense(width / 4) }"
        " else { dense(2 * width) } }",
        {"width": [9, 16, 17, 20, 33, 36, 40]},
    ),
    "two conditions": (
        "net a(width=48, deep=false) { input x [4]; if width > 32 or deep { dense(width / 8) } else { dense(width) } }",
        {"width": [9, 33, 40]},
    ),
    "branch in a branch": (
        "net a(width=48, deep=true) { input x [4];"
        " if width > 32 { if deep { dense(width / 8) } else { dense(width / 2) } } else { dense(3) } }",
        {"width": [9, 33, 34, 40]},
    ),
    "branch in a loop": (
        "net a(depth=3, width=16) { input x [4];"
        " for i in 0..depth { if i > 1 { dense(width / 8) } else { dense(4) } } }",
        {"width": [9, 24]},
    ),
    "loop in a branch": (
        "net a(depth=3, width=48) { input x [4];"
        " if width > 32 { repeat depth { dense(width / 8) -> relu } } else { dense(width) } }",
        {"width": [9, 33, 40], "depth": [1, 2, 5]},
    ),
    "branch of a block": (
        "block b(units, wide=true) { input x; if wide { dense(units / 2) } else { dense(units) } }\n"
        "net a(width=48) { input x [8]; b(width) -> b(3 * width, wide=false) -> b(width / 4) }",
        {"width": [8, 12, 14, 16, 9]},
    ),
    "name in a branch": (
        "net a(width=48) { input x [4]; half = width / 2; if width > 32 { dense(half) } else { dense(width) } }",
        {"width": [9, 33, 34, 48]},
    ),
    "list in a branch": (
        "net a(width=48) { input x [4]; sizes = [width / 8, 3];"
        " if width > 32 { dense(sizes[0]) } else { dense(width) } }",
        {"width": [9, 33, 40, 48]},
    ),
    "place in a list": (
        "net a(width=48) { input x [5]; sizes = [width / 8, width / 5, 3]; dense(sizes[0]) -> dense(sizes[2]) }",
        {"width": [9, 33, 40, 48]},
    ),
    "other place in a list": (
        "net a(width=48) { input x [5]; sizes = [width / 7, width]; dense(sizes[1]) }",
        {"width": [9, 49]},
    ),
    "all of a list": (
        "net a(width=48) { input x [5]; sizes = [width / 8, 3]; for n in sizes { dense(n) } }",
        {"width": [9, 33, 40, 48]},
    ),
    "turns": (
        "net a(depth=3, width=16) { input x [4]; repeat depth { dense(width / 8) -> relu } }",
        {"width": [9, 24], "depth": [1, 2, 5]},
    ),
    "list": (
        "net a(width=16) { input x [4]; for n in [width, width / 4, width / 2] { dense(n) -> relu } }",
        {"width": [8, 9, 10, 12]},
    ),
    "rounded": (
        "net a(width=16) { input x [4]; dense(round(width / 8)) -> dense(ceil(width / 3)) }",
        {"width": [9, 29]},
    ),
    "cut": ("net a(width=16) { input x [4]; dense(width // 8) -> dense(floor(width / 3)) }", {"width": [9, 29]}),
    "block": (
        "block narrow(units, by=2) { input x; dense(units / by) -> dense(units) }\n"
        "net a(width=16) { input x [4]; narrow(width) -> narrow(2 * width, by=4) }",
        {"width": [7, 8, 9, 10]},
    ),
}
STYLES = ["torch", "functional", "subclass"]
CASES = [(name, argument, value) for name, (_, all) in NETS.items() for argument, some in all.items() for value in some]


def code(text, style):
    net = netspec.parse(text)
    return net.to_torch() if style == "torch" else net.to_keras(style)


def admitted(text, **values):
    try:
        return netspec.parse(text, **values)
    except netspec.SpecError:
        return None


def parameters(made, net, style):
    if style == "torch":
        return sum(p.numel() for p in made.parameters())
    made(np.zeros((1, *net.inputs[0].shape), "float32"))
    return made.count_params()


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize(("name", "argument", "value"), CASES)
def test_a_class_takes_what_the_spec_admits(name, argument, value, style):
    text = NETS[name][0]
    make, wanted = execute(code(text, style), "a"), admitted(text, **{argument: value})
    assert argument in inspect.signature(make).parameters
    if wanted is None:
        with pytest.raises(ValueError, match="written for"):
            make(**{argument: value})
    else:
        made = make(**{argument: value})
        assert parameters(made, wanted, style) == wanted.report().totals.params


@pytest.mark.parametrize("style", STYLES)
def test_every_number_up_to_a_hundred(style):
    text = "net a(width=48) { input x [4]; half = width / 2; dense(half / 3) -> dense(width / 4 if width > 50 else 3) }"
    make = execute(code(text, style), "a")
    for value in range(1, 101):
        if admitted(text, width=value) is None:
            with pytest.raises(ValueError, match="written for"):
                make(width=value)
        else:
            make(width=value)


@pytest.mark.parametrize("style", STYLES)
def test_what_is_cut_or_rounded_needs_no_condition(style):
    for name in ("rounded", "cut"):
        assert "ValueError" not in code(NETS[name][0], style)


@pytest.mark.parametrize("style", STYLES)
def test_a_condition_is_said_once(style):
    text = code("net a(width=16) { input x [4]; dense(width / 2) -> dense(width / 8) -> dense(3 * width / 8) }", style)
    assert text.count("ValueError") == 2
    assert "if width % 8 != 0:\n" in text
    assert "if 3 * width % 8 != 0:\n" in text


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("name", ["third branch", "branch in a branch", "name in a branch", "list in a branch"])
def test_every_number_up_to_sixty_in_branches(name, style):
    text = NETS[name][0]
    make = execute(code(text, style), "a")
    for value in range(1, 61):
        wanted = admitted(text, width=value)
        if wanted is None:
            with pytest.raises(ValueError, match="written for"):
                make(width=value)
        else:
            assert parameters(make(width=value), wanted, style) == wanted.report().totals.params


@pytest.mark.parametrize("style", STYLES)
def test_what_a_branch_needs_is_said_with_its_condition(style):
    text = code(NETS["branch with two quotients"][0], style)
    assert text.count("ValueError") == 1
    assert 'written for width <= 32 or width % 8 == 0"' in text
    assert 'written for width > 32 or width % 8 == 0"' in code(NETS["other branch"][0], style)


def test_the_class_of_a_block_refuses_as_well():
    made = execute(code(NETS["block"][0], "torch"), "a")()
    make = type(next(m for m in made.modules() if type(m).__name__ == "Narrow"))
    make(4, 6)
    make(4, 6, by=3)
    with pytest.raises(ValueError, match=r"Narrow is written for units % by == 0"):
        make(4, 6, by=4)
