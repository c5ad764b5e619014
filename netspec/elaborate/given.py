"""The arguments of a call as they were given, and what a call takes."""

from __future__ import annotations

from ..base.record import TYPE_CHECKING, Record

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ..base.source import Span
    from ..ir.types import Tensor
    from ..layers.base import Layer
    from ..syntax.tree import Identifier, Keyword, Node


class Given(Record):
    """The arguments of a call, evaluated: tensors apart from compile-time values."""

    tensors: tuple[Tensor, ...]
    # how the tensors were written
    flowing: tuple[Node, ...]
    # values given by position, and their places among all that is given so
    positional: tuple[tuple[Any, Node], ...]
    places: tuple[int, ...]
    named: Mapping[str, tuple[Any, Keyword]]
    frozen: bool
    label: Identifier | None


class Settled(Record):
    """The arguments of a call that are the same wherever it is reached, as in the turns of a loop.

    That holds as long as none of `words` is bound. `node` is kept so that its `id` stays its own.
    """

    node: Node
    words: frozenset[str]
    cls: type[Layer]
    given: Given
    values: Mapping[str, tuple[Any, Span, Node]]


class Signature(Record):
    """What a call takes, beside what everything takes.

    `names` are given by place or by name, `named` by name alone. `gathers` names an argument that takes all values
    given by place; `places` are the arguments that a number in the place of a value is. `listed` are all of them, if
    some are taken elsewhere, and `inner` those of the steps that it holds, with what these are called.
    """

    names: tuple[str, ...]
    named: tuple[str, ...] = ()
    gathers: str = ""
    places: tuple[str, ...] = ()
    listed: tuple[str, ...] = ()
    inner: Mapping[str, str] = {}
