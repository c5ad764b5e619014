"""Keras 3 code: functions of the functional API, a Sequential model, or subclassed layers."""

from __future__ import annotations

import re

from ..diagnostics import Diagnostic, Label, SpecError, did_you_mean
from ..layers.base import Use
from ..pycode import Call, Raw, X, call, fill, inline, lay_out, unless
from ..record import TYPE_CHECKING
from .flow import Flow, Writer, safe
from .lower import Lowering
from .program import program
from .template import REQUIRED, Invoke, Leaf
from .text import docstring, module_text
from .weave import Style

if TYPE_CHECKING:
    from collections.abc import Sequence as Seq
    from typing import Any

    from ..dims import Shape
    from ..ir import CheckedNet, Step
    from ..layers.base import At, Helper
    from ..pycode import Code
    from .template import Node, Sequence, Template

STYLES = ("functional", "sequential", "subclass")
_TAKEN = {"keras", "layers", "ops", "inputs", "outputs"}
_HIDDEN = frozenset(("keras", "layers", "ops"))
_FUNCTIONAL = Style(channels=False, sequences=False, sizes=True, unroll=1)


class KerasLowering(Lowering):
    """Keras has the language's own layout, channels last."""

    target = "keras"

    def use(self, step: Step, at: At) -> Use:
        return step.layer.keras(at)

    def hold(self, use: Use, frozen: bool) -> Use:
        return Use(tuple(a.replace(make=_trainable(a.make, not frozen)) if a.stateful else a for a in use.steps))


def _trainable(make: Any, value: bool) -> Code:
    return make.replace(kwargs=(*make.kwargs, *unless(True, trainable=value).items()))


def emit(net: CheckedNet, style: str = "functional") -> str:
    """The text of a Python module.

    Raises SpecError: `not-in-keras` where Keras has no form for a layer, `no-such-style` where the net does not
    permit the style.
    """
    if style not in STYLES:
        raise _no_style(net, f"there is no style `{style}`", did_you_mean(style, STYLES) or f"styles are {', '.join(STYLES)}")
    if style == "subclass":
        from .subclass import emit_subclass

        return emit_subclass(net)
    if style == "sequential":
        return _sequential(net)
    return _functional(net)


def _no_style(net: CheckedNet, message: str, help: str, span: Any = None) -> SpecError:
    place = span if span is not None else net.net.body.definition.name.span
    return SpecError([Diagnostic("no-such-style", message, Label(place), (), help)])


def input_call(name: str, shape: Shape, dtype: str) -> Code:
    """`keras.Input` for an input of the net; a symbolic size is None."""
    sizes = tuple(d if isinstance(d, int) else None for d in shape)
    words = {"dtype": dtype} if dtype != "float32" else {}
    return call("keras.Input", sizes, **words, name=name)


def imports_of(classes: Seq[Seq[str]]) -> list[str]:
    """The imports that a text uses."""
    text = "\n".join(line for lines in classes for line in lines)
    found = ["import keras"] if re.search(r"\bkeras\.", text) else []
    names = [name for name in ("layers", "ops") if re.search(rf"(?<![\w.]){name}\.", text)]
    return [*found, f"from keras import {', '.join(names)}"] if names else found


# --- functional ------------------------------------------------------------------------------------------------------


def _functional(net: CheckedNet) -> str:
    templates = program(net, KerasLowering(), _FUNCTIONAL, function_name, _TAKEN)
    writers = [_Function(t, net if t is templates[-1] else None) for t in templates]
    functions = [w.lines() for w in writers]
    helpers = list(dict.fromkeys(h for w in writers for h in w.helpers))
    return module_text(imports_of([*functions, [h.source for h in helpers]]), helpers, functions)


def function_name(name: str) -> str:
    """The name of a function: the spec's own."""
    return safe(name, _HIDDEN)


class _Function(Writer):
    """Writes one function: of the net, which makes a model, or of a block, which is applied to values."""

    reserved = _HIDDEN

    def __init__(self, template: Template, net: CheckedNet | None) -> None:
        self.template = template
        self.net = net
        self.helpers: list[Helper] = []
        self.shared: dict[Any, str] = {}

    def lines(self) -> list[str]:
        template = self.template
        flow = Flow(template, self, frozenset(self._names()))
        names = flow.start(template.inputs)
        if self.net is not None:
            for _, value in template.inputs:  # the model is made of its inputs at the end, so they keep their names
                flow.uses[value] = flow.uses.get(value, 0) + 1
        made = self._shared_layers(template.nodes)
        flow.run(template.nodes)
        parameters = [p.name if p.default is REQUIRED else f"{p.name}={inline(p.default)}" for p in template.parameters]
        if self.net is None:
            head = [f"def {template.name}({', '.join([*names, *parameters])}):", *docstring(template.doc, 4)]
            head += [f"    {line}" for line in self._size_lines(names)]
            flow.finish()
            return [*head, *made, *(line for s in flow.lines for line in s.render(4))]
        head = [f"def {template.name}({', '.join(parameters)}):", *docstring(template.doc, 4)]
        ports = [
            line
            for name, port in zip(names, self.net.net.body.inputs)
            for line in _laid(f"{name} = ", input_call(port.name, port.value.shape, port.value.dtype))
        ]
        body = [line for s in flow.lines for line in s.render(4)]
        return [*head, *ports, *made, *body, *self._model(flow, names)]

    def _names(self) -> set[str]:
        return {p.name for p in self.template.parameters} | set(self.template.sizes)

    def _size_lines(self, names: list[str]) -> list[str]:
        return [f"{size} = {names[port]}.shape[{axis}]" for size, (port, axis) in self.template.sizes.items()]

    def _model(self, flow: Flow, names: list[str]) -> list[str]:
        outputs = [flow.variable[value] for _, value in self.template.outputs]
        inputs: Code = Raw(names[0]) if len(names) == 1 else [Raw(n) for n in names]
        assert self.net is not None
        made = call(
            "keras.Model", inputs, outputs[0] if len(outputs) == 1 else list(outputs), name=_plain_name(self.net.name)
        )
        return _laid("return ", made)

    # --- shared layers ----------------------------------------------------------------------------------------------

    def _shared_layers(self, nodes: Seq[Node]) -> list[str]:
        """Layers that are used several times are made once, before."""
        found: list[str] = []
        for node in nodes:
            if isinstance(node, Leaf) and node.shared is not None and node.shared not in self.shared:
                kept = [a for a in node.applies if a.make is not None]
                name = node.name
                self.shared[node.shared] = name
                for number, apply in enumerate(kept):
                    found += _laid(f"{name}{number + 1 if number else ''} = ", apply.make)
            elif isinstance(node, Invoke) and node.shared is not None:
                raise _shared_block(node)
        return found

    # --- statements ---------------------------------------------------------------------------------------------------

    def leaf(self, leaf: Leaf, arguments: list[Code]) -> list[Code]:
        self.helpers += [h for a in leaf.applies for h in a.helpers]
        codes: list[Code] = []
        values, number = arguments, 0
        for apply in leaf.applies:
            if apply.make is not None:
                made: Code = apply.make
                if leaf.shared is not None:
                    name = self.shared.get(leaf.shared, leaf.name)
                    made = Raw(f"{name}{number + 1 if number else ''}")
                    number += 1
                codes.append(Call(made, (values[0] if len(values) == 1 else list(values),)))
            else:
                codes.append(fill(apply.call, values))
            values = [X()]
        return codes

    def invoke(self, invoke: Invoke, arguments: list[Code]) -> Code:
        required = {p.name for p in invoke.template.parameters if p.default is REQUIRED}
        args = (*arguments, *(v for n, v in invoke.arguments if n in required))
        return Call(invoke.template.name, args, tuple((n, v) for n, v in invoke.arguments if n not in required))

    def sequence(self, sequence: Sequence, arguments: list[Code]) -> Code:
        raise AssertionError("functions have no sequences")


def _shared_block(node: Invoke) -> SpecError:
    name = node.name
    assert node.shared is not None
    return SpecError(
        [
            Diagnostic(
                "not-in-keras",
                f"`{name}` is a block that is used several times, which a function cannot be",
                Label(node.shared.span),
                (),
                "use `--style subclass`, where a block is a layer",
            )
        ]
    )


def _laid(prefix: str, code: Code, indent: int = 4) -> list[str]:
    return lay_out(prefix, code, "", indent)


def _plain_name(name: str) -> str:
    """A name that Keras takes for a model."""
    return "".join(c if c.isascii() and (c.isalnum() or c == "_") else "_" for c in name)


# --- sequential --------------------------------------------------------------------------------------------------------


def _sequential(net: CheckedNet) -> str:
    """One list of layers, for a net that is a chain."""
    from .chain import chain_of

    steps, broken = chain_of(net)
    if broken is not None:
        span, reason = broken
        raise _no_style(net, f"net {net.name} is no chain of layers: {reason}", "use `--style functional`", span)
    lowering = KerasLowering()
    made: list[Code] = []
    helpers: list[Helper] = []
    port = net.net.body.inputs[0]
    made.append(input_call(port.name, port.value.shape, port.value.dtype))
    for step in steps:
        act = lowering.begin(net.net.body, ()).step(step)
        for item in act:
            for apply in getattr(item, "use").steps:
                helpers += apply.helpers
                if apply.make is None:
                    raise _no_style(net, f"`{step.layer.kind}` is no Keras layer but a function", "use `--style functional`", step.span)
                made.append(apply.make)
    text = _laid("model = ", call("keras.Sequential", list(made), name=_plain_name(net.name)), 0)
    head = docstring(net.net.body.doc, 0)
    body = module_text(imports_of([text, [h.source for h in helpers]]), helpers, [text])
    return "\n".join([*head, "", body]) if head else body
