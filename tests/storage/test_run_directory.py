"""A run's folder: whatever is found in it is whole, whenever its writer was killed; one writer at a time."""

import math
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from evo.errors import EvoError
from evo.storage.files import TEMPORARY, read_text
from evo.storage.run_directory import FOSSILS, RunDirectory, fossil_stride, runs
from tests.support.places import ROOT

quick = settings(max_examples=20)


def state(steps: int) -> dict[str, NDArray[Any]]:
    return {"learner/params": np.full(20, steps / 7), "steps": np.array(steps)}


def make(path: Path) -> RunDirectory:
    return RunDirectory.create(path, 'task = "cartpole"\n', 'numpy = "2"\n')


@pytest.fixture(autouse=True, scope="module")
def impatient() -> Iterator[None]:
    """Waiting for the disk is half a minute of these tests, and no test can see it (child processes do wait)."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda descriptor: None)
        yield


@pytest.fixture
def run(tmp_path: Path) -> Iterator[RunDirectory]:
    with make(tmp_path / "runs" / "mine") as run:
        yield run


@contextmanager
def fresh_run() -> Iterator[RunDirectory]:
    """As the fixture, but one for each of Hypothesis's examples."""
    with tempfile.TemporaryDirectory() as folder, make(Path(folder) / "mine") as run:
        yield run


@contextmanager
def process(script: str, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-W", "error", "-c", textwrap.dedent(script), *map(str, arguments)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        try:
            yield child
        finally:
            child.kill()


def first_line(child: subprocess.Popen[str]) -> str:
    assert child.stdout is not None
    return child.stdout.readline().strip()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# Making and opening


def test_a_new_run_has_its_layout(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "mine"
    with make(path) as run:
        assert run.path == path
        assert run.config_text == 'task = "cartpole"\n'
        assert names(path) == ["config.toml", "lock", "versions.toml"]
        assert run.champion_path == path / "champion.npz"
        assert run.newest_checkpoint() is None
        assert run.metrics() == {}
        assert run.fossils() == []
        assert run.videos.is_dir()
        assert run.plots == path / "plots"
        assert (path / "lock").read_text().split()[0] == str(os.getpid())
    with RunDirectory.open(path) as run:
        assert read_text(run.path / "versions.toml") == 'numpy = "2"\n'
        assert run.warnings == []


def test_only_an_empty_folder_becomes_a_run(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    make(tmp_path / "empty").close()
    with pytest.raises(EvoError, match=r"holds a run already; .* go on with: evo resume .*empty"):
        make(tmp_path / "empty")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.tex").write_text("x")
    with pytest.raises(EvoError, match="is not an empty folder; choose another folder as out"):
        make(tmp_path / "full")
    assert names(tmp_path / "full") == ["thesis.tex"]
    with pytest.raises(EvoError, match="not a folder; choose another folder as out"):
        make(tmp_path / "full" / "thesis.tex")
    for place in (tmp_path / "full" / "thesis.tex" / "run", Path("/proc/self/run")):
        with pytest.raises(EvoError, match=f"cannot write {place}: "):
            make(place)
    with pytest.raises(EvoError, match="null"):
        make(tmp_path / "a\0b")


def test_what_a_create_that_broke_off_leaves_is_used_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(EvoError, match="no space left"):
        make(tmp_path / "mine")
    monkeypatch.undo()
    assert runs(tmp_path) == []
    make(tmp_path / "mine").close()
    assert runs(tmp_path) == [tmp_path / "mine"]


def test_a_missing_run_names_the_nearest(tmp_path: Path, run: RunDirectory) -> None:
    for wrong, line in [
        (run.path.parent / "mien", "there is no run at .*mien; did you mean 'mine'"),
        (run.path.parent / "zzzzz", "; one of mine"),
        (run.path.parent, "is not a run: it has no config.toml; one of mine"),
        (run.path / "config.toml", "is a file, not a run"),
        (tmp_path / "nowhere" / "mine", "holds no runs"),
    ]:
        with pytest.raises(EvoError, match=line):
            RunDirectory.open(wrong)
    run.videos.mkdir(exist_ok=True)
    with pytest.raises(EvoError, match="is not a run"):
        RunDirectory.open(run.videos)


def test_runs_are_listed_by_time(tmp_path: Path) -> None:
    folder = tmp_path / "runs"
    assert runs(folder) == []
    for age, name in enumerate(["new", "reference/middle", "old"]):
        make(folder / name).close()
        os.utime(folder / name / "config.toml", (1e9 - age, 1e9 - age))
    (folder / "notes").mkdir()
    (folder / "file.txt").write_text("x")
    assert runs(folder) == [folder / "old", folder / "reference" / "middle", folder / "new"]


# The lock


def test_a_run_has_one_writer_and_any_readers(run: RunDirectory) -> None:
    with pytest.raises(EvoError, match=rf"mine is being written by a live run \(process {os.getpid()}\); stop it"):
        RunDirectory.open(run.path, write=True)
    with RunDirectory.open(run.path) as reader:
        writes: list[Callable[[], None]] = [
            lambda: reader.append_metrics({"steps": 1}),
            lambda: reader.keep_metrics(0),
            lambda: reader.save_checkpoint(1, state(1)),
            lambda: reader.save_fossil(0, state(1)),
            lambda: reader.drop_fossils(0),
        ]
        for write in writes:
            with pytest.raises(RuntimeError, match="open for reading only"):
                write()
    run.close()
    run.close()
    RunDirectory.open(run.path, write=True).close()
    with pytest.raises(RuntimeError, match="closed"):
        run.append_metrics({"steps": 1})


def test_the_lock_dies_with_its_process(run: RunDirectory) -> None:
    run.close()
    script = """
        import sys, time
        from pathlib import Path
        from evo.storage.run_directory import RunDirectory
        run = RunDirectory.open(Path(sys.argv[1]), write=True)
        print("ready", flush=True)
        time.sleep(60)
    """
    with process(script, run.path) as child:
        assert first_line(child) == "ready"
        with pytest.raises(EvoError, match=rf"live run \(process {child.pid}\)"):
            RunDirectory.open(run.path, write=True)
        with pytest.raises(EvoError, match="holds a run already"):
            make(run.path)
        RunDirectory.open(run.path).close()
        child.send_signal(signal.SIGKILL)
        child.wait()
        RunDirectory.open(run.path, write=True).close()


def test_a_failed_open_holds_no_lock(run: RunDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(descriptor: int, size: int) -> None:
        raise OSError(5, "Input/output error")

    run.close()
    monkeypatch.setattr(os, "ftruncate", broken)
    with pytest.raises(EvoError, match="lock: input/output error"):
        RunDirectory.open(run.path, write=True)
    monkeypatch.undo()
    RunDirectory.open(run.path, write=True).close()


# Metrics


@quick
@given(st.lists(st.tuples(st.floats(), st.integers(-(2**53), 2**53)), min_size=1, max_size=6))
def test_metrics_read_back_exactly(rows: list[tuple[float, int]]) -> None:
    with fresh_run() as run:
        for fitness, steps in rows:
            row: dict[str, Any] = {"fitness": np.float64(fitness), "env/steps": np.int64(steps)}
            run.append_metrics(row)
        found = run.metrics()
        assert (run.path / "metrics.csv").read_text().count("\n") == len(rows) + 1
    assert list(found) == ["fitness", "env/steps"]
    np.testing.assert_array_equal(found["fitness"], np.array([row[0] for row in rows]))
    np.testing.assert_array_equal(found["env/steps"], np.array([float(row[1]) for row in rows]))


def test_metrics_are_plain_csv_and_visible_at_once(run: RunDirectory) -> None:
    row: dict[str, Any] = {"steps": 10, "best": 0.1, "mean": np.float32(0.5), "spread": math.inf, "done": True}
    run.append_metrics(row)
    text = (run.path / "metrics.csv").read_text()
    assert text == "steps,best,mean,spread,done\n10,0.1,0.5,inf,1\n"


def test_metrics_keep_their_columns(run: RunDirectory) -> None:
    for row in ({}, {"a,b": 1}, {"a\n": 1}, {'"': 1}):
        with pytest.raises(ValueError, match="metrics"):
            run.append_metrics(row)
    run.append_metrics({"steps": 1, "best": 2})
    run.append_metrics({"best": 4, "steps": 3})
    for row in ({"steps": 1}, {"steps": 1, "best": 2, "mean": 3}, {"steps": 1, "bets": 2}):
        with pytest.raises(ValueError, match="metrics row has the columns"):
            run.append_metrics(row)
    np.testing.assert_array_equal(run.metrics()["best"], [2, 4])
    run.close()
    with RunDirectory.open(run.path, write=True) as again:
        with pytest.raises(ValueError, match="metrics row has the columns"):
            again.append_metrics({"steps": 1})
        again.append_metrics({"steps": 5, "best": 6})
        np.testing.assert_array_equal(again.metrics()["steps"], [1, 3, 5])


def test_torn_metrics_lose_the_torn_line_only(run: RunDirectory) -> None:
    path = run.path / "metrics.csv"
    for steps in range(3):
        run.append_metrics({"steps": steps, "best": steps / 3})
    run.close()
    whole = path.read_bytes()
    starts = [index + 1 for index, byte in enumerate(whole) if byte == ord("\n")]
    for size in range(len(whole) + 1):
        path.unlink()  # ext4 would wait for the disk when a file is cut and written again
        path.write_bytes(whole[:size])
        rows = max(sum(start <= size for start in starts) - 1, 0)
        with RunDirectory.open(run.path, write=True) as again:
            metrics = again.metrics()
            assert (len(metrics["steps"]) if metrics else 0) == rows
            again.append_metrics({"steps": 7, "best": 0.5})
            np.testing.assert_array_equal(again.metrics()["steps"], [*range(rows), 7])


def test_a_damaged_line_is_named(run: RunDirectory) -> None:
    path = run.path / "metrics.csv"
    for damage in ("1,x", "1", "1,2,3", "", "\0"):
        path.write_text(f"a,b\n1,2\n{damage}\n3,4\n")
        with pytest.raises(EvoError, match=r"metrics\.csv: line 3 is damaged"):
            run.metrics()


@quick
@given(st.integers(0, 6), st.integers(0, 8), st.sampled_from(["", "12,0", "12"]))
def test_keep_metrics(rows: int, keep: int, torn: str) -> None:
    with fresh_run() as run:
        for steps in range(rows):
            run.append_metrics({"steps": steps, "best": 0.5})
        path = run.path / "metrics.csv"
        with path.open("a") as file:
            file.write(torn)
        run.keep_metrics(keep)
        kept = min(rows, keep)
        assert len(run.warnings) == (keep > rows)
        expected = "".join(["steps,best\n", *(f"{steps},0.5\n" for steps in range(kept))]) if rows else ""
        assert (path.read_text() if path.exists() else "") == expected
        run.append_metrics({"steps": 9, "best": 1.5})
        np.testing.assert_array_equal(run.metrics()["steps"], [*range(kept), 9])
    with fresh_run() as run, pytest.raises(ValueError, match="rows=-1"):
        run.keep_metrics(-1)


def test_a_row_that_breaks_off_is_taken_back(run: RunDirectory) -> None:
    run.close()
    script = """
        import resource, sys
        from pathlib import Path
        from evo.errors import EvoError
        from evo.storage.run_directory import RunDirectory
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        with RunDirectory.open(Path(sys.argv[1]), write=True) as run:
            try:
                while True:
                    run.append_metrics({"steps": 123456789})
            except EvoError as error:
                print(error)
    """
    with process(script, run.path) as child:
        assert "metrics.csv: file too large" in first_line(child)
        child.wait()
    text = (run.path / "metrics.csv").read_text()
    assert text == "steps\n" + "123456789\n" * 99


# The end


def test_why_a_run_ended_stands_until_it_goes_on(run: RunDirectory) -> None:
    assert run.ended is None
    run.record_end("1,000 steps")
    assert run.ended == "1,000 steps"
    assert (run.path / "ended").read_text() == "1,000 steps\n"
    with pytest.raises(RuntimeError, match="reading only"):
        RunDirectory.open(run.path).record_end("mine")
    run.record_end(None)
    run.record_end(None)
    assert run.ended is None
    assert not (run.path / "ended").exists()


# Checkpoints


def test_the_newest_checkpoints_are_kept(run: RunDirectory) -> None:
    checkpoints = run.path / "checkpoints"
    for steps in (5, 10, 1000, 20_000):
        run.save_checkpoint(steps, state(steps))
        assert len(names(checkpoints)) <= 2
    assert names(checkpoints) == ["000000000001000", "000000000020000"]
    assert names(checkpoints / "000000000020000") == ["done", "state.npz"]
    run.save_checkpoint(20_000, state(3))  # the same steps again
    assert names(checkpoints) == ["000000000001000", "000000000020000"]
    newest = run.newest_checkpoint()
    assert newest is not None
    steps, arrays = newest
    assert steps == 20_000
    assert arrays["steps"] == 3
    np.testing.assert_array_equal(arrays["learner/params"], state(3)["learner/params"])
    assert run.warnings == []
    with pytest.raises(ValueError, match="steps=-1"):
        run.save_checkpoint(-1, state(1))


@pytest.mark.parametrize("damage", ["cut", "unmarked", "empty", "no state"])
@pytest.mark.parametrize("further", [150, 200, 250])
def test_damaged_checkpoints_are_skipped_then_replaced(run: RunDirectory, damage: str, further: int) -> None:
    checkpoints = run.path / "checkpoints"
    for steps in (100, 200):
        run.save_checkpoint(steps, state(steps))
    newest = checkpoints / f"{200:015d}"
    data = (newest / "state.npz").read_bytes()
    match damage:
        case "cut":
            (newest / "state.npz").write_bytes(data[: len(data) // 2])
        case "unmarked":
            (newest / "done").unlink()
        case "empty":
            (newest / "state.npz").write_bytes(b"")
        case "no state":
            (newest / "state.npz").unlink()
    found = run.newest_checkpoint()
    assert found is not None
    assert found[0] == 100
    (line,) = run.warnings
    assert str(newest) in line
    assert "\n" not in line
    # Going on from 100 must not be pruned in favour of what is damaged.
    run.save_checkpoint(further, state(further))
    assert names(checkpoints) == [f"{steps:015d}" for steps in (100, further)]
    found = run.newest_checkpoint()
    assert found is not None
    assert found[0] == further


def test_an_unmarked_checkpoint_is_completed_by_saving_it_again(run: RunDirectory) -> None:
    run.save_checkpoint(100, state(100))
    (run.path / "checkpoints" / f"{100:015d}" / "done").unlink()
    with pytest.raises(EvoError, match="never marked as done"):
        run.newest_checkpoint()
    run.save_checkpoint(100, state(100))
    assert run.newest_checkpoint() is not None


def test_nothing_but_damaged_checkpoints_is_an_error(run: RunDirectory) -> None:
    for steps in (100, 200):
        run.save_checkpoint(steps, state(steps))
        (run.path / "checkpoints" / f"{steps:015d}" / "state.npz").write_bytes(b"rubbish")
    with pytest.raises(EvoError, match=r"no checkpoint of .* can be read .*evo run --config .*config\.toml"):
        run.newest_checkpoint()
    assert len(run.warnings) == 2


def test_strays_of_a_killed_writer_are_removed(run: RunDirectory) -> None:
    run.save_checkpoint(100, state(100))
    run.save_fossil(0, state(0))
    run.close()
    for place in (run.path, run.path / "fossils", run.path / "checkpoints"):
        (place / ".evo-0.tmp").write_text("half")
        shutil.copytree(run.path / "checkpoints" / f"{100:015d}", place / ".evo-1.tmp")
    with RunDirectory.open(run.path) as reader:
        found = reader.newest_checkpoint()
        assert found is not None
        assert reader.fossils() == [0]
    with RunDirectory.open(run.path, write=True) as again:
        assert list(run.path.rglob(TEMPORARY)) == []
        (run.path / "checkpoints" / ".evo-2.tmp").mkdir()
        again.save_checkpoint(200, state(200))
        assert list(run.path.rglob(TEMPORARY)) == []
        assert again.warnings == []


def test_a_checkpoint_that_does_not_fit_leaves_the_older_ones(run: RunDirectory) -> None:
    run.save_checkpoint(1, state(1))
    run.close()
    script = """
        import resource, sys
        from pathlib import Path
        import numpy as np
        from evo.errors import EvoError
        from evo.storage.run_directory import RunDirectory
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
        with RunDirectory.open(Path(sys.argv[1]), write=True) as run:
            for steps in (1, 2):
                try:
                    run.save_checkpoint(steps, {"a": np.random.default_rng(0).random(50_000)})
                except EvoError as error:
                    print(error, flush=True)
    """
    with process(script, run.path) as child:
        assert "file too large; raise the limit" in first_line(child)
        assert "file too large; raise the limit" in first_line(child)
        child.wait()
    with RunDirectory.open(run.path) as again:
        found = again.newest_checkpoint()
    assert found is not None
    assert found[0] == 1
    np.testing.assert_array_equal(found[1]["learner/params"], state(1)["learner/params"])
    assert names(run.path / "checkpoints") == [f"{1:015d}"]


def test_death_at_any_system_call_leaves_a_whole_checkpoint(tmp_path: Path) -> None:
    # A child dies before its n-th call that changes the disk, for every n, while it saves new steps or the same again.
    script = """
        import itertools, os, shutil, sys
        from pathlib import Path
        import numpy as np
        from tests.chaos import die_at
        from evo.storage.run_directory import RunDirectory

        def save(path, steps, value, deadline):
            with RunDirectory.open(path, write=True) as run:
                die_at(deadline)
                run.append_metrics({"steps": steps})
                run.save_checkpoint(steps, {"value": np.full(300, value)})
            os._exit(0)

        def saved(path):
            with RunDirectory.open(path) as run:
                steps, arrays = run.newest_checkpoint()
                assert not run.warnings, run.warnings
                assert arrays["value"].min() == arrays["value"].max()
                assert set(run.metrics()["steps"]) >= {steps}
                return steps, int(arrays["value"][0])

        template, work = Path(sys.argv[1]), Path(sys.argv[2])
        with RunDirectory.create(template, "", "") as run:
            for steps in (1, 2):
                run.append_metrics({"steps": steps})
                run.save_checkpoint(steps, {"value": np.full(300, steps)})
        for steps, value in ((3, 3), (2, 30)):
            seen = set()
            for deadline in itertools.count():
                shutil.copytree(template, work)
                child = os.fork()
                if child == 0:
                    save(work, steps, value, deadline)
                code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
                assert code in (0, -9), code
                seen.add(saved(work))
                with RunDirectory.open(work, write=True) as run:
                    run.save_checkpoint(4, {"value": np.full(300, 4)})
                    assert not run.warnings, run.warnings
                    assert len(os.listdir(work / "checkpoints")) == 2
                assert not list(work.rglob(".evo-*")), list(work.rglob(".evo-*"))
                shutil.rmtree(work)
                if code == 0:
                    break
            assert seen == {(2, 2), (steps, value)}, seen
            print(deadline, flush=True)
    """
    command = [sys.executable, "-c", textwrap.dedent(script), str(tmp_path / "template"), str(tmp_path / "work")]
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, env=environment)
    assert done.stderr == ""
    assert done.returncode == 0
    assert all(int(calls) > 8 for calls in done.stdout.split())


def test_kill_9_always_leaves_a_readable_newest_checkpoint(run: RunDirectory) -> None:
    run.close()
    script = """
        import sys
        from pathlib import Path
        import numpy as np
        from evo.storage.run_directory import RunDirectory
        with RunDirectory.open(Path(sys.argv[1]), write=True) as run:
            newest = run.newest_checkpoint()
            steps = 0 if newest is None else newest[0]
            run.keep_metrics(steps)
            run.drop_fossils(steps)
            while True:
                steps += 1
                run.append_metrics({"steps": steps})
                run.save_fossil(steps, {"value": np.array(steps)})
                run.save_checkpoint(steps, {"value": np.full(20_000, steps)})
                if steps > 1:
                    print(steps, flush=True)
    """
    reached = 0
    for round_index in range(6):
        with process(script, run.path) as child:
            assert int(first_line(child)) > reached
            time.sleep(0.003 + 0.007 * round_index)
            child.kill()
        with RunDirectory.open(run.path, write=True) as again:
            newest = again.newest_checkpoint()
            assert again.warnings == []
            assert newest is not None
            steps, arrays = newest
            np.testing.assert_array_equal(arrays["value"], np.full(20_000, steps))
            assert steps > reached
            reached = steps
            again.keep_metrics(steps)
            np.testing.assert_array_equal(again.metrics()["steps"], np.arange(1, steps + 1))
            assert again.warnings == []
            again.drop_fossils(steps)
            stride = fossil_stride(steps)
            assert again.fossils() == list(range(stride, steps + 1, stride))
            assert all(again.read_fossil(kept)["value"] == kept for kept in again.fossils())


# Fossils


@given(st.integers(0, 10**12))
def test_the_stride_keeps_between_half_and_all_of_the_fossils(generation: int) -> None:
    stride = fossil_stride(generation)
    assert stride & (stride - 1) == 0
    kept = generation // stride + 1
    assert kept <= FOSSILS
    assert stride == 1 or generation // (stride // 2) + 1 > FOSSILS
    assert fossil_stride(generation + 1) in (stride, 2 * stride)


@settings(max_examples=10)
@given(st.integers(0, 12), st.lists(st.tuples(st.integers(0, 12), st.integers(1, 12)), max_size=3))
def test_the_kept_set_depends_on_the_newest_generation_only(first: int, resumes: list[tuple[int, int]]) -> None:
    # A small limit, so that the thinning happens often.
    with pytest.MonkeyPatch.context() as patch, fresh_run() as run:
        patch.setattr("evo.storage.run_directory.FOSSILS", 5)

        def offer(generations: range) -> None:
            for generation in generations:
                run.save_fossil(generation, {"generation": np.array(generation)})

        newest = first
        offer(range(newest + 1))
        for back, further in resumes:  # killed at `newest`, resumed from a checkpoint `back` generations older
            checkpoint = max(newest - back, -1)
            run.drop_fossils(checkpoint)
            newest += further
            offer(range(checkpoint + 1, newest + 1))
        assert run.fossils() == list(range(0, newest + 1, fossil_stride(newest)))
        assert len(run.fossils()) <= 5
        assert all(run.read_fossil(kept)["generation"] == kept for kept in run.fossils())


def test_fossils_thin_out_past_the_limit(run: RunDirectory) -> None:
    # Offered sparsely, to save time, except around the limit.
    for generation in (*range(0, FOSSILS - 4, 4), *range(FOSSILS - 4, FOSSILS + 3)):
        run.save_fossil(generation, {"generation": np.array(generation)})
        if generation == FOSSILS - 1:
            assert run.fossils() == [*range(0, FOSSILS - 4, 4), *range(FOSSILS - 4, FOSSILS)]
    assert run.fossils() == [*range(0, FOSSILS - 4, 4), *range(FOSSILS - 4, FOSSILS + 3, 2)]
    run.drop_fossils(after=100)
    assert run.fossils() == list(range(0, 101, 4))


def test_the_stride_thins_even_when_its_generation_is_not_kept(run: RunDirectory) -> None:
    for generation in (0, 1, 2, 4):
        run.save_fossil(generation, state(generation))
    run.save_fossil(2 * FOSSILS + 1, state(0))
    assert run.fossils() == [0, 4]
    with pytest.raises(ValueError, match="generation=-1"):
        run.save_fossil(-1, state(0))


def test_a_missing_or_damaged_fossil_is_named(run: RunDirectory) -> None:
    with pytest.raises(EvoError, match=r"has no fossil of generation 3$"):
        run.read_fossil(3)
    for generation in (0, 10):
        run.save_fossil(generation, state(generation))
    with pytest.raises(EvoError, match="no fossil of generation 7; the nearest is 10"):
        run.read_fossil(7)
    (run.path / "fossils" / f"{10:015d}.npz").write_bytes(b"PK")
    with pytest.raises(EvoError, match=r"is not an \.npz file"):
        run.read_fossil(10)


# What a stranger may have put into a run's folder


@pytest.mark.parametrize("name", ["lock", "metrics.csv"])
def test_a_link_in_a_run_is_not_written_through(name: str, tmp_path: Path) -> None:
    make(tmp_path / "mine").close()
    other = tmp_path / "other"
    other.write_text("a\n1\n")
    (tmp_path / "mine" / name).unlink(missing_ok=True)
    (tmp_path / "mine" / name).symlink_to(other)
    with (
        pytest.raises(EvoError, match=rf"mine/{name}: .*it is a link"),
        RunDirectory.open(tmp_path / "mine", write=True) as run,
    ):
        run.append_metrics({"a": 2})
    assert other.read_text() == "a\n1\n"


@pytest.mark.parametrize("name", ["checkpoints", "fossils", "videos", "plots"])
def test_a_folder_of_a_run_that_is_a_link_is_refused(name: str, tmp_path: Path) -> None:
    with make(tmp_path / "mine") as run:
        run.save_checkpoint(1, state(1))
        run.save_fossil(0, state(0))
    other = tmp_path / "other"
    (other / "000000000000001").mkdir(parents=True)
    (other / "000000000000003.npz").touch()
    before = sorted(other.rglob("*"))
    shutil.rmtree(tmp_path / "mine" / name, ignore_errors=True)
    (tmp_path / "mine" / name).symlink_to(other)
    with pytest.raises(EvoError, match=rf"mine/{name}: .*it is a link"):
        RunDirectory.open(tmp_path / "mine", write=True)
    with pytest.raises(EvoError, match="it is a link"):
        RunDirectory.open(tmp_path / "mine")._folder(name)
    assert sorted(other.rglob("*")) == before


def test_a_checkpoint_that_is_a_link_is_neither_read_nor_written_nor_removed(tmp_path: Path) -> None:
    with make(tmp_path / "other") as other:
        other.save_checkpoint(2, state(2))
    theirs = tmp_path / "other" / "checkpoints" / "000000000000002"
    before = (theirs / "state.npz").read_bytes()
    with make(tmp_path / "mine") as run:
        run.save_checkpoint(1, state(1))
        (tmp_path / "mine" / "checkpoints" / theirs.name).symlink_to(theirs)
        newest = run.newest_checkpoint()
        assert newest is not None and newest[0] == 1
        with pytest.raises(EvoError, match="it is a link"):
            run.save_checkpoint(2, state(3))
        run.save_checkpoint(5, state(5))
        run.save_checkpoint(6, state(6))
    assert (theirs / "state.npz").read_bytes() == before


METRICS = {
    "many columns": "," * 100_000 + "\n" + "1\n" * 100_000,
    "no names": ",,\n1,2,3\n",
    "a terminal's": "a,\x1b[2J\n1,2\n",
    "twice": "a,a\n1,2\n",
    "few numbers": "a,b\n1\n",
    "many numbers": "a,b\n1,2,3\n",
    "words": "a,b\n1,two\n",
}


@pytest.mark.parametrize("text", METRICS.values(), ids=METRICS.keys())
def test_damaged_metrics_are_one_line_and_no_memory(text: str, tmp_path: Path) -> None:
    run = make(tmp_path / "mine")
    (tmp_path / "mine" / "metrics.csv").write_text(text)
    tracemalloc.start()
    try:
        with pytest.raises(EvoError, match=r"metrics\.csv") as refusal:
            run.metrics()
        assert tracemalloc.get_traced_memory()[1] < 2**25
    finally:
        tracemalloc.stop()
        run.close()
    assert str(refusal.value).isprintable()


def test_a_column_that_is_not_there_is_one_line(run: RunDirectory) -> None:
    run.append_metrics({"steps": 1})
    assert run.metrics().keys() == {"steps"}
    with pytest.raises(EvoError, match=r"metrics\.csv has no column 'selection'"):
        run.metrics()["selection"]
