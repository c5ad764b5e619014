"""A generated PyTorch module as other runtimes run it: compiled, exported, as ONNX.

What is exported is exported once, from the first batch, with the sizes that may vary left open; other batches run what
was made then.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from types import ModuleType

from ..base.record import TYPE_CHECKING
from ..base.stopping import Scratch
from .code import MissingFramework
from .torch_model import TorchModel, channels_first

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

    # for each axis of an input, in the language's order, the size that may vary there; empty where it is fixed
    Axes = Sequence[Sequence[str]]


@contextmanager
def _importable(module: Any) -> Iterator[None]:
    """While this lasts the code of a module can be imported, as that of a user can: PyTorch looks there for what the
    functions that it follows speak of."""
    code = ModuleType(type(module).__module__)
    code.__dict__.update(type(module).forward.__globals__)
    sys.modules[code.__name__] = code
    try:
        yield
    finally:
        del sys.modules[code.__name__]


class Carried(TorchModel):
    """A module that something else runs, made of it when inputs first come in. `axes` name the sizes that may vary."""

    def __init__(self, text: str, net: str, axes: Axes, dtype: str = "float32") -> None:
        super().__init__(text, net, dtype)
        self.axes = axes
        self.carried: Callable[..., Any] | None = None

    def call(self, tensors: Sequence[Any]) -> Any:
        with _importable(self.module):
            if self.carried is None:
                # of the loops of an earlier export PyTorch remembers the sizes, and holds those of this one to them
                self.torch.compiler.reset()
                self.carried = self.carry(tuple(tensors))
            return self.carried(*tensors)

    def carry(self, tensors: tuple[Any, ...]) -> Callable[..., Any]:
        """What runs the module, made with the first batch."""
        raise NotImplementedError

    def _varying(self) -> tuple[dict[int, Any], ...]:
        """Which axes of each input may vary, as `torch.export` takes it."""
        open_, derived = self.torch.export.Dim.DYNAMIC, self.torch.export.Dim.AUTO
        # what is worked out of other sizes, `2*T`, is left to the export; others must stay open. A named `Dim`
        # would need a least value where the code works out `ceil(T/2)`, which must not be 1
        moved = ([axes[place] for place in channels_first(len(axes))] for axes in self.axes)
        return tuple(
            {k: open_ if name.isidentifier() else derived for k, name in enumerate(axes) if name} for axes in moved
        )


class Exported(Carried):
    """`torch.export`: one graph for all sizes."""

    def carry(self, tensors: tuple[Any, ...]) -> Callable[..., Any]:
        with self.torch.no_grad():
            program = self.torch.export.export(self.module, tensors, dynamic_shapes=self._varying())
        found: Callable[..., Any] = program.module()
        return found


class Compiled(Carried):
    """`torch.compile` with one graph asked for: by inductor, or its stand-in where there is no C++ compiler."""

    def carry(self, tensors: tuple[Any, ...]) -> Callable[..., Any]:
        import shutil

        found = any(map(shutil.which, (os.environ.get("CXX", ""), "c++", "g++", "clang++")))
        made: Callable[..., Any] = self.torch.compile(
            self.module, fullgraph=True, backend="inductor" if found else "aot_eager"
        )
        return made


class OnnxModel(Carried):
    """PyTorch's ONNX export, run by ONNX Runtime on the CPU."""

    def carry(self, tensors: tuple[Any, ...]) -> Callable[..., Any]:
        onnxruntime = _import_onnx()
        with Scratch() as folder, self.torch.no_grad():
            path = os.path.join(folder.path, "net.onnx")
            made = self.torch.onnx.export(
                self.module, tensors, dynamo=True, dynamic_shapes=self._varying(), verbose=False
            )
            made.save(path)
            session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        names = [port.name for port in session.get_inputs()]

        def run(*given: Any) -> tuple[Any, ...]:
            found = session.run(None, {name: x.numpy() for name, x in zip(names, given)})
            return tuple(self.torch.from_numpy(array) for array in found)

        return run


# what people call the packages that are imported
_CALLED = {"onnx": "ONNX", "onnxscript": "ONNX Script", "onnxruntime": "ONNX Runtime"}


def _import_onnx() -> Any:
    """ONNX Runtime; what PyTorch exports with has to be there, too. Raises MissingFramework."""
    try:
        import onnx  # noqa: F401
        import onnxruntime
        import onnxscript  # noqa: F401
    except ImportError as error:
        missing = (error.name or "onnxruntime").partition(".")[0]
        raise MissingFramework(_CALLED.get(missing, missing), "onnx") from None
    return onnxruntime


RUNTIMES: dict[str, type[Carried]] = {"compile": Compiled, "export": Exported, "onnxruntime": OnnxModel}
