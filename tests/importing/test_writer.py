"""From a graph to a spec: as short as a person would write it, with the model's names, and the same net."""

from __future__ import annotations

import pytest
import torch_graphs
from torch_graphs import B, L

import netspec
from netspec.base.diagnostics import Collector
from netspec.base.source import Source
from netspec.importing import proving
from netspec.importing.graph import ImportedStep, ValueRef
from netspec.importing.levels import has_weights
from netspec.importing.writer import write_spec
from netspec.ir.paths import steps_of
from netspec.layers.arguments import Word
from netspec.syntax.printer import format_source

# lines, parameters, MACs
NETWORKS = {
    "resnet": (40, 25_557_032, 4_089_184_256),
    "vgg": (25, 138_357_544, 15_470_264_320),
    "mobile": (45, 3_504_872, 300_774_272),
    "googlenet": (70, 6_624_904, 1_498_376_192),
    "densenet": (45, 7_978_856, 2_834_161_664),
    "vit": (45, 86_567_656, None),
    "bert": (55, 109_482_240, None),
    "bilstm": (15, 1_129_250, None),
}


def recovered(model):
    """The net of the spec that is written, which must be whole and as `fmt` leaves it."""
    written = write_spec(model)
    assert not written.faults
    net = netspec.parse(written.text)
    assert not net.checked.diagnostics
    assert format_source(Source("", written.text), Collector()) == written.text
    return net


@pytest.mark.parametrize("name", NETWORKS)
def test_is_short_and_the_same(name):
    model = getattr(torch_graphs, name)()
    lines, parameters, macs = NETWORKS[name]
    net = recovered(model)
    assert net.text.count("\n") <= lines, net.text
    totals = net.checked.totals
    assert totals.params == parameters
    assert macs is None or totals.macs == macs
    wanted = {".".join(n.name for n in s.path) for s in model.steps if has_weights(s) and s.kind != "weight"}
    paths = {path for path, step in steps_of(net.checked.net.body) if step.weights}
    assert wanted <= paths


def small(*steps, count=3):
    """A chain of steps `(kind, path, arguments)` on eight numbers."""
    b = B()
    x = b.g.port("x", (8,), "float32")
    for kind, path, args in steps:
        x = b(kind, x, path, **args)
    return b, x


def test_a_gap_in_numbers_stays():
    head = L("head", "Sequential")
    b, x = small(("dense", [head, L("0", "Linear")], {"units": 4}), ("relu", [head, L("1", "ReLU")], {}))
    x = b("dense", x, [head, L("4", "Linear")], units=3)
    net = recovered(b.model("Gap", [x]))
    assert {path for path, step in steps_of(net.checked.net.body) if step.weights} == {"head.0", "head.4"}


def test_what_is_called_twice_is_one_layer():
    b = B()
    x, y = (b.g.port(name, (8,), "float32") for name in ("left", "right"))
    a, c = (b("dense", v, [L("enc", "Enc"), L("fc", "Linear")], units=4) for v in (x, y))
    d = b("sub", (a, c), [])
    net = recovered(b.model("Twin", [d]))
    assert net.report().totals.params == 36


def test_modules_that_are_called_twice_are_one_block():
    b = B()
    x, y = (b.g.port(name, (8,), "float32") for name in ("left", "right"))
    found = []
    for v in (x, y):
        path = [L("enc", "Encoder")]
        h = b("dense", v, [*path, L("a", "Linear")], units=6)
        found.append(b("dense", b("relu", h, path), [*path, L("b", "Linear")], units=5))
    net = recovered(b.model("Twins", [b("*", tuple(found), [])]))
    assert "layer enc = encoder" in net.text
    assert net.report().totals.params == 8 * 6 + 6 + 6 * 5 + 5


def test_states_and_parts_have_names():
    b = B()
    x = b.g.port("series", (7, 8), "float32")
    y, h, c = b("lstm", x, [L("one", "LSTM")], units=4, **{"return": (Word("sequence"), Word("state"))})
    z = b("lstm", y, [L("two", "LSTM")], units=4, initial=(ValueRef(h), ValueRef(c)))
    p, q = b("split", z, [], parts=2)
    s = b("slice", y, [], **{"": (0, slice(0, 2, None))})
    net = recovered(b.model("States", [b("+", (p, q), []), s]))
    assert [o.shape for o in net.outputs] == [(2,), (2,)]


def test_an_unknown_step_is_pointed_at_and_may_be_written():
    b, x = small(("dense", [L("fc", "Linear")], {"units": 4}))
    (y,) = b.g.unknown("FancyGate: it is code of its own", (x,), [(4,)])
    z = b("dense", y, [L("out", "Linear")], units=2)
    written = write_spec(b.model("Odd", [z]))
    assert written.faults == ("fc: FancyGate: it is code of its own",)
    with pytest.raises(netspec.SpecError) as caught:
        netspec.parse(written.text)
    assert [(d.code, d.primary.span.text) for d in caught.value.diagnostics] == [("unknown-name", "fancy_gate")]
    assert netspec.parse("block fancy_gate { relu }\n" + written.text).outputs[0].shape == (2,)


@pytest.mark.parametrize("name", ["output", "conv", "in", "a b", "0", "class_token", "ü", "x" * 300])
def test_odd_names_do_no_harm(name):
    b, x = small(("dense", [L(name, "Linear")], {"units": 4}), ("relu", [], {}))
    y = b("dense", x, [L("other", "Linear")], units=4)
    net = recovered(b.model(name, [b("+", (x, y), [])]))
    assert net.report().totals.params == 36 + 20


def test_two_texts_that_differ_are_told_apart():
    """The proof sees an argument, a name, an order, a missing step and another wire."""
    base = "net a { input x [8]; dense(4) as p -> relu; dense(3) as q }"
    others = (
        "net a { input x [8]; dense(5) as p -> relu; dense(3) as q }",
        "net a { input x [8]; dense(4) as q -> relu; dense(3) as p }",
        "net a { input x [8]; dense(4) as p; dense(3) as q }",
        "net a { input x [8]; dense(4) as p -> relu; dense(3) as q -> relu }",
        "net a { input x [8]; dense(4) as p -> relu; dense(3, frozen=true) as q }",
    )
    paths = {"p": "p", "q": "q"}

    def found(text, known):
        trace = proving.trace(proving.tried(text).net, known, paths)
        return trace.steps, [number for _, number in trace.outputs]

    for other in others:
        known = {}
        assert found(base, known) != found(other, known)
    known = {}
    blocks = "block b { dense(4) as p }\nnet a { input x [8]; { dense(4) as p }; relu -> { dense(3) as q } }"
    assert found(base, known) == found(blocks, known)


def test_a_step_holds_what_is_said_of_it():
    step = ImportedStep("dense", (("units", 4),), (0,), (1,), (L("fc", "Linear"),))
    assert has_weights(step)
    assert not has_weights(step.replace(kind="relu", args=()))


def test_weights_of_blocks_have_the_paths_of_the_model():
    b = B()
    x = b.g.port("x", (5, 8), "float32")
    for number in range(3):
        path = [L("blocks", "Sequential"), L(str(number), "Scaled")]
        y = b("dense", x, [*path, L("fc", "Linear")], units=8)
        gamma = b.weight([*path, L("ls", "LayerScale")], "gamma", (8,))
        x = b("+", (x, b("*", (y, gamma), [*path, L("ls", "LayerScale")])), path)
    net = recovered(b.model("Net", [x]))
    wanted = {f"blocks.{n}.{part}" for n in range(3) for part in ("fc", "ls.gamma")}
    assert {path for path, step in steps_of(net.checked.net.body) if step.weights} == wanted
    assert "repeat 3 { scaled }" in net.text
