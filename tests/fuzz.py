"""Damaged files by the hundred thousand: `python -m tests.fuzz --cases 100000`, from the root of the repository.

Every case damages one file that evo wrote (a champion, a checkpoint, a configuration, metrics, a fossil, compiled code)
or makes up a setting, and does what evo does with it. Allowed is a result, or an EvoError of one line that a terminal
can show. A case is a function of the seed and its number: `--first` goes on from one. Cases run in a process of their
own, which is started again after a crash, a hang or too much memory; what failed is kept, with its traceback.
"""

import argparse
import atexit
import collections
import functools
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import unicodedata
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import evo
from evo.algorithms import ALGORITHMS
from evo.api import running as api
from evo.config.build import make_learner
from evo.config.resolve import read_config, resolve_config
from evo.config.values import pairs_of
from evo.envs.engine import compile as kernels
from evo.errors import EvoError
from evo.evaluation.workers import Threads
from evo.networks import network_from_text
from evo.operators import MUTATION, SELECTION
from evo.operators.binding import operator_from_text
from evo.operators.kinds import kind_from_text
from evo.optimizers.schedules import schedule_from_text
from evo.runs.champion import Champion
from evo.runs.warm_start import settings_from
from evo.storage.metrics import MetricsFile
from evo.storage.run_directory import RunDirectory
from tests.support.mutations import damage_arrays, damage_bytes, damage_table, damage_toml, odd_value

SECONDS, BYTES = 10, 2**30  # of the processor, and of memory, that a case may take
MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # waiting for a disk is nine tenths of a case
SMALL = {"evaluation.selection_episodes": 2, "evaluation.report_episodes": 2}
RUNS: dict[str, dict[str, Any]] = {
    "sphere-cma-es": {"task": "sphere", "method": "cma-es", "dim": 4},
    "sphere-ga": {"task": "sphere", "method": "ga", "dim": 3},
    "rastrigin-ipop": {"task": "rastrigin", "method": "ipop", "dim": 3},
    "cartpole-ars": {"task": "cartpole", "method": "ars"},
    "pointmass-pgpe": {"task": "pointmass", "method": "pgpe", "network": "mlp:3"},
    "sphere-sep-cma-es": {"task": "sphere", "method": "sep-cma-es", "dim": 4},
    "sphere-deep-ga": {"task": "sphere", "method": "deep-ga", "dim": 3},
    "sphere-islands": {"task": "sphere", "method": "islands", "dim": 3},
    "sphere-nelder-mead": {"task": "sphere", "method": "nelder-mead", "dim": 3},
}


TEXTS: list[tuple[Callable[[str], Any], str]] = [
    *(
        (functools.partial(network_from_text, inputs=4, outputs=2), text)
        for text in (
            "residual(layernorm > dense(8, relu, bias=false) > dense:4) > lstm(3, 4) > dense:2",
            "transformer(4, 8, heads=2, window=3)",
            "mlp:8,8:relu:he",
        )
    ),
    (functools.partial(network_from_text, inputs=(9, 9, 2), outputs=2), "conv:8x3,4x2:same > pool(2) > dense(2, zero)"),
    (schedule_from_text, "warmup(0.1) > step:0.5@0.3,0.6"),
    (functools.partial(operator_from_text, table=MUTATION), "polynomial(low=[0, -1], high=1, probability=1e-1)"),
    (functools.partial(operator_from_text, table=SELECTION), "tournament:size=4"),
    (functools.partial(operator_from_text, table=ALGORITHMS), "ga(16, select=truncation(4), mutate='gaussian:0.1')"),
    (kind_from_text, "integer(low=0, high=9)"),
]


def make_runs(folder: Path, names: list[str] | None = None) -> None:
    """Small runs whose files are damaged."""
    for name in names or RUNS:
        options = dict(RUNS[name])
        settings = {**SMALL, **options.pop("settings", {})}
        if not (folder / name).exists():
            evo.run(**options, settings=settings, generations=3, out=folder / name, video=False, threads=1)


class Cases:
    """Cases on the runs in `folder`; `work` is a folder to damage files in."""

    def __init__(self, folder: Path, work: Path) -> None:
        self.work, self.runs = work, sorted(path for path in folder.iterdir() if (path / "config.toml").exists())
        self.keys = {run.name: list(api.load(run).config.values) for run in self.runs}
        everything = resolve_config(flags={"task.name": "evo/Quadruped-v0"}).values
        self.settings = sorted({*everything, *(key for keys in self.keys.values() for key in keys)})
        self.compiled = work / "of"
        self.compiled.mkdir(exist_ok=True)

    def warm_up(self) -> None:
        """What is compiled, or read once, takes none of a case's time."""
        for run in self.runs:
            champion = _champion(run)
            champion.evaluate(seeds=np.arange(2))
            if champion.kind == "world":
                champion.policy()(np.zeros(champion.network.inputs))
                champion.walking.rollout(champion.params, 0, champion.candidate.statistics)
            copy = self.work / "warm"
            shutil.copytree(run, copy)
            api.resume(copy, generations=4, video=False, threads=1)
            shutil.rmtree(copy)

    def run(self, kind: str, random: np.random.Generator) -> None:
        """One case. Raises whatever evo raises but EvoError."""
        try:
            getattr(self, kind)(random)
        except EvoError as error:
            text = str(error)
            assert _harmless(text) and len(text) < 2500, f"no line for a terminal: {text[:200]!r}"

    def _chosen(self, random: np.random.Generator) -> Path:
        return self.runs[random.integers(len(self.runs))]

    def champion(self, random: np.random.Generator) -> None:
        """Read, shown, begun from, scored, asked for an action."""
        path = self.work / "champion.npz"
        path.write_bytes(damage_arrays((self._chosen(random) / "champion.npz").read_bytes(), self.work, random))
        champion = Champion.load(path)
        shown = f"{champion!r} {champion.reported_fitness} {champion.digest} {champion.score}"
        assert _harmless(shown), f"no line for a terminal: {shown[:200]!r}"
        resolve_config(settings_from(path), flags={"budget.generations": 1})
        problem = champion.problem_on(Threads(1))
        champion.__dict__["problem"] = problem
        champion.evaluate(seeds=np.arange(2))
        if len(champion.selection_returns) < 10:
            champion.verify()
        if champion.kind == "world":
            champion.policy()(np.zeros(champion.network.inputs))

    def checkpoint(self, random: np.random.Generator) -> None:
        """Resumed, for a generation more."""
        source, run = self._chosen(random), self.work / "run"
        shutil.rmtree(run, ignore_errors=True)
        shutil.copytree(source, run, ignore=shutil.ignore_patterns("plots", "videos", "fossils"))
        newest = max((run / "checkpoints").iterdir())
        state = newest / "state.npz"
        state.write_bytes(damage_arrays(state.read_bytes(), self.work, random))
        for older in (run / "checkpoints").iterdir():
            if older != newest:
                shutil.rmtree(older)
        api.resume(run, generations=4, video=False, threads=1)

    def config(self, random: np.random.Generator) -> None:
        """Read, and the learner made."""
        source, run = self._chosen(random), self.work / "configured"
        run.mkdir(exist_ok=True)
        text = (source / "config.toml").read_bytes()
        (run / "config.toml").write_bytes(damage_toml(text, random, self.keys[source.name]))
        config = api.load(run).config
        assert resolve_config(read_config(config.toml(), "again")).values == config.values
        make_learner(config, Threads(1))

    def setting(self, random: np.random.Generator) -> None:
        """As on the command line."""
        key = self.settings[random.integers(len(self.settings))]
        value = odd_value(random)
        text = f"{key}={value}" if random.integers(2) else f"{key}={value!r}"
        if not random.integers(4):
            text = damage_bytes(text.encode("utf-8", "replace"), random).decode("utf-8", "replace")
        task = ["evo/Quadruped-v0", "sphere", "xor", "cartpole", "Hopper-v5"][random.integers(5)]
        make_learner(
            resolve_config(settings=pairs_of([text]), flags={"task.name": task, "budget.generations": 1}), Threads(1)
        )

    def text(self, random: np.random.Generator) -> None:
        """A network, schedule, operator or algorithm with its options, by what reads it."""
        read, text = TEXTS[random.integers(len(TEXTS))]
        try:
            read(damage_bytes(text.encode(), random).decode("utf-8", "replace"))
        except ValueError as error:
            raise EvoError(str(error)) from error

    def metrics(self, random: np.random.Generator) -> None:
        """Read, cut to what a checkpoint knows, and gone on with."""
        path = self.work / "metrics.csv"
        path.write_bytes(damage_table((self._chosen(random) / "metrics.csv").read_bytes(), random))
        said: list[str] = []
        file = MetricsFile(path, said)
        columns = file.read()
        assert all(_harmless(name) for name in (*columns, *said))
        assert all(len(column) == len(next(iter(columns.values()))) for column in columns.values())
        file.keep(2)
        if columns:
            file.append(dict.fromkeys(columns, 1.0))
        MetricsFile(path, said).read()

    def fossil(self, random: np.random.Generator) -> None:
        """Read, and shown as the film of a run does."""
        source, run = self._chosen(random), self.work / "fossil"
        (run / "fossils").mkdir(parents=True, exist_ok=True)
        (run / "config.toml").write_bytes((source / "config.toml").read_bytes())
        name = f"{0:015d}.npz"
        first = min((source / "fossils").iterdir())
        (run / "fossils" / name).write_bytes(damage_arrays(first.read_bytes(), self.work, random))
        champion = _champion(source)
        candidate = champion.fossil(RunDirectory.open(run).read_fossil(0))
        if champion.kind == "world":
            champion.walking.rollout(candidate.params, 0, candidate.statistics)

    def cache(self, random: np.random.Generator) -> None:
        """Nothing but what was kept is ever loaded."""
        file = kernels._CacheFile(str(self.compiled), "kernel", "stamp")
        file.save("float32", "code")
        path = sorted(self.compiled.iterdir())[random.integers(2)]
        whole = path.read_bytes()
        damaged = damage_bytes(whole, random)
        path.write_bytes(damaged)
        assert file.load("float32") == ("code" if damaged == whole else None)


KINDS = {
    "champion": 0.23,
    "checkpoint": 0.12,
    "config": 0.2,
    "setting": 0.1,
    "text": 0.05,
    "metrics": 0.15,
    "fossil": 0.05,
    "cache": 0.1,
}


def _harmless(text: str) -> bool:
    """Whether it is one line that commands no terminal. Signs that Unicode may assign one day do nothing."""
    return all(sign.isprintable() or unicodedata.category(sign) in ("Cn", "Co") for sign in text)


@functools.cache
def _champion(run: Path) -> Champion:
    champion = api.load(run).champion
    champion.__dict__["problem"] = champion.problem_on(Threads(1))
    return champion


def chosen(seed: int, number: int, kinds: dict[str, float]) -> tuple[str, np.random.Generator]:
    """Kind and random numbers of a case."""
    random = np.random.default_rng([seed, number])
    weights = np.array([*kinds.values()])
    return [*kinds][random.choice(len(kinds), p=weights / weights.sum())], random


def _serve(options: argparse.Namespace, folder: Path, work: Path) -> None:
    """In a process of its own: the cases from `first`; says each number, and what went wrong with it."""
    cases = Cases(folder, work)
    assert callable(api.show)
    api.show = lambda *arguments: None  # pictures take longer than all else
    if not options.kinds.keys() <= {"metrics", "cache"}:
        cases.warm_up()
    resource.setrlimit(resource.RLIMIT_AS, (8 * BYTES, 8 * BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    warnings.simplefilter("ignore")
    for number in range(options.first, options.first + options.cases):
        kind, random = chosen(options.seed, number, options.kinds)
        print(f"case {number} {kind}", flush=True)
        signal.setitimer(signal.ITIMER_PROF, SECONDS)  # its signal ends the process
        try:
            cases.run(kind, random)
        except Exception as error:
            frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "/tests/" not in frame.filename]
            place = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "the case"
            own = [frame for frame in frames if "/evo/" in frame.filename or "/envs/" in frame.filename]
            ours = f"{Path(own[-1].filename).name}:{own[-1].lineno}" if own else ""
            print(f"failed {type(error).__name__} at {place} {ours}: {str(error)[:300]!r}", flush=True)
        if resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 > BYTES:
            print("failed more than 1 GB of memory", flush=True)
            return


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--folder", type=Path, help="of runs, kept (default: made anew, by this version)")
    parser.add_argument("--child", type=Path)
    options = parser.parse_args()
    names = options.kinds.split(",")
    options.kinds = {name: KINDS[name] for name in names}
    if options.child:
        _serve(options, options.folder, options.child)
        return
    if options.folder is None:
        made = tempfile.TemporaryDirectory(prefix="evo-fuzz-")
        atexit.register(made.cleanup)
        options.folder = Path(made.name)
    options.folder.mkdir(parents=True, exist_ok=True)
    make_runs(options.folder)
    done: collections.Counter[str] = collections.Counter()
    failures: collections.Counter[str] = collections.Counter()
    next_case, last, begun = options.first, options.first + options.cases, time.monotonic()
    while next_case < last:
        with tempfile.TemporaryDirectory(dir=MEMORY) as work:
            arguments = {"--first": next_case, "--cases": last - next_case, "--seed": options.seed, "--child": work}
            command = [sys.executable, "-m", "tests.fuzz", "--kinds", ",".join(names), "--folder", str(options.folder)]
            command += [str(part) for pair in arguments.items() for part in pair]
            child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
            assert child.stdout is not None
            label = "the start"
            for line in child.stdout:
                word, _, rest = line.strip().partition(" ")
                if word == "case":
                    label = rest
                    next_case = int(rest.split()[0]) + 1
                    done[rest.split()[1]] += 1
                    count, wrong = sum(done.values()), sum(failures.values())
                    if count % 1000 == 0:
                        print(f"{count} cases, {wrong} failed, {time.monotonic() - begun:.0f} s", flush=True)
                elif word == "failed":
                    failures[rest.split(": ")[0]] += 1
                    print(f"case {label}: {rest}", flush=True)
            status = child.wait()
        if status:
            reason = f"more than {SECONDS} s" if status == -signal.SIGPROF else f"ended with status {status}"
            failures[reason] += 1
            print(f"case {label}: {reason}", flush=True)
            if label == "the start":
                break
    print(f"seed {options.seed}, cases {options.first} to {next_case - 1}: {dict(done)}")
    print(f"{sum(failures.values())} failed: {dict(failures)}")
    sys.exit(bool(failures))


if __name__ == "__main__":
    main()
