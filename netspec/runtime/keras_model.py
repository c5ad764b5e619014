"""A generated Keras model."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager, nullcontext

from ..base.record import TYPE_CHECKING
from ..base.stopping import Scratch
from .code import MissingFramework, ModelError, follow, run
from .keras_gradients import GRADIENTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import Any

    from ..layers.base import Array


# what people call the packages that are imported, and the extra that brings each
_CALLED = {
    "keras": ("Keras", "keras"),
    "tensorflow": ("TensorFlow", "keras"),
    "torch": ("PyTorch", "torch"),
    "jax": ("JAX", "jax"),
}


def import_keras(dtype: str = "float32") -> Any:
    """The framework, set to a type of numbers. Raises MissingFramework."""
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        with _hushed():
            import keras
    except ImportError as error:
        missing = (error.name or "keras").partition(".")[0]
        raise MissingFramework(*_CALLED.get(missing, (missing, "keras"))) from None
    keras.config.set_floatx(dtype)
    if keras.config.backend() == "jax":
        import jax

        jax.config.update("jax_enable_x64", dtype == "float64")  # or else all is float32
    return keras


def import_h5py() -> Any:
    """What reads Keras's files; it comes with Keras. Raises MissingFramework."""
    try:
        import h5py
    except ImportError:
        raise MissingFramework("h5py", "keras") from None
    return h5py


@contextmanager
def _hushed() -> Iterator[None]:
    """Standard error closed to the libraries below Python: TensorFlow greets there before it reads its log level."""
    if "keras" in sys.modules or os.environ.get("NETSPEC_DEBUG"):
        yield
        return
    try:
        kept = os.dup(2)
    except OSError:  # there is none
        yield
        return
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


class KerasModel:
    """A model with its variables by name.

    A name is a path of attributes (`layer1.conv1.kernel`), or in code that keeps its layers in no attributes the number
    of a call and the attributes from there (`12.kernel`). `calls` are then the classes of the layers that the code
    calls, one for each call; a Sequential model calls its layers in a row. With `loose` only those count that hold
    variables, since one function may be written in several ways, and where names lead nowhere the variables are taken
    in order. With `structure` they get no numbers.
    """

    def __init__(
        self,
        text: str,
        net: str,
        names: Sequence[str],
        calls: Sequence[str] | None,
        example: Callable[[], Sequence[Array]],
        dtype: str = "float32",
        structure: bool = False,
        loose: bool = False,
    ) -> None:
        self.keras = import_keras(dtype)
        self.keras.utils.clear_session(free_memory=False)
        self.scope = self.keras.StatelessScope(initialize_variables=False) if structure else nullcontext()
        with self.scope, _Calls(self.keras) as called:
            self.model = run(text, net)
        if isinstance(self.model, self.keras.Sequential):
            called = list(self.model.layers)
        if not self.model.built:  # a subclassed model makes its variables when it is called
            (self.outlines if structure else self)(example())
        root = self.model if calls is None else (_holding if loose else _checked)(called, calls, names)
        self.in_order = False
        try:
            self.variables = {name: _variable(root, name) for name in names}
        except ModelError:
            held = [v for v in self.model.weights if not _is_state(v)]
            if not loose or len(held) != len(names):
                raise
            self.variables, self.in_order = dict(zip(names, held)), True
        self._nothing_else()

    def renamed(self, shapes: Mapping[str, tuple[int, ...]]) -> bool:
        """Are the variables those of other names, in the same order?"""
        return self.in_order and self.shapes == shapes

    def reordered(self, shapes: Mapping[str, tuple[int, ...]]) -> bool:
        """Are there as many variables of each shape, under other names, and not in this order?"""
        found = self.shapes
        return self.in_order and found != shapes and sorted(found.values()) == sorted(shapes.values())

    def _nothing_else(self) -> None:
        """Raises ModelError where the model holds variables that go by no name."""
        known = {id(v) for v in self.variables.values()}
        odd = [v.path for v in self.model.weights if id(v) not in known and not _is_state(v)]
        if odd:
            raise ModelError(f"the Keras model holds arrays that the net does not have: {', '.join(odd[:5])}")

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        return {name: tuple(variable.shape) for name, variable in self.variables.items()}

    @property
    def trainable(self) -> dict[str, bool]:
        held = {id(v) for v in self.model.trainable_variables}
        return {name: id(variable) in held for name, variable in self.variables.items()}

    def load(self, arrays: Mapping[str, Array]) -> None:
        """Set all variables. Raises ModelError where they are not those of the model."""
        odd = [n for n, shape in self.shapes.items() if n not in arrays or arrays[n].shape != shape]
        if odd or len(arrays) != len(self.variables):
            raise ModelError(f"the Keras model and the net hold different arrays: {', '.join(odd[:5])}", self.shapes)
        for name, array in arrays.items():
            self.variables[name].assign(array)

    def save(self, path: str) -> None:
        """Write the weights alone (`.weights.h5`), or the model with its weights (`.keras`).

        Raises MissingFramework.
        """
        import_h5py()
        if path.endswith(".keras"):
            self.model.save(path)
        else:
            self.model.save_weights(path)

    def stored(self) -> tuple[dict[str, str], dict[str, str]]:
        """Where Keras keeps the variables in a file: our name for each dataset, and its layer for each group.

        The name is empty for what is no weight, such as the state of a generator of random numbers. The model is given
        a number for each variable and written, so that the answer is that of the installed version; its weights are
        lost.
        """
        import numpy as np

        h5py = import_h5py()
        variables = list(self.model.variables)
        names = {id(variable): name for name, variable in self.variables.items()}
        for number, variable in enumerate(variables):
            variable.assign(np.full(variable.shape, number, variable.dtype))
        datasets: dict[str, str] = {}
        layers: dict[str, str] = {}
        with Scratch() as folder:
            path = os.path.join(folder.path, "numbered.weights.h5")
            self.model.save_weights(path)
            with h5py.File(path, "r") as file:

                def visit(name: str, item: Any) -> None:
                    if isinstance(item, h5py.Dataset):
                        number = int(item[(0,) * item.ndim])
                        datasets[name] = names.get(id(variables[number]), "")
                    elif "name" in item.attrs:
                        layers[name] = str(item.attrs["name"])

                file.visititems(visit)
        return datasets, layers

    def __call__(self, inputs: Sequence[Array]) -> list[Array]:
        """The outputs for inputs, in inference mode."""
        return [self.keras.ops.convert_to_numpy(out) for out in self._outputs(inputs, False)]

    def outlines(self, inputs: Sequence[Array]) -> list[Array]:
        """Zeros of the shapes of the outputs, worked out without numbers; a size that only numbers tell is 0."""
        import numpy as np

        with self.scope:
            given = [self.keras.KerasTensor(array.shape, str(array.dtype)) for array in inputs]
            found = self.model(given[0] if len(given) == 1 else given)
        outputs = found if isinstance(found, list | tuple) else [found]
        return [np.zeros([d or 0 for d in out.shape], np.float32) for out in outputs]

    def penalty(self) -> float:
        """What its weights add to the loss."""
        return float(sum(self.model.losses))

    def _outputs(self, inputs: Sequence[Array], training: bool) -> Sequence[Any]:
        for layer in self.model._flatten_layers():
            if getattr(layer, "stateful", False):
                layer.reset_state()
        found = self.model(inputs[0] if len(inputs) == 1 else list(inputs), training=training)
        return found if isinstance(found, list | tuple) else [found]

    def gradients(self, inputs: Sequence[Array], directions: Sequence[Array], training: bool) -> dict[str, Array]:
        """The gradients of the sum of the outputs, each times its direction, by name."""
        names = [n for n, held in self.trainable.items() if held]
        ops = self.keras.ops

        def loss() -> Any:
            outputs = self._outputs(inputs, training)
            return sum(ops.sum(out * ops.cast(d, out.dtype)) for out, d in zip(outputs, directions))

        found = GRADIENTS[self.keras.config.backend()](loss, [self.variables[n] for n in names])
        return dict(zip(names, found))


class _Calls:
    """Notes the layers that are called while it is entered, but not those that layers call."""

    def __init__(self, keras: Any) -> None:
        self.layer = keras.layers.Layer
        self.found: list[Any] = []
        self.depth = 0

    def __enter__(self) -> list[Any]:
        original = self.original = self.layer.__call__

        def noted(layer: Any, *args: Any, **kwargs: Any) -> Any:
            if self.depth == 0:
                self.found.append(layer)
            self.depth += 1
            try:
                return original(layer, *args, **kwargs)
            finally:
                self.depth -= 1

        self.layer.__call__ = noted
        return self.found

    def __exit__(self, *_: object) -> None:
        self.layer.__call__ = self.original


def _holding(called: Sequence[Any], classes: Sequence[str], names: Sequence[str]) -> dict[int, Any]:
    """The layers that hold variables, by the numbers that the code was written to call them at."""
    numbers = list(dict.fromkeys(int(name.partition(".")[0]) for name in names))
    layers: dict[int, Any] = {}
    seen: set[int] = set()
    for one in called:
        weights = {id(v) for v in one.weights if not _is_state(v)}
        if not weights <= seen:  # a model that was made of layers holds nothing more than these
            layers[id(one)] = one
        seen |= weights
    held = dict(zip(sorted(numbers), layers.values()))
    if len(layers) != len(numbers) or any(type(one).__name__ != classes[n] for n, one in held.items()):
        found, told = (
            ", ".join(names) for names in ([type(o).__name__ for o in layers.values()], [classes[n] for n in numbers])
        )
        raise ModelError(f"the layers with weights are {found or 'none'}, in the net {told or 'none'}")
    return held


def _checked(called: Sequence[Any], classes: Sequence[str], _names: Sequence[str]) -> Sequence[Any]:
    """The layers that were called, which must be those that the code was written to call."""
    found = [type(layer).__name__ for layer in called]
    if found != list(classes):
        at = next(
            (k for k, pair in enumerate(zip(found, classes)) if pair[0] != pair[1]), min(len(found), len(classes))
        )
        raise ModelError(f"the Keras model calls other layers than its code says, from call {at} on")
    return called


def _variable(root: Any, name: str) -> Any:
    """The variable of a name. Raises ModelError."""
    *path, last = name.split(".")
    own = [v for v in _own(follow(root, path)) if v.name == last]
    if len(own) != 1:  # the attribute is the variable itself, or a layer that holds no other
        found = follow(root, [*path, last])
        own = [found] if hasattr(found, "assign") else list(_own(found))
    if len(own) != 1:
        raise ModelError(f"the Keras model has {len(own)} variables at `{name}`")
    return own[0]


def _own(layer: Any) -> Iterator[Any]:
    """The variables of a layer, those of the layers in it left out."""
    if not hasattr(layer, "variables"):
        return iter(())
    inner = {id(v) for part in layer._flatten_layers(include_self=False) for v in part.variables}
    return (v for v in layer.variables if id(v) not in inner)


def _is_state(variable: Any) -> bool:
    """Does it hold what a layer keeps between its calls: the seed of its random numbers, the state of a recurrence?"""
    return str(variable.name).startswith(("seed_generator", "rnn_state"))
