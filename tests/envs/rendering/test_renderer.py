"""The ray caster against MuJoCo's own rays, and the properties that its pictures promise."""

import math
from concurrent.futures import ThreadPoolExecutor

import mujoco
import numpy as np
import pytest
from numpy.typing import NDArray

from evo.envs.rendering import geoms
from evo.envs.rendering.geometry import intersect, nearest_approach, outward, separation, to_local, to_world
from evo.envs.rendering.geoms import shown_geoms
from evo.envs.rendering.height_fields import fields_of, meet
from evo.envs.rendering.renderer import Camera, Renderer, film, following_camera, frame_creature
from evo.envs.rendering.shading import paint
from evo.envs.rendering.surfaces import covered_bodies, surfaces_of

SHAPES = {
    "sphere": "0.4",
    "capsule": "0.2 0.5",
    "cylinder": "0.3 0.4",
    "ellipsoid": "0.2 0.5 0.35",
    "box": "0.3 0.2 0.5",
    "plane": "0.8 0.6 0.1",
}


def _model(body: str, assets: str = "") -> mujoco.MjModel:
    return mujoco.MjModel.from_xml_string(f"<mujoco><asset>{assets}</asset><worldbody>{body}</worldbody></mujoco>")


def _data(model: mujoco.MjModel) -> mujoco.MjData:
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    return data


def _rows(matrix: NDArray[np.float64]) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(row) for row in matrix.reshape(3, 3).tolist())


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("start", ["outside", "inside"])
def test_intersections_equal_mj_ray(shape: str, start: str) -> None:
    model = _model(f'<body mocap="true"><geom type="{shape}" size="{SHAPES[shape]}"/></body>')
    data = mujoco.MjData(model)
    size = tuple(model.geom_size[0].tolist())
    random = np.random.default_rng(1)
    hits = 0
    normal = np.zeros(3)
    for _ in range(400):
        data.mocap_pos[0] = random.normal(size=3)
        data.mocap_quat[0] = random.normal(size=4)
        data.mocap_quat[0] /= np.linalg.norm(data.mocap_quat[0])
        mujoco.mj_kinematics(model, data)
        rotation = _rows(data.geom_xmat[0])
        reach = 0.15 if start == "inside" else 3.0
        point = data.geom_xpos[0] + reach * random.uniform(-1.0, 1.0, 3)
        target = data.geom_xpos[0] + 0.5 * random.uniform(-1.0, 1.0, 3)
        # Of any length: distances count in multiples of the direction.
        direction = (target - point) * random.uniform(0.1, 3.0)
        expected = mujoco.mj_ray(model, data, point, direction, None, True, -1, None, normal)
        origin = to_local(rotation, tuple((point - data.geom_xpos[0]).tolist()))
        heading = to_local(rotation, tuple(direction.tolist()))
        measured = intersect(int(model.geom_type[0]), size, origin, heading)
        assert measured == pytest.approx(expected, rel=1e-9, abs=1e-12)
        if expected >= 0.0:
            hits += 1
            met = tuple((np.array(origin) + measured * np.array(heading)).tolist())
            ours = np.array(to_world(rotation, outward(int(model.geom_type[0]), size, met)))
            # MuJoCo turns the normal of a surface left from inside towards the ray's start; ours points outwards.
            assert abs(ours @ normal) == pytest.approx(1.0, abs=1e-6)
    assert hits > 100


@pytest.mark.parametrize("shape", [name for name in SHAPES if name != "plane"])
def test_axis_aligned_rays_equal_mj_ray(shape: str) -> None:
    model = _model(f'<geom type="{shape}" size="{SHAPES[shape]}"/>')
    data = _data(model)
    size = tuple(model.geom_size[0].tolist())
    for axis in range(3):
        for sign in (-1.0, 1.0):
            for offset in (0.0, 0.1, 0.6):
                point, direction = np.full(3, offset), np.zeros(3)
                point[axis], direction[axis] = -2.0 * sign, sign
                expected = mujoco.mj_ray(model, data, point, direction, None, True, -1, None)
                measured = intersect(int(model.geom_type[0]), size, tuple(point.tolist()), tuple(direction.tolist()))
                assert measured == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("shape", [name for name in SHAPES if name != "plane"])
def test_nearest_approach_is_the_least_separation_along_the_ray(shape: str) -> None:
    model = _model(f'<geom type="{shape}" size="{SHAPES[shape]}"/>')
    kind, size = int(model.geom_type[0]), tuple(model.geom_size[0].tolist())
    bound = float(model.geom_rbound[0])
    random = np.random.default_rng(2)
    steps = np.linspace(0.0, 6.0, 3001)
    for _ in range(40):
        origin = 2.0 * random.uniform(-1.0, 1.0, 3)
        direction = 0.6 * random.uniform(-1.0, 1.0, 3) - origin
        direction /= np.linalg.norm(direction)
        separations = [separation(kind, size, tuple((origin + step * direction).tolist())) for step in steps]
        _, gap = nearest_approach(kind, size, bound, tuple(origin.tolist()), tuple(direction.tolist()))
        if min(separations) > 0.0:
            assert gap == pytest.approx(min(separations), abs=0.02)
        else:
            assert gap < 0.005


CREATURE = """
    <geom name="floor" type="plane" size="5 5 0.1"/>
    <body pos="0 0 0.8">
      <freejoint/>
      <geom name="torso" type="ellipsoid" size="0.4 0.2 0.15" rgba="0.9 0.4 0.3 1"/>
      <geom name="hidden" type="sphere" size="0.9" rgba="1 1 1 0"/>
      <geom name="collision" type="sphere" size="0.9" group="3"/>
      <body pos="0.3 0 0"><joint name="hip" axis="0 1 0"/>
        <geom name="leg" type="capsule" fromto="0 0 0 0.1 0 -0.6" size="0.06"/>
        <geom name="foot" type="box" pos="0.15 0 -0.65" size="0.12 0.08 0.04"/></body>
      <body pos="-0.3 0 0"><joint axis="0 1 0"/>
        <geom name="wheel" type="cylinder" pos="0 0 -0.4" zaxis="0 1 0" size="0.3 0.05"/></body>
    </body>"""


def _looked_up(
    model: mujoco.MjModel, camera: Camera, width: int, height: int
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Geoms seen through every pixel, by our kernel and by MuJoCo's rays."""
    data = _data(model)
    renderer = Renderer(model, width, height)
    view = renderer._view(data, camera)
    image = np.empty((height, width, 3), np.uint8)
    everywhere, middle = np.argwhere(np.ones((height, width), bool)), np.array([[0.5, 0.5]])
    seen = renderer._cast_rays(data, view, everywhere, middle)
    ours = paint(renderer._scene(data, view), view, seen, image, everywhere, middle).reshape(height, width)

    eye, forward, right, up = camera.axes()
    scale = 2.0 * math.tan(0.5 * math.radians(camera.fovy)) / height
    theirs = np.empty((height, width), np.int32)
    group, geom = np.array([1, 1, 1, 0, 0, 0], np.uint8), np.zeros(1, np.int32)
    for row in range(height):
        for column in range(width):
            direction = forward + (column + 0.5 - width / 2) * scale * right + (height / 2 - row - 0.5) * scale * up
            mujoco.mj_ray(model, data, eye, direction, group, True, -1, geom)
            theirs[row, column] = geom[0]
    return ours, theirs


@pytest.mark.parametrize("azimuth", [20.0, 115.0, 250.0])
@pytest.mark.parametrize("distance", [0.9, 3.0])
def test_every_pixel_sees_the_geom_that_mj_ray_sees(azimuth: float, distance: float) -> None:
    model = _model(CREATURE)
    ours, theirs = _looked_up(model, Camera((0.0, 0.0, 0.5), distance, azimuth, -25.0), 96, 64)
    # Beyond the plane's edge MuJoCo sees the sky; here a floor has no edge.
    assert np.array_equal(ours[theirs >= 0], theirs[theirs >= 0])
    assert set(np.unique(theirs)) >= {0, 1}


def test_foreign_geoms_are_found_by_mujoco() -> None:
    corners = "0 0 0  0.8 0 0  0 0.8 0  0 0 0.8"
    assets = f'<mesh name="tetrahedron" vertex="{corners}"/>'
    assets += '<hfield name="hills" nrow="2" ncol="2" elevation="0 1 0.3 0.6" size="1 1 0.4 0.1"/>'
    body = '<geom type="mesh" mesh="tetrahedron" pos="0 0 0.6" rgba="0.9 0.3 0.2 1"/>'
    model = _model(
        body + '<geom type="hfield" hfield="hills"/><geom type="sphere" size="0.2" pos="0.7 0 0.8"/>', assets
    )
    ours, theirs = _looked_up(model, Camera((0.2, 0.2, 0.5), 3.0, 60.0, -30.0), 96, 64)
    assert np.array_equal(ours, theirs)
    assert set(np.unique(ours)) == {-1, 0, 1, 2}
    picture = Renderer(model, 96, 64).render(_data(model), Camera((0.2, 0.2, 0.5), 3.0, 60.0, -30.0)).astype(int)
    red = picture[..., 0] - picture[..., 2]
    assert red[ours == 0].mean() > red[ours == 1].mean() + 40


@pytest.mark.parametrize(("rows", "columns"), [(2, 2), (5, 33), (40, 23)])
def test_rays_meet_height_fields_where_mj_ray_meets_them(rows: int, columns: int) -> None:
    random = np.random.default_rng(rows)
    spec = mujoco.MjSpec()
    field = spec.add_hfield(name="h", nrow=rows, ncol=columns, userdata=random.uniform(size=rows * columns))
    field.size = [1.5, 0.8, 0.4, 0.2]
    spec.worldbody.add_geom(
        type=mujoco.mjtGeom.mjGEOM_HFIELD, hfieldname="h", pos=[0.3, -0.2, 0.5], euler=[10, -20, 40]
    )
    model = spec.compile()
    data = _data(model)
    for _ in range(25):  # from above, from the sides and from beneath
        eye = data.geom_xpos[0] + random.normal(size=3) * 2.5
        towards = data.geom_xpos[0] + random.uniform(-1, 1, (30, 3)) * [1.6, 1.6, 0.5] - eye
        towards /= np.linalg.norm(towards, axis=1, keepdims=True)
        seen = np.full((30, 5), -1.0)
        meet(fields_of(model, np.ones(1, bool)), data, tuple(eye.tolist()), towards, seen)
        normal = np.zeros(3)
        expected = [mujoco.mj_ray(model, data, eye, each, None, True, -1, None, normal) for each in towards]
        inside = (np.abs((eye - data.geom_xpos[0]) @ data.geom_xmat[0].reshape(3, 3)) < [1.5, 0.8, 0.4]).all()
        if not inside:
            np.testing.assert_allclose(seen[:, 0], expected, atol=1e-6)
            assert ((seen[:, 2:] * towards).sum(axis=1)[seen[:, 0] > 0] <= 1e-9).all(), "normals face the eye"


def test_a_body_that_nothing_else_shows_is_drawn_by_its_hidden_geoms() -> None:
    body = """<geom type="plane" size="5 5 0.1"/><body pos="0 0 1"><freejoint/>
        <geom type="sphere" size="0.3" group="{group}" rgba="0.9 0.1 0.1 1"/>{more}</body>"""
    camera = Camera((0.0, 0.0, 1.0), 3.0, 90.0, 0.0)

    def middle(**parts: str) -> NDArray[np.int64]:
        model = _model(body.format(**parts))
        return np.asarray(Renderer(model, 33, 33).render(_data(model), camera)[16, 16].astype(np.int64))

    drawn = middle(group="0", more="")
    np.testing.assert_array_equal(middle(group="3", more=""), drawn)
    other = middle(group="3", more='<geom type="box" size="0.2 0.2 0.2" rgba="0.1 0.1 0.9 1"/>')
    assert other[2] > other[0], "where a body has a visible geom, the others stay hidden"


def test_a_flex_between_nodes_covers_no_other_body() -> None:
    soft = """<flexcomp name="soft" type="grid" dim="3" count="3 3 3" dof="trilinear" spacing="0.2 0.2 0.2">
        <elasticity young="1e3"/></flexcomp>"""
    model = _model(f'{soft}<body name="last"><freejoint/><geom size="0.1" group="3"/></body>')
    assert (model.flex_vertbodyid < 0).all()
    covered = covered_bodies(model)
    assert not covered[model.body("last").id]
    assert covered[model.flex_nodebodyid].all()
    assert shown_geoms(model)[-1]


def test_flexes_and_skins_are_drawn_where_they_are() -> None:
    cloth = """<geom type="plane" size="5 5 0.1"/><flexcomp name="cloth" type="grid" dim="2" count="5 4 1" mass="1"
        spacing="0.2 0.2 0.2" pos="0 0 1" radius="0.001" rgba="0.9 0.1 0.1 1"/>"""
    model = _model(cloth)
    picture = Renderer(model, 65, 65).render(_data(model), Camera((0, 0, 1), 3.0, 90.0, -90.0, fovy=40.0)).astype(int)
    pixel = 2 * math.tan(math.radians(20)) * 3.0 / 65
    reddish = (picture[..., 0] - picture[..., 2] > 40).sum() * pixel**2
    assert reddish == pytest.approx(0.8 * 0.6, rel=0.1)

    spec = mujoco.MjSpec.from_string(
        """<mujoco><worldbody><body name="root" pos="0 0 1"><freejoint/><geom group="3" size="0.1"/></body></worldbody>
        </mujoco>"""
    )
    vertices = [[-0.4, -0.3, 0.2], [0.4, -0.3, 0.2], [0.4, 0.3, 0.2], [-0.4, 0.3, 0.2]]
    skin = spec.add_skin(name="skin", rgba=[0.1, 0.1, 0.9, 1])
    skin.vert, skin.face = np.ravel(vertices), [0, 1, 2, 0, 2, 3]
    skin.bodyname, skin.bindpos, skin.bindquat = ["root"], [0, 0, 0], [1, 0, 0, 0]
    skin.vertid, skin.vertweight = [[0, 1, 2, 3]], [[1, 1, 1, 1]]
    model = spec.compile()
    data = mujoco.MjData(model)
    for turn, size in (([1, 0, 0, 0], (0.8, 0.6)), ([0.5**0.5, 0, 0, 0.5**0.5], (0.6, 0.8))):
        data.qpos[3:] = turn
        mujoco.mj_forward(model, data)
        camera = Camera((0, 0, 1.2), 3.0, 90.0, -90.0, fovy=40.0)
        picture = Renderer(model, 65, 65).render(data, camera).astype(int)
        rows, columns = np.nonzero(picture[..., 2] - picture[..., 0] > 90)
        assert ((np.ptp(columns) + 1) * pixel, (np.ptp(rows) + 1) * pixel) == pytest.approx(size, abs=0.05)


@pytest.mark.parametrize(("own", "seen"), [("", (1, 0, 0)), ('rgba="0 0 1 1"', (0, 0, 1))])
def test_a_colour_of_its_own_is_seen_before_a_materials(own: str, seen: tuple[float, ...]) -> None:
    model = _model(
        f"""<flexcomp name="cloth" type="grid" dim="2" count="3 3 1" mass="1" spacing="0.2 0.2 0.2" material="red"
        {own}/> <geom size="0.1" material="red" {own}/>""",
        assets='<material name="red" rgba="1 0 0 1"/>',
    )
    (surface,) = surfaces_of(model)
    assert tuple(surface.rgba[:3]) == seen
    assert tuple(geoms._rgba(model)[0, :3]) == seen


def test_a_spheres_silhouette_has_its_size() -> None:
    radius, distance, height = 0.5, 4.0, 200
    model = _model(f'<geom type="sphere" size="{radius}" rgba="0.9 0.1 0.1 1"/>')
    picture = Renderer(model, 300, height).render(_data(model), Camera((0, 0, 0), distance, 30.0, 0.0, fovy=40.0))
    # A sphere's cone of sight has the sine radius / distance; in the picture, its tangent counts.
    tangent = math.tan(math.asin(radius / distance))
    expected = math.pi * (tangent * height / (2.0 * math.tan(math.radians(20.0)))) ** 2
    reddish = picture[..., 0].astype(int) - picture[..., 2] > 30
    assert np.count_nonzero(reddish) == pytest.approx(expected, rel=0.03)
    rows, columns = np.nonzero(reddish)
    assert rows.mean() == pytest.approx(99.5, abs=0.5)
    assert columns.mean() == pytest.approx(149.5, abs=0.5)


@pytest.mark.parametrize("shape", [name for name in SHAPES if name != "plane"])
def test_shapes_cast_shadows(shape: str) -> None:
    floor = '<geom type="plane" size="5 5 0.1"/>'
    shade = f'<geom type="{shape}" size="{SHAPES[shape]}" pos="0 0 1.5"/>'
    # From straight above, and beside the shape: where its shadow falls, down the sun's slant.
    camera = Camera((0.9, 0.8, 0.0), 3.0, 90.0, -90.0)
    bare, shaded = (
        Renderer(model, 64, 64).render(_data(model), camera).astype(int)
        for model in (_model(floor), _model(floor + shade))
    )
    darker = (bare - shaded).sum(axis=2)
    assert darker[24:40, 24:40].max() > 100
    assert np.abs(darker[:10, -10:]).max() <= 3, "a far corner keeps its light"


def test_contact_darkens_the_floor() -> None:
    def brightness(height: float) -> float:
        model = _model(
            f'<geom type="plane" size="5 5 0.1"/><body pos="0 0 {height}"><freejoint/>'
            '<geom type="sphere" size="0.3"/></body>'
        )
        picture = Renderer(model, 64, 64).render(_data(model), Camera((-0.2, -0.25, 0.0), 1.0, 90.0, -60.0, fovy=10.0))
        return float(picture.mean())

    assert brightness(0.3) < brightness(5.0) - 4.0


def test_translucent_geoms_show_what_is_behind() -> None:
    ball = '<geom type="sphere" size="0.5" pos="0 0 1" rgba="0.9 0.1 0.1 1"/>'
    pane = '<geom type="box" size="1 0.02 1" pos="0 -1 1" rgba="0.1 0.1 0.9 {}"/>'
    camera = Camera((0, 0, 1), 4.0, 90.0, 0.0)

    def middle(body: str) -> NDArray[np.int64]:
        model = _model(body)
        return np.asarray(Renderer(model, 33, 33).render(_data(model), camera)[16, 16].astype(np.int64))

    clear, through, closed = middle(ball), middle(ball + pane.format(0.4)), middle(ball + pane.format(1))
    assert clear[0] > through[0] > closed[0]
    assert clear[2] < through[2] < closed[2]


def test_pictures_do_not_depend_on_threads() -> None:
    model = _model(CREATURE)
    qpos = np.tile(model.qpos0, (9, 1))
    qpos[:, 0] = np.linspace(0.0, 1.0, 9)
    qpos[:, 7] = np.linspace(-0.5, 0.5, 9)
    one, three = (list(film(model, qpos, 96, 54, threads=threads)) for threads in (1, 3))
    with ThreadPoolExecutor(2) as pool:  # two films by the same threads, by turns
        shared = list(zip(*(film(model, qpos, 96, 54, threads=1, pool=pool) for _ in range(2)), strict=True))
    assert all(np.array_equal(a, b) and np.array_equal(a, c) for a, (b, c) in zip(one, shared, strict=True))
    assert len(one) == 9
    assert one[0].shape == (54, 96, 3)
    assert all(np.array_equal(a, b) for a, b in zip(one, three, strict=True))
    assert not np.array_equal(one[0], one[8])


def test_a_creature_fills_its_frame() -> None:
    model = _model(CREATURE)
    qpos = np.tile(model.qpos0, (5, 1))
    ours, _ = _looked_up(model, frame_creature(model, qpos)[2], 96, 54)
    rows, columns = np.nonzero(ours > 0)
    assert 0.2 < np.ptp(columns) / 96 < 0.55
    assert 0.25 < np.ptp(rows) / 54 < 0.75
    assert rows.min() > 3
    assert rows.max() < 50


def test_named_cameras_are_those_of_the_model() -> None:
    lens = '<camera name="fixed" pos="0 -3 0.5" xyaxes="1 0 0 0 0 1" fovy="45"/>'
    model = _model(CREATURE + lens)
    renderer = Renderer(model, 64, 48)
    named = renderer.render(model.qpos0, "fixed")
    free = renderer.render(model.qpos0, Camera((0.0, 0.0, 0.5), 3.0, 90.0, 0.0))
    assert np.abs(named.astype(int) - free.astype(int)).max() <= 1
    assert np.array_equal(next(iter(film(model, model.qpos0[None], 64, 48, camera="fixed"))), named)
    with pytest.raises(ValueError, match=r"no camera 'side'; it has .*fixed"):
        renderer.render(model.qpos0, "side")


def test_following_glides_and_keeps_pace() -> None:
    frames = 200
    positions = np.zeros((frames, 3))
    positions[:, 0] = np.linspace(0.0, 20.0, frames)
    positions[:, 2] = 0.5 + 0.1 * np.sin(np.arange(frames) * 0.8)
    cameras = following_camera(positions, distance=3.0)
    track = np.array([camera.lookat for camera in cameras])
    assert np.abs(track[:, 0] - positions[:, 0]).max() < 1e-9, "a steady walk is followed exactly, ends included"
    assert np.ptp(track[:, 2]) < 0.03, "a bounce is not"
    assert len({camera.azimuth for camera in cameras}) == 1
    assert len(following_camera(positions[:1], 3.0)) == 1


def test_an_exploded_state_spoils_only_its_own_picture() -> None:
    model = _model(CREATURE)
    qpos = np.tile(model.qpos0, (4, 1))
    sound = list(film(model, qpos, 64, 36))
    qpos[2], qpos[3, :3] = np.nan, 1e12
    pictures = list(film(model, qpos, 64, 36))
    assert all(np.array_equal(pictures[frame], sound[frame]) for frame in (0, 1))
    # The creature is gone; sky and floor are still there.
    assert all(picture.std() > 5.0 for picture in pictures)
    assert all(len(list(film(model, np.full((2, model.nq), value), 64, 36))) == 2 for value in (np.nan, np.inf, 1e300))


def test_bad_requests_are_refused() -> None:
    model = _model(CREATURE)
    with pytest.raises(ValueError, match="no pixels"):
        Renderer(model, 0, 10)
    with pytest.raises(ValueError, match="qpos has shape"):
        Renderer(model, 16, 16).render(np.zeros(3), Camera())
    with pytest.raises(ValueError, match="qpos has shape"):
        next(iter(film(model, np.zeros((4, 3)))))
    with pytest.raises(ValueError, match="1 cameras for 2 frames"):
        next(iter(film(model, np.tile(model.qpos0, (2, 1)), camera=[Camera()])))
