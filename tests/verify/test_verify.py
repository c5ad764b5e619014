"""`netspec verify`: it agrees with what is right, and names what is wrong."""

from __future__ import annotations

import json

import numpy as np
import pytest
from checking import check

from netspec import api, reference
from netspec.cli import main
from netspec.codegen import pipeline
from netspec.ir.paths import weight_table
from netspec.layers.conv import Conv
from netspec.verify.calm import calmer, saturated
from netspec.verify.expose import expose
from netspec.verify.pool import WorkerPool
from netspec.verify.verdict import apart
from netspec.verify.verify import Options, verify
from netspec.weights import samples
from netspec.weights.spelling import Spelling
from netspec.weights.targets import keras_target, torch_target

SMALL = """
block unit(n) { conv(n, 3x3, padding=same, bias=false) -> batchnorm -> relu }
net small {
  input x [6, 6, 3]
  unit(4) -> unit(5)
  add(identity, conv(5, 1x1))
  flatten -> dense(7) as head
}
"""


@pytest.fixture(scope="module")
def pool():
    with WorkerPool() as made:
        yield made


def verified(pool, text, **options):
    return verify(check(text), pool, Options(**options))


def test_forms_agree(pool):
    found = verified(pool, SMALL)
    assert found.ok, found.problems
    assert 0 < found.worst < 1e-5
    assert found.gradients.training
    assert found.gradients.error < 1e-10
    assert [line.path for line in found.lines] == [row.path for row in check(SMALL).layers]
    assert all(line.agrees and line.error < 1e-5 for line in found.lines)


def test_symbols_get_two_sizes(pool):
    found = verified(pool, "net seq { input x [T, 4]; conv(3, 3, padding=same) -> dense(2) }")
    assert found.ok, found.problems
    assert len({sizes["T"] for sizes in found.sizes}) == 2


def test_random_layers_are_compared_in_inference(pool):
    found = verified(pool, "net noisy { input x [5]; dense(4) -> dropout(0.5) -> dense(3) }")
    assert found.ok, found.problems
    assert not found.gradients.training


def test_float64(pool):
    found = verified(pool, SMALL, dtype="float64")
    assert found.ok, found.problems
    assert found.worst < 1e-12


def test_a_wrong_layer_is_named(pool, monkeypatch):
    right = Conv.reference
    monkeypatch.setattr(Conv, "reference", lambda self, xs, w: right(self, xs, w) * (1.01 if self.bias else 1))
    found = verified(pool, SMALL)
    assert not found.ok
    assert any("`conv` (conv) is the first layer that differs" in problem for problem in found.problems)


def test_a_wrong_code_is_found(pool, monkeypatch):
    """The same weights in other places: shapes and counts agree, the numbers do not."""
    right = Spelling.put

    def turned(self, weights):
        found = right(self, weights)
        return {n: a[::-1].copy() if n.startswith("head") and a.ndim > 1 else a for n, a in found.items()}

    monkeypatch.setattr(Spelling, "put", turned)
    found = verified(pool, SMALL)
    assert not found.ok
    assert any("`head`" in problem for problem in found.problems)


def rewritten(monkeypatch, framework, old, new):
    """The code for a framework with something else in the place of what it says."""
    styles = pipeline.BACKENDS[framework]
    style = next(iter(styles))
    backend = styles[style]()
    wrong = backend.replace(write=lambda *words: backend.write(*words).replace(old, new))
    monkeypatch.setitem(styles, style, lambda: wrong)


def test_code_that_fails_is_told(pool, monkeypatch):
    rewritten(monkeypatch, "torch", "self.head(x)", "self.head(x.no_such)")
    found = verified(pool, SMALL)
    assert any("no_such" in problem and "line" in problem for problem in found.problems)


PLAIN = """
net plain {
  input x [6]
  dense(6, frozen=true) as held
  dense(6) as free
  1e-12 * identity
}
"""


def planted(monkeypatch, framework, old, new):
    """The same for PLAIN, in which that stands."""
    rewritten(monkeypatch, framework, old, new)
    assert new in pipeline.emit(check(PLAIN), framework)


@pytest.mark.parametrize(
    ("framework", "old", "new", "said"),
    [
        # the numbers are right, but nothing is learned of them
        ("torch", "self.free(x)", "self.free(x).detach() + 0 * self.free(x)", "the gradients of `free.kernel` differ"),
        (
            "keras",
            "layers.Rescaling(1e-12)(x2)",
            "layers.Rescaling(1e-12)(keras.ops.stop_gradient(x2))",
            "the gradients of `free.kernel` differ",
        ),
        # one sample of the batch
        (
            "torch",
            "self.free(x) * 1e-12",
            "self.free(x) * 1e-12 * (1 + 0.01 * (x == x[2:].sum(0)))",
            "the outputs of PyTorch and Keras differ",
        ),
        # numbers that are small
        ("torch", "self.free(x) * 1e-12", "self.free(x) * 1.01e-12", "the outputs of PyTorch and Keras differ"),
        ("keras", "1e-12", "1.01e-12", "the outputs of PyTorch and Keras differ"),
        # what is learned
        (
            "torch",
            ".requires_grad_(False)",
            ".requires_grad_()",
            "PyTorch trains 42 parameters of `held`, the checker says 0",
        ),
        ("keras", "trainable=False", "trainable=True", "Keras trains 42 parameters of `held`, the checker says 0"),
        (
            "keras",
            "Dense(6)(x2)",
            "Dense(6, trainable=False)(x2)",
            "Keras trains 0 parameters of `free`, the checker says 42",
        ),
    ],
)
def test_what_is_planted_is_told(pool, monkeypatch, framework, old, new, said):
    assert verified(pool, PLAIN).ok
    planted(monkeypatch, framework, old, new)
    found = verified(pool, PLAIN)
    assert any(said in problem for problem in found.problems), found.problems


def test_an_edge_is_no_fault_of_the_layers_before_it(pool):
    """What comes out differs where rounding decides; the layer at which it does is named, and none that only rounds."""
    found = verified(
        pool,
        """
        net edge {
          input x [70, 4]
          zeros = 0 * x[:, 0:1]
          waves = concat(zeros, zeros, zeros, zeros) -> positional_encoding(base=1e12)
          at = round(1e6 * waves[:, 2])
          large = floor(log(at + 1) * 1.4426950408889634) as jump
          x * expand(large, axis=-1)
        }
        """,
    )
    assert len(found.problems) == 3
    assert found.problems[-1].startswith("`jump` (floor) is the first layer that differs: ")
    assert found.problems[-1].endswith("each is right for what comes in, so it is an edge where rounding decides")


# --- its parts --------------------------------------------------------------------------------------------------------


def test_what_hands_its_input_on_is_no_layer(pool):
    result = verified(pool, "net n { input x [4]; concat(identity) -> identity as here -> dense(3) }")
    assert result.ok
    assert [line.path for line in result.lines] == ["dense"]


def test_every_value_is_exposed():
    net = check(SMALL)
    shown, values = expose(net)
    assert [path for path, _, _ in values] == [row.path for row in net.layers]
    assert len(shown.net.body.outputs) == 1 + len(values)


@pytest.mark.parametrize("target", [torch_target, keras_target])
def test_spellings_come_back(target):
    net = check(SMALL)
    rng = np.random.default_rng(3)
    weights = {path: rng.standard_normal(w.shape).astype(np.float32) for path, w in weight_table(net).items()}
    spelling = target(net).spelling
    back = spelling.take(spelling.put(weights))
    assert list(back) == list(weights)
    assert all((back[path] == weights[path]).all() for path in weights)


def test_apart():
    a = np.array([1.0, 2.0, np.inf])
    assert apart(a, a) == 0
    assert apart(a, np.array([1.0, 2.0, 3.0])) == float("inf")
    assert apart(a[:2], np.array([1.0, 2.2])) == pytest.approx(0.2 / 2.2)
    assert apart(a[:1], a[:2]) == float("inf")


def test_models_take_weights():
    net = api.parse(SMALL)
    rng = np.random.default_rng(4)
    weights = {path: rng.random(w.shape) + 0.5 for path, w in net.weights().items()}
    x = rng.standard_normal((2, 6, 6, 3)).astype(np.float32)
    import torch

    with torch.no_grad():
        one = net.torch(weights).eval()(torch.from_numpy(x.transpose(0, 3, 1, 2).copy())).numpy()
    other = np.array(net.keras(weights=weights)(x, training=False))
    wanted = net.reference(weights)(x=x)
    assert apart(one, wanted) < 1e-5
    assert apart(other, wanted) < 1e-5


# --- the command ------------------------------------------------------------------------------------------------------


def test_the_command(tmp_path, capsys):
    path = tmp_path / "small.net"
    path.write_text(SMALL, encoding="utf-8")
    assert main(["verify", str(path), "--target", "torch"]) == 0
    told = capsys.readouterr()
    assert "unit2.conv" in told.out
    assert "checker = PyTorch = reference" in told.out
    assert "comparing layer by layer" in told.err
    assert main(["verify", str(path), "--target", "torch", "--tolerance", "1e-12", "--format", "json", "-q"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert not document["ok"]
    assert document["layers"][0]["path"] == "unit1.conv"
    (note,) = document["notes"]  # no layer is blamed for what is rounding
    assert note.startswith("rounding has grown to")
    assert "in float64 all layers agree" in note
    assert not any("first layer" in problem for problem in document["problems"])


def test_a_disagreement_can_be_seen_again(tmp_path, capsys):
    path = tmp_path / "small.net"
    path.write_text(SMALL, encoding="utf-8")
    assert main(["verify", str(path), "--target", "torch", "--tolerance", "1e-12", "--seed", "7"]) == 1
    assert f"netspec verify {path} --seed 7" in capsys.readouterr().err


def test_what_has_no_form_in_float64():
    """TensorFlow has a depthwise convolution of unequal strides on the CPU, but not in float64."""
    net = api.parse("net n { input image [9, 9, 2]; depthwise_conv(3, stride=2x3); flatten -> dense(3) }")
    result = net.verify()
    assert result.ok, result.problems
    (note,) = result.notes
    assert note == "gradients are compared in float32, since Keras cannot do this in float64"
    assert 0 < result.gradients.error < 1e-3


@pytest.mark.parametrize("tolerance", [-1, 0, float("nan"), float("inf")])
def test_a_tolerance_that_is_none(tolerance):
    with pytest.raises(ValueError, match="above 0"):
        api.parse("net a { input x [4]\n dense(3) }").verify(tolerance=tolerance)


def test_wrong_specs_and_files(tmp_path, capsys):
    path = tmp_path / "wrong.net"
    path.write_text("net a { input x [4]; dens(3) }", encoding="utf-8")
    assert main(["verify", str(path)]) == 1
    assert "unknown-name" in capsys.readouterr().err
    assert main(["verify", str(tmp_path / "none.net")]) == 2


def test_rounding_that_grows_is_told_from_faults(pool):
    steep = "net steep { input x [6]; dense(6) as first; repeat 3 { sin(300 * identity) }; dense(2) }"
    found = verified(pool, steep)
    assert not found.problems
    assert "compared in float64" in " ".join(found.notes)
    assert max(found.outputs.values()) < 1e-6
    assert verified(pool, steep.replace("repeat 3 { sin(300 * identity) }; ", "")).notes == ()


def test_outputs_at_their_ends_are_calmed():
    """A softmax of which one share is 1 would hide what leads to it."""
    text = """
    block head(n) {
      dense(3, activation=relu)
      dense(n) -> dropout(0.5) -> softmax
    }
    net steep {
      input x [8]
      dense(16, activation=relu) -> shift(1000) as y
      output y -> head(5) as classes, y -> dense(1) as size
    }
    """
    net = check(text)
    rng = np.random.default_rng(0)
    weights = samples.random_weights(net, rng)
    (x,) = samples.random_inputs(net, rng, 3, {})
    first = reference.Reference(net, weights).listed(x)
    assert saturated(first) == [0]
    found, outputs = weights, first
    for _ in range(2):
        found = calmer(net.net, found, saturated(outputs))
        outputs = reference.Reference(net, found).listed(x)
    assert saturated(outputs) == []
    changed = {path for path in weights if (found[path] != weights[path]).any()}
    assert changed == {"classes.dense2.kernel", "classes.dense2.bias"}
    np.testing.assert_array_equal(outputs[1], first[1])
