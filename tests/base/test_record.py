"""Records: what is given lands in its field, also where many were made and the class has a constructor of its own."""

from __future__ import annotations

import pytest

from netspec.base.record import OFTEN, Record


class Point(Record):
    x: int
    y: int
    label: str = ""
    self_: bool = False


class Solid(Point):
    z: int = 0


class Late(Point):
    z: int


def many(cls: type[Record], *values: object) -> None:
    for _ in range(2 * OFTEN):
        cls(*values)


@pytest.mark.parametrize("often", [False, True])
def test_fields(often: bool) -> None:
    class Pair(Point):
        w: int = 7

    if often:
        many(Pair, 1, 2)
        assert Pair.__init__ is not Record.__init__
    for made in (
        Pair(1, 2, "a", True, 3),
        Pair(1, 2, w=3, self_=True, label="a"),
        Pair(y=2, x=1, label="a", self_=True, w=3),
    ):
        assert made == Pair(1, 2, "a", True, 3)
        assert hash(made) == hash(Pair(1, 2, "a", True, 3))
        assert list(made.__dict__) == ["x", "y", "label", "self_", "w"]
    assert Pair(1, 2).w == 7
    assert Pair(1, 2).replace(w=1) == Pair(1, 2, w=1)
    for wrong in (lambda: Pair(1), lambda: Pair(1, 2, 3, 4, 5, 6), lambda: Pair(1, 2, v=3), lambda: Pair(1, 2, x=3)):
        with pytest.raises(TypeError):
            wrong()
    with pytest.raises(AttributeError):
        Pair(1, 2).x = 3  # type: ignore[misc]


def test_a_class_has_not_the_constructor_of_its_base() -> None:
    many(Point, 1, 2)
    assert Solid(1, 2, z=3).z == 3
    many(Solid, 1, 2)
    assert Solid(1, 2, "a", False, 3).z == 3
    assert Point(1, 2) == Point(x=1, y=2)

    class Further(Solid):
        w: int = 4

    assert Further(1, 2, w=5).w == 5


def test_a_field_without_a_default_behind_one_with() -> None:
    for _ in range(2 * OFTEN):
        assert Late(1, 2, z=3).z == 3
    with pytest.raises(TypeError):
        Late(1, 2)


def test_a_constructor_that_is_written_stays() -> None:
    class Own(Record):
        x: int

        def __init__(self, text: str) -> None:
            super().__init__(int(text))

    many(Own, "3")
    assert Own("3").x == 3
