"""The neutral graph as it is made from an exported program: values, their layouts, and the steps so far."""

from __future__ import annotations

from ...base.dims import product
from ...base.record import TYPE_CHECKING
from ..graph import ImportedPort, ImportedStep, ModuleLevel, ValueRef
from .layout import SAMPLES, HeldValue, NoCounterpart, natural, placed, regroup, weight_axes
from .program import TensorRef
from .sizes import ratio

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from ...base.dims import Dim, Shape
    from .program import Program, ProgramNode

# steps that only turn, cut or name what the model holds, and go where nobody takes what they give
_IDLE = frozenset(("weight", "reshape", "permute", "slice", "flatten"))


def written(shape: Shape) -> tuple[int | str, ...]:
    """A shape as the graph holds it."""
    return tuple(size if isinstance(size, int) else str(size) for size in shape)


class Building:
    """Steps so far, and what each name of the program stands for."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.batch = program.batch
        self.inputs: list[ImportedPort] = []
        self.steps: list[ImportedStep] = []
        self.values: dict[str, Any] = {}
        self.origins: dict[int, str] = {}  # the tensors of the model that values are, by number
        self.moved: dict[int, int] = {}  # values that were written over, with what they are from then on
        self.roots: dict[str, str] = {}  # of a name that may share its numbers with another one, the first of these
        self.alike: dict[str, list[str]] = {}  # the names that may share numbers with the first of them
        self.path: tuple[ModuleLevel, ...] = ()
        self.count = 0
        self.notes: list[str] = []
        self.users: dict[str, list[ProgramNode]] = {}
        self.kinds: dict[tuple[str, ...], str] = {}  # the classes of modules by path
        for node in program.nodes:
            for name in refs_in(node.args):
                self.users.setdefault(name, []).append(node)
            for depth in range(1, len(node.path) + 1):
                self.kinds.setdefault(tuple(level.name for level in node.path[:depth]), node.path[depth - 1].kind)

    # --- values ---------------------------------------------------------------------------------------------------

    def held(self, ref: Any) -> HeldValue:
        """The value of an argument. Raises NoCounterpart."""
        if not isinstance(ref, TensorRef):
            raise NoCounterpart(
                "a number in the place of a tensor" if ref is not None else "a tensor that is not given"
            )
        if ref.name not in self.values:
            self.values[ref.name] = self._weight(ref.name)
        found = self.values[ref.name]
        if not isinstance(found, HeldValue):
            raise NoCounterpart("what comes from a step that was not understood" if found is None else str(found))
        number = found.number
        while number in self.moved:
            number = self.moved[number]
        return found if number == found.number else found.replace(number=number)

    def tensor(self, ref: Any) -> str:
        """The state_dict's name of a parameter or buffer, taken as it is. Raises NoCounterpart for a value."""
        name = ref.name if isinstance(ref, TensorRef) else ""
        if name in self.program.tensors:
            return self.program.tensors[name]
        held = self.values.get(name)
        if isinstance(held, HeldValue) and held.number in self.origins and held.axes == weight_axes(held.rank):
            return self.origins[held.number]
        raise NoCounterpart("weights that are worked out when the model runs")

    def shape(self, ref: Any) -> Shape:
        """The sizes of a tensor as the framework has it, the batch included. Raises NoCounterpart."""
        meta = self.program.metas.get(ref.name) if isinstance(ref, TensorRef) else None
        if meta is None or meta.shape is None:
            raise NoCounterpart("a size that cannot be written")
        return meta.shape

    def dtype(self, name: str) -> str:
        """The type of the numbers of a tensor of the program."""
        meta = self.program.metas.get(name)
        return meta.dtype if meta else "float32"

    def _weight(self, name: str) -> HeldValue:
        """A parameter as a value: a step that declares it."""
        tensor = self.program.tensors.get(name)
        if tensor is None:
            raise NoCounterpart(f"the value `{name}`")
        if tensor not in self.program.learned:
            raise NoCounterpart(f"`{tensor}`, numbers of the model that are not learned")
        sizes = self.shape(TensorRef(name))
        *owner, last = tensor.split(".")
        number = self.number()
        path = tuple(ModuleLevel(n, self.kinds.get(tuple(owner[: i + 1]), "")) for i, n in enumerate(owner))
        args = (("", last), ("", sizes))
        self.steps.append(ImportedStep("weight", args, (), (number,), path, ((last, tensor),), (written(sizes),)))
        self.origins[number] = tensor
        return HeldValue(number, sizes, weight_axes(len(sizes)))

    def shares(self, name: str, other: str) -> None:
        """Notes that two names may stand for the same numbers in memory, or for a part of them."""
        root = self.roots.get(other, other)
        self.roots[name] = root
        self.alike.setdefault(root, [root]).append(name)

    # --- steps ----------------------------------------------------------------------------------------------------

    def number(self) -> int:
        self.count += 1
        return self.count - 1

    def emit(
        self,
        kind: str,
        operands: Sequence[int],
        shapes: Sequence[Shape],
        args: Mapping[str, Any] | None = None,
        tensors: Mapping[str, str | None] | None = None,
        path: tuple[ModuleLevel, ...] | None = None,
    ) -> tuple[int, ...]:
        """One more step; the numbers of what comes out. Arguments and tensors that are None are left out."""
        results = tuple(self.number() for _ in shapes)
        pairs = tuple((n, v) for n, v in (args or {}).items() if v is not None)
        names = tuple((n, t) for n, t in (tensors or {}).items() if t is not None)
        here = self.path if path is None else path
        self.steps.append(ImportedStep(kind, pairs, tuple(operands), results, here, names, tuple(map(written, shapes))))
        return results

    def one(
        self,
        kind: str,
        held: HeldValue,
        sizes: Shape | None = None,
        args: Mapping[str, Any] | None = None,
        tensors: Mapping[str, str | None] | None = None,
    ) -> HeldValue:
        """A step of one value, whose axes stay; `sizes` are those that come out."""
        sizes = held.sizes if sizes is None else sizes
        return held.replace(number=self.emit(kind, (held.number,), (sizes,), args, tensors)[0], sizes=sizes)

    def unknown(self, node: ProgramNode, why: str) -> None:
        """A step that is not understood, with what it takes and gives."""
        operands = []
        for name in refs_in(node.args):
            held = self.values.get(name)
            operands += [held.number] if isinstance(held, HeldValue) else []
        shapes, helds = [], []
        for name in node.results:
            shape = self.program.metas[name].shape if name in self.program.metas else None
            batched = shape is not None and shape[:1] == (self.batch,)
            sizes = (shape or ())[1 if batched else 0 :]
            shapes.append(sizes)
            helds.append((name, sizes, batched, shape is not None))
        results = tuple(self.number() for _ in shapes)
        for number, (name, sizes, batched, known) in zip(results, helds):
            axes = natural(len(sizes) + 1) if batched else weight_axes(len(sizes))
            self.values[name] = HeldValue(number, sizes, axes) if known else None
        what = f"{node.target}.{node.overload}" if node.overload else node.target
        step = ImportedStep("", (), tuple(operands), results, node.path, (), tuple(map(written, shapes)))
        self.steps.append(step.replace(unknown=f"{what}: {why}" if why else what))

    # --- layouts --------------------------------------------------------------------------------------------------

    def arranged(self, held: HeldValue, order: Sequence[int], lead: bool = False) -> HeldValue:
        """The value with the framework's axes (but the batch) one by one, in this order; axes that a view joined to the
        batch stand before them, where `lead` allows that. Emits what turns and joins axes."""
        front = held.lead
        if front and not lead:
            raise NoCounterpart("samples that are joined with another axis")
        groups = [(a,) for a in front] + [held.axes[t] for t in order]
        sequence = [a for group in groups for a in group]
        sizes = tuple(product(held.sizes[a] for a in group) for group in groups)
        axes = self.axes_of(held, order, len(front))
        if all(len(g) == 1 for g in groups) and sequence == list(range(len(held.sizes))):
            return held.replace(axes=axes)
        number = self._turned(held, sequence, sizes)
        return HeldValue(number, sizes, axes, held.dtype, held.place)

    def axes_of(self, held: HeldValue, order: Sequence[int], lead: int) -> tuple[tuple[int, ...], ...]:
        """The axes of a value that lie in this order, behind `lead` that stand in the axis of its batch."""
        axes = placed(order, held.batch_axis, lead)
        if lead:
            batch = held.batch_axis or 0
            numbers = iter(range(lead))
            kept = tuple(SAMPLES if a == SAMPLES else next(numbers) for a in held.axes[batch])
            axes = (*axes[:batch], kept, *axes[batch + 1 :])
        return axes

    def _turned(self, held: HeldValue, sequence: list[int], sizes: Shape) -> int:
        number = held.number
        path = held.place or None
        known = tuple(held.sizes[a] for a in sequence)
        missing = [a for a in range(len(held.sizes)) if a not in sequence]
        if any(held.sizes[a] != 1 for a in missing):
            raise NoCounterpart("an axis that a view lost")
        large = [a for a in sequence if held.sizes[a] != 1]
        if large != sorted(large):
            full = (*sequence, *missing)
            (number,) = self.emit(
                "permute", (number,), (tuple(held.sizes[a] for a in full),), {"order": full}, None, path
            )
        if known != sizes or missing:
            flat = len(sizes) == 1 and len(known) > 1
            args = None if flat else {"sizes": sizes}
            (number,) = self.emit("flatten" if flat else "reshape", (number,), (sizes,), args, None, path)
        return number

    def plain(self, held: HeldValue, lead: bool = False) -> HeldValue:
        """The value with each of the framework's axes an axis of its own, in the order in which they lie."""
        return self.arranged(held, held.order(), lead)

    def last(self, held: HeldValue, count: int = 1) -> HeldValue:
        """The value with the framework's last axes the last ones, in their order, and the others as they lie."""
        ends = range(held.rank - count, held.rank)
        if held.batch_axis in ends:
            raise NoCounterpart("an operation over the samples of a batch")
        return self.arranged(held, [t for t in held.order() if t not in ends] + list(ends), lead=True)

    def viewed(self, held: HeldValue, sizes: Sequence[Dim]) -> HeldValue:
        """The value as a view of other sizes sees it; cut axes are a step."""
        if not all(isinstance(n, int) or not isinstance(n, str) for n in sizes):
            raise NoCounterpart("a size that cannot be written")
        if -1 in sizes:
            whole = product(held.size(n, self.batch) for n in range(held.rank))
            rest = product(n for n in sizes if n != -1)
            left = ratio(whole, rest)
            if left is None:
                raise NoCounterpart("a view of a size that cannot be written")
            sizes = [left if n == -1 else n for n in sizes]
        found = regroup(held, sizes, self.batch)
        cut = tuple(size for sizes in found.cuts for size in sizes)
        number = held.number
        if any(len(sizes) > 1 for sizes in found.cuts):
            (number,) = self.emit("reshape", (number,), (cut,), {"sizes": cut})
        joined = any(len(parts) > 1 for parts in found.axes)
        return HeldValue(number, cut, found.axes, held.dtype, self.path if joined else held.place)

    def bounded(self, number: int, below: object) -> None:
        """Says of an input that it holds whole numbers below one."""
        for place, port in enumerate(self.inputs):
            if port.number == number and isinstance(below, int):
                least = below if port.below is None else min(port.below, below)
                self.inputs[place] = port.replace(dtype="int", below=least)

    def lost(self, what: str) -> int:
        """A step for what cannot come out."""
        number = self.number()
        self.steps.append(ImportedStep("", (), (), (number,), (), (), ((),), what))
        return number

    # --- the end ----------------------------------------------------------------------------------------------------

    def used(self, outputs: Sequence[int]) -> tuple[ImportedStep, ...]:
        """Dead-code elimination: the steps without those that only turn or declare what nobody takes."""
        alive = set(outputs)
        found = []
        for step in reversed(self.steps):
            if step.kind in _IDLE and alive.isdisjoint(step.results):
                continue
            found.append(step)
            alive.update(step.operands)
            for _, value in step.args:
                refs = value if isinstance(value, tuple) else (value,)
                alive.update(ref.number for ref in refs if isinstance(ref, ValueRef))
        return tuple(reversed(found))


def refs_in(args: Mapping[str, Any]) -> list[str]:
    """The names of the tensors among arguments."""
    items = (item for value in args.values() for item in (value if type(value) is tuple else (value,)))
    return [item.name for item in items if type(item) is TensorRef]
