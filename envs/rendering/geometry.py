"""Ray intersection with MuJoCo's analytic geoms, each in its own frame.

Vectors are tuples of three floats, so that they are kept in registers: each slice of an array costs a reference count.
A shape's `size` holds MuJoCo's three half-sizes. Distances are in multiples of the direction's length, and `MISS` (-1)
means no hit; as in `mujoco.mj_ray`, a ray that starts inside a shape hits it where it leaves. All shapes except the
plane are convex solids.
"""

import math

import mujoco

from evo.envs.engine.compile import njit

Vector = tuple[float, float, float]
Matrix = tuple[Vector, Vector, Vector]  # rows; a frame's axes are the columns

PLANE = int(mujoco.mjtGeom.mjGEOM_PLANE)
SPHERE = int(mujoco.mjtGeom.mjGEOM_SPHERE)
CAPSULE = int(mujoco.mjtGeom.mjGEOM_CAPSULE)
ELLIPSOID = int(mujoco.mjtGeom.mjGEOM_ELLIPSOID)
CYLINDER = int(mujoco.mjtGeom.mjGEOM_CYLINDER)
BOX = int(mujoco.mjtGeom.mjGEOM_BOX)
ANALYTIC = (PLANE, SPHERE, CAPSULE, ELLIPSOID, CYLINDER, BOX)

MISS = -1.0
_SMALLEST = 1e-15  # mjMINVAL: MuJoCo's own bound for a vanishing divisor
_GOLDEN = 0.6180339887498949


@njit(cache=True, nogil=True, error_model="numpy")
def dot(a: Vector, b: Vector) -> float:
    """Return the dot product a · b."""
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


@njit(cache=True, nogil=True, error_model="numpy")
def along(origin: Vector, direction: Vector, distance: float) -> Vector:
    """Return the point origin + distance * direction."""
    return (
        origin[0] + distance * direction[0],
        origin[1] + distance * direction[1],
        origin[2] + distance * direction[2],
    )


@njit(cache=True, nogil=True, error_model="numpy")
def normalise(a: Vector) -> Vector:
    """Return `a` scaled to length one."""
    scale = 1.0 / math.sqrt(dot(a, a))
    return (a[0] * scale, a[1] * scale, a[2] * scale)


@njit(cache=True, nogil=True, error_model="numpy")
def to_local(rotation: Matrix, a: Vector) -> Vector:
    """Return world vector `a` in the frame whose axes are the columns of `rotation`."""
    return (
        rotation[0][0] * a[0] + rotation[1][0] * a[1] + rotation[2][0] * a[2],
        rotation[0][1] * a[0] + rotation[1][1] * a[1] + rotation[2][1] * a[2],
        rotation[0][2] * a[0] + rotation[1][2] * a[1] + rotation[2][2] * a[2],
    )


@njit(cache=True, nogil=True, error_model="numpy")
def to_world(rotation: Matrix, a: Vector) -> Vector:
    """Return a vector of the frame in world coordinates, the inverse of `to_local`."""
    return (
        rotation[0][0] * a[0] + rotation[0][1] * a[1] + rotation[0][2] * a[2],
        rotation[1][0] * a[0] + rotation[1][1] * a[1] + rotation[1][2] * a[2],
        rotation[2][0] * a[0] + rotation[2][1] * a[1] + rotation[2][2] * a[2],
    )


@njit(cache=True, nogil=True, error_model="numpy")
def _first(entry: float, leave: float) -> float:
    """Return the first end, ahead of the ray, of a line's interval inside a solid; MISS if both lie behind."""
    if entry >= 0.0:
        return entry
    return leave if leave >= 0.0 else MISS


@njit(cache=True, nogil=True, error_model="numpy")
def _roots(a: float, b: float, c: float) -> tuple[bool, float, float]:
    """Return whether a x^2 + 2 b x + c = 0 has real roots, and the roots, the lower one first (a > 0)."""
    determinant = b * b - a * c
    if determinant < _SMALLEST:
        return False, MISS, MISS
    root = math.sqrt(determinant)
    return True, (-b - root) / a, (-b + root) / a


@njit(cache=True, nogil=True, error_model="numpy")
def _slab(origin: float, direction: float, half: float) -> tuple[float, float]:
    """Return the line's interval between the planes at ± half; an empty one has entry > leave."""
    if abs(direction) < _SMALLEST:
        return (-math.inf, math.inf) if abs(origin) <= half else (math.inf, -math.inf)
    one = (-half - origin) / direction
    other = (half - origin) / direction
    return min(one, other), max(one, other)


@njit(cache=True, nogil=True, error_model="numpy")
def _ray_plane(size: Vector, origin: Vector, direction: Vector) -> float:
    # Seen from above only; a size of 0 means unbounded on that axis.
    if direction[2] > -_SMALLEST:
        return MISS
    distance = -origin[2] / direction[2]
    if distance < 0.0:
        return MISS
    x, y, _ = along(origin, direction, distance)
    inside = (size[0] <= 0.0 or abs(x) <= size[0]) and (size[1] <= 0.0 or abs(y) <= size[1])
    return distance if inside else MISS


@njit(cache=True, nogil=True, error_model="numpy")
def _ray_sphere(radius: float, origin: Vector, direction: Vector) -> float:
    real, entry, leave = _roots(
        dot(direction, direction), dot(origin, direction), dot(origin, origin) - radius * radius
    )
    return _first(entry, leave) if real else MISS


@njit(cache=True, nogil=True, error_model="numpy")
def _cap(size: Vector, end: float, far: bool, origin: Vector, direction: Vector) -> tuple[bool, float]:
    """Return whether a line hits a capsule's end sphere centred at height `end`, and the near or far distance."""
    shifted = (origin[0], origin[1], origin[2] - end)
    real, entry, leave = _roots(
        dot(direction, direction), dot(shifted, direction), dot(shifted, shifted) - size[0] * size[0]
    )
    return real, leave if far else entry


@njit(cache=True, nogil=True, error_model="numpy")
def _ray_capsule(size: Vector, origin: Vector, direction: Vector) -> float:
    # The line's interval inside the infinite cylinder, each end moved to a cap where it lies past the straight part: a
    # line that misses that cap misses the capsule.
    a = direction[0] * direction[0] + direction[1] * direction[1]
    c = origin[0] * origin[0] + origin[1] * origin[1] - size[0] * size[0]
    if a < _SMALLEST:
        if c > 0.0:
            return MISS
        entry = leave = 0.0
        entry_height = -math.copysign(math.inf, direction[2])
        leave_height = -entry_height
    else:
        real, entry, leave = _roots(a, origin[0] * direction[0] + origin[1] * direction[1], c)
        if not real or leave < 0.0:
            return MISS
        entry_height = origin[2] + entry * direction[2]
        leave_height = origin[2] + leave * direction[2]
    if abs(entry_height) > size[1]:
        real, entry = _cap(size, math.copysign(size[1], entry_height), False, origin, direction)
        if not real:
            return MISS
    if entry >= 0.0:
        return entry
    if abs(leave_height) > size[1]:
        real, leave = _cap(size, math.copysign(size[1], leave_height), True, origin, direction)
        if not real:
            return MISS
    return _first(entry, leave)


@njit(cache=True, nogil=True, error_model="numpy")
def _ray_ellipsoid(size: Vector, origin: Vector, direction: Vector) -> float:
    # Scaled by the half-sizes, the ellipsoid is a unit sphere; the distance does not change.
    squashed = (origin[0] / size[0], origin[1] / size[1], origin[2] / size[2])
    heading = (direction[0] / size[0], direction[1] / size[1], direction[2] / size[2])
    return _ray_sphere(1.0, squashed, heading)


@njit(cache=True, nogil=True, error_model="numpy")
def _ray_cylinder(size: Vector, origin: Vector, direction: Vector) -> float:
    entry, leave = _slab(origin[2], direction[2], size[1])
    a = direction[0] * direction[0] + direction[1] * direction[1]
    c = origin[0] * origin[0] + origin[1] * origin[1] - size[0] * size[0]
    if a < _SMALLEST:
        if c > 0.0:
            return MISS
    else:
        real, side_entry, side_leave = _roots(a, origin[0] * direction[0] + origin[1] * direction[1], c)
        if not real:
            return MISS
        entry = max(entry, side_entry)
        leave = min(leave, side_leave)
    return _first(entry, leave) if entry <= leave else MISS


@njit(cache=True, nogil=True, error_model="numpy")
def _ray_box(size: Vector, origin: Vector, direction: Vector) -> float:
    x_entry, x_leave = _slab(origin[0], direction[0], size[0])
    y_entry, y_leave = _slab(origin[1], direction[1], size[1])
    z_entry, z_leave = _slab(origin[2], direction[2], size[2])
    entry = max(x_entry, y_entry, z_entry)
    leave = min(x_leave, y_leave, z_leave)
    return _first(entry, leave) if entry <= leave else MISS


@njit(cache=True, nogil=True, error_model="numpy")
def intersect(kind: int, size: Vector, origin: Vector, direction: Vector) -> float:
    """Return the distance at which a ray, in the shape's own frame, hits a shape.

    Args:
        kind: one of `ANALYTIC`; any other kind is never hit.
        size: [3] MuJoCo's half-sizes, metres.
        origin: start of the ray, metres.
        direction: of the ray, of any length but 0.

    Returns:
        The smallest distance ≥ 0 in multiples of |direction|, or `MISS`.
    """
    if kind == CAPSULE:
        return _ray_capsule(size, origin, direction)
    if kind == SPHERE:
        return _ray_sphere(size[0], origin, direction)
    if kind == PLANE:
        return _ray_plane(size, origin, direction)
    if kind == BOX:
        return _ray_box(size, origin, direction)
    if kind == ELLIPSOID:
        return _ray_ellipsoid(size, origin, direction)
    if kind == CYLINDER:
        return _ray_cylinder(size, origin, direction)
    return MISS


@njit(cache=True, nogil=True, error_model="numpy")
def outward(kind: int, size: Vector, point: Vector) -> Vector:
    """Return the unit normal at a point of the shape's surface, in the shape's own frame."""
    x, y, z = point
    if kind == CAPSULE:
        return normalise((x, y, z - min(max(z, -size[1]), size[1])))
    if kind == SPHERE:
        return normalise(point)
    if kind == ELLIPSOID:
        return normalise((x / (size[0] * size[0]), y / (size[1] * size[1]), z / (size[2] * size[2])))
    if kind == CYLINDER:
        radius = math.sqrt(x * x + y * y)
        if size[1] - abs(z) < size[0] - radius:
            return (0.0, 0.0, math.copysign(1.0, z))
        return (x / radius, y / radius, 0.0)
    if kind == BOX:
        to_x, to_y, to_z = size[0] - abs(x), size[1] - abs(y), size[2] - abs(z)
        if to_x < to_y and to_x < to_z:
            return (math.copysign(1.0, x), 0.0, 0.0)
        if to_y < to_z:
            return (0.0, math.copysign(1.0, y), 0.0)
        return (0.0, 0.0, math.copysign(1.0, z))
    return (0.0, 0.0, 1.0)


@njit(cache=True, nogil=True, error_model="numpy")
def separation(kind: int, size: Vector, point: Vector) -> float:
    """Return the signed distance from a point to a convex shape, negative inside, metres.

    An estimate for ellipsoids.
    """
    x, y, z = point
    if kind == CAPSULE:
        axial = z - min(max(z, -size[1]), size[1])
        return math.sqrt(x * x + y * y + axial * axial) - size[0]
    if kind == SPHERE:
        return math.sqrt(dot(point, point)) - size[0]
    if kind == CYLINDER:
        radial = math.sqrt(x * x + y * y) - size[0]
        axial = abs(z) - size[1]
        return min(max(radial, axial), 0.0) + math.sqrt(max(radial, 0.0) ** 2 + max(axial, 0.0) ** 2)
    if kind == BOX:
        dx, dy, dz = abs(x) - size[0], abs(y) - size[1], abs(z) - size[2]
        beyond = max(dx, 0.0) ** 2 + max(dy, 0.0) ** 2 + max(dz, 0.0) ** 2
        return min(max(dx, dy, dz), 0.0) + math.sqrt(beyond)
    scaled = math.sqrt((x / size[0]) ** 2 + (y / size[1]) ** 2 + (z / size[2]) ** 2)
    steepness = math.sqrt((x / size[0] ** 2) ** 2 + (y / size[1] ** 2) ** 2 + (z / size[2] ** 2) ** 2)
    return scaled * (scaled - 1.0) / steepness if steepness > 0.0 else -min(size[0], size[1], size[2])


@njit(cache=True, nogil=True, error_model="numpy")
def nearest_approach(kind: int, size: Vector, bound: float, origin: Vector, direction: Vector) -> tuple[float, float]:
    """Return how close a ray passes by a convex shape: (distance along the ray, separation there).

    `direction` has length one and `bound` is the radius of a sphere around the shape. For capsules and spheres the
    solution is exact; for others a golden-section search, since the separation along a line falls and then rises.
    """
    if kind in (SPHERE, CAPSULE):
        half = size[1] if kind == CAPSULE else 0.0
        # The segment's point nearest to the line, then the line's point nearest to it.
        sideways = 1.0 - direction[2] * direction[2]
        height = 0.0
        if sideways > 1e-9:
            height = (origin[2] - direction[2] * dot(origin, direction)) / sideways
            height = min(max(height, -half), half)
        distance = max(height * direction[2] - dot(origin, direction), 0.0)
        return distance, separation(kind, size, along(origin, direction, distance))
    middle = -dot(origin, direction)
    low, high = max(middle - bound, 0.0), max(middle + bound, 0.0)
    left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    at_left = separation(kind, size, along(origin, direction, left))
    at_right = separation(kind, size, along(origin, direction, right))
    for _ in range(12):
        if at_left < at_right:
            high, right, at_right = right, left, at_left
            left = high - _GOLDEN * (high - low)
            at_left = separation(kind, size, along(origin, direction, left))
        else:
            low, left, at_left = left, right, at_right
            right = low + _GOLDEN * (high - low)
            at_right = separation(kind, size, along(origin, direction, right))
    return (left, at_left) if at_left < at_right else (right, at_right)
