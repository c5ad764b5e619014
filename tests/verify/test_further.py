"""Which values of arguments are tried, and what is made of the answers, without a framework that gives them."""

from __future__ import annotations

import numpy as np
import pytest
from checking import check

from netspec.layers.arguments import Word
from netspec.reference import Reference
from netspec.verify.blocks import block_trials
from netspec.verify.forms import FORMS
from netspec.verify.further import CodeArgument, arguments, further, literals
from netspec.verify.pool import Answer
from netspec.verify.settings import first, judged, trials
from netspec.verify.verdict import SettingResult

# --- arguments -------------------------------------------------------------------------------------------------------


def test_arguments_are_those_of_the_last_class():
    text = "class A:\n  def __init__(self, n, m=2): ...\n\nclass B:\n  def __init__(self, width=0.5, act=f, **k): ...\n"
    assert arguments(text) == (CodeArgument("width", 0.5, False),)
    assert arguments(text, "A") == (CodeArgument("n", None, True), CodeArgument("m", 2, False))


def test_arguments_of_a_function():
    assert arguments("def f(x, kernel=(3, 1)): ...\n") == (
        CodeArgument("x", None, True),
        CodeArgument("kernel", (3, 1), False),
    )


def test_a_class_is_made_by_its_init_wherever_that_stands():
    text = 'class A:\n  """A net."""\n\n  size = 3\n\n  def forward(self, x): ...\n\n  def __init__(self, n=2): ...\n'
    assert arguments(text, "A") == (CodeArgument("n", 2, False),)
    assert arguments("def a(x, n=2): ...\n" + text, "a") == (CodeArgument("x", None, True), CodeArgument("n", 2, False))


@pytest.mark.parametrize("text", ["", "n = 3\n", "class A:\n  def forward(self, x): ...\n"])
def test_what_takes_no_arguments(text):
    assert arguments(text) == ()
    assert arguments(text, "B") == ()


# --- values ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (16, [32, 8, 17, 15]),
        (1, [0.5, 1.4, 0.75, 2]),
        (0.5, [0.25, 0.7, 0.375, 1]),
        (True, [False]),
        ((2, 3), [(1.0, 3), (2.8, 3), (2, 6), (2, 1)]),
        (Word("same"), [Word("valid")]),
        (None, [1, 2, 3]),
    ],
)
def test_further_values(value, expected):
    assert list(further(value))[: len(expected)] == expected


@pytest.mark.parametrize("value", [1, 2, 3, 8, 16, 64])
def test_whole_numbers(value):
    """What is near the double and the half, odd and even, and what is small. 0 is last: no layer has 0 units."""
    found = list(further(value, [1]))
    counts = [n for n in found if type(n) is int]
    assert counts[-1] == 0
    assert min(counts) == 0
    assert value not in found
    assert len(found) == len(set(zip(map(type, found), found)))
    around = {1, 2, 3, 2 * value, 2 * value + 1, value + 1, value - 1, value // 2, value // 2 + 1}
    assert around - {0, value} <= set(counts)
    assert {value * 0.5, value * 1.4} <= {n for n in found if type(n) is float}


def test_further_values_are_on_both_sides_of_literals():
    found = list(further(64, [24]))
    assert {23, 24, 25} <= set(found)
    assert 64 not in found


def test_an_element_of_a_list_at_a_time_and_lists_of_other_lengths():
    found = list(further((8, 8)))
    assert {(16, 8), (4, 8), (8, 16), (8, 4), (16, 16), (8,), (8, 8, 8)} == set(found)


def test_true_is_not_one():
    assert list(further(1.0))[3:] == [1, 2, 0.1]
    assert [type(n) for n in further(False)] == [bool]


def test_literals_of_a_net():
    net = check("net a(w=9) { input x [4]; dense(max(w, 32)) -> dense(5) }")
    assert literals(net.net.body.definition) == [9, 4, 32, 5]


# --- what is tried ---------------------------------------------------------------------------------------------------

NET = """
block unit(filters, slope=0.1) {
  input x [h, w, c]
  x -> conv(filters, 3x3, padding=1) -> leaky_relu(slope)
}
block both(units) { input a [n]; input b [m]; dense(a, units) + dense(b, units) }
net small(width=8, lambda=3) {
  input x [6, 6, 2]
  unit(width) -> unit(2*width, 0.2) -> global_avgpool as end
  both(end, dense(end, 5), lambda)
}
"""


def tried(text, form, blocks, most=2, alter=lambda text: text):
    net, way = check(text), FORMS[form]
    assert net.ok
    target = way.write(net)
    altered = target.replace(text=alter(target.text))
    return list(block_trials(net, altered, way, most) if blocks else trials(net, altered, way.write, most))


def told(found):
    """The values that are tried, by class or function and argument."""
    values: dict[tuple[str, str], list] = {}
    for one in found:
        values.setdefault((one.owner.lower(), one.argument), []).append(one.value)
    return values


@pytest.mark.parametrize("form", ["module", "functional", "subclass"])
def test_each_argument_of_a_net_takes_further_values(form):
    found = tried(NET, form, False)
    assert told(found) == {("small", "width"): [16, 4], ("small", "lambda_"): [6, 1]}
    assert [t.net.totals.params for t in found] == [params(16, 3), params(4, 3), params(8, 6), params(8, 1)]


def params(width, units):
    """Two convolutions, one twice as wide; a dense layer of 5 units, and one beside each of its ends."""
    convolutions = 9 * 2 * width + width + 9 * width * 2 * width + 2 * width
    return convolutions + (2 * width + 1) * 5 + (2 * width + 1) * units + (5 + 1) * units


@pytest.mark.parametrize("form", ["module", "functional", "subclass"])
def test_each_argument_of_a_block_takes_further_values(form):
    found = tried(NET, form, True)
    channels = {("unit", "in_channels"): [4, 1], ("both", "a_features"): [32, 8]} if form == "module" else {}
    arguments = {("unit", "filters"): [16, 4], ("unit", "slope"): [0.05, 0.1 * 1.4], ("both", "units"): [6, 1]}
    assert told(found) == arguments | channels
    # the net around a block holds the block alone, at the smallest shapes that it has in the net
    weights = {("unit", 16): 9 * 2 * 16 + 16, ("unit", 4): 9 * 2 * 4 + 4, ("both", 6): 17 * 6 + 6 * 6, ("both", 1): 23}
    counts = {(t.owner.lower(), t.value): t.net.totals.params for t in found if t.argument in ("filters", "units")}
    assert counts == weights
    inputs = {
        t.value: t.net.net.body.inputs[0].value.shape for t in found if t.argument in ("in_channels", "a_features")
    }
    assert inputs == ({4: (6, 6, 4), 1: (6, 6, 1), 32: (32,), 8: (8,)} if form == "module" else {})


def test_arguments_that_are_one_number_move_together():
    text = """
block around(filters) { input x [h, w, c]; x + conv(filters, 3x3, padding=1) }
net a { input x [5, 5, 4]; around(4) -> conv(6, 1x1) -> around(6) -> flatten -> dense(2) }
"""
    assert told(tried(text, "functional", True)) == {
        ("around", "filters"): [1],  # a single channel is added to all of them
        ("around", "filters, channels of x"): [8, 2],
    }


def test_an_argument_that_is_no_setting():
    found = tried(NET, "module", False, alter=lambda text: text.replace("lambda_=3):", "lambda_=3, depth=2):"))
    assert [(f.argument, f.wrong) for f in found if isinstance(f, SettingResult)] == [
        ("depth", "the net has no such setting")
    ]
    found = tried(NET, "module", True, alter=lambda text: text.replace("filters, slope", "filters, depth, slope"))
    wrong = [(f.owner, f.argument, f.wrong) for f in found if isinstance(f, SettingResult)]
    assert wrong == [("Unit", "depth", "no instance has a value for it")]


def test_so_many_values_of_each_argument():
    assert [len(values) for values in told(tried(NET, "module", False, 5)).values()] == [5, 5]
    assert list(first(iter(["a", None, "b", "c"]), 2)) == ["a", "b"]
    assert list(first(iter(["a", None]), 2)) == ["a"]


# --- what becomes of it ----------------------------------------------------------------------------------------------

PLAIN = "net a(n=3) { input x [4]; dense(n) }"
LARGE = "net a(n=3) { input x [40_000]; dense(300) -> dense(n) }"


class Played:
    """A pool whose framework is right, but for what `spoil` does to an answer."""

    def __init__(self, trial, spoil):
        self.trial, self.spoil, self.jobs = trial, spoil, []

    def start(self, job):
        return ""

    def answer(self, job, place):
        self.jobs.append(job)
        spelling = job.target.spelling
        shape = (len(job.batches[0][0]), self.trial.value)
        wanted = (np.zeros(shape),) if job.structure else Reference(self.trial.net, job.weights).listed(*job.batches[0])
        learned = dict.fromkeys(spelling.shapes, True)
        return self.spoil(Answer("", "", spelling.shapes, learned, (tuple(wanted),), {}))


def found(text, spoil=lambda answer: answer, form="module", argument="n"):
    """What is found of the first value that is tried, and the jobs that the framework was given."""
    trial = next(t for t in tried(text, form, False) if t.argument == argument)
    pool = Played(trial, spoil)
    return judged(trial, pool), pool.jobs


@pytest.mark.parametrize(("text", "whole"), [(PLAIN, True), (LARGE, False)])
def test_what_is_right_is_said_to_be(text, whole):
    finding, (job,) = found(text)
    assert (finding.wrong, finding.refused, finding.whole, finding.value) == ("", "", whole, 6)
    assert str(finding) == "PyTorch: A(n=6): agrees"
    assert job.structure is not whole
    assert job.loose


def answers(**changes):
    return lambda answer: answer.replace(**changes)


def shapes(**changes):
    """Other shapes of some arrays; of those that are None there are none."""
    altered = {name.replace("__", "."): shape for name, shape in changes.items()}
    kept = lambda held: {n: s for n, s in ({**held, **altered}).items() if s is not None}  # noqa: E731
    return lambda answer: answer.replace(shapes=kept(answer.shapes))


SPOILT = [
    (PLAIN, answers(error="TypeError: no", kind="TypeError"), "TypeError: no"),
    (
        PLAIN,
        lambda answer: answer.replace(outputs=((answer.outputs[0][0] * 1.001,),)),
        "its outputs and those of the ref",
    ),
    (PLAIN, answers(outputs=((np.zeros((2, 5)),),)), "it gives [5], the net [6]"),
    (PLAIN, answers(outputs=((np.zeros((2, 6)), np.zeros((2, 6))),)), "it gives [6], [6], the net [6]"),
    (
        PLAIN,
        shapes(dense__weight=(6, 5)),
        "it holds 36 numbers, the net 30; `dense.weight` is [6, 5], in the net [6, 4]",
    ),
    (PLAIN, shapes(dense__weight=(4, 6)), "`dense.weight` is [4, 6], in the net [6, 4]"),
    (PLAIN, shapes(dense__bias=None), "it holds 24 numbers, the net 30; only the net has `dense.bias`"),
    (PLAIN, shapes(more=(2, 2)), "it holds 34 numbers, the net 30; only it has `more`"),
    (
        PLAIN,
        answers(trainable={"dense.weight": True, "dense.bias": False}),
        "trains 24 parameters of `dense`, the checker",
    ),
    (LARGE, answers(outputs=((np.zeros((2, 5)),),)), "it gives [5], the net [6]"),
    (LARGE, answers(outputs=((np.zeros((2, 1, 6)),),)), "it gives [1, 6], the net [6]"),
    (LARGE, answers(outputs=((np.zeros((2, 0)),),)), ""),  # a size that is not known
]


@pytest.mark.parametrize(("text", "spoil", "words"), SPOILT)
def test_what_is_wrong_is_told(text, spoil, words):
    finding, _ = found(text, spoil)
    assert finding.wrong[: len(words) or None] == words
    assert not finding.refused


def test_what_the_code_refuses_is_not_wrong():
    finding, _ = found(PLAIN, answers(error="n is at most 4", kind="Refused", shapes={}))
    assert (finding.wrong, finding.refused) == ("", "n is at most 4")


def test_what_a_framework_cannot_do_in_float64_is_done_in_float32():
    def spoil(answer):
        tries.append(answer)
        return answer if len(tries) > 1 else answer.replace(error="RuntimeError: not for double", kind="RuntimeError")

    tries: list[Answer] = []
    finding, jobs = found(PLAIN, spoil)
    assert not finding.wrong
    assert [job.dtype for job in jobs] == ["float64", "float32"]
    assert all(job.weights["dense.kernel"].shape == (4, 6) for job in jobs)


def test_no_framework_is_no_finding():
    with pytest.raises(ModuleNotFoundError):
        found(PLAIN, answers(error="no torch", kind="MissingFramework"))
