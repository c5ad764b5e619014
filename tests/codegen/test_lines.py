"""Generated PyTorch is not much longer than what people write by hand."""

from __future__ import annotations

import pytest

from bench.lines import MOST, counted, generated, handwritten

CODE = '''"""A file."""

import torch


# a class
@decorated(
    1,
)
class One(torch.nn.Module):
    """What it is,

    in words."""

    def __init__(self):
        super().__init__()  # as always

        self.conv = torch.nn.Conv2d(
            3,
            text="""two
            lines""",
        )


def two():
    from math import pi

    return pi
'''


def test_what_is_counted():
    assert counted(CODE) == 10
    assert counted(CODE, ["One"]) == 8
    assert counted(CODE, ["two"]) == 2
    assert counted(CODE, ["two", "One"]) == 10
    with pytest.raises(KeyError):
        counted(CODE, ["three"])


def cases():
    """The long ones stand in the sweep."""
    for other in handwritten():
        marks = [pytest.mark.sweep] if int(other.lines) > 200 else []
        yield pytest.param(other, id=f"{other.spec} {other.file.split('/')[0]}", marks=marks)


@pytest.mark.parametrize("other", cases())
def test_no_longer_than_by_hand(other):
    assert generated(other.spec) <= MOST * int(other.lines)
