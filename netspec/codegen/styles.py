"""Styles: how definitions are written, and the refusal of a form of code that a net does not permit."""

from __future__ import annotations

from ..base.diagnostics import Diagnostic, Label, SpecError, did_you_mean
from ..base.record import TYPE_CHECKING, Record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ..base.source import Span
    from ..ir.types import CheckedNet


class Style(Record):
    """What differs between the ways of writing.

    `channels`: parameters carry the channels of the inputs (PyTorch). `sequences`: named chains become a Sequential.
    `sizes`: sizes of the inputs can be asked for when the code runs (Keras functions). `unroll`: loops of up to so many
    steps are written out. `name` makes a name of the spec's; `reserved` are names that no parameter may have.
    `declares`: a net says the shapes of its inputs (`keras.Input`). `overwrites`: functions can write over what they
    take (PyTorch).
    """

    channels: bool
    sequences: bool
    sizes: bool
    unroll: int
    name: Callable[[str], str]
    reserved: frozenset[str] = frozenset()
    declares: bool = False
    overwrites: bool = False


def no_style(message: str, help: str, span: Span) -> SpecError:
    """The net cannot be written in the style that was asked for."""
    return SpecError([Diagnostic("no-such-style", message, Label(span), (), help)])


def check_style(style: str, styles: Iterable[str], framework: str, net: CheckedNet) -> None:
    """Has the framework's code such a style? Raises SpecError."""
    known = list(styles)
    if style not in known:
        hint = did_you_mean(style, known) or f"styles are {', '.join(known)}"
        raise no_style(f"{framework} code has no style `{style}`", hint, net.net.body.definition.name.span)
