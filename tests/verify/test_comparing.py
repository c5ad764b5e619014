"""What `verify` makes of the answers of frameworks: each kind of fault is told, without a framework that makes it.

The frameworks are played by NumPy: their answers are right until a fault is planted.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from checking import check

import netspec
from netspec.cli import main
from netspec.reference import Reference
from netspec.verify.calm import calmer, saturated
from netspec.verify.expose import expose
from netspec.verify.pool import Answer
from netspec.verify.replay import own_errors
from netspec.verify.verify import Options, verify
from netspec.weights.samples import random_inputs, random_weights
from netspec.weights.targets import TARGETS

NET = """
block unit(n) { dense(n) -> relu }
net small {
  input x [6]
  unit(6) as first
  dense(6, frozen=true) as held
  dense(6) as free
  batchnorm
  dense(4) as head
}
"""


class Played:
    """A pool whose frameworks are right, but for what `spoil` does to an answer.

    It is called with the framework, whether the model shows all layers, the job and the answer, which it may replace.
    """

    def __init__(self, net, spoil=lambda framework, shown, job, answer: answer):
        self.spoil = spoil
        whole = {False: net, True: expose(net)[0]}
        self.known = {make(n).text: (shown, n) for shown, n in whole.items() for make in TARGETS.values()}

    def start(self, job):
        return ""

    def answer(self, job, place):
        shown, net = self.known[job.target.text]
        reference = Reference(net, job.weights)
        outputs = [tuple(_as(y, job.dtype) for y in reference.listed(*batch)) for batch in job.batches]
        flags = _trainable(net, job.target.spelling)
        gradients = {}
        if job.directions:
            arrays = {path: np.cos(np.arange(w.size)).reshape(w.shape) for path, w in job.weights.items()}
            gradients = {n: a for n, a in job.target.spelling.put(arrays).items() if flags[n]}
        answer = Answer("", "", job.target.spelling.shapes, flags, tuple(outputs), gradients)
        return self.spoil(job.target.framework, shown, job, answer)


def _as(array, dtype):
    return array.astype(dtype) if array.dtype.kind == "f" else array


def _trainable(net, spelling):
    frozen = {row.path for row in net.layers if row.node.frozen}
    return {held.key: held.weight.role != "statistic" and held.layer not in frozen for held in spelling.held}


def verified(text, spoil=lambda framework, shown, job, answer: answer, **options):
    net = check(text)
    assert net.ok
    return verify(net, Played(net, spoil), Options(**options))


def test_what_is_right_is_said_to_be():
    found = verified(NET)
    assert found.ok, found.problems
    assert found.worst < 1e-6
    assert found.gradients.error == 0


# --- outputs ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("batch", "row"), [(0, 0), (0, 1), (0, 2), (1, 0)])
@pytest.mark.parametrize("place", [0, 3])
@pytest.mark.parametrize("framework", ["torch", "keras"])
def test_a_single_wrong_number(framework, batch, row, place):
    """In one sample of one batch, in one number of the output."""

    def spoil(which, shown, job, answer):
        if which != framework or shown or len(job.batches) == 1:
            return answer
        outputs = [tuple(a.copy() for a in arrays) for arrays in answer.outputs]
        outputs[batch][0][row, place] += 0.01 * abs(outputs[batch][0]).max()
        return answer.replace(outputs=tuple(outputs))

    found = verified(NET, spoil)
    assert len([p for p in found.problems if "the outputs of" in p]) == 2
    assert found.problems[-1] == "each layer agrees by itself, so it is the code between them that differs"
    assert {pair for pair, error in found.outputs.items() if error > 1e-3} == {
        pair for pair in found.outputs if framework in pair
    }


@pytest.mark.parametrize("scale", ["1e-12", "1e12"])
def test_outputs_of_any_size(scale):
    """A part in a hundred is wrong, however small the numbers are: differences are held against what there is."""

    def spoil(which, shown, job, answer):
        if which == "keras" and not shown:
            return answer.replace(outputs=tuple(tuple(a * 1.01 for a in arrays) for arrays in answer.outputs))
        return answer

    text = NET.replace("as head", f"as head\n  {scale} * identity")
    assert verified(text).ok
    found = verified(text, spoil)
    assert not found.ok
    assert found.worst == pytest.approx(0.01 / 1.01, rel=0.01)


def test_a_small_output_beside_a_large_one():
    text = "net two { input x [5]\n output small = x -> dense(3) -> mul(1e-9), large = 1e9 * (x -> dense(3)) }"
    text = text.replace("dense(3) -> mul(1e-9)", "{ dense(3)\n 1e-9 * identity }")

    def spoil(which, shown, job, answer):
        if which == "torch" and not shown:
            return answer.replace(outputs=tuple((small * 1.01, large) for small, large in answer.outputs))
        return answer

    assert verified(text).ok
    assert not verified(text, spoil).ok


@pytest.mark.parametrize("odd", [np.nan, np.inf])
def test_numbers_that_are_none(odd):
    def spoil(which, shown, job, answer):
        if which == "torch" and not shown and len(job.batches) > 1:
            outputs = [tuple(a.copy() for a in arrays) for arrays in answer.outputs]
            outputs[1][0][0, 0] = odd
            return answer.replace(outputs=tuple(outputs))
        return answer

    assert verified(NET, spoil).worst == float("inf")


def test_an_answer_that_is_an_error():
    def spoil(which, shown, job, answer):
        return answer.replace(error="ValueError: no", kind="Exception") if which == "keras" and not shown else answer

    assert "Keras: ValueError: no" in verified(NET, spoil).problems


# --- layers ----------------------------------------------------------------------------------------------------------


def wrong_layer(path, by=1.01, dtypes=("float32", "float64"), net=NET):
    """In PyTorch a layer gives other numbers, and all behind it what follows from these."""

    def spoil(which, shown, job, answer):
        if which != "torch" or job.dtype not in dtypes:
            return answer
        wrong = _Wrong(expose(check(net))[0], job.weights, path, by)
        runs = [wrong.listed(*inputs) for inputs in job.batches]
        outputs = (arrays if shown else arrays[:1] for arrays in runs)
        return answer.replace(outputs=tuple(tuple(_as(a, job.dtype) for a in arrays) for arrays in outputs))

    return spoil


class _Wrong(Reference):
    """A reference in which one layer gives other numbers."""

    def __init__(self, net, weights, path, by):
        super().__init__(net, weights)
        self.path, self.by = path, by

    def _step(self, step, path, held):
        results = super()._step(step, path, held)
        return tuple(y * self.by for y in results) if path == self.path else results


@pytest.mark.parametrize("path", ["first.dense", "held", "batchnorm", "head"])
def test_the_wrong_layer_is_named(path):
    found = verified(NET, wrong_layer(path))
    assert found.problems[-1].startswith(f"`{path}` (")
    assert "is the first layer that differs: PyTorch and " in found.problems[-1]
    assert "edge" not in found.problems[-1]


def test_a_layer_that_is_a_little_wrong_is_named_by_what_it_does_itself():
    """It is below what rounding may come to, and only what is behind it makes much of it."""
    net = "net n { input x [6]\n dense(6) as first\n dense(6) as second\n sin(1000 * identity) as steep\n dense(3) }"
    found = verified(net, wrong_layer("second", 1 + 2e-5, net=net))
    assert found.problems[-1].startswith("`second` (dense) is the first layer that differs: PyTorch and ")


def test_an_edge_is_told_from_a_wrong_layer():
    """Each framework is right for what comes in, which differs by rounding at a place where a floor jumps."""
    net = "net n { input x [6]\n 0 * identity\n shift(2.9999999) as near\n floor as jump\n dense(3) }"
    found = verified(net, wrong_layer("near", 1 + 1e-7, net=net))
    assert found.problems[-1].startswith("`jump` (floor) is the first layer that differs: PyTorch and ")
    assert found.problems[-1].endswith("each is right for what comes in, so it is an edge where rounding decides")


def test_rounding_that_float64_does_not_have_is_a_note():
    net = "net n { input x [6]\n dense(6) as first\n dense(3) }"
    found = verified(net, wrong_layer("first", 1.01, dtypes=("float32",), net=net))
    assert found.ok, found.problems
    assert any(note.startswith("rounding has grown to") and "`first`" in note for note in found.notes)


def test_own_errors_are_of_one_layer_each():
    """What one layer does wrong is not told of those behind it; cells and blocks are gone into, or are one step."""
    text = """
    cell unit(n) { input x; state h [n]; next h = tanh(dense(x, n) + dense(h, n)); output next h }
    block part(n) { dense(n) -> tanh }
    net n {
      input x [4, 3]
      part(5) -> scan(unit(3), return=sequence) as over
      a, b = lstm(4, return=(sequence, last))
      part(2)
      output a, b
    }"""
    net = check(text.replace("      part(2)\n", ""))
    assert net.ok, [d.message for d in net.diagnostics]
    exposed, shown = expose(net)
    rng = np.random.default_rng(3)
    weights, inputs = random_weights(net, rng), random_inputs(net, rng, 2, {})
    values = Reference(exposed, weights).listed(*inputs)[len(net.net.body.outputs) :]
    assert [path for path, _, _ in shown] == ["part.dense", "part.tanh", "over", "lstm", "lstm"]
    assert own_errors(net, weights, inputs, values) == [0.0] * 5
    for wrong in range(5):
        spoilt = [v * 1.5 if k == wrong else v for k, v in enumerate(values)]
        found = own_errors(net, weights, inputs, spoilt)
        # all behind the wrong one was worked out from the right one
        assert found[wrong] == pytest.approx(1 / 3)
        assert found[:wrong] == [0.0] * wrong


# --- what is learned -------------------------------------------------------------------------------------------------


def flags(changes):
    def spoil(which, shown, job, answer):
        if which != "keras":
            return answer
        return answer.replace(trainable={n: changes.get(n, flag) for n, flag in answer.trainable.items()})

    return spoil


def keras_names(path):
    return [h.key for h in TARGETS["keras"](check(NET)).spelling.held if h.path.startswith(path)]


def test_a_layer_that_should_be_frozen_is_not():
    found = verified(NET, flags(dict.fromkeys(keras_names("held"), True)))
    assert "Keras trains 42 parameters of `held`, the checker says 0" in found.problems


def test_another_layer_of_the_same_size_is_frozen():
    """The sum of what is learned is right."""
    swapped = {**dict.fromkeys(keras_names("held"), True), **dict.fromkeys(keras_names("free"), False)}
    found = verified(NET, flags(swapped))
    assert [p for p in found.problems if "trains" in p] == [
        "Keras trains 42 parameters of `held`, the checker says 0",
        "Keras trains 0 parameters of `free`, the checker says 42",
    ]


def test_a_statistic_that_is_learned():
    (mean,) = keras_names("batchnorm.mean")
    found = verified(NET, flags({mean: True}))
    assert "Keras trains `batchnorm.mean`, which is a statistic" in found.problems


def test_many_wrong_flags_are_told_shortly():
    found = verified(NET, flags(dict.fromkeys(keras_names(""), False)))
    assert [p for p in found.problems if p.startswith("Keras")] == [
        "Keras trains 0 parameters of `first.dense`, the checker says 42",
        "Keras trains 0 parameters of `free`, the checker says 42",
        "Keras trains 0 parameters of `batchnorm`, the checker says 12",
        "Keras differs in 1 more layers",
    ]


# --- gradients -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["first.dense.kernel", "free.bias", "batchnorm.gamma", "head.kernel"])
@pytest.mark.parametrize("framework", ["torch", "keras"])
def test_a_wrong_gradient(framework, path):
    def spoil(which, shown, job, answer):
        if which != framework or not answer.gradients:
            return answer
        (key,) = [h.key for h in job.target.spelling.held if h.path == path]
        changed = answer.gradients[key].copy()
        changed.flat[-1] *= 1.001
        return answer.replace(gradients={**answer.gradients, key: changed})

    found = verified(NET, spoil)
    (problem,) = found.problems
    assert problem.startswith(f"the gradients of `{path}` differ by ")
    assert found.gradients.path == path


def test_a_gradient_that_is_missing():
    def spoil(which, shown, job, answer):
        return answer.replace(gradients=dict(list(answer.gradients.items())[1:])) if which == "torch" else answer

    found = verified(NET, spoil)
    assert found.problems == ("only one of the frameworks has gradients of first.dense.kernel",)


def test_penalties():
    text = NET.replace("dense(4) as head", "dense(4, l2=0.1) as head")
    found = verified(text)  # the played frameworks add nothing
    assert [p for p in found.problems if "penalties" in p] == [
        "the penalties on weights of PyTorch and reference differ by 1.0e+00",
        "the penalties on weights of Keras and reference differ by 1.0e+00",
    ]


@pytest.mark.parametrize(("lacking", "said"), [(("keras",), "Keras"), (("torch", "keras"), "PyTorch and Keras")])
def test_gradients_without_a_form_in_float64(lacking, said):
    """They are compared in float32 then, where a part in a thousand may be rounding."""

    def spoil(which, shown, job, answer):
        if not job.directions:
            return answer
        if which in lacking and job.dtype == "float64":
            return answer.replace(error="no such kernel", kind="Exception")
        scale = 1 + 1e-4 * (which == "torch")
        return answer.replace(gradients={name: g * scale for name, g in answer.gradients.items()})

    found = verified(NET, spoil)
    assert found.notes == (f"gradients are compared in float32, since {said} cannot do this in float64",)
    assert found.ok, found.problems
    assert found.gradients.error == pytest.approx(1e-4, rel=0.01)


def test_gradients_that_cannot_be_had():
    def spoil(which, shown, job, answer):
        return answer.replace(error="no", kind="Exception") if which == "torch" and job.directions else answer

    found = verified(NET, spoil)
    assert found.gradients is None
    assert found.problems == ("PyTorch: no",)


@pytest.mark.parametrize(
    ("text", "most", "samples", "training"),
    [
        (NET, 10**8, 3, True),
        # one sample has no variance, so that a net with statistics takes two, however large it is
        (NET, 1, 2, True),
        (NET.replace("  batchnorm\n", ""), 1, 1, True),
        # what draws numbers is compared in inference, where one will do
        (NET.replace("batchnorm", "batchnorm -> dropout(0.5)"), 1, 1, False),
        (NET.replace("batchnorm", "batchnorm -> dropout(0.5)"), 10**8, 3, False),
    ],
)
def test_how_many_samples_gradients_take(text, most, samples, training, monkeypatch):
    monkeypatch.setattr("netspec.verify.verify._MOST", most)
    asked = []

    def spoil(which, shown, job, answer):
        if job.directions:
            asked.append((len(job.batches[0][0]), len(job.directions[0]), job.training, job.dtype))
        return answer

    assert verified(text, spoil).gradients.training is training
    assert asked == [(samples, samples, training, "float64")] * 2


# --- outputs that tell nothing ---------------------------------------------------------------------------------------


def numbers(net):
    rng = np.random.default_rng(5)
    return random_weights(net, rng), random_inputs(net, rng, 3, {})


def test_the_last_weights_before_an_output():
    """Those of the last layers that lead to it, whichever way; what leads to no such output stays as it is."""
    text = """
    block two { input x; a = x -> dense(2); b = x -> dense(3); output a, b }
    net n {
      input x [4]
      dense(5) as far -> relu as y
      p, q = y -> two
      s = (y -> dense(2) as left) + (y -> dense(2) as right) + p
      output probabilities = softmax(s), other = q -> dense(1) as beside, same = softmax(100 * x)
    }"""
    net = check(text)
    assert net.ok, [d.message for d in net.diagnostics]
    weights, _ = numbers(net)
    changed = {
        place: {p for p, w in calmer(net.net, weights, [place]).items() if (w != weights[p]).any()}
        for place in range(3)
    }
    assert changed[0] == {f"{n}.{w}" for n in ("left", "right", "two.dense1") for w in ("kernel", "bias")}
    assert changed[1] == {"beside.kernel", "beside.bias"}
    assert changed[2] == set()  # nothing is learned before it
    halved = calmer(net.net, weights, [1], by=2.0)
    np.testing.assert_array_equal(halved["beside.kernel"] * 2, weights["beside.kernel"])


def test_what_is_at_its_ends():
    ends, near, none = np.array([0.0, 1.0]), np.array([1e-10, 1 - 1e-10]), np.array([0.0, 1e-3])
    assert saturated([ends, near, none, np.array([1, 0]), np.zeros(0)]) == [0, 1]


def test_an_output_at_its_ends_is_calmed():
    """A softmax of which one share is 1 would hide a wrong layer before it."""
    text = "net n { input x [6]\n dense(6) as wrong\n 1000 * identity\n dense(4) -> softmax }"
    found = verified(text, wrong_layer("wrong", 1.3, net=text))
    assert any(problem.startswith("`wrong` (dense) is the first layer") for problem in found.problems)
    assert found.worst > 1e-3


def test_what_is_done_is_said():
    """Weights are calmed where an output is at its ends, and only there."""

    def said(text):
        net, lines = check(text), []
        verify(net, Played(net), Options(), lines.append)
        return [line for line in lines if line.startswith("running the model")]

    assert said(NET) == ["running the model"]
    loud = said("net n { input x [6]\n 1000 * identity\n dense(4) -> softmax }")
    assert loud[0] == "running the model"
    assert set(loud[1:]) == {"running the model with calmer weights"}


def test_an_output_that_cannot_be_calmed_is_told():
    found = verified("net n { input x [6]\n dense(1) -> softmax }")
    assert found.notes == ("an output is 0 and 1 all over, whatever the weights of the last layer",)


@pytest.mark.parametrize(("large", "sizes"), [(25_000_000, [3, 1]), (10, [2, 1])])
def test_how_many_samples_a_large_net_gets(large, sizes, monkeypatch):
    """Also where what is large is a symbol that stands for a number."""
    monkeypatch.setattr("netspec.verify.verify._LARGE", large)
    asked = []

    def spoil(which, shown, job, answer):
        asked.append([len(batch[0]) for batch in job.batches])
        return answer

    assert verified("net n { input x [T, 4]\n dense(3) }", spoil).ok
    assert asked[0] == sizes * 2


def test_what_a_framework_prints_is_no_answer(tmp_path):
    code = (
        "from netspec.verify import worker\n"
        "def run(framework, folder, make):\n    print('noise')\n    return {'framework': framework}, {}\n"
        "worker._run = run\nworker.main('torch')\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(netspec.__file__).parents[1])}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, input=f"{tmp_path}\n", capture_output=True, text=True, env=environment, check=True)
    assert done.stdout == f"{tmp_path}\n"
    assert done.stderr == "noise\n"
    assert json.loads((tmp_path / "result.json").read_text()) == {"framework": "torch"}


# --- the command -----------------------------------------------------------------------------------------------------

WRONG_LAYER = "`held` (dense) is the first layer that differs"


@pytest.fixture
def played(monkeypatch, tmp_path):
    """The command with played frameworks. What is given to it spoils the answers."""
    monkeypatch.chdir(tmp_path)
    Path("small.net").write_text(NET)
    Path("other.net").write_text("net other { input x [T, 4]; dense(3) as only }\n")
    Path("wrong.net").write_text("net wrong { input x [4]; dens(3) }\n")
    Path("none.net").write_text("net none { input a [T, 4]; conv(4, 2000) }\n")

    def prepare(spoil=lambda framework, shown, job, answer: answer):
        class Both(Played):
            def __init__(self):
                super().__init__(check(NET), spoil)
                for sizes in ({}, {"T": 9}):
                    self.known |= Played(check(Path("other.net").read_text(), **sizes)).known

            def __enter__(self):
                return self

            def __exit__(self, *_):
                pass

        monkeypatch.setattr("netspec.verify.pool.WorkerPool", Both)

    prepare()
    return prepare


def test_the_command_says_what_agrees(played, capsys):
    assert main(["verify", "small.net"]) == 0
    told = capsys.readouterr()
    lines = told.out.splitlines()
    assert lines[0] == "small"
    assert [line.split()[0] for line in lines[3:9]] == [row.path for row in check(NET).layers]
    assert lines[3].split()[1:6] == ["dense", "[6]", "42", "0.0e+00", lines[3].split()[5]]
    assert lines[-1].startswith("✓ checker = PyTorch = Keras = reference to ")
    assert "small: comparing layer by layer in float32" in told.err


def test_of_one_framework_alone(played, capsys):
    assert main(["verify", "small.net", "--target", "torch", "--layers", "none", "-q"]) == 0
    assert capsys.readouterr().out == ""
    assert main(["verify", "small.net", "--target", "torch", "--layers", "none"]) == 0
    told = capsys.readouterr().out
    assert "Keras" not in told
    assert "gradients" not in told
    assert "checker = PyTorch = reference" in told
    assert "batchnorm" not in told


def test_the_command_says_what_differs(played, capsys):
    played(wrong_layer("held"))
    assert main(["verify", "small.net", "-q", "--seed", "3", "--net", "small"]) == 1
    told = capsys.readouterr()
    assert f"✗ {WRONG_LAYER}" in told.out
    assert main(["verify", "small.net", "--seed", "3", "--net", "small", "--tolerance", "0.001"]) == 1
    told = capsys.readouterr()
    assert told.out.splitlines()[3].startswith("first.dense")
    again = "netspec verify small.net --seed 3 --dtype float32 --net small --tolerance 0.001"
    assert f"to see it again: {again}" in told.err


def test_what_is_to_be_seen_again_is_told_whole(played, capsys):
    played(lambda framework, shown, job, answer: answer.replace(error="no", kind="Exception"))
    words = ["--set", "T=9", "--target", "torch", "--dtype", "float64", "--include", "."]
    assert main(["verify", "other.net", *words, "-q"]) == 1
    assert main(["verify", "other.net", *words]) == 1
    again = "netspec verify other.net --seed 0 --dtype float64 --include . --set T=9 --target torch\n"
    assert f"to see it again: {again}" in capsys.readouterr().err


def test_of_several_files_the_worst_decides(played, capsys):
    assert main(["verify", "small.net", "other.net", "--set", "T=9"]) == 2  # one has no such size
    assert capsys.readouterr().out.startswith("other\n")
    assert main(["verify", "small.net", "wrong.net", "other.net"]) == 1
    told = capsys.readouterr()
    assert told.out.count("✓") == 2
    assert "other  T = 5;  T = 9\n" in told.out
    assert "batchnorm" not in told.out  # of several files the layers are left out
    assert main(["verify", "none.net", "wrong.net"]) == 2
    assert "none.net: no sizes were found that fit T" in capsys.readouterr().err
    assert main(["verify", "small.net", "other.net", "--layers", "all"]) == 0
    assert "batchnorm" in capsys.readouterr().out


def test_the_document(played, capsys):
    played(wrong_layer("held"))
    assert main(["verify", "small.net", "--format", "json", "-q"]) == 1
    one = json.loads(capsys.readouterr().out)
    assert (one["file"], one["net"], one["ok"], one["frameworks"]) == ("small.net", "small", False, ["torch", "keras"])
    assert [layer["path"] for layer in one["layers"]] == [row.path for row in check(NET).layers]
    assert one["layers"][0]["params"] == {"checker": 42, "torch": 42, "keras": 42}
    assert one["layers"][0]["shapes"] == {w: [6] for w in ("checker", "torch", "keras", "reference")}
    assert one["errors"].keys() == {"torch-keras", "torch-reference", "keras-reference"}
    assert any(WRONG_LAYER in problem for problem in one["problems"])
    played()
    assert main(["verify", "small.net", "other.net", "--format", "json", "-q"]) == 0
    both = json.loads(capsys.readouterr().out)
    assert [found["net"] for found in both] == ["small", "other"]
    assert [len(found["sizes"]) for found in both] == [1, 2]
    assert both[0]["gradients"]["training"] is True
