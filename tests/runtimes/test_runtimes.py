"""The table of `bench.runtimes`: every layer and the cheaper specs in every runtime come to what it says."""

from __future__ import annotations

import pytest

from bench.runtimes.__main__ import Ways, layers, outcome, specs
from bench.runtimes.page import PAGE, page
from bench.runtimes.small import cost
from bench.runtimes.table import kept, versions
from bench.runtimes.ways import WAYS

ROWS = kept()


def test_the_page_is_that_of_the_table():
    assert PAGE.read_text(encoding="utf-8") == page(list(ROWS.values()))


def test_every_layer_is_in_the_table():
    assert {tried.name for tried in layers([])} <= {net for net, way in ROWS if way == "jax"}


def agree(nets, way):
    if "missing" in versions(way):
        pytest.skip("a package is not there")
    with Ways(240) as pool:
        found = {tried.name: outcome(tried, way, pool)["verdict"] for tried in nets if (tried.name, way) in ROWS}
    assert found == {net: ROWS[net, way]["verdict"] for net in found}


@pytest.mark.sweep
@pytest.mark.parametrize("way", WAYS)
def test_layers(way):
    agree(layers([]), way)


@pytest.mark.sweep
@pytest.mark.parametrize("way", WAYS)
def test_specs(way):
    agree((tried for tried in specs([]) if cost(tried.net) < 100_000_000), way)
