"""An exported program as nodes: targets, arguments by name, what comes out, and the module each stands in."""

from __future__ import annotations

from ...base.dims import symbol
from ...base.record import TYPE_CHECKING, Record
from ...files import ReadError
from ..graph import ModuleLevel
from .container import DTYPES
from .sizes import OddSize, SizeReader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    from ...base.dims import Dim, Shape
    from .container import ExportedFile

# the size of a batch that is not a number
BATCH = "batch"
# what the schema numbers differ in
_MAJOR = 8


class TensorRef(Record):
    """A tensor as an argument, by the name it has in the program."""

    name: str


class TensorMeta(Record):
    """What is known of a tensor: the type of its numbers, and its sizes, None where one cannot be written."""

    dtype: str
    shape: Shape | None


class ProgramNode(Record):
    """One operation. `target` is `conv2d` for `torch.ops.aten.conv2d.default`, and holds the whole name of others;
    `overload` is `default`. `path` leads from the root to the module in whose `forward` it stands."""

    target: str
    overload: str
    args: Mapping[str, Any]
    results: tuple[str, ...]
    path: tuple[ModuleLevel, ...]


class Program(Record):
    """A program. `tensors` has the state_dict's name of each parameter and buffer by its name here, `learned` those
    that are parameters; `outputs` are pairs of a name (or "") and what comes out."""

    nodes: tuple[ProgramNode, ...]
    inputs: tuple[str, ...]
    outputs: tuple[tuple[str, Any], ...]
    tensors: Mapping[str, str]
    learned: frozenset[str]
    metas: Mapping[str, TensorMeta]
    batch: Dim
    name: str


def program_of(held: ExportedFile) -> Program:
    """The program of a file. Raises ReadError where it is damaged."""
    try:
        version = held.program.get("schema_version", {}).get("major")
        if version != _MAJOR:
            raise ReadError(
                f"{held.path} has schema {version} of torch.export; schema {_MAJOR} is read (PyTorch 2.8 on)"
            )
        return _ProgramReader(held).program()
    except (KeyError, TypeError, IndexError, AttributeError, ValueError, RecursionError) as error:
        raise ReadError(f"{held.path} is damaged: its program is not as torch.export writes it ({error!r})") from None


class _ProgramReader:
    def __init__(self, held: ExportedFile) -> None:
        module = held.program["graph_module"]
        self.graph, self.signature = module["graph"], module["signature"]
        self.file = held
        self.paths: dict[str, tuple[ModuleLevel, ...]] = {}
        inputs = [spec["user_input"]["arg"] for spec in self.signature["input_specs"] if "user_input" in spec]
        self.inputs = tuple(arg["as_tensor"]["name"] for arg in inputs if "as_tensor" in arg)
        values = self.graph["tensor_values"]
        self.sizes = SizeReader(_symbol_names([values[name]["sizes"] for name in self.inputs]))
        self.symints = {**self.graph["sym_int_values"]}

    def program(self) -> Program:
        metas = {name: self._meta(held) for name, held in self.graph["tensor_values"].items()}
        nodes = tuple(self._node(held) for held in self.graph["nodes"])
        tensors, learned = self._tensors()
        first = next((metas[n].shape for n in self.inputs if metas[n].shape), None)
        stacks = (held["metadata"].get("nn_module_stack", "") for held in self.graph["nodes"])
        kind = next((name for text in stacks if (name := _root(text))), "Model")
        batch = first[0] if first else 1
        return Program(nodes, self.inputs, self._outputs(), tensors, frozenset(learned), metas, batch, kind)

    def _meta(self, held: Mapping[str, Any]) -> TensorMeta:
        try:
            shape: Shape | None = tuple(map(self.sizes.size, held["sizes"]))
        except OddSize:
            shape = None
        return TensorMeta(DTYPES.get(held["dtype"], "?"), shape)

    def _tensors(self) -> tuple[dict[str, str], set[str]]:
        """Names in the program to those in the state_dict; of tensors that are one, the first name."""
        first: dict[str, str] = {}
        whole = {name: f"{t.member} {t.offset} {t.sizes} {t.strides}" for name, t in self.file.tensors.items()}
        found: dict[str, str] = {}
        learned: set[str] = set()
        for spec in self.signature["input_specs"]:
            for kind, key in (
                ("parameter", "parameter_name"),
                ("buffer", "buffer_name"),
                ("tensor_constant", "tensor_constant_name"),
            ):
                if kind in spec:
                    name = spec[kind][key]
                    found[spec[kind]["arg"]["name"]] = first.setdefault(whole.get(name, name), name)
                    learned.update((name,) if kind == "parameter" else ())
        return found, learned

    def _outputs(self) -> tuple[tuple[str, Any], ...]:
        specs = [spec["user_output"]["arg"] for spec in self.signature["output_specs"] if "user_output" in spec]
        return tuple(("", self._arg(arg)) for arg in specs)

    # --- nodes ----------------------------------------------------------------------------------------------------

    def _node(self, held: Mapping[str, Any]) -> ProgramNode:
        target, overload = _target(held["target"])
        args = {entry["name"]: self._arg(entry["arg"]) for entry in held["inputs"]}
        results = tuple(name for out in held["outputs"] for name in _names(out))
        return ProgramNode(target, overload, args, results, self._path(held["metadata"].get("nn_module_stack", "")))

    def _arg(self, held: Mapping[str, Any]) -> Any:
        ((kind, value),) = held.items()
        reader = _READERS.get(kind)
        if reader is not None:
            return reader(self, value)
        return value

    def symint(self, held: Mapping[str, Any]) -> Any:
        """A whole number or a size. One that cannot be written is the text of it, which fits nowhere."""
        if "as_name" not in held:
            return self.sizes.size(held)
        try:
            return self.sizes.size(self.symints[held["as_name"]])
        except OddSize as odd:
            return str(odd)

    def _path(self, text: str) -> tuple[ModuleLevel, ...]:
        if text not in self.paths:
            self.paths[text] = tuple(_levels(text))
        return self.paths[text]


_READERS: dict[str, Callable[[_ProgramReader, Any], Any]] = {
    "as_tensor": lambda self, value: TensorRef(value["name"]),
    "as_tensors": lambda self, value: tuple(TensorRef(v["name"]) for v in value),
    "as_optional_tensor": lambda self, value: self._arg(value),
    "as_optional_tensors": lambda self, value: tuple(map(self._arg, value)),
    "as_none": lambda self, value: None,
    "as_ints": lambda self, value: tuple(value),
    "as_floats": lambda self, value: tuple(value),
    "as_bools": lambda self, value: tuple(value),
    "as_sym_int": lambda self, value: self.symint(value),
    "as_sym_ints": lambda self, value: tuple(map(self.symint, value)),
    "as_scalar_type": lambda self, value: DTYPES.get(value, "?"),
}


def _names(out: Mapping[str, Any]) -> Iterable[str]:
    """The tensors of a result."""
    ((kind, value),) = out.items()
    if kind == "as_tensor":
        return (value["name"],)
    if kind in ("as_tensors", "as_optional_tensors"):
        return tuple(name for v in value for name in _names(v if kind != "as_tensors" else {"as_tensor": v}))
    return ()


def _target(text: str) -> tuple[str, str]:
    if text.startswith("torch.ops.aten."):
        name, _, overload = text.removeprefix("torch.ops.aten.").partition(".")
        return name, overload
    return text, ""


def _root(text: str) -> str:
    """The class of the root in a stack of modules, or nothing."""
    parts = text.partition(";")[0].split(",")
    return parts[2].rpartition(".")[2] if len(parts) == 3 and not parts[1] else ""


def _levels(text: str) -> Iterable[ModuleLevel]:
    """The modules of `key,path,class;key,path,class` below the root, whose path is empty."""
    before = ""
    for entry in text.split(";"):
        parts = entry.split(",")
        if len(parts) != 3 or not parts[1] or parts[0] == parts[1]:
            continue
        path = parts[1].partition("@")[0]
        inner = path[len(before) + 1 :] if before and path.startswith(f"{before}.") else path
        *containers, last = inner.split(".")
        yield from (ModuleLevel(name, "") for name in containers)
        yield ModuleLevel(last, parts[2].rpartition(".")[2])
        before = path


def _symbol_names(shapes: list[Any]) -> dict[str, Dim]:
    """What the symbols of the inputs are called: the batch, then H and W of images, T of sequences."""
    found: dict[str, Dim] = {}
    taken: set[str] = {BATCH}
    for sizes in shapes:
        names = {5: "NCDHW", 4: "NCHW", 3: "NTF", 2: "NT"}.get(len(sizes), "N" + "ABCDEFG" * len(sizes))
        for place, size in enumerate(sizes):
            text = size.get("as_expr", {}).get("expr_str", "")
            name = text.split("'")[1] if text.startswith("Symbol('") else ""
            if not name or name in found:
                continue
            wanted = [BATCH] if place == 0 else [names[place], *"STUVXYZKLMPQR"]
            chosen = next((w for w in wanted if w not in taken or w == BATCH), name)
            taken.add(chosen)
            found[name] = symbol(chosen)
    return found
