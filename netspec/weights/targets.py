"""Targets: the code for a framework, together with where it keeps the weights of the spec."""

from __future__ import annotations

from ..base.record import TYPE_CHECKING, Record
from ..codegen import pipeline
from ..codegen.orders.usual import usual_orders
from .spelling import Spelling, spelling

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any, TypeAlias

    from ..ir.types import CheckedNet
    from ..layers.base import Array

    Example: TypeAlias = "Callable[[], Sequence[Array]]"


class Target(Record):
    """The code of a net for a framework. `calls` are the classes of the layers that it calls (see `KerasModel`)."""

    framework: str
    net: str
    text: str
    spelling: Spelling
    calls: tuple[str, ...] | None = None

    def model(self, example: Example, dtype: str = "float32") -> Any:
        """A model of the framework, its weights initialised; `example` gives inputs in the language's order.

        Raises MissingFramework and ModelError.
        """
        return _MODELS[self.framework](self, example, dtype)


def _torch_model(target: Target, _example: Example, dtype: str) -> Any:
    from ..runtime.torch_model import TorchModel

    return TorchModel(target.text, target.net, dtype)


def _keras_model(target: Target, example: Example, dtype: str) -> Any:
    from ..runtime.keras_model import KerasModel

    return KerasModel(target.text, target.net, list(target.spelling.shapes), target.calls, example, dtype)


_MODELS: dict[str, Callable[[Target, Example, str], Any]] = {"torch": _torch_model, "keras": _keras_model}


def torch_target(net: CheckedNet, style: str = "", text: str | None = None) -> Target:
    """The PyTorch code of a net in one of its styles, or other text that should make it. Raises SpecError where PyTorch
    has no form for something."""
    return _target("torch", net, style, text)


def keras_target(net: CheckedNet, style: str = "", text: str | None = None) -> Target:
    """The Keras code of a net in one of its styles, or other text that should make it. Raises SpecError where Keras has
    no form for something."""
    return _target("keras", net, style, text)


def _target(framework: str, net: CheckedNet, style: str, text: str | None) -> Target:
    backend, templates = pipeline.backend_of(net, framework, style), pipeline.templates(net, framework, style)
    text = backend.write(net, templates) if text is None else text
    if backend.held is not None:
        orders = usual_orders(net.net.body).weights if framework == "torch" else {}
        held = (one.replace(order=orders.get(one.path)) for one in backend.held(net, templates))
        return Target(framework, net.name, text, spelling(held))
    assert backend.called is not None  # it is one or the other
    called = backend.called(net, templates)
    classes = tuple(apply.make.func.rpartition(".")[2] for apply, _ in called if apply.make is not None)
    return Target(framework, net.name, text, spelling(held for _, found in called for held in found), classes)


def target_for(framework: str, net: CheckedNet, styles: Mapping[str, str]) -> Target:
    """The code for a framework, in the style chosen for it or in the usual one. Raises SpecError as these do."""
    return TARGETS[framework](net, *([styles[framework]] if framework in styles else []))


TARGETS: dict[str, Callable[..., Target]] = {"torch": torch_target, "keras": keras_target}
