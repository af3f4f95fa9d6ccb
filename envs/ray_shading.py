"""Light, colour and the look of the world: which geom a ray sees and how that point is lit, compiled.

One house style for every model: a warm low sun with soft shadows, a calm sky that also lights and faintly mirrors in
surfaces, and a pale checker floor that dissolves into the horizon. The floor carries a line every five metres, so that
motion can be read while the camera follows. Colours here are linear light; `TONE` turns them into display values.
"""

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from envs.ray_geometry import (
    MISS,
    Matrix,
    Vector,
    along,
    dot,
    intersect,
    nearest_approach,
    normalised,
    outward,
    to_local,
    to_world,
)

TILE = 16  # pixels on a side of the squares that share one list of geoms
SUN_CELLS = 48  # the casters' extent, seen from the sun, is cut into this many cells a side
LAYERS = 4  # surfaces seen through translucent ones

SUN = (-0.456, -0.424, 0.782)  # unit vector towards the sun: from the left, behind a camera that looks along +y
SUN_U = (0.6809, -0.7324, 0.0)  # two axes square to it, in which shadows are looked up
SUN_V = (0.5727, 0.5325, 0.6228)
SUN_TANGENT = 0.035  # half-width of the sun's disc, about eight times the real one: softer shadows
SUN_LIGHT = (2.30, 2.02, 1.62)
SKY_LIGHT = (0.44, 0.53, 0.66)
BOUNCE_LIGHT = (0.30, 0.27, 0.23)

ZENITH = (0.155, 0.335, 0.640)
MIDDLE = (0.400, 0.600, 0.830)
HORIZON = (0.800, 0.860, 0.900)
GLOW = (1.0, 0.83, 0.60)

FLOOR_LIGHT = (0.385, 0.400, 0.405)
FLOOR_DARK = (0.285, 0.310, 0.330)
FLOOR_LINE = (0.190, 0.215, 0.240)
FLOOR_MARK = (0.780, 0.420, 0.210)

EXPOSURE_STEPS = 4096
BRIGHTEST = 2.0


def _tone_curve() -> NDArray[np.uint8]:
    light = np.linspace(0.0, BRIGHTEST, EXPOSURE_STEPS)
    # Straight up to 0.7, then a shoulder that bends the rest below 1, so that highlights keep their colour.
    rolled = np.where(light < 0.7, light, 0.7 + 0.3 * np.tanh((light - 0.7) / 0.3))
    display = np.where(rolled <= 0.0031308, 12.92 * rolled, 1.055 * rolled ** (1 / 2.4) - 0.055)
    return np.round(255.0 * np.clip(display, 0.0, 1.0)).astype(np.uint8)


TONE = _tone_curve()  # [EXPOSURE_STEPS] sRGB value of linear light, with a soft shoulder


class Shapes(NamedTuple):
    """What never changes in a model's geoms; G of them."""

    kind: NDArray[np.int64]  # [G] mjtGeom
    size: NDArray[np.float64]  # [G, 3] half-sizes, metres
    bound: NDArray[np.float64]  # [G] radius of the bounding sphere, metres
    colour: NDArray[np.float64]  # [G, 4] linear light and opacity
    ground: NDArray[np.bool_]  # [G] drawn with the floor's pattern
    caster: NDArray[np.int64]  # [G] the shape that throws its shadow, -1 for none
    caster_size: NDArray[np.float64]  # [G, 3]
    core: NDArray[np.float64]  # [G, 5] a capsule standing in for it in ambient light: local half-axis, radius, use?
    planes: NDArray[np.int64]  # the visible planes
    cell: float  # side of a floor square, metres


class Pose(NamedTuple):
    """Where the geoms are in one frame, and who can be seen from where."""

    position: NDArray[np.float64]  # [G, 3]
    rotation: NDArray[np.float64]  # [G, 3, 3]
    tiles: NDArray[np.int32]  # [rows, columns, G + 1] count, then the geoms that may be seen in a tile
    sunlit: NDArray[np.int32]  # [SUN_CELLS, SUN_CELLS, G + 1] the same as seen from the sun
    sun_corner: Vector  # least u and v of the cells, and their side
    heap: NDArray[np.float64]  # [4] sphere around everything that dims ambient light


class View(NamedTuple):
    """A pinhole camera; axes are unit vectors."""

    eye: Vector
    forward: Vector
    right: Vector
    up: Vector
    pixel: float  # width of a pixel at distance one


class Seen(NamedTuple):
    """What MuJoCo's own rays saw of the geoms not drawn here, one row a ray; empty when there are none."""

    distance: NDArray[np.float64]  # [rays] -1 where nothing
    geom: NDArray[np.int32]  # [rays]
    normal: NDArray[np.float64]  # [rays, 3]


@njit(cache=True, nogil=True, error_model="numpy")
def _mix(a: Vector, b: Vector, share: float) -> Vector:
    return (a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1]), a[2] + share * (b[2] - a[2]))


@njit(cache=True, nogil=True, error_model="numpy")
def _row(table: NDArray[np.float64], index: int) -> Vector:
    return (table[index, 0], table[index, 1], table[index, 2])


@njit(cache=True, nogil=True, error_model="numpy")
def _frame(rotation: NDArray[np.float64], geom: int) -> Matrix:
    return (
        (rotation[geom, 0, 0], rotation[geom, 0, 1], rotation[geom, 0, 2]),
        (rotation[geom, 1, 0], rotation[geom, 1, 1], rotation[geom, 1, 2]),
        (rotation[geom, 2, 0], rotation[geom, 2, 1], rotation[geom, 2, 2]),
    )


@njit(cache=True, nogil=True, error_model="numpy")
def direction_through(view: View, x: float, y: float, width: int, height: int) -> Vector:
    """Unit vector through the point (x, y) of the picture, in pixels from its upper left corner."""
    side = (x - 0.5 * width) * view.pixel
    rise = (0.5 * height - y) * view.pixel
    return normalised(
        (
            view.forward[0] + side * view.right[0] + rise * view.up[0],
            view.forward[1] + side * view.right[1] + rise * view.up[1],
            view.forward[2] + side * view.right[2] + rise * view.up[2],
        )
    )


@njit(cache=True, nogil=True, error_model="numpy")
def list_tiles(shapes: Shapes, position: NDArray[np.float64], view: View, width: int, height: int) -> NDArray[np.int32]:
    """For each tile of the picture, the bounded geoms whose bounding sphere may reach into it."""
    rows, columns = (height + TILE - 1) // TILE, (width + TILE - 1) // TILE
    tiles = np.zeros((rows, columns, shapes.kind.size + 1), np.int32)
    for geom in range(shapes.kind.size):
        if shapes.caster[geom] != shapes.kind[geom]:
            continue  # hidden, a plane, or left to MuJoCo's rays
        radius = shapes.bound[geom]
        offset = along(_row(position, geom), view.eye, -1.0)
        depth, side, rise = dot(offset, view.forward), dot(offset, view.right), -dot(offset, view.up)
        if depth < -radius:
            continue
        first_row, last_row, first_column, last_column = 0, rows - 1, 0, columns - 1
        near, far = (depth - radius) * view.pixel, (depth + radius) * view.pixel
        if near > 1e-6:
            # The sphere's box in camera axes; a face projects farthest out at its near or its far end.
            left, right = side - radius, side + radius
            top, bottom = rise - radius, rise + radius
            first_column = int(math.floor((min(left / near, left / far) + 0.5 * width) / TILE))
            last_column = int(math.floor((max(right / near, right / far) + 0.5 * width) / TILE))
            first_row = int(math.floor((min(top / near, top / far) + 0.5 * height) / TILE))
            last_row = int(math.floor((max(bottom / near, bottom / far) + 0.5 * height) / TILE))
        for row in range(max(first_row, 0), min(last_row, rows - 1) + 1):
            for column in range(max(first_column, 0), min(last_column, columns - 1) + 1):
                tiles[row, column, 0] += 1
                tiles[row, column, tiles[row, column, 0]] = geom
    return tiles


@njit(cache=True, nogil=True, error_model="numpy")
def list_sunlit(shapes: Shapes, position: NDArray[np.float64]) -> tuple[NDArray[np.int32], Vector]:
    """The geoms between the sun and each cell of the plane square to its light, and the cells' corner and side."""
    cells = np.zeros((SUN_CELLS, SUN_CELLS, shapes.kind.size + 1), np.int32)
    low_u, low_v, high = math.inf, math.inf, -math.inf
    for geom in range(shapes.kind.size):
        if shapes.caster[geom] >= 0:
            centre, reach = _row(position, geom), shapes.bound[geom] * (1.0 + 4.0 * SUN_TANGENT)
            low_u, low_v = min(low_u, dot(centre, SUN_U) - reach), min(low_v, dot(centre, SUN_V) - reach)
    for geom in range(shapes.kind.size):
        if shapes.caster[geom] >= 0:
            centre, reach = _row(position, geom), shapes.bound[geom] * (1.0 + 4.0 * SUN_TANGENT)
            high = max(high, dot(centre, SUN_U) + reach - low_u, dot(centre, SUN_V) + reach - low_v)
    side = max(high, 1e-3) * 1.0001 / SUN_CELLS
    for geom in range(shapes.kind.size):
        if shapes.caster[geom] < 0:
            continue
        centre, reach = _row(position, geom), shapes.bound[geom] * (1.0 + 4.0 * SUN_TANGENT)
        u, v = dot(centre, SUN_U) - low_u, dot(centre, SUN_V) - low_v
        for i in range(max(int((u - reach) / side), 0), min(int((u + reach) / side), SUN_CELLS - 1) + 1):
            for j in range(max(int((v - reach) / side), 0), min(int((v + reach) / side), SUN_CELLS - 1) + 1):
                cells[i, j, 0] += 1
                cells[i, j, cells[i, j, 0]] = geom
    return cells, (low_u, low_v, side)


@njit(cache=True, nogil=True, error_model="numpy")
def _sky(direction: Vector) -> Vector:
    height = max(direction[2], 0.0)
    low = 1.0 - math.exp(-5.5 * height)
    colour = _mix(_mix(HORIZON, MIDDLE, low), ZENITH, min(height * 1.15, 1.0))
    towards_sun = max(dot(direction, SUN), 0.0)
    warmth = towards_sun * towards_sun
    return _mix(colour, GLOW, 0.25 * warmth * warmth + 0.10 * (1.0 - low) * towards_sun)


@njit(cache=True, nogil=True, error_model="numpy")
def _stripe(offset: float, period: float, half_width: float, footprint: float) -> float:
    """Share of a pixel covered by lines at the multiples of `period`."""
    distance = abs(offset - period * math.floor(offset / period + 0.5))
    half_pixel = 0.5 * footprint
    covered = min(distance + half_pixel, half_width) - max(distance - half_pixel, -half_width)
    return min(max(covered, 0.0) / footprint, 1.0)


@njit(cache=True, nogil=True, error_model="numpy")
def _wave(offset: float, footprint: float) -> float:
    """A square wave of period two, averaged over a footprint: +1 on even unit cells, -1 on odd ones."""
    low, high = 0.5 * (offset - 0.5 * footprint), 0.5 * (offset + 0.5 * footprint)
    low -= math.floor(low)
    high -= math.floor(high)
    return 2.0 * (abs(low - 0.5) - abs(high - 0.5)) / footprint if footprint < 8.0 else 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def _floor(cell: float, point: Vector, direction: Vector, distance: float, pixel: float) -> Vector:
    """The floor's own colour, already averaged over the pixel's footprint: it needs no further antialiasing."""
    flat = math.sqrt(direction[0] * direction[0] + direction[1] * direction[1]) + 1e-9
    across = distance * pixel
    deep = across / max(abs(direction[2]), 1e-4)
    x_share, y_share = direction[0] / flat, direction[1] / flat
    x_width = math.sqrt((deep * x_share) ** 2 + (across * y_share) ** 2) + 1e-9
    y_width = math.sqrt((deep * y_share) ** 2 + (across * x_share) ** 2) + 1e-9
    checks = _wave(point[0] / cell, x_width / cell) * _wave(point[1] / cell, y_width / cell)
    colour = _mix(FLOOR_DARK, FLOOR_LIGHT, 0.5 + 0.5 * checks)
    thin = max(
        _stripe(point[0], cell, 0.008 * cell, 1.3 * x_width), _stripe(point[1], cell, 0.008 * cell, 1.3 * y_width)
    )
    colour = _mix(colour, FLOOR_LINE, 0.35 * thin)
    return _mix(colour, FLOOR_MARK, 0.85 * _stripe(point[0], 10.0 * cell, 0.035 * cell, 1.3 * x_width))


@njit(cache=True, nogil=True, error_model="numpy")
def _sunlight(shapes: Shapes, pose: Pose, point: Vector, own: int) -> float:
    """Share of the sun's disc that a point sees."""
    i = math.floor((dot(point, SUN_U) - pose.sun_corner[0]) / pose.sun_corner[2])
    j = math.floor((dot(point, SUN_V) - pose.sun_corner[1]) / pose.sun_corner[2])
    if not (0 <= i < SUN_CELLS and 0 <= j < SUN_CELLS):
        return 1.0
    light = 1.0
    near = pose.sunlit[int(i), int(j)]
    for index in range(1, near[0] + 1):
        geom = near[index]
        if geom == own:
            continue  # a convex solid shades itself only where it faces away
        offset = along(point, _row(pose.position, geom), -1.0)
        ahead = -dot(offset, SUN)
        bound = shapes.bound[geom]
        if ahead < -bound:
            continue
        reach = bound * (1.0 + 4.0 * SUN_TANGENT)
        if dot(offset, offset) - ahead * ahead > reach * reach:
            continue
        rotation = _frame(pose.rotation, geom)
        distance, gap = nearest_approach(
            shapes.caster[geom], _row(shapes.caster_size, geom), bound, to_local(rotation, offset), to_local(rotation, SUN)
        )
        penumbra = SUN_TANGENT * min(max(distance, 0.02 * bound), 4.0 * bound)
        seen = min(max(0.5 + 0.5 * gap / penumbra, 0.0), 1.0)
        light *= 1.0 - shapes.colour[geom, 3] * (1.0 - seen * seen * (3.0 - 2.0 * seen))
        if light < 0.003:
            return 0.0
    return light


@njit(cache=True, nogil=True, error_model="numpy")
def _openness(shapes: Shapes, pose: Pose, point: Vector, normal: Vector, own: int) -> float:
    """Share of the sky's light left by nearby geoms, each taken for a capsule: the soft dark under a foot."""
    offset = along(point, (pose.heap[0], pose.heap[1], pose.heap[2]), -1.0)
    if dot(offset, offset) > (2.0 * pose.heap[3]) ** 2:
        return 1.0
    light = 1.0
    for geom in range(shapes.kind.size):
        if shapes.core[geom, 4] == 0.0 or geom == own:
            continue
        radius = shapes.core[geom, 3]
        x = pose.position[geom, 0] - point[0]
        y = pose.position[geom, 1] - point[1]
        z = pose.position[geom, 2] - point[2]
        reach = shapes.bound[geom] + 4.0 * radius
        if x * x + y * y + z * z > reach * reach:
            continue
        axis = to_world(_frame(pose.rotation, geom), _row(shapes.core, geom))
        long = dot(axis, axis)
        place = 0.0
        if long > 0.0:
            place = min(max(-(x * axis[0] + y * axis[1] + z * axis[2]) / long, -1.0), 1.0)
        towards = (x + place * axis[0], y + place * axis[1], z + place * axis[2])
        far = math.sqrt(dot(towards, towards)) + 1e-9
        facing = dot(normal, towards) / far
        # Half a sphere's solid angle seen under its cosine, running out at five radii.
        covered = min(radius / far, 1.0) ** 2 * max(0.5 * facing + 0.5 * min(max(facing, 0.0), 1.0), 0.0)
        light *= 1.0 - 0.8 * covered * min(max(0.5 * (5.0 - far / radius), 0.0), 1.0)
    return light


@njit(cache=True, nogil=True, error_model="numpy")
def _lit(colour: Vector, ground: bool, normal: Vector, direction: Vector, sun: float, sky: float) -> Vector:
    """Light sent to the eye by a surface that sees shares `sun` and `sky` of its lights."""
    facing = max(dot(normal, SUN), 0.0) * sun
    upward = 0.5 + 0.5 * normal[2]
    ambient = _mix(BOUNCE_LIGHT, SKY_LIGHT, upward)
    red = colour[0] * (SUN_LIGHT[0] * facing + ambient[0] * sky)
    green = colour[1] * (SUN_LIGHT[1] * facing + ambient[1] * sky)
    blue = colour[2] * (SUN_LIGHT[2] * facing + ambient[2] * sky)
    if ground:
        return (red, green, blue)
    towards_eye = -dot(normal, direction)
    mirrored = along(direction, normal, 2.0 * towards_eye)
    grazing = 1.0 - min(max(towards_eye, 0.0), 1.0)
    gloss = (0.03 + 0.30 * grazing**4) * sky
    reflected = _sky(mirrored) if mirrored[2] > 0.0 else BOUNCE_LIGHT
    glint = 0.35 * sun * max(dot(mirrored, SUN), 0.0) ** 24 if facing > 0.0 else 0.0
    return (
        red + gloss * reflected[0] + glint * 1.0,
        green + gloss * reflected[1] + glint * 0.93,
        blue + gloss * reflected[2] + glint * 0.80,
    )


@njit(cache=True, nogil=True, error_model="numpy")
def _nearest(
    shapes: Shapes, pose: Pose, listed: NDArray[np.int32], origin: Vector, direction: Vector, skip: int
) -> tuple[float, int]:
    """The nearest geom on a ray among the planes and those listed: (distance, geom), or (inf, -1)."""
    best, owner = math.inf, -1
    for geom in shapes.planes:
        rotation = _frame(pose.rotation, geom)
        if geom != skip:
            local = to_local(rotation, along(origin, _row(pose.position, geom), -1.0))
            distance = intersect(shapes.kind[geom], _row(shapes.size, geom), local, to_local(rotation, direction))
            if distance != MISS and distance < best:
                best, owner = distance, geom
    for index in range(1, listed[0] + 1):
        geom = listed[index]
        offset = along(origin, _row(pose.position, geom), -1.0)
        ahead = -dot(offset, direction)
        bound = shapes.bound[geom]
        if geom == skip or ahead < -bound or ahead - bound > best:
            continue
        if dot(offset, offset) - ahead * ahead > bound * bound:
            continue
        rotation = _frame(pose.rotation, geom)
        distance = intersect(
            shapes.kind[geom], _row(shapes.size, geom), to_local(rotation, offset), to_local(rotation, direction)
        )
        if distance != MISS and distance < best:
            best, owner = distance, geom
    return best, owner


@njit(cache=True, nogil=True, error_model="numpy")
def _look(
    shapes: Shapes, pose: Pose, listed: NDArray[np.int32], view: View, seen: Seen, ray: int, direction: Vector
) -> tuple[Vector, int]:
    """Colour along a ray from the eye, and the first geom on it (-1: the sky)."""
    red, green, blue, weight = 0.0, 0.0, 0.0, 1.0
    origin, travelled, skip, first = view.eye, 0.0, -1, -1
    for layer in range(LAYERS):
        distance, geom = _nearest(shapes, pose, listed, origin, direction, skip)
        distance += travelled
        foreign = False
        if seen.distance.size > 0 and travelled < seen.distance[ray] < distance:
            distance, geom, foreign = seen.distance[ray], seen.geom[ray], True
        sky = _sky(direction)
        if geom < 0:
            red, green, blue = red + weight * sky[0], green + weight * sky[1], blue + weight * sky[2]
            break
        if layer == 0:
            first = geom
        point = along(view.eye, direction, distance)
        rotation = _frame(pose.rotation, geom)
        if foreign:
            normal = _row(seen.normal, ray)
        else:
            local = to_local(rotation, along(point, _row(pose.position, geom), -1.0))
            normal = to_world(rotation, outward(shapes.kind[geom], _row(shapes.size, geom), local))
        ground = shapes.ground[geom]
        colour, opacity = _row(shapes.colour, geom), shapes.colour[geom, 3]
        if ground:
            colour = _floor(shapes.cell, point, direction, distance, view.pixel)
        sun = _sunlight(shapes, pose, point, geom) if dot(normal, SUN) > 0.0 else 0.0
        light = _lit(colour, ground, normal, direction, sun, _openness(shapes, pose, point, normal, geom))
        # Haze counted in floor squares, so that small and large worlds dissolve alike.
        depth = distance / (70.0 * shapes.cell)
        light = _mix(sky, light, math.exp(-depth * depth)) if ground else light
        share = weight * opacity
        red, green, blue = red + share * light[0], green + share * light[1], blue + share * light[2]
        weight -= share
        if weight < 0.02:
            break
        skip, travelled = geom, distance + 1e-6
        origin = along(view.eye, direction, travelled)
    return (red, green, blue), first


@njit(cache=True, nogil=True, error_model="numpy")
def _display(light: float) -> int:
    return TONE[min(int(max(light, 0.0) * ((EXPOSURE_STEPS - 1) / BRIGHTEST)), EXPOSURE_STEPS - 1)]


@njit(cache=True, nogil=True, error_model="numpy")
def paint(shapes: Shapes, pose: Pose, view: View, seen: Seen, image: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Fill `image` [height, width, 3] with one ray a pixel; return the pixels (row * width + column) with an edge.

    An edge is where neighbours see different geoms or clearly different colours; `refine` then smooths it.
    """
    height, width, _ = image.shape
    owner = np.empty((height, width), np.int32)
    for row in range(height):
        for column in range(width):
            direction = direction_through(view, column + 0.5, row + 0.5, width, height)
            listed = pose.tiles[row // TILE, column // TILE]
            light, owner[row, column] = _look(shapes, pose, listed, view, seen, row * width + column, direction)
            for channel in range(3):
                image[row, column, channel] = _display(light[channel])
    edge = np.zeros((height, width), np.bool_)
    for row in range(height):
        for column in range(width):
            for down, across in ((0, 1), (1, 0)):
                if row + down < height and column + across < width:
                    differs = owner[row, column] != owner[row + down, column + across]
                    change = 0
                    for channel in range(3):
                        change += abs(
                            int(image[row, column, channel]) - int(image[row + down, column + across, channel])
                        )
                    if change > 60 or (differs and change > 6):
                        edge[row, column] = edge[row + down, column + across] = True
    return np.flatnonzero(edge)


@njit(cache=True, nogil=True, error_model="numpy")
def refine(
    shapes: Shapes,
    pose: Pose,
    view: View,
    seen: Seen,
    image: NDArray[np.uint8],
    pixels: NDArray[np.int64],
    spread: NDArray[np.float64],
) -> None:
    """Repaint `pixels` of `image` as the mean of rays at the offsets `spread` [samples, 2] from their corners."""
    height, width, _ = image.shape
    samples = spread.shape[0]
    for index in range(pixels.size):
        row, column = pixels[index] // width, pixels[index] % width
        listed = pose.tiles[row // TILE, column // TILE]
        red, green, blue = 0.0, 0.0, 0.0
        for sample in range(samples):
            direction = direction_through(view, column + spread[sample, 0], row + spread[sample, 1], width, height)
            light, _ = _look(shapes, pose, listed, view, seen, index * samples + sample, direction)
            red += min(light[0], 1.0)
            green += min(light[1], 1.0)
            blue += min(light[2], 1.0)
        image[row, column, 0] = _display(red / samples)
        image[row, column, 1] = _display(green / samples)
        image[row, column, 2] = _display(blue / samples)
