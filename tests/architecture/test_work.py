"""What is found once is found no second time: counted in calls, since nothing else would tell."""

from __future__ import annotations

from collections import Counter

import pytest
from checking import check, check_spec, keras_code, torch_code

from netspec.analysis import cost, rows
from netspec.base.bounds import TooLarge
from netspec.codegen.lowering.layout import TorchLowering
from netspec.codegen.outline import terms
from netspec.elaborate import apply
from netspec.elaborate.session import Session
from netspec.layers.arguments import Word

BLOCKS = """
block unit(width) {{ input x [n]; add(x, dense(width) -> relu -> dense(n)) }}
net deep {{ input x [8]; repeat {turns} {{ unit(4) }} }}
"""
LOOP = "net flat {{ input x [8]; repeat {turns} {{ dense(8) -> dropout(0.5) -> relu }} }}"


def counted(monkeypatch, place, name):
    """How often a function is called, in a list of one number."""
    right, calls = getattr(place, name), [0]

    def count(*words, **named):
        calls[0] += 1
        return right(*words, **named)

    monkeypatch.setattr(place, name, count)
    return calls


def test_rows_are_made_for_whoever_asks(monkeypatch):
    calls = counted(monkeypatch, rows, "CostRow")
    net = check(BLOCKS.format(turns=3))
    assert torch_code(net)
    assert keras_code(net)
    assert calls == [0]
    assert len(net.rows) == 3 * 5
    assert net.rows is net.rows
    assert calls == [15]


def test_symbolic_sums_are_worked_out_by_the_check(monkeypatch):
    """They may be too large, which a check has to say."""
    calls = counted(monkeypatch, rows, "CostRow")
    check("net open { input x [T, 8]; dense(8) -> relu }")
    assert calls == [2]


def test_rows_that_end_at_what_is_too_large_stand_there_once(monkeypatch):
    step, calls = rows.RowWalk._step, [0]

    def third_is_too_large(walk, item, at):
        calls[0] += 1
        if calls[0] == 3:
            raise TooLarge("too many terms")
        step(walk, item, at)

    monkeypatch.setattr(rows.RowWalk, "_step", third_is_too_large)
    net = check("net open { input x [T, 8]; dense(8); relu; dense(4); relu }")
    assert [diagnostic.code for diagnostic in net.diagnostics] == ["too-large"]
    assert [row.path for row in net.rows] == [row.path for row in net.rows] == ["dense1", "relu1"]


@pytest.mark.parametrize(("place", "name"), [(cost, "known_of"), (cost.Costs, "layer"), (apply, "deep")])
def test_a_turn_more_costs_nothing(place, name, monkeypatch):
    """Neither the figures of a block's layers, nor what a call in a loop means."""
    calls = counted(monkeypatch, place, name)
    found = []
    for turns in (5, 50):
        calls[0] = 0
        check((LOOP if name == "deep" else BLOCKS).format(turns=turns))
        found.append(calls[0])
    assert found[0] == found[1] > 0


def test_the_form_of_a_layer_is_found_once_where_it_stands_alike(monkeypatch):
    right, seen = TorchLowering.use, Counter()

    def use(self, step, at):
        seen[id(self), id(step.layer), at, step.frozen] += 1
        return right(self, step, at)

    monkeypatch.setattr(TorchLowering, "use", use)
    torch_code(check_spec("resnet50"))
    assert set(seen.values()) == {1}
    assert len(seen) < 500


def test_a_witness_ends_at_its_first_error(monkeypatch):
    right, errors = Session.report, Counter()

    def report(self, error):
        errors[id(self)] += self.ends_early
        sessions.append(self)  # so that no other gets its id
        return right(self, error)

    sessions: list[Session] = []
    net = check_spec("nasnet_a_mobile")
    monkeypatch.setattr(Session, "report", report)
    torch_code(net)
    assert set(errors.values()) == {1}


def column(*values):
    return terms.Term("a", values, frozenset("a"))


def test_equal_rows_are_worked_out_once(monkeypatch):
    calls = counted(monkeypatch, terms, "apply_operator")
    words = column(*map(Word, ("same", "valid", "same", "full") * 100))
    listed = terms.constant((Word("same"), Word("full")), 400)
    found = terms.pair("in", words, listed)
    assert found.values == (True, False, True, True) * 100
    assert calls == [3]
    assert terms.pair("+", column(*range(9), *range(9)), column(*range(18))).values[9:12] == (9, 11, 13)


def test_rows_that_python_calls_equal_are_told_apart():
    """1 is neither true nor 1.0."""
    ones = column(1, True, 1.0, 1, True)
    assert terms.pair("==", ones, terms.constant(1, 5)).values == (True, False, True, True, False)
    assert [type(v) for v in terms.pair("*", column(1, 1.0, 1), column(3, 3, 3)).values] == [int, float, int]
