"""A generated PyTorch module."""

from __future__ import annotations

from ..base.record import TYPE_CHECKING
from .code import MissingFramework, ModelError, run

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from ..layers.base import Array

# what a state_dict holds that is no number of the function
_COUNTERS = ("num_batches_tracked",)


def is_counter(name: str) -> bool:
    """Does a state_dict hold a count of steps under this name?"""
    return name.rpartition(".")[2] in _COUNTERS


def import_torch() -> Any:
    """The framework. Raises MissingFramework."""
    try:
        import torch
    except ImportError:
        raise MissingFramework("PyTorch", "torch") from None
    return torch


class TorchModel:
    """A module with its arrays by their names in the `state_dict`. On the device `meta` they hold no numbers."""

    def __init__(self, text: str, net: str, dtype: str = "float32", device: str = "cpu") -> None:
        self.torch = import_torch()
        self.dtype = getattr(self.torch, dtype)
        self.device = device
        with self.torch.device(device):
            self.module = run(text, net).to(self.dtype).eval()
        self.tensors = {n: t for n, t in self.module.state_dict(keep_vars=True).items() if not is_counter(n)}
        self.fixed = {id(t) for t in self.module.buffers()}

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        return {name: tuple(tensor.shape) for name, tensor in self.tensors.items()}

    @property
    def trainable(self) -> dict[str, bool]:
        return {name: tensor.requires_grad for name, tensor in self.tensors.items()}

    def renamed(self, shapes: Mapping[str, tuple[int, ...]]) -> bool:
        """Call the arrays by these names from now on, if they differ in their names alone. Has one another name?"""
        others = self.tensors.keys() != shapes.keys() and list(self.shapes.values()) == list(shapes.values())
        if others:
            self.tensors = dict(zip(shapes, self.tensors.values()))
        return others

    def reordered(self, shapes: Mapping[str, tuple[int, ...]]) -> bool:
        """Are there as many arrays of each shape, under other names, and not in this order?"""
        return self.tensors.keys() != shapes.keys() and sorted(self.shapes.values()) == sorted(shapes.values())

    def load(self, arrays: Mapping[str, Array]) -> None:
        """Set all arrays. Raises ModelError where they are not those of the module."""
        if {n: tuple(a.shape) for n, a in arrays.items()} != self.shapes:
            odd = sorted(arrays.keys() ^ self.tensors.keys()) or [
                n for n in arrays if arrays[n].shape != self.shapes[n]
            ]
            raise ModelError(f"the PyTorch module and the net hold different arrays: {', '.join(odd[:5])}", self.shapes)
        with self.torch.no_grad():
            for name, array in arrays.items():
                self.tensors[name].copy_(self.torch.from_numpy(array.copy()))

    def save(self, path: str) -> None:
        """Write the `state_dict`."""
        self.torch.save(self.module.state_dict(), path)

    def __call__(self, inputs: Sequence[Array]) -> list[Array]:
        """The outputs for inputs, both in the language's order of axes."""
        with self.torch.no_grad():
            return [_to_last(out.numpy()) for out in self._outputs(inputs)]

    def outlines(self, inputs: Sequence[Array]) -> list[Array]:
        """Zeros of the shapes of the outputs, of a module without numbers; none where only numbers tell the shapes."""
        try:
            with self.torch.no_grad(), self.torch.device(self.device):
                return [_to_last(self.torch.zeros(out.shape, device="cpu").numpy()) for out in self._outputs(inputs)]
        except NotImplementedError:
            return []

    def penalty(self) -> float:
        """What its weights add to the loss."""
        return float(self.module.regularization()) if hasattr(self.module, "regularization") else 0.0

    def _outputs(self, inputs: Sequence[Array]) -> Sequence[Any]:
        for part in self.module.modules():
            if "state" in vars(part):
                part.state = None
        found = self.call([self._tensor(a) for a in inputs])
        return found if isinstance(found, tuple | list) else (found,)

    def call(self, tensors: Sequence[Any]) -> Any:
        """What comes out for tensors."""
        return self.module(*tensors)

    def _tensor(self, array: Array) -> Any:
        tensor = self.torch.from_numpy(_to_first(array).copy()).to(self.device)
        if tensor.is_floating_point():
            return tensor.to(self.dtype)
        # PyTorch counts in 64 bits; `one_hot` takes nothing else
        return tensor if tensor.dtype == self.torch.bool else tensor.long()

    def gradients(self, inputs: Sequence[Array], directions: Sequence[Array], training: bool) -> dict[str, Array]:
        """The gradients of the sum of the outputs, each times its direction, by name."""
        self.module.train(training)
        outputs = self._outputs(inputs)
        loss = sum((out * self._tensor(d)).sum() for out, d in zip(outputs, directions))
        names = [n for n, t in self.tensors.items() if t.requires_grad]
        found = self.torch.autograd.grad(loss, [self.tensors[n] for n in names], allow_unused=True)
        self.module.eval()
        zeros = (self.torch.zeros_like(self.tensors[n]) if g is None else g for n, g in zip(names, found))
        return {n: g.numpy() for n, g in zip(names, zeros)}


def channels_first(rank: int) -> tuple[int, ...]:
    """The language's axes in PyTorch's order: images and volumes go in channels first."""
    return tuple(range(rank)) if rank < 4 else (0, rank - 1, *range(1, rank - 1))


def _to_first(array: Array) -> Array:
    found: Array = array.transpose(channels_first(array.ndim))
    return found


def _to_last(array: Array) -> Array:
    return array if array.ndim < 4 else array.transpose(0, *range(2, array.ndim), 1)
