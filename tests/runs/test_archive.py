"""The archive of a run: the same to the bit however it is run, its elites champions, damage told in a line."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import evo
from evo.cli import app
from evo.runs.archive import RunArchive

SETTINGS = {"method.archive": "grid:6x8", "method.population_size": 12, "method.mutate": "gaussian:sigma=0.3"}


def run(out: Path, task: str = "point-mass", **more: Any) -> evo.Run:
    options: dict[str, Any] = {"method": "map-elites", "generations": 6, "video": False, "settings": SETTINGS, **more}
    if task == "point-mass":
        options["network"] = "linear"
    return evo.run(task, out=out, **options)


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> evo.Run:
    return run(tmp_path_factory.mktemp("archive") / "run", threads=1)


@pytest.fixture(scope="module")
def sphere(tmp_path_factory: pytest.TempPathFactory) -> evo.Run:
    return run(tmp_path_factory.mktemp("archive") / "run", "projected-sphere", dim=4)


def test_it_is_the_same_on_any_number_of_threads_and_after_a_resume(walked: evo.Run, tmp_path: Path) -> None:
    run(tmp_path / "two", threads=2)
    run(tmp_path / "resumed", generations=2)
    evo.resume(tmp_path / "resumed", generations=6, video=False)
    whole = walked.archive_path.read_bytes()
    assert (tmp_path / "two" / "archive.npz").read_bytes() == whole
    assert (tmp_path / "resumed" / "archive.npz").read_bytes() == whole


def test_an_archive_that_was_not_finished_is_made_by_a_resume(walked: evo.Run, tmp_path: Path) -> None:
    """As where the run was killed while its elites were scored again."""
    shutil.copytree(walked.path, tmp_path / "run")
    (tmp_path / "run" / "archive.npz").unlink()
    again = evo.resume(tmp_path / "run", video=False)
    assert again.archive_path.read_bytes() == walked.archive_path.read_bytes()
    evo.resume(tmp_path / "run", video=False)  # is finished now


def test_an_elite_is_a_champion_that_reproduces_its_score(walked: evo.Run) -> None:
    archive = walked.archive
    assert len(archive) > 1 and archive.names == ("x", "y") and archive.shape == (6, 8)
    for elite in (0, len(archive) - 1):
        champion = walked.elite(archive.label(elite))
        assert champion.verify().exact and champion.score == archive.corrected_fitness[elite]


def test_an_elite_normalises_as_it_was_scored_though_the_champion_is_older(tmp_path: Path) -> None:
    normalised = run(tmp_path / "run", settings={**SETTINGS, "network.normalise": True}, generations=30, seed=1)
    assert normalised.champion.statistics.count < normalised.last.statistics.count
    archive = normalised.archive
    champion = normalised.elite(archive.label(0))
    assert champion.verify().exact and champion.score == archive.corrected_fitness[0]


@pytest.mark.parametrize("method", ["ppo", "ga"])
def test_an_elite_is_where_another_method_begins(walked: evo.Run, method: str, tmp_path: Path) -> None:
    cell = walked.archive.label(1)
    words = ["run", "--from", str(walked.path), "--cell", cell, "-m", method, "-g", "0", "--no-video", "-o"]
    done = CliRunner().invoke(app, [*words, str(tmp_path / "run")])
    assert done.exit_code == 0, done.output
    elite, begun = walked.elite(cell), evo.load(tmp_path / "run")
    np.testing.assert_array_equal(begun.champion.params, elite.params)
    assert begun.config["start.cell"] == cell and begun.config["start.digest"] == elite.digest
    (walked.path / "archive.npz").rename(tmp_path / "kept.npz")  # the copy in the run serves from now on
    try:
        again = evo.run(config=tmp_path / "run" / "config.toml", out=tmp_path / "again", video=False)
        assert evo.resume(tmp_path / "run", generations=1, video=False).metrics["generation"].tolist() == [1]
    finally:
        (tmp_path / "kept.npz").rename(walked.path / "archive.npz")
    assert again.champion.digest == elite.digest


def test_a_cell_to_begin_from_that_is_none_is_one_clear_line(walked: evo.Run, sphere: evo.Run, tmp_path: Path) -> None:
    def begin(start: Any, cell: str, said: str, **more: Any) -> None:
        with pytest.raises(evo.EvoError, match=said) as raised:
            evo.run(start=start, cell=cell, generations=0, out=tmp_path / "run", video=False, **more)
        assert "\n" not in str(raised.value) and not (tmp_path / "run").exists()

    begin(walked, "9,9", "there are 6 × 8 cells")
    begin(walked, "one", "must be a cell of the grid")
    empty = next(cell for cell in range(48) if cell not in walked.archive.cells)
    begin(walked, str(empty), "has no elite; the nearest that has one is")
    begin(walked.path / "champion.npz", "0", "a champion file has no archive; name its run directory")
    begin(None, "0", "say in whose archive: start=RUN, on the command line --from RUN", task="point-mass")
    begin(sphere, sphere.archive.label(0), "begin with the task", task="projected-sphere", dim=5)
    mapless = evo.run("rastrigin", dim=2, method="ga", generations=1, out=tmp_path / "mapless", video=False)
    begin(mapless, "0", "holds no archive: its method fills none")
    first, second = walked.archive.label(0), walked.archive.label(1)
    changed = {"start.champion": str(walked.path), "start.cell": second, "start.digest": walked.elite(first).digest}
    with pytest.raises(evo.EvoError, match="is no longer the elite of cell"):
        evo.run("point-mass", network="linear", out=tmp_path / "run", video=False, settings=changed)


def test_metrics_say_what_the_archive_holds(walked: evo.Run, sphere: evo.Run) -> None:
    for one in (walked, sphere):
        archive, metrics = one.archive, one.metrics
        assert metrics["elites"][-1] == len(archive) and metrics["coverage"][-1] == archive.coverage
        np.testing.assert_allclose(metrics["qd_score"][-1], archive.fitness.sum(), rtol=1e-12)
        assert metrics["archive_best"][-1] == archive.fitness.max()
        assert (one.path / "plots" / "archive.png").stat().st_size > 5_000


def test_a_deterministic_function_needs_no_correction(sphere: evo.Run) -> None:
    archive, corrected = sphere.archive, sphere.archive.correct()
    assert archive.returns.shape == (len(archive), 1)
    np.testing.assert_array_equal(archive.corrected_fitness, archive.fitness)
    for name in ("cells", "fitness", "measures", "params"):
        np.testing.assert_array_equal(getattr(corrected, name), getattr(archive, name))


def test_correction_moves_elites_to_where_they_belong_and_keeps_the_fittest() -> None:
    """Three elites: the second falls into the first's cell and is worse there; the third failed once."""
    archive = RunArchive(
        cells=np.array([0, 1, 3]),
        fitness=np.array([1.0, 9.0, 5.0]),
        measures=np.array([[0.1, 0.1], [0.1, 0.9], [0.9, 0.9]]),
        params=np.arange(6.0).reshape(3, 2),
        returns=np.array([[1.0, 3.0], [0.0, 1.0], [5.0, np.nan]]),
        corrected_measures=np.array([[0.1, 0.1], [0.2, 0.2], [np.nan, np.nan]]),
        ranges=np.array([[0.0, 1.0], [0.0, 1.0]]),
        names=("a", "b"),
        plan="grid:2",
    )
    found = archive.correct()
    assert found.cells.tolist() == [0] and found.fitness.tolist() == [2.0] and found.params.tolist() == [[0.0, 1.0]]
    assert archive.place("0,1") == archive.place("1") == 1 and archive.label(2) == "1,1"


def test_a_cell_is_replayed(sphere: evo.Run, tmp_path: Path) -> None:
    label = sphere.archive.label(0)
    done = CliRunner().invoke(app, ["replay", str(sphere.path), "--cell", label, "--out", str(tmp_path / "one.png")])
    assert done.exit_code == 0, done.output
    assert (tmp_path / "one.png").exists() and "reproduces its score exactly" in done.output


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("6,0", "cell '6,0': there are 6 × 8 cells, counted from 0"),
        ("48", "there are 48 cells"),
        ("-1", "must be a cell of the grid, as in 3,3, or its number"),
        ("1,2,3", "must be a cell of the grid"),
        ("x", "must be a cell of the grid"),
        ("²", "must be a cell of the grid"),
        ("9" * 5000, "must be a cell of the grid"),
    ],
)
def test_a_cell_that_is_none_is_told_in_one_line(sphere: evo.Run, cell: str, said: str) -> None:
    with pytest.raises(evo.EvoError) as error:
        sphere.elite(cell)
    assert said in str(error.value) and "\n" not in str(error.value)


def test_a_cell_without_an_elite_names_the_nearest_that_has_one(sphere: evo.Run) -> None:
    empty = next(cell for cell in range(48) if cell not in sphere.archive.cells)
    with pytest.raises(evo.EvoError, match="has no elite; the nearest that has one is") as error:
        sphere.elite(str(empty))
    near = str(error.value).rpartition(" ")[2]
    assert sphere.elite(near).verify().exact


def test_what_has_no_archive_says_so(tmp_path: Path, sphere: evo.Run) -> None:
    plain = evo.run("sphere", dim=2, method="ga", generations=2, video=False, out=tmp_path / "plain")
    with pytest.raises(evo.EvoError, match="holds no archive: its method fills none"):
        _ = plain.archive
    with pytest.raises(evo.EvoError, match="a champion file has no archive"):
        evo.replay(sphere.path / "champion.npz", tmp_path / "out.png", cell="1")
    with pytest.raises(evo.EvoError, match="leave out evolution"):
        evo.replay(sphere, tmp_path / "out.png", cell="1", evolution=True)


@pytest.mark.parametrize("name", ["cells", "measures", "returns", "names", "plan"])
def test_a_damaged_archive_is_refused_in_one_line(sphere: evo.Run, tmp_path: Path, name: str) -> None:
    with np.load(sphere.archive_path) as whole:
        arrays = dict(whole)
    for change in ("missing", "cut"):
        changed = {key: array for key, array in arrays.items() if key != name or change == "cut"}
        if change == "cut":
            changed[name] = np.array("tree:3") if name == "plan" else arrays[name][:1]
        np.savez(tmp_path / "archive.npz", **changed)
        with pytest.raises(evo.EvoError, match="is no archive that evo wrote, or a damaged one"):
            RunArchive.load(tmp_path / "archive.npz")


def test_elites_are_drawn_evenly(sphere: evo.Run) -> None:
    archive = sphere.archive
    drawn = archive.sample(400 * len(archive), seed=3)
    counts = np.bincount(drawn, minlength=len(archive))
    assert np.abs(counts - 400).max() < 6 * 20  # six deviations


def test_a_table_has_a_row_for_each_elite(sphere: evo.Run) -> None:
    frame = sphere.archive.to_pandas()
    assert list(frame["fitness"]) == sphere.archive.fitness.tolist()
    assert list(frame["cell"]) == [sphere.archive.label(elite) for elite in range(len(sphere.archive))]
