"""Immutable records, the one kind of value that passes between stages.

`dataclasses` costs more to import than a whole `netspec check` may take (it pulls in `inspect`),
so the few things that the project needs of it are here: fields from annotations, defaults,
keyword construction, equality, a hash, a repr, `replace`, and no mutation.
"""

from __future__ import annotations

# A class of which so many were made gets a constructor of its own. That takes 40% of the time of the general one, 20%
# where values are named, but 50 us to make: as long as a hundred values take.
OFTEN = 200

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, ClassVar

    from typing_extensions import Self, dataclass_transform
else:

    def dataclass_transform(**_options):
        return lambda cls: cls


@dataclass_transform(frozen_default=True)
class Record:
    """Base of all records: annotate the fields in the class body, in order."""

    _fields: ClassVar[tuple[str, ...]] = ()
    _defaults: ClassVar[dict[str, Any]] = {}
    # how many were made by the general constructor, and whether the class has that one
    _made: ClassVar[list[int]] = [0]
    _plain: ClassVar[bool] = True

    def __init_subclass__(cls) -> None:
        cls._plain = cls._plain and "__init__" not in cls.__dict__
        cls._made = [0]
        if cls._plain:
            cls.__init__ = Record.__init__  # type: ignore[method-assign]  # not that of its base
        own = cls.__dict__.get("__annotations__", {})  # noqa: RUF063  (inspect is what we avoid)
        names = cls._fields + tuple(n for n in own if n not in cls._fields)
        cls._fields = names
        cls._defaults = {n: getattr(cls, n) for n in names if hasattr(cls, n)}

    def __init__(self, *values: Any, **named: Any) -> None:
        fields = self._fields
        slots = self.__dict__
        self._made[0] += 1
        if self._made[0] == OFTEN and type(self)._plain:
            _specialise(type(self))
        if not named and len(values) <= len(fields):
            slots.update(zip(fields, values))
            try:
                for name in fields[len(values) :]:
                    slots[name] = self._defaults[name]
            except KeyError:
                raise TypeError(f"{type(self).__name__}: missing {name!r}") from None
            return
        if len(values) > len(fields):
            raise TypeError(f"{type(self).__name__} takes {len(fields)} values")
        if not named.keys().isdisjoint(fields[: len(values)]):
            raise TypeError(f"{type(self).__name__}: a value is given by place and by name")
        given = {**self._defaults, **named}
        given.update(zip(fields, values))
        if len(given) != len(fields) or not all(map(given.__contains__, fields)):
            odd = set(fields).symmetric_difference(given)
            raise TypeError(f"{type(self).__name__}: missing or unknown {sorted(odd)}")
        slots.update([(n, given[n]) for n in fields])  # in the order of the fields, which equality and hash rely on

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable")

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.__dict__ == other.__dict__

    def __hash__(self) -> int:
        return hash((type(self), *self.__dict__.values()))

    def __repr__(self) -> str:
        inner = ", ".join(f"{n}={self.__dict__[n]!r}" for n in self._fields)
        return f"{type(self).__name__}({inner})"

    def replace(self, **changes: Any) -> Self:
        """A copy with some fields changed."""
        if not changes.keys() <= self.__dict__.keys():
            raise TypeError(f"{type(self).__name__}: unknown {sorted(changes.keys() - self.__dict__.keys())}")
        copy = object.__new__(type(self))
        copy.__dict__.update(self.__dict__)
        copy.__dict__.update(changes)  # in their places, so the order of the fields stays
        return copy


def _specialise(cls: type[Record]) -> None:
    """Give a class the constructor that one would write by hand, but where a field without a default follows one."""
    fields, defaults = cls._fields, cls._defaults
    required = [name not in defaults for name in fields]
    if required != sorted(required, reverse=True):
        return
    parameters = ", ".join(name if name not in defaults else f"{name}=_defaults_[{name!r}]" for name in fields)
    lines = [f"def __init__(self, {parameters}):", "    _slots_ = self.__dict__"]
    lines += [f"    _slots_[{name!r}] = {name}" for name in fields]
    made: dict[str, Any] = {"_defaults_": defaults}
    exec("\n".join(lines), made)
    cls.__init__ = made["__init__"]  # type: ignore[method-assign]
