"""Do the bounds of `pyproject.toml` hold? The golden code and every layer's examples, with the lowest and the newest.

`python -m bench.bounds [lowest] [newest]` makes an environment for each in a temporary folder, with the lowest
versions of PyTorch, Keras, TensorFlow, NumPy, safetensors and lark that the project admits or with the newest that pip
finds, and runs there what the tests hold against NumPy: every golden file and every example of every layer, in both
frameworks. Exit status 1 where one fails. Needs Python 3.11 or newer.

`--pip "ARGS"` goes to pip, for an index with builds of PyTorch for the CPU: others bring libraries of several GB.
`--python NAME=PATH` takes an interpreter that has the packages already.
"""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

import tomllib

from netspec.base.record import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).resolve().parent.parent
EXTRAS = ("torch", "keras", "weights")
# what the tests need besides
TOOLS = ("pytest>=8", "hypothesis>=6.100")
TESTS = ("tests/codegen/test_golden_code.py", "tests/layers/test_layers.py", "-k", "golden or torch or keras")
SHOWN = ("torch", "keras", "tensorflow-cpu", "numpy", "safetensors", "lark")


def requirements(which: str) -> list[str]:
    """What pip is to install, for `lowest` or `newest`."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = {need for extra in EXTRAS for need in project["optional-dependencies"][extra]}
    asked.update(project["dependencies"])
    return sorted(need.replace(">=", "==") if which == "lowest" else need for need in asked)


def environment(which: str, folder: Path, more: str) -> Path:
    """The interpreter of a new environment."""
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    python = folder / "bin" / "python"
    asked = [*requirements(which), *TOOLS]
    command = [python, "-m", "pip", "install", "--quiet", "--upgrade", "--upgrade-strategy", "eager"]
    subprocess.run([*command, *shlex.split(more), *asked], check=True)
    return python


def tried(which: str, python: Path) -> bool:
    """Run the tests with an interpreter, and say with which versions and whether all passed."""
    code = f"import importlib.metadata as m; print(*(f'{{n}} {{m.version(n)}}' for n in {SHOWN}), sep=', ')"
    versions = subprocess.run([python, "-c", code], check=True, capture_output=True, text=True).stdout.strip()
    print(f"{which}: {versions}", flush=True)
    command = [python, "-m", "pytest", "-o", "addopts=", "-q", "-p", "no:cacheprovider", *TESTS]
    paths = os.pathsep.join([str(ROOT), str(ROOT / "tests" / "support")])
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": paths}, check=False)
    return done.returncode == 0


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.bounds", description=__doc__.partition("\n")[0])
    parser.add_argument("which", nargs="*", metavar="lowest|newest", help="default: both")
    parser.add_argument("--pip", default="", metavar="ARGS", help="further arguments of `pip install`")
    parser.add_argument("--python", action="append", default=[], metavar="NAME=PATH", help="an interpreter to take")
    options = parser.parse_args(words)
    ready = dict(pair.split("=", 1) for pair in options.python)
    good = True
    for which in options.which or ("lowest", "newest"):
        with tempfile.TemporaryDirectory() as folder:
            given = ready.get(which)
            good &= tried(which, Path(given) if given else environment(which, Path(folder), options.pip))
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main())
