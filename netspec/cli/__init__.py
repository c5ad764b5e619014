"""The command line: the only room that prints, reads the arguments of the process or ends it.

A command is a module of this package with `run(words, screen) -> status`, loaded when it is called.
"""

from __future__ import annotations

import gc
import os
import sys

from .screen import Console

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

OK, WRONG, MISUSED, CRASHED, PIPE, INTERRUPTED = 0, 1, 2, 70, 141, 130

COMMANDS = {
    "check": "shapes, parameters and cost of every layer, and the expectations of the spec",
    "build": "PyTorch or Keras code",
    "draw": "a diagram: DOT, or a picture",
    "verify": "PyTorch, Keras and NumPy run on the same random weights and inputs, and compared",
    "weights": "trained weights carried over between PyTorch, Keras and files",
    "import": "a spec from a model: .keras files, and the JSON of Keras models",
    "fmt": "the canonical layout of specs",
    "explain": "what a diagnostic means, with a wrong and a right example",
    "zoo": "the specs that ship with netspec, with their figures and the published ones",
    "layers": "the layers of the language: arguments, shapes, what they become in each framework",
}


def process() -> int:
    """Run the command of this process, and end the process where nothing but its memory is left; its exit status.

    To take modules and objects apart one by one, as Python does at its end, costs a sixth of a whole `netspec check`.
    """
    status = main()
    if _ENDS_AT_ONCE.issuperset(sys.argv[1:2]) and not _traced() and _flushed():
        os._exit(status)
    return status


def _traced() -> bool:
    """True if a profiler or debugger looks on, which says what it saw at the end of the process."""
    monitoring = getattr(sys, "monitoring", None)  # from Python 3.12 on
    tools = () if monitoring is None else map(monitoring.get_tool, range(6))
    return sys.gettrace() is not None or sys.getprofile() is not None or any(tools)


def _flushed() -> bool:
    """True if all that was written has gone out."""
    try:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
    except (OSError, ValueError):
        return False
    return True


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; its exit status. Nothing that was typed ends in a traceback."""
    collecting = gc.isenabled()
    gc.disable()  # a run is short and makes no garbage to speak of; looking for it takes a good part of the time
    if argv is None and not _LEAVES_NOTHING.issuperset(sys.argv[1:2]):
        from ..base.stopping import own

        own()
    try:
        return _guarded(argv, Console())
    finally:
        if collecting:
            gc.enable()


def _guarded(argv: Sequence[str] | None, screen: Console) -> int:
    """Run one command; what goes wrong outside the spec becomes a message and a status."""
    try:
        status = _run(list(sys.argv[1:] if argv is None else argv), screen)
        screen.flush()
    except BrokenPipeError:
        screen.abandon()
        return PIPE
    except KeyboardInterrupt:
        screen.note("interrupted")
        return INTERRUPTED
    except OSError as error:
        from ..files import reason

        screen.abandon()
        screen.complain(f"the output cannot be written: {reason(error)}")
        return MISUSED
    except Exception as error:
        return _crashed(error, screen)
    return status


def _run(words: list[str], screen: Console) -> int:
    """Find the command and run it."""
    name = words[0] if words else "--help"
    if name in ("-h", "--help", "help"):
        screen.result(_help())
        return OK if words else MISUSED
    if name in ("-V", "--version"):
        from .. import _version

        screen.result(f"netspec {_version()}")
        return OK
    if name not in COMMANDS:
        return _unknown(name, screen)
    from ..base.errors import UserError
    from .options import Exit

    try:
        return int(__import__(f"{__name__}.{name}", fromlist=("run",)).run(words[1:], screen))
    except Exit:
        return OK
    except UserError as error:
        screen.complain(str(error))
        return MISUSED


def _help() -> str:
    width = max(map(len, COMMANDS))
    lines = [f"  {name:<{width}}  {text}" for name, text in COMMANDS.items()]
    return "\n".join(
        [
            "usage: netspec COMMAND [FILE ...]",
            "",
            "A compiler for a small language of neural networks.",
            "",
            *lines,
            "",
            "`netspec COMMAND --help` tells more. `-` as FILE is standard input.",
            "Exit status: 0 all is well; 1 the spec is wrong or an expectation failed; 2 the command was used wrongly,",
            "or a file could not be read or written.",
        ]
    )


def _unknown(name: str, screen: Console) -> int:
    from ..base.diagnostics import did_you_mean

    if name.startswith("-"):
        screen.complain(f"options come after the command: netspec COMMAND {name}")
    elif name.endswith(".net"):
        screen.complain(f"what is to be done with {name}? For example: netspec check {name}")
    else:
        same = _ELSEWHERE.get(name)
        hint = f"here it is `{same}`" if same else did_you_mean(name, COMMANDS) or f"there are {', '.join(COMMANDS)}"
        screen.complain(f"there is no command `{name}`; {hint}")
    return MISUSED


# what has nothing to undo where a signal ends it, and saves the time to be ready for that
_LEAVES_NOTHING = frozenset(("check", "explain", "layers", "-h", "--help", "help", "-V", "--version"))
# what loads no framework and starts nothing that lives on
_ENDS_AT_ONCE = _LEAVES_NOTHING | {"build", "draw", "fmt", "zoo"}
# what commands like these are called elsewhere
_ELSEWHERE = {
    **dict.fromkeys(("plot", "diagram", "visualize", "render", "graph"), "draw"),
    **dict.fromkeys(("compile", "export", "generate", "gen", "emit"), "build"),
    **dict.fromkeys(("summary", "info", "show", "lint", "validate", "count"), "check"),
    **dict.fromkeys(("test", "compare"), "verify"),
    **dict.fromkeys(("models", "list"), "zoo"),
    "format": "fmt",
    "convert": "weights convert",
}


def _crashed(error: Exception, screen: Console) -> int:
    """A bug of ours: say so in one line; the traceback only for who asks."""
    if os.environ.get("NETSPEC_DEBUG"):
        import traceback

        traceback.print_exc()
    screen.complain(
        f"this is a bug in netspec ({type(error).__name__}: {error}).",
        "Please report it with the spec that shows it; with NETSPEC_DEBUG=1 it says where it happened.",
    )
    return CRASHED
