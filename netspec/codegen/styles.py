"""Styles: the forms of code that each framework has."""

from __future__ import annotations

from ..base.diagnostics import Diagnostic, Label, SpecError, did_you_mean
from ..base.record import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..base.source import Span
    from ..ir.types import CheckedNet

# the forms of PyTorch code; the first is what is written unless another is asked for. What is to be exported differs in
# its helpers alone, so that weights go from one to the other
TORCH = ("module", "export")


def torch_style(style: str) -> dict[str, str]:
    """The styles to write in, by framework, where PyTorch code has this one; the usual one goes without saying."""
    return {} if style == TORCH[0] else {"torch": style}


def no_style(message: str, help: str, span: Span) -> SpecError:
    """The net cannot be written in the style that was asked for."""
    return SpecError([Diagnostic("no-such-style", message, Label(span), (), help)])


def check_style(style: str, styles: Iterable[str], framework: str, net: CheckedNet) -> None:
    """Has the framework's code such a style? Raises SpecError."""
    known = list(styles)
    if style not in known:
        hint = did_you_mean(style, known) or f"styles are {', '.join(known)}"
        raise no_style(f"{framework} code has no style `{style}`", hint, net.net.body.definition.name.span)
