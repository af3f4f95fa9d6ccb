"""Several episodes in one film: tiles, races and crowds."""

import re
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import imageio_ffmpeg
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from typer.testing import CliRunner

import evo
from evo.cli import app
from evo.errors import EvoError
from evo.numerics.randomness import episode_seeds, report_seeds
from evo.problems.problem import evaluate_alone
from evo.runs.crowd import individuals_of
from evo.runs.tiles import Tile, TiledFilm, common_seed, forward_coordinate, layout_of
from tests.support.places import REFERENCE

CARTPOLE, MASS = REFERENCE / "cartpole", REFERENCE / "point-mass"
SMALL: dict[str, Any] = {"width": 320, "height": 180, "seconds": 0.3, "threads": 2}


def tile(name: str, champion: evo.Champion, seed: int = 0) -> Tile:
    return Tile(champion.task, champion.rollout(seed), name, "", "#0072b2")


@given(count=st.integers(2, 64), width=st.integers(16, 4096), height=st.integers(16, 4096))
def test_tiles_fit_into_the_film_and_can_be_read(count: int, width: int, height: int) -> None:
    try:
        layout = layout_of(count, width, height)
    except EvoError as error:
        assert re.fullmatch(rf"{count} tiles in a film of {width} by {height} pixels would be .*", str(error))
        return
    rows = -(-count // layout.columns)
    assert layout.width >= 96 and layout.height >= 64
    assert layout.columns * (layout.width + 4) - 4 <= width
    assert rows * (layout.height + 4) - 4 <= height
    assert (rows - 1) * layout.columns < count


def test_a_crowd_of_sixteen_is_four_by_four_and_two_stand_side_by_side() -> None:
    assert layout_of(16, 1920, 1080).columns == 4
    assert layout_of(16, 1080, 1080).columns == 4
    assert layout_of(2, 1920, 1080).columns == 2
    assert layout_of(2, 1080, 1920).columns == 1


def test_the_episode_filmed_is_near_everyones_median() -> None:
    def racer(*returns: float) -> Any:
        return SimpleNamespace(report_returns=np.array(returns))

    alone, other = racer(9, 1, 5, 3, 7), racer(5, 2, 1, 3, 4)
    assert common_seed([alone]) == report_seeds(5)[2]
    # the first one's median is the other one's worst; the fourth is second of one and third of the other
    assert common_seed([alone, other]) == report_seeds(5)[3]
    unreported: Any = SimpleNamespace(report_returns=None)
    assert common_seed([unreported, alone]) == common_seed([racer(1, np.nan), alone]) == report_seeds(5)[2]
    assert common_seed([unreported]) == report_seeds(1)[0]


def test_a_way_forward_is_a_walkers_alone() -> None:
    assert forward_coordinate(evo.task("HalfCheetah-v5").model) == 0
    assert forward_coordinate(evo.task("quadruped").model) == 0
    assert forward_coordinate(evo.task("point-mass").model) is None
    assert forward_coordinate(evo.task("cartpole").model) is None


def test_each_frame_shows_every_task_at_the_same_time_of_its_episode() -> None:
    slow, fast = (evo.load(path).champion for path in (CARTPOLE, MASS))
    tiles = [tile("slow", slow), tile("fast", fast)]
    film = TiledFilm(tiles, 1.0)
    periods = [one.task.control_period for one in tiles]
    assert periods[0] != periods[1]
    interval = 1.0 / film.rate
    for steps, period, one in zip(film._steps, periods, tiles, strict=True):
        assert steps[0] == 0 and steps[-1] == min(len(one.trajectory), round(1.0 / period))
        assert (np.diff(steps) >= 0).all()
        times = np.arange(len(steps) - 1) * interval
        np.testing.assert_allclose(steps[:-1] * period, times, atol=0.5 * period + 0.02)


def test_one_task_is_shown_by_every_one_of_its_strides() -> None:
    champion = evo.load(MASS).champion
    film = TiledFilm([tile("one", champion), tile("other", champion, 1)], 0.5)
    stride = max(1, round(1 / (30 * champion.task.control_period)))
    for steps in film._steps:
        np.testing.assert_array_equal(steps[:-1], np.arange(len(steps) - 1) * stride)


@pytest.mark.parametrize("suffix", [".webp", ".mp4", ".gif"])
def test_a_race_of_two_tasks_is_one_film_of_the_size_asked_for(tmp_path: Path, suffix: str) -> None:
    drawn: list[tuple[int, int]] = []
    verified: list[bool] = []
    path = evo.replay(
        [CARTPOLE, MASS],
        tmp_path / f"race{suffix}",
        poster=True,
        checked=lambda check: verified.append(check.exact),
        progress=lambda done, total: drawn.append((done, total)),
        **SMALL,
    )
    assert len(verified) == 2
    assert drawn == [(done, drawn[-1][1]) for done in range(1, drawn[-1][1] + 1)]
    with Image.open(tmp_path / "race.png") as still:
        assert still.size == (320, 180)
        picture = np.asarray(still)
    assert (picture[:60, :156] != picture[:60, 164:]).any()
    if suffix == ".mp4":
        frames, _ = imageio_ffmpeg.count_frames_and_secs(str(path))
        assert frames == drawn[-1][1]


def test_tiles_are_the_same_on_any_number_of_threads(finished_run: Path, tmp_path: Path) -> None:
    for threads in (1, 3):
        evo.replay(finished_run, tmp_path / f"{threads}.webp", crowd=4, **{**SMALL, "threads": threads})
    assert (tmp_path / "1.webp").read_bytes() == (tmp_path / "3.webp").read_bytes()


def test_a_film_goes_on_for_a_moment_after_all_have_ended(tmp_path: Path) -> None:
    champion = evo.load(CARTPOLE).champion
    short = [tile("one", champion), tile("other", champion)]
    longest = len(short[0].trajectory) * champion.task.control_period
    whole, cut = TiledFilm(short, 2 * longest), TiledFilm(short, 0.5 * longest)
    assert len(whole) == len(whole._steps[0]) + round(1.5 * whole.rate)
    assert len(cut) == len(cut._steps[0])


@pytest.mark.parametrize("method", ["ga", "ars", "cma-es", "neat"])
def test_a_crowd_is_the_generation_that_a_resumed_run_evaluates(method: str, tmp_path: Path) -> None:
    few = {"evaluation.selection_episodes": 2, "evaluation.report_episodes": 2, "evaluation.racing": False}
    path, rows = tmp_path / "run", list[dict[str, float]]()
    evo.run("point-mass", method=method, generations=3, seed=4, out=path, video=False, threads=1, settings=few)
    run = evo.load(path)
    generation, found = individuals_of(run, run.champion, 10_000)
    assert [number for number, _ in found] == list(range(1, len(found) + 1))
    seeds = episode_seeds(4, "training", 3, run.config.evaluation.episodes)
    fitness = [evaluate_alone(run.champion.problem, *one, seeds).fitness[0] for _, one in found]
    evo.resume(path, generations=4, video=False, threads=1, callback=lambda row: rows.append(dict(row)))
    assert rows[0]["generation"] == generation == 4
    assert rows[0]["best"] == max(fitness)
    assert rows[0]["mean"] == pytest.approx(np.mean(fitness), rel=1e-12)


def test_some_of_a_crowd_are_spread_over_it(finished_run: Path) -> None:
    run = evo.load(finished_run)
    _, everyone = individuals_of(run, run.champion, 10_000)
    _, some = individuals_of(run, run.champion, 5)
    assert [number for number, _ in some][::4] == [1, len(everyone)]
    for number, candidate in some:
        np.testing.assert_array_equal(candidate.params, everyone[number - 1][1].params)


def test_what_cannot_be_filmed_in_tiles_is_said_in_a_line(finished_run: Path, tmp_path: Path) -> None:
    out = tmp_path / "film.mp4"

    def refused(said: str, path: Any, place: Path = out, **options: Any) -> None:
        with pytest.raises(EvoError, match=said) as error:
            evo.replay(path, place, **options)
        assert "\n" not in str(error.value)

    refused("a race is of several runs: name two or more", [CARTPOLE])
    refused("a race is of several runs", [])
    refused("digits is a data set, and creatures race: leave its run out", [CARTPOLE, REFERENCE / "digits"])
    refused("digits is a data set: there is no film of it", REFERENCE / "digits", crowd=4)
    refused("tiles show 2 to 64 creatures, got 65", [CARTPOLE] * 65)
    refused(
        r"16 tiles in a film of 320 by 180 pixels would be 77 by 42 each, .* --format 1080p", [CARTPOLE] * 16, **SMALL
    )
    refused("there is no run at", [CARTPOLE, tmp_path / "none"])
    refused("leave out --evolution", [CARTPOLE, MASS], evolution=True)
    refused("leave out cell and front", [CARTPOLE, MASS], front=0)
    refused("'race.png' is a still, and tiles make a film: try race.mp4", [CARTPOLE, MASS], tmp_path / "race.png")
    refused("its suffix must be one of", [CARTPOLE, MASS], tmp_path / "race.html")
    for crowd in (-1, 0, 1, 65):
        refused(f"tiles show 2 to 64 creatures, got {crowd}", finished_run, crowd=crowd)
    refused("leave out --evolution and --network", finished_run, crowd=4, evolution=True)
    refused("is a champion alone; its generation is in its run directory", finished_run / "champion.npz", crowd=4)
    refused("keeps no checkpoint to draw a generation from", CARTPOLE, crowd=4)
    shutil.copytree(finished_run, tmp_path / "torn")
    for state in (tmp_path / "torn" / "checkpoints").glob("*/state.npz"):
        state.write_bytes(state.read_bytes()[:100])
    refused("no checkpoint of .* can be read", tmp_path / "torn", crowd=4)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["torn"]


def test_a_crowd_of_a_search_that_is_over_or_of_another_run_is_refused(
    finished_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = {"evaluation.selection_episodes": 2, "evaluation.report_episodes": 2}
    other, mixed = tmp_path / "other", tmp_path / "mixed"
    evo.run("cartpole", network="mlp:3", generations=1, out=other, video=False, threads=1, settings=few)
    shutil.copytree(finished_run, mixed)
    shutil.rmtree(mixed / "checkpoints")
    shutil.copytree(other / "checkpoints", mixed / "checkpoints")
    with pytest.raises(EvoError, match=r"the checkpoint of .*mixed does not fit its config\.toml"):
        evo.replay(mixed, tmp_path / "film.mp4", crowd=4)
    monkeypatch.setattr("evo.learners.evolution.Evolution.finished", lambda _: "it has converged")
    with pytest.raises(EvoError, match=r"is over \(it has converged\): it has no next generation; .* --evolution"):
        evo.replay(finished_run, tmp_path / "film.mp4", crowd=4)


def test_a_learner_without_a_population_has_no_crowd(tmp_path: Path) -> None:
    few = {"evaluation.selection_episodes": 2, "evaluation.report_episodes": 2}
    path = tmp_path / "run"
    evo.run("cartpole", method="ppo", generations=1, seed=4, out=path, video=False, threads=1, settings=few)
    with pytest.raises(EvoError, match=r"ppo keeps no population of which a crowd could be drawn; .*--evolution"):
        evo.replay(path, tmp_path / "film.mp4", crowd=4)


def test_names_of_strangers_are_drawn_and_not_obeyed(tmp_path: Path) -> None:
    for name in ("<script>\x1b[31m\u202e", "x" * 200, "\udcff名前"):
        shutil.copytree(CARTPOLE, tmp_path / name)
    runs = sorted(one for one in tmp_path.iterdir())
    path = evo.replay(runs, tmp_path / "race.webp", **{**SMALL, "seconds": 0.1})
    assert path.stat().st_size


def test_the_command_asks_for_a_race_by_its_name(tmp_path: Path) -> None:
    def say(*words: object) -> Any:
        return CliRunner().invoke(app, ["replay", *map(str, words)])

    out = tmp_path / "race.webp"
    small = ("--width", 320, "--height", 180, "--seconds", 0.1, "--out", out)
    said = say("--race", CARTPOLE, MASS, *small)
    assert said.exit_code == 0, said.output
    assert said.output.count("reproduces its score exactly") == 2 and "film" in said.output.splitlines()[-1]
    with pytest.raises(EvoError, match="2 runs make one film side by side: add --race"):
        CliRunner().invoke(app, ["replay", str(CARTPOLE), str(MASS)], catch_exceptions=False)
    with pytest.raises(EvoError, match="a race is of several runs"):
        CliRunner().invoke(app, ["replay", "--race"], catch_exceptions=False)
