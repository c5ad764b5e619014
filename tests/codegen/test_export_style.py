"""PyTorch code in the style `export`: the same function, which keeps a dynamic length where it is exported."""

import re

import numpy as np
import pytest
import torch
from checking import check, check_spec, torch_code
from test_layer_examples import is_several, spec

import netspec
from netspec.analysis.static_batch import static_batch
from netspec.cli import main
from netspec.layers import LAYERS
from netspec.reference import Reference
from netspec.runtime.code import execute
from netspec.runtime.torch_model import TorchModel
from netspec.runtime.torch_runtimes import RUNTIMES
from netspec.verify.legs import varying
from netspec.verify.verdict import apart
from netspec.weights.samples import random_inputs, random_weights, sizes_that_fit
from netspec.weights.targets import torch_target

SHORT, LONG = {"T": 5, "S": 4, "H": 9, "W": 8}, {"T": 9, "S": 7, "H": 7, "W": 11}
NETS = {
    "layers and directions": "input x [T, 3]; stack(2, bidirectional(lstm(4))) -> dense(2)",
    "half the steps": "input x [T, 3]; conv(3, 3, stride=2, padding=1) -> bidirectional(lstm(4, return=sequence))",
    "two lengths": "input x [T, 3]; input y [S, 3]; h = y -> gru(4); output x -> gru(4, initial=h, return=sequence)",
    "from the end": "input x [T, 3]; y = x -> rnn(4, activation=relu, reverse=true, return=sequence); output y",
    "a mask": "input x [T, 3]; input m [T] bool; y, h = x -> lstm(4, mask=m, return=(last, sequence)); output y, h",
    "other activations": "input x [T, 3]; gru(4, activation=relu, reset_after=false, recurrent_dropout=0.2)",
    "on grids": "input x [T, 4, 4, 1]; y, h = x -> conv_lstm(2, 2, return=(sequence, last)); output y, h",
    "a masked grid": "input x [T, 4, 4, 2]; input mask [T] bool; output x -> conv_lstm(2, 3, mask=mask, dropout=0.1)",
    "a cell": "input x [T, 3]; y, h = x -> bidirectional(scan(leaky(4), return=(sequence, last))); output y, h",
    "pools": "input x [H, W, 2]; y = x -> adaptive_avgpool(3x2); z = x -> conv(3, 1) -> adaptive_maxpool(4) -> flatten;"
    "output y, z",
    "pools of sequences": "input x [T, 3]; y = adaptive_avgpool(3); output adaptive_maxpool(x, 4), y",
}
CELL = """
cell leaky(units) {
  input x
  state mean [units] init=0.5
  next mean = 0.9 * mean + 0.1 * tanh(dense(x, units))
  output next mean * 2
}
"""


def net_of(body):
    net = check(f"{CELL if 'leaky' in body else ''} net n {{ {body} }}")
    assert net.ok
    return net


def gives_the_same(net, way, style="export", sizes=(SHORT, LONG), counts=(3, 1)):
    """Is what a way makes of the code, from the first of several batches, the net for all of them?"""
    rng, static = np.random.default_rng(0), static_batch(net)
    target, weights = torch_target(net, style), random_weights(net, rng)
    words = (target.text, target.net)
    model = RUNTIMES[way](*words, varying(net, static)) if way in RUNTIMES else TorchModel(*words)
    model.load(target.spelling.put(weights))
    for given in sizes:
        for count in counts if static is None else (static,):
            inputs = random_inputs(net, rng, count, given)
            for found, wanted in zip(model(inputs), Reference(net, weights).listed(*inputs), strict=True):
                assert found.shape == wanted.shape
                assert apart(found, wanted) < 1e-5


@pytest.mark.parametrize("name", NETS)
def test_it_is_the_same_function(name):
    gives_the_same(net_of(NETS[name]), "torch")


@pytest.mark.parametrize("name", NETS)
def test_an_exported_program_takes_any_length(name):
    gives_the_same(net_of(NETS[name]), "export")


@pytest.mark.parametrize("name", ["two lengths", "a mask", "a cell", "pools"])
def test_onnx_takes_any_length(name):
    gives_the_same(net_of(NETS[name]), "onnxruntime")


def test_without_the_style_a_length_is_fixed():
    """So that it is known when PyTorch needs this no longer."""
    with pytest.raises(Exception, match="Constraints violated"):
        gives_the_same(net_of(NETS["layers and directions"]), "export", "module")


@pytest.mark.parametrize("name", ["layers and directions", "from the end"])
def test_it_is_compiled_as_one_graph(name, monkeypatch):
    """Where PyTorch's own layers are refused."""
    compile = torch.compile
    monkeypatch.setattr(torch, "compile", lambda module, **words: compile(module, fullgraph=True, backend="aot_eager"))
    gives_the_same(net_of(NETS[name]), "compile", sizes=(SHORT,))


# --- weights ---------------------------------------------------------------------------------------------------------

CLASSES = {
    "LSTM": "net n { input x [T, 3]; lstm(4) }",
    "GRU": "net n { input x [T, 3]; gru(4) }",
    "RNN": "net n { input x [T, 3]; rnn(4) }",
}
KINDS = [{}, {"bidirectional": True, "num_layers": 2}, {"bias": False, "num_layers": 3}]


@pytest.mark.parametrize("words", KINDS, ids=str)
@pytest.mark.parametrize("name", CLASSES)
def test_a_class_is_that_of_pytorch(name, words):
    """Its names, shapes and numbers, its state and its gradients, step by step as well."""
    own = getattr(torch.nn, name)(3, 4, batch_first=True, **words)
    made = _classes(CLASSES[name])[name](3, 4, batch_first=True, **words)
    made.load_state_dict(own.state_dict())
    x = torch.randn(2, 5, 3)
    state = own(x)[1]  # some state
    for given in (None, state):
        _same(made(x, given), own(x, given))
        _same(made.by_steps(x, _zeros(state) if given is None else _all(given)), own(x, given))
    made.by_steps(x, _zeros(state))[0].square().sum().backward()
    own(x)[0].square().sum().backward()
    torch.testing.assert_close([p.grad for p in made.parameters()], [p.grad for p in own.parameters()])


def _classes(text):
    return execute(torch_code(check(text), "export"), "n").__init__.__globals__


def _all(state):
    return state if isinstance(state, tuple) else (state,)


def _zeros(state):
    return tuple(map(torch.zeros_like, _all(state)))


def _same(found, wanted):
    for a, b in zip(_parts(*found), _parts(*wanted), strict=True):
        torch.testing.assert_close(a, b)


def _parts(y, state):
    return (y, state) if isinstance(state, torch.Tensor) else (y, *state)


def test_a_relu_is_that_of_pytorch():
    made = _classes(CLASSES["RNN"])["RNN"](3, 4, nonlinearity="relu", batch_first=True)
    own = torch.nn.RNN(3, 4, nonlinearity="relu", batch_first=True)
    own.load_state_dict(made.state_dict())
    _same(made(torch.ones(1, 2, 3)), own(torch.ones(1, 2, 3)))
    _same(made.by_steps(torch.ones(1, 2, 3), (torch.zeros(1, 1, 4),)), own(torch.ones(1, 2, 3)))


@pytest.mark.parametrize("name", NETS)
def test_weights_go_from_one_style_to_the_other(name):
    net = net_of(NETS[name])
    plain, exported = (torch_target(net, style).model(list) for style in ("module", "export"))
    exported.module.load_state_dict(plain.module.state_dict())
    assert [n for n, _ in plain.module.named_parameters()] == [n for n, _ in exported.module.named_parameters()]
    assert plain.trainable == exported.trainable
    inputs = random_inputs(net, np.random.default_rng(1), 2, SHORT)
    for a, b in zip(plain(inputs), exported(inputs)):
        np.testing.assert_allclose(a, b, atol=1e-6)


def test_the_code_differs_in_its_helpers_alone():
    """The classes of the spec are the same, but for the names of PyTorch's layers."""
    net = check_spec("captions")
    plain, exported = (torch_code(net, style) for style in ("module", "export"))
    own = plain[plain.index("class Captions") :]
    assert exported.endswith(own.replace("nn.LSTM", "LSTM"))
    for name in ("resnet50", "wavenet"):
        assert torch_code(check_spec(name), "export") == torch_code(check_spec(name))


def test_they_begin_alike():
    torch.manual_seed(0)
    plain = netspec.parse(CLASSES["LSTM"]).torch()
    torch.manual_seed(0)
    exported = netspec.parse(CLASSES["LSTM"]).torch(style="export")
    torch.testing.assert_close(plain.state_dict(), exported.state_dict())
    assert plain.lstm.bias_ih_l0[4:8].tolist() == [1, 1, 1, 1]


# --- commands --------------------------------------------------------------------------------------------------------

WRONG = {
    ("build", "--to", "torch", "--style", "functional"): "functional is not for torch, which has module, export",
    (
        "build",
        "--to",
        "keras",
        "--style",
        "export",
    ): "export is not for keras, which has functional, sequential, subclass",
    (
        "verify",
        "--target",
        "jax",
        "--style",
        "export",
    ): "--style export is for PyTorch code: add a --target that runs it (torch, compile, export, onnxruntime)",
}


@pytest.mark.parametrize("words", WRONG)
def test_a_style_of_the_other_framework_is_refused(words, tmp_path, capsys):
    path = tmp_path / "n.net"
    path.write_text(CLASSES["LSTM"])
    assert main([words[0], str(path), *words[1:]]) == 2
    assert WRONG[words] in capsys.readouterr().err


def test_a_style_that_is_not_there_is_refused():
    net = netspec.parse(CLASSES["LSTM"])
    with pytest.raises(netspec.SpecError, match="PyTorch code has no style `functional`") as caught:
        net.to_torch("functional")
    assert caught.value.diagnostics[0].help == "styles are module, export"
    with pytest.raises(netspec.SpecError, match="Keras code has no style `export`"):
        net.to_keras("export")


def test_it_is_built(tmp_path, capsys):
    path = tmp_path / "n.net"
    path.write_text(CLASSES["LSTM"])
    assert main(["build", str(path), "--to", "torch", "--style", "export"]) == 0
    assert capsys.readouterr().out == netspec.parse(CLASSES["LSTM"]).to_torch("export")


@pytest.mark.sweep
def test_it_is_verified(tmp_path, capsys):
    path = tmp_path / "n.net"
    path.write_text("net n(units=3) { input x [T, 2]; dense(units) -> lstm(4, return=sequence) }")
    targets = ["--target", "torch", "--target", "export", "--target", "onnxruntime", "--target", "compile"]
    assert main(["verify", str(path), *targets, "--style", "export"]) == 0
    told = capsys.readouterr()
    assert "PyTorch = torch.export = ONNX Runtime = torch.compile = reference" in told.out
    assert main(["verify", str(path), "--set", "T=6", "--target", "torch", "--style", "export", "--settings", "1"]) == 0
    assert "trying N with units=" in capsys.readouterr().err
    assert main(["verify", str(path), "--target", "export"]) == 1
    assert "Constraints violated" in capsys.readouterr().out
    assert main(["verify", str(path), "--target", "export", "--style", "export", "--tolerance", "1e-12"]) == 1
    assert re.search(r"to see it again: .* --target export --style export", capsys.readouterr().err)


# --- all of them -----------------------------------------------------------------------------------------------------

RECURRENT = [
    e for kind in ("rnn", "lstm", "gru", "conv_lstm", "bidirectional", "stacked") for e in LAYERS[kind].examples
]


def of_any_length(example):
    """A net of an example whose sequences are of a length T."""
    shapes = example.shape if is_several(example.shape) else (example.shape,)
    over_time = [name in ("x", "mask") for name in example.names] or [True]
    shapes = tuple(("T", *shape[1:]) if long else shape for shape, long in zip(shapes, over_time))
    text = spec(example.replace(shape=shapes if is_several(example.shape) else shapes[0]))
    return check(text.replace("'T'", "T"))


@pytest.mark.sweep
@pytest.mark.parametrize("way", ["torch", "export", "onnxruntime"])
@pytest.mark.parametrize("example", RECURRENT, ids=lambda e: e.code)
def test_every_example_takes_any_length(example, way):
    gives_the_same(of_any_length(example), way)


@pytest.mark.sweep
@pytest.mark.parametrize("way", ["torch", "export", "onnxruntime"])
@pytest.mark.parametrize("example", LAYERS["adaptive_avgpool"].examples + LAYERS["adaptive_maxpool"].examples, ids=str)
def test_every_pool_takes_any_size(example, way):
    """Also where a window is smaller than a cell, and where sizes are known, in ONNX."""
    rank = len(example.shape) - 1
    sizes = [dict(zip("HWD", given)) for given in ((9, 8, 6), (7, 11, 5), (2, 3, 9), (1, 1, 1))]
    open_ = spec(example.replace(shape=(*"HWD"[:rank], example.shape[-1])))
    gives_the_same(check(open_), way, sizes=sizes)
    gives_the_same(check(spec(example)), way, sizes=({},))


@pytest.mark.sweep
@pytest.mark.parametrize("way", ["export", "onnxruntime"])
@pytest.mark.parametrize(
    "name", ["captions", "gated_cell", "leaky_units", "lstm_peephole", "ntm", "tagger", "translator_additive"]
)
def test_specs_take_any_length(name, way):
    from bench.zoo import within_reach

    net = within_reach(name)[0]
    gives_the_same(net, way, sizes=sizes_that_fit(net))
