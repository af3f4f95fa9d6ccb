"""The page's scripts against plain Python twins, in a JavaScript engine where one is installed."""

import json
import re
from typing import Any

import numpy as np
import pytest

from evo.envs.rendering.renderer import Camera
from evo.visualize.page.atlas import ATLAS_SCRIPTS
from evo.visualize.page.document import scripts
from evo.visualize.page.packing import pack
from tests.support.browser import NODE, run_in_node

LOGIC = ("vectors", "unpack", "solids", "playback", "camera")


def node(values: Any, probe: str) -> Any:
    """What a probe gives to `say`; it has `values`, unpacked."""
    setting = "const say = (value) => console.log(JSON.stringify(value));"
    return json.loads(run_in_node(LOGIC, f"{setting}\nconst given = await unpackAll({json.dumps(values)});\n{probe}"))


def test_no_two_scripts_declare_one_name() -> None:
    text = scripts((*ATLAS_SCRIPTS, "live"))
    names = re.findall(r"^(?:async )?(?:const|let|class|function) +(\w+)", text, re.MULTILINE)
    assert len(names) > 50 and sorted(names) == sorted(set(names))


if NODE:

    @pytest.mark.parametrize("kind", ["float32", "uint32", "uint8"])
    def test_arrays_are_unpacked_to_the_bit(kind: str) -> None:
        bytes_ = np.random.default_rng(3).integers(0, 256, 4 * 30, dtype=np.uint8)
        array = bytes_.view(kind).reshape(3, -1, 2)
        told = node({"deep": [pack(array)]}, """
            const [array] = given.deep;
            say([[...new Uint8Array(array.buffer)], array.shape]);
        """)  # fmt: skip
        assert told == [bytes_.tolist(), list(array.shape)]

    def test_a_still_picture_shows_a_recorded_state_and_a_moving_one_the_way_between_two() -> None:
        random = np.random.default_rng(4)
        poses = random.normal(size=(5, 2, 7)).astype(np.float32)
        poses[3, 1, 3:] = -poses[2, 1, 3:]  # the same rotation
        told = node({"poses": pack(poses)}, """
            const episode = given, actor = { episode, creature: { scene: { period: 0.5 } } };
            const still = [-1, 0, 0.2, 0.3, 1.0, 1.9, 9].map((moment) => stateAt(actor, moment, true));
            const moving = [0, 0.25, 1.0, 1.2, 2.0, 9].map((moment) => stateAt(actor, moment, false));
            const shown = still.map((state) => [...poseOf(episode, 1, state)]);
            say([still, shown, moving, [...poseOf(episode, 1, moving[3])], durationOf(actor)]);
        """)  # fmt: skip
        still, shown, moving, between, duration = told
        assert [state["before"] for state in still] == [0, 0, 0, 1, 2, 4, 4]
        assert all(state["share"] == 0 for state in still)
        np.testing.assert_array_equal(np.array(shown, np.float32), poses[[0, 0, 0, 1, 2, 4, 4], 1])
        assert [(state["before"], state["after"]) for state in moving] == [
            (0, 1),
            (0, 1),
            (2, 3),
            (2, 3),
            (4, 4),
            (4, 4),
        ]
        assert [state["share"] for state in moving] == pytest.approx([0, 0.5, 0, 0.4, 0, 0])
        np.testing.assert_allclose(between[:3], 0.6 * poses[2, 1, :3] + 0.4 * poses[3, 1, :3], atol=1e-6)
        np.testing.assert_allclose(between[3:], poses[2, 1, 3:], atol=1e-6)
        assert duration == 2.0

    def test_lanes_lie_across_and_fossils_by_their_share_of_the_learning() -> None:
        told = node({}, """
            const creature = (name, count, lane) =>
              ({ name, lane, episodes: [...Array(count).keys()].map((place) => ({ label: `${name}${place}` })) });
            const one = creature("a", 5, 2), other = creature("b", 1, 3), labels = (actors) =>
              actors.map(({ episode, offset }) => [episode.label, offset]);
            const all = labels(cast([one], 0, true));
            say([labels(cast([one, other], 0.5, true)), labels(cast([one], 1, false)), all.length]);
        """)  # fmt: skip
        assert told == [[["a2", [0, 1.5, 0]], ["b0", [0, -1.5, 0]]], [["a4", [0, 0, 0]]], 5]

    def test_the_clock_runs_to_the_end_rests_and_begins_again() -> None:
        moments = node(
            {},
            "let at = 0; const seen = []; for (let n = 0; n < 40; n++) seen.push(at = advance(at, 0.1, 2)); say(seen);",
        )
        assert moments[19] == pytest.approx(2.0) and max(moments) <= 2.6 + 1e-9 and 0 in moments[20:]
        assert node({}, "say(advance(0, 0.1, 0));") == 0

    @pytest.mark.parametrize("camera", [Camera((1, 2, 3), 4.0, 118.0, -19.0), Camera((0, 0, 0), 2.0, 200.0, 20.0)])
    def test_the_camera_is_the_ray_caster_s(camera: Camera) -> None:
        told = node({"target": camera.lookat, "camera": [camera.distance, camera.azimuth, camera.elevation, 45]}, """
            const camera = new OrbitCamera(given.camera);
            camera.target = given.target;
            const { eye, forward, right, up } = camera.axes;
            say([eye, forward, right, up]);
        """)  # fmt: skip
        for mine, its in zip(told, camera.axes(), strict=True):
            np.testing.assert_allclose(mine, its, atol=1e-12)

    def test_the_camera_turns_zooms_follows_and_comes_home() -> None:
        told = node({}, """
            const camera = new OrbitCamera([3, 90, -15, 40]);
            camera.follow([[0, 0, 1], [0, 4, 1]], 2);
            const first = [camera.target, camera.axes.distance];
            camera.orbit(50, -200);
            camera.zoom(1e9);
            const far = [camera.azimuth, camera.elevation, camera.zoomed];
            camera.follow([[NaN, 0, 0]], 2);
            const kept = camera.target;
            camera.follows = false;
            camera.follow([[9, 9, 9]], 2);
            const left = camera.target;
            camera.reset();
            say([first, far, kept, left, [camera.azimuth, camera.elevation, camera.zoomed, camera.follows]]);
        """)  # fmt: skip
        assert told[0] == [[0, 2, 1], pytest.approx(3 + 0.9 * 4)]
        assert told[1] == [140, -89, 20] and told[2] == told[3] == [0, 2, 1] and told[4] == [90, -15, 1, True]

    def test_rotations_are_those_of_quaternions() -> None:
        import mujoco

        for turn in np.random.default_rng(6).normal(size=(5, 4)):
            expected = np.empty(9)
            mujoco.mju_quat2Mat(expected, turn / np.linalg.norm(turn))
            told = node({"turn": turn.tolist()}, "say(rotation(...given.turn));")
            np.testing.assert_allclose(np.reshape(told, (3, 3)).T, expected.reshape(3, 3), atol=1e-12)

    VOLUMES = {
        "sphere": ([0.5, 0, 0], 4 / 3 * np.pi * 0.5**3),
        "ellipsoid": ([0.3, 0.5, 0.7], 4 / 3 * np.pi * 0.3 * 0.5 * 0.7),
        "capsule": ([0.3, 0.5, 0], 4 / 3 * np.pi * 0.3**3 + np.pi * 0.3**2 * 1.0),
        "cylinder": ([0.3, 0.5, 0], np.pi * 0.3**2 * 1.0),
        "box": ([0.3, 0.5, 0.7], 8 * 0.3 * 0.5 * 0.7),
    }

    @pytest.mark.parametrize("kind", VOLUMES)
    def test_solids_are_closed_seen_from_outside_and_of_their_volume(kind: str) -> None:
        size, volume = VOLUMES[kind]
        told = node({"kind": kind, "size": size}, """
            const { solid, scale, stretch } = formOf(given), { vertices, faces } = SOLIDS[solid]();
            say([[...vertices], [...faces], scale, stretch]);
        """)  # fmt: skip
        vertices, faces = np.reshape(told[0], (-1, 7)), np.reshape(told[1], (-1, 3))
        points = vertices[:, :3] * told[2] + np.outer(vertices[:, 6], (0, 0, told[3]))
        assert volume_of(points, faces) == pytest.approx(volume, rel=0.02)
        assert_closed(points, faces)
        flat = np.cross(points[faces[:, 1]] - points[faces[:, 0]], points[faces[:, 2]] - points[faces[:, 0]])
        assert (np.einsum("fi,fci->fc", flat, (vertices[:, 3:6] / told[2])[faces]) > -1e-9).all()

    def test_a_height_field_is_closed_and_of_its_volume() -> None:
        heights = np.random.default_rng(8).uniform(0.1, 0.5, (5, 4)).astype(np.float32)
        size = [1.5, 1.0, 0.5, 0.2]
        told = node(
            {"heights": pack(heights), "size": size},
            "const { vertices, faces } = field(given); say([[...vertices], [...faces]]);",
        )
        points, faces = np.reshape(told[0], (-1, 7))[:, :3], np.reshape(told[1], (-1, 3))
        corners = heights[:-1, :-1], heights[1:, 1:], heights[:-1, 1:], heights[1:, :-1]
        shares = (1 / 3, 1 / 3, 1 / 6, 1 / 6)  # the diagonal's ends are corners of both triangles of a cell
        mean = sum(share * corner.mean() for share, corner in zip(shares, corners, strict=True))
        assert volume_of(points, faces) == pytest.approx(4 * size[0] * size[1] * (mean + size[3]), rel=1e-5)


def volume_of(points: np.ndarray, faces: np.ndarray) -> float:
    """The volume within triangles that are seen counterclockwise from outside."""
    a, b, c = (points[faces[:, corner]] for corner in range(3))
    return float(np.einsum("fi,fi->", a, np.cross(b, c)) / 6)


def assert_closed(points: np.ndarray, faces: np.ndarray) -> None:
    """Every edge of a triangle that is no line is another's, the other way round."""
    _, same = np.unique(points.round(6), axis=0, return_inverse=True)
    corners = same.reshape(-1)[faces]
    corners = corners[[len(set(face)) == 3 for face in corners.tolist()]]
    edges = {(a, b) for face in corners.tolist() for a, b in zip(face, face[1:] + face[:1], strict=True)}
    assert len(edges) == 3 * len(corners) and {(b, a) for a, b in edges} == edges
