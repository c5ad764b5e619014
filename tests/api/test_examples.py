"""The examples run, and do what they say."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="module")
def copy_task():
    spec = importlib.util.spec_from_file_location("copy_task", FOLDER / "copy_task.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_sequences_to_copy(copy_task):
    bits, given = copy_task.sequences(3, batch=2)
    assert bits.shape == (2, 3, 4)
    assert given.shape == (2, 7, 5)
    assert (given[:, :3, :4] == bits).all()
    assert given[:, 3:].sum() == given[:, 3, 4].sum() == 2


def test_a_turing_machine_begins_to_learn(copy_task):
    """Guessing costs log 2 = 0.69 a bit."""
    _, loss = copy_task.train(steps=150, show=lambda _: None)
    assert loss < 0.6


@pytest.mark.sweep
def test_a_turing_machine_learns_to_copy(copy_task):
    _, loss = copy_task.train(show=lambda _: None)
    assert loss < copy_task.GOAL
