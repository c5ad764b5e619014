"""The table of what was found, `bench/runtimes/table.csv`: one row for a net and a way."""

from __future__ import annotations

import csv
from importlib.metadata import PackageNotFoundError, version

from bench.zoo import ROOT

from .ways import WAYS

TABLE = ROOT / "bench" / "runtimes" / "table.csv"
_FIELDS = ("net", "way", "verdict", "error", "message", "versions")


def kept() -> dict[tuple[str, str], dict[str, str]]:
    if not TABLE.exists():
        return {}
    with TABLE.open(encoding="utf-8", newline="") as file:
        return {(row["net"], row["way"]): row for row in csv.DictReader(file)}


def keep(rows: dict[tuple[str, str], dict[str, str]]) -> None:
    """Write them all. The table is whole at any time, also where a run is ended."""
    order = list(WAYS)
    part = TABLE.with_suffix(".part")
    with part.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, _FIELDS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(sorted(rows.values(), key=lambda row: (order.index(row["way"]), row["net"])))
    part.replace(TABLE)


def versions(way: str) -> str:
    """The packages that a way needs, with their versions here."""
    names = {"torch": ("torch",), "keras": ("keras", "tensorflow-cpu", "jax", "torch")}[WAYS[way].code]
    backend = WAYS[way].environment.get("KERAS_BACKEND", "")
    names = tuple(n for n in names if not backend or n == "keras" or n.startswith(backend))
    more = {"onnxruntime": ("onnx", "onnxscript", "onnxruntime"), "keras-onnx": ("tf2onnx", "onnxruntime")}
    more |= {"openvino": ("openvino",), "litert": ("litert-torch",)}
    more |= {"executorch": ("executorch",), "executorch-xnnpack": ("executorch",)}
    more |= {"coreml": ("coremltools",)}
    return " ".join(f"{name} {_version(name)}" for name in (*names, *more.get(way.removesuffix("-style"), ())))


def _version(name: str) -> str:
    try:
        return version(name).partition("+")[0]
    except PackageNotFoundError:
        return "missing"
