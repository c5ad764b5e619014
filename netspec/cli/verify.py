"""`netspec verify`: the generated PyTorch and Keras code run on the same random numbers, and held against NumPy."""

from __future__ import annotations

import shlex

from ..base.diagnostics import SpecError
from ..base.record import TYPE_CHECKING
from ..base.stopping import watch_libraries
from ..codegen.pipeline import BACKENDS
from ..elaborate.net import SettingError
from ..files import STDIN, ReadError
from ..verify.legs import LEGS
from . import MISUSED, OK, WRONG
from .options import UsageError, above_zero, whole
from .parser import Parser
from .specs import add_net_options, checked, needs_numpy

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..ir.types import CheckedNet
    from ..verify.pool import WorkerPool
    from ..verify.verdict import Result
    from ..verify.verify import Options
    from .options import CommandLine
    from .screen import Console

_ABOUT = """Build the PyTorch and the Keras model from the code that `netspec build` writes, load the same random
weights into both, feed them the same random inputs, and compare shapes, counts, outputs, the output of each layer and
the gradients with one another, with the checker and with the NumPy reference. With --target the same code runs
elsewhere, too: Keras on JAX (jax) and on PyTorch (keras-torch), and the PyTorch code under torch.compile (compile),
torch.export (export) and, exported to ONNX, in ONNX Runtime (onnxruntime), with all sizes open that the spec leaves
open. With --style export the PyTorch code is that of `netspec build --style export`."""
_FOLDED = "PyTorch's exporter folds batch norms away; `torch.onnx.export(..., optimize=False)` leaves them"
# what is held against NumPy unless something else is asked for
_TARGETS = ("torch", "keras")
_SETTINGS = 2
# the forms of PyTorch code, the usual one first
_STYLES = tuple(BACKENDS["torch"])


def run(words: list[str], screen: Console) -> int:
    options = _options(words, screen)
    watch_libraries()
    needs_numpy(LEGS[options.target[0]].extra if options.target else "torch")
    from ..verify.pool import WorkerPool
    from ..verify.verify import Options

    how = Options(
        tuple(options.target or _TARGETS),
        options.dtype,
        options.tolerance,
        options.seed,
        options.settings,
        _styles(options),
    )
    found: list[tuple[str, Result]] = []
    status = OK
    with WorkerPool() as pool:
        for path in options.files:
            result, own = _verified(path, options, how, pool, screen)
            status = max(status, own)
            if result is None:
                continue
            found.append((path, result))
            if options.format == "table":
                _show(path, result, options, screen)
    if options.format == "json":
        from ..report.json import dumps

        made = [{"schema": 1, "file": path, **result.document()} for path, result in found]
        screen.record(dumps(made if len(options.files) > 1 else made[0]) if made else "[]")
    return status


def _options(words: list[str], screen: Console) -> CommandLine:
    parser = Parser("verify", screen, _ABOUT)
    parser.add_argument("files", metavar="FILE", nargs="+", help="a spec, or - for standard input")
    add_net_options(parser)
    parser.add_argument(
        "--target",
        choices=list(LEGS),
        action="append",
        help="only this framework or runtime, several times for several (default: torch and keras)",
    )
    parser.add_argument(
        "--style", choices=_STYLES, default=_STYLES[0], help=f"of the PyTorch code (default: {_STYLES[0]})"
    )
    parser.add_argument(
        "--dtype", choices=("float32", "float64"), default="float32", help="what the frameworks work in; NumPy: float64"
    )
    parser.add_argument(
        "--tolerance", metavar="X", type=above_zero, help="largest relative error (default: 1e-4; with float64 1e-9)"
    )
    parser.add_argument(
        "--against",
        metavar="MODEL",
        help="hold the spec against a model with that model's own weights: .pt2, .keras, .onnx or package.module:Class",
    )
    parser.add_argument("--rename", metavar="TABLE", help="with --against: lines `foreign = ours`, with * for any text")
    parser.add_argument("--seed", metavar="N", type=whole(0), default=0, help="of the random numbers (default: 0)")
    parser.add_argument(
        "--settings",
        metavar="N",
        type=whole(0),
        default=_SETTINGS,
        help=f"further values of each argument of the code that are tried (default: {_SETTINGS}; 0: none)",
    )
    parser.add_argument("--layers", choices=("all", "none"), help="show each layer (default: where there is one file)")
    parser.add_argument("--format", choices=("table", "json"), default="table", help="default: table")
    options = parser.read(words)
    if options.rename and not options.against:
        raise UsageError("--rename goes with --against")
    if options.files.count(STDIN) > 1:
        raise UsageError("standard input can be read only once")
    return options


def _styles(options: CommandLine) -> dict[str, str]:
    """The styles that were asked for, by the framework that the code is written for."""
    styles = {"torch": options.style}
    if options.style != _STYLES[0] and not any(LEGS[leg].code in styles for leg in options.target or _TARGETS):
        able = ", ".join(leg for leg in LEGS if LEGS[leg].code in styles)
        raise UsageError(f"--style {options.style} is for PyTorch code: add a --target that runs it ({able})")
    return styles


def _verified(
    path: str, options: CommandLine, how: Options, pool: WorkerPool, screen: Console
) -> tuple[Result | None, int]:
    """What became of a file, with its share of the exit status."""
    from ..verify.verify import verify

    try:
        net = checked(path, options, screen)
    except (ReadError, SettingError) as error:
        screen.complain(str(error))
        return None, MISUSED
    if net is None:
        return None, WRONG
    progress = lambda text: screen.note(f"{net.name}: {text}")  # noqa: E731
    try:
        if not options.against:
            result = verify(net, pool, how, progress)
        elif (held := _against(net, pool, how, options, screen, progress)) is None:
            return None, WRONG
        else:
            result = held
    except SpecError as error:
        screen.diagnostics(error.diagnostics)
        return None, WRONG
    except ModuleNotFoundError as error:
        raise UsageError(str(error)) from None
    except ValueError as error:
        screen.complain(f"{path}: {error}")
        return None, MISUSED
    return result, OK if result.ok else WRONG


def _against(
    net: CheckedNet,
    pool: WorkerPool,
    how: Options,
    options: CommandLine,
    screen: Console,
    progress: Callable[[str], None],
) -> Result | None:
    """The net held against the model of --against; None where its weights are not those of the net, which is told.
    Raises UsageError where there is no such model, or it does not run."""
    from ..files import read_source
    from ..verify.against import ModelFailed, hold_against
    from ..weights.rename import Renaming, read_rules
    from ..weights.table import WeightsError

    renaming = read_rules(read_source(options.rename)) if options.rename else Renaming()
    try:
        return hold_against(net, options.against, pool, how, renaming, progress)
    except ModelFailed as error:
        raise UsageError(str(error)) from None
    except WeightsError as error:
        lines = [f"the weights of {options.against} do not fit net {net.name}:", *(f"  {p}" for p in error.problems)]
        screen.complain(*lines, *error.hints, *([_FOLDED] if options.against.endswith(".onnx") else []))
        return None


def _show(path: str, result: Result, options: CommandLine, screen: Console) -> None:
    from ..verify.table import table

    if not screen.quiet or not result.ok:
        layers = options.layers == "all" or (options.layers is None and len(options.files) == 1)
        screen.result(table(result, layers and not screen.quiet, screen.paints, screen.ascii))
    if not result.ok:
        screen.note(f"to see it again: {_again(path, options)}")


def _again(path: str, options: CommandLine) -> str:
    """The command that shows a disagreement again."""
    words = ["netspec", "verify", path, "--seed", str(options.seed), "--dtype", options.dtype]
    words += ["--net", options.net] if options.net else []
    words += [word for folder in options.include for word in ("--include", folder)]
    words += [word for pair in options.set for word in ("--set", pair)]
    words += [word for name in options.target or () for word in ("--target", name)]
    words += ["--style", options.style] if options.style != _STYLES[0] else []
    words += ["--settings", str(options.settings)] if options.settings != _SETTINGS else []
    words += ["--against", options.against] if options.against else []
    words += ["--rename", options.rename] if options.rename else []
    words += ["--tolerance", str(options.tolerance)] if options.tolerance is not None else []
    return shlex.join(words)
