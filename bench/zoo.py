"""The long sweep over the zoo, which fills its page: what `netspec verify` finds for each spec, and its picture.

`python -m bench.zoo verify [NAME...]` writes the largest errors and the seconds of each spec to specs/verified.csv as
it goes; `--missing` takes those that are not there yet, from the cheapest on. Nets of more than 12 billion MACs see the
smallest images that they can be made for, which asks the same of their weights. `python -m bench.zoo take FILE...`
reads what `netspec verify --format json` wrote instead. `python -m bench.zoo draw [NAME...]` writes the pictures in
docs/pictures/zoo. `python -m bench.zoo count` writes the figures that `netspec zoo` lists to specs/counted.csv. Exit
status 1 where a spec does not agree. Then `netspec zoo --format markdown` shows all.
"""

from __future__ import annotations

import argparse
import csv
import json
import re
from pathlib import Path

from netspec.api import check
from netspec.base.diagnostics import SpecError
from netspec.base.record import TYPE_CHECKING
from netspec.diagram.dot import dot
from netspec.diagram.render import draw
from netspec.files import ZOO, read_source, zoo_names
from netspec.verify.pool import WorkerPool
from netspec.verify.verify import Options, verify
from netspec.zoo import COUNTED, MEASURED, Counted, Verified, counted, entries, measured

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

    from netspec.ir.types import CheckedNet

ROOT = Path(__file__).resolve().parent.parent
PICTURES = ROOT / "docs" / "pictures" / "zoo"


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.zoo", description=__doc__)
    parser.add_argument("what", choices=("verify", "take", "draw", "count"))
    parser.add_argument("names", metavar="NAME", nargs="*", help="a spec (default: all), or a file to take from")
    parser.add_argument("--missing", action="store_true", help="only those without a result")
    options = parser.parse_args(words)
    if options.what == "take":
        return _take(options.names)
    if options.what == "count":
        return _count()
    names = options.names or list(zoo_names())
    if options.what == "draw":
        return _draw(names)
    return _verify([n for n in names if not options.missing or n not in measured()])


def _count() -> int:
    """Write the figures of all nets, as they stand and with the settings that a published figure is of."""
    with (ROOT / "specs" / COUNTED).open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file, lineterminator="\n")
        lines.writerow(Counted._fields)
        lines.writerows(counted(e.counted.file, e.settings).__dict__.values() for e in entries())
    return 0


# what two cores can do in minutes, and sizes of images, the smallest first
_MOST, _SIZES = 12_000_000_000, (107, 128, 160, 188, 224)
# where rounding has grown so far in float32, float64 tells more
_ROUNDED = 1e-2


def _net(name: str, **settings: int) -> CheckedNet:
    found = check(read_source(ZOO + name), settings=settings).checked
    assert found is not None
    return found


def within_reach(name: str) -> tuple[CheckedNet, str]:
    """The net of a spec, for small images where it is large, and the setting that says so."""
    net = _net(name)
    if not isinstance(net.totals.macs, int) or net.totals.macs < _MOST or "size" not in net.net.body.arguments:
        return net, ""
    whole = net.net.body.arguments["size"]
    smaller = ((size, _net(name, size=size)) for size in _SIZES if size < whole)
    return next(((found, f"size={size}") for size, found in smaller if found.ok), (net, ""))


# --- verify ----------------------------------------------------------------------------------------------------------


def _verify(names: Iterable[str]) -> int:
    """Verify each and note what was found. Those with symbolic costs come first."""
    nets = [within_reach(name) for name in names]
    faults = 0
    with WorkerPool() as pool:
        for net, settings in sorted(nets, key=lambda n: n[0].totals.macs if isinstance(n[0].totals.macs, int) else 0):
            try:
                result = verify(net, pool, Options())
                if max(line.error for line in result.lines) > _ROUNDED:
                    settings = f"{settings} float64".strip()
                    result = verify(net, pool, Options(dtype="float64", tolerance=1e-4))
            except (SpecError, ValueError) as error:
                faults += 1
                print(f"{net.name}: {error}", flush=True)
                continue
            faults += _judge(result.document(), settings)
    return 1 if faults else 0


def _take(paths: Iterable[str]) -> int:
    """Note what others found. A file of a run that was broken off is empty."""
    texts = (Path(path).read_text(encoding="utf-8") for path in paths)
    return 1 if sum(_judge(json.loads(text)) for text in texts if text) else 0


def _judge(found: Mapping[str, Any], settings: str = "") -> bool:
    """Note a net that agrees, and say what became of it. Is it at fault?"""
    layers = [error for line in found["layers"] for error in line["errors"].values()]
    worst = (max(found["errors"].values()), max(layers), (found["gradients"] or {}).get("error"))
    shown = ("" if error is None else f"{error:.0e}" for error in worst)
    row = Verified(found["net"], settings, *shown, f"{found['seconds']:.0f}")
    if found["ok"]:
        _note(row)
    print(*row.__dict__.values(), *found["problems"], flush=True)
    return not found["ok"]


def _note(new: Verified) -> None:
    """Put a result into the table, which other runs may be writing to as well."""
    found = {**measured(), new.net: new}
    with (ROOT / "specs" / MEASURED).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("net", "settings", "outputs", "layers", "gradients", "seconds"))
        writer.writerows(found[name].__dict__.values() for name in sorted(found))


# --- draw ------------------------------------------------------------------------------------------------------------


def _draw(names: Iterable[str]) -> int:
    PICTURES.mkdir(parents=True, exist_ok=True)
    for name in names:
        (PICTURES / f"{name}.svg").write_text(small(draw(picture(name), "svg").decode()), encoding="utf-8")
    return 0


def picture(name: str) -> str:
    """The DOT text of a spec's small picture: blocks closed, from left to right."""
    return dot(_net(name), 0, "LR")


# what Graphviz writes that no eye sees: comments, titles, names, groups, links and what is the default anyway
_UNSEEN = re.compile(
    r"<\?xml.*?\?>\n|<!DOCTYPE.*?>\n|<!--.*?-->\n|<title>.*?</title>\n|<g id=\"(?!graph0).*?>\n?|</?a\b.*?>\n|</g>\n"
    r"| xml:space=\"preserve\"| text-anchor=\"start\"| id=\"graph0\" class=\"graph\"|(?<=\S) stroke=\"none\"",
    re.DOTALL,
)


def small(svg: str) -> str:
    """The same picture in less than half as much text."""
    family = re.search(r' font-family="[^"]*"', svg)
    text = _UNSEEN.sub("", svg).replace("</svg>", "</g>\n</svg>")
    if family:
        text = text.replace(family[0], "").replace("<g transform", f"<g{family[0]} transform")
    return re.sub(r"<[^>]*>", lambda tag: re.sub(r"(\d+\.\d)\d+", r"\1", tag[0]), text)


if __name__ == "__main__":
    raise SystemExit(main())
