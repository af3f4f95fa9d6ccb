"""The front of a run: the same to the bit however it is run, its individuals champions, damage told in a line."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import evo
from evo.cli import app
from evo.runs.front import RunFront
from tests.support.forks import command

SETTINGS = {"method.population_size": 12}


def run(out: Path, task: str = "point-mass", **more: Any) -> evo.Run:
    options: dict[str, Any] = {"method": "nsga-ii", "generations": 5, "video": False, "settings": SETTINGS, **more}
    if task == "point-mass":
        options["network"] = "linear"
    return evo.run(task, out=out, **options)


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> evo.Run:
    return run(tmp_path_factory.mktemp("front") / "run", threads=1)


@pytest.fixture(scope="module")
def zdt(tmp_path_factory: pytest.TempPathFactory) -> evo.Run:
    return run(tmp_path_factory.mktemp("front") / "run", "zdt1", dim=4)


def test_it_is_the_same_on_any_number_of_threads_and_after_a_resume(walked: evo.Run, tmp_path: Path) -> None:
    run(tmp_path / "two", threads=2)
    run(tmp_path / "resumed", generations=2)
    evo.resume(tmp_path / "resumed", generations=5, video=False)
    whole = walked.front_path.read_bytes()
    assert (tmp_path / "two" / "front.npz").read_bytes() == whole
    assert (tmp_path / "resumed" / "front.npz").read_bytes() == whole


def test_a_front_that_was_not_finished_is_made_by_a_resume(walked: evo.Run, tmp_path: Path) -> None:
    shutil.copytree(walked.path, tmp_path / "run")
    (tmp_path / "run" / "front.npz").unlink()
    again = evo.resume(tmp_path / "run", video=False)
    assert again.front_path.read_bytes() == walked.front_path.read_bytes()


def test_an_individual_of_the_front_is_a_champion_that_reproduces_its_score(walked: evo.Run, zdt: evo.Run) -> None:
    for one in (walked, zdt):
        front = one.front
        for place in (0, len(front) - 1):
            champion = one.solution(place)
            assert champion.verify().exact and champion.score == front.returns[place].mean()


def test_a_front_is_shared_with_its_run(zdt: evo.Run, tmp_path: Path) -> None:
    bundle = str(tmp_path / "run.evo.zip")
    for words in (["export", str(zdt.path), bundle], ["import", bundle, "--out", str(tmp_path / "theirs")]):
        answer = CliRunner().invoke(app, words)
        assert answer.exit_code == 0, answer.output
    assert evo.load(tmp_path / "theirs").front_path.read_bytes() == zdt.front_path.read_bytes()


def test_metrics_say_what_the_front_is(walked: evo.Run, zdt: evo.Run) -> None:
    for one in (walked, zdt):
        front, metrics = one.front, one.metrics
        assert metrics["front"][-1] == len(front) > 1 and metrics["hypervolume"][-1] == front.hypervolume
        for name, values in zip(front.names, front.objectives.T, strict=True):
            assert metrics[f"best_{name}"][-1] == values.max()
        assert (np.diff(front.objectives[:, 0]) < 0).all()
        assert (one.path / "plots" / "front.png").stat().st_size > 5_000
    assert walked.front.names == ("fitness", "x") and zdt.front.names == ("f1", "f2")


def test_held_out_values_of_a_function_are_the_same_and_of_a_world_means(walked: evo.Run, zdt: evo.Run) -> None:
    np.testing.assert_array_equal(zdt.front.objectives, zdt.front.corrected_objectives)
    assert zdt.front.corrected_hypervolume == zdt.front.hypervolume
    front = walked.front
    np.testing.assert_allclose(front.corrected_objectives[:, 0], front.returns.mean(axis=1), rtol=1e-14)


def test_the_champion_of_a_function_is_the_best_mean_ever_and_of_a_world_one_of_the_front(
    walked: evo.Run, zdt: evo.Run
) -> None:
    assert zdt.champion.score >= zdt.front.objectives.mean(axis=1).max() - 1e-12
    assert walked.champion.report_returns is not None


def test_objectives_of_your_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "two_hills.py").write_text(
        "import evo\n\n\ndef hills(x) -> evo.Outcome:\n"
        "    near, far = -float((x - 0.5) @ (x - 0.5)), -float((x + 0.5) @ (x + 0.5))\n"
        "    return evo.Outcome(near + far, objectives=[near, far])\n\n\n"
        "def flat(x) -> evo.Outcome:\n    return evo.Outcome(0.0, objectives=[float('nan'), 1.0])\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    found = run(tmp_path / "run", "two_hills:hills", dim=2, generations=20)
    assert found.front.names == ("objective_1", "objective_2")
    assert (np.abs(found.front.params) <= 1).all()  # low and high are bounds
    assert found.front.hypervolume > found.metrics["hypervolume"][0]
    with pytest.raises(evo.EvoError, match="its objectives are no row of finite numbers") as error:
        run(tmp_path / "flat", "two_hills:flat", dim=2)
    assert "\n" not in str(error.value)


def test_a_place_of_the_front_is_replayed(zdt: evo.Run, tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["replay", str(zdt.path), "--front", "1", "--out", str(tmp_path / "one.png")])
    assert done.exit_code == 0, done.output
    assert (tmp_path / "one.png").exists() and "reproduces its score exactly" in done.output


@pytest.mark.parametrize("place", [-1, 99, True])
def test_a_place_that_is_none_is_told_in_one_line(zdt: evo.Run, place: int) -> None:
    with pytest.raises(evo.EvoError, match=r"must be a place in the front of \d+, from 0 to") as error:
        zdt.solution(place)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("task", "options", "said"),
    [
        ("sphere", {"dim": 2}, "searches by objectives, and this task has none"),
        ("cartpole", {}, "must be two or more, and this task has one only: take cma-es"),
        ("point-mass", {"settings": {"method.objectives": "fitness"}}, "must be two or more; there are fitness, x, y"),
        ("point-mass", {"settings": {"method.objectives": "fitness,z"}}, "and 'z' is none"),
    ],
)
def test_what_has_no_several_objectives_says_so(tmp_path: Path, task: str, options: dict[str, Any], said: str) -> None:
    with pytest.raises(evo.EvoError, match=said) as error:
        run(tmp_path / "run", task, **options)
    assert "\n" not in str(error.value)


def test_what_has_no_front_says_so(tmp_path: Path, zdt: evo.Run) -> None:
    plain = evo.run("sphere", dim=2, method="ga", generations=2, video=False, out=tmp_path / "plain")
    with pytest.raises(evo.EvoError, match="holds no front: its method searches for none"):
        _ = plain.front
    with pytest.raises(evo.EvoError, match="a champion file has no front"):
        evo.replay(zdt.path / "champion.npz", tmp_path / "out.png", front=1)
    with pytest.raises(evo.EvoError, match="leave out evolution"):
        evo.replay(zdt, tmp_path / "out.png", front=1, evolution=True)
    with pytest.raises(evo.EvoError, match="give cell or front, not both"):
        evo.replay(zdt, tmp_path / "out.png", front=1, cell="1")


@pytest.mark.parametrize("name", ["params", "objectives", "returns", "reference", "names"])
def test_a_damaged_front_is_refused_in_one_line(zdt: evo.Run, tmp_path: Path, name: str) -> None:
    with np.load(zdt.front_path) as whole:
        arrays = dict(whole)
    for change in ("missing", "cut"):
        changed = {key: array for key, array in arrays.items() if key != name or change == "cut"}
        if change == "cut":
            changed[name] = arrays[name][:1]
        np.savez(tmp_path / "front.npz", **changed)
        with pytest.raises(evo.EvoError, match="is no front that evo wrote, or a damaged one"):
            RunFront.load(tmp_path / "front.npz")


def test_a_table_has_a_row_for_each_individual(zdt: evo.Run) -> None:
    frame = zdt.front.to_pandas()
    assert list(frame["f1"]) == zdt.front.objectives[:, 0].tolist() and len(frame) == len(zdt.front)


def test_the_command_says_where_the_picture_of_the_front_is(tmp_path: Path) -> None:
    words = ["run", "zdt1", "--dim", "4", "--method", "nsga-ii", "--generations", "3", "--out", "mine", "--no-video"]
    said = command(*words, folder=tmp_path)
    assert said.returncode == 0, said.stderr
    assert "\nfront   mine/plots/front.png\n" in said.stdout and (tmp_path / "mine/plots/front.png").exists()
