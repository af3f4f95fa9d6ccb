"""Members of a study on a Ray cluster equal those that one machine runs one after another, whatever dies on the way."""

import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

import evo
from evo.cluster.named import workers_by_name
from evo.comparison import side_by_side
from evo.comparison.display import StudyLines
from evo.comparison.plan import plan_study
from evo.comparison.ray_hosts import nodes_of
from evo.comparison.study import finish
from evo.config.config import Config
from evo.config.resolve import resolve_config
from evo.errors import EvoError
from evo.evaluation.workers import Threads
from evo.runs.champion import Champion
from tests.chaos import differences
from tests.support.places import ROOT
from tests.support.ray_cluster import RayCluster, begin

pytestmark = pytest.mark.ray

SLOW = "tests.support.slow_function:slow"
TEMPORARY = "evo-ray-"  # the nodes' folders are called
FEW = {"evaluation.selection_episodes": 2, "evaluation.report_episodes": 3}
MEMBERS: Mapping[str, Mapping[str, Any]] = {
    "slow": {"task.name": SLOW, "task.dim": 3, "method.name": "cma-es", "budget.generations": 80},
    "by gradients": {"task.name": "cartpole", "method.name": "ppo", "budget.generations": 2},
    "a world": {"task.name": "cartpole", "method.name": "ars", "budget.generations": 6},
}


def configs(folder: Path, *names: str) -> dict[Path, Config]:
    return {folder / name: resolve_config(settings=[*FEW.items()], flags=dict(MEMBERS[name])) for name in names}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The members, run one after another in this process."""
    folder = tmp_path_factory.mktemp("whole")
    for path, config in configs(folder, *MEMBERS).items():
        evo.run(settings=config.values, out=path, video=False, threads=1)
    return folder


if importlib.util.find_spec("ray"):

    @pytest.fixture(scope="module")
    def cluster() -> Iterator[RayCluster]:
        with pytest.MonkeyPatch.context() as patched:
            # of the nodes; short, because names of sockets are
            folder = tempfile.mkdtemp(prefix=TEMPORARY)
            patched.setenv("TMPDIR", folder)
            made = begin(3)
        yield made
        import ray

        ray.shutdown()
        made.end()
        shutil.rmtree(folder, ignore_errors=True)

    class Watching(StudyLines):
        """Calls `saved` with a member's number when a checkpoint has come home; keeps what is displayed."""

        def __init__(self, runs: Mapping[Path, Config], saved: Callable[[int], None]) -> None:
            super().__init__([*runs.values()], Console(quiet=True))
            self._saved, self.lines = saved, list[str]()

        def phase(self, text: str) -> None:
            self.lines.append(text)

        def watch(self, index: int) -> Any:
            shown = super().watch(index)

            @contextmanager
            def watching(config: Config) -> Iterator[Any]:
                with shown(config) as watcher:
                    told = watcher.on_selection

                    def on_selection(champion: Champion, *rest: Any) -> None:
                        told(champion, *rest)
                        self._saved(index)

                    watcher.on_selection = on_selection  # type: ignore[method-assign]
                    yield watcher

            return watching

    def process_of(nodes: Any, path: Path) -> int:
        """The process that sends a member home; 0 where it has sent all."""
        import ray

        slots = [one for one in nodes._hosts._slots.values() if one.mirror is not None and one.start[2] == str(path)]
        if not slots:
            return 0
        (slot,) = slots
        found: int = ray.get(slot.actor.__ray_call__.remote(lambda _: os.getpid()))
        return found

    def test_a_study_whose_processes_and_nodes_are_killed_equals_one_machines(
        cluster: RayCluster, whole: Path, tmp_path: Path
    ) -> None:
        runs = configs(tmp_path, *MEMBERS)
        slow, strikes = next(iter(runs)), list[str]()
        with nodes_of(workers_by_name(f"ray:{cluster.address}", 1), None, strikes.append) as nodes:
            assert nodes is not None and nodes.threads == 1
            assert strikes.pop() == "runs go side by side on 3 nodes: 3 at a time, each with 1 thread"

            def strike(index: int) -> None:
                if index == 0 and not strikes and (found := process_of(nodes, slow)):
                    strikes.append("its process is killed")
                    os.kill(found, signal.SIGKILL)
                elif index == 0 and len(strikes) == 1:
                    strikes.append("a node is cut off")
                    cluster.do("remove")
                    cluster.do("add")

            watcher = Watching(runs, strike)
            places = {path: number for number, path in enumerate(runs)}
            ended, failed = finish(runs, places, Threads(1), watcher, nodes=nodes)
        assert failed == {}
        assert len(strikes) == 2
        assert ended.keys() == runs.keys()
        for path in runs:
            assert differences(path, whole / path.name) == []
            assert (path / "config.toml").read_text() == (whole / path.name / "config.toml").read_text()
        assert sum(": resumed; on " in line for line in watcher.lines) >= 1
        assert {"running; on ", "done"} <= {
            mark for mark in ("running; on ", "done") for one in watcher.lines if mark in one
        }

    def test_a_process_that_is_stopped_is_given_up(
        cluster: RayCluster, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(side_by_side, "_SILENT", 8.0)
        runs, stopped = configs(tmp_path, "slow"), list[int]()
        (path,) = runs
        with nodes_of(workers_by_name(f"ray:{cluster.address}", 1), 1, print) as nodes:

            def strike(index: int) -> None:
                if not stopped and (found := process_of(nodes, path)):
                    stopped.append(found)
                    os.kill(found, signal.SIGSTOP)

            _, failed = finish(runs, {path: 0}, Threads(1), Watching(runs, strike), nodes=nodes)
        assert failed == {}
        assert differences(path, whole / "slow") == []
        assert stopped
        wait(lambda: not Path(f"/proc/{stopped[0]}").exists() or state(stopped[0]) == "Z")

    def test_more_threads_than_a_node_has_are_one_line(cluster: RayCluster) -> None:
        told = r"^runs of 9 threads each find no room: the most processors of a node are 1; take --threads 1 or fewer$"
        with (
            pytest.raises(EvoError, match=told),
            nodes_of(workers_by_name(f"ray:{cluster.address}", 1), 9, print),
        ):
            pass

    def state(process: int) -> str:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]

    def wait(until: Callable[[], bool], seconds: float = 120.0) -> None:
        ends = time.monotonic() + seconds
        while not until():
            assert time.monotonic() < ends
            threading.Event().wait(0.1)

    def test_a_study_that_is_stopped_goes_on_on_one_machine(cluster: RayCluster, tmp_path: Path) -> None:
        words = ["compare", SLOW, "--methods", "cma-es,random-search", "--seeds", "1", "--no-video"]
        words += ["--steps", "200", "--out", str(tmp_path / "s"), "--set", "task.dim=3"]
        command = [sys.executable, "-m", "evo", *words, "--threads", "1", "--workers", f"ray:{cluster.address}"]
        running = subprocess.Popen(command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        methods = ["cma-es", "random-search"]
        plan = plan_study(SLOW, methods, 1, 200, None, None, {"task.dim": 3}, tmp_path / "s")
        wait(lambda: running.poll() is not None or any((path / "checkpoints").exists() for path in plan.members))
        running.send_signal(signal.SIGTERM)
        told, errors = running.communicate(timeout=120)
        assert running.returncode == 143, errors
        assert "runs go side by side on 3 nodes: 3 at a time, each with 1 thread" in told
        assert "the same command goes on" in errors and "Traceback" not in errors
        wait(lambda: not members())
        saved = [path for path in plan.members if (path / "config.toml").exists()]
        assert saved
        for path in saved:  # what was saved when it was stopped is home
            run = evo.load(path)
            found = run.directory.newest_checkpoint()
            assert found is not None and found[0] == run.metrics["steps"][-1]
        runs = plan.members
        _, failed = finish(runs, dict.fromkeys(runs, 0), Threads(1), Watching(runs, lambda index: None))
        assert failed == {}
        for path, config in runs.items():
            evo.run(settings=config.values, out=tmp_path / path.name, video=False, threads=1)
            assert differences(path, tmp_path / path.name) == []

    def members() -> list[str]:
        """Processes of members, on this machine."""
        found = []
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                words = path.read_bytes().split(b"\0")
            except OSError:
                continue
            if any(b"evo.comparison.away" in word for word in words) and mine(words):
                found.append(path.parent.name)
        return found

    def mine(words: list[bytes]) -> bool:
        """Whether it is of this module's cluster, by its temporary folder."""
        return any(TEMPORARY.encode() in word for word in words)
