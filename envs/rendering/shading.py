"""The ray caster's inner loops: nearest geom, sunlight, ambient occlusion.

Lists of candidates keep it fast: the picture is divided into tiles, and the plane perpendicular to the sunlight into
cells, each with the few geoms that can matter there.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from evo.envs.engine.compile import njit
from evo.envs.rendering.geometry import (
    MISS,
    PLANE,
    Matrix,
    Vector,
    along,
    dot,
    intersect,
    nearest_approach,
    normalise,
    outward,
    to_local,
    to_world,
)
from evo.envs.rendering.style import (
    BRIGHTEST,
    SUN,
    SUN_TANGENT,
    SUN_U,
    SUN_V,
    display,
    floor_colour,
    gloss,
    matt,
    mix,
    sky_colour,
)

TILE = 16  # pixels on a side of the squares that share one list of geoms
SUN_CELLS = 48  # the casters' extent, seen from the sun, is divided into this many cells a side
FARTHEST = 1e9  # metres; geoms farther away, or at NaN, in a diverged state, are not drawn
LAYERS = 4  # surfaces seen through translucent ones
CORE_REACH = 4.0  # distance from its surface, in radii, up to which a geom dims ambient light
PENUMBRA_REACH = 1.0 + 4.0 * SUN_TANGENT  # in bounding spheres: penumbras are cut off four of them behind a geom
HAZE_SQUARES = 60.0

# A geom is one row of a table of float64: passing a single array makes the kernels several times faster than passing a
# tuple of arrays. These are the columns at which its properties begin.
KIND = 0  # mjtGeom
SIZE = 1  # 3 half-sizes, metres
BOUND = 4  # radius of the bounding sphere, metres
COLOUR = 5  # 3 linear light; OPACITY follows
OPACITY = 8
GROUND = 9  # 1: drawn with the floor's pattern
CASTER = 10  # the shape that casts its shadow, -1: none
CASTER_SIZE = 11  # 3 half-sizes, metres
CORE_AXIS = 14  # 3: half the axis, in the world's frame, of the capsule that replaces it in ambient light
CORE_RADIUS = 17  # that capsule's radius, 0: it dims no ambient light
POSITION = 18  # 3, metres
ROTATION = 21  # 9, row by row
COLUMNS = 30


class Scene(NamedTuple):
    """The geoms in one frame, and lists of those visible from the eye and the sun; G geoms."""

    geoms: NDArray[np.float64]  # [G, COLUMNS]
    tiles: NDArray[np.int32]  # [rows, columns, G + 1] count, then the geoms that may be visible in a tile
    dimmed: NDArray[np.int32]  # [rows, columns, G + 1] the same for geoms that may dim ambient light in a tile
    sunlit: NDArray[np.int32]  # [SUN_CELLS, SUN_CELLS, G + 1] the same as seen from the sun
    sun_corner: Vector  # least u and v of these cells, and cells in a metre
    per_cell: float  # floor squares in a metre


class View(NamedTuple):
    """A pinhole camera; axes are unit vectors."""

    eye: Vector
    forward: Vector
    right: Vector
    up: Vector
    pixel: float  # width of a pixel at distance one


# Hits of geoms that are not drawn here, one row a ray: distance (-1: nothing), geom, normal.
SEEN_COLUMNS = 5
# Kinds that are no solids: a skin or flex, and a geom hidden within one, which casts its shadow on all but it.
SURFACE, WITHIN = -2, -3


@njit(cache=True, nogil=True, error_model="numpy")
def _three(table: NDArray[np.float64], row: int, column: int) -> Vector:
    return (table[row, column], table[row, column + 1], table[row, column + 2])


@njit(cache=True, nogil=True, error_model="numpy")
def _rotation(geoms: NDArray[np.float64], geom: int) -> Matrix:
    return (_three(geoms, geom, ROTATION), _three(geoms, geom, ROTATION + 3), _three(geoms, geom, ROTATION + 6))


@njit(cache=True, nogil=True, error_model="numpy")
def _upward(geoms: NDArray[np.float64], geom: int) -> Vector:
    """Return a geom's own z axis, a plane's normal."""
    return (geoms[geom, ROTATION + 2], geoms[geom, ROTATION + 5], geoms[geom, ROTATION + 8])


@njit(cache=True, nogil=True, error_model="numpy")
def direction_through(view: View, x: float, y: float, width: int, height: int) -> Vector:
    """Return the unit vector through the point (x, y) of the picture, in pixels from its upper left corner."""
    side = (x - 0.5 * width) * view.pixel
    rise = (0.5 * height - y) * view.pixel
    return normalise(
        (
            view.forward[0] + side * view.right[0] + rise * view.up[0],
            view.forward[1] + side * view.right[1] + rise * view.up[1],
            view.forward[2] + side * view.right[2] + rise * view.up[2],
        )
    )


@njit(cache=True, nogil=True, error_model="numpy")
def list_tiles(
    geoms: NDArray[np.float64], reach: NDArray[np.float64], view: View, width: int, height: int
) -> NDArray[np.int32]:
    """Return for each tile of the picture the geoms within whose `reach` [G] a point in it may lie.

    An infinite reach puts a geom into every tile and a negative one into none.
    """
    rows, columns = (height + TILE - 1) // TILE, (width + TILE - 1) // TILE
    tiles = np.zeros((rows, columns, geoms.shape[0] + 1), np.int32)
    for geom in range(geoms.shape[0]):
        radius = reach[geom]
        offset = along(_three(geoms, geom, POSITION), view.eye, -1.0)
        depth, side, rise = dot(offset, view.forward), dot(offset, view.right), -dot(offset, view.up)
        if radius < 0.0 or not (-radius <= depth < FARTHEST):
            continue
        first_row, last_row, first_column, last_column = 0, rows - 1, 0, columns - 1
        near, far = (depth - radius) * view.pixel, (depth + radius) * view.pixel
        if near > 1e-6:
            # The sphere's box in camera axes; the projection of a face is extreme at its near or its far end. Clipped
            # before the conversion to an integer: a point close to the eye projects very far out.
            left, right = (
                min((side - radius) / near, (side - radius) / far),
                max((side + radius) / near, (side + radius) / far),
            )
            top, bottom = (
                min((rise - radius) / near, (rise - radius) / far),
                max((rise + radius) / near, (rise + radius) / far),
            )
            first_column = int(min(max((left + 0.5 * width) / TILE, 0.0), columns))
            last_column = int(min(max((right + 0.5 * width) / TILE, -1.0), columns - 1.0))
            first_row = int(min(max((top + 0.5 * height) / TILE, 0.0), rows))
            last_row = int(min(max((bottom + 0.5 * height) / TILE, -1.0), rows - 1.0))
        for row in range(first_row, last_row + 1):
            for column in range(first_column, last_column + 1):
                tiles[row, column, 0] += 1
                tiles[row, column, tiles[row, column, 0]] = geom
    return tiles


@njit(cache=True, nogil=True, error_model="numpy")
def list_sunlit(geoms: NDArray[np.float64]) -> tuple[NDArray[np.int32], Vector]:
    """Return the geoms between the sun and each cell of the plane perpendicular to its light, and `sun_corner`."""
    cells = np.zeros((SUN_CELLS, SUN_CELLS, geoms.shape[0] + 1), np.int32)
    low_u, low_v, high_u, high_v = math.inf, math.inf, -math.inf, -math.inf
    throws = np.zeros(geoms.shape[0], np.bool_)
    for geom in range(geoms.shape[0]):
        centre, reach = _three(geoms, geom, POSITION), geoms[geom, BOUND] * PENUMBRA_REACH
        u, v = dot(centre, SUN_U), dot(centre, SUN_V)
        if geoms[geom, CASTER] >= 0.0 and abs(u) < FARTHEST and abs(v) < FARTHEST:
            throws[geom] = True
            low_u, low_v = min(low_u, u - reach), min(low_v, v - reach)
            high_u, high_v = max(high_u, u + reach), max(high_v, v + reach)
    if low_u == math.inf:
        return cells, (0.0, 0.0, 1.0)
    side = max(high_u - low_u, high_v - low_v, 1e-6) * 1.0001 / SUN_CELLS
    for geom in range(geoms.shape[0]):
        if not throws[geom]:
            continue
        centre, reach = _three(geoms, geom, POSITION), geoms[geom, BOUND] * PENUMBRA_REACH
        u, v = dot(centre, SUN_U) - low_u, dot(centre, SUN_V) - low_v
        for i in range(max(int((u - reach) / side), 0), min(int((u + reach) / side), SUN_CELLS - 1) + 1):
            for j in range(max(int((v - reach) / side), 0), min(int((v + reach) / side), SUN_CELLS - 1) + 1):
                cells[i, j, 0] += 1
                cells[i, j, cells[i, j, 0]] = geom
    return cells, (low_u, low_v, 1.0 / side)


@njit(cache=True, nogil=True, error_model="numpy")
def _sunlight(geoms: NDArray[np.float64], near: NDArray[np.int32], point: Vector, own: int) -> float:
    """Return the share of the sun's disc that is visible from a point past the geoms listed in `near`."""
    light = 1.0
    for index in range(1, near[0] + 1):
        geom = near[index]
        if geom == own or (geoms[own, KIND] == SURFACE and geoms[geom, KIND] == WITHIN):
            continue  # a convex solid shades itself only where it faces away
        offset = along(point, _three(geoms, geom, POSITION), -1.0)
        ahead, bound = -dot(offset, SUN), geoms[geom, BOUND]
        reach = bound * PENUMBRA_REACH
        if ahead < -bound or dot(offset, offset) - ahead * ahead > reach * reach:
            continue
        rotation = _rotation(geoms, geom)
        distance, gap = nearest_approach(
            int(geoms[geom, CASTER]),
            _three(geoms, geom, CASTER_SIZE),
            bound,
            to_local(rotation, offset),
            to_local(rotation, SUN),
        )
        penumbra = SUN_TANGENT * min(max(distance, 0.02 * bound), 4.0 * bound)
        seen = min(max(0.5 + 0.5 * gap / penumbra, 0.0), 1.0)
        light *= 1.0 - geoms[geom, OPACITY] * (1.0 - seen * seen * (3.0 - 2.0 * seen))
        if light < 0.003:
            return 0.0
    return light


@njit(cache=True, nogil=True, error_model="numpy")
def _openness(geoms: NDArray[np.float64], near: NDArray[np.int32], point: Vector, normal: Vector, own: int) -> float:
    """Return the share of the sky's light that the geoms in `near`, taken as capsules, leave: contact shadows."""
    light = 1.0
    for index in range(1, near[0] + 1):
        geom = near[index]
        if geom == own or (geoms[own, KIND] == SURFACE and geoms[geom, KIND] == WITHIN):
            continue
        radius, axis = geoms[geom, CORE_RADIUS], _three(geoms, geom, CORE_AXIS)
        offset = along(_three(geoms, geom, POSITION), point, -1.0)
        reach = geoms[geom, BOUND] + CORE_REACH * radius
        if dot(offset, offset) > reach * reach:
            continue
        length = dot(axis, axis)
        place = min(max(-dot(offset, axis) / length, -1.0), 1.0) if length > 0.0 else 0.0
        towards = along(offset, axis, place)
        far = math.sqrt(dot(towards, towards)) + 1e-9
        facing = dot(normal, towards) / far
        if facing > 0.0:
            # A sphere's cosine-weighted share of the sky, faded out towards its limit.
            covered = min(radius / far, 1.0) ** 2 * facing
            light *= 1.0 - 0.85 * covered * min(max(0.5 * (CORE_REACH + 1.0 - far / radius), 0.0), 1.0)
    return light


@njit(inline="always", nogil=True, error_model="numpy")
def _nearest(
    geoms: NDArray[np.float64],
    tiles: NDArray[np.int32],
    tile: tuple[int, int],
    origin: Vector,
    direction: Vector,
    skip: int,
) -> tuple[float, int]:
    """Return the nearest of a tile's geoms on a ray: (distance, geom), or (inf, -1)."""
    best, owner = math.inf, -1
    row, column = tile
    for index in range(1, tiles[row, column, 0] + 1):
        geom = tiles[row, column, index]
        kind = int(geoms[geom, KIND])
        if geom == skip:
            continue
        offset = along(origin, _three(geoms, geom, POSITION), -1.0)
        if kind == PLANE and geoms[geom, SIZE] == 0.0:
            # Most rays hit only the floor, for which its normal suffices.
            sinking = dot(_upward(geoms, geom), direction)
            distance = -dot(_upward(geoms, geom), offset) / sinking if sinking < -1e-9 else MISS
            if distance < 0.0:
                continue
        else:
            if kind != PLANE:
                ahead, bound = -dot(offset, direction), geoms[geom, BOUND]
                if ahead < -bound or ahead - bound > best or dot(offset, offset) - ahead * ahead > bound * bound:
                    continue
            rotation = _rotation(geoms, geom)
            size = _three(geoms, geom, SIZE)
            distance = intersect(kind, size, to_local(rotation, offset), to_local(rotation, direction))
        if distance != MISS and distance < best:
            best, owner = distance, geom
    return best, owner


@njit(inline="always", nogil=True, error_model="numpy")
def _look(
    scene: Scene, view: View, seen: NDArray[np.float64], ray: int, tile: tuple[int, int], direction: Vector
) -> tuple[Vector, int]:
    """Return the colour along a ray from the eye, and the first geom on it (-1: the sky)."""
    geoms = scene.geoms
    red, green, blue, weight = 0.0, 0.0, 0.0, 1.0
    origin, travelled, skip, first = view.eye, 0.0, -1, -1
    sky = sky_colour(direction)
    for layer in range(LAYERS):
        distance, geom = _nearest(geoms, scene.tiles, tile, origin, direction, skip)
        distance += travelled
        foreign = False
        if seen.shape[0] > 0 and travelled < seen[ray, 0] < distance:
            distance, geom, foreign = seen[ray, 0], int(seen[ray, 1]), True
        if geom < 0:
            red, green, blue = red + weight * sky[0], green + weight * sky[1], blue + weight * sky[2]
            break
        if layer == 0:
            first = geom
        point = along(view.eye, direction, distance)
        kind = int(geoms[geom, KIND])
        if foreign:
            normal = _three(seen, ray, 2)
        elif kind == PLANE:
            normal = _upward(geoms, geom)
        else:
            rotation = _rotation(geoms, geom)
            local = to_local(rotation, along(point, _three(geoms, geom, POSITION), -1.0))
            normal = to_world(rotation, outward(kind, _three(geoms, geom, SIZE), local))

        sun = max(dot(normal, SUN), 0.0)
        if sun > 0.0:
            i = (dot(point, SUN_U) - scene.sun_corner[0]) * scene.sun_corner[2]
            j = (dot(point, SUN_V) - scene.sun_corner[1]) * scene.sun_corner[2]
            if 0.0 <= i < SUN_CELLS and 0.0 <= j < SUN_CELLS and scene.sunlit[int(i), int(j), 0] > 0:
                sun *= _sunlight(geoms, scene.sunlit[int(i), int(j)], point, geom)
        openness = 1.0
        if scene.dimmed[tile[0], tile[1], 0] > 0:
            openness = _openness(geoms, scene.dimmed[tile], point, normal, geom)
        if geoms[geom, GROUND] > 0.0:
            squares = scene.per_cell
            colour = floor_colour(point[0] * squares, point[1] * squares, direction, distance * view.pixel * squares)
            # Haze is measured in floor squares, so that small and large worlds fade alike.
            depth = distance * squares / HAZE_SQUARES
            light = mix(sky, matt(colour, normal[2], sun, openness), math.exp(-depth * depth))
        else:
            light = gloss(matt(_three(geoms, geom, COLOUR), normal[2], sun, openness), normal, direction, sun, openness)
        opacity = geoms[geom, OPACITY]
        share = weight * opacity
        red, green, blue = red + share * light[0], green + share * light[1], blue + share * light[2]
        weight -= share
        if weight < 0.02:
            break
        skip, travelled = geom, distance + 1e-6
        origin = along(view.eye, direction, travelled)
    return (red, green, blue), first


@njit(cache=True, nogil=True, error_model="numpy")
def paint(
    scene: Scene,
    view: View,
    seen: NDArray[np.float64],
    image: NDArray[np.uint8],
    pixels: NDArray[np.int64],
    spread: NDArray[np.float64],
) -> NDArray[np.int64]:
    """Paint `pixels` [n, 2] (row, column) of `image` [height, width, 3], each the mean of its samples.

    The samples are rays at the offsets `spread` [samples, 2] (across, down) from a pixel's upper left corner; `seen`
    has a row for each. Returns [n] the geom that each pixel's last sample hit, -1 for the sky.
    """
    height, width, _ = image.shape
    samples = spread.shape[0]
    owner = np.empty(pixels.shape[0], np.int64)
    for index in range(pixels.shape[0]):
        row, column = pixels[index, 0], pixels[index, 1]
        tile = (row // TILE, column // TILE)
        red, green, blue = 0.0, 0.0, 0.0
        for sample in range(samples):
            direction = direction_through(view, column + spread[sample, 0], row + spread[sample, 1], width, height)
            light, owner[index] = _look(scene, view, seen, index * samples + sample, tile, direction)
            red += min(light[0], BRIGHTEST)
            green += min(light[1], BRIGHTEST)
            blue += min(light[2], BRIGHTEST)
        image[row, column, 0] = display(red / samples)
        image[row, column, 1] = display(green / samples)
        image[row, column, 2] = display(blue / samples)
    return owner


@njit(cache=True, nogil=True, error_model="numpy")
def find_edges(image: NDArray[np.uint8], owner: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the pixels (row, column) beside one with another geom, or a clearly different colour, [n, 2].

    `owner` [height * width] is what `paint` returned for the whole image.
    """
    height, width, _ = image.shape
    edge = np.zeros((height, width), np.bool_)
    for row in range(height):
        for column in range(width):
            for down, across in ((0, 1), (1, 0)):
                below, beside = row + down, column + across
                if below < height and beside < width:
                    change = 0
                    for channel in range(3):
                        change += abs(int(image[row, column, channel]) - int(image[below, beside, channel]))
                    other = owner[row * width + column] != owner[below * width + beside]
                    if change > 60 or (other and change > 6):
                        edge[row, column] = edge[below, beside] = True
    return np.argwhere(edge)
