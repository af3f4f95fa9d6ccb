"""The page's HTML: one self-contained document whose content policy forbids every request."""

import base64
import hashlib
import json
from collections.abc import Iterable, Sequence
from html import escape
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evo.envs.rendering import style
from evo.envs.rendering.shading import HAZE_SQUARES
from evo.errors import printable
from evo.visualize.page.episode import Episode
from evo.visualize.page.scene import Creature, Curve

SCRIPTS = ("vectors", "unpack", "solids", "playback", "camera", "painter", "curve", "network", "controls", "main")
_SHADERS = ("light", "solid.vert", "solid.frag", "depth.frag", "ground.vert", "ground.frag")
_COLOURS = (
    *("SUN", "SUN_TINT", "SUN_LIGHT", "SKY_LIGHT", "BOUNCE_LIGHT", "ZENITH", "MIDDLE", "HORIZON", "GLOW"),
    *("FLOOR_LIGHT", "FLOOR_MEAN", "FLOOR_LINE", "FLOOR_MARK"),
)
_NUMBERS = ("FLOOR_JOINT", "MARK_SQUARES", "MARK_HALF_WIDTH")
_POINTS = 400  # at most, of a curve
_LANE = 0.62  # width of a lane, in camera distances: a creature fills about half of one


def document(title: str, creatures: Sequence[Creature]) -> str:
    """Return the page as HTML. Every text in it may come from a stranger: none can run or fetch anything."""
    content = [creature_to_json(one) for one in creatures]
    return assemble(title, {"creatures": content}, creatures_to_text(creatures), SCRIPTS, "start();")


def live_document(title: str) -> str:
    """Return the page of a run that is still training: it asks the server that it came from for news, and nobody else.

    Its script asks for `news` and `part/KEY`, beside the page's own address (see `evo.runs.watching`).
    """
    listed = '<ol id="episodes"></ol>'
    names, reach = (*SCRIPTS, "live"), "; connect-src 'self'"
    return assemble(title, {"creatures": []}, listed, names, "follow();", reach)


def assemble(
    title: str,
    content: dict[str, Any],
    text: str,
    names: Iterable[str],
    begin: str,
    reach: str = "",
    sheets: Iterable[str] = ("page",),
) -> str:
    """Return a page. content: what its scripts `names` read, as JSON holds it. begin: the script's last statement.

    text: HTML of what is shown. reach: what its content policy allows besides its own. sheets: its style sheets.
    """
    title = printable(title)
    script = f'"use strict";\n(() => {{\n{shaders()}\n{scripts(names)}\n{begin}\n}})();\n'
    style_sheet = "\n".join(read_static(f"{name}.css") for name in sheets)
    policy = f"default-src 'none'; script-src {_digest(script)}; style-src {_digest(style_sheet)}{reach}"
    held = to_json({"title": title, **content})
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{escape(title)}</title>
<style>{style_sheet}</style>
</head>
<body>
{read_static("body.html").replace("<!-- title -->", escape(title)).replace("<!-- creatures -->", text)}
<script type="application/json" id="content">{held}</script>
<script>{script}</script>
</body>
</html>
"""


def inline(page: str, height: int = 560) -> str:
    """Return a page as an element for a notebook, which can reach neither the notebook nor the network."""
    return (
        f'<iframe sandbox="allow-scripts" srcdoc="{escape(page)}" title="creatures to turn around" '
        f'style="width:100%;height:{height}px;border:0"></iframe>'
    )


def scripts(names: Iterable[str]) -> str:
    """Return JavaScript files of `static`, one after the other."""
    return "\n".join(read_static(f"{name}.js") for name in names)


def shaders() -> str:
    """Return the shaders as a JavaScript constant, the pictures' colours among them as in `style`."""
    vectors = [f"const vec3 {name} = vec3({', '.join(map(str, getattr(style, name)))});" for name in _COLOURS]
    numbers = [f"const float {name} = {getattr(style, name)};" for name in _NUMBERS]
    constants = "\n".join([*vectors, *numbers, f"const float HAZE_SQUARES = {HAZE_SQUARES};"])
    texts = {name: read_static(name if "." in name else f"{name}.glsl") for name in _SHADERS}
    return f"const SUN = {list(style.SUN)};\nconst SHADERS = {json.dumps({**texts, 'style': constants})};"


def creature_to_json(creature: Creature) -> dict[str, Any]:
    """Return a creature as the page's script takes it; `lane` is the width of its lane in metres."""
    return {
        "name": printable(creature.name),
        "scene": creature.scene,
        "lane": max((lane_of(episode) for episode in creature.episodes), default=1.0),
        "episodes": [episode.to_json() for episode in creature.episodes],
        "curve": None if creature.curve is None else curve_to_json(creature.curve),
    }


def lane_of(episode: Episode) -> float:
    """Return the width of the lane that an episode needs, metres."""
    return _LANE * episode.camera[0]


def curve_to_json(curve: Curve) -> dict[str, Any]:
    """Return a curve of `_POINTS` rows at most; what is not finite is null."""
    chosen = np.unique(np.linspace(0, len(curve.steps) - 1, min(len(curve.steps), _POINTS)).astype(int))
    columns = ("generation", "steps", "best", "mean")
    return {"unit": curve.unit, **{name: finite_or_null(getattr(curve, name)[chosen]) for name in columns}}


def finite_or_null(values: NDArray[np.float64]) -> list[float | None]:
    """Return numbers to six digits; what is not finite is null."""
    return [float(f"{value:.6g}") if np.isfinite(value) else None for value in values]


def creatures_to_text(creatures: Sequence[Creature]) -> str:
    """Return what the page shows as HTML text, for who does not see it: a list for each creature."""
    parts = []
    for creature in creatures:
        lines = [f"{each.label}: return {each.total:,.1f} in {_seconds(creature, each)}, {each.ending}"
                 for each in creature.episodes]  # fmt: skip
        listed = "".join(f"<li>{escape(printable(line))}</li>" for line in lines)
        networks = [f"Its network: {each.activity.said}." for each in creature.episodes[-1:] if each.activity]
        said = "".join(f"<p>{escape(printable(line))}</p>" for line in [*creature.notes, *networks])
        parts.append(f"<h2>{escape(printable(creature.name))}</h2>\n<ol>{listed}</ol>\n{said}")
    return "\n".join(parts)


def _seconds(creature: Creature, episode: Any) -> str:
    return f"{(len(episode.poses) - 1) * creature.scene['period']:.1f} s"


def to_json(content: Any) -> str:
    """Return JSON that no HTML parser takes for the end of its element, and that JavaScript takes as it is."""
    text = json.dumps(content, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def read_static(name: str) -> str:
    """Return a file of the page's scripts, shaders, style or body."""
    return (files("evo.visualize.page") / "static" / name).read_text(encoding="utf-8")
