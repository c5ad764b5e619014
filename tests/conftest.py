"""What all tests share: goldens, texts that the project writes, kept as files and compared whole."""

from __future__ import annotations

import gc
import os
from difflib import unified_diff
from pathlib import Path

import pytest
from hypothesis import settings

if "PYTEST_XDIST_WORKER" in os.environ:
    # the processes share the cores: threads of one that wait for work would take the time of the others
    for name in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
        os.environ.setdefault(name, "1")

# how long an example takes is no matter of these tests
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write the goldens anew from what comes out now")


def pytest_collection_finish() -> None:
    """The frameworks are imported by now and stay: no search for garbage has to look through them again."""
    gc.collect()
    gc.freeze()


class Golden:
    """Compares a text with a file. A file that is not there fails, unless goldens are being written."""

    def __init__(self, update: bool) -> None:
        self.update = update

    def check(self, path: Path, text: str) -> None:
        if self.update:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
            return
        assert path.exists(), f"there is no {path}; `pytest --update-golden` writes it"
        wanted = path.read_text(encoding="utf-8")
        if wanted != text:
            lines = (t.splitlines() for t in (wanted, text))
            pytest.fail("\n".join(unified_diff(*lines, f"{path} (golden)", "now", lineterm="")), pytrace=False)


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    return Golden(request.config.getoption("--update-golden"))
