"""Terrains: flat, slope, stairs, rough, gaps, slippery, and a mixed course, generated from a seed.

Every terrain is flat around the start, so that all creatures begin in the same way; from `_START` on it continues along
+x. Lengths are in metres. `scale` multiplies the difficulty: steepness, steps, bumps, gaps, slipperiness.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import mujoco
import numpy as np

_START, _END, _HALF_WIDTH, _DEPTH = 1.0, 17.0, 4.0, 1.0
_GRIP, _ICE = 1.2, 0.35  # coefficients of friction
_CELL = 0.1  # m, of a height field
_EARTH = ((0.50, 0.47, 0.41, 1), (0.45, 0.42, 0.36, 1))  # alternating, so that steps are visible
_ICY = (0.62, 0.74, 0.84, 1)
_box = mujoco.mjtGeom.mjGEOM_BOX


class Terrain(NamedTuple):
    """A terrain's parameters. kind: a name in `TERRAINS`. seed: of its randomness. scale: difficulty, 1 is moderate."""

    kind: str = "flat"
    seed: int = 0
    scale: float = 1.0


class _Builder:
    """Adds stretches of ground one after the other, each from the end of the last: `x` metres on, `z` high."""

    def __init__(self, spec: mujoco.MjSpec, terrain: Terrain, bits: dict[str, int]) -> None:
        self.spec, self.scale, self.bits = spec, terrain.scale, bits
        self.random = np.random.default_rng(terrain.seed)
        self.x, self.z, self.pieces = -_START - 3.0, 0.0, 0

    def block(self, length: float, rise: float = 0.0, grip: float = _GRIP) -> None:
        """Add a box whose top continues for `length` and rises by `rise`."""
        angle = math.atan2(rise, length)
        half = 0.5 * math.hypot(length, rise)
        thick = 0.5 * _DEPTH
        middle = [
            self.x + 0.5 * length + thick * math.sin(angle),
            0,
            self.z + 0.5 * rise - thick * math.cos(angle),
        ]
        geom = self._add(grip, type=_box, pos=middle, size=[half, _HALF_WIDTH, thick])
        geom.quat = [math.cos(angle / 2), 0, -math.sin(angle / 2), 0]
        self.x, self.z = self.x + length, self.z + rise

    def skip(self, length: float) -> None:
        """Leave a gap."""
        self.x += length

    def field(self, length: float, height: float) -> None:
        """Add bumps of at most `height`, level with the ground at both ends."""
        rows, columns = round(2 * _HALF_WIDTH / _CELL) + 1, round(length / _CELL) + 1
        bumps = self.random.uniform(size=(rows, columns))
        for axis in (0, 1):  # smoothed with the neighbours: no spikes
            bumps = 0.5 * bumps + 0.25 * (np.roll(bumps, 1, axis) + np.roll(bumps, -1, axis))
        bumps = (bumps - bumps.min()) / np.ptp(bumps)
        ends = np.minimum(np.arange(columns), np.arange(columns)[::-1]) * _CELL / 0.3
        bumps *= np.minimum(ends, 1.0)
        name = f"terrain_{self.pieces}"
        field = self.spec.add_hfield(name=name, nrow=rows, ncol=columns, userdata=bumps.ravel())
        field.size = [0.5 * length, _HALF_WIDTH, height, _DEPTH]
        place = [self.x + 0.5 * length, 0, self.z]
        self._add(_GRIP, type=mujoco.mjtGeom.mjGEOM_HFIELD, hfieldname=name, pos=place)
        self.x += length

    def _add(self, grip: float, **more: Any) -> Any:
        colour = _ICY if grip < _GRIP else _EARTH[self.pieces % 2]
        geom = self.spec.worldbody.add_geom(name=f"terrain_{self.pieces}", rgba=colour, **self.bits, **more)
        if grip < _GRIP:
            geom.friction[0], geom.priority = grip, 2
        self.pieces += 1
        return geom


def _slope(build: _Builder) -> None:
    """Add a slope of 12 degrees up for 2 m, and down again."""
    rise = 2.0 * math.tan(min(math.radians(12.0) * build.scale, 1.2))
    build.block(2.0, rise)
    build.block(0.5)
    build.block(2.0, -rise)
    build.block(0.5)


def _stairs(build: _Builder) -> None:
    """Add five steps up of 0.04 m, and five down."""
    for rise in [0.04 * build.scale] * 5 + [-0.04 * build.scale] * 5:
        build.z += rise
        build.block(0.4)


def _rough(build: _Builder) -> None:
    """Add bumps of up to 0.1 m."""
    build.field(4.0, 0.1 * build.scale)


def _gaps(build: _Builder) -> None:
    """Add gaps of 0.06 to 0.12 m, 0.5 to 0.9 m apart."""
    for _ in range(4):
        build.skip(build.scale * build.random.uniform(0.06, 0.12))
        build.block(build.random.uniform(0.5, 0.9))


def _slippery(build: _Builder) -> None:
    """Add ice."""
    build.block(3.0, grip=_ICE / max(build.scale, 1e-3))


def _add_mixed(build: _Builder) -> None:
    """Add one stretch of each kind, in random order."""
    stretches = (_slope, _stairs, _rough, _gaps, _slippery)
    for place in build.random.permutation(len(stretches)):
        stretches[place](build)
        build.block(0.5)


TERRAINS: dict[str, Callable[[_Builder], None] | None] = {
    "flat": None,
    "slope": _slope,
    "stairs": _stairs,
    "rough": _rough,
    "gaps": _gaps,
    "slippery": _slippery,
    "mixed": _add_mixed,
}


def add_terrain(spec: mujoco.MjSpec, terrain: Terrain, for_all: bool = False) -> None:
    """Add the ground to a world. for_all: whether it collides with every creature, whatever its contact bits.

    Raises ValueError for a kind that is not in `TERRAINS`, or a scale out of range.
    """
    if terrain.kind not in TERRAINS:
        raise ValueError(f"terrain must be one of {', '.join(TERRAINS)}, got {terrain.kind!r}")
    if not 0 < terrain.scale <= 10:
        raise ValueError(f"terrain_scale must be above 0 and at most 10, got {terrain.scale}")
    stretch = TERRAINS[terrain.kind]
    lowest = 0.0 if stretch is None else -_DEPTH  # there is always a floor beside and beneath the terrain
    plane = mujoco.mjtGeom.mjGEOM_PLANE
    bits = dict.fromkeys(("contype", "conaffinity"), 2**31 - 1) if for_all else {"contype": 1, "conaffinity": 0}
    spec.worldbody.add_geom(
        name="floor",
        type=plane,
        size=[0, 0, 0.5],
        pos=[0, 0, lowest],
        rgba=[0.62, 0.66, 0.60, 1],
        **bits,
    )
    if stretch is None:
        return
    build = _Builder(spec, terrain, bits)
    build.block(_START - build.x)
    while build.x < _END:
        stretch(build)
    build.block(4.0)
