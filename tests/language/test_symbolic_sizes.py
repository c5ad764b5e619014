"""Sizes that are known when a net runs: where they are read, what is left of what is cut, what a block works out."""

from __future__ import annotations

import numpy as np
import pytest
from checking import check, codes

from netspec.base.dims import substitute, symbol
from netspec.layers.base import At
from netspec.layers.measured import measured, unread
from netspec.pycode.expr import Raw, fill, inline
from netspec.reference import Reference

H, S, T, W = (symbol(name) for name in "HSTW")
VALUES = {"H": 5, "S": 11, "T": 8, "W": 13}


# --- where sizes are read --------------------------------------------------------------------------------------------

READ = [
    (T, ((T, 4),), "x0.shape[1]"),
    (T, ((4, T), (T,)), "x0.shape[2]"),
    (T + 3, ((T, 4),), "x0.shape[1] + 3"),
    (T, ((T + 3, 4),), "x0.shape[1] - 3"),
    (T, ((2 * T, 4), (T, 1)), "x1.shape[1]"),
    (T, ((2 * T, 4),), "x0.shape[1] // 2"),
    (3 * T - 1, ((2 * T + 4, 4),), "(3 * x0.shape[1] - 14) // 2"),
    (-T, ((5, 4), (T,)), "-1 * x1.shape[1]"),
    ((T + 1) // 2, (((T + 1) // 2, 4),), "x0.shape[1]"),
    ((T + 1) // 2, ((T, 4),), "(x0.shape[1] + 1) // 2"),
    (H * W, ((H, W, 3),), "x0.shape[1] * x0.shape[2]"),
    (S + T, ((S, 2), (T,)), "x0.shape[1] + x1.shape[1]"),
    (S - T, ((S, 2), (T,)), "x0.shape[1] - x1.shape[1]"),
    (S * S + 2 * T - 4, ((S, 2), (T,)), "((x0.shape[1] ** 2) + 2 * x1.shape[1]) - 4"),
]


@pytest.mark.parametrize(("size", "shapes", "code"), READ, ids=[str(size) for size, _, _ in READ])
def test_a_size_is_read_off_axes(size, shapes, code):
    found = measured(size, shapes)
    assert found is not None
    at = At(shapes, shapes[0])
    xs = [np.zeros((2, *(substitute(n, VALUES) for n in shape))) for shape in shapes]
    written = inline(fill(found.torch(at), [Raw(f"x{i}") for i in range(len(shapes))]))
    assert written == code
    wanted = substitute(size, VALUES)
    assert found.of(xs) == wanted
    assert eval(written, {f"x{i}": x for i, x in enumerate(xs)}) == wanted


def test_channels_first_have_their_axes_elsewhere():
    shapes = ((H, W, 3), (S, 7))
    code = measured(W + S, shapes).torch(At(shapes, shapes[0], first=True, firsts=(True, False)))
    assert inline(fill(code, [Raw("a"), Raw("b")])) == "b.shape[1] + a.shape[3]"


def test_sizes_that_no_axis_says():
    assert measured(T, ((S, 4),)) is None
    assert unread(S + T, ((S, 4),)) == ("T",)
    assert unread(T, ((S, T),)) == ()


# --- slices ----------------------------------------------------------------------------------------------------------


def output(text, inputs="input x [T, 4]; input y [S, 4]", **settings):
    return check(f"net test {{\n{inputs}\noutput {text}, x, y\n}}\n", **settings)


CUTS = [
    *("x[0:T]", "x[:T - 1]", "x[2:T]", "x[T - 3:]", "x[T - 3:T - 1]", "x[1:T + 5]", "x[::2]", "x[1:T:2]", "x[-3:T]"),
    *(
        "y[0:T]",
        "y[2:T + 1:3]",
        "y[-T:]",
        "y[-T:-1]",
        "y[T:]",
        "y[T - 3:T + 2]",
        "y[:1]",
        "x[T - 1]",
        "x[:, 0:x.channels]",
    ),
]


@pytest.mark.parametrize("cut", CUTS)
def test_what_is_left_of_a_slice(cut):
    """The same as what NumPy leaves, for every size with which the bounds are within the axis."""
    net = output(cut)
    assert codes(net) == []
    shape = net.net.body.outputs[0].value.shape
    for t in (6, 7, 10):
        arrays = {"x": np.zeros((t, 4)), "y": np.zeros((t + 9, 4))}

        class Value:
            channels = 4

            def __init__(self, array):
                self.array = array

            def __getitem__(self, items):
                return self.array[items]

        given = {name: Value(array) for name, array in arrays.items()}
        wanted = eval(cut, {**given, "T": t}).shape
        assert tuple(substitute(n, {"T": t, "S": t + 9}) for n in shape) == wanted


def test_places_that_are_known_to_be_from_the_end_are_written_so():
    net = output("x[2:T - 1]")
    cut = net.net.body.items[0].layer.items[0]
    assert (cut.start, cut.stop) == (2, -1)
    assert len(net.net.body.items[0].inputs) == 1


# --- what a block works out ------------------------------------------------------------------------------------------

SOLVED = [
    ("[2*h, c]", "[6, 4]", {"h": 3, "c": 4}),
    ("[2*h + 1]", "[7]", {"h": 3}),
    ("[9 - h]", "[7]", {"h": 2}),
    ("[h*c, c]", "[12, 4]", {"h": 3, "c": 4}),
    ("[2*h, h]", "[2*T, T]", {"h": T}),
    ("[2*h]", "[4*T + 2]", {"h": 2 * T + 1}),
    ("[n*h]", "[3*T]", {"h": T}),
    ("[..., 2*h, 5]", "[7, 8, 5]", {"h": 4}),
]


@pytest.mark.parametrize(("written", "comes", "sizes"), SOLVED)
def test_sizes_are_worked_out(written, comes, sizes):
    net = check(f"block part(n=3) {{ input x {written}; dense_of(n) }}\nblock dense_of(n) {{ relu }}\n"
                f"net test {{ input x {comes}; part }}\n")  # fmt: skip
    assert codes(net) == []
    (call,) = net.net.body.items
    assert call.body.sizes == sizes


@pytest.mark.parametrize("order", ["input a [2*h]; input b [h]", "input b [h]; input a [2*h]"])
def test_another_input_says_what_cannot_be_divided(order):
    names = "T, n" if order.startswith("input a") else "n, T"
    text = f"block part {{ {order}; output a, b }}\nnet test {{ input n [T]; input T [2*T]; p, q = part({names}); p }}"
    net = check(text.replace("input T [", "input m [").replace("T, n", "m, n").replace("n, T", "n, m"))
    assert codes(net) == []


@pytest.mark.parametrize(
    ("written", "comes", "code"),
    [
        ("[2*h]", "[7]", "shape-mismatch"),
        ("[2*h]", "[T]", "unknown-size"),
        ("[h*w]", "[12]", "shape-mismatch"),
        ("[9 - h]", "[9]", "shape-mismatch"),
        ("[h, 2*h]", "[3, 7]", "shape-mismatch"),
        ("[ceil(h / 2)]", "[3]", "shape-mismatch"),
    ],
)
def test_sizes_that_do_not_work_out(written, comes, code):
    net = check(f"block part {{ input x {written}; relu }}\nnet test {{ input x {comes}; part }}\n")
    assert codes(net) == [code]


def test_symbols_of_a_net_within_an_expression():
    net = check("net test { input x [2*h, 3*w, 5]; maxpool(2x3) }", h=4)
    assert [str(n) for n in net.net.body.outputs[0].value.shape] == ["4", "w", "5"]
    assert codes(check("net test { input x [2*7 - 14, 3]; relu }")) == ["wrong-value"]


# --- reshape ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "sizes", "gives"),
    [
        ("[T, 4]", "T, 2, 2", "[T, 2, 2]"),
        ("[T, 2]", "[-1, 8]", "[floor(T/4), 8]"),
        ("[4*n, 2]", "-1, 8", "[n, 8]"),
        ("[6, T]", "T, -1", "[T, 6]"),
        ("[4*h, 4*w, 3]", "h, 4, w, 4, 3", "[h, 4, w, 4, 3]"),
        ("[H, W, 6]", "H*W, 6", "[H*W, 6]"),
    ],
)
def test_reshape_to_symbols(shape, sizes, gives):
    from netspec.base.dims import show

    net = check(f"net test {{ input x {shape}; reshape({sizes}) }}")
    assert codes(net) == []
    assert show(net.net.body.outputs[0].value.shape) == gives


@pytest.mark.parametrize(
    ("sizes", "gives"),
    [
        ("2*T, -1", (10, 2)),
        ("4*T, -1", (20, 1)),
        ("-1, T, 4", (1, 5, 4)),
        ("-1, 2*T, 1", (2, 10, 1)),
        ("T, -1, 1", (5, 4, 1)),
    ],
)
def test_what_is_left_beside_a_symbol_is_a_number(sizes, gives):
    net = check(f"net test {{ input x [T, 4]; output y = x -> reshape({sizes}) }}")
    x = np.arange(40.0).reshape(2, 5, 4)
    assert np.array_equal(Reference(net, {})(x), x.reshape(2, *gives))


@pytest.mark.parametrize("sizes", ["-1, 4", "T, T", "T, 3", "T + 1, 2"])
def test_reshape_that_cannot_be(sizes):
    assert codes(check(f"net test {{ input x [2*T + 1, 2]; reshape({sizes}) }}")) == ["unknown-size"]
