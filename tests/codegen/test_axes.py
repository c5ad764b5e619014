"""What a docstring says of the axes of what comes in and goes out: the letters, and the order that a framework has."""

from __future__ import annotations

import pytest
from checking import check, keras_code, torch_code


def said(text, emit):
    net = check(text)
    assert net.ok
    return [line.strip().strip('"') for line in emit(net).split("\n") if "Takes N" in line or "Takes x (" in line]


# a net, and what is said of it where the channels are last and where they are first
NETS = [
    ("input x [4]; dense(2)", "N, F and gives N, F", None),
    ("input x []; x + 1", "N and gives N", None),
    ("input x [9] int(10); embedding(10, 4) -> lstm(3)", "N, T and gives N, F", None),
    ("input x [9, 4]; dense(3)", "N, T, F and gives N, T, F", None),
    ("input x [9, 4]; lstm(3)", "N, T, F and gives N, F", None),
    # sequences have the channels last in PyTorch, too
    ("input x [9, 4]; conv(3, 3)", "N, L, C and gives N, L, C", None),
    ("input x [9, 4]; conv(6, 3) -> global_maxpool", "N, L, C and gives N, F", None),
    ("input x [9, 4]; maxpool(2) -> lstm(3)", "N, L, C and gives N, F", None),
    ("input x [9, 4]; lstm(3, return=sequence) -> conv(5, 3)", "N, T, F and gives N, L, C", None),
    ("input x [9, 4]; input m [9] bool; lstm(x, 3, mask=m)", "x (N, T, F) and m (N, T) and gives N, F", None),
    ("input x [9, 8, 3]; conv(4, 3x3)", "N, H, W, C and gives N, H, W, C", "N, C, H, W and gives N, C, H, W"),
    ("input x [9, 8, 3]; conv(4, 3x3) -> flatten", "N, H, W, C and gives N, F", "N, C, H, W and gives N, F"),
    ("input x [5, 6, 7, 3]; global_avgpool", "N, D, H, W, C and gives N, F", "N, C, D, H, W and gives N, F"),
    (
        "input x [2, 3, 4, 5, 6]; relu",
        "N, S1, S2, S3, S4, C and gives N, S1, S2, S3, S4, C",
        "N, C, S1, S2, S3, S4 and gives N, C, S1, S2, S3, S4",
    ),
    (
        "input x [8, 8, 3]; output map = x -> conv(4, 3x3); output kind = x -> flatten -> dense(5)",
        "N, H, W, C and gives map (N, H, W, C) and kind (N, F)",
        "N, C, H, W and gives map (N, C, H, W) and kind (N, F)",
    ),
]


@pytest.mark.parametrize(("text", "last", "first"), NETS)
def test_axes_of_a_net(text, last, first):
    assert said(f"net a {{ {text} }}", keras_code) == [f"Takes {last}."]
    assert said(f"net a {{ {text} }}", torch_code) == [f"Takes {first or last}."]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("block b { input x [h, w, c]; conv(c, 1x1) }\nnet a { input x [6, 6, 2]; b }", ["N, C, H, W"] * 2),
        ("block b { input x [t, c]; conv(c, 3) }\nnet a { input x [6, 2]; b }", ["N, C, L", "N, T, F"]),
        ("block b { input x [c]; dense(c) }\nnet a { input x [6]; b }", ["N, F"]),  # a vector is the same everywhere
        (  # one class for two ranks says nothing
            "block b { input x [..., c]; relu }\nnet a { input x [6, 2]; y = b(x); b(y -> reshape(3, 2, 2)) }",
            ["N, T, F and gives N, C, H, W"],
        ),
    ],
)
def test_axes_of_a_block(text, found):
    lines = said(text, torch_code)
    assert [line.removeprefix("Takes ") for line in lines] == [
        f"{axes}." if "gives" in axes else f"{axes} and gives {axes}." for axes in found
    ]


@pytest.mark.parametrize("emit", [torch_code, keras_code])
def test_long_lines_are_broken(emit):
    outputs = ", ".join(f"a_name_of_some_length_{k} = x -> dense({k + 1})" for k in range(6))
    text = emit(check(f"net a {{ input x [4]; output {outputs} }}"))
    assert all(len(line) <= 88 for line in text.split("\n"))
    assert " ".join(text.split()).count("a_name_of_some_length_5 (N, F).") == 1
