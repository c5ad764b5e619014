"""`python -m netspec.layers` writes `index.py`: which module has the layer of which name."""

from __future__ import annotations

from pathlib import Path
from pkgutil import iter_modules

from .registry import KINDS

HERE = Path(__file__).parent
_HEAD = '"""Which module has the layer of which name. Made by `python -m netspec.layers` from the classes."""\n'


def index() -> str:
    """The text of `index.py`."""
    for module in iter_modules([str(HERE)]):
        if module.name != "__main__":
            __import__(f"{__package__}.{module.name}")
    found = sorted((name, cls.__module__.rpartition(".")[2]) for name, cls in KINDS.entered())
    lines = [f'    "{name}": "{module}",\n' for name, module in found]
    return f"{_HEAD}\nMODULES = {{\n{''.join(lines)}}}\n"


if __name__ == "__main__":
    (HERE / "index.py").write_text(index(), encoding="utf-8")
