"""A user's mistake is one clear line, exit status 2, no traceback, nothing lost."""

import os
import pickle
import resource
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

import evo
from evo import cli
from evo.errors import EvoError
from tests.support.places import REFERENCE as REFERENCES

REFERENCE = str(REFERENCES / "quadruped")
SMALL = {"evaluation.selection_episodes": 2, "evaluation.report_episodes": 2}


def fails(words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    """The one line that these words of the command line get."""
    monkeypatch.setattr(sys, "argv", ["evo", *words])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    error = capsys.readouterr().err
    assert "Traceback" not in error
    return error


MISTAKES = [
    (["run", "HalfCheeta-v5"], "HalfCheetah-v5"),
    (["run", "quadrupd"], "quadruped"),
    (["run"], "no task given"),
    (["run", "nowhere:task"], "nowhere"),
    (["run", "evo.envs.analytic.cartpole:nothing"], "nothing"),
    (["run", "math:sqrt"], "math:sqrt"),
    (["run", "subprocess:Popen"], "-> Task"),
    (["run", ".foo:bar"], ".foo"),
    (["run", "cartpole", "--method", "os:getcwd", "--steps", "5"], "getcwd"),
    (["run", "cartpole", "--set", "evaluation.selection_episodes=2000000"], "at most"),
    (["run", "cartpole", "--set", "evaluation.selection_share=0"], "at least"),
    (["run", "quadruped", "--set", "task.timestep=5"], "control steps"),
    (["run", "quadruped", "--set", "task.timestep=1e-320"], "control steps"),
    (["run", "Hopper-v5", "--set", "training.exclude_current_positions_from_observation=false"], "training.*"),
    (["replay", REFERENCE, "--seed", "-1"], "seed"),
    (["replay", REFERENCE, "--seconds", "-1"], "seconds"),
    (["view", REFERENCE, "--out", "film.mp4"], "a page is written to a file .html; got 'film.mp4'"),
    (["view", REFERENCE, "--seconds", "nan"], "seconds must be more than 0"),
    (["view", REFERENCE, "--seed", "-1"], "seed must be at least 0"),
    (["view", REFERENCE, "--fossils", "-1"], "fossils must lie between 0 and 1,000, got -1"),
    (["view", "runs/missing"], "missing"),
    (["view", REFERENCE, REFERENCE, "--mujoco"], "MuJoCo's viewer shows one run and writes no file"),
    (["view", REFERENCE, "--mujoco", "--out", "x.html"], "shows one run and writes no file"),
    (["watch", "runs/missing"], "missing"),
    (["watch", REFERENCE, "--port", "99999"], "port must lie between 0 and 65,535, got 99999"),
    (["watch", REFERENCE, "--seconds", "0"], "seconds must be more than 0"),
    (["plot", REFERENCE, "--kind", "gate"], "there is no kind of plot 'gate'; did you mean 'gait'?"),
    (["plot", REFERENCE, "--out", "plot.bmp"], "cannot draw 'plot.bmp': the suffix must be .png, .svg or .pdf"),
    (["plot", REFERENCE, "--kind", "species,gait"], "species is a picture by itself"),
    (["plot", REFERENCE, "--kind", "network", "--terminal"], "network is no picture for a terminal"),
    (["plot", REFERENCE, "--kind", "archive", "--out", "x.png"], "holds no archive"),
    (["plot", str(REFERENCES / "digits"), "--kind", "gait"], "digits is a data set"),
    (["plot", str(REFERENCES / "cartpole"), "--kind", "gait"], "has no feet to draw a gait of"),
    (["plot", REFERENCE, "--seconds", "nan"], "seconds must be more than 0"),
    (["plot", "runs/missing"], "missing"),
    (["resume", REFERENCE], "finished"),
    (["bench", "--task", "cartpole"], "no open-loop limit"),
    (["bench", "--task", "InvertedPendulum-v5"], "end early"),
    (["bench", "--stability", "--task", "pointmass"], "no motors"),
    (["bench", "--seeds", "119-100"], "upwards"),
    (["bench", "--tasks-learned", "--tasks", "Hoper-v5"], "Hopper-v5"),
    (["bench", "--tasks-learned", "--tasks", "digits"], "no world"),
    (["bench", "--tasks-learned", "--methods", "arz"], "did you mean 'ars'"),
    (["bench", "--tasks-learned", "--seeds", "100-104"], "a number of seeds"),
    (["bench", "--tasks-learned", "--seeds", "0"], "seeds must be"),
    (["bench", "--tasks-learned", "--print"], "no record at runs/record yet"),
    (["bench", "--tasks-learned", "--network", "linear"], "presets"),
    (["bench", "--tasks-learned", "--exact"], "one measurement at a time"),
    (["bench", "--tasks-learned", "--out", "/proc/evo-record"], "/proc/evo-record"),
    (["bench", "--print"], "--print goes with --tasks-learned"),
    (["run", "cartpole", "--method", "arz"], "did you mean 'ars'"),
    (["run", "cartpole", "--network", "mpl:64"], "unknown network 'mpl:64'; did you mean 'mlp'?"),
    (["run", "cartpole", "--network", "MLP:8"], "did you mean 'mlp'?"),
    (["run", "cartpole", "--network", "dense:4>lstmm:4"], "unknown network 'lstmm:4' in 'dense:4>lstmm:4'; did you"),
    (["run", "cartpole", "--network", "q:4"], "one of linear, mlp, "),
    (["run", REFERENCE], "is a run, not a task: `evo resume"),
    (["run", "cartpole", "--network", "mlp:0"], "mlp"),
    (["run", "cartpole", "--network", "mlp:8:tahn"], "tahn"),
    (["run", "cartpole", "--network", "linear:3"], "linear"),
    (["run", "cartpole", "--set", "method.learning_rat=1"], "method.learning_rate"),
    (["run", "cartpole", "--set", "method.learning_rate=-1"], "learning_rate"),
    (["run", "cartpole", "--set", "method.learning_rate=fast"], "a number"),
    (["run", "cartpole", "--set", "method.directions=2.5"], "a whole number"),
    (["run", "cartpole", "--method", "ga", "--set", "method.select=tournement"], "did you mean 'tournament'"),
    (["run", "cartpole", "--method", "ga", "--set", "method.cross=pmx"], "cross: pmx does not suit real genomes"),
    (["run", "cartpole", "--method", "ga", "--set", "method.mutate=3"], "method.mutate must be a text, got 3"),
    (["run", "cartpole", "--method", "ga", "--set", "method.genome=bits"], "method.genome: unknown kind 'bits'"),
    (["run", "cartpole", "--method", "islands", "--set", "method.algorithm=ars"], "one of crowding, diff"),
    (["run", "cartpole", "--method", "islands", "--set", "method.algorithm=ga:elites=400"], "elites=400"),
    (["run", "cartpole", "--method", "cma-es", "--set", "method.low=1", "--set", "method.high=0"], "low must be below"),
    (["run", "cartpole", "--set", "network.normalise=1"], "true or false"),
    (["run", "cartpole", "--set", "learning_rate"], "key=value"),
    (["run", "cartpole", "--seed", "-1"], "seed must be at least 0"),
    (["run", "cartpole", "--steps", "-5"], "budget.steps"),
    (["run", "cartpole", "--minutes", "nan"], "budget.minutes"),
    (["run", "cartpole", "--threads", "0"], "threads"),
    (["run", "HalfCheetah-v5", "--set", "task.frame_skip=0"], "frame_skip"),
    (["run", "HalfCheetah-v5", "--set", "task.xml_file=missing.xml"], "missing.xml"),
    (["run", "Hopper-v5", "--set", "task.healthy_z_range=[1.0]"], "2 numbers"),
    (["run", "Hopper-v5", "--set", "task.healthy_z_range=[2.0, 1.0]"], "healthy_z_range"),
    (["run", "cartpole", "--config", "missing.toml"], "missing.toml"),
    (["resume", "runs/missing"], "missing"),
    (["replay", "runs/missing"], "missing"),
    (["replay", "missing.npz"], "missing"),
    (["run", "rastrign"], "rastrigin"),
    (["run", "rastrigin", "--network", "linear"], "takes no network"),
    (["run", "rastrigin", "--set", "training.dim=3"], "takes no training.dim"),
    (["run", "rastrigin", "--method", "ppo"], "needs a world, and this task is not one"),
    (["run", "rastrigin", "--method", "persistent-es"], "needs a world, and this task is not one"),
    (["run", "cartpole", "--method", "persistent-es", "--set", "method.sigma=0"], "sigma"),
    (["run", "rastrigin", "--dim", "0"], "dim"),
    (["compare", "rastrigin", "--methods", "bfgs", "--network", "linear"], "no network"),
    (["run", "quadruped", "--dim", "3"], "no task.dim"),
    (["run", "quadruped", "--method", "ars", "--measures", "x,y"], "measures (--measures) span a map"),
    (["run", "bbob-f15", "--dim", "7"], "2, 3, 5, 10, 20, 40"),
    (["run", "bbob-f25"], "bbob-f25"),
    (["run", "rastrigin", "--method", "bfgs", "--set", "method.restarts=-1"], "restarts"),
    (["doctor", "runs/missing"], "missing"),
    (["doctor", str(Path(REFERENCE) / "champion.npz")], "is a file, not a run"),
    (["run", "cartpole", "--out", "/proc/evo-run"], "/proc/evo-run"),
    (["bench", "--task", "Hoper-v5"], "Hopper-v5"),
]


@pytest.mark.parametrize(("words", "expected"), MISTAKES, ids=[" ".join(words) for words, _ in MISTAKES])
def test_a_mistake_gets_one_line_naming_the_right_value(
    words: list[str], expected: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    error = fails(words, monkeypatch, capsys)
    assert expected in error
    assert error.count("\n") == 1, error
    assert not (tmp_path / "runs").exists()  # nothing was begun


MINE = """
from evo.networks import Layer

class Gain(Layer):
    text = "mine:Gain()"

def fitness(x) -> float:
    return 0.0
"""
OWN_MISTAKES = [
    (["run", "mine"], "mine.py is a module: name what you mean in it, as in mine:NAME"),
    (["run", "mine.py"], "mine.py is a module: name what you mean in it, as in mine:NAME"),
    (["run", "a" * 300], "unknown task"),  # longer than a file's name may be
    (["run", "mine:fitnes"], "module 'mine' has no attribute 'fitnes'; did you mean mine:fitness?"),
    (["run", "mein:fitness"], "No module named 'mein', neither in the working directory nor on Python's path"),
    (["run", "sphere", "--method", "mine"], "mine.py is a module"),
    (
        ["run", "sphere", "--method", "mine:fitness", "--generations", "2"],
        "method.name mine:fitness is no method: name a",
    ),
    (["compare", "sphere", "--methods", "ars,mine"], "mine.py is a module"),
    (["config", "mine:fitnes"], "did you mean mine:fitness?"),
    (["run", "cartpole", "--network", "mine"], "mine.py is a module"),
    (["run", "cartpole", "--network", "mine:Gain"], "is written with parentheses, as in mine:Gain()"),
    (["run", "cartpole", "--network", "mine:Gian()"], "mine:Gian: module 'mine' has no attribute 'Gian'; did you mean"),
]


@pytest.mark.parametrize(("words", "expected"), OWN_MISTAKES, ids=[" ".join(words) for words, _ in OWN_MISTAKES])
def test_a_mistake_with_a_name_of_ones_own(
    words: list[str], expected: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "mine.py").write_text(MINE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "mine", raising=False)
    error = fails(words, monkeypatch, capsys)
    assert expected in error
    assert error.count("\n") == 1, error
    assert not (tmp_path / "runs").exists()


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("finished") / "run"
    evo.run("cartpole", generations=2, out=path, video=False, settings=SMALL)
    return path


def forged(path: Path, trap: Path) -> None:
    """A champion file whose parameters are a pickle that would touch `trap` when loaded."""

    class Bomb:
        def __reduce__(self) -> tuple[object, tuple[object, ...]]:
            return (Path.touch, (trap,))

    array = np.empty(1, object)
    array[0] = Bomb()
    with zipfile.ZipFile(path, "w") as archive, archive.open("params.npy", "w") as member:
        np.lib.format.write_array(member, array, allow_pickle=True)
    pickle.dumps(Bomb())


def test_damaged_champions_are_refused(finished: Path, tmp_path: Path) -> None:
    whole = (finished / "champion.npz").read_bytes()
    target, trap = tmp_path / "champion.npz", tmp_path / "trap"
    for text in (b"", whole[: len(whole) // 2], b"not a zip", pickle.dumps({"params": 1})):
        target.write_bytes(text)
        with pytest.raises(EvoError, match=r"champion\.npz"):
            evo.Champion.load(target)
    forged(target, trap)
    with pytest.raises(EvoError, match=r"champion\.npz"):
        evo.Champion.load(target)
    assert not trap.exists()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("params.npy", "w") as member:
        np.lib.format.write_array_header_1_0(member, {"descr": "<f4", "fortran_order": False, "shape": (1025 * 2**18,)})
        for _ in range(1025):
            member.write(bytes(2**20))
    with pytest.raises(EvoError, match=r"champion\.npz"):
        evo.Champion.load(target)


def test_a_champion_of_another_shape_is_refused(finished: Path, tmp_path: Path) -> None:
    from evo.storage.files import read_arrays, write_arrays

    arrays = read_arrays(finished / "champion.npz")
    for name, wrong in (("params", arrays["params"][:-1]), ("params", arrays["params"].astype(np.float64))):
        write_arrays(tmp_path / "champion.npz", {**arrays, name: wrong})
        with pytest.raises(EvoError, match=r"champion"):
            evo.Champion.load(tmp_path / "champion.npz").verify()
    write_arrays(tmp_path / "champion.npz", {name: array for name, array in arrays.items() if name != "about"})
    with pytest.raises(EvoError, match="not a champion"):
        evo.Champion.load(tmp_path / "champion.npz")


def test_the_newest_whole_checkpoint_is_used(tmp_path: Path) -> None:
    from evo.storage.files import read_arrays, write_arrays

    whole, hurt = tmp_path / "whole", tmp_path / "hurt"
    evo.run("cartpole", generations=8, out=whole, video=False, settings=SMALL)
    evo.run("cartpole", generations=4, out=hurt, video=False, settings=SMALL)
    first = max((hurt / "checkpoints").iterdir())
    arrays = read_arrays(first / "state.npz")
    # a later checkpoint, damaged: as a power cut may leave it
    later = first.with_name(str(int(first.name) + 1).zfill(len(first.name)))
    later.mkdir()
    write_arrays(later / "state.npz", arrays)
    (later / "done").touch()
    text = (later / "state.npz").read_bytes()
    (later / "state.npz").write_bytes(text[: len(text) // 2])
    evo.resume(hurt, generations=8, video=False)
    for column in ("best", "mean", "steps"):
        np.testing.assert_array_equal(evo.load(whole).metrics[column], evo.load(hurt).metrics[column])


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("learner/best_fitness", np.array(0.0)),  # of a best that it does not keep: there are no parameters to it
        ("learner/statistics/mean", np.zeros(4, np.float32)),
        ("last/params", np.zeros(3, np.float32)),
        ("champion/params", np.zeros(5)),
        ("progress", np.full(6, np.inf)),
        ("progress", np.full(6, -1.0)),
        ("learner/steps", np.array(-1)),
        ("learner/algorithm/generation", np.array(-1)),
        ("learner/algorithm/generation", np.array(2**63 - 1)),
    ],
)
def test_a_checkpoint_that_does_not_fit_is_one_line(
    name: str, array: np.ndarray, tmp_path: Path, finished: Path
) -> None:
    from evo.storage.files import read_arrays, write_arrays

    run = tmp_path / "run"
    shutil.copytree(finished, run)
    for checkpoint in (run / "checkpoints").iterdir():
        arrays = read_arrays(checkpoint / "state.npz")
        assert name in arrays
        write_arrays(checkpoint / "state.npz", arrays | {name: array})
    with pytest.raises(EvoError, match=r"the checkpoint of .*run does not fit its config\.toml"):
        evo.resume(run, generations=4, video=False)


def test_a_checkpoint_that_proposes_nothing_is_one_line(tmp_path: Path) -> None:
    from evo.storage.files import read_arrays, write_arrays

    run = evo.run("sphere", method="ga", dim=3, generations=2, out=tmp_path / "run", video=False, settings=SMALL)
    for checkpoint in (run.path / "checkpoints").iterdir():
        arrays = read_arrays(checkpoint / "state.npz")
        unknown = np.full_like(arrays["learner/algorithm/fitness"], np.nan)
        write_arrays(checkpoint / "state.npz", arrays | {"learner/algorithm/fitness": unknown})
    with pytest.raises(EvoError, match=r"the checkpoint of .*run does not fit its config\.toml.*must be finite"):
        evo.resume(run, generations=4, video=False)


def test_a_full_disk_is_one_line_and_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "run"
    evo.run(
        "cartpole", method="ga", generations=2, out=path, video=False, settings={**SMALL, "network.layers": "mlp:64"}
    )
    before = {file: file.read_bytes() for file in (path / "checkpoints").rglob("state.npz")}

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))

    full = subprocess.run(
        [sys.executable, "-m", "evo", "resume", str(path), "--generations", "4", "--no-video", "--quiet"],
        capture_output=True,
        text=True,
        preexec_fn=limit,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert full.returncode == 2, full.stderr
    assert "Traceback" not in full.stderr
    assert full.stderr.count("\n") == 1, full.stderr
    assert all(file.read_bytes() == text for file, text in before.items() if file.exists())
    evo.resume(path, generations=4, video=False)
    assert evo.load(path).metrics["generation"][-1] == 4


def test_a_live_run_is_not_written_by_another(tmp_path: Path) -> None:
    path = tmp_path / "run"
    words = ["run", "HalfCheetah-v5", "--out", str(path), "--generations", "1000", "--no-video"]
    live = subprocess.Popen([sys.executable, "-m", "evo", *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while not (path / "champion.npz").exists():
            assert live.poll() is None
        with pytest.raises(EvoError, match=str(live.pid)):
            evo.resume(path, video=False)
    finally:
        live.kill()
        live.wait()


def test_library_mistakes_say_what_is_wrong() -> None:
    with pytest.raises(EvoError, match="parameters"):
        evo.evaluate("cartpole", "linear", np.zeros((3, 99), np.float32))
    with pytest.raises(EvoError, match="parameters"):
        evo.rollout("cartpole", "linear", np.zeros(99, np.float32))
    with pytest.raises(EvoError, match="unknown task"):
        evo.task("nothing-like-it")
    with pytest.raises(EvoError, match="frame_skips"):
        evo.task("HalfCheetah-v5", frame_skips=3)
