"""Pictures: what is in the DOT text, read back by Graphviz itself, and that each format comes out."""

from __future__ import annotations

import re
import shutil

import pytest

from netspec.analysis.infer import infer
from netspec.base.diagnostics import Collector
from netspec.base.source import Source
from netspec.diagram import render as picture
from netspec.diagram.dot import DIRECTIONS, dot
from netspec.diagram.labels import TIMES, amount_text, layer_text, quoted, shape_text
from netspec.diagram.theme import THEMES
from netspec.elaborate.net import elaborate
from netspec.layers import LAYERS
from netspec.resolve.resolve import find_net, resolve
from netspec.syntax.parser import parse

RESIDUAL = """
block residual(filters) {
  input x
  main = x -> conv(filters, 3x3, padding=same, bias=false) -> batchnorm -> relu -> conv(filters, 3x3, padding=same)
  main + x -> relu
}
net tiny {
  input image [8, 8, 4]
  conv(16, 3x3, padding=same) as stem
  repeat 3 { residual(16) }
  global_avgpool -> dense(10, activation=softmax)
}
"""


def checked(text):
    source, faults = Source("test.net", text), Collector()
    design = resolve(parse(source, faults), faults)
    return infer(elaborate(design, find_net(design, None, source), {}, faults), faults)


def read(label):
    """The text of a label, lines with `|` between them, and the sign for times as x."""
    label = re.sub(r"<[^<>]*>", "", label.replace("</TR><TR>", "|")).strip("<>")
    return " ".join(label.replace(TIMES, "x").split())


class Picture:
    """A DOT text as Graphviz reads it."""

    def __init__(self, text, **options):
        pygraphviz = pytest.importorskip("pygraphviz")
        self.text = dot(checked(text), **options)
        self.graph = pygraphviz.AGraph(string=self.text)

    @property
    def nodes(self):
        return [str(n) for n in self.graph.nodes()]

    def label(self, node):
        return read(self.graph.get_node(self.find(node)).attr["label"])

    def find(self, start):
        """The node of that name, or the one whose name goes on with a number."""
        return next(n for n in self.nodes if re.fullmatch(re.escape(start) + r"\d*", n))

    def into(self, node):
        return [str(a) for a, _ in self.graph.in_edges(self.find(node))]

    def edge(self, source, target):
        return self.graph.get_edge(self.find(source), self.find(target)).attr

    def note(self, source, target):
        return read(self.edge(source, target)["label"] or "")

    @property
    def frames(self):
        """The titles of the frames."""
        found, stack = [], [self.graph]
        while stack:
            inner = [g for g in stack.pop().subgraphs() if (g.name or "").startswith("cluster")]
            found += [read(frame.graph_attr["label"]) for frame in inner]
            stack += inner
        return found


def chain(*steps):
    return "net chain {\n input x [16, 16, 3]\n " + "\n ".join(steps) + "\n}\n"


# --- structure -----------------------------------------------------------------------------------------------------


def test_a_chain_is_its_boxes_between_input_and_output():
    shown = Picture(chain("conv(8, 3x3, stride=2)", "flatten", "dense(10, activation=softmax)"))
    assert shown.nodes == ["input:x", "conv", "flatten", "dense", "output:output"]
    assert [shown.into(n) for n in shown.nodes] == [[], ["input:x"], ["conv"], ["flatten"], ["dense"]]
    assert shown.label("conv") == "conv 3x3, 8, /2"
    assert shown.label("input:x") == "x|16 x 16 x 3"
    assert shown.label("output:output") == "output|10"


def test_what_follows_in_a_straight_line_is_in_one_box():
    shown = Picture(chain("conv(8, 7x7, stride=2, bias=false) as stem -> batchnorm -> relu", "maxpool(2x2)"))
    assert shown.nodes == ["input:x", "stem", "maxpool", "output:output"]
    assert shown.label("stem") == "stem|conv 7x7, 8, /2|batchnorm|relu"


def test_what_follows_a_named_scope_is_not_drawn_into_it():
    shown = Picture(chain("{ flatten -> dense(4) } as head -> relu", "dense(2) -> relu"))
    assert shown.frames == ["head"]
    assert len(shown.nodes) == 6


def test_what_follows_a_repeat_is_not_drawn_into_it():
    shown = Picture(chain("flatten", "repeat 3 { dense(4) }", "relu"))
    assert shown.label("dense") == "dense 4 x3"
    assert shown.into("relu") == [shown.find("dense")]


def test_a_value_that_is_used_twice_ends_its_box():
    shown = Picture(chain("a = conv(3, 1x1)", "b = a -> relu", "a + b"))
    assert shown.into("relu") == ["conv"]
    assert sorted(shown.into("add")) == ["conv", "relu"]


def test_shapes_stand_on_edges_where_they_change():
    shown = Picture(chain("conv(8, 3x3, padding=same)", "maxpool(2x2)", "conv(8, 3x3, padding=same)", "conv(8, 1x1)"))
    assert not shown.note("input:x", "conv1")
    assert shown.note("conv1", "maxpool") == "16 x 16 x 8"
    assert shown.note("maxpool", "conv2") == "8 x 8 x 8"
    assert not shown.note("conv2", "conv3")
    assert not shown.note("conv3", "output:output")


def test_a_symbolic_shape_is_written_out():
    shown = Picture("net n {\n input x [H, W, 3]\n conv(8, 3x3, stride=2, padding=same)\n conv(2, 1x1)\n}\n")
    assert shown.note("conv1", "conv2") == "ceil(H/2) x ceil(W/2) x 8"


def test_a_residual_block_is_drawn_once_with_its_count_and_its_skip():
    shown = Picture(RESIDUAL)
    assert shown.frames == ["residual(16) x3"]
    add = shown.find("residual1.add")
    assert sorted(shown.into(add)) == ["residual1.conv2", "stem"]
    skip, main = shown.edge("stem", add), shown.edge("residual1.conv2", add)
    assert skip["color"] == THEMES["light"].skip
    assert skip["weight"] == "0"
    assert main["color"] == THEMES["light"].edge
    assert int(main["weight"]) > 1
    assert shown.label(add) == "add|relu"
    assert shown.into("global_avgpool") == [add]


def test_a_long_skip_through_a_crop_is_a_skip_too():
    shown = Picture(chain("a = conv(4, 1x1)", "b = a -> maxpool(2x2) -> upsample(2)", "concat(a[0:16, :, :], b)"))
    assert shown.edge("conv", "slice")["color"] == THEMES["light"].skip
    assert shown.edge("slice", "concat")["color"] == THEMES["light"].skip
    assert shown.edge("upsample", "concat")["color"] == THEMES["light"].edge


def test_branches_of_equal_standing_are_no_skips():
    shown = Picture(chain("concat(conv(4, 1x1), conv(4, 1x1) -> conv(4, 3x3, padding=same), maxpool(3x3, 1, same))"))
    assert len(shown.into("concat")) == 3
    assert THEMES["light"].skip not in shown.text


def test_a_value_added_to_itself_has_two_edges():
    text = Picture(chain("a = conv(4, 1x1)", "add(a, a)")).text
    assert text.count('"conv" -> "add') == 2
    assert THEMES["light"].skip not in text


def test_identity_is_no_box():
    shown = Picture(chain("add(identity, conv(3, 1x1))"))
    assert sorted(shown.into("add")) == ["conv", "input:x"]


def test_several_inputs_and_outputs():
    shown = Picture("net n {\n input a [4]\n input b [4]\n s = add(a, b)\n t = s -> dense(2)\n output s, t\n}\n")
    assert sorted(shown.into("add")) == ["input:a", "input:b"]
    assert shown.into("output:s") == ["add"]
    assert shown.into("output:t") == ["dense"]


def test_a_shared_layer_has_a_box_for_each_use():
    shown = Picture("net n {\n input a [4]\n input b [4]\n layer enc = dense(3)\n concat(a -> enc, b -> enc)\n}\n")
    assert shown.into("enc") == ["input:a"]
    assert shown.into("enc#2") == ["input:b"]
    assert "15 parameters" in shown.graph.get_node("enc").attr["tooltip"]


# --- folding -------------------------------------------------------------------------------------------------------


def test_a_repeat_of_one_layer_is_a_box_with_its_count():
    shown = Picture(chain("repeat 4 { conv(8, 3x3, padding=same) }"))
    assert shown.nodes == ["input:x", "conv1", "output:output"]
    assert shown.label("conv1") == "conv 3x3, 8 x4"


def test_a_repeat_of_several_layers_is_a_frame_with_its_count():
    shown = Picture(chain("flatten", "repeat 5 { dense(8) -> relu -> dense(4) }"))
    assert shown.frames == ["x5"]
    assert shown.nodes == ["input:x", "flatten", "dense1", "dense2", "output:output"]


def test_equal_calls_in_a_row_fold_and_others_do_not():
    shown = Picture("block b(n) { dense(n) -> dense(n) }\n" + chain("flatten", "b(8)", "b(8)", "b(4)", "b(8)"))
    assert shown.frames == ["b(8) x2", "b(4)", "b(8)"]


def test_a_layer_written_twice_is_drawn_twice():
    shown = Picture(chain("conv(8, 3x3)", "conv(8, 3x3)"))
    assert "conv2" in shown.nodes


def test_parallel_turns_are_drawn_side_by_side():
    shown = Picture(chain("h = []", "x0 = flatten", "for i in 0..4 { h = h + [x0 -> dense(4)] }", "concat(h)"))
    assert len(set(shown.into("concat"))) == 4


def test_turns_whose_values_are_used_later_are_drawn_one_by_one():
    steps = ("h = []", "flatten", "repeat 4 { dense(8)\n h = h + [dense(8)] }", "concat(h)")
    assert len(set(Picture(chain(*steps)).into("concat"))) == 4


def test_a_chain_that_hands_on_two_values_folds():
    cell = "block cell(f) {\n input p\n input c\n (p -> dense(f)) + (c -> dense(f))\n}\n"
    body = "net n {\n input x [8]\n p, c = x, x\n repeat 6 { p, c = c, cell(p, c, f=8) }\n cell(p, c, f=2)\n}\n"
    assert Picture(cell + body).frames == ["cell(8)", "cell(8) x5", "cell(2)"]


def test_shapes_that_grow_from_turn_to_turn_are_told_at_the_end_only():
    grow = "block grow() {\n input x\n concat(x, x -> conv(4, 1x1) -> conv(8, 3x3, padding=same))\n}\n"
    shown = Picture(grow + chain("repeat 4 { grow }", "conv(2, 1x1)", "relu"))
    assert shown.note("grow1.concat", "conv") == "16 x 16 x 35"
    assert not shown.note("grow1.conv1", "grow1.conv2")


# --- depth ---------------------------------------------------------------------------------------------------------

STAGES = """
block unit(f) { conv(f, 3x3, padding=same) -> conv(f, 3x3, padding=same) }
block stage(f) { maxpool(2x2) -> unit(f) }
net staged {
  input x [64, 64, 3]
  stage(8) as low
  stage(16)
}
"""


def test_at_depth_0_a_block_is_a_box_with_its_shape_and_parameters():
    shown = Picture(STAGES, depth=0)
    assert shown.nodes == ["input:x", "low", shown.find("stage"), "output:output"]
    assert shown.label("low") == "low stage(8)|32 x 32 x 8, 808 params"
    assert not shown.frames


def test_depth_counts_levels():
    assert [len(Picture(STAGES, depth=d).frames) for d in (0, 1, 2, 9)] == [0, 2, 4, 4]
    assert len(Picture(STAGES, depth=1).nodes) == 6
    assert len(Picture(STAGES, depth=2).nodes) == 8


def test_named_scopes_are_frames():
    shown = Picture(chain("for f in [4, 8] as group { conv(f, 1x1)\n conv(f, 3x3) }"))
    assert shown.frames == ["group1", "group2"]
    assert "group2.1" in shown.nodes
    assert "group1" in Picture(chain("for f in [4, 8] as group { conv(f, 1x1)\n conv(f, 3x3) }"), depth=0).nodes


def test_a_block_of_one_box_has_no_frame():
    unit = "block unit(f) { conv(f, 3x3, bias=false) -> batchnorm -> relu }\n"
    shown = Picture(unit + chain("unit(8) as first", "unit(4)"))
    assert not shown.frames
    assert shown.label("first.conv") == "first|conv 3x3, 8|batchnorm|relu"


def test_a_large_net_opens_each_block_once():
    unit = "block unit(f) {\n input x\n concat(conv(f, 1x1), conv(f, 3x3, 1, same), conv(f, 5x5, 1, same))\n}\n"
    shown = Picture(unit + chain(*(f"unit({n})" for n in range(4, 20))))
    assert shown.frames == ["unit(4)"]
    assert len(shown.nodes) == 2 + 4 + 15


# --- text ----------------------------------------------------------------------------------------------------------

HOSTILE = [
    '"; import os #',
    "<b>",
    "</TABLE>",
    "a\\",
    "\\N \\G",
    "&amp;",
    "input:x",
    "]",
    "-->",
    "a\tb",
    "\u202e",
    "{}",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_stay_text(name):
    net = checked(chain("flatten", "dense(4)", "dense(2)"))
    step = net.net.body.items[1].replace(name=name, given=True)
    items = (net.net.body.items[0], step, net.net.body.items[2])
    hostile = net.replace(net=net.net.replace(body=net.net.body.replace(items=items)))
    text = dot(hostile)
    pygraphviz = pytest.importorskip("pygraphviz")
    graph = pygraphviz.AGraph(string=text)
    assert len(graph.nodes()) == 5
    assert len(graph.edges()) == 4
    svg = picture.draw(text, "svg").decode()
    assert svg.count('class="node"') == 5
    assert "<b>" not in svg


def test_a_dot_string_ends_where_it_should():
    assert quoted('a"b\\') == '"a\\"b\\\\"'


@pytest.mark.parametrize(
    ("amount", "said"),
    [
        (0, "0"),
        (999, "999"),
        (1000, "1k"),
        (999_949, "1M"),
        (138_357_544, "138M"),
        (25_557_032, "25.6M"),
        (4 * 10**12, "4T"),
    ],
)
def test_amounts(amount, said):
    assert amount_text(amount) == said


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ("conv(8, 3, stride=2, groups=1, padding=1)", "conv 3x3, 8, /2"),
        ("conv(9, 3x5, stride=1x2, dilation=2, groups=3)", "conv 3x5, 9, /1x2, dilation 2, groups 3"),
        ("maxpool(2)", "maxpool 2x2"),
        ("maxpool(3, stride=1)", "maxpool 3x3, /1"),
        ("conv_transpose(4, 2x2, stride=2)", "conv_transpose 2x2, 4, stride 2"),
        ("dropout", "dropout 0.5"),
        ("batchnorm(epsilon=0.01)", "batchnorm"),
        ("local_response_norm(5, alpha=5e-4, k=2)", "local_response_norm"),
        ("x[::2, ..., [0, 2]]", "slice [::2, ..., [0, 2]]"),
        ("reshape(16, 48)", "reshape 16x48"),
        ("leaky_relu(0.2)", "leaky_relu slope 0.2"),
        ("lppool(2, 3x3)", "lppool 3x3, p 2"),
    ],
)
def test_captions(step, said):
    assert layer_text(checked(chain(step)).net.body.items[0]).replace(TIMES, "x") == said


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ("gru(4, initial=h)", "gru 4"),
        ("rnn(4, initial=h, mask=m, return=sequence)", "rnn 4, return sequence"),
        ("stack(2, lstm(4))", "stack 2, lstm(4)"),
        ("bidirectional(gru(4, initial=(h, h)))", "bidirectional gru(4)"),
    ],
)
def test_captions_of_recurrent_layers(step, said):
    """What flows in comes with an arrow; a caption has nothing to say of it."""
    text = over_time(f"x -> {step}", inputs="input x [T, 3]\n input h [4]\n input m [T] bool")
    assert layer_text(checked(text).net.body.items[0]) == said


def test_a_sum_among_sizes_is_in_brackets():
    shape = checked("net n { input x [T, S, 3]; conv(2, 3) }").net.body.output.shape
    assert shape_text(shape).replace(TIMES, "x") == "(T - 2) x (S - 2) x 2"
    assert shape_text(shape[:1]) == "T - 2"


def test_each_style_of_layer_has_its_colours():
    styles = {layer.style for layer in LAYERS.values()} | {"input", "output", "block"}
    for theme in THEMES.values():
        assert styles <= theme.paints.keys()


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("theme", THEMES)
def test_the_same_net_gives_the_same_text(direction, theme):
    first, second = (dot(checked(RESIDUAL), None, direction, theme) for _ in range(2))
    assert first == second
    assert f"rankdir={direction}" in first
    assert THEMES[theme].ground in first


def test_thousands_of_steps_in_a_row():
    shown = dot(checked(chain(*["conv(3, 1x1)"] * 5000)))
    assert shown.count(" -> ") == 5001


def test_thousands_of_turns_that_do_not_fold():
    text = dot(checked(chain("flatten", "h = []", "repeat 2000 { dense(2)\n h = h + [dense(2)] }", "concat(h)")), 0)
    assert text.count('-> "concat"') == 2000


# --- files ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("suffix", "start"), [("svg", b"<?xml"), ("png", b"\x89PNG\r\n\x1a\n"), ("pdf", b"%PDF-")])
def test_each_format_has_its_first_bytes(suffix, start):
    pytest.importorskip("pygraphviz")
    assert picture.draw(dot(checked(RESIDUAL)), suffix).startswith(start)


def test_an_svg_has_a_size_and_its_text():
    pytest.importorskip("pygraphviz")
    svg = picture.draw(dot(checked(RESIDUAL)), "svg").decode()
    width, height, box = re.search(r'<svg width="(\d+)pt" height="(\d+)pt"\s+viewBox="([^"]*)"', svg).groups()
    assert [float(n) for n in box.split()] == [0, 0, float(width), float(height)]
    assert ">softmax" in svg or "softmax<" in svg


def test_a_page_holds_the_picture_and_its_title():
    pytest.importorskip("pygraphviz")
    page = picture.draw(dot(checked(RESIDUAL), theme="dark"), "html").decode()
    assert page.startswith("<!DOCTYPE html>")
    assert "<title>tiny</title>" in page
    assert page.count("<svg") == 1
    assert "<?xml" not in page
    assert f"background: {THEMES['dark'].ground}" in page
    assert not re.search(r'(?:src|href)="http', page)


def test_the_error_without_graphviz_names_the_extra(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(picture.MissingGraphviz, match=r'pip install "netspec-lang\[draw\]"'):
        picture.draw("digraph { a -> b }", "png")


def test_a_graphviz_that_does_not_run_is_named(monkeypatch):
    monkeypatch.setattr(picture, "_CHILD", "raise ImportError('no libcgraph')")
    monkeypatch.setattr(shutil, "which", lambda name: None)
    pytest.importorskip("pygraphviz")
    with pytest.raises(picture.MissingGraphviz, match="no libcgraph"):
        picture.draw("digraph { a -> b }", "svg")


def test_a_dot_on_the_path_serves(monkeypatch, tmp_path):
    program = tmp_path / "dot"
    program.write_text('#!/bin/sh\ncat > /dev/null\necho "<svg>$1</svg>"\n')
    program.chmod(0o755)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setattr(shutil, "which", lambda name: str(program))
    assert picture.draw("digraph { a -> b }", "svg") == b"<svg>-Tsvg</svg>\n"


def test_a_picture_without_any_font_is_refused(monkeypatch):
    pytest.importorskip("pygraphviz")
    monkeypatch.delenv("FONTCONFIG_FILE", raising=False)
    for name, value in (("_FONT_FOLDERS", ()), ("_FONT_PACKAGE", "no_such_font"), ("_SYSTEM_SETTINGS", "/nonesuch")):
        monkeypatch.setattr(picture, name, value)
    with pytest.raises(picture.MissingGraphviz, match="no font"):
        picture.draw("digraph { a -> b }", "png")
    assert b"<svg" in picture.draw("digraph { a -> b }", "svg")


def test_a_folder_with_a_module_of_that_name_is_no_trap(monkeypatch, tmp_path):
    pytest.importorskip("pygraphviz")
    (tmp_path / "pygraphviz.py").write_text("raise SystemExit('trapped')")
    monkeypatch.chdir(tmp_path)
    assert b"<svg" in picture.draw("digraph { a -> b }", "svg")


# --- frozen parts ----------------------------------------------------------------------------------------------------

PARTS = """
block part(n) { dense(n) -> batchnorm -> relu -> dense(n) }
net whole {
  input x [6]
  part(5, frozen=true) as held
  part(4)
  dense(3, frozen=true) -> relu -> batchnorm(frozen=true)
  dense(3, frozen=true) -> batchnorm
  dense(2, l1=0.1, l2=0.2, init=zeros) as head
}
"""


def dashed(picture):
    return {str(n) for n in picture.graph.nodes() if "dashed" in str(n.attr["style"])}


def test_frozen_parts():
    """Dashed boxes whose words say what that means; what learns and what does not are not in one box."""
    picture = Picture(PARTS)
    assert dashed(picture) == {"held.dense1", "held.dense2", "dense1", "dense2"}
    assert "dashed boxes are frozen" in read(picture.graph.graph_attr["label"])
    assert picture.frames == ["held part(5) frozen", "part(4)"]
    labels = {str(n): read(n.attr["label"]) for n in picture.graph.nodes()}
    assert labels["held.dense1"] == "dense 5|batchnorm|relu"
    assert labels["dense1"] == "dense 3|relu|batchnorm|frozen"
    assert labels["dense2"] == "dense 3|frozen"
    assert labels["batchnorm2"] == "batchnorm"
    assert labels["head"] == "head|dense 2"  # how it learns is no part of the architecture
    closed = Picture(PARTS, depth=0)
    assert dashed(closed) == {"held", "dense1", "dense2"}
    assert read(closed.graph.get_node("held").attr["label"]) == "held part(5)|5, 75 params|frozen"
    assert dashed(Picture(PARTS.replace(", frozen=true", "").replace("(frozen=true)", ""))) == set()
    assert "frozen" not in dot(checked(RESIDUAL))


# --- recurrence ------------------------------------------------------------------------------------------------------

CELL = "cell unit(n) {\n input x\n state h [n]\n next h = tanh(dense(x, n) + dense(h, n))\n output next h\n}\n"


def over_time(*steps, inputs="input x [T, 4]"):
    return f"{CELL}net timed {{\n {inputs}\n " + "\n ".join(steps) + "\n}\n"


def seen(picture, start, style="solid"):
    """Where the edges of a box lead that are seen; those of the state handed on go with the arrow."""
    found = []
    for a, b in picture.graph.edges():
        attr = picture.graph.get_edge(a, b).attr
        ends = (b, a) if attr["dir"] == "back" else (a, b)
        if attr["style"] != "invis" and ends[0] == start:
            found.append(str(ends[1]))
    return sorted(found)


@pytest.mark.parametrize("step", ["lstm(3)", "bidirectional(gru(3))", "stack(2, rnn(3))"])
def test_a_recurrent_layer_shows_its_loop(step):
    shown = Picture(over_time(step, "dense(2)"))
    box = shown.nodes[1]
    assert shown.note(box, box) == "T steps"
    assert shown.edge(box, box)["style"] == "dashed"
    assert not [a for a, b in shown.graph.edges() if a == b == shown.find("dense")]


def test_a_closed_scan_shows_its_loop():
    shown = Picture(over_time("scan(unit(3))", inputs="input x [7, 4]"), depth=0)
    assert shown.note("unit", "unit") == "7 steps"


def test_steps_side_by_side():
    shown = Picture(over_time("lstm(3, return=sequence) as first", "dense(2)"), unroll=3)
    assert shown.label("first") == "first|lstm 3, return sequence|3 of T steps"
    assert seen(shown, "input:x") == ["first:x1", "first:x2", "first:x3"]
    assert seen(shown, "first:x2") == ["first:0.0.2"]
    assert seen(shown, "first:0.0.1") == ["first:0.0.2", "first:y1"]
    assert seen(shown, "first:0.0.3") == ["first:y3"]
    assert sorted(shown.into("dense")) == ["first:y1", "first:y2", "first:y3"]
    assert shown.text.count("rank=same") == 3
    assert "steps" not in shown.label("first:0.0.1")


def test_no_more_steps_than_there_are():
    shown = Picture(over_time("gru(3)", inputs="input x [2, 4]"), unroll=5)
    assert shown.label("gru") == "gru 3|2 steps"
    assert seen(shown, "gru:0.0.2") == ["gru:y"]
    assert "gru:x3" not in shown.nodes


def test_a_state_is_handed_back_where_time_is_read_from_its_end():
    shown = Picture(
        over_time(
            "h = lstm(3, reverse=true, return=state)\n output h[0]".replace("h = ", "h, c = ").replace("h[0]", "h, c")
        ),
        unroll=3,
    )
    assert seen(shown, "lstm:0.0.3") == ["lstm:0.0.2"]
    assert seen(shown, "lstm:0.0.1") == ["output:c", "output:h"]


def test_both_directions_and_several_layers():
    shown = Picture(over_time("bidirectional(gru(3))"), unroll=3)
    box = "bidirectional:"
    assert seen(shown, box + "x2") == [box + "0.0.2", box + "0.1.2"]
    assert seen(shown, box + "0.0.2") == [box + "0.0.3"]
    assert seen(shown, box + "0.1.2") == [box + "0.1.1"]
    assert sorted(a for a in shown.into(box + "y")) == [box + "0.0.3", box + "0.1.1"]
    deep = Picture(over_time("stack(2, lstm(3, return=sequence))"), unroll=2)
    assert seen(deep, "stack:0.0.1") == ["stack:0.0.2", "stack:1.0.1"]
    assert seen(deep, "stack:1.0.1") == ["stack:1.0.2", "stack:y1"]
    apart = Picture(over_time("p, q = bidirectional(gru(3, return=sequence), merge=none)\n output p, q"), unroll=2)
    assert len(apart.into("output:p")) == len(apart.into("output:q")) == 2


def test_a_decoder_begins_with_the_last_state_of_the_encoder():
    text = over_time(
        "h, c = a -> lstm(3, return=state)",
        "b -> lstm(3, initial=(h, c), mask=m)",
        inputs="input a [S, 4]\n input b [T, 4]\n input m [T] bool",
    )
    shown = Picture(text, unroll=3)
    assert seen(shown, "lstm1:0.0.3") == ["lstm2:0.0.1"]
    assert seen(shown, "input:m") == ["lstm2:x1", "lstm2:x2", "lstm2:x3"]


def test_steps_of_one_layer_lead_to_those_of_the_next():
    shown = Picture(over_time("rnn(3, return=sequence) -> scan(unit(2), reverse=true)"), unroll=2)
    assert seen(shown, "rnn:y1") == ["unit:x1"]
    assert seen(shown, "rnn:y2") == ["unit:x2"]
    assert shown.label("unit:0.0.1") == "unit"
    assert seen(shown, "unit:0.0.2") == ["unit:0.0.1"]


def test_frozen_steps_are_dashed():
    shown = Picture(over_time("lstm(3, frozen=true)", "dense(2)"), unroll=2)
    assert dashed(shown) == {"lstm:0.0.1", "lstm:0.0.2"}
    assert shown.frames == ["frozen"]


def test_what_is_read_for_its_length_alone_does_not_flow():
    """`each_step` makes a sequence as long as the one that came in; it takes nothing else of it."""
    shown = Picture(over_time("each_step(gru(4, return=sequence)) -> each_step(dense(3))", inputs="input x [T, S, 5]"))
    assert shown.into("sequence1") == ["gru"]
    assert shown.into("sequence2") == ["dense"]
    assert not [e for e in shown.graph.edges() if e.attr["color"] == THEMES["light"].skip]


def test_a_cell_that_is_opened_says_for_how_many_steps():
    assert Picture(over_time("scan(unit(3), reverse=true)")).frames == ["scan unit(3), reverse, T steps"]
    shown = Picture(over_time("bidirectional(scan(unit(3)))", inputs="input x [7, 4]"))
    assert shown.frames[1:] == ["forward scan unit(3), 7 steps", "backward scan unit(3), reverse, 7 steps"]


@pytest.mark.parametrize("depth", [None, 0, 2])
def test_layers_of_cells_are_unrolled(depth):
    text = over_time("stack(2, bidirectional(scan(unit(2))))", "dense(2)")
    shown = Picture(text, depth=depth, unroll=3)
    first, second = "stack.0.", "stack.1."
    assert seen(shown, "input:x") == [f"{first}{way}:x{t}" for way in ("backward", "forward") for t in (1, 2, 3)]
    assert seen(shown, first + "backward:0.0.3") == [first + "backward:0.0.2", first + "backward:y3"]
    assert len(shown.into(first + "sequence")) == 6
    assert sorted(shown.into(second + "last")) == [second + "backward:y", second + "forward:y"]
    assert "stack" in Picture(text, depth=0).nodes


def test_a_picture_has_an_end():
    text = over_time("gru(32, return=sequence)", "lstm(8)")
    with pytest.raises(ValueError, match="more than 10,000 boxes; unroll fewer steps than 100,000"):
        dot(checked(text), unroll=100_000)
    with pytest.raises(ValueError, match="unroll fewer steps than 9,999,999"):
        dot(checked(text), 0, unroll=9_999_999)
    short = checked(over_time("gru(2)", inputs="input x [6, 4]"))
    assert dot(short, unroll=100_000) == dot(short, unroll=6)


@pytest.mark.parametrize(
    ("depth", "said"), [(3, "open fewer levels of blocks than 3"), (0, "put what belongs together into blocks")]
)
def test_a_picture_of_many_layers_has_an_end(monkeypatch, depth, said):
    monkeypatch.setattr("netspec.diagram.dot._MOST", 100)
    dot(checked(chain(*["conv(3, 1x1)"] * 98)), depth)  # with the input and the output
    with pytest.raises(ValueError, match=f"more than 100 boxes; {said}"):
        dot(checked(chain(*["conv(3, 1x1)"] * 99)), depth)


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_steps_stand_in_the_order_of_time(direction):
    """Where Graphviz puts them, also beside a frame that hands its state on."""
    shown = Picture(
        over_time(
            "m, h, c = a -> lstm(3, return=(sequence, state))",
            "d = b -> lstm(3, return=sequence, initial=(h, c))",
            "concat(d, attention(d, m)) -> dense(2)",
            inputs="input a [S, 4]\n input b [T, 4]",
        ),
        unroll=4,
        direction=direction,
    )
    shown.graph.layout("dot")
    axis = 0 if direction == "TB" else 1
    for row in ("lstm1:x", "lstm1:0.0.", "lstm1:y", "lstm2:x", "lstm2:0.0.", "lstm2:y"):
        places = [float(shown.graph.get_node(f"{row}{t}").attr["pos"].split(",")[axis]) for t in (1, 2, 3, 4)]
        assert places == sorted(places, reverse=direction == "LR")
