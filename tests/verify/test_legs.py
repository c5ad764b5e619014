"""The other runtimes of `netspec verify`: each agrees on what is right, and is told from one that does not."""

from __future__ import annotations

import pytest
from checking import check

from netspec.runtime.torch_runtimes import RUNTIMES
from netspec.verify.legs import LEGS, other_style, varying
from netspec.verify.pool import WorkerPool
from netspec.verify.verdict import pairs
from netspec.verify.verify import Options, verify
from netspec.weights.targets import TARGETS

SMALL = """
block unit(n) { conv(n, 3x3, padding=same, bias=false) -> batchnorm -> relu }
net small {
  input x [H, 6, 3]
  unit(4) -> unit(5)
  add(identity, conv(5, 1x1))
  global_avgpool -> dense(7) as head
}
"""
STEPS = "net steps { input x [T, 3]; input y [2*T, 3]; concat(x, y, axis=0) -> conv(4, 3) -> relu -> dense(2) }"


@pytest.fixture(scope="module")
def pool():
    with WorkerPool() as made:
        yield made


def test_all_legs_agree(pool):
    """One report on all: outputs at two sizes and two batches, layers, gradients of those that learn."""
    legs = tuple(name for name in LEGS if name != "compile")
    found = verify(check(SMALL), pool, Options(legs))
    assert found.ok, found.problems
    assert found.outputs.keys() == {(leg, "reference") for leg in legs}
    assert 0 < found.worst < 1e-5
    assert 0 < found.gradients.error < 1e-5
    assert len(found.sizes) == 2
    assert set(found.lines[0].shapes) == {"checker", *legs, "reference"}


def test_one_graph(pool):
    """It is compiled for one size and for others."""
    found = verify(check(SMALL), pool, Options(("torch", "compile"), settings=0))
    assert found.ok, found.problems
    assert found.gradients.error < 1e-10


def test_what_refuses_a_recurrence_is_told_of_the_style_that_it_takes():
    steps = check("net steps { input x [T, 3]; lstm(4) }")
    usual, styled = (TARGETS["torch"](steps, style) for style in ("module", "export"))
    for leg in ("export", "onnxruntime", "compile"):
        assert other_style(leg, steps, usual, {}) == " (try --style export)"
        assert not other_style(leg, steps, styled, {"torch": "export"})
    assert not other_style("torch", steps, usual, {})
    plain = check(STEPS)  # which has no loop to write otherwise
    assert not other_style("export", plain, TARGETS["torch"](plain, "module"), {})


@pytest.mark.parametrize("leg", ["export", "onnxruntime"])
def test_sizes_stay_open(pool, leg):
    """What was exported at one size runs at others, also where one is worked out of another."""
    for text in (SMALL, STEPS):
        found = verify(check(text), pool, Options((leg,), settings=0))
        assert found.ok, found.problems
    assert varying(check(STEPS), None) == [["batch", "T", ""], ["batch", "2*T", ""]]


@pytest.mark.parametrize("leg", [name for name, leg in LEGS.items() if not leg.plain])
def test_a_leg_that_differs_is_named(pool, leg, monkeypatch):
    """The code says another slope than the net."""
    write = TARGETS[LEGS[leg].code]

    def spoilt(net, *_style):
        target = write(net)
        assert "0.2" in target.text
        return target.replace(text=target.text.replace("0.2", "0.3"))

    monkeypatch.setitem(TARGETS, LEGS[leg].code, spoilt)
    net = check("net a { input x [4, 6]; dense(5) -> leaky_relu(0.2) -> dense(3) }")
    found = verify(net, pool, Options((leg,), settings=0))
    assert not found.ok
    assert any(f"the outputs of {LEGS[leg].title} and reference differ" in problem for problem in found.problems)
    assert any("`leaky_relu` (leaky_relu) is the first layer that differs" in problem for problem in found.problems)


def test_every_leg_has_a_runtime():
    assert {name for name, leg in LEGS.items() if leg.code == "torch" and not leg.plain} == RUNTIMES.keys()
    assert {leg.code for leg in LEGS.values()} == {name for name, leg in LEGS.items() if leg.plain}


def test_many_are_held_against_the_last():
    assert pairs("abc") == [("a", "b"), ("a", "c"), ("b", "c")]
    assert pairs("abcd") == [("a", "d"), ("b", "d"), ("c", "d")]
