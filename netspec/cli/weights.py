"""`netspec weights`: trained weights carried over between PyTorch, Keras and files of netspec's own."""

from __future__ import annotations

from ..base.diagnostics import SpecError, did_you_mean
from ..base.record import TYPE_CHECKING
from ..base.stopping import watch_libraries
from ..codegen.pipeline import BACKENDS
from ..weights.forms import FORMS
from . import MISUSED, OK, WRONG
from .options import UsageError
from .output import add_output, put
from .parser import Parser
from .specs import add_net_options, checked, needs_numpy

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..ir.types import CheckedNet
    from .options import CommandLine
    from .screen import Console

_CONVERT = """Carry the weights of a net over. Each file is .safetensors, .pt or .pth (PyTorch), .weights.h5 or .keras;
nothing in it is executed. A file that does not fit the net is refused, with all that is missing, extra or of another
shape."""
_MATCH = """Guess which array of a file is which of the net's, and print the table that `netspec weights convert
--rename` takes. Each line says how it was found: by its name, by the structure of modules, or by nothing but the
order of several alike; where there are such lines the status is 1."""


def run(words: list[str], screen: Console) -> int:
    name = words[0] if words else "--help"
    if name in ("-h", "--help"):
        screen.result("\n".join(["usage: netspec weights COMMAND FILE WEIGHTS ...", "", *_LINES]))
        return OK if words else MISUSED
    if name not in _COMMANDS:
        hint = did_you_mean(name, _COMMANDS) or f"there are {', '.join(_COMMANDS)}"
        raise UsageError(f"there is no command `netspec weights {name}`; {hint}")
    return _guarded(*_COMMANDS[name], words[1:], screen)


def _guarded(
    parser: Callable[[Console], Parser],
    work: Callable[[CheckedNet, CommandLine, Console], int],
    words: list[str],
    screen: Console,
) -> int:
    """Run a command on a net that is whole; what can go wrong with files of weights becomes a message and a status."""
    options = parser(screen).read(words)
    watch_libraries()
    needs_numpy("weights")
    from ..runtime.code import MissingFramework
    from ..weights.convert import FormError
    from ..weights.table import WeightsError

    net = checked(options.file, options, screen)
    if net is None:
        return WRONG
    try:
        return work(net, options, screen)
    except SpecError as error:
        screen.diagnostics(error.diagnostics)
        return WRONG
    except WeightsError as error:
        lines = [f"{options.weights} does not fit net {net.name}:", *(f"  {p}" for p in error.problems)]
        screen.complain(*lines, *error.hints)
        return WRONG
    except (FormError, MissingFramework) as error:
        raise UsageError(str(error)) from None


def _parser(name: str, about: str, screen: Console) -> Parser:
    parser = Parser(f"weights {name}", screen, about)
    parser.add_argument("file", metavar="FILE", help="a spec, or - for standard input")
    parser.add_argument("weights", metavar="WEIGHTS", help="the file of weights")
    add_net_options(parser)
    parser.add_argument(
        "--from",
        dest="source",
        choices=FORMS,
        help="whose names and axes WEIGHTS has (default: what its suffix says; .safetensors: netspec, by its names); "
        "built: as the code of `netspec build`, where PyTorch code of other people may differ",
    )
    parser.add_argument(
        "--style",
        choices=BACKENDS["keras"],
        default="functional",
        help="the style of the Keras model (default: functional)",
    )
    return parser


def _convert_parser(screen: Console) -> Parser:
    parser = _parser("convert", _CONVERT, screen)
    parser.add_argument("--to", choices=FORMS, help="the same for OUT")
    parser.add_argument("--rename", metavar="TABLE", help="lines `foreign = ours`, with * for any text")
    parser.add_argument("-o", "--output", metavar="OUT", required=True, help="the file to write")
    return parser


def _convert(net: CheckedNet, options: CommandLine, screen: Console) -> int:
    from ..files import read_source
    from ..weights.convert import form_of, read_weights, write_weights
    from ..weights.rename import Renaming, read_rules

    form_of(options.output, options.to)  # what cannot be written is refused before anything is read
    renaming = read_rules(read_source(options.rename)) if options.rename else Renaming()
    found = read_weights(net, options.weights, options.source, options.style, renaming)
    for note in found.notes:
        screen.note(note)
    write_weights(net, found.weights, options.output, options.to, options.style)
    numbers = sum(array.size for array in found.weights.values())
    screen.note(f"wrote {options.output}: {len(found.weights):,} arrays, {numbers:,} numbers")
    return OK


def _match_parser(screen: Console) -> Parser:
    parser = _parser("match", _MATCH, screen)
    add_output(parser, "a file for the table (default: standard output)")
    return parser


def _match(net: CheckedNet, options: CommandLine, screen: Console) -> int:
    from ..weights.convert import form_of, likely_names
    from ..weights.rename import show_rules

    form = form_of(options.weights, options.source)
    found = likely_names(net, options.weights, options.source, options.style)
    doubtful = [name for name, how in found.how.items() if how == "order"]
    rules = show_rules(found.names, found.how)
    table = f"# for --from {form}, in whose order of axes the arrays are read\n{rules}\n"
    put(table.encode(), options.output, options.file, screen)
    if doubtful:
        screen.complain(
            f"{len(doubtful)} arrays were matched by nothing but their order: read the lines with `# order`"
        )
    return WRONG if doubtful else OK


_COMMANDS = {"convert": (_convert_parser, _convert), "match": (_match_parser, _match)}
_LINES = (
    "Trained weights carried over between PyTorch, Keras and netspec.",
    "",
    "  convert  weights from one file to another, in another framework's names and order of axes",
    "  match    a table of names for the weights of a foreign file, guessed",
    "",
    "`netspec weights COMMAND --help` tells more.",
)
