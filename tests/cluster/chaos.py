"""Kills and stops whatever a run on nodes needs, and counts what differs from a run on threads: nothing may.

From the top of the repository, with the extra `ray`:

    python -m tests.cluster.chaos --kills 100

Each trial is a run on a cluster of three nodes. After so many rows of metrics each, a worker process, a raylet, a
whole node, the cluster's head or the driver is killed, or a worker or a node is stopped with SIGSTOP; a node that is
gone is replaced, a stopped one may go on. The driver that was killed goes on on the same cluster, on another, or on
threads. Then the run's metrics, last checkpoint, champion and fossils are compared, bit by bit, with those of a run on
threads that nobody disturbed. All of it follows from --seed; what is done is recorded in --out, and the same command
goes on there. Exit status 1 where anything differed or did not end.
"""

import contextlib
import faulthandler
import itertools
import math
import os
import random
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evo.cluster.named import workers_by_name
from tests.chaos import (
    POLL,
    Case,
    Chaos,
    children,
    differences,
    draw_nothing,
    ended,
    go_on,
    is_over,
    read_arguments,
    rows_of,
    table,
)
from tests.cluster.equality import small_slices, wait_for
from tests.support.ray_cluster import RayCluster, begin

# How often each happens, relative to the others.
KINDS = {
    "worker": 4,
    "raylet": 2,
    "own raylet": 1,
    "node": 2,
    "head": 1,
    "driver": 3,
    "stopped worker": 2,
    "stopped node": 1,
}
_ENDED = "ended by Ray"  # a driver, with its own raylet
_OWN = "own raylet", "head"  # what the driver is connected to
_DRIVE = "--drive"  # a word of the command that starts a driver
_HANGS = 600.0  # seconds without a row of metrics
_PATIENCE = 60.0  # seconds that the first node may take
_NODES = 3

_FEW = {"evaluation.selection_episodes": 2, "evaluation.report_episodes": 2}
CASES = [
    Case("a slow function, cma-es", "tests.support.slow_function:slow", "cma-es", 60, options={"dim": 4}),
    Case("a slow function, ga", "tests.support.slow_function:slow", "ga", 20, options={"dim": 4}),
    Case("a world, ars", "cartpole", "ars", 100, options={"settings": _FEW}),
    Case("a world, rows, ga", "cartpole", "ga", 40, options={"settings": _FEW}),
    Case("a world, seeds, deep-ga", "cartpole", "deep-ga", 40, options={"settings": _FEW}),
    Case("a walker, openai-es", "quadruped", "openai-es", 12, options={"settings": _FEW}),
    Case("a data set, snes", "spirals", "snes", 100),
    Case("CartPole-v1, pgpe", "CartPole-v1", "pgpe", 30, options={"settings": _FEW}),
]


@dataclass(frozen=True)
class Strike:
    """What happens after which share of the rows of metrics, and a delay in seconds; chosen: to which, 0 to 1."""

    kind: str
    share: float
    delay: float
    chosen: float
    after: str  # where a driver goes on: "cluster", "another", "threads"


@dataclass(frozen=True)
class Trial:
    number: int
    case: Case
    strikes: tuple[Strike, ...]


def plan(seed: int, cases: list[Case]) -> Iterator[Trial]:
    """Trials without end, each a pure function of the seed and its number."""
    for number in itertools.count():
        dice = random.Random(f"{seed}/{number}/nodes")
        strikes = [
            Strike(
                dice.choices([*KINDS], [*KINDS.values()])[0],
                dice.random(),
                dice.random(),
                dice.random(),
                dice.choice(("cluster", "cluster", "another", "threads")),
            )
            for _ in range(dice.randint(5, 8))
        ]
        yield Trial(number, cases[number % len(cases)], tuple(sorted(strikes, key=lambda strike: strike.share)))


def begin_driver(case: Case, path: Path, address: str, log: Path) -> int:
    """Start a driver in a process of its own; its process id. No fork: this process has threads."""
    words = [sys.executable, "-m", "tests.cluster.chaos", _DRIVE, case.name, str(path), address]
    written = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    actions = [(os.POSIX_SPAWN_OPEN, 1, log, written, 0o644), (os.POSIX_SPAWN_DUP2, 1, 2)]
    return os.posix_spawn(sys.executable, words, os.environ, file_actions=actions, setsid=True)


def drive(case: Case, path: Path, address: str) -> None:
    """Begin the run or go on with it, on the cluster at an address, or on threads; SIGUSR1 shows where it is."""
    faulthandler.register(signal.SIGUSR1, all_threads=True)
    draw_nothing()
    if not address:
        go_on(case, path)
        return
    nodes = workers_by_name(f"ray:{address}", 1)
    wait_for(nodes, 1, _PATIENCE)
    with small_slices():
        go_on(case, path, workers=nodes)


class Campaign:
    """Trials in a folder, on one cluster after the other."""

    def __init__(self, folder: Path) -> None:
        self.chaos = Chaos(folder)
        self._cluster: RayCluster | None = None
        self._stopped: list[int] = []  # processes

    @property
    def cluster(self) -> RayCluster:
        if self._cluster is None or self._cluster.process.poll() is not None:
            self._cluster = begin(_NODES)
        return self._cluster

    def end(self) -> None:
        """End the cluster, and whatever was stopped."""
        self._wake(signal.SIGKILL)
        if self._cluster is not None:
            self._cluster.end()
            self._cluster = None

    def _wake(self, number: int) -> None:
        _send(self._stopped, number)
        self._stopped.clear()

    def run(self, trial: Trial) -> dict[str, Any]:
        """Begin, strike, go on and compare; a row for the results."""
        whole, began = self.chaos.whole(trial.case), time.monotonic()
        path = self.chaos.folder / "trials" / f"{trial.number:05d}"
        log = path.with_suffix(".log")
        shutil.rmtree(path, ignore_errors=True)
        log.unlink(missing_ok=True)
        counts, problems = dict.fromkeys([*KINDS, _ENDED], 0), list[str]()

        def live(address: str) -> int:
            return begin_driver(trial.case, path, address, log)

        child, code = live(self.cluster.address), -1
        for strike in trial.strikes:
            problems += _wait(child, path, strike.share * trial.case.generations)
            time.sleep(strike.delay)
            if is_over(child):
                break
            counts[strike.kind] += self._strike(strike, child)
            if strike.kind in _OWN:  # the driver goes on alone, until it is killed too; or Ray ends it
                problems += _wait(child, path, rows_of(path) + 3)
                self.end()
                if not is_over(child):
                    counts["driver"] += _send([child], signal.SIGKILL)
                elif code := ended(child):
                    counts[_ENDED] += 1
                    child = 0
                else:
                    break
            elif strike.kind != "driver":
                continue
            if child:
                ended(child)
            if strike.after == "threads":
                child = live("")
                problems += _wait(child, path, rows_of(path) + 3)
                counts["driver"] += _send([child], signal.SIGKILL)
                ended(child)
            elif strike.after == "another":
                self.end()
            child, code = live(self.cluster.address), -1
        if code:
            problems += _wait(child, path, math.inf)
            code = ended(child)
        if code:
            self.end()
        self._wake(signal.SIGKILL)
        problems += [f"ended with {code} (see {log})"] if code else differences(whole, path)
        if not problems:
            shutil.rmtree(path)
        seconds = round(time.monotonic() - began)
        told = ", ".join(f"{count} {kind}" for kind, count in counts.items() if count)
        print(f"trial {trial.number} ({trial.case.name}): {told}; {seconds} s", flush=True)
        row = {"trial": trial.number, "case": trial.case.name, **counts}
        return row | {"seconds": seconds, "differing": "; ".join(problems)}

    def _strike(self, strike: Strike, child: int) -> bool:
        """Do it; whether there was something to be struck."""
        if strike.chosen < 0.5:
            self._wake(signal.SIGCONT)
        if strike.kind == "driver":
            return _send([child], signal.SIGKILL)
        if strike.kind == "head":
            return self.cluster.do("remove 0") == "done"
        raylets = [int(word) for word in self.cluster.do("raylets").split()]
        place = 0 if strike.kind == "own raylet" else 1 + int(strike.chosen * (len(raylets) - 1))
        if place >= len(raylets):  # one could not be replaced
            return False
        if "worker" in strike.kind:
            victims = self._workers(raylets, child)
            victims = victims[int(strike.chosen * len(victims)) :][:1]
        else:
            victims = [raylets[place], *(children(raylets[place]) if strike.kind == "stopped node" else ())]
        if "stopped" in strike.kind:
            self._stopped += victims
            return _send(victims, signal.SIGSTOP)
        if strike.kind != "node" and not _send(victims, signal.SIGKILL):
            return False
        if strike.kind in ("raylet", "node"):
            self.cluster.do(f"remove {place}")
            self.cluster.do("add")
        return True

    def _workers(self, raylets: list[int], child: int) -> list[int]:
        """Return the processes that evaluate slices, once there are some."""
        while not is_over(child):
            found = [process for raylet in raylets for process in children(raylet) if _evaluates(process)]
            if found:
                return found
            time.sleep(POLL)
        return []


def _wait(child: int, path: Path, rows: float) -> list[str]:
    """Wait until a run has so many rows or is over; return what is wrong."""
    last, since = -1, time.monotonic()
    while not is_over(child) and (found := rows_of(path)) < rows:
        if found != last:
            last, since = found, time.monotonic()
        elif time.monotonic() - since > _HANGS:
            _send([child], signal.SIGUSR1)
            time.sleep(1.0)
            _send([child], signal.SIGKILL)
            return [f"hung after {found} rows"]
        time.sleep(POLL)
    return []


def _evaluates(process: int) -> bool:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{process}/cmdline").read_bytes().startswith(b"ray::Slices")
    return False


def _send(processes: list[int], number: int) -> bool:
    """Send a signal to processes; whether one was there."""
    there = False
    for process in processes:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, number)
            there = True
    return there


def main(words: list[str] | None = None) -> int:
    given, cases = read_arguments("tests.cluster.chaos", __doc__, CASES, 100, words, runs=20)
    campaign = Campaign(given.out or Path("runs") / f"chaos-nodes-seed{given.seed}")
    draw_nothing()
    try:
        rows = campaign.chaos.carry_out(plan(given.seed, cases), campaign.run, [*KINDS], given.kills, given.runs)
    finally:
        campaign.end()
    print(table(rows, [*KINDS, _ENDED]))
    return int(any(row["differing"] for row in rows))


if __name__ == "__main__":
    if sys.argv[1:2] == [_DRIVE]:
        drive(next(case for case in CASES if case.name == sys.argv[2]), Path(sys.argv[3]), sys.argv[4])
        sys.exit(0)
    sys.exit(main())
