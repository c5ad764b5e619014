"""The configuration of a Keras layer, read key by key: what nobody asks for and is not at its default is told of."""

from __future__ import annotations

from ..base.record import TYPE_CHECKING
from ..layers.activations import WORDS
from ..layers.arguments import Word
from ..layers.initialisers import SCALED, Initialiser
from .growing import NotUnderstood

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, TypeAlias

    # a step with its arguments
    Other: TypeAlias = "tuple[str, dict[str, Any]]"

# what says nothing of the function that a layer computes
_BESIDE = {
    *("name", "trainable", "dtype", "build_config", "batch_input_shape", "batch_shape", "input_shape", "input_dtype"),
    *(
        "build_input_shape",
        "seed",
        "synchronized",
        "unroll",
        "zero_output_for_mask",
        "autocast",
        "batch_size",
        "sparse",
    ),
    *("implementation", "time_major", "renorm_clipping", "renorm_momentum", "fused", "input_length", "ragged"),
    *("quantization_config", "lora_alpha", "activity_regularizer"),
}
# by the end of a key, the values that stand for "none of it"
_NONE: tuple[Any, ...] = (None, "linear", False, 0, 0.0, [], {}, "")
# those that are not the same function here and there
_OTHERWISE: dict[str, Other | None] = {
    "leaky_relu": ("leaky_relu", {"slope": 0.2}),
    "threshold": None,
    "glu": None,
    "prelu": None,
}
_INITIALISERS = {
    "GlorotUniform": "glorot_uniform",
    "GlorotNormal": "glorot_normal",
    "HeUniform": "he_uniform",
    "HeNormal": "he_normal",
    "LecunUniform": "lecun_uniform",
    "LecunNormal": "lecun_normal",
    "Zeros": "zeros",
    "Ones": "ones",
    "Orthogonal": "orthogonal",
    "OrthogonalInitializer": "orthogonal",
}
_SPREADS = {"RandomNormal": ("normal", "stddev"), "TruncatedNormal": ("truncated_normal", "stddev")}
_FANS: dict[Any, str] = {
    (2.0, "fan_in", "truncated_normal"): "he_normal",
    (2.0, "fan_in", "uniform"): "he_uniform",
    (1.0, "fan_in", "truncated_normal"): "lecun_normal",
    (1.0, "fan_in", "uniform"): "lecun_uniform",
    (1.0, "fan_avg", "truncated_normal"): "glorot_normal",
    (1.0, "fan_avg", "uniform"): "glorot_uniform",
}


class LayerConfig:
    """What a Keras layer says of itself. `notes` takes what does not change its function and has no place here."""

    def __init__(self, kind: str, values: Mapping[str, Any], notes: list[str]) -> None:
        self.kind, self.values, self.notes = kind, values, notes
        self.name = str(values.get("name", kind.lower()))
        self._asked: set[str] = set()

    def get(self, key: str, default: Any = None) -> Any:
        self._asked.add(key)
        found = self.values.get(key, default)
        return default if found is None else found

    def size(self, key: str, default: int | None = None) -> int:
        """A whole number. Raises NotUnderstood."""
        found = self.get(key, default)
        if isinstance(found, float) and found.is_integer():
            found = int(found)
        if isinstance(found, bool) or not isinstance(found, int):
            raise NotUnderstood(f"`{key}` is {_shown(found)}, which is no whole number")
        return found

    def number(self, key: str, default: float) -> float:
        """A number. Raises NotUnderstood."""
        found = self.get(key, default)
        if isinstance(found, bool) or not isinstance(found, int | float):
            raise NotUnderstood(f"`{key}` is {_shown(found)}, which is no number")
        return found

    def axes(self, key: str, default: Any = 1) -> Any:
        """A number for each axis, or one where all agree."""
        found = self.get(key, default)
        items = tuple(found) if isinstance(found, list | tuple) else (found,)
        if not all(isinstance(n, int) and not isinstance(n, bool) for n in items) or not items:
            raise NotUnderstood(f"`{key}` is {_shown(found)}")
        return items if len(items) > 1 else items[0]

    def window(self, key: str, default: Any = 1) -> Any:
        """The same, where a number stands for all axes."""
        found = self.axes(key, default)
        return found[0] if isinstance(found, tuple) and len(set(found)) == 1 else found

    def word(self, key: str, allowed: Mapping[Any, Any], default: Any) -> Any:
        """One of some values, as the language calls it. Raises NotUnderstood."""
        found = self.get(key, default)
        found = tuple(found) if isinstance(found, list) else found
        if found not in allowed:
            raise NotUnderstood(f"`{key}={_shown(found)}` has no counterpart")
        return allowed[found]

    def must(self, **wanted: Any) -> None:
        """Keys that can have one value only. Raises NotUnderstood."""
        for key, value in wanted.items():
            found = self.get(key, value)
            if found != value:
                raise NotUnderstood(f"`{key}={_shown(found)}` has no counterpart")

    @property
    def frozen(self) -> bool | None:
        return True if self.values.get("trainable") is False else None

    def activation(
        self, key: str = "activation", default: str = "linear"
    ) -> tuple[Word | None, tuple[str, Any] | None]:
        """The word of an activation, or the step that it is where no word says it. Raises NotUnderstood."""
        name = activation_name(self.get(key, default))
        if name == "linear":
            return None, None
        if name in _OTHERWISE:
            other = _OTHERWISE[name]
            if other is None:
                raise NotUnderstood(f"`{key}={name}` has no counterpart")
            return None, other
        if name not in WORDS:
            raise NotUnderstood(f"`{key}={name}` has no counterpart")
        return Word(WORDS[name].kind), None

    def kernels(self, key: str = "kernel", usual: str = "glorot_uniform") -> dict[str, Any]:
        """`init=`, `l1=` and `l2=` of the weights that a key names. Raises NotUnderstood."""
        found: dict[str, Any] = {}
        init = self._initialiser(f"{key}_initializer", usual)
        if init is not None:
            found["init"] = init
        penalty = self.get(f"{key}_regularizer")
        if penalty:
            found |= self._penalty(f"{key}_regularizer", penalty)
        return found

    def _penalty(self, key: str, given: Any) -> dict[str, Any]:
        inner = given.get("config", {}) if isinstance(given, dict) else {}
        kind = given.get("class_name") if isinstance(given, dict) else given
        if kind not in ("L1", "L2", "L1L2"):
            raise NotUnderstood(f"`{key}={kind}` has no counterpart")
        return {n: inner[n] for n in ("l1", "l2") if inner.get(n)}

    def _initialiser(self, key: str, usual: str) -> Any:
        given = self.get(key)
        kind = given.get("class_name") if isinstance(given, dict) else given
        inner = given.get("config", {}) if isinstance(given, dict) else {}
        if given is None:
            return None
        name = _INITIALISERS.get(str(kind), str(kind))
        if kind in _SPREADS and not inner.get("mean"):
            word, spread = _SPREADS[kind]
            return Initialiser(word, inner.get(spread, 0.05))
        if kind in ("RandomUniform", "uniform"):
            low, high = inner.get("minval", -0.05), inner.get("maxval", 0.05)
            name = "uniform" if high == 0.05 else ""
            if low == -high:
                return None if name == usual else Initialiser("uniform", high)
        if kind == "VarianceScaling":
            known = (float(inner.get("scale", 1)), inner.get("mode", "fan_in"), inner.get("distribution"))
            name = _FANS.get(known, "")
        if name == usual:
            return None
        if name in _INITIALISERS.values():
            return Initialiser(name, SCALED.get(name))
        self.notes.append(f"{self.name}: the weights begin with `{kind}` there, and with {usual} here")
        return None

    def done(self) -> None:
        """Tell of what was not asked for. Raises NotUnderstood."""
        if self.values.get("activity_regularizer"):
            raise NotUnderstood("`activity_regularizer` has no counterpart")
        for key, value in self.values.items():
            if key in self._asked or key in _BESIDE or value in _NONE:
                continue
            if key.endswith("_initializer"):
                self._beginning(key, value)
            elif key == "data_format":
                self.must(data_format="channels_last")
            else:
                raise NotUnderstood(f"`{key}={_shown(value)}` has no counterpart")

    def _beginning(self, key: str, value: Any) -> None:
        kind = value.get("class_name") if isinstance(value, dict) else value
        usual = {"Zeros", "zeros", "Ones", "ones", "Orthogonal", "OrthogonalInitializer", "GlorotUniform"}
        if kind not in usual:
            self.notes.append(f"{self.name}: `{key}={kind}` is not kept")


def activation_name(given: Any) -> str:
    """What Keras calls an activation. Raises NotUnderstood for one that is code of its own."""
    if isinstance(given, dict):
        inner = given.get("config")
        given = inner if isinstance(inner, str) and given.get("class_name") == "function" else given.get("class_name")
        if given is not None and given not in WORDS:
            raise NotUnderstood(f"the activation `{_shown(given)}` is code of its own")
    name = str(given)
    return {"swish": "silu", "hard_swish": "hard_silu", "exponential": "exp"}.get(name, name)


def _shown(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else f"{text[:60]}..."
