"""Kills runs at any moment, resumes them, and counts what differs from a run that nobody disturbed: nothing may.

From the top of the repository:

    python -m tests.chaos --kills 300

Each trial is a run on one of the cases below that is killed one to three times with SIGKILL: before its n-th call that
changes the disk (open, rename, fsync, …), or as soon as it has written so many rows of metrics. Of runs with helper
processes these are killed too. Then the run goes on to its end, and its metrics, last checkpoint, champion and fossils
are compared with those of the undisturbed run, bit by bit. All of it follows from --seed; what is done is recorded in
--out, and the same command goes on there. Exit status 1 where anything differed.
"""

import argparse
import contextlib
import csv
import itertools
import os
import random
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

import evo
from evo.algorithms import ALGORITHMS
from evo.storage.files import read_arrays

# Functions of `os` that change the disk.
CALLS = "open", "replace", "rename", "fsync", "mkdir", "unlink", "rmdir", "write", "ftruncate"
KINDS = "call", "moment", "helper"  # of kills
CLOCKS = {"wall_s", "cpu_s", "selection_s", "selection_cpu_s"}
POLL = 0.002  # seconds between two looks at another process


def count_calls(reached: Callable[[int], None]) -> None:
    """From now on tell `reached` before each call that changes the disk how many there were."""
    counter = itertools.count()

    def counted(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **keywords: Any) -> Any:
            reached(next(counter))
            return function(*arguments, **keywords)

        return call

    for name in CALLS:
        setattr(os, name, counted(getattr(os, name)))


def die_at(place: int) -> None:
    """End this process before its call number `place`, from 0, that changes the disk, as by SIGKILL."""
    count_calls(lambda count: os.kill(os.getpid(), signal.SIGKILL) if count == place else None)


def differences(one: Path, other: Path) -> list[str]:
    """What differs between two runs, clocks and places on the disk apart: columns, arrays, fossils."""
    first, second = evo.load(one), evo.load(other)
    pairs = [("metrics", _without(first.metrics, CLOCKS), _without(second.metrics, CLOCKS))]
    pairs.append(("checkpoint", _last_state(one), _last_state(other)))
    pairs.append(("champion", first.champion.arrays(), second.champion.arrays()))
    fossils = first.directory.fossils()
    found = [] if fossils == second.directory.fossils() else ["fossils"]
    for number in fossils if not found else ():
        pairs.append((f"fossil {number}", first.directory.read_fossil(number), second.directory.read_fossil(number)))
    for label, left, right in pairs:
        for name in sorted(left.keys() | right.keys()):
            # by their bytes: NaN equals itself, and -0.0 is not 0.0
            if name not in left or name not in right or _bits(left[name]) != _bits(right[name]):
                found.append(f"{label}: {name}")
    return found


def _bits(array: np.ndarray) -> tuple[str, tuple[int, ...], bytes]:
    return array.dtype.str, array.shape, array.tobytes()


def _without(arrays: Mapping[str, np.ndarray], names: set[str]) -> dict[str, np.ndarray]:
    return {name: array for name, array in arrays.items() if name not in names}


def _last_state(path: Path) -> dict[str, np.ndarray]:
    """Everything the newest checkpoint remembers, clocks apart."""
    return _without(read_arrays(max((path / "checkpoints").iterdir()) / "state.npz"), {"clock"})


@dataclass(frozen=True)
class Case:
    """A method on a problem, small enough to be run some hundred times."""

    name: str
    task: str
    method: str
    generations: int
    threads: int = 1
    options: Mapping[str, Any] = field(default_factory=dict)

    def begin(self, path: Path, **where: Any) -> None:
        """Run it; where: `workers`, in place of its threads."""
        evo.run(
            self.task,
            method=self.method,
            generations=self.generations,
            seed=5,
            video=False,
            out=path,
            **(where or {"threads": self.threads}),
            **self.options,
        )


_FEW: Mapping[str, Any] = {"evaluation.selection_episodes": 2, "evaluation.report_episodes": 2}
_WORLD = {"settings": _FEW}
_PPO = {"settings": {**_FEW, "method.environments": 2, "method.horizon": 64}}
_OF_VECTORS = [name for name in ALGORITHMS if name != "neat"]  # which searches graphs
CASES = [
    *(Case(f"sphere {method}", "sphere", method, 60, options={"dim": 6}) for method in (*_OF_VECTORS, "nelder-mead")),
    *(
        Case(f"cartpole {method}", "cartpole", method, 8, options=_WORLD)
        for method in ("ars", "openai-es", "ga", "neat")
    ),
    Case("cartpole powell", "cartpole", "powell", 8, options=_WORLD),
    Case("cartpole persistent-es", "cartpole", "persistent-es", 8, options=_WORLD),
    Case("cartpole ppo", "cartpole", "ppo", 6, options=_PPO),
    Case("quadruped ars, 2 threads", "quadruped", "ars", 4, threads=2, options=_WORLD),
    Case("spirals backprop", "spirals", "backprop", 60),
    Case("spirals ga", "spirals", "ga", 12),
    Case("CartPole-v1 ars, 2 helpers", "CartPole-v1", "ars", 4, threads=2, options=_WORLD),
    Case("CartPole-v1 ppo", "CartPole-v1", "ppo", 4, options=_PPO),
]


@dataclass(frozen=True)
class Trial:
    """Which case is killed where: a kill is a call's place as a share of all, or a share of its rows of metrics."""

    number: int
    case: Case
    kills: tuple[tuple[str, float], ...]  # (one of KINDS, 0 to 1)


def plan(seed: int, cases: list[Case]) -> Iterator[Trial]:
    """Trials without end, each a pure function of the seed and its number."""
    for number in itertools.count():
        case, dice = cases[number % len(cases)], random.Random(f"{seed}/{number}")
        kinds = ["call", "call", "moment", *(["helper", "helper"] if "helpers" in case.name else [])]
        kills = tuple((dice.choice(kinds), dice.random()) for _ in range(dice.choice((1, 2, 2, 3))))
        yield Trial(number, case, kills)


def in_child(work: Callable[[], None], log: Path) -> int:
    """Start work() in a process of its own, a fork of this one; its process id."""
    child = os.fork()
    if child:
        return child
    try:
        os.setsid()
        with log.open("a") as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
        work()
        os._exit(0)
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(1)


def ended(child: int) -> int:
    """Wait for it; its exit code, or minus the signal that ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def go_on(case: Case, path: Path, **where: Any) -> None:
    """Begin the run, or resume what a killed one left; where: `workers`, in place of its threads."""
    if (path / "config.toml").exists():
        evo.resume(path, video=False, trust=True, **(where or {"threads": case.threads}))
    else:
        case.begin(path, **where)


class Chaos:
    """Trials in `folder`: undisturbed runs in whole/, those that are killed in trials/, a line each in results.csv."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.results, self._warm = folder, folder / "results.csv", set[str]()
        for name in ("whole", "trials"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        self._calls: dict[str, int] = {}

    def done(self) -> dict[int, dict[str, str]]:
        """The lines of results.csv by the number of their trial."""
        if not self.results.exists():
            return {}
        with self.results.open() as file:
            return {int(row["trial"]): row for row in csv.DictReader(file)}

    def whole(self, case: Case) -> Path:
        """The undisturbed run, made when it is not there."""
        path = self.folder / "whole" / case.name.replace(" ", "-").replace(",", "")
        counted = path.with_suffix(".calls")
        if not counted.exists():
            shutil.rmtree(path, ignore_errors=True)

            def work() -> None:
                calls = [0]
                count_calls(lambda count: calls.__setitem__(0, count + 1))
                case.begin(path)
                counted.write_text(str(calls[0]))

            code = ended(in_child(work, path.with_suffix(".log")))
            if code:
                raise RuntimeError(f"{case.name}: undisturbed, it ended with {code}; see {path.with_suffix('.log')}")
        self._calls[case.name] = int(counted.read_text())
        return path

    def run(self, trial: Trial) -> dict[str, Any]:
        """Kill, resume and compare; a row for results.csv."""
        self._warm_up(trial.case)
        whole = self.whole(trial.case)
        path = self.folder / "trials" / f"{trial.number:05d}"
        log = path.with_suffix(".log")
        shutil.rmtree(path, ignore_errors=True)
        kills = dict.fromkeys(KINDS, 0)
        problems = []
        for kind, share in trial.kills:
            place = int(share * self._calls[trial.case.name])
            child = in_child(lambda kind=kind, place=place: self._live(trial.case, path, kind, place), log)  # type: ignore[misc]
            if kind != "call":
                kills[kind] += self._strike(child, path, kind, share * trial.case.generations)
            code = ended(child)
            kills["call"] += kind == "call" and code == -signal.SIGKILL
            if code not in (0, -signal.SIGKILL):
                problems.append(f"ended with {code} (see {log})")
        code = ended(in_child(lambda: go_on(trial.case, path), log))
        if code:
            problems.append(f"does not go on: {code} (see {log})")
        else:
            problems += differences(whole, path)
            problems += [] if evo.load(path).ended == evo.load(whole).ended else ["why it ended"]
        if not problems:
            shutil.rmtree(path)
            log.unlink()
        return {"trial": trial.number, "case": trial.case.name, **kills, "differing": "; ".join(problems)}

    def _warm_up(self, case: Case) -> None:
        """Load what the case's runs compile, so that forks of this process have it. Nothing is left running."""
        if case.name not in self._warm:
            self._warm.add(case.name)
            path = self.folder / "warm"
            shutil.rmtree(path, ignore_errors=True)
            evo.run(case.task, method=case.method, generations=1, threads=1, video=False, out=path, **case.options)
            shutil.rmtree(path)

    @staticmethod
    def _live(case: Case, path: Path, kind: str, place: int) -> None:
        if kind == "call":
            die_at(place)
        go_on(case, path)

    @staticmethod
    def _strike(child: int, path: Path, kind: str, rows: float) -> bool:
        """Kill it, or a helper of its, once it has written so many rows; whether it was still there to be killed."""
        while not is_over(child):
            victims = [child] if kind == "moment" else children(child)
            if rows_of(path) >= rows - 1 and victims:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(victims[-1], signal.SIGKILL)
                return True
            time.sleep(POLL)
        return False

    def carry_out(
        self,
        trials: Iterator[Any],
        run: Callable[[Any], Mapping[str, Any]],
        kinds: Sequence[str],
        kills: int,
        runs: int,
    ) -> list[Mapping[str, Any]]:
        """Do trials until there were so many kills and runs; return their rows, also of those done before."""
        done, rows = self.done(), list[Mapping[str, Any]]()
        for trial in trials:
            if sum(int(row[kind]) for row in rows for kind in kinds) >= kills and len(rows) >= runs:
                break
            row: Mapping[str, Any] | None = done.get(trial.number)
            if row is None or row["case"] != trial.case.name:  # of a plan of other cases
                row = run(trial)
                self.record(row)
            rows.append(row)
            if row["differing"]:
                print(f"trial {trial.number} ({row['case']}) differs: {row['differing']}", flush=True)
        return rows

    def record(self, row: Mapping[str, Any]) -> None:
        new = not self.results.exists()
        with self.results.open("a", newline="") as file:
            writer = csv.DictWriter(file, list(row))
            if new:
                writer.writeheader()
            writer.writerow(row)


def rows_of(path: Path) -> int:
    """How many rows of metrics a run has written."""
    metrics = path / "metrics.csv"
    return max(0, metrics.read_bytes().count(b"\n") - 1) if metrics.exists() else 0


def is_over(child: int) -> bool:
    """Whether it ended, and waits for its parent to hear of it."""
    return Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[0] == "Z"


def children(process: int) -> list[int]:
    found = []
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{process}/task").iterdir():
            found += [int(word) for word in (task / "children").read_text().split()]
    return found


def draw_nothing() -> None:
    """Files of pictures are written and renamed as ever, but empty: they are not compared, and drawing them takes
    three quarters of a trial."""
    Figure.savefig = lambda figure, target, **options: Path(target).write_bytes(b"")  # type: ignore[method-assign]


def table(rows: list[Mapping[str, Any]], kinds: Sequence[str] = KINDS) -> str:
    """Kills by case and kind, and what differed."""
    names = " ".join(f"{kind + 's':>7}" for kind in kinds)
    lines = [f"{'case':30} {'trials':>6} {names} {'differing':>9}"]
    cases = list(dict.fromkeys(str(row["case"]) for row in rows))
    for name in [*cases, "all"]:
        mine = [row for row in rows if name in ("all", row["case"])]
        counts = " ".join(f"{sum(int(row[kind]) for row in mine):{max(7, len(kind) + 1)}}" for kind in kinds)
        lines.append(f"{name:30} {len(mine):6} {counts} {sum(bool(row['differing']) for row in mine):9}")
    return "\n".join(lines)


def read_arguments(
    module: str, about: str | None, cases: list[Case], kills: int, words: list[str] | None, runs: int = 0
) -> tuple[argparse.Namespace, list[Case]]:
    """What a campaign's command was given, and the cases that are meant."""
    parser = argparse.ArgumentParser(prog=f"python -m {module}", description=(about or "").splitlines()[0])
    parser.add_argument("--kills", type=int, default=kills, help="at least so many (default: %(default)s)")
    parser.add_argument("--runs", type=int, default=runs, help="at least so many (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the plan (default: 0)")
    parser.add_argument("--out", type=Path, help="folder (default: in runs/); what is done there counts")
    parser.add_argument("--case", action="append", help="only cases whose name has this in it; repeatable")
    given = parser.parse_args(words)
    meant = [case for case in cases if not given.case or any(part in case.name for part in given.case)]
    if not meant:
        parser.error(f"no such case; there are {', '.join(case.name for case in cases)}")
    return given, meant


def main(words: list[str] | None = None) -> int:
    given, cases = read_arguments("tests.chaos", __doc__, CASES, 300, words)
    draw_nothing()
    chaos = Chaos(given.out or Path("runs") / f"chaos-seed{given.seed}")
    rows = chaos.carry_out(plan(given.seed, cases), chaos.run, KINDS, given.kills, given.runs)
    print(table(rows))
    return int(any(row["differing"] for row in rows))


if __name__ == "__main__":
    sys.exit(main())
