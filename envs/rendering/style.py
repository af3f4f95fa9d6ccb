"""Colours and lighting of every picture: sun, sky, floor, surfaces.

One style for all models: a warm low sun, a calm sky that lights surfaces and is faintly reflected in them, and a pale
checker floor that fades into the horizon. The floor has a warm line every ten squares along x, so that motion is
visible while the camera follows. Colours are linear light; `display` converts them to sRGB.
"""

import math

import numpy as np
from numpy.typing import NDArray

from evo.envs.engine.compile import njit
from evo.envs.rendering.geometry import Vector, along, dot

SUN = (-0.456, -0.424, 0.782)  # unit vector towards the sun: from the left, behind a camera that looks along +y
SUN_U = (0.6809, -0.7324, 0.0)  # two axes perpendicular to it, in which shadows are looked up
SUN_V = (0.5727, 0.5325, 0.6228)
SUN_TANGENT = 0.035  # half-width of the sun's disc, about eight times the real one: softer shadows
SUN_TINT = (1.0, 0.93, 0.80)
SUN_LIGHT = (2.12, 1.87, 1.51)
SKY_LIGHT = (0.44, 0.53, 0.66)
BOUNCE_LIGHT = (0.30, 0.27, 0.23)

ZENITH = (0.155, 0.335, 0.640)
MIDDLE = (0.350, 0.555, 0.800)
HORIZON = (0.740, 0.800, 0.850)
GLOW = (1.0, 0.83, 0.60)

FLOOR_LIGHT = (0.232, 0.258, 0.292)
FLOOR_MEAN = (0.206, 0.232, 0.265)  # midway between the dark squares and the light ones
FLOOR_LINE = (0.120, 0.142, 0.170)
FLOOR_MARK = (0.560, 0.555, 0.530)
# In floor squares:
FLOOR_JOINT = 0.008
MARK_SQUARES = 10.0
MARK_HALF_WIDTH = 0.035

EXPOSURE_STEPS = 4096
BRIGHTEST = 2.0


def _tone_curve() -> NDArray[np.uint8]:
    light = np.linspace(0.0, BRIGHTEST, EXPOSURE_STEPS)
    # Linear up to 0.7, then a shoulder that compresses the rest below 1, so that highlights keep their colour.
    rolled = np.where(light < 0.7, light, 0.7 + 0.3 * np.tanh((light - 0.7) / 0.3))
    display = np.where(rolled <= 0.0031308, 12.92 * rolled, 1.055 * rolled ** (1 / 2.4) - 0.055)
    return np.round(255.0 * np.clip(display, 0.0, 1.0)).astype(np.uint8)


TONE = _tone_curve()  # [EXPOSURE_STEPS] sRGB value of linear light, with a soft shoulder


@njit(cache=True, nogil=True, error_model="numpy")
def mix(a: Vector, b: Vector, share: float) -> Vector:
    """Return the linear interpolation: `a` where `share` is 0, `b` where it is 1."""
    return (a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1]), a[2] + share * (b[2] - a[2]))


@njit(cache=True, nogil=True, error_model="numpy")
def sky_colour(direction: Vector) -> Vector:
    """Return the sky's colour in a direction of length one."""
    height = max(direction[2], 0.0)
    low = 1.0 - math.exp(-6.5 * height)
    colour = mix(mix(HORIZON, MIDDLE, low), ZENITH, min(height * 1.15, 1.0))
    towards_sun = max(dot(direction, SUN), 0.0)
    warmth = towards_sun * towards_sun
    return mix(colour, GLOW, 0.25 * warmth * warmth + 0.10 * (1.0 - low) * towards_sun)


@njit(cache=True, nogil=True, error_model="numpy")
def _stripe(distance: float, half_width: float, footprint: float, per_footprint: float) -> float:
    """Return the share of a pixel covered by a line whose middle is `distance` away."""
    half = 0.5 * footprint
    covered = min(distance + half, half_width) - max(distance - half, -half_width)
    return min(max(covered, 0.0) * per_footprint, 1.0)


@njit(cache=True, nogil=True, error_model="numpy")
def _wave(offset: float, footprint: float, per_footprint: float) -> float:
    """Return a square wave of period two, averaged over a footprint: +1 on even unit cells, -1 on odd ones."""
    low, high = 0.5 * (offset - 0.5 * footprint), 0.5 * (offset + 0.5 * footprint)
    low -= math.floor(low)
    high -= math.floor(high)
    return 2.0 * (abs(low - 0.5) - abs(high - 0.5)) * per_footprint


@njit(cache=True, nogil=True, error_model="numpy")
def floor_colour(x: float, y: float, direction: Vector, across: float) -> Vector:
    """Return the floor's own colour, averaged over the pixel's footprint: it needs no further antialiasing.

    `x`, `y` and `across`, the pixel's width at that distance, are in floor squares.
    """
    # At a grazing angle a pixel's footprint is long in the viewing direction.
    steep = min(max(abs(direction[2]), 1e-4), 1.0)
    stretch = across * (1.0 - steep) / (steep * math.sqrt(1.0 - steep * steep + 1e-6))
    x_width = across + stretch * abs(direction[0])
    y_width = across + stretch * abs(direction[1])
    if x_width > 8.0 or y_width > 8.0:
        return FLOOR_MEAN
    per_x, per_y = 1.0 / x_width, 1.0 / y_width
    checks = _wave(x, x_width, per_x) * _wave(y, y_width, per_y)
    colour = mix(FLOOR_MEAN, FLOOR_LIGHT, checks)
    joint = max(
        _stripe(x - math.floor(x + 0.5), FLOOR_JOINT, x_width, per_x),
        _stripe(y - math.floor(y + 0.5), FLOOR_JOINT, y_width, per_y),
    )
    if joint > 0.0:
        colour = mix(colour, FLOOR_LINE, 0.35 * joint)
    marked = x - MARK_SQUARES * math.floor(x / MARK_SQUARES + 0.5)
    return mix(colour, FLOOR_MARK, 0.85 * _stripe(marked, MARK_HALF_WIDTH, x_width, per_x))


@njit(cache=True, nogil=True, error_model="numpy")
def matt(colour: Vector, upward: float, sun: float, sky: float) -> Vector:
    """Return diffuse light of a surface whose normal rises by `upward`, given its shares of sunlight and skylight."""
    ambient = mix(BOUNCE_LIGHT, SKY_LIGHT, 0.5 + 0.5 * upward)
    return (
        colour[0] * (SUN_LIGHT[0] * sun + ambient[0] * sky),
        colour[1] * (SUN_LIGHT[1] * sun + ambient[1] * sky),
        colour[2] * (SUN_LIGHT[2] * sun + ambient[2] * sky),
    )


@njit(cache=True, nogil=True, error_model="numpy")
def gloss(light: Vector, normal: Vector, direction: Vector, sun: float, sky: float) -> Vector:
    """Return `light` plus specular reflection: the sky, more at grazing angles, and a glint of the sun."""
    towards_eye = -dot(normal, direction)
    mirrored = along(direction, normal, 2.0 * towards_eye)
    grazing = 1.0 - min(max(towards_eye, 0.0), 1.0)
    share = (0.03 + 0.30 * grazing**4) * sky
    reflected = sky_colour(mirrored) if mirrored[2] > 0.0 else BOUNCE_LIGHT
    glint = 0.35 * sun * max(dot(mirrored, SUN), 0.0) ** 24 if sun > 0.0 else 0.0
    return (
        light[0] + share * reflected[0] + glint * SUN_TINT[0],
        light[1] + share * reflected[1] + glint * SUN_TINT[1],
        light[2] + share * reflected[2] + glint * SUN_TINT[2],
    )


@njit(cache=True, nogil=True, error_model="numpy")
def display(light: float) -> int:
    """Return one colour channel of linear light as an sRGB byte."""
    if not light > 0.0:  # zero, negative or NaN: a diverged state must not index outside the table
        return int(TONE[0])
    return int(TONE[int(min(light * ((EXPOSURE_STEPS - 1) / BRIGHTEST), EXPOSURE_STEPS - 1.0))])
