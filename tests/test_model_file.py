"""Creatures that users bring: they walk, and whatever is wrong with their files is said in one line."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import evo
from evo.envs.model_file import digest_of
from evo.testing import check_task

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
    alone = run.champion.problem_on(1).returns(run.champion.params[None], np.array([5]))
    assert evo.load(run.path).champion.problem_on(2).returns(run.champion.params[None], np.array([5])) == alone


def test_what_mujoco_says_of_a_file_is_one_line(tmp_path: Path) -> None:
    path = written(tmp_path, TABLE.replace('angle="radian"', 'angle="radian" settotalmass="5"'))
    words = ["run", path, "--generations", "1", "--no-video", "--set", "method.directions=2"]
    for option in ("method.elite_directions", "evaluation.selection_episodes", "evaluation.report_episodes"):
        words += ["--set", f"{option}=2"]
    done = subprocess.run([sys.executable, "-m", "evo", *words], cwd=tmp_path, capture_output=True, text=True)
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
    (inside / "link.xml").symlink_to(tmp_path / "else.xml")
    with pytest.raises(evo.EvoError, match=r"asks for 'link\.xml', a link to outside its folder"):
        evo.task(written(inside, '<mujoco><include file="link.xml"/></mujoco>'))
    written(inside, '<mujoco><include file="../else.xml"/></mujoco>', "part.xml")
    with pytest.raises(evo.EvoError, match=r"asks for '\.\./else\.xml', which is outside its folder"):
        evo.task(written(inside, '<mujoco><asset><model name="part" file="part.xml"/></asset></mujoco>'))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('<mujoco><include file="/etc/hostname"/></mujoco>', "asks for '/etc/hostname', which is outside its folder"),
        ('<mujoco><include file="../else.xml"/></mujoco>', "outside its folder"),
        ('<mujoco><include file="creature.xml"/></mujoco>', "it includes 'creature.xml' more than once"),
        ('<mujoco><extension><plugin plugin="mujoco.pid"/></extension></mujoco>', "plugins are not loaded"),
        ('<mujoco><include xmlns="x" file="more.xml"/></mujoco>', "uses an XML namespace"),
        ('<!DOCTYPE m [<!ENTITY a "b">]><mujoco/>', "declares a document type"),
        ('<mujoco><asset><mesh file="/etc/passwd"/></asset></mujoco>', "asks for '/etc/passwd'"),
        ('<mujoco><asset><texture type="cube" fileup="/etc/passwd"/></asset></mujoco>', "asks for '/etc/passwd'"),
        (r'<mujoco><asset><mesh file="..\out.obj"/></asset></mujoco>', "which is outside its folder"),
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


def test_a_urdf_without_effort_and_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(evo.EvoError, match="joint 'hip' has no effort limit"):
        evo.task(written(tmp_path, URDF.format(effort=0), "bot.urdf"))
    with pytest.raises(evo.EvoError, match=r"there is no file .*ghost\.xml"):
        evo.task(str(tmp_path / "ghost.xml"))
