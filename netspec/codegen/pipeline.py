"""Code generation on one page. Each phase takes what the one before it gives, and `text_after` prints what stands
between two:

    lower     the bodies of the net, with the framework's calls for each layer and its layout of values
    outline   one definition for all instances of a block, and that of the net; dead code is gone
    loops     what follows a loop that may have no turn takes the variables that it carries
    reroll    calls of one block in a row become a chain
    inplace   activations write over what nobody else asks for
    print     names of variables and attributes, and the text of a file
"""

from __future__ import annotations

from functools import partial

from ..base.record import TYPE_CHECKING
from .ir import rewrite
from .outline.program import outline
from .passes.inplace import write_in_place
from .passes.loop_exits import close_loops
from .passes.reroll import reroll
from .printer import print_lowered, print_templates
from .styles import check_style

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..ir.types import CheckedNet
    from .backends.backend import Backend
    from .ir import Template
    from .lowering.lower import LoweredBody
    from .styles import Style


def _kept(module: str, name: str) -> Callable[[], Backend]:
    """A backend, whose module is loaded when somebody asks for it: PyTorch code needs none of the modules for Keras."""

    def load() -> Backend:
        found: Backend = getattr(__import__(f"{__package__}.backends.{module}", fromlist=(name,)), name)
        return found

    return load


# by framework and style, each as what loads it; the first of a framework is written unless another one is asked for
BACKENDS: dict[str, dict[str, Callable[[], Backend]]] = {
    "torch": {"module": _kept("torch", "MODULE"), "export": _kept("torch", "EXPORT")},
    "keras": {
        "functional": _kept("keras_functional", "FUNCTIONAL"),
        "sequential": _kept("keras_sequential", "SEQUENTIAL"),
        "subclass": _kept("keras_subclass", "SUBCLASS"),
    },
}
# what rewrites each definition, callees first
PASSES = {"loops": close_loops, "reroll": reroll, "inplace": write_in_place}
PHASES = ("lower", "outline", *PASSES, "print")


def stages(net: CheckedNet, backend: Backend) -> Iterator[tuple[str, LoweredBody | list[Template]]]:
    """What each phase but the last gives, with its name. Raises SpecError as `emit` does."""
    lowering = backend.lowering()
    code = lowering.lower(net.net.body)
    backend.check(code)
    yield "lower", code
    found = outline(net, code, lowering, backend.styles, backend.taken)
    yield "outline", found
    for name, change in PASSES.items():
        found = rewrite(found, partial(_in_style, change, backend))
        yield name, found


def _in_style(change: Callable[[Template, Style], Template], backend: Backend, template: Template) -> Template:
    return change(template, backend.styles[template.kind])


def emit(net: CheckedNet, framework: str, style: str = "") -> str:
    """The text of a Python module.

    Raises SpecError: `not-in-torch` or `not-in-keras` where the framework has no form for a layer, `no-such-style`
    where it has no such style, or the net does not permit it.
    """
    return backend_of(net, framework, style).write(net, templates(net, framework, style))


def text_after(phase: str, net: CheckedNet, framework: str, style: str = "") -> str:
    """What stands behind a phase, as text. Raises SpecError as `emit` does."""
    if phase == PHASES[-1]:
        return emit(net, framework, style)
    found = next(found for name, found in stages(net, backend_of(net, framework, style)) if name == phase)
    return print_templates(found) if isinstance(found, list) else print_lowered(found)


def templates(net: CheckedNet, framework: str, style: str = "") -> list[Template]:
    """What the definitions of the code stand for, that of the net last. Raises SpecError as `emit` does."""
    *_, (_, found) = stages(net, backend_of(net, framework, style))
    assert isinstance(found, list)  # passes give templates
    return found


def backend_of(net: CheckedNet, framework: str, style: str = "") -> Backend:
    """The form of code, by default the usual one of the framework. Raises SpecError (`no-such-style`)."""
    styles = BACKENDS[framework]
    usual = next(iter(styles))
    if style not in ("", *styles):
        check_style(style, styles, styles[usual]().framework, net)
    return styles[style or usual]()
