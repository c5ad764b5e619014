"""Keras models are saved and loaded, whole and as weights alone, and give the same numbers to the bit."""

from __future__ import annotations

import ast

import harness  # noqa: F401  # first: it chooses the Keras backend
import keras
import numpy as np
import pytest
from checking import KERAS_STYLES as STYLES
from checking import check, check_spec
from checking import keras_code as emit
from test_build import NARROW, RECURRENT, SMALL
from test_layer_examples import EXAMPLES, spec

from netspec.analysis.static_batch import static_batch
from netspec.base.diagnostics import SpecError
from netspec.layers import LAYERS
from netspec.runtime.code import execute
from netspec.weights import samples

KINDS = sorted({cls.kind for cls in LAYERS.values()})


class Saved:
    """A model with random weights, and what it gives."""

    def __init__(self, net, style, sizes):
        keras.saving.get_custom_objects().clear()
        self.make = execute(emit(net, style), net.name)
        rng = np.random.default_rng(3)
        inputs = samples.random_inputs(net, rng, static_batch(net) or 2, sizes)
        self.inputs = inputs if len(inputs) > 1 else inputs[0]
        self.model = self.built()
        for variable in numbers(self.model):
            spread = rng.uniform(0.1, 0.5, variable.shape)
            variable.assign(spread if "var" in variable.name else spread * rng.choice((-1, 1), variable.shape))

    def built(self):
        model = self.make()
        self.outputs(model)
        return model

    def outputs(self, model):
        reset(model)
        found = model(self.inputs, training=False)
        return [np.array(y) for y in (found if isinstance(found, list | tuple) else [found])]

    def comes_back(self, folder):
        whole, alone = str(folder / "model.keras"), str(folder / "model.weights.h5")
        wanted = self.outputs(self.model)
        self.model.save(whole)
        self.model.save_weights(alone)
        other = self.built()
        other.load_weights(alone)
        for model in (other, keras.models.load_model(whole)):
            for y, z in zip(self.outputs(model), wanted, strict=True):
                np.testing.assert_array_equal(y, z)
            assert [v.trainable for v in numbers(model)] == [v.trainable for v in numbers(self.model)]
            assert [v.name for v in numbers(model)] == [v.name for v in numbers(self.model)]


def numbers(model):
    """The variables that are weights: no seeds, and no states of recurrent layers."""
    return [v for v in model.variables if "seed" not in v.path and "state" not in v.path]


def reset(model):
    for layer in model._flatten_layers():
        if getattr(layer, "stateful", False):
            layer.reset_state()


def text_of(net, style):
    """The code, or nothing where the net has no such style."""
    try:
        return emit(net, style)
    except SpecError as error:
        (fault,) = error.diagnostics
        assert fault.code in ("no-such-style", "not-in-keras", "symbolic-batch")
        return ""


def styles_of(net):
    """The text in every style that the net permits."""
    assert net.ok, [d.message for d in net.diagnostics]
    return {style: text for style in STYLES if (text := text_of(net, style))}


def check_styles(net, folder, sizes=()):
    for style in styles_of(net):
        Saved(net, style, dict(sizes)).comes_back(folder)


# --- what each class says ---------------------------------------------------------------------------------------------


def assert_known(text):
    """Each class is registered, and what its constructor takes comes back from `get_config`."""
    classes = [node for node in ast.parse(text).body if isinstance(node, ast.ClassDef)]
    for node in classes:
        marks = [ast.unparse(mark) for mark in node.decorator_list]
        assert any(mark.startswith("keras.saving.register_keras_serializable(package=") for mark in marks), node.name
        methods = {method.name: method for method in node.body if isinstance(method, ast.FunctionDef)}
        made = methods.get("__init__")
        names = {word.arg for word in (*made.args.args, *made.args.kwonlyargs)} - {"self"} if made else set()
        held = ast.walk(methods["get_config"]) if "get_config" in methods else ()
        assert names <= {word.value for word in held if isinstance(word, ast.Constant)}, node.name
    return len(classes)


def test_the_classes_of_each_layer():
    found = 0
    for kind in KINDS:
        for example in LAYERS[kind].examples:
            if example in EXAMPLES:
                found += sum(assert_known(text) for text in styles_of(check(spec(example))).values())
    assert found > 500


# --- layers -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_each_layer(kind, tmp_path):
    """Its first example as classes: that of the net, and its own where Keras has none."""
    first = next((example for example in LAYERS[kind].examples if example in EXAMPLES), None)
    if first:
        Saved(check(spec(first)), "subclass", {}).comes_back(tmp_path)


@pytest.mark.sweep
@pytest.mark.parametrize("kind", KINDS)
def test_each_example(kind, tmp_path):
    for example in LAYERS[kind].examples:
        if example in EXAMPLES:
            check_styles(check(spec(example)), tmp_path)


# --- nets -------------------------------------------------------------------------------------------------------------

NETS = {
    "a net that serves twice, in one that does": """
        net inner { input x [4]
         dense(3, activation=tanh) -> batchnorm }
        net outer { input x [4]
         layer e = inner
         output x -> e -> dense(4) -> e }
        net n { input x [4]
         input y [4]
         layer f = outer
         output (x -> f) - (y -> f) }""",
    "a layer that serves twice": "net n { input x [4]\n layer d = dense(4)\n output x -> d -> relu -> d }",
    "a table that serves twice": """net n { input words [5] int(7)
         weight table [7, 4]
         x = table[words] -> layernorm
         output x @ transpose(table) }""",
    "a block with arguments": """
        block unit(n, wide=false) { input x [c]
         if wide { dense(4 * n) }
         dense(n, activation=relu) }
        net n(n=3) { input x [4]
         unit(n) -> unit(2, wide=true) }""",
    "what draws": "net n { input x [4]\n sample_normal(dense(3), dense(3)) }",
}


@pytest.mark.parametrize("name", NETS)
def test_each_net(name, tmp_path):
    check_styles(check(NETS[name], "n.net", "n"), tmp_path)


SPECS = [*((name, "") for name in SMALL), *NARROW, *RECURRENT]
# nets in nets, kept states, cells
CHOSEN = {("vae", ""), ("sine", "batch=3"), ("leaky_units", "T=7")}


def test_what_is_chosen_is_there():
    assert {name for name, _ in CHOSEN} <= {name for name, _ in SPECS}


@pytest.mark.parametrize(
    ("name", "settings"),
    [pytest.param(*one, marks=[] if one in CHOSEN else [pytest.mark.sweep]) for one in dict.fromkeys(SPECS)],
)
def test_each_spec(name, settings, tmp_path):
    net = check_spec(name, settings)
    check_styles(net, tmp_path, {symbol: 12 + k for k, symbol in enumerate(net.net.symbols)})


UNIT = "block unit(n) {{ input x [c]\n x -> dense(n) -> {} }}\nnet {} {{ input x [4]\n unit(3) }}"


def test_classes_of_one_name_in_two_files(tmp_path):
    """Each file is loaded with its own class, whichever came last."""
    keras.saving.get_custom_objects().clear()
    x, found = np.random.default_rng(0).standard_normal((2, 4), np.float32), {}
    for name, act in (("one", "relu"), ("other", "tanh")):
        model = execute(emit(check(UNIT.format(act, name)), "subclass"), name)()
        found[name] = np.array(model(x))
        model.save(tmp_path / f"{name}.keras")
    for name, y in found.items():
        np.testing.assert_array_equal(keras.models.load_model(tmp_path / f"{name}.keras")(x), y)


def test_what_a_loaded_model_is_made_with(tmp_path):
    """Arguments of classes are kept, also those that are no defaults."""
    keras.saving.get_custom_objects().clear()
    text = emit(check(NETS["a block with arguments"], "n.net", "n"), "subclass")
    model = execute(text, "n")(n=2)
    model(np.zeros((1, 4), np.float32))
    model.save(tmp_path / "m.keras")
    loaded = keras.models.load_model(tmp_path / "m.keras")
    assert loaded.n == 2
    assert type(loaded) is type(model)
    held = [(type(part).__name__, part.n, part.wide) for part in loaded.layers]
    assert held == [("Unit", 2, False), ("Unit", 2, True)]
