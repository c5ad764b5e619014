"""What generated code makes with other values of its arguments, held against the net of each setting."""

from __future__ import annotations

import json

import pytest
from checking import check
from randomly import Dice, parametric

from netspec.cli import main
from netspec.verify.blocks import block_trials
from netspec.verify.forms import FORMS
from netspec.verify.pool import WorkerPool
from netspec.verify.settings import judged, trials
from netspec.verify.table import table
from netspec.verify.verdict import SettingResult
from netspec.verify.verify import Options, verify
from netspec.weights.targets import TARGETS

NET = """
block unit(filters, slope=0.1) {
  input x [h, w, c]
  x -> conv(filters, 3x3, padding=1) -> leaky_relu(slope)
}
net small(width=8, classes=3) {
  input x [6, 6, 2]
  unit(width) -> unit(2*width, 0.2) -> global_avgpool -> dense(classes)
}
"""


@pytest.fixture(scope="module")
def pool():
    with WorkerPool() as found:
        yield found


def tried(text, form, pool, blocks=False, old="", new="", most=2):
    """What becomes of further values, in code of which a part has been altered."""
    net, way = check(text), FORMS[form]
    target = way.write(net)
    assert old in target.text
    altered = target.replace(text=target.text.replace(old, new)) if old else target
    found = block_trials(net, altered, way, most) if blocks else trials(net, altered, way.write, most)
    return [one if isinstance(one, SettingResult) else judged(one, pool) for one in found]


# --- what becomes of them --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["module", "functional", "subclass"])
@pytest.mark.parametrize("blocks", [False, True])
def test_right_code_agrees(form, blocks, pool):
    found = tried(NET, form, pool, blocks=blocks)
    assert [str(f) for f in found if f.wrong or f.refused or not f.whole] == []
    names = {f.argument for f in found}
    channels = {"in_channels"} if form == "module" else set()
    assert names == ({"filters", "slope"} | channels if blocks else {"width", "classes"})


CELL = """
cell leaky(units, rate=0.9) {
  input x
  state mean [units]
  next mean = rate * mean + dense(x, units)
  output next mean
}
net series(units=4) { input x [T, 3]; scan(leaky(units), return=sequence) -> scan(leaky(2*units, 0.5)) -> dense(2) }
"""


def test_a_layer_may_be_written_in_another_way(pool):
    text = """
block unit(n, stride=1) { input x [h, w, c]; x -> conv(n, 3x3, stride=stride, padding=1) }
net a { input x [6, 6, 3]; unit(4) -> unit(5, 2) -> flatten -> dense(2) }
"""
    found = tried(text, "functional", pool, blocks=True)
    assert {f.argument for f in found} == {"n", "stride"}
    assert not any(f.wrong for f in found)


@pytest.mark.parametrize("form", ["module", "functional", "subclass"])
def test_cells_are_run_alone(form, pool):
    found = tried(CELL, form, pool, blocks=True)
    assert [str(f) for f in found if f.wrong] == []
    assert {f.argument for f in found} == {"units", "rate", *(["x_features"] if form == "module" else [])}
    wrong = tried(CELL, form, pool, True, "self.rate = rate", "self.rate = 0.9")
    assert "rate" in {f.argument for f in wrong if f.wrong}


def test_equal_arguments_move_together(pool):
    text = """
block around(filters) { input x [h, w, c]; x + conv(filters, 3x3, padding=1) }
net a { input x [5, 5, 4]; around(4) -> conv(6, 1x1) -> around(6) -> flatten -> dense(2) }
"""
    found = tried(text, "functional", pool, blocks=True)
    assert {(f.argument, f.value) for f in found} == {
        ("filters, channels of x", 8),
        ("filters, channels of x", 2),
        ("filters", 1),
    }
    assert not any(f.wrong for f in found)


def test_random_texts_lean_on_parameters():
    texts = [parametric(Dice(seed)) for seed in range(20)]
    assert all(check(text).ok for text in texts)
    assert len(set(texts)) == 20
    assert sum("block" in text for text in texts) > 8


# form, what stands in the code, what is put there, whether in a block, the argument that it breaks, what is said of it
PLANTED = [
    ("module", "Unit(width, 2 * width,", "Unit(width, 16,", False, "width", "holds"),
    (
        "module",
        "nn.Linear(2 * width, classes)",
        "nn.Linear(2 * width, 3)",
        False,
        "classes",
        "`dense.weight` is [3, 16]",
    ),
    ("functional", "layers.Dense(classes)", "layers.Dense(3)", False, "classes", "`5.kernel` is [16, 3]"),
    ("module", "filters, 3, padding=1)", "8, 3, padding=1)", True, "filters", "holds"),
    ("subclass", "layers.Conv2D(filters,", "layers.Conv2D(8,", True, "filters", "`unit.conv.kernel` is [3, 3, 2, 8]"),
    (
        "module",
        "Conv2d(in_channels, filters",
        "Conv2d(2, filters",
        True,
        "in_channels",
        "`unit.conv.weight` is [8, 2, 3, 3]",
    ),
    (
        "functional",
        "negative_slope=slope",
        "negative_slope=0.1",
        True,
        "slope",
        "its outputs and those of the reference",
    ),
    (
        "module",
        "negative_slope=self.slope",
        "negative_slope=0.1",
        True,
        "slope",
        "its outputs and those of the reference",
    ),
]


@pytest.mark.parametrize(("form", "old", "new", "blocks", "argument", "words"), PLANTED)
def test_wrong_code_is_found(form, old, new, blocks, argument, words, pool):
    found = tried(NET, form, pool, blocks, old, new)
    wrong = {f.argument: f.wrong for f in found if f.wrong}
    assert words in wrong[argument]


def test_what_code_refuses_is_no_disagreement(pool):
    guard = "def __init__(self, width=8, classes=3):"
    refusing = guard + "\n        if width > 12:\n            raise ValueError('width is at most 12')"
    found = tried(NET, "module", pool, False, guard, refusing)
    assert [(f.value, f.refused, f.wrong) for f in found if f.argument == "width"] == [
        (16, "width is at most 12", ""),
        (4, "", ""),
    ]


def test_a_value_error_that_is_no_refusal_is_wrong(pool):
    guard = "def __init__(self, width=8, classes=3):"
    found = tried(NET, "module", pool, False, guard, guard + "\n        a, b = range(width - 6)")
    assert [f.wrong[:10] for f in found if f.argument == "width"] == ["ValueError", "ValueError"]


def test_an_argument_that_is_no_setting(pool):
    found = tried(NET, "module", pool, False, "classes=3):", "classes=3, depth=2):")
    assert [f.wrong for f in found if f.argument == "depth"] == ["the net has no such setting"]


def test_weights_held_still_by_an_argument_are_found(pool):
    old = "self.apply(init_weights)"
    found = tried(NET, "module", pool, False, old, "self.dense.requires_grad_(classes < 4)")
    assert next(f.wrong for f in found if f.argument == "classes").startswith("trains 0 parameters of `dense`")


def test_large_nets_are_compared_in_structure(pool):
    text = "net wide(width=9000, classes=9) { input x [512]; dense(width) -> dense(width) -> dense(classes) }"
    old, new = "nn.Linear(width, classes)", "nn.Linear(width, 9)"
    found = tried(text, "module", pool, False, old, new)
    assert [f.whole for f in found] == [False] * len(found)
    assert [f.argument for f in found if f.wrong] == ["classes", "classes"]
    assert not any(f.wrong for f in tried(text, "functional", pool))


@pytest.mark.parametrize("form", ["module", "subclass"])
def test_names_that_hang_on_a_setting_are_noted(form, pool):
    old, new = "self.dense", "self.dense9"
    found = tried("net a(n=3) { input x [4]; dense(n) }", form, pool, False, old, new)
    assert [(f.wrong, f.renamed) for f in found] == [("", True), ("", True)]


# --- netspec verify --------------------------------------------------------------------------------------------------


def test_verify_says_which_value_broke_what(pool, monkeypatch):
    torch = FORMS["module"].write
    altered = lambda net: torch(net).replace(text=torch(net).text.replace("2 * width", "16"))  # noqa: E731
    monkeypatch.setitem(TARGETS, "torch", altered)
    found = verify(check(NET), pool, Options(("torch",), settings=2))
    assert not found.ok
    assert found.problems[0].startswith("PyTorch: Small(width=16): ")
    assert {f["argument"] for f in found.document()["settings"]} >= {"width", "classes"}
    assert "settings" in table(found)
    assert verify(check(NET), pool, Options(("torch",))).ok


def test_table_counts_what_was_tried(pool):
    found = verify(check("net a(n=3) { input x [4]; dense(n) }"), pool, Options(("torch",), settings=2))
    assert found.ok
    assert "2 values of 1 argument" in next(line for line in table(found).splitlines() if line.startswith("settings"))


def test_command_counts_and_turns_off(capsys, tmp_path):
    path = tmp_path / "a.net"
    path.write_text("net a(n=3) { input x [4]; dense(n) }")
    assert main(["verify", str(path), "--target", "torch", "--settings", "1"]) == 0
    assert "1 value of 1 argument" in capsys.readouterr().out
    assert main(["verify", str(path), "--target", "torch", "--settings", "0", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["settings"] == []


# two words lead to one text only by the numbers of the program; windows and strides that are one number, or two;
# defaults that follow another parameter
BLOCKS = {
    "words": (
        "block unit(filters, kernel=3x3, stride=1, padding=same) {\n"
        "  conv(filters, kernel, stride=stride, padding=padding, bias=false)\n}\n"
        "net a { input x [9, 9, 3]; unit(8, stride=2, padding=valid) -> unit(6, 1x1) -> unit(7, 1x1) }"
    ),
    "windows": (
        "block unit(filters, stride=1) {\n"
        "  for (height, width) in [1x7, 7x1] {\n"
        "    conv(filters, (height, width), padding=same,\n"
        "      stride=(stride if height > 1 else 1, stride if width > 1 else 1))\n  }\n}\n"
        "net a { input x [9, 8, 3]; unit(8, stride=2) -> unit(6) }"
    ),
    "followers": (
        "block unit(width, inner=width) { conv(inner, 1x1) -> conv(width, 3x3, padding=same) }\n"
        "net a { input x [5, 5, 3]; unit(8) -> unit(6) }"
    ),
    "kernels": (
        "block unit(kernel) { input x [h, w, c]; conv(2*c, kernel, padding=same) -> avgpool(kernel) }\n"
        "net a { input x [18, 17, 3]; unit(3x3) -> unit(5x5) }"
    ),
}


@pytest.mark.parametrize("form", ["module", "functional", "subclass"])
@pytest.mark.parametrize("name", BLOCKS)
def test_blocks_at_further_values(name, form, pool):
    found = tried(BLOCKS[name], form, pool, blocks=True, most=4)
    assert found
    assert [str(f) for f in found if f.wrong] == []


def test_a_block_with_a_number_in_place_of_an_argument(pool):
    found = tried(BLOCKS["windows"], "module", pool, blocks=True, old="stride=(1, stride)", new="stride=(1, 2)")
    assert any(f.wrong for f in found if f.argument == "stride")


def test_inputs_that_a_choice_declares(pool):
    text = "net a(wide=true, c=3) {\n  if wide { input x [5, c] } else { input x [c] }\n  x -> dense(2*c)\n}"
    text = text.replace("x -> dense(2*c)", "rnn(2*c)")
    for form in ("module", "functional"):
        assert [str(f) for f in tried(text, form, pool) if f.wrong] == []
    assert check(text, c=4).net.body.inputs[0].value.shape == (5, 4)
