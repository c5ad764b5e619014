"""DOT text to a picture: SVG, PNG, PDF, or a page of HTML.

The Graphviz in pygraphviz's wheels does the work, in a process of its own: it is C code, which may complain on
standard error and looks for fonts where its environment says. A `dot` on the PATH serves where there is none.
"""

from __future__ import annotations

from ..base.record import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

SUFFIXES = ("svg", "png", "pdf", "html")
_DPI = "192"
_INSTALL = 'pip install "netspec-lang[draw]"'
_INSTALL_FONT = "pip install font-lato"
# Draws what comes in. The arguments are the format and the path of modules: ours, not the folder that we are in.
_CHILD = f"""
import sys
sys.path[:] = sys.argv[2:]
import pygraphviz
graph = pygraphviz.AGraph(string=sys.stdin.buffer.read().decode())
if sys.argv[1] == "png":
    graph.graph_attr["dpi"] = "{_DPI}"
sys.stdout.buffer.write(graph.draw(format=sys.argv[1], prog="dot"))
"""
_FONT_FOLDERS = (
    "/usr/share/fonts",
    "/usr/local/share/fonts",
    "/System/Library/Fonts",
    "/Library/Fonts",
    "~/Library/Fonts",
    "~/.local/share/fonts",
    "~/.fonts",
    "C:/Windows/Fonts",
)
# a Python package that holds fonts, for machines that have none
_FONT_PACKAGE = "font_lato"
_FONT_ENDINGS = (".ttf", ".otf", ".ttc", ".dfont", ".pfb")
_SYSTEM_SETTINGS = "/etc/fonts/fonts.conf"
_SETTINGS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
<include ignore_missing="yes">{system}</include>
{folders}
<cachedir prefix="xdg">fontconfig</cachedir>
</fontconfig>
"""
_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
body {{ margin: 0; padding: 1rem; text-align: center; background: {ground}; }}
svg {{ max-width: 100%; height: auto; }}
</style>
</head>
<body>
{svg}
</body>
</html>
"""


class MissingGraphviz(Exception):
    """There is nothing to draw with; the message says what to install."""


def draw(text: str, suffix: str) -> bytes:
    """The picture that a DOT text describes, as `svg`, `png`, `pdf` or `html`. Raises MissingGraphviz."""
    if suffix == "html":
        return _page(draw(text, "svg").decode()).encode()
    complaints = []
    for engine in (_by_pygraphviz, _by_system):
        picture = engine(text, suffix)
        if isinstance(picture, bytes):
            return picture
        complaints.append(picture)
    failed = "".join(f"; what is here failed: {c}" for c in complaints if c)
    raise MissingGraphviz(
        f"a .{suffix} picture needs Graphviz: `{_INSTALL}` brings it (a .dot file needs nothing){failed}"
    )


def _by_pygraphviz(text: str, suffix: str) -> bytes | str:
    """Draws with the Graphviz in pygraphviz. Else its complaint, empty where it is not installed."""
    import os
    import sys
    from importlib.util import find_spec

    from ..base.stopping import Scratch

    if find_spec("pygraphviz") is None or not sys.executable:
        return ""
    command = [sys.executable, "-c", _CHILD, suffix, *filter(None, sys.path)]
    if "FONTCONFIG_FILE" in os.environ:
        return _run(command, text, os.environ)
    with Scratch() as folder:
        settings = os.path.join(folder.path, "fonts.conf")
        with open(settings, "w", encoding="utf-8") as file:
            file.write(_font_settings(suffix))
        return _run(command, text, {**os.environ, "FONTCONFIG_FILE": settings})


def _by_system(text: str, suffix: str) -> bytes | str:
    """Draws with a `dot` on the PATH. Else its complaint, empty where there is none."""
    import os
    import shutil

    program = shutil.which("dot")
    if program is None:
        return ""
    finer = [f"-Gdpi={_DPI}"] if suffix == "png" else []
    return _run([program, f"-T{suffix}", *finer], text, os.environ)


def _run(command: list[str], text: str, environment: Mapping[str, str]) -> bytes | str:
    """What the command makes of the text, or else the last line of its complaint."""
    from subprocess import PIPE, Popen

    from ..base.stopping import Undone, kill

    started: list[Popen[bytes]] = []
    with Undone(lambda: kill(started)):
        started.append(Popen(command, stdin=PIPE, stdout=PIPE, stderr=PIPE, env=dict(environment)))
        picture, complaint = started[0].communicate(text.encode())
    status = started[0].returncode
    if status == 0 and picture:
        return picture
    said = complaint.decode(errors="replace").strip().splitlines()
    return said[-1] if said else f"it ended with status {status}"


def _page(svg: str) -> str:
    """A page that holds the picture. Its title is that of the graph, which Graphviz has escaped."""
    start = svg.index("<svg")
    ground, title = "#ffffff", "netspec"
    if "<title>" in svg:
        title = svg.split("<title>", 1)[1].split("</title>", 1)[0]
    if '<polygon fill="' in svg:
        ground = svg.split('<polygon fill="', 1)[1].split('"', 1)[0]
    return _PAGE.format(title=title, ground=ground, svg=svg[start:].strip())


# --- fonts -------------------------------------------------------------------------------------------------------


def _font_settings(suffix: str) -> str:
    """Settings for the library that finds fonts: the wheels bring the library, but no settings and no font.

    Raises MissingGraphviz where there is no font: the text of a PNG or PDF would be empty boxes. (An SVG is shown with
    the fonts of who looks at it.)
    """
    import os

    folders = [f for f in (*map(os.path.expanduser, _FONT_FOLDERS), *_packaged_fonts()) if os.path.isdir(f)]
    settled = suffix == "svg" or os.path.exists(_SYSTEM_SETTINGS)
    if not settled and not any(_has_font(folder) for folder in folders):
        raise MissingGraphviz(
            f"there is no font here for the text of a .{suffix} picture: `{_INSTALL_FONT}` brings one"
        )
    lines = "\n".join(f"<dir>{_escaped(folder)}</dir>" for folder in folders)
    return _SETTINGS.format(system=_SYSTEM_SETTINGS, folders=lines)


def _escaped(text: str) -> str:
    """A text within XML. What the standard library has for it loads a web client, a sixth of all the time."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _packaged_fonts() -> list[str]:
    import os
    from importlib.util import find_spec

    found = find_spec(_FONT_PACKAGE)
    return [os.path.join(os.path.dirname(found.origin), "files")] if found is not None and found.origin else []


def _has_font(folder: str) -> bool:
    import os

    return any(name.lower().endswith(_FONT_ENDINGS) for _, _, names in os.walk(folder) for name in names)
