"""Generated code, executed."""

from __future__ import annotations

from types import FunctionType

from ..base.record import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any


class ModelError(Exception):
    """A model and the arrays that it should hold do not fit together. `shapes` are those of its arrays, if it is one
    that names tell apart."""

    def __init__(self, message: str, shapes: Mapping[str, tuple[int, ...]] | None = None) -> None:
        super().__init__(message)
        self.shapes = shapes or {}


class MissingFramework(Exception):
    """A framework is not installed."""

    def __init__(self, name: str, extra: str) -> None:
        super().__init__(f"{name} is not installed; `pip install netspec-lang[{extra}]` brings it")


def run(text: str, net: str) -> Any:
    """Execute generated code in a module of its own; what it defines last is the model, or makes it."""
    last = execute(text, net)
    return last() if isinstance(last, type | FunctionType) else last


def execute(text: str, net: str) -> Any:
    """What generated code defines last: a class, a function or a model.

    The text is known to `linecache`, so that a traceback shows its lines.
    """
    import linecache
    from types import ModuleType

    module = ModuleType(f"netspec_{net}")
    file = f"<{module.__name__}>"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    exec(compile(text, file, "exec"), module.__dict__)
    return list(module.__dict__.values())[-1]


def follow(owner: Any, path: Sequence[str]) -> Any:
    """What stands behind attributes and places in lists. Raises ModelError."""
    try:
        for part in path:
            owner = getattr(owner, "layers", owner)[int(part)] if part.isdigit() else getattr(owner, part)
    except (AttributeError, IndexError, TypeError):
        raise ModelError(f"the code has nothing at `{'.'.join(path)}`") from None
    return owner
