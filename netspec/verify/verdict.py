"""What a verification found."""

from __future__ import annotations

from ..base.record import TYPE_CHECKING, Record
from .legs import LEGS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

    from ..layers.base import Array

    # two of the legs and `reference`, and the largest relative error between them
    Errors = Mapping[tuple[str, str], float]

NAMES = {name: leg.title for name, leg in LEGS.items()} | {
    "reference": "reference",
    "checker": "checker",
    "model": "the model",
}


class LayerLine(Record):
    """One layer: what the checker says of it, what each framework made of it, and how far they are apart.

    `shapes` and `counts` are by framework, `checker` among them; `counts` are of the learned parameters. `own` is how
    far a framework is from the definition, given what it had made of the layers before, where that was looked at.
    """

    path: str
    kind: str
    shapes: Mapping[str, tuple[int, ...]]
    counts: Mapping[str, int]
    errors: Errors
    own: float = 0.0

    @property
    def agrees(self) -> bool:
        """Are shapes and counts the same everywhere?"""
        return len(set(self.shapes.values())) == 1 == len(set(self.counts.values()))

    @property
    def error(self) -> float:
        return max(self.errors.values(), default=0.0)

    def joined(self, other: LayerLine) -> LayerLine:
        """With another value of the same layer: the larger errors, and the shapes that do not agree."""
        errors = {pair: max(error, other.errors[pair]) for pair, error in self.errors.items()}
        shapes = self.shapes if other.agrees else other.shapes
        return self.replace(shapes=shapes, errors=errors, own=max(self.own, other.own))


class Gradients(Record):
    """Gradients of all parameters in the legs that give them: the largest relative error, and where it is.

    `training` is False where the net draws random numbers in training, so that only inference can be compared.
    """

    error: float
    path: str
    training: bool


class SettingResult(Record):
    """What became of a value of an argument.

    `wrong` says what differs, empty where nothing does; `refused` what the code says where it does not take the value.
    `whole` is False where the net was too large for numbers; `renamed` says that arrays have other names than in the
    code for that net alone, as a layer behind a loop whose turns are counted in its name.
    """

    framework: str
    owner: str
    argument: str
    value: Any
    wrong: str = ""
    refused: str = ""
    whole: bool = True
    renamed: bool = False

    def __str__(self) -> str:
        what = f"{NAMES[self.framework]}: {self.owner}({self.argument}={self.value!r})"
        return f"{what}: {self.wrong or self.refused or 'agrees'}"

    def document(self) -> dict[str, Any]:
        """For JSON."""
        return {**self.__dict__, "ok": not self.wrong}


class Result(Record):
    """What became of a net.

    `outputs` are the largest relative errors of the net's outputs, over all inputs; `lines` are its layers; `problems`
    says in words what is wrong, `notes` what else is to be known. `sizes` are the values that symbols were given.
    `penalties` are the errors of what weights add to the loss, empty where they add nothing. `settings` are the values
    of arguments of the code that were tried beside the defaults.
    """

    net: str
    frameworks: tuple[str, ...]
    tolerance: float
    lines: tuple[LayerLine, ...]
    outputs: Errors
    gradients: Gradients | None
    problems: tuple[str, ...]
    notes: tuple[str, ...]
    sizes: tuple[Mapping[str, int], ...]
    seed: int
    seconds: float
    penalties: Errors = {}
    settings: tuple[SettingResult, ...] = ()

    @property
    def ok(self) -> bool:
        return not self.problems

    @property
    def worst(self) -> float:
        """The largest relative error between any two, in the outputs."""
        return max(self.outputs.values(), default=0.0)

    def document(self) -> dict[str, Any]:
        """For JSON: the same with pairs named `torch-keras`."""
        return {
            "net": self.net,
            "ok": self.ok,
            "frameworks": list(self.frameworks),
            "tolerance": self.tolerance,
            "seed": self.seed,
            "sizes": [dict(s) for s in self.sizes],
            "seconds": round(self.seconds, 2),
            "errors": _named(self.outputs),
            "regularization": _named(self.penalties),
            "gradients": None if self.gradients is None else dict(self.gradients.__dict__),
            "layers": [
                {
                    "path": line.path,
                    "type": line.kind,
                    "shapes": {who: list(shape) for who, shape in line.shapes.items()},
                    "params": dict(line.counts),
                    "errors": _named(line.errors),
                }
                for line in self.lines
            ],
            "settings": [finding.document() for finding in self.settings],
            "problems": list(self.problems),
            "notes": list(self.notes),
        }


def _named(errors: Errors) -> dict[str, float]:
    return {"-".join(pair): error for pair, error in errors.items()}


def apart(one: Array, other: Array, least: float = 0.0) -> float:
    """The largest difference of two arrays, relative to the largest number in them (but at least to `least`).

    Infinite where the shapes differ, or where one has a number that is none and the other has not.
    """
    import numpy as np

    if one.shape != other.shape:
        return float("inf")
    a, b = one.astype(np.float64), other.astype(np.float64)
    odd = ~(np.isfinite(a) & np.isfinite(b))
    if odd.any() and not np.array_equal(a[odd], b[odd], equal_nan=True):
        return float("inf")
    a, b = a[~odd], b[~odd]
    scale = max(_largest(a), _largest(b), least)
    return _largest(a - b) / scale if scale else 0.0


def steepest(found: Sequence[Mapping[str, Array]], training: bool, least: float) -> tuple[Gradients | None, str]:
    """The largest error of the gradients of several legs, by path, each held against the first; or the names of those
    that not all have. `least` is the share of the largest of all that an error is relative to at least."""
    one, *others = found
    odd = {name for other in others for name in one.keys() ^ other.keys()}
    if odd:
        return None, ", ".join(sorted(odd)[:5])
    least *= max(_largest(g) for g in one.values())
    errors = {path: max(apart(g, other[path], least) for other in others) for path, g in one.items()}
    path = max(errors, key=lambda p: errors[p])
    return Gradients(errors[path], path, training), ""


def _largest(array: Array) -> float:
    return float(abs(array).max(initial=0.0))


def pairs(names: Iterable[str]) -> list[tuple[str, str]]:
    """Any two of up to three; of more, each with the last, which is the reference."""
    found = list(names)
    if len(found) > 3:
        return [(name, found[-1]) for name in found[:-1]]
    return [(a, b) for k, a in enumerate(found) for b in found[k + 1 :]]
