"""The other forms of Keras code, one `keras.Sequential` and subclassed models, held against the functional one."""

from __future__ import annotations

import subprocess
import sys

import harness  # first: it chooses the Keras backend
import keras
import numpy as np
import pytest
import twins
from checking import KERAS_STYLES as STYLES
from checking import check, check_spec
from checking import keras_code as emit

from netspec.base.diagnostics import SpecError
from netspec.codegen.backends.keras_classes import _RESERVED
from netspec.layers.base import LAYERS
from netspec.runtime.code import run as _run

# --- models and their weights ------------------------------------------------------------------------------------


class Model:
    """A model built from its text, with its layers that hold weights, in the order in which they were first called."""

    def __init__(self, net, style):
        assert net.ok, [d.message for d in net.diagnostics]
        self.text = emit(net, style)
        self.order = {}
        called = keras.layers.Layer.__call__

        def noted(layer, *args, **kwargs):
            result = called(layer, *args, **kwargs)
            if own(layer):
                self.order.setdefault(id(layer), layer)
            return result

        keras.layers.Layer.__call__ = noted
        try:
            self.model = _run(self.text, net.name)
            if style == "subclass":
                self(*arrays(net, 2))
        finally:
            keras.layers.Layer.__call__ = called

    def __call__(self, *given, training=False):
        found = self.model(list(given) if len(given) > 1 else given[0], training=training)
        return [np.array(y) for y in (found if isinstance(found, list | tuple) else [found])]

    @property
    def layers(self):
        return list(self.order.values())

    def take(self, other):
        """The weights of another form of the same net."""
        assert len(self.layers) == len(other.layers)
        for mine, theirs in zip(self.layers, other.layers):
            for a, b in zip(own(mine), own(theirs), strict=True):
                assert (a.name, tuple(a.shape)) == (b.name, tuple(b.shape))
                a.assign(b)


def own(layer):
    """The weights of a layer that are in no layer inside it."""
    if layer._flatten_layers(include_self=False):
        return []
    return [w for w in layer.weights if "seed" not in w.name]


def arrays(net, batch):
    rng = np.random.default_rng(batch)
    shapes = [(batch, *p.value.shape) for p in net.net.body.inputs]
    integers = [p.value.dtype != "float32" for p in net.net.body.inputs]
    return [rng.integers(0, 4, s) if i else rng.standard_normal(s).astype(np.float32) for s, i in zip(shapes, integers)]


def shake(model):
    """Random weights: an initial bias or running mean of 0 hides mistakes."""
    rng = np.random.default_rng(5)
    for w in [w for layer in model.layers for w in own(layer)]:
        spread = rng.uniform(0.5, 1.5, w.shape) if len(w.shape) == 1 else rng.standard_normal(w.shape)
        w.assign(spread / np.sqrt(max(1, np.prod(w.shape[:-1]))))


def counts(model):
    """Parameters and running statistics; shared ones once."""
    held = {id(w): w for w in model.model.weights if "seed" not in w.name}.values()
    statistics = sum(int(np.prod(w.shape)) for w in held if "moving" in w.name)
    return sum(int(np.prod(w.shape)) for w in held) - statistics, statistics


def agree(net, style):
    """Build the net in a style, hold it against the checker and against the functional form, and give it back."""
    one, other = Model(net, "functional"), Model(net, style)
    same_numbers(net, one, other)
    return other


def same_numbers(net, one, other):
    assert counts(other) == (net.totals.params, net.totals.statistics)
    assert sum(int(np.prod(w.shape)) for w in other.model.trainable_weights) == net.totals.trainable
    shake(one)
    other.take(one)
    for batch in (3, 1):
        xs = arrays(net, batch)
        for a, b, result in zip(one(*xs), other(*xs), net.net.body.outputs, strict=True):
            assert b.shape == (batch, *result.value.shape)
            harness.close(b, a)
            assert np.abs(a).max() > 0


def tidy(text, tmp_path):
    """Nothing is left for a formatter to do, and nothing for a linter to say."""
    (tmp_path / "generated.py").write_text(text, encoding="utf-8")
    for command in (["format", "--check", "--diff"], ["check", "--line-length", "120"]):
        words = [sys.executable, "-m", "ruff", *command, "--isolated", "--no-cache", "generated.py"]
        done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


# --- nets --------------------------------------------------------------------------------------------------------

VGG = """
# Two convolutions or more, and half the size
block stage(n, filters) {
  repeat n { conv(filters, 3x3, padding=same, activation=relu) }
  maxpool(2x2)
}

# A small VGG
net vgg(classes=10) {
  input image [32, 32, 3]
  stage(1, 4)
  stage(2, 8)
  flatten
  repeat 2 { dense(12, activation=relu) -> dropout(0.5) }
  dense(classes, activation=softmax)
}
"""

CHAIN = """
block unit(filters, stride=1) {
  conv(filters, 3x3, stride=stride, padding=1, bias=false) -> batchnorm -> relu
}

block pair(filters) {
  input x [h, w, c]
  unit(filters, 2)
  identity
  unit(2*c)
}

net chain {
  input image [16, 16, 3]
  for i in 0..3 { if i == 1 { { identity -> pair(4*(i + 1)) } as middle } else { pair(5) } }
  local_response_norm(3) -> leaky_relu(0.2) -> flatten
  dense(7, activation=leaky_relu)
  layer last = dense(3, frozen=true)
  last
}
"""

LAYERS_IN_A_ROW = """
net row {
  input image [12, 12, 4]
  separable_conv(6, 3x3, stride=2, padding=1) -> elu -> avgpool(2x2) -> layernorm -> silu
  conv_transpose(6, 3x3, stride=2, padding=1, output_padding=1) -> upsample(2) -> crop(1) -> pad(1)
  groupnorm(groups=3) -> hard_swish -> spatial_dropout(0.2) -> scale(0.5) -> shift(1) -> softmax
  adaptive_avgpool(4) -> channel_shuffle(2) -> permute(2, 0, 1) -> reshape(8, 12) -> mish
  global_maxpool -> dense(6) -> sigmoid
}
"""

EMBEDDED = """
net embedded {
  input words [6] int(4)
  embedding(4, 5) -> conv(3, 2, padding=causal) -> tanh -> global_avgpool -> dense(2)
}
"""

RESNET = """
# A shortcut that is projected where the shape changes
block basic(width, stride) {
  input x [h, w, c]
  main = x -> conv(width, 3x3, stride=stride, padding=1, bias=false) as conv1 -> batchnorm as bn1 -> relu
           -> conv(width, 3x3, padding=1, bias=false) as conv2 -> batchnorm as bn2
  if stride != 1 or c != width {
    skip = x -> { conv(width, 1x1, stride=stride, bias=false) -> batchnorm } as downsample
  } else {
    skip = x
  }
  main + skip -> relu
}

net resnet(classes=10) {
  input image [16, 16, 3]
  conv(4, 3x3, padding=1, bias=false) as conv1 -> batchnorm as bn1 -> relu
  maxpool(3x3, stride=2, padding=1)
  for (n, width, stride) in [(2, 4, 1), (3, 8, 2)] as layer {
    for i in 0..n { basic(width, stride if i == 0 else 1) }
  }
  global_avgpool -> dropout(0.1) -> dense(classes) as fc
}
"""

INCEPTION = """
block inception(n1, reduce3, n3, project) {
  concat(
    conv(n1, 1x1, activation=relu),
    conv(reduce3, 1x1, activation=relu) -> conv(n3, 3x3, padding=1, activation=relu),
    maxpool(3x3, stride=1, padding=1) -> conv(project, 1x1, activation=relu),
  )
}

net inceptions(classes=5) {
  input image [16, 16, 3]
  conv(4, 3x3, stride=2, padding=1, activation=relu) -> local_response_norm(5)
  inception(2, 3, 4, 2) as inception_3a
  inception(3, 2, 4, 3) as inception_3b
  maxpool(3x3, stride=2, rounding=ceil)
  inception(4, 3, 5, 2) as inception_4a
  output global_avgpool -> dense(classes, activation=softmax) as classifier, inception_3a -> flatten -> dense(3) as aux
}
"""

SHARED = """
block tower(n) {
  dense(n, activation=relu) -> batchnorm
  dense(n)
}

net siamese {
  input left [6]
  input right [6]
  layer enc = dense(6, activation=tanh)
  layer deep = tower(5)
  a = left -> enc -> enc -> deep
  b = right -> enc -> deep
  sub(a, b) -> power(2) -> dense(1, activation=sigmoid)
}
"""

# the functional form has no shared blocks
SHARED_LAYERS = SHARED.replace("layer deep = tower(5)", "layer deep = dense(5)")

TWO_INPUTS = """
block merge(n) {
  input a [h, w, c]
  input b [k, l, d]
  wide = b -> upsample(2) -> conv(c, 1x1) as lift
  scaled = a -> global_avgpool -> dense(c // 2, activation=relu) -> dense(c, activation=sigmoid)
  concat(a * scaled, wide) -> conv(n + d, 3x3, padding=same) -> batchnorm
}

net pyramid {
  input fine [8, 8, 6]
  input coarse [4, 4, 10]
  merge(fine, coarse, 3) as first
  merge(fine -> conv(4, 1x1), coarse -> conv(9, 1x1), 5) as second
  average(first -> conv(4, 1x1), second -> conv(4, 1x1))
}
"""

SQUEEZE = """
block excite(ratio, dropout) {
  input x [h, w, c]
  gate = x -> global_avgpool -> dense(c // ratio, activation=relu) -> dropout(dropout) -> dense(c, activation=sigmoid)
  x * gate -> reshape(h * w, c) -> permute(1, 0) -> maximum(identity, x -> reshape(c, h * w)) -> permute(1, 0)
  reshape(h, w, c)
}

net squeeze {
  input image [6, 6, 8]
  excite(2, 0.1)
  conv(12, 3x3) -> excite(4, 0.2)
  for k in [3, 1, 3] { conv(12, k, padding=same) -> batchnorm -> relu6 }
  global_avgpool
}
"""

BRANCHES = """
block unit(op) {
  if op == nothing { identity } else if op == wide { conv(4, 5x5, padding=same) } else if op == deep {
    conv(4, 1x1) -> tanh -> conv(4, 1x1)
  } else { maxpool(3x3, stride=1, padding=same) }
}

block maybe(op) {
  if op == nothing { identity } else { conv(4, 1x1) -> batchnorm -> relu -> conv(4, 1x1, bias=false) }
}

net branches {
  input image [8, 8, 4]
  for op in [nothing, wide, deep, pool, deep] { unit(op) }
  for op in [nothing, wide] { maybe(op) }
  flatten -> dense(3)
}
"""

CARRIED = """
block cell(n) {
  input prev [a]
  input cur [b]
  add(prev -> dense(n), cur -> dense(n, activation=relu)) -> layernorm
}

net cells {
  input x [6]
  prev, cur = x, x -> dense(6)
  repeat 5 { prev, cur = cur, cell(prev, cur, 6) }
  cur
}
"""

NAMES = """
block _odd(name, trainable) {
  dense(name) as build -> relu -> dense(trainable + name) as _layers -> dropout(0.5) as dropout
}

net layer {
  input call [6]
  dense(5) as call -> dense(5) as name -> batchnorm as weights -> dense(4) as inputs -> relu as keras
  dense(4) as trainable -> _odd(3, 2) as metrics -> _odd(4, 1) as forward -> dense(4) as loss
}
"""

LISTS = """
block deep(n, wide) {
  input z [h, c]
  repeat n { dense(wide) as x -> batchnorm as branch1 -> relu -> dense(c) as y -> tanh }
  concat(identity, z, z -> dense(2))
}

net lists {
  input conv [5, 4]
  for w in [3, 4, 5, 6, 7] { conv(w, 2, padding=same) as convs -> relu -> conv(4, 2, padding=same) as conv }
  deep(3, 5)
  deep(2, 6)
}
"""

PARTS = """
net parts {
  input image [9, 9, 4]
  for k in [3, 5, 3, 5, 3] {
    conv(4, k, padding=(k // 2, 1), stride=1) -> pad(((0, 0), (k // 2 - 1, k // 2 - 1))) -> selu
  }
  conv_transpose(4, 3x3, stride=2, padding=1) -> leaky_relu(0.3)
  separable_conv(5, 3x3, stride=2, padding=1, activation=soft_shrink) -> avgpool(3x3, padding=1, count_padding=true)
  flatten -> maxout(4) -> dense(4, activation=leaky_relu)
}
"""

CHAINS = {"vgg": VGG, "chain": CHAIN, "layers in a row": LAYERS_IN_A_ROW, "embedded": EMBEDDED}
SUBCLASSED = {
    **CHAINS,
    "resnet": RESNET,
    "inception": INCEPTION,
    "shared": SHARED_LAYERS,
    "two inputs": TWO_INPUTS,
    "squeeze": SQUEEZE,
    "branches": BRANCHES,
    "carried": CARRIED,
    "names": NAMES,
    "lists": LISTS,
    "parts": PARTS,
}


def param(nets):
    return pytest.mark.parametrize("text", nets.values(), ids=nets.keys())


# --- sequential --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["mlp", "banknote", "mnist_cnn", "lenet5"])
def test_sequential_specs(name, tmp_path):
    model = agree(check_spec(name), "sequential")
    assert type(model.model) is keras.Sequential
    tidy(model.text, tmp_path)


@param(CHAINS)
def test_sequential(text, tmp_path):
    model = agree(check(text), "sequential")
    assert type(model.model) is keras.Sequential
    tidy(model.text, tmp_path)


def test_sequential_holds_the_weights_of_blocks():
    """A block that is used twice is opened twice, each time with weights of its own."""
    twins.compare(
        check("""
        block unit(n) { conv(n, 3x3, padding=same, l2=0.1) -> batchnorm }
        block pair(n) { unit(n) -> relu; repeat 2 { unit(n) } }
        net n { input x [6, 6, 4]; pair(4) as first -> pair(4); flatten -> dense(3) }
        """),
        style="sequential",
    )


def test_sequential_text():
    assert (
        emit(check_spec("mnist_cnn"), "sequential")
        == '''\
import keras
from keras import layers


def mnist_cnn(classes=10):
    """A small convolutional network for handwritten digits

    Takes N, H, W, C and gives N, F.
    """
    return keras.Sequential(
        [
            keras.Input((28, 28, 1), name="image"),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(40, activation="relu"),
            layers.Dense(classes, activation="softmax"),
        ],
        name="mnist_cnn",
    )
'''
    )


@pytest.mark.parametrize("name", ["vgg11", "vgg13", "vgg16", "vgg19"])
def test_sequential_opens_blocks(name, tmp_path):
    net = check_spec(name)
    text = emit(net, "sequential")
    made = [line for line in text.split("\n") if line.startswith("            layers.")]
    assert len(made) == len(list(net.layers))
    tidy(text, tmp_path)


def test_a_parameter_stays_one():
    text = emit(check(VGG, classes=7), "sequential")
    assert "def vgg(classes=7):" in text
    namespace = {}
    exec(text, namespace)
    assert namespace["vgg"]().output_shape == (None, 7)
    assert namespace["vgg"](classes=4).output_shape == (None, 4)


REFUSED = {
    "join": ("input x [8, 8, 3]\nadd(identity, conv(3, 1x1))", "add(identity", "takes 2 values"),
    "join first": ("input x [8]\nx + x", "x + x", "takes 2 values"),
    "two inputs": ("input x [8]\ninput y [8]\nx -> dense(3)", "input y [8]", "2 inputs"),
    "two outputs": ("input x [8]\ndense(3) as a\ndense(4) as b\noutput a, b", "dense(4)", "2 outputs"),
    "earlier value": ("input x [8]\ndense(3) as a\ndense(4)\na -> dense(5)", "dense(5)", "before it"),
    "earlier output": ("input x [8]\ndense(3) as a\ndense(4)\noutput a", "dense(3)", "not what comes last"),
    "shared": ("input x [8]\nlayer f = dense(8)\nf -> relu -> f", "dense(8)", "`f` is used a second time"),
    "operation": ("input x [8, 8, 3]\nmaxpool(3x3, padding=1)", "maxpool(3x3, padding=1)", "no layer of Keras"),
    "slice": ("input x [8, 8, 3]\nx[1:, :, 0:2]", "x[1:, :, 0:2]", "no layer of Keras"),
}


@pytest.mark.parametrize(("body", "place", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_no_chain(body, place, said):
    with pytest.raises(SpecError) as caught:
        emit(check(f"net n {{\n{body}\n}}"), "sequential")
    (found,) = caught.value.diagnostics
    assert found.code == "no-such-style"
    assert found.help
    span = found.primary.span
    marked = span.source.text[span.start : span.end]
    assert marked.startswith(place), marked
    assert said in found.message


def test_no_chain_in_a_block():
    text = "block b {\n input x [c]\n x + x\n}\nnet n {\n input x [4]\n b -> dense(2)\n}"
    with pytest.raises(SpecError, match="`add` takes 2 values"):
        emit(check(text), "sequential")
    text = "block b {\n input x [c]\n input y [d]\n x -> dense(2)\n}\nnet n {\n input x [4]\n b(x, x)\n}"
    with pytest.raises(SpecError, match="`b` has 2 inputs"):
        emit(check(text), "sequential")


def test_there_is_no_such_style():
    with pytest.raises(SpecError, match="no-such-style") as caught:
        emit(check(VGG), "sequentail")
    assert caught.value.diagnostics[0].help == "did you mean `sequential`?"


# --- subclass ----------------------------------------------------------------------------------------------------


@param(SUBCLASSED)
def test_subclass(text, tmp_path):
    model = agree(check(text), "subclass")
    assert "class " in model.text
    tidy(model.text, tmp_path)


def test_subclass_of_a_spec(tmp_path):
    model = agree(check_spec("resnet18", "classes=10"), "subclass")
    assert len(model.text.split("\n")) < 85
    tidy(model.text, tmp_path)


def test_shared_blocks(tmp_path):
    """A block that is used twice is a model that is called twice, or a layer, with the same weights."""
    net = check(SHARED)
    for style in ("functional", "subclass"):
        twins.compare(net, style=style)
        model = Model(net, style)
        assert counts(model) == (net.totals.params, net.totals.statistics)
        tidy(model.text, tmp_path)


def test_shared_blocks_of_a_block_that_is_called_twice():
    """Each call makes a model of its own, with a name of its own."""
    inner = "block unit { dense(4) -> tanh }\nblock twice { layer again = unit; again -> again }"
    net = check(f"{inner}\nnet n {{ input x [4]; repeat 2 {{ twice }} }}")
    twins.compare(net)
    assert counts(Model(net, "functional")) == (40, 0)


def test_sizes_are_read_in_build():
    text = emit(check(RESNET), "subclass")
    build = text[text.index("def build(self, input_shape):") : text.index("def call")]
    assert "c = input_shape[-1]" in build
    assert "if self.stride != 1 or c != self.width:" in build
    assert "self.conv1" not in build
    assert "def build(self, a_shape, b_shape):" in emit(check(TWO_INPUTS), "subclass")
    assert "def build" not in emit(check(INCEPTION), "subclass")


def test_subclass_takes_any_size():
    """What was made for one size of images works on another."""
    model = Model(check(RESNET.replace("[16, 16, 3]", "[H, W, 3]"), H=16, W=16), "subclass")
    assert model(np.ones((2, 24, 32, 3), np.float32))[0].shape == (2, 10)


def test_subclass_knows_of_training():
    model = Model(check(RESNET), "subclass")
    x = arrays(check(RESNET), 4)[0]
    (dropout,) = [layer for layer in model.model._flatten_layers() if isinstance(layer, keras.layers.Dropout)]
    dropout.rate = 0.9
    norms = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
    before = [np.array(n.moving_mean) for n in norms]
    model(x)
    assert all((a == np.array(n.moving_mean)).all() for a, n in zip(before, norms))
    still, moved = model(x)[0], model(x, training=True)[0]
    assert np.abs(still - moved).max() > 1e-3
    assert all((a != np.array(n.moving_mean)).any() for a, n in zip(before, norms))


def test_subclass_learns():
    model = Model(check(RESNET), "subclass").model
    model.compile("sgd", "mse")
    rng = np.random.default_rng(0)
    norms = [layer for layer in model._flatten_layers() if isinstance(layer, keras.layers.BatchNormalization)]
    seen = model.fit(rng.standard_normal((8, 16, 16, 3)), rng.standard_normal((8, 10)), epochs=2, verbose=0)
    assert all(np.isfinite(seen.history["loss"]))
    assert norms
    assert all(np.array(norm.moving_mean).any() for norm in norms)  # they begin at zero


@pytest.mark.filterwarnings("error:.*build.*:UserWarning")
def test_subclass_saves_its_weights(tmp_path):
    net = check(RESNET)
    one, other = Model(net, "subclass"), Model(net, "subclass")
    shake(one)
    one.model.save_weights(tmp_path / "resnet.weights.h5")
    other.model.load_weights(tmp_path / "resnet.weights.h5")
    xs = arrays(net, 2)
    harness.close(other(*xs)[0], one(*xs)[0])


def test_attributes_of_keras_are_not_hidden():
    public = {n for thing in (keras.Model, keras.layers.Layer, keras.Model()) for n in dir(thing) if n[0] != "_"}
    assert public <= _RESERVED


# --- every layer -------------------------------------------------------------------------------------------------


EXAMPLES = [(cls, example) for cls in dict.fromkeys(LAYERS.values()) for example in cls.examples]


@pytest.mark.parametrize(("cls", "example"), EXAMPLES, ids=[e.code for _, e in EXAMPLES])
def test_text_of_every_layer(cls, example):
    """A layer in a class of its own, written and read back; what it gives is in other tests."""
    shapes = harness.shapes_of(example)
    net = check(layer_net(cls, example, shapes))
    if not net.ok:
        pytest.skip("written in another way")
    for style in STYLES:
        text, codes = written(net, style)
        assert codes <= {"not-in-keras", "no-such-style"}
        compile(text, "generated.py", "exec")


def written(net, style):
    """The text, or the codes of what is said against it."""
    try:
        return emit(net, style), set()
    except SpecError as error:
        return "", {d.code for d in error.diagnostics}


def layer_net(cls, example, shapes):
    names = [f"x{i}" for i in range(len(shapes))]
    kind = f" int({example.vocabulary})" if example.vocabulary else ""
    ports = "\n".join(f"input {n} [{', '.join(map(str, s))}]{kind}" for n, s in zip(names, shapes))
    if len(names) == 1 or "(" not in example.code:
        call = f"{example.code}({', '.join(names)})" if len(names) > 1 else example.code
    else:
        call = example.code.replace("(", f"({', '.join(names)}, ", 1)
    return f"net one {{\n{ports}\n{call}\n}}"
