"""Random nets: the checker, PyTorch and Keras agree in shapes, counts and numbers on whatever can be written."""

from __future__ import annotations

import contextlib

import pytest
import twins  # before TensorFlow: it chooses the backend of Keras
from checking import check
from hypothesis import HealthCheck, assume, given, note, settings
from hypothesis import strategies as st

from netspec.diagnostics import SpecError

WIDTHS = (2, 4, 6)
ACTIVATIONS = ("", ", activation=relu", ", activation=tanh", ", activation=sigmoid")


class Draw:
    """Draws texts; `channels` and `shrunk` follow the flow, so that most of what is drawn is valid."""

    def __init__(self, draw):
        self.draw = draw
        self.channels = 0
        self.shrunk = 0
        self.shared = 0

    def pick(self, *values):
        return self.draw(st.sampled_from(values))

    def chance(self):
        return self.draw(st.booleans())

    # --- steps that keep the grid -------------------------------------------------------------------------------------

    def width(self, inside):
        """A number of filters; in a block perhaps its parameter."""
        if inside and self.chance():
            self.channels = 0
            return "width"
        self.channels = self.pick(*WIDTHS)
        return str(self.channels)

    def keeping(self, inside=False):
        """A step that leaves the spatial sizes as they are."""
        kind = self.pick("conv", "conv", "plain", "depthwise", "separable", "branches", "residual")
        if kind == "plain":
            return self.pick("relu", "tanh", "batchnorm", "dropout(0.3)", "layernorm", "leaky_relu", "identity")
        if kind == "depthwise":
            return f"depthwise_conv({self.pick('3', '3x1', '5')}, padding=same)"
        if kind == "separable":
            return f"separable_conv({self.width(inside)}, 3x3, padding=same{self.pick(*ACTIVATIONS)})"
        if kind == "branches":
            return self.branches(inside)
        if kind == "residual":
            return f"add(identity, depthwise_conv(3, padding=same){self.pick('', ' -> batchnorm', ' -> relu')})"
        groups = ", groups=2" if self.channels and self.chance() else ""
        kernel = self.pick("1x1", "3x3", "3", "5", "1x3")
        extra = self.pick("", ", dilation=2", ", bias=false") + groups
        return f"conv({self.width(inside)}, {kernel}, padding=same{extra}{self.pick(*ACTIVATIONS)})"

    def branches(self, inside):
        first, before = self.width(inside), self.channels
        second = self.width(inside)
        self.channels = before + self.channels if before and self.channels else 0
        pool = self.pick("maxpool", "avgpool")
        other = self.pick(
            f"conv({second}, 3x3, padding=same)", f"{pool}(3, stride=1, padding=same) -> conv({second}, 1x1)"
        )
        return f"concat(conv({first}, 1x1{self.pick(*ACTIVATIONS)}), {other})"

    def shrinking(self):
        """A step that makes the grid smaller."""
        self.shrunk += 1
        padding = self.pick("", ", padding=1", ", padding=same", ", padding=(0, 1)")
        kind = self.pick("conv", "maxpool", "avgpool", "depthwise_conv")
        if kind.endswith("pool"):
            ceil = self.pick("", ", rounding=ceil") if "same" not in padding else ""
            return f"{kind}(3, stride=2{padding}{ceil})"
        if kind == "depthwise_conv":
            return f"depthwise_conv(3, stride=2{padding})"
        uneven = self.pick(padding, ", padding=((0, 1), (1, 2))")
        return f"conv({self.width(False)}, {self.pick('3x3', '2', '3x2')}, stride={self.pick('2', '2x1')}{uneven})"

    # --- statements ---------------------------------------------------------------------------------------------------

    def statements(self, inside):
        found = []
        for _ in range(self.draw(st.integers(1, 4))):
            kind = (
                self.pick("step", "step", "step", "loop", "choice", "side")
                if inside
                else self.pick("step", "loop", "side")
            )
            if kind == "loop":
                found.append(self.loop(inside))
            elif kind == "choice":
                found.append(self.choice())
            elif kind == "side":
                found += self.side(inside)
            else:
                found.append(self.keeping(inside))
        return found

    def loop(self, inside):
        count = self.pick("n", "n", "2") if inside else str(self.pick(2, 3))
        step = self.keeping(inside)
        self.channels = 0
        if self.chance():
            return f"repeat {count} {{ {step} }}"
        if inside or self.chance():
            return f"for i in 0..{count} {{ {step}; conv(4 + 2*i, 1x1) }}"
        return f"for (w, a) in [(2, 1), (4, 3), (4, 1)] {{ conv(w, a, padding=same) -> relu; {step} }}"

    def choice(self):
        condition = self.pick("deep", "not deep", "c == width", "n > 1", "deep and c != width")
        one, self.channels = self.keeping(True), 0
        other, self.channels = self.keeping(True), 0
        otherwise = f" else {{ {other} }}" if self.chance() else ""
        return f"if {condition} {{ {one} }}{otherwise}"

    def side(self, inside):
        """A value that is used further down."""
        self.shared += 1
        name = f"v{self.shared}"
        steps = [f"{name} = {self.keeping(inside)}"]
        self.channels = 0
        steps.append(self.keeping(inside))
        self.channels = 0
        return [*steps, f"concat({self.pick(f'identity, {name}', f'{name}, identity')})"]

    # --- the whole ----------------------------------------------------------------------------------------------------

    def block(self, number):
        self.channels = 0
        body = "\n  ".join(["input x [h, w, c]", *self.statements(True)])
        return f"block part{number}(width, n=1, deep=false) {{\n  {body}\n}}"

    def call(self, blocks):
        self.channels = 0
        width, n, deep = self.pick(*WIDTHS), self.pick(0, 1, 2, 3), self.pick("true", "false")
        return f"part{self.draw(st.integers(0, blocks - 1))}({width}, {n}, {deep})"

    def ending(self):
        kind = self.pick("vector", "flat", "image", "shared", "two")
        if kind == "image":
            return ["conv(3, 1x1) -> softmax"]
        if kind == "flat":
            return ["flatten -> dense(5, activation=relu) -> dense(3)"]
        if kind == "shared":
            return [
                "global_avgpool -> dense(4)",
                "layer again = dense(4, activation=tanh)",
                "repeat 2 { again }",
                "again",
            ]
        if kind == "two":
            return ["v = global_maxpool", "f = conv(2, 1x1) -> flatten -> dense(4)", "output f, v"]
        return ["global_avgpool -> dense(3, activation=softmax)"]

    def text(self):
        blocks = self.draw(st.integers(0, 2))
        parts = [self.block(number) for number in range(blocks)]
        self.channels = self.pick(2, 4)  # a single channel, normalised, is nothing but rounding
        lines = [f"input image [{self.pick(9, 10, 13)}, {self.pick(9, 12, 14)}, {self.channels}]"]
        for _ in range(self.draw(st.integers(1, 5))):
            kind = self.pick("step", "block", "block", "shrink") if blocks else self.pick("steps", "step", "shrink")
            if kind == "block":
                lines.append(self.call(blocks))
            elif kind == "shrink" and self.shrunk < 2:
                lines.append(self.shrinking())
            elif kind == "steps":
                lines += self.statements(False)
            else:
                lines.append(self.keeping())
        body = "\n  ".join([*lines, *self.ending()])
        return "\n".join([*parts, f"net random {{\n  {body}\n}}\n"])


@st.composite
def spec_texts(draw):
    return Draw(draw).text()


def agree(text):
    note(text)
    net = check(text)
    assume(net.ok)
    with contextlib.suppress(SpecError):  # what a framework has no form for
        twins.compare(net, batches=(2, 1), reacts=False)


CALM = settings(deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


@settings(CALM, max_examples=25)
@given(spec_texts())
def test_random_nets_agree(text):
    agree(text)


@pytest.mark.sweep
@settings(CALM, max_examples=1000, derandomize=False)
@given(spec_texts())
def test_many_random_nets_agree(text):
    agree(text)
