"""The page draws what the ray caster draws: silhouettes of every geom type, in a browser where one is installed."""

import base64
import copy
import json

import mujoco
import numpy as np
from numpy.typing import NDArray

from evo.envs.rendering.renderer import Camera, Renderer
from evo.visualize.page import describe_scene, drawn_geoms
from evo.visualize.page.episode import geom_poses
from evo.visualize.page.packing import pack
from tests.support.browser import CHROMIUM, run_in_browser

WIDTH, HEIGHT = 320, 240
CAMERAS = [Camera(distance=4.0, azimuth=azimuth, elevation=elevation, fovy=40.0)
           for azimuth, elevation in ((20.0, -40.0), (200.0, 20.0))]  # fmt: skip
_TURNED = 'quat="0.8 0.3 -0.4 0.2"'
_L = "0 0 0  2 0 0  2 1 0  1 1 0  1 2 0  0 2 0   0 0 1  2 0 1  2 1 1  1 1 1  1 2 1  0 2 1"
_L_FACES = (
    "0 2 1  0 3 2  0 5 3  3 5 4   6 7 8  6 8 9  6 9 11  9 10 11  "
    "0 1 7  0 7 6  1 2 8  1 8 7  2 3 9  2 9 8  3 4 10  3 10 9  4 5 11  4 11 10  5 0 6  5 6 11"
)
_HILLS = " ".join(f"{0.5 + 0.5 * np.sin(1.3 * i * i + j):.3f}" for i in range(9) for j in range(7))
ASSETS = f"""<asset><mesh name="L" scale="0.5 0.5 0.5" vertex="{_L}" face="{_L_FACES}"/>
    <hfield name="hills" nrow="9" ncol="7" size="1 0.8 0.6 0.2" elevation="{_HILLS}"/></asset>"""
MODELS = {
    "sphere": f'<body {_TURNED}><freejoint/><geom size="0.7"/></body>',
    "capsule": f'<body {_TURNED}><freejoint/><geom type="capsule" size="0.3 0.7"/></body>',
    "ellipsoid": f'<body {_TURNED}><freejoint/><geom type="ellipsoid" size="0.3 0.9 0.5"/></body>',
    "cylinder": f'<body {_TURNED}><freejoint/><geom type="cylinder" size="0.5 0.6"/></body>',
    "box": f'<body {_TURNED}><freejoint/><geom type="box" size="0.3 0.6 0.8"/></body>',
    "mesh": f'<body {_TURNED}><freejoint/><geom type="mesh" mesh="L"/></body>',
    "height field": '<geom type="hfield" hfield="hills"/>',
    "floor": '<geom type="plane" size="1 1 1" pos="0 0 -0.5"/>',
    "wall": '<geom type="plane" size="1 1 1" quat="0.9 0.5 0.1 0"/>',
    "two, one clear": f"""<body {_TURNED}><freejoint/><geom size="0.5" rgba="1 0 0 0.4"/>
        <geom type="box" pos="0.4 0 0" size="0.3 0.2 0.6"/></body>""",
}
PROBE = """
const content = await unpackAll(JSON.parse(id("content").textContent));
const painter = new Painter(id("picture")), { gl, canvas } = painter;
Object.assign(canvas, { width: content.width, height: content.height });
const shot = (actor, camera) => {
  painter.draw([actor], camera, { effort: false, contacts: false });
  const pixels = new Uint8Array(4 * canvas.width * canvas.height);
  gl.readPixels(0, 0, canvas.width, canvas.height, gl.RGBA, gl.UNSIGNED_BYTE, pixels);
  return pixels;
};
const text = (bytes) => { let all = ""; for (const byte of bytes) all += String.fromCharCode(byte); return btoa(all); };
say(JSON.stringify(content.creatures.map((creature) => {
  painter.load(creature.scene);
  const actor = { creature, episode: creature.episode, offset: [0, 0, 0], state: { before: 0, after: 0, share: 0 } };
  const bare = { ...actor, creature: { ...creature, scene: { ...creature.scene, geoms: [], still: [] } } };
  return content.cameras.map((given) => {
    const camera = new OrbitCamera(given);
    return [text(shot(actor, camera)), text(shot(bare, camera)), gl.getError()];
  });
})));
"""


def differing(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> NDArray[np.bool_]:
    return (np.abs(one.astype(int) - other.astype(int)) > 3).any(axis=2)


def _cast(model: mujoco.MjModel, camera: Camera) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """The ray caster's picture, and where it differs from one without geoms."""
    empty = copy.copy(model)
    empty.geom_rgba[:, 3] = 0
    picture = Renderer(model, WIDTH, HEIGHT).render(model.qpos0, camera)
    return picture, differing(picture, Renderer(empty, WIDTH, HEIGHT).render(model.qpos0, camera))


def _content(models: list[mujoco.MjModel]) -> str:
    creatures = []
    for model in models:
        data = mujoco.MjData(model)
        mujoco.mj_forward(model, data)
        poses = geom_poses(data, drawn_geoms(model))[None]
        episode = {"poses": pack(poses), "lost": 1, "missing": []}
        creatures.append({"scene": describe_scene(model, 0.1), "episode": episode})
    cameras = [[camera.distance, camera.azimuth, camera.elevation, camera.fovy] for camera in CAMERAS]
    return json.dumps({"width": WIDTH, "height": HEIGHT, "creatures": creatures, "cameras": cameras})


def _pixels(text: str) -> NDArray[np.uint8]:
    return np.frombuffer(base64.b64decode(text), np.uint8).reshape(HEIGHT, WIDTH, 4)[::-1, :, :3]


if CHROMIUM:

    def test_silhouettes_and_colours_are_those_of_the_ray_caster() -> None:
        models = [
            mujoco.MjModel.from_xml_string(f"<mujoco>{ASSETS}<worldbody>{body}</worldbody></mujoco>")
            for body in MODELS.values()
        ]
        shots = json.loads(run_in_browser(_content(models), PROBE))
        seen = 0
        for name, model, of_model in zip(MODELS, models, shots, strict=True):
            for camera, (with_it, without, error) in zip(CAMERAS, of_model, strict=True):
                assert error == 0
                picture, expected = _cast(model, camera)
                found = differing(_pixels(with_it), _pixels(without))
                if expected.sum() < 50:  # a plane from below
                    assert found.sum() < 50, name
                    continue
                seen += 1
                share = (found & expected).sum() / (found | expected).sum()
                assert share >= 0.98, f"{name}: {share:.4f} from azimuth {camera.azimuth:g}"
                both = found & expected
                colours = np.abs(_pixels(with_it)[both].astype(int) - picture[both]).mean()
                print(f"{name:16} azimuth {camera.azimuth:3.0f}: {share:.4f}, colours apart by {colours:.1f}")
                assert colours < 20, f"{name}: colours apart by {colours:.1f}"
        assert seen >= 2 * len(MODELS) - 2
