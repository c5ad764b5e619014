"""Cells of one's own: the built-in ones as equations, how cells begin, run and hold one another, and what they cost."""

import numpy as np
import pytest
import torch
from checking import check, check_spec, keras_code, row

from netspec.base.dims import substitute
from netspec.ir.paths import weight_table
from netspec.reference import Reference
from netspec.weights import samples
from netspec.weights.targets import keras_target, torch_target

LSTM = """
cell lstm_cell(units) {
  input x
  state h [units]
  state c [units]
  i = sigmoid(dense(x, units) + dense(h, units, bias=false))
  f = sigmoid(dense(x, units) + dense(h, units, bias=false))
  g = tanh(dense(x, units) + dense(h, units, bias=false))
  o = sigmoid(dense(x, units) + dense(h, units, bias=false))
  next c = f * c + i * g
  next h = o * tanh(next c)
  output next h
}
"""
GRU = """
cell gru_cell(units) {
  input x
  state h [units]
  z = sigmoid(dense(x, units) + dense(h, units))
  r = sigmoid(dense(x, units) + dense(h, units))
  n = tanh(dense(x, units) + r * dense(h, units))
  next h = z * h + (1 - z) * n
  output next h
}
"""
RNN = """
cell rnn_cell(units) {
  input x
  state h [units]
  next h = tanh(dense(x, units) + dense(h, units, bias=false))
  output next h
}
"""
CELLS = {"lstm": LSTM, "gru": GRU, "rnn": RNN}
PARTS = {"lstm": 2, "gru": 1, "rnn": 1}
# around the layer or the cell of four units, and how many values the state has, as multiples of that of one run
PLACES = {
    "LAYER": 1,
    "bidirectional(LAYER)": 2,
    "bidirectional(LAYER, merge=average)": 2,
    "stack(2, LAYER)": 2,
    "stack(2, bidirectional(LAYER, merge=add))": 4,
}
WORDS = "return=(sequence, last, state)"


def written(kind, place="LAYER", words=WORDS, own=True):
    """A net with a recurrent layer, or with its equations."""
    layer = f"scan({kind}_cell(4), {words})" if own else f"{kind}(4, {words})"
    count = 2 + PLACES[place] * PARTS[kind] if words == WORDS else 1
    names = ", ".join(f"y{n}" for n in range(count))
    cell = CELLS[kind] if own else ""
    return (
        f"{cell}\nnet n {{\n  input x [T, 3]\n  {names} = x -> {place.replace('LAYER', layer)}\n  output {names}\n}}\n"
    )


def split(kernels, name, kind):
    """The arrays of a cell's layers, by the weights of the built-in one; `name` says which."""
    gates = np.split(kernels[name], {"lstm": 4, "gru": 3, "rnn": 1}[kind], -1)
    return iter(gates)


def mapped(own, builtin, arrays, kind):
    """The weights of the equations, from those of the built-in layer: its kernels side by side, in the same order."""
    found = {}
    heads = list(dict.fromkeys(path.rpartition(".dense")[0] for path in own))
    layer = next(iter(builtin)).partition(".")[0]
    for head in heads:
        inner = head.split(".")[1:-1]  # what stands between the scope and the cell, as the built-in layer has it
        inner += [head.split(".")[-1]] if head.split(".")[-1] in ("forward", "backward") or inner else []
        if head.split(".")[-1].isdigit():
            inner = [head.split(".")[-1]]
        before = ".".join([layer, *inner]) + "."
        parts = {word: split(arrays, before + word, kind) for word in ("kernel", "recurrent_kernel", "bias")}
        if kind == "gru":
            parts["recurrent_bias"] = split(arrays, before + "recurrent_bias", kind)
        for path in [p for p in own if p.startswith(head + ".dense")]:
            name, word = path[len(head) + 1 :].split(".")
            from_state = int(name.removeprefix("dense")) % 2 == 0
            word = {"kernel": "recurrent_kernel", "bias": "recurrent_bias"}[word] if from_state else word
            found[path] = next(parts[word])
    return found


def pair(kind, place="LAYER", words=WORDS):
    """The equations and the built-in layer, with the same random weights."""
    own, builtin = check(written(kind, place, words)), check(written(kind, place, words, own=False))
    assert not own.diagnostics
    arrays = samples.random_weights(builtin, np.random.default_rng(1))
    return own, builtin, mapped(weight_table(own), weight_table(builtin), arrays, kind), arrays


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("kind", CELLS)
def test_equations_are_the_layer(kind, place):
    own, builtin, weights, arrays = pair(kind, place)
    assert own.totals.params == builtin.totals.params
    assert own.totals.macs == builtin.totals.macs
    x = np.random.default_rng(2).standard_normal((3, 6, 3))
    found, wanted = Reference(own, weights)(x), Reference(builtin, arrays)(x)
    for name in wanted:
        np.testing.assert_allclose(found[name], wanted[name], atol=1e-12, err_msg=name)


@pytest.mark.parametrize("words", ["return=sequence, reverse=true", "return=last, reverse=true"])
def test_equations_read_from_the_end_as_the_layer_does(words):
    own, builtin, weights, arrays = pair("lstm", words=words)
    x = np.random.default_rng(2).standard_normal((3, 6, 3))
    np.testing.assert_allclose(Reference(own, weights)(x), Reference(builtin, arrays)(x), atol=1e-12)


@pytest.mark.parametrize("make", [torch_target, keras_target], ids=["torch", "keras"])
@pytest.mark.parametrize("kind", CELLS)
def test_equations_are_the_layer_in_code(kind, make):
    own, builtin, weights, arrays = pair(kind)
    x = np.random.default_rng(2).standard_normal((3, 6, 3)).astype(np.float32)
    wanted = Reference(builtin, arrays).listed(x)
    for net, given in ((own, weights), (builtin, arrays)):
        target = make(net)
        model = target.model(lambda: [x])
        model.load(target.spelling.put(given))
        for found, array in zip(model([x]), wanted, strict=True):
            np.testing.assert_allclose(found, array, atol=1e-6)


# --- how cells begin, run and hold one another -----------------------------------------------------------------------

LEAK = """
cell leak(units, rate=0.9) {
  state h [units] init=0.5
  next h = rate * h + dense(units)
  output next h
}
"""
LEARNED = """
cell learned(units) {
  input x
  weight first [units]
  weight shift [units]
  state h [units] = tanh(first + shift)
  next h = tanh(x + h * shift)
  output next h
}
"""
MATRIX = """
cell memory {
  input x [c]
  state m [5, c] init=0.1
  weight keys [5, 1]
  next m = m + keys * reshape(x, (1, c))
  output next m
}
"""
NESTED = (
    LSTM
    + LEAK
    + """
cell both(units) {
  input x
  layer twice = leak(units)
  a = x -> lstm_cell(units)
  b = a -> twice
  c = b -> twice
  for i in 0..2 { a -> leak(units, 0.5 + 0.2*i) as last }
  output add(last, b, c)
}
"""
)
NETS = {
    "a number": LEAK + "net n { input x [T, 3]; a, b = x -> scan(leak(4), return=(sequence, state)); output a, b }",
    "weights": LEARNED + "net n { input x [T, 3]; scan(learned(3), return=sequence, reverse=true) }",
    "initial": LSTM + "net n { input x [T, 3]; h, c = x -> scan(lstm_cell(4), return=state)"
    " ; x -> scan(lstm_cell(4), initial=(c, h)) }",
    "nested": NESTED + "net n { input x [T, 3]; scan(both(4), return=sequence) -> scan(both(3)) }",
    "matrices": MATRIX + "net n { input x [T, 3]; a, b, m = x -> scan(memory, return=(sequence, last, state));"
    " output a, b, m }",
    "shared": LEAK + "net n { input x [T, 3]; layer s = scan(leak(3), return=sequence, frozen=true)\n"
    " x -> s -> scan(leak(3, 0.5), return=sequence) -> s }",
    "in a loop": RNN + "net n { input x [T, 3]; for u in [4, 5, 3] { scan(rnn_cell(u), return=sequence) } }",
    "in a block": RNN
    + "block b(u) { scan(rnn_cell(u), return=sequence) -> relu }\nnet n { input x [T, 3]; b(4) -> b(5) }",
}


def runs(net, make, x, weights):
    target = make(net)
    model = target.model(lambda: [x])
    model.load(target.spelling.put(weights))
    return model([x])


def subclass_target(net):
    return keras_target(net, "subclass")


@pytest.mark.parametrize("make", [torch_target, keras_target, pytest.param(subclass_target, marks=pytest.mark.sweep)])
@pytest.mark.parametrize("name", NETS)
def test_all_forms_agree(name, make):
    net = check(NETS[name])
    assert not net.diagnostics
    rng = np.random.default_rng(3)
    weights = samples.random_weights(net, rng)
    x = rng.standard_normal((2, 5, 3)).astype(np.float32)
    for found, wanted in zip(runs(net, make, x, weights), Reference(net, weights).listed(x), strict=True):
        np.testing.assert_allclose(found, wanted, atol=1e-5)


def test_classes_of_keras_agree():
    net = check(NETS["weights"])
    rng = np.random.default_rng(3)
    weights = samples.random_weights(net, rng)
    x = rng.standard_normal((2, 5, 3)).astype(np.float32)
    (found,) = runs(net, subclass_target, x, weights)
    np.testing.assert_allclose(found, Reference(net, weights)(x), atol=1e-5)


def test_a_state_begins_as_it_says():
    net = check(LEAK + "net n { input x [T, 3]; scan(leak(2, 1), return=sequence) }")
    weights = {path: np.zeros(weight.sizes) for path, weight in weight_table(net).items()}
    found = Reference(net, weights)(np.ones((1, 4, 3)))
    np.testing.assert_array_equal(found, np.full((1, 4, 2), 0.5))


@pytest.mark.parametrize("step", ["scan({})", "bidirectional(scan({}))", "stack(2, scan({}))"])
def test_a_scan_goes_over_what_comes_in(step):
    """A recurrence over weights alone would be the same for every sample; there is no form for that."""
    net = check(LEAK + f"net n {{ input x [2]; weight w [7, 3]; s = w -> {step.format('leak(2, 1)')}; x * s[0] }}")
    (fault,) = [d for d in net.diagnostics if d.severity == "error"]
    assert fault.code == "wrong-value"
    assert fault.message == "scan goes over what comes in for each sample, but x is made of weights alone"


def test_a_step_that_does_nothing_to_the_start_is_done_once():
    """What only the first state hangs on is no part of a step: neither in the figures nor in the code."""
    net = check(LEARNED + "net n { input x [T, 3]; scan(learned(3)) }")
    once = row(net, "learned.tanh1")
    assert once.figures.other_ops == 3
    text = torch_target(net).text
    step = text.partition("def forward(self, x, h)")[2].partition("class ")[0]
    assert "self.first" not in step
    assert "self.first" in text


def test_a_saved_keras_model_is_loaded_again(tmp_path):
    import keras as framework

    text = (
        LSTM + LEAK + "net n(units=4) { input x [T, 3]; scan(lstm_cell(units), return=sequence) -> scan(leak(units)) }"
    )
    names = {}
    exec(keras_code(check(text)), names)
    model = names["n"](units=5)
    x = np.random.default_rng(0).standard_normal((2, 5, 3))
    model.save(tmp_path / "cells.keras")
    again = framework.saving.load_model(tmp_path / "cells.keras")
    np.testing.assert_array_equal(np.array(again(x)), np.array(model(x)))


def test_the_code_of_a_cell_is_its_equations():
    """As one would write them; the golden cases have the rest."""
    text = torch_target(check_spec("gated_cell")).text
    assert "        s = f * s + g * torch.sigmoid(self.dense7(x) + self.dense8(h))\n" in text
    assert "        h = torch.tanh(s) * q\n        return h, (h, s)\n" in text
    names = {}
    exec(text, names)
    cell = names["GatedCell"]().gated
    y, (h, s) = cell(torch.zeros(2, 32), torch.zeros(2, 64), torch.zeros(2, 64))
    assert y is h
    assert s.shape == (2, 64)


# --- figures ---------------------------------------------------------------------------------------------------------


def test_weights_count_once_and_steps_each_time():
    net = check(LSTM + "net n { input x [T, 3]; scan(lstm_cell(4)) }")
    assert net.totals.params == 4 * 4 * (3 + 4 + 1)
    assert substitute(net.totals.macs, {"T": 7}) == 7 * 4 * 4 * (3 + 4)
    inner = row(net, "lstm_cell.dense1").figures
    assert (inner.params, str(inner.macs)) == (16, "12*T")
    fixed = check(LSTM + "net n { input x [7, 3]; scan(lstm_cell(4)) }")
    assert fixed.totals.macs == substitute(net.totals.macs, {"T": 7})


def test_paths_are_those_of_the_equations():
    net = check(LSTM + "net n { input x [T, 3]; bidirectional(scan(lstm_cell(4))) as enc }")
    assert list(weight_table(net))[:2] == ["enc.forward.dense1.kernel", "enc.forward.dense1.bias"]
    assert "enc.backward.dense8.kernel" in weight_table(net)


@pytest.mark.parametrize("words", ["state = 3; next = 4; dense(state + next)", "dense(3) as state; state -> dense(2)"])
def test_words_of_cells_are_names_elsewhere(words):
    assert not check(f"net n {{ input x [3]; {words} }}").diagnostics
