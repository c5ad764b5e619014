"""What a program can ask: load a spec, and have its figures, its picture and its code."""

from __future__ import annotations

import os

from .analysis.infer import infer
from .base.bounds import METER
from .base.diagnostics import Collector, Diagnostic, Label, SpecError, did_you_mean
from .base.record import TYPE_CHECKING, Record
from .base.source import Source, Span
from .elaborate.net import SettingError, elaborate
from .elaborate.session import MOST_INSTANCES
from .files import read_source
from .layers.arguments import Word
from .resolve.resolve import find_net, resolve
from .syntax.parser import parse as parse_source

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from .base.dims import Shape
    from .ir.types import CheckedNet, Design
    from .layers.base import Weight
    from .reference import Reference
    from .report.report import Report
    from .syntax.tree import Definition
    from .verify.verdict import Result
    from .weights.targets import Target


class UnknownNet(SettingError):
    """A file has no net of the name that was asked for."""


class Verdict(Record):
    """What became of a spec: its diagnostics, and its net as far as it could be made out.

    `checked` is None where there is no net at all. After a fault it holds what comes before it. `is_library` says
    that nothing else is wrong, and there is something for other files to import.
    """

    source: Source
    checked: CheckedNet | None
    diagnostics: tuple[Diagnostic, ...]
    is_library: bool = False

    @property
    def ok(self) -> bool:
        return self.checked is not None and not any(d.severity == "error" for d in self.diagnostics)


def check(
    source: Source,
    net: str | None = None,
    settings: Mapping[str, Any] | None = None,
    include: Sequence[str] = (),
    limit: int = MOST_INSTANCES,
) -> Verdict:
    """The whole way from text to figures; never stops at the first fault.

    `net` is a name, or None for the last net of the text; `include` are folders from which any file may be imported.
    A net of more than `limit` instances is refused.
    Raises SettingError where a name or a setting does not fit the text.
    """
    METER.start()
    try:
        return _checked(source, net, settings or {}, include, limit)
    finally:
        METER.stop()


def _checked(
    source: Source, net: str | None, settings: Mapping[str, Any], include: Sequence[str], limit: int
) -> Verdict:
    faults = Collector()
    spec = parse_source(source, faults)
    design = resolve(spec, faults, include)
    definition = find_net(design, net, source)
    if definition is None:
        if not faults.has("syntax"):
            _no_net(design, net, faults)  # where something did not parse, it may well be the net
        brings = bool(own_definitions(design) or design.constants)
        return Verdict(source, None, faults.all, brings and [d.code for d in faults.all] == ["no-net"])
    return Verdict(source, infer(elaborate(design, definition, settings, faults, limit=limit), faults), faults.all)


def _no_net(design: Design, name: str | None, faults: Collector) -> None:
    names = [n.name.text for n in design.nets]
    if name is not None and names:
        hint = did_you_mean(name, names) or f"it has {', '.join(names)}"
        raise UnknownNet(f"{design.source.name} has no net `{name}`; {hint}")
    start = Span(design.source, 0, 0)
    own = own_definitions(design)
    held = f"this text has no net, but {_listed(own)}" if own else "this text has no net"
    what = f"there is no net `{name}`: {held}" if name is not None else held
    first = f"; {own[0].name.text}" if own else "; flatten; dense(10)"
    help = f"write one: `net name {{ input x [28, 28, 1]{first} }}`"
    help += ", here or in a file that imports this one" if own else ""
    faults.add(Diagnostic("no-net", what, Label(start), help=help))


def own_definitions(design: Design) -> list[Definition]:
    """The nets, blocks and cells of the file itself."""
    return [d for d in design.definitions.values() if d.span.source is design.source]


def _listed(definitions: Sequence[Definition]) -> str:
    """The first few of some definitions, `block a, cell b`, and how many more there are."""
    shown = ", ".join(f"{d.word} {d.name.text}" for d in definitions[:_MOST_LISTED])
    more = len(definitions) - _MOST_LISTED
    return f"{shown} and {more} more" if more > 0 else shown


_MOST_LISTED = 5


def load(
    path: str | os.PathLike[str],
    /,
    net: str | None = None,
    include: Sequence[str | os.PathLike[str]] = (),
    **settings: Any,
) -> Network:
    """The net of a file (its last one, or the one named). Settings give values to its parameters and symbols.

    The file may import what lies in its folder or below, and in the folders of `include`.

    Raises SpecError where the spec is wrong, SettingError where a setting does not fit, and ReadError where the file
    cannot be read.
    """
    return _network(read_source(path), net, include, settings)


def parse(
    text: str,
    /,
    name: str = "<text>",
    net: str | None = None,
    include: Sequence[str | os.PathLike[str]] = (),
    **settings: Any,
) -> Network:
    """The net of a text, as `load` gives it; `name` is what diagnostics call the text.

    Its imports are relative to the current folder.
    """
    return _network(Source(name, text), net, include, settings)


def from_keras(model: Any, /) -> Network:
    """The net of a live Keras model, functional or sequential; `.text` is its spec.

    Keras is not imported: the model says itself what it is made of. Raises UnreadModel where it does not, and SpecError
    at each step that was not understood.
    """
    from .importing.keras_file import keras_model
    from .importing.writer import write_spec

    return _network(Source("<model>", write_spec(keras_model(model)).text), None, (), {})


def _network(
    source: Source, net: str | None, include: Sequence[str | os.PathLike[str]], settings: Mapping[str, Any]
) -> Network:
    folders = [include] if isinstance(include, str) or hasattr(include, "__fspath__") else list(include)
    given = {n: _setting(n, v) for n, v in settings.items()}
    verdict = check(source, net, given, [os.fspath(folder) for folder in folders])
    if verdict.checked is None or not verdict.ok:
        raise SpecError(verdict.diagnostics)
    return Network(verdict.checked)


def _setting(name: str, value: Any) -> Any:
    """A Python value as one of the language. Raises SettingError."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return Word(value)
    if isinstance(value, tuple | list):
        return tuple(_setting(name, v) for v in value)
    raise SettingError(f"`{name}` cannot be set to a {type(value).__name__}: numbers, words and lists are values")


class Value(Record):
    """An input or output of a net. The shape has no batch axis; a size is an int, or a symbol."""

    name: str
    shape: Shape
    dtype: str


class Network:
    """A net that has been checked."""

    def __init__(self, checked: CheckedNet) -> None:
        self.checked = checked

    @property
    def name(self) -> str:
        return self.checked.name

    @property
    def inputs(self) -> tuple[Value, ...]:
        return tuple(Value(p.name, p.value.shape, p.value.dtype) for p in self.checked.net.body.inputs)

    @property
    def outputs(self) -> tuple[Value, ...]:
        return tuple(Value(r.name, r.value.shape, r.value.dtype) for r in self.checked.net.body.outputs)

    @property
    def text(self) -> str:
        """The spec."""
        return self.checked.net.design.source.text

    def __repr__(self) -> str:
        from .base.dims import show

        flow = " -> ".join(", ".join(show(v.shape) for v in values) for values in (self.inputs, self.outputs))
        return f"<net {self.name}: {flow}, {self.checked.totals.params} parameters>"

    def report(self, batch: int = 1, dtype: str = "float32") -> Report:
        """The figures that `netspec check` prints, as objects."""
        from .report.report import report

        return report(self.checked, batch, dtype)

    def diagram(self, depth: int | None = None, direction: str = "TB", theme: str = "light", unroll: int = 0) -> Any:
        """The diagram, as a `graphviz.Source`: it shows itself in a notebook, and can be saved.

        `depth` says how many levels of blocks are opened; without it the picture is made to fit on a page.
        Of recurrences `unroll` steps are drawn side by side; 0 draws them as loops. Raises ValueError where there would
        be more boxes than a picture may have.
        """
        from graphviz import Source as Diagram

        from .diagram.dot import dot

        return Diagram(dot(self.checked, depth, direction, theme, unroll), filename=f"{self.name}.dot")

    def to_torch(self, style: str = "module") -> str:
        """The source text of the PyTorch module; with the style `export` its recurrences keep a dynamic length where it
        is exported. Raises SpecError where PyTorch has no form for something."""
        from .codegen.pipeline import emit

        return emit(self.checked, "torch", style)

    def to_keras(self, style: str = "functional") -> str:
        """The source text of the Keras model. Raises SpecError where Keras has no form for something."""
        from .codegen.pipeline import emit

        return emit(self.checked, "keras", style)

    def weights(self) -> dict[str, Weight]:
        """All weights by path, in the language's order: their shapes and roles, not their numbers."""
        from .ir.paths import weight_table

        return weight_table(self.checked)

    def load_weights(
        self,
        path: str | os.PathLike[str],
        form: str | None = None,
        style: str = "functional",
        rename: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """The weights in a file by path, as NumPy arrays in the language's order of axes.

        The file is .safetensors, .pt, .pth, .weights.h5 or .keras; `form` says whose names and axes it has (`netspec`,
        `torch`, `keras`, or `built` for what the code of `to_torch` holds; None is what its suffix says), `style` the
        style of the Keras code that it belongs to, and `rename` what foreign names are called here, with `*` for any
        text. Raises SpecError where nothing tells where they belong, WeightsError where the weights do not
        fit the net, ReadError where the file cannot be read, and FormError where it cannot have that form.
        """
        from .weights.convert import read_weights
        from .weights.rename import renaming

        return dict(read_weights(self.checked, os.fspath(path), form, style, renaming(rename or {})).weights)

    def save_weights(
        self,
        path: str | os.PathLike[str],
        weights: Mapping[str, Any],
        form: str | None = None,
        style: str = "functional",
    ) -> None:
        """Write weights by path to a file, whole or not at all; `form` and `style` as for `load_weights`.

        Raises WeightsError where the weights do not fit the net, WriteError where the file cannot be written, and
        FormError where it cannot have that form.
        """
        from .weights.convert import write_weights

        write_weights(self.checked, weights, os.fspath(path), form, style)

    def reference(self, weights: Mapping[str, Any]) -> Reference:
        """The net in NumPy, float64, with these weights: `net.reference(weights)(image=x)`.

        Raises WeightsError where the weights do not fit.
        """
        from .reference import Reference

        return Reference(self.checked, weights)

    def regularization(self, weights: Mapping[str, Any]) -> float:
        """What `l1=` and `l2=` add to the loss with these weights, which are as for `reference`.

        Raises WeightsError where the weights do not fit.
        """
        from .weights.table import check_weights, regularization

        check_weights(self.checked, weights)
        return regularization(self.checked, weights)

    def torch(self, weights: Mapping[str, Any] | None = None, style: str = "module") -> Any:
        """A new `torch.nn.Module`, its weights initialised, or set to these (as for `reference`); `style` as for
        `to_torch`.

        Raises WeightsError where the weights do not fit.
        """
        from .weights.targets import torch_target

        return self._model(torch_target(self.checked, style), weights).module

    def keras(self, style: str = "functional", weights: Mapping[str, Any] | None = None) -> Any:
        """A new `keras.Model`, its weights initialised, or set to these (as for `reference`).

        Raises WeightsError where the weights do not fit.
        """
        from .weights.targets import keras_target

        return self._model(keras_target(self.checked, style), weights).model

    def _model(self, target: Target, weights: Mapping[str, Any] | None) -> Any:
        import numpy as np

        from .weights.forms import model_of

        given = None if weights is None else {path: np.asarray(array) for path, array in weights.items()}
        return model_of(self.checked, target, weights=given)

    def verify(
        self,
        targets: Sequence[str] = ("torch", "keras"),
        dtype: str = "float32",
        tolerance: float | None = None,
        settings: int = 2,
        style: str = "module",
        against: str | None = None,
    ) -> Result:
        """Run the generated code of these frameworks on random numbers and compare, as `netspec verify` does: `torch`,
        `keras`, `jax`, `keras-torch`, `compile`, `export`, `onnxruntime`.

        `settings` says how many further values of each argument of the code are tried, and `style` in which style the
        PyTorch code is written, as for `to_torch`. With `against` the net is held against a model, with that model's
        weights: a `.pt2`, `.keras` or `.onnx` file, or `package.module:Class`; then ModelFailed and WeightsError say
        why it does not run, and which of its weights are not those of the net.
        `result.ok` says whether all agree, `result.problems` what does not. Raises SpecError where a framework has no
        form for something, and ModuleNotFoundError where one is not installed.
        """
        from .verify.pool import WorkerPool
        from .verify.verify import Options, verify

        with WorkerPool() as pool:
            options = Options(tuple(targets), dtype, tolerance, settings=settings, styles={"torch": style})
            if against is None:
                return verify(self.checked, pool, options)
            from .verify.against import hold_against
            from .weights.rename import Renaming

            return hold_against(self.checked, against, pool, options, Renaming())
