"""The engine under stress: errors, instability, interruption, wrong kernels, struct layouts and the kernel cache."""

import threading
from typing import Any

import mujoco
import numpy as np
import pytest

from evo.config.build import make_task
from evo.envs.engine import interruption, structs
from evo.envs.engine.compile import KernelError
from evo.envs.engine.physics import Batch, StopFlag, apply_interruptibly, mj_forward, simulate
from evo.envs.engine.random import streams
from evo.envs.engine.structs import DATA, MODEL, check_layout
from evo.envs.task import Task, record
from evo.evaluation.collector import Collector, Experience
from evo.evaluation.episode import Episodes, Evaluator
from evo.evaluation.exploration import Exploration, gaussian
from evo.evaluation.life import COMPLETED, ENGINE_ERROR, NOT_FINITE, TERMINATED, UNSTABLE, kernel_address
from evo.evaluation.workers import Threads
from evo.networks import network_from_text
from evo.numerics.advantages import FAILED, GOING_ON
from tests.support.processes import python

# Four boxes in the air need no contacts; on the floor, their constraints do not fit the arena.
SMALL_ARENA = (
    '<mujoco><size memory="40000"/><worldbody><geom type="plane" size="9 9 1"/>{}</worldbody></mujoco>'.format(
        "".join(
            f'<body pos="{place} 0 1"><freejoint/><geom type="box" size="0.1 0.1 0.1"/></body>' for place in range(4)
        )
    )
)
ONE_MOTOR = """
<mujoco>
  <worldbody><body><joint name="slide" type="slide"/><geom size="0.1"/></body></worldbody>
  <actuator><motor joint="slide" ctrllimited="true" ctrlrange="-1 1"/></actuator>
</mujoco>
"""


def begin(model: Any, data: Any, task: Any, rng: Any) -> None:
    mj_forward(model, data)


def see_one(model: Any, data: Any, task: Any, obs: Any) -> None:
    obs[0] = 1.0


def see_nothing(model: Any, data: Any, task: Any, obs: Any) -> None:
    obs[0] = np.nan


def place_boxes(model: Any, data: Any, task: Any, action: Any, out: Any) -> None:
    for box in range(4):
        data.qpos[7 * box + 2] = 1.0 - 0.95 * action[0]
    mj_forward(model, data)
    out.reward = 1.0
    out.terminated = False


def misbehave(model: Any, data: Any, task: Any, action: Any, out: Any) -> None:
    """What the action asks for: 1/4 an instability, 1/2 a NaN reward, 3/4 an infinite one, 1 the end."""
    task.steps += 1
    out.reward = 1.0
    out.terminated = False
    if task.steps == 3:
        if action[0] == 0.25:
            data.qvel[0] = 1e12
        if action[0] == 0.5:
            out.reward = np.nan
        if action[0] == 0.75:
            out.reward = np.inf
        out.terminated = action[0] == 1.0
    simulate(model, data, action, 1)


def custom(model: str, advance: Any, **given: Any) -> Task:
    compiled = mujoco.MjModel.from_xml_string(model)
    return Task("custom", compiled, begin, see_one, advance, observation_size=1, steps=5, frame_skip=1, **given)


def run(task: Task, weights: list[float], threads: int = 2) -> Episodes:
    """Linear policies whose action is their one weight, since the only observation is 1."""
    network = network_from_text("linear", task.observation_size, task.action_size)
    params = np.array(weights, np.float32)[:, None]
    return Evaluator(task, network, Threads(threads)).run(params, streams(np.arange(2)), np.zeros(1), np.ones(1))


# Failures of single individuals


@pytest.mark.parametrize("threads", [1, 2])
def test_an_engine_error_ends_only_its_own_episodes(threads: int) -> None:
    task = custom(SMALL_ARENA, place_boxes, action_low=np.zeros(1), action_high=np.ones(1))
    found = run(task, [0.0, 1.0, 0.0, 1.0, 0.0], threads)
    assert found.endings.tolist() == [[COMPLETED] * 2, [ENGINE_ERROR] * 2] * 2 + [[COMPLETED] * 2]
    assert found.returns[[0, 2, 4]].tolist() == [[5.0, 5.0]] * 3
    assert found.failed.tolist() == [[False] * 2, [True] * 2] * 2 + [[False] * 2]
    assert len(found.errors) == 1
    assert "out of memory" in found.errors[0]


def test_every_kind_of_ending_is_told_apart() -> None:
    bounds = {"action_low": np.full(1, -1.0), "action_high": np.ones(1)}
    task = custom(ONE_MOTOR, misbehave, record=record(steps=0), **bounds)
    found = run(task, [0.0, 0.25, 0.5, 0.75, 1.0, np.nan, np.inf])
    expected = [COMPLETED, UNSTABLE, NOT_FINITE, NOT_FINITE, TERMINATED, NOT_FINITE, TERMINATED]
    assert found.endings.tolist() == [[ending] * 2 for ending in expected]
    assert found.lengths[:, 0].tolist() == [5, 3, 3, 3, 3, 0, 3]
    assert found.returns[:, 0].tolist() == [5.0, 2.0, 2.0, 2.0, 3.0, 0.0, 3.0]
    assert found.errors == ()


def test_a_run_leaves_nothing_behind_for_the_next() -> None:
    task = custom(ONE_MOTOR, misbehave, record=record(steps=0))
    network = network_from_text("linear", 1, 1)
    evaluator = Evaluator(task, network, Threads(2))
    weights = np.array([[0.0], [0.25], [0.5], [0.0]], np.float32)
    begun = streams(np.arange(3))
    first, second = (evaluator.run(weights, begun, np.zeros(1), np.ones(1)) for _ in range(2))
    assert first.endings.tolist() == second.endings.tolist()
    assert first.returns.tolist() == second.returns.tolist()


def collect(task: Task, weight: float, deviation: float, calls: int, threads: int = 2) -> list[Experience]:
    network = network_from_text("linear", 1, 1)
    collector, parts = Collector(task, network, 4, 12, Threads(threads)), []
    blocks, params = collector.begin(streams(np.arange(4))), np.array([weight], np.float32)
    for call in range(calls):
        noise = Exploration(gaussian, streams(np.arange(4) + 10 * call), np.array([deviation]))
        blocks, seen = collector.collect(blocks, params, np.zeros(1), np.ones(1), noise)
        parts.append(seen)
    return parts


def test_an_engine_error_costs_an_environment_the_rest_of_one_call() -> None:
    task = custom(SMALL_ARENA, place_boxes, action_low=np.zeros(1), action_high=np.ones(1))
    first, second = collect(task, 0.5, 0.2, 2)
    failed = first.lengths < 12
    assert 0 < failed.sum() < 4
    assert first.failures == {"the engine raised an error": failed.sum()}
    assert "out of memory" in first.errors[0]
    for place in np.flatnonzero(failed):
        # what was done before is whole, and nothing stands behind it
        assert (first.rewards[place, : first.lengths[place]] == 1.0).all()
        assert not first.rewards[place, first.lengths[place] :].any()
        # the step that failed was one too many, so its action is there to see
        assert first.actions[place, first.lengths[place], 0] > 0.9
    assert (second.lengths > 0).all()
    again = collect(task, 0.5, 0.2, 2, threads=1)
    np.testing.assert_array_equal(second.actions, again[1].actions)


def test_an_unstable_environment_begins_anew() -> None:
    task = custom(ONE_MOTOR, misbehave, record=record(steps=0), action_low=np.full(1, -1.0), action_high=np.ones(1))
    (seen,) = collect(task, 0.25, 0.0, 1)
    assert seen.failures == {"the simulation became unstable": 4 * 4}
    assert (seen.lengths == 12).all()
    assert (seen.marks == [GOING_ON, GOING_ON, FAILED] * 4).all()
    assert (seen.rewards == [1.0, 1.0, 0.0] * 4).all()
    assert np.isnan(seen.returns).all()


def test_an_observation_that_is_no_number_is_left_out_of_the_statistics() -> None:
    task = custom(ONE_MOTOR, misbehave, record=record(steps=0), action_low=np.full(1, -1.0), action_high=np.ones(1))
    object.__setattr__(task, "observe", see_nothing)
    (seen,) = collect(task, 0.25, 0.0, 1)
    assert seen.failures == {"an action or a reward was not finite": 4 * 12}
    assert not seen.statistics.any()


@pytest.mark.parametrize("flag", ['<flag sleep="enable"/>'])
def test_a_model_whose_state_cannot_be_kept_is_refused(flag: str) -> None:
    task = custom(ONE_MOTOR.replace("<worldbody>", f"<option>{flag}</option><worldbody>"), misbehave)
    with pytest.raises(ValueError, match="custom has plugins or sleeping bodies"):
        Collector(task, network_from_text("linear", 1, 1), 1, 8, Threads(1))


def test_a_network_of_the_wrong_size_is_refused() -> None:
    with pytest.raises(ValueError, match="the network maps 2 to 1 numbers; custom has 1 observations and takes 1"):
        Evaluator(custom(ONE_MOTOR, misbehave, record=record(steps=0)), network_from_text("linear", 2, 1), Threads(1))


# Interruption

ENDLESS = """
import os, signal, threading
import numpy as np
from evo.envs.engine.random import streams
from evo.config.build import make_task
from evo.envs.engine.physics import Batch
from evo.evaluation.episode import Evaluator
from evo.evaluation.life import COMPLETED
from evo.evaluation.workers import Threads
from evo.networks import network_from_text

task = make_task("HalfCheetah-v5", {})
evaluator = Evaluator(task, network_from_text("linear", 17, 6), Threads(2))
evaluator.prepare()

def run(individuals, steps):
    params = np.zeros((individuals, 102), np.float32)
    return evaluator.run(params, streams(np.arange(1)), np.zeros(17), np.ones(17), steps=steps)

apply = Batch.apply
signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background is begun deaf to it

def interrupted(*arguments, **keywords):  # in the evaluation's own thread, just before the engine has it
    os.kill(os.getpid(), signal.SIGINT)
    return apply(*arguments, **keywords)

Batch.apply = interrupted
try:
    run(400, 10_000_000)  # days of it
except KeyboardInterrupt:
    print("interrupted")
Batch.apply = apply
elsewhere = []
thread = threading.Thread(target=lambda: elsewhere.append(run(4, 10)))
thread.start()
thread.join()
print((elsewhere[0].endings == COMPLETED).all())
print((run(4, 10).endings == COMPLETED).all())
"""


def test_an_interrupt_ends_an_evaluation() -> None:
    told, elsewhere, afterwards = python(ENDLESS).split()
    assert told == "interrupted"
    assert afterwards == "True"
    assert elsewhere == "True"


FORKED = """
import os
import numpy as np
from evo.envs.engine.physics import Batch
from evo.envs.engine.random import streams
from evo.config.build import make_task
from evo.evaluation.episode import Evaluator
from evo.evaluation.workers import Threads
from evo.networks import network_from_text

evaluator = Evaluator(make_task("HalfCheetah-v5", {}), network_from_text("linear", 17, 6), Threads(1))

def run():
    params = np.ones((3, 102), np.float32)
    return evaluator.run(params, streams(np.arange(1)), np.zeros(17), np.ones(17), steps=10).returns.tolist()

first = run()
read, write = os.pipe()
if not os.fork():  # the helper stays with the parent
    os.write(write, b"same" if run() == first else b"other")
    os._exit(0)
print(os.read(read, 5).decode())

def broken(*arguments, **keywords):
    raise OSError("no engine")

apply, Batch.apply = Batch.apply, broken
try:
    run()
except OSError as error:
    print(str(error).replace(" ", "-"))
Batch.apply = apply
print(run() == first)
"""


def test_a_fork_evaluates_too_and_an_error_of_the_helper_is_raised() -> None:
    assert python(FORKED).split() == ["same", "no-engine", "True"]


def test_a_signal_that_comes_before_a_brief_evaluation_is_raised_by_it() -> None:
    batch, kernel = Batch(mujoco.MjSpec().compile(), 1, 1), kernel_address(_nothing)
    interruption.request(InterruptedError())
    try:
        with pytest.raises(InterruptedError):
            apply_interruptibly(batch, kernel, 0, 1, StopFlag(), brief=True)
    finally:
        interruption.forget()
    assert apply_interruptibly(batch, kernel, 0, 1, StopFlag(), brief=True) == {}


def _nothing(model_address: int, data_address: int, simulation: int, argument: int) -> None:
    return


def test_an_evaluation_off_the_main_thread_gives_the_same() -> None:
    task = custom(ONE_MOTOR, misbehave, record=record(steps=0))
    found: list[Episodes] = []
    thread = threading.Thread(target=lambda: found.append(run(task, [0.0, 0.5, 1.0])))
    thread.start()
    thread.join()
    assert found[0].returns.tolist() == run(task, [0.0, 0.5, 1.0]).returns.tolist()


# Wrong kernels


def too_few(model: Any, data: Any) -> None: ...
def variable(model: Any, data: Any, task: Any, *rest: Any) -> None: ...
def no_such_field(model: Any, data: Any, task: Any, obs: Any) -> None:
    obs[0] = data.temperature


def no_such_option(model: Any, data: Any, task: Any, obs: Any) -> None:
    obs[0] = task.hurdel


def no_such_name(model: Any, data: Any, task: Any, obs: Any) -> None:
    obs[0] = gravity(model)  # type: ignore[name-defined]  # noqa: F821


def returns_something(model: Any, data: Any, task: Any, obs: Any) -> Any:
    return obs[0]


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (too_few, r"^too_few takes \(model, data\); it must take exactly \(model, data, task, obs\)$"),
        (variable, r"^variable takes \(model, data, task\); it must take exactly \(model, data, task, obs\)$"),
        (no_such_field, r"^no_such_field \(.*test_engine.py:\d+\) does not compile: Unknown attribute 'temperature'"),
        (no_such_option, r"^no_such_option \(.*test_engine.py:\d+\) does not compile: there is no 'hurdel' in one of"),
        (no_such_name, r"^no_such_name \(.*test_engine.py:\d+\) does not compile: .*name 'gravity' is not defined"),
        (
            returns_something,
            r"^returns_something \(.*test_engine.py:\d+\) does not compile: No conversion from float64",
        ),
        (3, r"^3 is not a function; it should be one taking \(model, data, task, obs\)$"),
    ],
)
def test_a_wrong_kernel_is_one_clear_line(function: Any, expected: str) -> None:
    model = mujoco.MjModel.from_xml_string(ONE_MOTOR)
    task = Task("wrong", model, begin, function, misbehave, 1, 5, 1, record=record(steps=0))
    with pytest.raises(KernelError, match=expected) as raised:
        task.kernels  # noqa: B018
    assert "\n" not in str(raised.value)


# Layout of MuJoCo's structs

# No two arrays that a kernel may read are empty here, so that none aliases its neighbour.
RICH = """
<mujoco>
  <option timestep="0.003" gravity="0.1 0.2 -9.5"/>
  <asset>
    <texture name="sky" type="2d" builtin="checker" width="4" height="4" rgb1="1 0 0" rgb2="0 1 0"/>
    <material name="red" texture="sky"/>
    <mesh name="wedge" vertex="0 0 0 1 0 0 0 1 0 0 0 1"/>
    <hfield name="hill" nrow="2" ncol="2" size="1 1 1 1" elevation="0 1 1 0"/>
  </asset>
  <worldbody>
    <light pos="0 0 5"/><camera name="side" pos="0 -3 1"/>
    <geom type="hfield" hfield="hill" material="red"/>
    <body name="marker" mocap="true" pos="0 0 9"><geom size="0.1" contype="0" conaffinity="0"/></body>
    <body name="upper" pos="0 0 2">
      <joint name="free" type="free"/><geom name="ball" size="0.1"/><site name="here"/>
      <body name="lower" pos="0 0 0.5">
        <joint name="hinge" range="-1 1" limited="true"/><geom type="mesh" mesh="wedge"/><site name="there"/>
      </body>
    </body>
  </worldbody>
  <contact><exclude body1="upper" body2="lower"/><pair geom1="ball" geom2="ball2"/></contact>
  <worldbody><body pos="3 0 2"><joint name="other"/><geom name="ball2" size="0.1"/></body></worldbody>
  <equality><joint joint1="hinge" joint2="other"/></equality>
  <tendon>
    <spatial name="rope"><site site="here"/><site site="there"/></spatial>
    <fixed name="sum"><joint joint="hinge" coef="1"/></fixed>
  </tendon>
  <actuator>
    <general joint="hinge" dyntype="filter" dynprm="0.1"/><motor joint="other"/><motor tendon="sum"/>
  </actuator>
  <sensor><jointpos joint="hinge"/><framepos objtype="site" objname="here"/></sensor>
  <custom><numeric name="n" data="1 2"/><text name="t" data="words"/>
    <tuple name="p"><element objtype="body" objname="upper"/></tuple></custom>
  <keyframe><key name="home" time="1"/></keyframe>
  <size nuserdata="3" nuser_body="2"/>
</mujoco>
"""


def models() -> dict[str, mujoco.MjModel]:
    bodies = {name: make_task(name, {}).model for name in ("HalfCheetah-v5", "Hopper-v5", "Walker2d-v5")}
    return bodies | {"rich": mujoco.MjModel.from_xml_string(RICH)}


@pytest.mark.parametrize("name", models())
def test_struct_fields_lie_where_declared(name: str) -> None:
    assert check_layout(models()[name]) == []


def test_the_rich_model_leaves_few_fields_empty() -> None:
    """A field that is empty in every model is checked by none; those a task could read must be filled here."""
    model = models()["rich"]
    owners = (MODEL, model), (DATA, mujoco.MjData(model))
    filled = {
        name: getattr(owner, name).ctypes.data
        for struct, owner in owners
        for name in struct.fields
        if isinstance(getattr(owner, name, None), np.ndarray) and getattr(owner, name).size
    }
    assert len(filled) > 350
    wanted = "qpos qvel act ctrl mocap_pos userdata sensordata xpos cfrc_ext ten_length body_mass key_qpos eq_active"
    assert set(wanted.split()) <= set(filled)
    assert len({filled[name] for name in wanted.split()}) == len(wanted.split())


def test_a_wrong_layout_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = structs.layout

    def swapped(struct: str) -> tuple[dict[str, int], int, int]:
        offsets, size, alignment = honest(struct)
        return offsets | {"qpos": offsets["qvel"]} if "qpos" in offsets else offsets, size, alignment

    monkeypatch.setattr(structs, "layout", swapped)
    assert check_layout(models()["rich"]) == ["mjData.qpos"]


def read_fields(model: Any, data: Any, task: Any, obs: Any) -> None:
    obs[0] = model.opt.timestep
    obs[1] = model.opt.gravity[1]
    obs[2] = model.nq * 1000 + model.nv
    obs[3] = data.time
    obs[4] = model.body_pos[3, 2]
    obs[5] = data.xpos.shape[0] * 10 + data.xpos.shape[1]
    obs[6] = data.userdata.size
    obs[7] = model.jnt_limited[1]


def test_compiled_code_reads_what_python_reads() -> None:
    model = models()["rich"]
    task = Task("reading", model, begin, read_fields, place_nothing, 8, 1, 1)
    network = network_from_text("linear", 8, model.nu)
    params = np.zeros((1, network.size), np.float32)
    found = Evaluator(task, network, Threads(1)).run(
        params, streams(np.arange(1)), np.zeros(8), np.ones(8), recording=True
    )
    assert found.trajectories is not None
    expected = [0.003, 0.2, model.nq * 1000 + model.nv, 0.0, 0.5, model.nbody * 10 + 3, 3, 1]
    assert found.trajectories.observations[0, 0].tolist() == expected


def place_nothing(model: Any, data: Any, task: Any, action: Any, out: Any) -> None:
    out.reward = 0.0
    out.terminated = True
