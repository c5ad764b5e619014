"""Colours of pictures. The hues are far apart for all common forms of colour vision; the boxes' words say the same."""

from __future__ import annotations

from ..base.record import Record

FONT = "Helvetica,Arial,sans-serif"


class Paint(Record):
    """How a box looks: its ground, its edge and its text."""

    fill: str
    line: str
    text: str


class Theme(Record):
    """The colours of one picture. `paints` is by the style of a layer, and `input`, `output`, `block`, `caption`."""

    ground: str
    text: str
    faint: str
    edge: str
    skip: str
    frame: str
    frames: tuple[str, ...]
    paints: dict[str, Paint]


def _paints(text: str, ports: tuple[str, str, str], rows: dict[str, tuple[str, str]]) -> dict[str, Paint]:
    found = {style: Paint(fill, line, text) for style, (fill, line) in rows.items()}
    bare = {"caption": Paint("none", "none", text)}
    return {**found, **bare, "input": Paint(*ports), "output": Paint(*ports)}


_LIGHT = Theme(
    ground="#ffffff",
    text="#1f2933",
    faint="#5b6773",
    edge="#4a5560",
    skip="#c2410c",
    frame="#b3bcc6",
    frames=("#f5f7f9", "#ebeff3", "#e1e6ec"),
    paints=_paints(
        "#1f2933",
        ("#37424d", "#37424d", "#ffffff"),
        {
            "conv": ("#cfe2f5", "#3b76af"),
            "pool": ("#fbdcc4", "#c8702a"),
            "dense": ("#c9e9dc", "#2b8a6b"),
            "attention": ("#f6d0dc", "#ad3f68"),
            "recurrent": ("#cdeaf0", "#1f7f93"),
            "state": ("#ffffff", "#1f7f93"),
            "norm": ("#f4eab8", "#a18a1c"),
            "activation": ("#f4eab8", "#a18a1c"),
            "join": ("#e6dbf2", "#7a57a8"),
            "dropout": ("#f2f2f2", "#8d98a3"),
            "shape": ("#f2f2f2", "#8d98a3"),
            "weight": ("#ffffff", "#2b8a6b"),
            "block": ("#ffffff", "#37424d"),
        },
    ),
)
_DARK = Theme(
    ground="#15191e",
    text="#eef2f6",
    faint="#a9b4bf",
    edge="#9aa6b2",
    skip="#ff9d5c",
    frame="#4b5661",
    frames=("#1d2329", "#262d35", "#303841"),
    paints=_paints(
        "#eef2f6",
        ("#dfe5ea", "#dfe5ea", "#15191e"),
        {
            "conv": ("#1f4468", "#6fa8dc"),
            "pool": ("#6b3b14", "#e8965a"),
            "dense": ("#164f3d", "#57bf9b"),
            "attention": ("#5e2039", "#e585a9"),
            "recurrent": ("#124752", "#5cc3d6"),
            "state": ("#15191e", "#5cc3d6"),
            "norm": ("#544a12", "#cdb84a"),
            "activation": ("#544a12", "#cdb84a"),
            "join": ("#43305f", "#a98bd6"),
            "dropout": ("#30363d", "#8d98a3"),
            "shape": ("#30363d", "#8d98a3"),
            "weight": ("#15191e", "#57bf9b"),
            "block": ("#15191e", "#dfe5ea"),
        },
    ),
)
THEMES = {"light": _LIGHT, "dark": _DARK}
