"""What runs generated code and reads files, with things in the place of the frameworks: none is loaded."""

from __future__ import annotations

import contextlib
import io
import os
import pickle
import sys
import zipfile
from types import SimpleNamespace

import numpy as np
import pytest

from netspec.runtime import checkpoint as checkpoints
from netspec.runtime import keras_model
from netspec.runtime.checkpoint import NoCheckpoint, checkpoint
from netspec.runtime.code import MissingFramework, ModelError, follow, run
from netspec.runtime.keras_model import KerasModel, _checked, _is_state, _variable, import_h5py, import_keras
from netspec.runtime.torch_model import TorchModel, import_torch, is_counter

# --- files of PyTorch ------------------------------------------------------------------------------------------------


class Tensor:
    """What stands for a tensor."""


def read(monkeypatch, held, file=b""):
    """What is made of a file that PyTorch would load as this, or fails on."""
    asked = []

    def load(file, **words):
        asked.append(words)
        if isinstance(held, Exception):
            raise held
        return held

    torch = SimpleNamespace(
        load=load,
        is_tensor=lambda value: isinstance(value, Tensor),
        sparse=SimpleNamespace(check_sparse_tensor_invariants=contextlib.nullcontext),
    )
    monkeypatch.setattr(checkpoints, "import_torch", lambda: torch)
    try:
        return checkpoint(io.BytesIO(file))
    finally:
        assert asked == [{"map_location": "cpu", "weights_only": True}]  # nothing in a file is executed


@pytest.mark.parametrize(
    "wrapped",
    [
        lambda state: state,
        lambda state: {"state_dict": state, "epoch": 3},
        lambda state: {"model": state},
        lambda state: {"model": {"model_state_dict": state, "step": 1}},
        lambda state: {"state_dict": {"model": {"model_state_dict": state}}},
        lambda state: {"model": "resnet", "model_state_dict": state},
    ],
)
def test_where_a_checkpoint_keeps_its_tensors(wrapped, monkeypatch):
    state = {"a.weight": Tensor(), "a.bias": Tensor()}
    assert read(monkeypatch, wrapped(state)) is state


@pytest.mark.parametrize(
    ("held", "said"),
    [
        (3, "holds no state_dict"),
        ([Tensor()], "holds no state_dict"),
        ({}, "holds no state_dict"),
        ({"state_dict": {}}, "holds no state_dict"),
        ({"a": Tensor(), "b": 4}, "is no state_dict: `b` in it is no tensor"),
        ({"a": Tensor(), 7: Tensor()}, "is no state_dict: `7` in it is no tensor"),
        ({"state_dict": None, "a": Tensor()}, "is no state_dict: `state_dict` in it is no tensor"),
    ],
)
def test_what_is_no_checkpoint(held, said, monkeypatch):
    with pytest.raises(NoCheckpoint) as error:
        read(monkeypatch, held)
    assert str(error.value).startswith(said)


def test_a_checkpoint_that_holds_itself_has_an_end(monkeypatch):
    held = {}
    held["model"] = held
    with pytest.raises(NoCheckpoint, match="`model` in it is no tensor"):
        read(monkeypatch, held)


class Runs:
    """A pickle of it would call a command."""

    def __reduce__(self):
        return os.system, ("true",)


def zipped(**members):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in members.items():
            archive.writestr(name.replace("__", "/").replace("_dot_", "."), data)
    return file.getvalue()


SYSTEM = f"{os.system.__module__}.system"
CODE = f"is refused: it holds more than tensors (`{SYSTEM}`), and could run code when it is loaded"
NO_TENSORS = "holds what PyTorch does not load as tensors"
HALF = "is no whole file of PyTorch"


@pytest.mark.parametrize(
    ("file", "said", "why"),
    [
        (zipped(a__data_dot_pkl=pickle.dumps(Runs(), 2)), f"Unsupported: GLOBAL {SYSTEM} was not allowed", CODE),
        (zipped(a__data_dot_pkl=pickle.dumps(Runs(), 4)), f"Unsupported: GLOBAL {SYSTEM} was not allowed", CODE),
        (pickle.dumps(Runs(), 2), f"Unsupported: GLOBAL {SYSTEM} was not allowed", CODE),
        (pickle.dumps(1) + pickle.dumps(Runs(), 0), f"Unsupported: GLOBAL {SYSTEM} was not allowed", CODE),
        (zipped(a__data_dot_pkl=pickle.dumps([1, 2])), "anything", NO_TENSORS),
        (pickle.dumps({"a": "os system"}, 4), f"Unsupported: GLOBAL {SYSTEM} was not allowed", NO_TENSORS),
        (zipped(a__data_dot_pkl=pickle.dumps([1, 2])[:-3]), "anything", HALF),
        (pickle.dumps([1, 2])[:-1], "anything", HALF),
        (b"", "anything", HALF),
        (b"no pickle at all", "anything", HALF),
        (zipped(a__other=b"x"), "anything", HALF),
        (
            zipped(a__data_dot_pkl=pickle.dumps(1), a__code__x_dot_py="pass"),
            "anything",
            "is refused: it is a TorchScript",
        ),
        (
            zipped(a__data_dot_pkl=pickle.dumps(1), a__constants_dot_pkl=b""),
            "anything",
            "is refused: it is a TorchScript",
        ),
    ],
)
def test_why_a_file_is_refused(file, said, why, monkeypatch):
    with pytest.raises(NoCheckpoint) as error:
        read(monkeypatch, RuntimeError(said), file)
    assert str(error.value).startswith(why)


# --- modules of PyTorch ----------------------------------------------------------------------------------------------


class Array:
    """What stands for a tensor with numbers."""

    def __init__(self, array, kind=None):
        self.array, self.dtype = array, kind or array.dtype.name

    shape = property(lambda self: self.array.shape)

    def is_floating_point(self):
        return self.array.dtype.kind == "f"

    def to(self, dtype):
        return Array(self.array, dtype)

    def long(self):
        return Array(self.array, "int64")

    def copy_(self, other):
        self.array = other.array


def module(**tensors):
    """A model of PyTorch with these arrays, without PyTorch."""
    model = object.__new__(TorchModel)
    model.torch = SimpleNamespace(from_numpy=Array, bool="bool", no_grad=contextlib.nullcontext)
    model.dtype = "float64"
    model.device = None
    model.tensors = {name.replace("__", "."): Array(np.zeros(shape)) for name, shape in tensors.items()}
    return model


def test_what_goes_into_a_module():
    """Real numbers in the type of the model, whole ones in 64 bits, truth as it is; images channels first."""
    model = module()
    assert model._tensor(np.zeros((2, 3), np.float32)).dtype == "float64"
    assert model._tensor(np.zeros((2, 3), np.int32)).dtype == "int64"
    assert model._tensor(np.zeros((2, 3), np.bool_)).dtype == "bool"
    assert model._tensor(np.zeros((2, 3, 4), np.float32)).shape == (2, 3, 4)
    assert model._tensor(np.zeros((2, 3, 4, 5), np.float32)).shape == (2, 5, 3, 4)
    assert model._tensor(np.zeros((2, 3, 4, 5, 6), np.float32)).shape == (2, 6, 3, 4, 5)


@pytest.mark.parametrize(
    ("arrays", "odd"),
    [
        ({"a.w": (2,)}, r"a\.b"),
        ({"a.w": (2,), "a.b": (4,)}, r"a\.b"),
        ({"a.w": (4,), "a.b": (4,)}, r"a\.w, a\.b"),
        ({"a.w": (2,), "a.b": (3,), "c": (1,)}, "c"),
        ({"a.w": (4,), "a.b": (3,), "d": (1,), "c": (1,)}, "c, d"),
    ],
)
def test_arrays_that_a_module_does_not_have(arrays, odd):
    model = module(a__w=(2,), a__b=(3,))
    with pytest.raises(ModelError, match=f"hold different arrays: {odd}$"):
        model.load({name: np.ones(shape) for name, shape in arrays.items()})
    model.load({"a.w": np.ones(2), "a.b": np.full(3, 2.0)})
    assert [list(t.array) for t in model.tensors.values()] == [[1, 1], [2, 2, 2]]


class Module:
    """A module of PyTorch that gives what it is told, and keeps what it was given."""

    def __init__(self, given):
        self.given, self.taken = given, None

    def __call__(self, *values):
        self.taken = values
        return self.given

    def modules(self):
        return [self]


def test_what_a_module_gives_is_a_row_of_values():
    out = SimpleNamespace(numpy=lambda: np.zeros((2, 3, 4, 5)))
    model = module()
    for given, count in ((out, 1), ((out, out), 2), ((out,), 1)):
        model.module = Module(given)
        assert [y.shape for y in model([np.zeros((2, 3)), np.zeros((2, 4))])] == [(2, 4, 5, 3)] * count
        assert [value.shape for value in model.module.taken] == [(2, 3), (2, 4)]


def test_what_weights_add_to_the_loss_is_said_by_the_module():
    model = module()
    model.module = SimpleNamespace(regularization=lambda: np.float32(0.25))
    assert model.penalty() == 0.25
    model.module = SimpleNamespace()
    assert model.penalty() == 0


def test_arrays_of_other_names_in_the_same_order():
    shapes = {"b.w": (2,), "b.b": (3,)}
    model = module(a__w=(2,), a__b=(3,))
    assert model.renamed(shapes)
    assert model.shapes == shapes
    assert not model.renamed(shapes)
    assert not module(a__w=(2,), a__b=(4,)).renamed(shapes)


def test_counters():
    assert is_counter("a.num_batches_tracked")
    assert not is_counter("num_batches_tracked.a")


# --- models of Keras -------------------------------------------------------------------------------------------------


class Variable:
    def __init__(self, name, shape=(2,)):
        self.name, self.shape, self.value = name, shape, None

    def assign(self, array):
        self.value = array


class Layer:
    """A layer with variables of its own, and layers in it."""

    def __init__(self, *own, **inner):
        self.own, self.inner = own, inner
        self.__dict__.update(inner)

    @property
    def variables(self):
        return [*self.own, *(v for layer in self.inner.values() for v in layer.variables)]

    def _flatten_layers(self, include_self=True):
        inner = [found for layer in self.inner.values() for found in layer._flatten_layers()]
        return [self, *inner] if include_self else inner


def test_a_variable_is_found_by_its_name():
    kernel, inner, alone = Variable("kernel"), Variable("kernel"), Variable("weird")
    root = Layer(cell=Layer(kernel, deep=Layer(inner)), one=Layer(alone), attribute=Layer())
    root.direct = alone
    assert _variable(root, "cell.kernel") is kernel
    assert _variable(root, "cell.deep.kernel") is inner
    assert _variable(root, "one") is alone
    assert _variable(root, "direct") is alone
    root.number = 3
    for name in ("attribute", "number"):
        with pytest.raises(ModelError, match=f"has 0 variables at `{name}`"):
            _variable(root, name)
    with pytest.raises(ModelError, match=r"the code has nothing at `cell.none`"):
        _variable(root, "cell.none")


def test_arrays_that_a_model_does_not_have():
    model = object.__new__(KerasModel)
    model.variables = {"a.kernel": Variable("kernel"), "a.bias": Variable("bias", (3,))}
    for arrays in ({"a.kernel": np.ones(2)}, {"a.kernel": np.ones(2), "a.bias": np.ones(2)}):
        with pytest.raises(ModelError, match=r"hold different arrays: a\.bias"):
            model.load(arrays)
    with pytest.raises(ModelError, match="hold different arrays"):
        model.load({"a.kernel": np.ones(2), "a.bias": np.ones(3), "odd": np.ones(1)})
    model.load({"a.kernel": np.ones(2), "a.bias": np.ones(3)})
    assert all((variable.value == 1).all() for variable in model.variables.values())


def test_variables_that_go_by_no_name():
    known, odd, seed = Variable("kernel"), Variable("odd"), Variable("seed_generator_state")
    odd.path = "model/odd"
    model = object.__new__(KerasModel)
    model.variables, model.model = {"a": known}, SimpleNamespace(weights=[known, seed])
    model._nothing_else()
    model.model = SimpleNamespace(weights=[known, seed, odd])
    with pytest.raises(ModelError, match="does not have: model/odd"):
        model._nothing_else()
    assert _is_state(Variable("rnn_state"))
    assert not _is_state(Variable("kernel"))


class Whole(Layer):
    """A model of Keras that gives what it is told, and keeps what it was given."""

    built = True

    def __init__(self, given=None, weights=()):
        super().__init__()
        self.given, self.weights, self.taken, self.training = given, list(weights), None, None

    def __call__(self, values, training=None):
        self.taken, self.training = values, training
        return self.given


def test_a_model_takes_one_value_or_a_list():
    model = object.__new__(KerasModel)
    model.keras = SimpleNamespace(ops=SimpleNamespace(convert_to_numpy=np.asarray))
    x, y = np.zeros((2, 3)), np.ones((2, 4))
    for given, taken, shapes in ((y, [x], [(2, 4)]), ([y, x], [x, y], [(2, 4), (2, 3)]), ((y,), [x], [(2, 4)])):
        model.model = Whole(given)
        assert [out.shape for out in model(taken)] == shapes
        assert model.model.taken is x if len(taken) == 1 else model.model.taken == taken
        assert model.model.training is False


@pytest.fixture
def made(monkeypatch):
    """Makes a model of code that holds some variables, without Keras; no name leads to any of them."""

    def make(names, loose, *variables):
        keras = SimpleNamespace(utils=SimpleNamespace(clear_session=lambda **words: None), Sequential=list)
        monkeypatch.setattr(keras_model, "import_keras", lambda dtype="": keras)
        monkeypatch.setattr(keras_model, "_Calls", lambda keras: contextlib.nullcontext([]))
        monkeypatch.setitem(sys.modules, "held_back", SimpleNamespace(model=Whole(weights=variables)))
        text = "import sys\nmodel = sys.modules['held_back'].model\n"
        return KerasModel(text, "a", names, None, list, loose=loose)

    return make


def test_variables_are_taken_in_order_where_names_lead_nowhere(made):
    first, second, seed = Variable("kernel"), Variable("bias", (3,)), Variable("seed_generator_state")
    model = made(["a.kernel", "a.bias"], True, first, seed, second)
    assert model.variables == {"a.kernel": first, "a.bias": second}
    assert model.renamed({"a.kernel": (2,), "a.bias": (3,)})
    assert not model.renamed({"a.kernel": (2,), "a.bias": (4,)})
    for names, loose in ((["a.kernel"], True), (["a.kernel", "a.bias"], False)):
        with pytest.raises(ModelError, match="the code has nothing at `a"):
            made(names, loose, first, seed, second)


def test_what_learns():
    learned, held = Variable("a"), Variable("b")
    model = object.__new__(KerasModel)
    model.variables = {"x.a": learned, "x.b": held}
    model.model = SimpleNamespace(trainable_variables=[learned])
    assert model.trainable == {"x.a": True, "x.b": False}
    assert model.shapes == {"x.a": (2,), "x.b": (2,)}


def test_gradients_are_those_of_what_learns(monkeypatch):
    """Of the sum of the outputs, each times its direction; zeros where an output does not hang on a variable."""
    seen = []

    class Tape(contextlib.ExitStack):
        def gradient(self, loss, values):
            seen.append((loss, values))
            return [None if value == "idle" else np.full(2, 3.0) for value in values]

    tensorflow = SimpleNamespace(
        GradientTape=Tape,
        zeros_like=lambda value: SimpleNamespace(numpy=lambda: np.zeros(2)),
        convert_to_tensor=lambda array: SimpleNamespace(numpy=lambda: array),
    )
    monkeypatch.setitem(sys.modules, "tensorflow", tensorflow)
    learned, held, idle = Variable("a"), Variable("b"), Variable("c")
    learned.value, held.value, idle.value = "learned", "held", "idle"
    model = object.__new__(KerasModel)
    ops = SimpleNamespace(sum=np.sum, cast=lambda array, dtype: array.astype(dtype))
    model.keras = SimpleNamespace(ops=ops, config=SimpleNamespace(backend=lambda: "tensorflow"))
    model.variables = {"x.a": learned, "x.b": held, "x.c": idle}
    model.model = Whole([np.array([1.0, 2.0]), np.array([5.0])])
    model.model.trainable_variables = [learned, idle]
    found = model.gradients([np.zeros(1)], [np.array([10, 100]), np.array([1000])], True)
    assert {name: list(array) for name, array in found.items()} == {"x.a": [3, 3], "x.c": [0, 0]}
    assert seen == [(10 + 200 + 5000, ["learned", "idle"])]
    assert model.model.training is True


def test_the_calls_of_a_model_are_those_of_its_code():
    called = [Layer(), Variable("a"), Layer()]
    assert _checked(called, ["Layer", "Variable", "Layer"], []) is called
    for classes, place in ((["Layer", "Layer", "Layer"], 1), (["Layer", "Variable"], 2), (["Layer"] * 4, 1)):
        with pytest.raises(ModelError, match=f"from call {place} on"):
            _checked(called, classes, [])


# --- code ------------------------------------------------------------------------------------------------------------


def test_what_a_text_defines_last_is_made():
    assert run("class A: pass\nclass B(A): pass", "n").__class__.__name__ == "B"
    assert run("def f(n=3):\n    return n", "n") == 3
    assert run("x = 5", "n") == 5


def test_places_in_a_model():
    layers = SimpleNamespace(layers=[SimpleNamespace(a=[7, 8])])
    assert follow(layers, ["0", "a", "1"]) == 8
    assert follow(layers, []) is layers
    for path in (["1"], ["0", "b"], ["0", "a", "2"], ["0", "a", "1", "0"]):
        with pytest.raises(ModelError, match=f"the code has nothing at `{'.'.join(path)}`"):
            follow(layers, path)


@pytest.mark.parametrize(
    ("find", "name", "said"),
    [
        (import_torch, "torch", "PyTorch is not installed; `pip install netspec-lang[torch]` brings it"),
        (import_keras, "keras", "Keras is not installed; `pip install netspec-lang[keras]` brings it"),
        (import_h5py, "h5py", "h5py is not installed; `pip install netspec-lang[keras]` brings it"),
    ],
)
def test_what_is_not_installed(find, name, said, monkeypatch):
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingFramework) as error:
        find()
    assert str(error.value) == said


def test_a_part_that_is_missing(monkeypatch, tmp_path):
    """What Keras itself needs is named, by what people call it."""
    (tmp_path / "keras.py").write_text("raise ImportError('no', name='tensorflow.python.part')")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "keras", raising=False)
    with pytest.raises(MissingFramework, match="TensorFlow is not installed"):
        import_keras()
