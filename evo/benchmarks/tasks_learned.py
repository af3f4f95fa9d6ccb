"""The table of record: what each method's preset reaches on each task, and what it takes, seed by seed.

Every cell is an ordinary run in `OUT/TASK/METHOD-seedSEED`, as `evo run TASK --method METHOD --seed SEED` makes it.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from rich.console import Console

from evo.benchmarks.record import ES, METHODS, TASKS, Pair, Record, best_es, make_record
from evo.cluster.named import workers_of
from evo.comparison.defaults import DEFAULT_SEEDS, FIRST_SEED
from evo.comparison.display import StudyWatcher, study_display
from evo.comparison.member import Member, read_member
from evo.comparison.plan import check_seeds, difference
from evo.comparison.ray_hosts import nodes_of
from evo.comparison.study import finish, is_finished, make_study_folder
from evo.config.build import make_learner
from evo.config.config import Config
from evo.config.resolve import resolve_config
from evo.config.task_names import task_name
from evo.config.task_spec import TaskSpec
from evo.config.values import Settings, pairs_of
from evo.errors import EvoError, nearest
from evo.evaluation.workers import Threads, Workers
from evo.learners import METHODS as ALL_METHODS
from evo.learners import find_method
from evo.runs.display import Forecast, duration
from evo.runs.plan import plan_of
from evo.runs.run import Run
from evo.storage.files import write_text

OUT = Path("runs") / "record"
_LEAST = 10.0  # seconds that any run takes about, to compile and to be scored

# Makes the display of the runs, given their configurations in the order of work, and about how long each takes.
RecordDisplay = Callable[[Sequence[Config], Sequence[float]], AbstractContextManager[StudyWatcher]]


def tasks_learned(
    tasks: Sequence[str] | None = None,
    methods: Sequence[str] | None = None,
    seeds: int = DEFAULT_SEEDS,
    out: Path | str = OUT,
    settings: Settings = (),
    *,
    run: bool = True,
    threads: int | None = None,
    workers: Workers | str | None = None,
    display: RecordDisplay | None = None,
    say: Callable[[str], None] = lambda text: None,
    told: Callable[[Record, Pair], None] = lambda record, pair: None,
) -> Record:
    """Make what is missing of the table of record, and return it; `evo bench --tasks-learned`.

    tasks: by default Gymnasium's eleven. methods: by default ARS, the best evolution strategy of ours (`es`), GA, PPO,
    SAC and TD3. seeds: number of seeds, from 100 up. out: the folder of the runs; record.md and record.csv there have
    all of its runs, and are written anew whenever one is finished. A run that is there already is used, and one that
    was interrupted is resumed, if its settings are the preset's; another one is a line in the record's `notes`.
    settings: changes of every preset, as --set; not of the tasks. run: whether to run anything. display: makes the
    display of the runs. say: called with lines on what will be done. told: called with the record when a run of the
    pair is finished. threads, workers: as of `evo.compare`.

    All tasks and methods are run with a seed before the next seed, the cheapest first. Ctrl-C saves everything before
    KeyboardInterrupt is raised. Raises EvoError for anything the user can put right.
    """
    check_seeds(seeds)
    cells = _Cells(Path(out), pairs_of(settings))
    if changed := [key for key, _ in cells.settings if key.startswith("task.")]:
        raise EvoError(f"{changed[0]}: the record is of the tasks as they are, or its thresholds would not be theirs")
    pairs = _pairs(tasks, methods)
    asked = [cells.config(pair, seed) for seed in range(FIRST_SEED, FIRST_SEED + seeds) for pair in pairs]
    if not run and not cells.out.exists():
        raise EvoError(f"there is no record at {cells.out} yet; `evo bench --tasks-learned` makes one")
    make_study_folder(cells.out)
    workers = workers_of(threads, workers)
    show = display or (lambda configs, weights: study_display(configs, Console(quiet=True), quiet=True))

    def write() -> Record:
        found = [*cells.finished.values()], [*cells.begun.values()], cells.notes
        record = make_record(cells.out, pairs, seeds, dict(cells.settings), *found)
        write_text(cells.out / "record.md", record.markdown())
        write_text(cells.out / "record.csv", record.csv())
        return record

    cells.scan()
    missing = [config for config in asked if cells.place(config) not in cells.finished.keys() | cells.foreign]
    if run and not missing:
        say(f"all {len(asked)} runs are there")
    if not run or not missing:
        return write()

    def finished(member: Member) -> None:
        cells.scan()
        told(write(), Pair.of(member.config))

    with nodes_of(workers, threads, say) as nodes:
        seconds = _times(cells, missing, workers if nodes is None else Threads(nodes.threads), say)
        times = {pair: cost for pair, cost in seconds.items() if not isinstance(cost, str)}
        ahead = [
            (config, times[Pair.of(config)] * (1.0 - cells.done(config)))
            for config in missing
            if Pair.of(config) in times
        ]
        ahead.sort(key=lambda each: (each[0].seed, math.inf if math.isnan(each[1]) else each[1]))
        missing, left = [config for config, _ in ahead], [seconds for _, seconds in ahead]
        begun = sum(cells.place(config) in cells.begun for config in missing)
        if missing:
            say(_announce(len(asked), begun, missing, left, workers.threads if nodes is None else nodes.threads))
        usual = float(np.nanmean(left)) if np.isfinite(left).any() else 1.0
        known = [max(each if math.isfinite(each) else usual, _LEAST) for each in left]
        failures: Mapping[Path, str] = {}
        if missing:
            runs = {cells.place(config): config for config in missing}
            places = {path: index for index, path in enumerate(runs)}
            with show(missing, known) as watcher:
                _, failures = finish(runs, places, workers, watcher, finished, nodes)
            cells.scan()
    refused = {pair: reason for pair, reason in seconds.items() if isinstance(reason, str)}
    cells.notes += [f"{pair.task} {pair.method}: {reason}" for pair, reason in refused.items()]
    # another command may have finished meanwhile what it held here
    cells.notes += [line for path, line in failures.items() if path not in cells.finished]
    return write()


def _pairs(tasks: Sequence[str] | None, methods: Sequence[str] | None) -> list[Pair]:
    """Return the pairs of the table, task by task. Raises EvoError for a task or method that does not belong in it."""
    found: list[Pair] = []
    for task in map(task_name, TASKS if tasks is None else tasks):
        if not TaskSpec.find(task, {}).kind.acts:
            raise EvoError(f"{task} is no world that a creature acts in: the record is of worlds, such as {TASKS[0]}")
        for name in METHODS if methods is None else methods:
            method = best_es(task) if name == ES else name
            if find_method(method) is None:
                raise EvoError(f"unknown method {name!r}{nearest(name, [*ALL_METHODS, ES])}")
            found.append(Pair(task, method))
    if not found:
        raise EvoError("no tasks or no methods: leave the option out for all of the record's")
    return list(dict.fromkeys(found))


@dataclass
class _Cells:
    """The runs of a record's folder, as `scan` found them.

    settings: changes of every preset. finished: path → member; begun: path → configuration; foreign: paths of runs that
    do not belong in the record, each with a line in `notes`.
    """

    out: Path
    settings: Sequence[tuple[str, object]]
    finished: dict[Path, Member] = field(default_factory=dict)
    begun: dict[Path, Config] = field(default_factory=dict)
    foreign: set[Path] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)

    def config(self, pair: Pair, seed: int) -> Config:
        """Return the configuration of a cell: the preset's. Raises EvoError."""
        flags = {"task.name": pair.task, "method.name": pair.method, "seed": seed}
        return resolve_config(settings=self.settings, flags=flags)

    def place(self, config: Config) -> Path:
        """Return the path of a cell."""
        folder = config.task.name.removeprefix("evo/").replace("/", "-")
        return self.out / folder / f"{config.method.name}-seed{config.seed}"

    def done(self, config: Config) -> float:
        """Return the share of a cell's budget that a run has used."""
        if self.place(config) not in self.begun:
            return 0.0
        try:
            metrics = Run(self.place(config)).metrics
        except EvoError:  # a damaged file, which resuming the run will name
            return 0.0
        row = {name: column[-1] for name, column in metrics.items()}
        return (Forecast(config).fraction(row) or 0.0) if row else 0.0

    def scan(self) -> None:
        """Read the folder again; runs that were finished before are not read again."""
        self.begun, self.foreign, self.notes = {}, set(), []
        for path in sorted(found.parent for found in self.out.glob("*/*/config.toml")):
            if path in self.finished:
                continue
            try:
                self._take(path)
            except EvoError as error:
                self.foreign.add(path)
                named = "" if str(path) in str(error) else f"{path}: "
                self.notes.append(f"left out: {named}{error}")

    def _take(self, path: Path) -> None:
        run = Run(path)
        config = run.config
        if (place := self.place(config)) != path:
            raise EvoError(f"{path} is a run of {place.parent.name}/{place.name}, by its config.toml")
        if config.seed < FIRST_SEED:
            raise EvoError(f"{path} has a seed that presets may be tuned on: the record's are from {FIRST_SEED} up")
        differs = difference(config.values, self.config(Pair.of(config), config.seed).values, but=("evo",))
        if differs:
            raise EvoError(f"{path} was made with {differs}; moved away, it is made again")
        if is_finished(run):
            self.finished[path] = read_member(path)
        else:
            self.begun[path] = config


def _times(
    cells: _Cells, missing: Sequence[Config], workers: Workers, say: Callable[[str], None]
) -> dict[Pair, float | str]:
    """Return about how many seconds a run of each pair takes, NaN where that is unknown; or why it cannot be run.

    Finished runs of the pair tell it; where there are none, a learner is tried.
    """
    found: dict[Pair, float | str] = {}
    known = {Pair.of(member.config) for member in cells.finished.values()}
    if {Pair.of(config) for config in missing} - known:
        say("measuring how long runs take here, before any is begun")
    for config in missing:
        pair = Pair.of(config)
        if pair in found:
            continue
        took = [
            float(member.metrics["wall_s"][-1] + member.metrics["selection_s"][-1])
            for member in cells.finished.values()
            if Pair.of(member.config) == pair
        ]
        if took:
            found[pair] = float(np.mean(took))
            continue
        try:
            planned = plan_of(pair.task, config.values, make_learner(config, workers))
        except EvoError as error:
            found[pair] = str(error)
            say(f"{pair.task} {pair.method}: cannot be run: {error}")
        else:
            found[pair] = math.nan if planned.seconds is None else planned.seconds
            length = "not known" if planned.seconds is None else f"about {duration(planned.seconds)}"
            say(f"{pair.task} {pair.method}: {length} for a run")
    return found


def _announce(asked: int, begun: int, missing: Sequence[Config], left: Sequence[float], threads: int) -> str:
    """Return a line on how many runs are missing, and about how long they take."""
    known = [seconds for seconds in left if math.isfinite(seconds)]
    text = f"{len(missing)} of {asked} runs are missing" + (f" ({begun} of them begun)" if begun else "")
    text += f": about {duration(math.fsum(known))} on this machine with {threads} thread{'s' * (threads != 1)}"
    return text + (f", and {len(left) - len(known)} of unknown length" if len(known) < len(left) else "")
