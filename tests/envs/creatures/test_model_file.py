"""Creatures that users bring: they walk, and whatever is wrong with their files is said in one line."""

import hashlib
import itertools
import struct
import tomllib
from pathlib import Path

import mujoco
import numpy as np
import pytest
import tomli_w
from typer.testing import CliRunner

import evo
from evo.cli import app
from evo.config.resolve import resolve_config
from evo.envs import reference
from evo.envs.creatures.model_file import complete, digest_of
from evo.envs.gymnasium_bridge.task_env import TaskEnv
from evo.envs.task import Task
from evo.errors import EvoError
from evo.evaluation.workers import Threads
from evo.problems.control import Walking
from evo.runs.champion import Champion
from evo.testing import check_task
from tests.support.forks import command

LEG = """
<body name="{name}" pos="{x} {y} 0"><joint name="{name}" axis="0 1 0" range="-0.8 0.8" limited="true" armature="0.02"/>
<geom type="capsule" fromto="0 0 0 0 0 -0.27" size="0.03"/></body>"""
LEGS = "".join(LEG.format(name=f"leg_{i}", x=x, y=y) for i, (x, y) in enumerate([(0.2, 0.1), (0.2, -0.1), (-0.2, 0)]))
MOTORS = "".join(f'<motor joint="leg_{i}" gear="15"/>' for i in range(3))
TRUNK = f'<body name="trunk" pos="0 0 0.32"><freejoint/><geom type="box" size="0.2 0.1 0.05"/>{LEGS}</body>'
ACTUATORS = f"<actuator>{MOTORS}</actuator>"
TABLE = f'<mujoco><compiler angle="radian"/><worldbody>{TRUNK}</worldbody>{ACTUATORS}</mujoco>'
BALL = '<body><freejoint/><geom size="0.1"/></body>'

EPISODES = ("evaluation.selection_episodes", "evaluation.report_episodes")
SMALL = {"method.directions": 2, "method.elite_directions": 2, **dict.fromkeys(EPISODES, 2)}

URDF = """
<robot name="bot">
  <link name="base"><inertial><mass value="3"/><inertia ixx="0.02" iyy="0.03" izz="0.04" ixy="0" ixz="0" iyz="0"/>
    </inertial><collision><geometry><box size="0.3 0.2 0.1"/></geometry></collision></link>
  <link name="leg"><inertial><origin xyz="0 0 -0.1"/><mass value="0.5"/>
    <inertia ixx="0.002" iyy="0.002" izz="0.001" ixy="0" ixz="0" iyz="0"/></inertial>
    <collision><origin xyz="0 0 -0.1"/><geometry><cylinder radius="0.02" length="0.2"/></geometry></collision></link>
  <joint name="hip" type="revolute"><parent link="base"/><child link="leg"/><origin xyz="0.12 0 -0.05"/>
    <axis xyz="0 1 0"/><limit lower="-0.8" upper="0.8" effort="{effort}" velocity="5"/></joint>
</robot>"""


def written(folder: Path, text: str, name: str = "creature.xml") -> str:
    (folder / name).write_text(text)
    return str(folder / name)


def test_a_creature_from_mjcf_is_a_task(tmp_path: Path) -> None:
    task = evo.task(written(tmp_path, TABLE))
    assert (task.name, task.action_size, task.observation_size) == ("creature.xml", 3, 5 + 3 + 9)
    assert task.model.ngeom == 5  # a floor was put under it
    assert abs(task.control_period - 0.04) < 1e-9
    check_task(task)


def test_a_creature_from_urdf_gets_a_free_root_ground_and_motors(tmp_path: Path) -> None:
    task = evo.task(written(tmp_path, URDF.format(effort=6), "bot.urdf"))
    assert (task.model.nv, task.model.nu, float(task.model.actuator_gear[0, 0])) == (7, 1, 6.0)
    # its lowest point, the leg's end, touches the ground: 0.05 + 0.2 below the base's middle
    np.testing.assert_allclose(task.model.qpos0[2], 0.25, atol=1e-6)
    check_task(task)


def test_it_runs_replays_and_walks_on_any_terrain(tmp_path: Path) -> None:
    path = written(tmp_path, TABLE)
    options = {"task.terrain": "stairs", "task.mass": [0.9, 1.1]}
    run = evo.run(path, generations=2, out=tmp_path / "run", settings=options, video=False)
    assert run.config["task.name"] == path
    assert run.champion.verify().exact
    alone = run.champion.problem_on(Threads(1)).returns(run.champion.params[None], np.array([5]))
    assert evo.load(run.path).champion.problem_on(Threads(2)).returns(run.champion.params[None], np.array([5])) == alone

    # what a version wrote that did not know these options means what was done then
    new = ("scale_actions", "keyframe", "observe_activations", "body", "joint_ranges")
    arrays = run.champion.arrays()
    about = tomllib.loads(arrays["about"].tobytes().decode())
    about["task"]["options"] = {name: value for name, value in about["task"]["options"].items() if name not in new}
    arrays["about"] = np.frombuffer(tomli_w.dumps(about).encode(), np.uint8)
    then = dict(zip(new, (False, "none", False, "heaviest", False), strict=True))
    assert Champion.from_arrays(arrays, "old").task_options == {**run.champion.task_options, **then}
    config = {key: value for key, value in run.config.values.items() if key.removeprefix("task.") not in new}
    assert {name: resolve_config(config)[f"task.{name}"] for name in new} == then
    now = {name: resolve_config({}, flags={"task.name": path, "budget.steps": 1})[f"task.{name}"] for name in new}
    assert now == {
        "scale_actions": True,
        "keyframe": "auto",
        "observe_activations": True,
        "body": "",
        "joint_ranges": True,
    }


def test_what_mujoco_says_of_a_file_is_one_line(tmp_path: Path) -> None:
    path = written(tmp_path, TABLE.replace('angle="radian"', 'angle="radian" settotalmass="5"'))
    words = ["run", path, "--generations", "1", "--no-video", "--set", "method.directions=2"]
    for option in ("method.elite_directions", "evaluation.selection_episodes", "evaluation.report_episodes"):
        words += ["--set", f"{option}=2"]
    done = command(*words, folder=tmp_path)
    assert done.returncode == 0
    lines = done.stderr.splitlines()
    assert lines
    assert all(line.startswith("evo: warning: compiler attribute 'settotalmass' is deprecated") for line in lines)


def test_a_run_never_goes_on_with_another_body(tmp_path: Path) -> None:
    path = written(tmp_path, TABLE)
    run = evo.run(path, generations=1, out=tmp_path / "run", video=False, settings=SMALL)
    written(tmp_path, TABLE.replace('gear="15"', 'gear="16"'))
    again, configured = evo.load(run.path), tmp_path / "run" / "config.toml"
    for use in (
        lambda: evo.resume(run.path, generations=2),
        lambda: again.champion.verify(),
        lambda: evo.run(config=configured, out=tmp_path / "same", video=False),
    ):
        with pytest.raises(evo.EvoError, match=r"creature\.xml: the file has changed since.*--set task\.digest=''"):
            use()
    anew = {"task.digest": ""}
    assert evo.run(config=configured, out=tmp_path / "anew", video=False, settings=anew).champion.verify().exact
    taught = evo.run(start=run.path, generations=1, out=tmp_path / "taught", video=False, settings=anew | SMALL)
    assert taught.champion.verify().exact
    written(tmp_path, TABLE)
    assert again.champion.verify().exact


def test_a_digest_tells_every_change_of_what_a_model_is_made_of(tmp_path: Path) -> None:
    parts = tmp_path / "parts"
    parts.mkdir()
    corners = "\n".join(f"v {x} {y} {z}" for x in (-1, 1) for y in (-1, 1) for z in (-1, 1))
    faces = "\n".join("f " + " ".join(f"{corner}" for corner in face) for face in ((1, 2, 3), (4, 3, 2), (5, 7, 6)))
    mesh, motors, tail = parts / "shell.obj", tmp_path / "motors.xml", parts / "tail.xml"
    mesh.write_text(f"{corners}\n{faces}\n")
    motors.write_text(f"<mujoco>{ACTUATORS}</mujoco>")
    tail.write_text('<mujoco><worldbody><body name="tail"><geom size="0.02"/></body></worldbody></mujoco>')
    assets = '<asset><mesh file="deep/shell.obj"/><model name="tail" file="parts/tail.xml"/></asset><worldbody>'
    text = TABLE.replace('angle="radian"', 'angle="radian" meshdir="parts" strippath="true"').replace(ACTUATORS, "")
    text = text.replace("<worldbody>", f'<include file="motors.xml"/>{assets}')
    whole = '<freejoint/><attach model="tail" body="tail" prefix="x"/><geom type="mesh" mesh="shell" mass="1"/>'
    path = written(tmp_path, text.replace("<freejoint/>", whole))
    seen = [digest_of(path)]
    assert digest_of(path) == seen[0]
    for file, old, new in ((mesh, "v 1 1 1", "v 1 1 1.5"), (motors, '"15"', '"9"'), (tail, "0.02", "0.03")):
        file.write_text(file.read_text().replace(old, new))
        seen.append(digest_of(path))
    assert len(set(seen)) == 4


def test_links_and_attached_models_lead_nowhere_else(tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    written(tmp_path, "<mujoco/>", "else.xml")
    written(tmp_path.parent, "<mujoco/>", "else.xml")
    (inside / "link.xml").symlink_to(tmp_path / "else.xml")
    with pytest.raises(evo.EvoError, match=r"asks for 'link\.xml', a link to outside its folder"):
        evo.task(written(inside, '<mujoco><include file="link.xml"/></mujoco>'))
    written(inside, '<mujoco><include file="../../else.xml"/></mujoco>', "part.xml")
    with pytest.raises(evo.EvoError, match=r"asks for '\.\./\.\./else\.xml', which is outside its folder"):
        evo.task(written(inside, '<mujoco><asset><model name="part" file="part.xml"/></asset></mujoco>'))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('<mujoco><include file="/etc/hostname"/></mujoco>', "asks for '/etc/hostname', which is outside its folder"),
        ('<mujoco><include file="../../else.xml"/></mujoco>', "outside its folder .* --set task.model_root=…"),
        ('<mujoco><include file="creature.xml"/></mujoco>', "it includes 'creature.xml' more than once"),
        ('<mujoco><extension><plugin plugin="mujoco.pid"/></extension></mujoco>', "plugins are not loaded"),
        ('<mujoco><include xmlns="x" file="more.xml"/></mujoco>', "uses an XML namespace"),
        ('<!DOCTYPE m [<!ENTITY a "b">]><mujoco/>', "declares a document type"),
        ('<mujoco><asset><mesh file="/etc/passwd"/></asset></mujoco>', "asks for '/etc/passwd'"),
        ('<mujoco><asset><texture type="cube" fileup="/etc/passwd"/></asset></mujoco>', "asks for '/etc/passwd'"),
        (r'<mujoco><asset><mesh file="..\..\out.obj"/></asset></mujoco>', "which is outside its folder"),
        ('<mujoco><compiler meshdir="../.."/></mujoco>', "outside its folder"),
        (TABLE.replace("<worldbody>", '<option timestep="1e-9"/><worldbody>'), "its timestep is 1e-09 s"),
        ("<mujoco><worldbody><body></worldbody></mujoco>", "mismatched tag: line 1"),
        ("<mujoco><worldbody><bodi/></worldbody></mujoco>", "bodi"),
        (TABLE.replace("<worldbody>", '<size memory="1K"/><worldbody>'), "arena memory is full"),
        (TABLE.replace(ACTUATORS, ""), "no actuators.*add an <actuator>"),
        (TABLE.replace("<freejoint/>", ""), "fixed to the world.*add a <freejoint/>"),
        (
            f'<mujoco><asset><hfield name="h" nrow="50000" ncol="50000" size="1 1 1 1"/></asset><worldbody>'
            f'<geom type="hfield" hfield="h"/>{BALL}</worldbody></mujoco>',
            "more than 10 s or 4 GB",
        ),
        (
            f'<mujoco><worldbody><replicate count="30000" offset="1 0 0">{BALL}</replicate></worldbody></mujoco>',
            "more than 10 s or 4 GB",
        ),
    ],
)
def test_a_broken_or_hostile_file_is_one_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(evo.EvoError, match=message) as caught:
        evo.task(written(tmp_path, text))
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(evo.EvoError, match=r"there is no file .*ghost\.xml"):
        evo.task(str(tmp_path / "ghost.xml"))


def cube(path: Path, half: float = 0.1) -> None:
    """A binary STL of a cube."""
    corners = np.array(list(itertools.product((-half, half), repeat=3)))
    faces = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    triangles = [each for a, b, c, d in faces for each in ((a, b, c), (a, c, d))]
    path.write_bytes(
        bytes(80)
        + struct.pack("<I", len(triangles))
        + b"".join(struct.pack("<12fH", 0, 0, 0, *corners[list(each)].ravel(), 0) for each in triangles)
    )


ROBOT = """
<robot name="rover" xmlns:xacro="http://www.ros.org/wiki/xacro">
  <link name="base"><inertial><mass value="3"/><inertia ixx="0.02" iyy="0.03" izz="{izz}" ixy="0" ixz="0" iyz="0"/>
    </inertial><visual><geometry><mesh filename="../meshes/{visual}"/></geometry></visual>
    <collision><geometry><mesh filename="../meshes/{base}"/></geometry></collision></link>
  <link name="leg"><inertial><origin xyz="0 0 -0.1"/><mass value="1"/>
    <inertia ixx="0.002" iyy="0.002" izz="0.001" ixy="0" ixz="0" iyz="0"/></inertial>
    <collision><geometry><mesh filename="package://rover_description/meshes/leg.stl"/></geometry></collision></link>
  <joint name="hip" type="revolute"><parent link="base"/><child link="leg"/><origin xyz="0.12 0 -0.05"/>
    <axis xyz="0 1 0"/><limit lower="-0.8" upper="0.8" velocity="5"/></joint>
  <gazebo><plugin name="control" filename="libcontrol.so"/></gazebo><gazebo reference="leg"/>
  {more}
</robot>"""


def package(folder: Path, xml: bool = True, **parts: str) -> str:
    """A package as people have it, its model in one folder and its meshes in the one beside."""
    for name in ("urdf", "meshes"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    if xml:
        written(folder, "<package><name>rover_description</name></package>", "package.xml")
    for mesh in ("base.stl", "leg.stl"):
        cube(folder / "meshes" / mesh)
    given = {"izz": "0.04", "visual": "gone.dae", "base": "base.stl", "more": ""} | parts
    return written(folder / "urdf", ROBOT.format(**given), "rover.urdf")


@pytest.mark.parametrize("name", ["rover_description", "renamed"])
def test_a_package_is_loaded_as_people_have_it(tmp_path: Path, name: str) -> None:
    path = package(tmp_path / name)
    with pytest.warns(UserWarning, match="rover.urdf: ") as caught:
        task = evo.task(path)
    said = {str(each.message) for each in caught}
    assert "rover.urdf: left out of it: <gazebo> (2 times), 1 visual meshes (missing)" in said
    # half the weight of 4 kg, at the far corner of the leg's cube of 0.2 m
    effort = 0.5 * 9.81 * 4 * 0.1 * 3**0.5
    assert any(
        f"as strong as holds 0.5 of the body's weight at their reach: hip {effort:.3g} N·m" in each for each in said
    )
    assert isinstance(task, Task)
    assert (task.model.nmesh, task.model.nu) == (2, 1)
    np.testing.assert_allclose(task.model.actuator_gear[0, 0], effort, rtol=1e-2)


def test_a_package_without_its_mark_and_what_it_must_not_have(tmp_path: Path) -> None:
    plain = package(tmp_path / "rover_description", xml=False)
    with pytest.warns(UserWarning, match="rover.urdf: "):
        assert evo.task(plain).outputs == 1
    for parts, message in (
        ({"base": "gone.stl"}, r"asks for '\.\./meshes/gone\.stl', which is not in the folder .*model_root"),
        ({"base": "../../../etc/passwd"}, "asks for .*, which is not in the folder"),
        ({"more": "<mujoco><plugin/></mujoco>"}, "plugins are not loaded"),
        (
            {"izz": "0.4"},
            r"body 'base': inertia must satisfy A \+ B >= C, which no real one breaks: .* by <compiler balanceinertia=",
        ),
    ):
        with pytest.raises(evo.EvoError, match=message) as caught:
            evo.task(package(tmp_path / "rover_description", **parts))
        assert "\n" not in str(caught.value)
    remedy = '<mujoco><compiler balanceinertia="true" boundmass="1e-3" boundinertia="1e-6"/></mujoco>'
    with pytest.warns(UserWarning, match="rover.urdf: "):
        assert evo.task(package(tmp_path / "rover_description", izz="0.4", more=remedy)).outputs == 1
    (tmp_path / "rover_description" / "meshes" / "base.dae").write_text("<COLLADA/>")
    (tmp_path / "rover_description" / "meshes" / "base.stl").unlink()
    with pytest.raises(
        evo.EvoError, match=r"link 'base': its collision mesh base\.dae is \.dae, and MuJoCo reads \.stl"
    ):
        evo.task(package_text(tmp_path / "rover_description", base="base.dae"))
    cube(tmp_path / "far.stl")
    (tmp_path / "rover_description" / "meshes" / "base.stl").symlink_to(tmp_path / "far.stl")
    with pytest.raises(evo.EvoError, match=r"asks for 'base\.stl', a link to outside its folder"):
        evo.task(package_text(tmp_path / "rover_description"))


def package_text(folder: Path, **parts: str) -> str:
    """The package with another text, its meshes as they are."""
    given = {"izz": "0.04", "visual": "base.stl", "base": "base.stl", "more": ""} | parts
    return written(folder / "urdf", ROBOT.format(**given), "rover.urdf")


def test_a_urdf_is_the_model_that_mujoco_makes_of_it(tmp_path: Path) -> None:
    cube(tmp_path / "box.stl")
    box = '<box size="0.3 0.2 0.1"/>'
    path = written(tmp_path, URDF.format(effort=6).replace(box, '<mesh filename="box.stl"/>'), "bot.urdf")
    spec = mujoco.MjSpec.from_file(path)  # as it was loaded before names were resolved
    complete(spec, path)
    model = spec.compile()
    whole = np.empty(mujoco.mj_sizeModel(model), np.uint8)
    mujoco.mj_saveModel(model, None, whole)
    assert digest_of(path).split()[1] in hashlib.sha256(whole.tobytes()).hexdigest()


def test_mjcf_takes_its_meshes_from_a_sibling_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inner = tmp_path / "models" / "mjcf"
    inner.mkdir(parents=True)
    (tmp_path / "models" / "meshes").mkdir()
    cube(tmp_path / "models" / "meshes" / "shell.stl")
    cube(tmp_path / "shell.stl")
    written(tmp_path / "models" / "meshes", f"<mujoco>{ACTUATORS}</mujoco>", "motors.xml")
    mesh = '<asset><mesh file="shell.stl"/></asset><worldbody>'
    text = TABLE.replace("<worldbody>", mesh).replace("<freejoint/>", '<freejoint/><geom type="mesh" mesh="shell"/>')
    text = text.replace(ACTUATORS, '<include file="../meshes/motors.xml"/>')
    assert evo.task(written(inner, text.replace("<compiler", '<compiler meshdir="../meshes"'))).outputs == 3
    far = written(inner, text.replace("<compiler", '<compiler meshdir="../.."'))
    with pytest.raises(evo.EvoError, match=r"asks for '\.\./\.\.', which is outside its folder .*task\.model_root"):
        evo.task(far)
    assert evo.task(far, model_root=str(tmp_path)).outputs == 3
    words = ["run", far, "--model-root", str(tmp_path), "-g", "1", "--no-video", "--out", str(tmp_path / "run")]
    done = CliRunner().invoke(
        app, [*words, *(word for name, value in SMALL.items() for word in ("--set", f"{name}={value}"))]
    )
    assert done.exit_code == 0, done.output
    assert evo.load(tmp_path / "run").champion.task_options["model_root"] == str(tmp_path)
    # a stranger's champion reads nothing beyond the model's own folders
    monkeypatch.setattr(reference, "_folders", set())
    for use in (evo.load(tmp_path / "run").champion.verify, lambda: evo.resume(tmp_path / "run", generations=2)):
        with pytest.raises(evo.EvoError, match=rf"model_root={tmp_path} is named by a file alone, .* --trust"):
            use()
    assert evo.load(tmp_path / "run", trust=True).champion.verify().exact
    monkeypatch.setattr(reference, "_folders", set())
    assert evo.resume(tmp_path / "run", generations=2, trust=True, video=False).metrics["generation"].size == 2
    assert evo.load(tmp_path / "run").command("replay") == f"evo replay {tmp_path / 'run'} --trust"
    with pytest.raises(evo.EvoError, match=r"model_root=.*creature\.xml is not in that folder"):
        evo.task(far, model_root=str(tmp_path / "models" / "meshes"))


def test_actions_mean_the_same_whatever_the_ranges(tmp_path: Path) -> None:
    returns = []
    for gear, most in ((8, 1), (1, 8), (0.02, 400)):
        text = TABLE.replace('gear="15"', f'gear="{gear}" ctrlrange="-{most} {most}" ctrllimited="true"')
        task = evo.task(written(tmp_path, text, f"gear{most}.xml"))
        params = np.random.default_rng(0).normal(0, 0.3, (4, evo.network("linear", task).size)).astype(np.float32)
        returns.append(Walking(task, evo.network("linear", task), Threads(1)).returns(params, np.array([1])))
    np.testing.assert_array_equal(returns[0], returns[1])  # powers of two: to the bit
    np.testing.assert_allclose(returns[0], returns[2], rtol=1e-3)
    raw = evo.task(written(tmp_path, text, "gear400.xml"), scale_actions=False)
    assert isinstance(raw, Task) and raw.action_high is not None and raw.action_high.tolist() == [400.0] * 3


SHELL, PART = '<mesh name="s" file="{}"/>', '<asset><model name="t" file="tail.xml"/></asset>'
TAIL = '<mujoco><asset>{}</asset><worldbody><body name="t"><geom type="mesh" mesh="s"/></body></worldbody></mujoco>'


@pytest.mark.parametrize(
    ("files", "message"),
    [
        # included whatever its name is
        ({"part.urdf": "<mujoco><plugin/></mujoco>", "": '<include file="part.urdf"/>'}, "it asks for a plugin"),
        # the directories of one model are not another's
        ({"tail.xml": TAIL.format(SHELL.format("../../far.stl")), "": f'<compiler meshdir="a/b"/>{PART}'}, "outside"),
        # a mesh is looked for beside the file that names it, too
        (
            {"../near.xml": f"<mujoco><asset>{SHELL.format('../far.stl')}</asset></mujoco>",
             "": '<include file="../near.xml"/>'},
            "outside its folder",
        ),
        # and so is a model, there only
        (
            {"parts/near.xml": f"<mujoco>{PART}</mujoco>", "parts/tail.xml": TAIL.format("<plugin/>"),
             "tail.xml": TAIL.format(""), "": '<include file="parts/near.xml"/>'},
            "it asks for a plugin",
        ),
        ({"": f'<compiler strippath="true"/><asset>{SHELL.format("else/link.stl")}</asset>'}, "a link to outside"),
    ],
)  # fmt: skip
def test_what_is_examined_is_what_mujoco_reads(tmp_path: Path, files: dict[str, str], message: str) -> None:
    inner = tmp_path / "models" / "mjcf"
    (inner / "parts").mkdir(parents=True)
    cube(tmp_path / "far.stl")
    (inner / "link.stl").symlink_to(tmp_path / "far.stl")
    for name, text in files.items():
        written(inner, text if name else TABLE.replace("<worldbody>", f"{text}<worldbody>"), name or "creature.xml")
    with pytest.raises(evo.EvoError, match=message):
        evo.task(str(inner / "creature.xml"))


def test_an_included_file_is_found_beside_the_one_that_includes_it(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    written(tmp_path / "parts", '<mujoco><include file="motors.xml"/></mujoco>', "all.xml")
    written(tmp_path / "parts", f"<mujoco>{ACTUATORS}</mujoco>", "motors.xml")
    assert evo.task(written(tmp_path, TABLE.replace(ACTUATORS, '<include file="parts/all.xml"/>'))).outputs == 3


def test_a_urdf_names_its_meshes_once(tmp_path: Path) -> None:
    """Whatever directories its <compiler> has, MuJoCo loads the mesh that was examined."""
    inner = tmp_path / "models" / "urdf"
    inner.mkdir(parents=True)
    cube(inner / "box.stl", 0.02)
    cube(tmp_path / "box.stl", 0.3)
    text = URDF.format(effort=6).replace('<box size="0.3 0.2 0.1"/>', '<mesh filename="box.stl"/>')
    text = text.replace("</robot>", f'<mujoco><compiler assetdir="{tmp_path}"/></mujoco></robot>')
    task = evo.task(written(inner, text, "bot.urdf"))
    assert isinstance(task, Task)
    np.testing.assert_allclose(np.ptp(task.model.mesh_vert, axis=0), 0.04, atol=1e-6)
    with pytest.raises(evo.EvoError, match="its root is <mujoco>, and that of a URDF is <robot>"):
        evo.task(written(inner, "<mujoco><link/></mujoco>", "bot.urdf"))
    (inner / "bot.xml").symlink_to(written(inner, URDF.format(effort=6), "bot.urdf"))
    linked = evo.task(str(inner / "bot.xml"))
    assert isinstance(linked, Task) and (linked.outputs, float(linked.model.qpos0[2])) == (1, pytest.approx(0.25))
    with pytest.raises(evo.EvoError, match=r"xml_file: .*bot\.urdf is a URDF; it must be MJCF here"):
        evo.task("Hopper-v5", xml_file=str(inner / "bot.urdf"))


KEY = """<keyframe><key name="fold" qpos="0 0 9 1 0 0 0 0 0 0"/>
<key name="Home" qpos="0 0 {z} 1 0 0 0 {q} {q} {q}"/></keyframe>"""


def test_a_robot_stands_where_its_keyframe_stands(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    servos = "".join(
        f'<position joint="leg_{i}" kp="60" kv="3" ctrlrange="-0.8 0.7" ctrllimited="true"/>' for i in range(3)
    )
    text = TABLE.replace(ACTUATORS, f"<actuator>{servos}</actuator>" + KEY.format(z=0.316, q=0.3))
    with caplog.at_level("INFO", logger="evo"):
        task = evo.task(written(tmp_path, text, "keyed.xml"), reset_noise_scale=0.0)
    assert isinstance(task, Task)
    assert "keyed.xml: actions are -1 to 1 of each control's range" in caplog.text
    assert "episodes begin at keyframe 'Home', which position servos hold at action 0" in caplog.text
    env = TaskEnv(task)
    env.reset(seed=0)
    for _ in range(round(1 / task.control_period)):
        _, _, terminated, _, _ = env.step(np.zeros(3))
        assert not terminated
    data = env.data
    assert data.xpos[task.root, 2] > 0.28
    np.testing.assert_allclose(data.qpos[7:], 0.3, atol=0.12)
    np.testing.assert_allclose(data.ctrl, 0.3)
    env.step(np.array([-1.0, 1.0, 0.5]))
    np.testing.assert_allclose(env.data.ctrl, [-0.8, 0.7, 0.5])
    plain = TaskEnv(evo.task(str(tmp_path / "keyed.xml"), keyframe="none", reset_noise_scale=0.0))  # type: ignore[arg-type]
    assert plain.reset(seed=0)[0][0] == pytest.approx(0.32)
    with pytest.raises(evo.EvoError, match="keyframe='sit': the model has 'fold', 'Home'"):
        evo.task(str(tmp_path / "keyed.xml"), keyframe="sit")


def test_position_servos_without_a_range_reach_over_their_joints(tmp_path: Path) -> None:
    """A keyframe more than a radian from zero is held, whether the joint is limited or not."""
    legs = TABLE.replace('range="-0.8 0.8"', 'range="-2.5 2"', 1).replace('limited="true"', 'limited="false"')
    legs = legs.replace('limited="false"', 'limited="true"', 1)  # the first alone
    servos = "".join(f'<position joint="leg_{i}" kp="60" kv="3" {more}/>' for i, more in enumerate(MORE))
    key = '<keyframe><key name="home" qpos="0 0 0.3 1 0 0 0 1.5 2 1.2"/></keyframe>'
    path = written(tmp_path, legs.replace(ACTUATORS, f"<actuator>{servos}</actuator>{key}"))
    task = evo.task(path, reset_noise_scale=0.0)
    assert isinstance(task, Task)
    assert task.model.actuator_ctrlrange.tolist() == [[-2.5 * 2, 2 * 2], [1, 3], [-1, 1]]
    env = TaskEnv(task)
    for action, target in (([0, 0, 0], [3, 2, 1]), ([-1, -1, -1], [-5, 1, -1]), ([1, 1, 1], [4, 3, 1])):
        env.reset(seed=0)
        env.step(np.array(action, float))
        np.testing.assert_allclose(env.data.ctrl, target)
    plain = evo.task(path, keyframe="none")
    assert isinstance(plain, Task) and plain.model.actuator_ctrlrange.tolist() == [[-5, 4], [-1, 1], [-1, 1]]
    then = evo.task(path, joint_ranges=False)
    assert isinstance(then, Task) and then.model.actuator_ctrlrange.tolist() == [[-1, 1]] * 3
    assert then.options["digest"] == task.options["digest"]


@pytest.mark.parametrize("limit", ["1e6", "inf"])
def test_limits_far_beyond_a_joint_are_none(limit: str, tmp_path: Path) -> None:
    legs = TABLE.replace('range="-0.8 0.8"', f'range="-{limit} {limit}"', 1)
    servos = '<actuator><position joint="leg_0" kp="60" kv="3"/></actuator>'
    task = evo.task(written(tmp_path, legs.replace(ACTUATORS, servos)))
    assert isinstance(task, Task) and task.model.actuator_ctrlrange.tolist() == [[-1, 1]]


@pytest.mark.parametrize("ends", ["nan nan", "-inf inf", "-1e300 1e300", "1 -1"])
def test_a_control_range_that_is_none_is_one_line(ends: str, tmp_path: Path) -> None:
    servos = f'<actuator><position name="hip" joint="leg_0" kp="60" ctrlrange="{ends}"/></actuator>'
    with pytest.raises(evo.EvoError, match=r"actuator 'hip' has a ctrlrange from .*: give it a finite range"):
        evo.task(written(tmp_path, TABLE.replace(ACTUATORS, servos)))


def test_a_keyframe_that_is_not_finite_is_one_line(tmp_path: Path) -> None:
    path = written(tmp_path, TABLE.replace(ACTUATORS, ACTUATORS + KEY.format(z=0.316, q="nan")))
    with pytest.raises(evo.EvoError, match=r"keyframe 'Home' has numbers that are not finite; try task\.keyframe=none"):
        evo.task(path)
    assert evo.task(path, keyframe="none").observation_size


MORE = ('gear="2"', "", 'ctrlrange="-1 1"')


def test_what_sets_a_servos_speed_holds_the_keyframe_at_zero(tmp_path: Path) -> None:
    servos = "".join(f'<intvelocity joint="leg_{i}" kp="60" kv="3" actrange="-2 2"/>' for i in range(3))
    text = TABLE.replace(ACTUATORS, f"<actuator>{servos}</actuator>" + KEY.format(z=0.316, q=0.3))
    env = TaskEnv(evo.task(written(tmp_path, text), reset_noise_scale=0.0))  # type: ignore[arg-type]
    env.reset(seed=0)
    for _ in range(5):
        env.step(np.zeros(3))
    np.testing.assert_allclose(env.data.act, 0.3)


def test_muscles_are_excited_from_nothing_to_one_and_their_activations_observed(tmp_path: Path) -> None:
    task = evo.task(written(tmp_path, TABLE.replace("<motor", "<muscle").replace('gear="15"', 'force="40"')))
    assert isinstance(task, Task)
    assert task.observation_size == 5 + 3 + 9 + 3
    env = TaskEnv(task)
    env.reset(seed=0)
    for _ in range(20):
        observation, *_ = env.step(np.array([-1.0, 0.0, 1.0]))
    np.testing.assert_allclose(observation[-3:], [0, 0.5, 1], atol=0.05)
    old = evo.task(str(tmp_path / "creature.xml"), scale_actions=False, observe_activations=False)
    assert isinstance(old, Task) and old.action_low is not None
    assert (old.observation_size, old.action_low.tolist()) == (17, [0.0] * 3)


def test_the_creature_is_what_its_actuators_move(tmp_path: Path) -> None:
    load = '<body name="load" pos="2 0 0.5"><freejoint/><geom size="0.5"/></body>'
    path = written(tmp_path, TABLE.replace("</worldbody>", f"{load}</worldbody>"))
    task, old = evo.task(path), evo.task(path, body="heaviest")
    assert isinstance(task, Task) and isinstance(old, Task) and task.root is not None and old.root is not None
    assert (task.model.body(task.root).name, task.model.body(old.root).name) == ("trunk", "load")
    assert evo.task(path, mass=2.0).record[0]["root"] == task.root  # type: ignore[union-attr]
    with pytest.raises(evo.EvoError, match="body='tail': the model has trunk, leg_0"):
        evo.task(path, body="tail")


@pytest.mark.parametrize(
    ("joint", "able"),
    [
        ('<joint name="leg_0" axis="0 1 0"/>', "cannot go along x"),
        ('<joint name="leg_0" type="slide" axis="0 1 0"/>', "cannot go along x"),
        ('<joint name="leg_0" type="slide" axis="1 0 0" range="-1 1" limited="true"/>', "can go 2 m along x at most"),
    ],
)
def test_what_cannot_go_forward_is_told_to_do_something_else(tmp_path: Path, joint: str, able: str) -> None:
    text = f"""<mujoco><worldbody>{BALL}<body name="pole" pos="0 0 1">{joint}<geom size="0.1" pos="0 0 0.3"/></body>
        </worldbody><actuator><motor joint="leg_0"/></actuator></mujoco>"""
    with pytest.raises(evo.EvoError, match=f"body 'pole', {able}, and the reward .* write its own task") as caught:
        evo.task(written(tmp_path, text))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("task", ["Hopper-v5", "Ant-v4"])
def test_the_model_file_of_an_option_is_examined_too(task: str, tmp_path: Path) -> None:
    """Gymnasium's tasks take one, and a champion's file may name it."""
    secret = tmp_path / "secret.xml"
    secret.write_text("<mujoco/>")
    (tmp_path / "sent").mkdir()
    sent = tmp_path / "sent" / "hopper.xml"
    sent.write_text(f'<mujoco><include file="{secret}"/></mujoco>')
    with pytest.raises(EvoError, match=r"xml_file: .*secret\.xml"):
        evo.task(task, xml_file=str(sent))
    with pytest.raises(EvoError, match=r"xml_file.* must be a text, got 5"):
        evo.task(task, xml_file=5)
