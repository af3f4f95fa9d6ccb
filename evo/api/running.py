"""Public functions: run, resume, load and replay; tasks, networks and data sets by name."""

import datetime
import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import tomli_w

from evo.api.arguments import (
    NetworkLike,
    TaskLike,
    as_network,
    as_world_or_data,
    data_reference,
    method_name,
    network_settings,
    task_reference,
)
from evo.cluster.named import workers_of
from evo.config.build import make_dataset, make_learner, make_problem, make_task
from evo.config.config import Config
from evo.config.renamed import renamed_columns
from evo.config.resolve import read_config, resolve_config
from evo.config.task_names import task_name
from evo.config.task_spec import TaskSpec
from evo.config.values import Settings, pairs_of
from evo.datasets import Dataset, arrays
from evo.envs import reference
from evo.envs.engine.compile import KernelError
from evo.envs.engine.physics import EngineError
from evo.errors import EvoError, one_line
from evo.evaluation.evaluator import AnyTask
from evo.evaluation.workers import NodeWorkers, Workers
from evo.learners.learner import Learner
from evo.networks import Network
from evo.numerics.platform_facts import platform_facts, processor_name
from evo.runs.callbacks import Callback, NodesWatcher, Watcher
from evo.runs.checkpoint import restore_learner
from evo.runs.loggers import check_loggers, following
from evo.runs.provenance import Provenance
from evo.runs.run import Run, path_of
from evo.runs.showing import replay, show, view
from evo.runs.signals import advising, stoppable
from evo.runs.training import Progress, over, train
from evo.runs.warm_start import COPY, settings_from, start_of
from evo.storage.files import read_text, read_toml, write_text
from evo.storage.memory import size_text
from evo.storage.paths import command, fresh_path, from_here, task_slug
from evo.storage.run_directory import RunDirectory

# Makes the display of a run: a context manager that yields a watcher.
Display = Callable[[Config], AbstractContextManager[Watcher]]

__all__ = ["dataset", "load", "network", "replay", "resume", "run", "task", "view"]
_NONE: Mapping[str, Any] = {}
_LARGE = 100e6  # bytes of a checkpoint worth a note


def task(name: TaskLike, **options: Any) -> AnyTask:
    """Return a task by its name, a model file, or the id of any Gymnasium environment. Raises EvoError.

    A name is as in `"HalfCheetah-v5"`, `"quadruped"`, `"package.module:attribute"`.
    """
    named, known = task_reference(name)
    reference.trust(named, *options.values())
    return make_task(named, {**known, **options})


def dataset(
    name: str | Path | None = None,
    *,
    inputs: np.ndarray | None = None,
    targets: np.ndarray | None = None,
    **options: Any,
) -> Dataset:
    """Return a data set by its name (`"digits"`), from a file, a folder or arrays. Raises EvoError.

    A file is .csv or .npz; a folder holds pictures in a folder for each class. Arrays: inputs (examples, …) and targets
    (examples,) or (examples, numbers).
    """
    if name is not None and inputs is None and targets is None:
        reference.trust(name)
        return make_dataset(str(name), options)
    if name is not None or inputs is None or targets is None:
        raise EvoError("a data set has a name, as in evo.dataset('digits'), or else both inputs and targets")
    try:
        return arrays(inputs, targets, **options)
    except (TypeError, ValueError) as error:
        raise EvoError(one_line(error)) from error


def network(
    text: NetworkLike,
    task: TaskLike | Dataset,
    normalise: bool = False,
    clip_observation: float = math.inf,
) -> Network:
    """Return a network sized for a task: `"linear"`, `"mlp:64,64"`, `"mlp:32:relu"`, a Sequential. Raises EvoError.

    normalise: whether it normalises observations. clip_observation: normalised ones are clipped to ± this.
    """
    return as_network(text, as_world_or_data(task), normalise, clip_observation)


def run(
    task: TaskLike | Dataset | None = None,
    *,
    method: str | type[Any] | None = None,
    network: NetworkLike | None = None,
    dim: int | None = None,
    seed: int | None = None,
    generations: int | None = None,
    steps: int | None = None,
    epochs: float | None = None,
    minutes: float | None = None,
    until: float | None = None,
    step_timeout: float | None = None,
    out: Path | str | None = None,
    threads: int | None = None,
    workers: Workers | str | None = None,
    config: Path | str | None = None,
    start: Path | str | Run | None = None,
    cell: str | None = None,
    settings: Settings = (),
    log: str | Sequence[str] = (),
    video: bool = True,
    verbose: bool = False,
    callback: Callable[[Mapping[str, float]], None] | None = None,
    display: Display | None = None,
    planned: Callable[[Config, Learner], None] | None = None,
    trust: bool = False,
) -> Run:
    """Train a network on a task, by evolution or backprop: `evo.run("HalfCheetah-v5", method="ars", minutes=3)`.

    Arguments that are left out come from `settings`, then the `config` file, then the preset for the task and method.
    The run stops at the first of its budgets. Ctrl-C saves everything before KeyboardInterrupt is raised.

    task: its name, a model file, the id of a Gymnasium environment, a function, or a task or data set as an object.
    method: a method by its name, or an algorithm as a class. network: its text, as in `mlp:64,64`, or layers. dim:
    dimension of a function, as in `evo.run("rastrigin", dim=20)`. seed: seed of every random number in the run.
    generations, steps, minutes: stop after so many. epochs: stop after so many passes over the training split of a data
    set. until: stop when the champion's held-out fitness reaches this. step_timeout: seconds after which a reset or
    step of a Gymnasium environment is given up, and its individual fails; by default there is no limit. out: the run
    directory, by default a new one in `runs/`. threads: number of threads, by default one for each available processor.
    workers: evaluates populations elsewhere, with the same bits: `ray` or `ray:HOST:6379` on the nodes of a cluster, or
    workers of your own (see `evo.evaluation.workers`). config: a `config.toml` whose settings to use. start: a run or
    champion file whose champion the learner begins from, on its task, with its network (--from on the command line).
    cell: begin from the elite of this cell of its archive instead, `12` or in a grid `3,7`. settings: settings by their
    dotted keys, as --set. log: loggers that the metrics are passed on to, of `tensorboard`, `wandb` and `mlflow`; they
    cannot break the run. video: film the champion at the end. verbose: print what the command line prints. callback:
    called with each generation's row of metrics. display: makes the display of the run from its configuration (see
    `evo.runs.display`). planned: called with the configuration and the learner before the run begins. trust: whether
    modules that the `config` file or the champion of `start` name may be imported (see `load`).

    Raises EvoError for anything the user can put right, before any work is done where possible.
    """
    log = check_loggers(log)
    # the user's code may change the working directory; paths keep their meaning
    here, workers = Path.cwd(), workers_of(threads, workers)
    out, config = (None if path is None else here / path for path in (out, config))
    pairs = pairs_of(settings)
    digest, options = None, _NONE
    if isinstance(task, Dataset):
        digest = task.digest
        task, options = data_reference(task)
    elif task is not None:
        task, options = task_reference(task)
    pairs = [*((f"task.{option}", value) for option, value in options.items()), *pairs]
    flags = {
        "task.name": task,
        "method.name": None if method is None else method_name(method),
        **({} if network is None else network_settings(network)),
        "task.dim": dim,
        "seed": seed,
        "budget.generations": generations,
        "budget.steps": steps,
        "budget.minutes": minutes,
        "budget.until": until,
        "evaluation.step_timeout": step_timeout,
    }
    reference.trust(*flags.values())  # before a champion's file that holds the same names is read
    file = {} if config is None else read_config(read_text(Path(config)), str(config), trust)
    if cell is not None and start is None:
        raise EvoError(f"cell {cell!r}: say in whose archive: start=RUN, on the command line --from RUN")
    if start is not None:
        start = here / path_of(start)
        begun = settings_from(start, trust, cell)
        if "task.name" in file and task_name(str(file["task.name"])) != begun["task.name"]:
            raise EvoError(f"{config} is for {file['task.name']}, and the champion of {start} for {begun['task.name']}")
        file = begun | {name: value for name, value in file.items() if not name.startswith("start.")}
    resolved = resolve_config(file, pairs, flags)
    if epochs is not None:
        flags["budget.steps"] = _examples(resolved.task, epochs)
        resolved = resolve_config(file, pairs, flags, resolved.task)
    if "data.digest" in resolved.keys and resolved.data.digest is None:
        resolved = resolved.changed({"data.digest": digest or resolved.task.kind.digest(resolved.task.made)})
    # errors in the options are raised before a directory is made
    champion = start_of(resolved, Path(config).parent if config is not None and start is None else None)
    session = _Session(workers, log, video, callback, _display_of(display, verbose), here)
    learner = make_learner(resolved, workers, None if champion is None else champion.candidate)
    if planned is not None:
        planned(resolved, learner)
    stem = f"{task_slug(resolved.task.name)}-{resolved.method.name}-seed{resolved.seed}"
    path = fresh_path(here / "runs" / stem) if out is None else out
    with RunDirectory.create(path, resolved.toml(), _versions()) as directory:
        if champion is not None:
            champion.save(directory.path / COPY)
        return session.work(resolved, learner, directory, Progress())


def _examples(task: TaskSpec, epochs: float) -> int:
    """Return the number of examples of `epochs` epochs. Raises EvoError."""
    examples = task.kind.examples(task.name, task.made)
    if not isinstance(epochs, int | float) or not 0 <= epochs < math.inf:
        raise EvoError(f"epochs must be a number from 0 up, got {epochs!r}")
    return round(epochs * examples)


def resume(
    path: Path | str | Run,
    *,
    generations: int | None = None,
    steps: int | None = None,
    epochs: float | None = None,
    minutes: float | None = None,
    until: float | None = None,
    step_timeout: float | None = None,
    threads: int | None = None,
    workers: Workers | str | None = None,
    log: str | Sequence[str] = (),
    video: bool = True,
    verbose: bool = False,
    callback: Callable[[Mapping[str, float]], None] | None = None,
    display: Display | None = None,
    trust: bool = False,
) -> Run:
    """Resume a run from its newest whole checkpoint; a new budget replaces the old one.

    A run that is past its budget is finished: nothing in it changes. log: as of `run`; a logger goes on where it was.
    threads, workers: as of `run`; they need not be those that it began with. trust: whether modules that its files name
    may be imported (see `load`).

    Raises EvoError where there is nothing to resume.
    """
    log = check_loggers(log)
    here, workers = Path.cwd(), workers_of(threads, workers)
    path = here / path_of(path)
    with RunDirectory.open(path, write=True) as directory:
        checkpoint = directory.newest_checkpoint()
        if (
            checkpoint is None
            and directory.champion_path.exists()
            and Run(path, trust).champion.report_returns is not None
        ):
            shown = command("replay", path, config=directory.config_text)
            raise EvoError(f"{path} is finished and keeps no checkpoint to go on from; `{shown}` shows it")
        source = str(directory.path / "config.toml")
        flags = {
            "budget.generations": generations,
            "budget.steps": steps,
            "budget.minutes": minutes,
            "budget.until": until,
            "evaluation.step_timeout": step_timeout,
        }
        written = read_config(directory.config_text, source, trust)
        config = resolve_config(written, flags=flags)
        if epochs is not None:
            flags["budget.steps"] = _examples(config.task, epochs)
            config = resolve_config(written, flags=flags, task=config.task)
        session = _Session(workers, log, video, callback, _display_of(display, verbose), here)
        state = None if checkpoint is None else checkpoint[1]
        learner, progress = restore_learner(config, directory, state, workers)
        if any(value is not None for value in flags.values()) and not over(config, learner, progress):
            write_text(directory.path / "config.toml", config.toml())
        return session.work(config, learner, directory, progress)


def _display_of(display: Display | None, verbose: bool) -> Display | None:
    """Return the display of a run: the given one, or with verbose the command line's."""
    if display is not None or not verbose:
        return display
    from rich.console import Console

    from evo.runs.display import display as on_terminal

    return lambda config: on_terminal(config, Console(), quiet=False)


@dataclass(frozen=True)
class _Session:
    """One sitting at a run, begun or resumed, and how it is shown.

    here: the user's working directory, to which printed paths are relative.
    """

    workers: Workers
    log: Sequence[str]
    video: bool
    callback: Callable[[Mapping[str, float]], None] | None
    display: Display | None
    here: Path

    def work(self, config: Config, learner: Learner, directory: RunDirectory, progress: Progress) -> Run:
        """Learn until the budget is spent, then draw the run; return it."""
        judge = make_problem(config, self.workers, training=False)
        place = from_here(directory.path, self.here)
        again = command("resume", place, config=config.toml())
        try:
            with (
                advising(f"{again} goes on from there"),
                self.display(config) if self.display else nullcontext() as shown,
            ):
                watcher = Callback(self.callback, shown)
                watcher.note(f"run     {place}")
                progress.provenance = Provenance(directory, self.workers)
                for line in progress.provenance.lines:
                    watcher.note(f"mixed   {line}")
                if isinstance(self.workers, NodeWorkers) and isinstance(shown, NodesWatcher):
                    shown.show_nodes(self.workers.status)
                finished, done = over(config, learner, progress), Run(directory.path, config=config)
                uses = getattr(getattr(learner, "algorithm", None), "uses", ())
                left = [done.archive_path] * ("measures" in uses) + [done.front_path] * ("objectives" in uses)
                if finished and directory.champion_path.exists() and all(path.exists() for path in left):
                    watcher.note(finished)
                    return done
                watcher.phase("compiling for this machine (cached from then on)")
                judge.prepare()
                learner.prepare()
                # what a killed run wrote after its last checkpoint is recomputed
                directory.keep_metrics(progress.rows, renamed_columns(directory.config_text))
                directory.drop_fossils(learner.generation)
                directory.record_end(None)
                _add_processor(directory.path, self.workers.threads)
                _say_size(learner, watcher)
                for warning in directory.warnings:
                    watcher.note(warning)
                watcher.phase("learning")
                settings = read_config(config.toml(), str(directory.path))
                with stoppable(), following(self.log, directory.path, settings, watcher.note) as follow:
                    train(config, learner, judge, directory, progress, Callback(follow, watcher))
                if config.budget.minutes is not None:
                    # the time it took is chance: the generations are recorded instead: the file then repeats the run
                    config = config.changed({"budget.minutes": None, "budget.generations": learner.generation})
                    write_text(directory.path / "config.toml", config.toml())
                done = Run(directory.path, config=config)
                if left:
                    from evo.runs.archive import keep_archive  # few learners leave one
                    from evo.runs.front import keep_front

                    keep_archive(learner, judge, done.archive_path, watcher)
                    keep_front(learner, judge, done.front_path, watcher)
                show(done, self.video, watcher, self.workers.threads)
        except (KernelError, EngineError, FloatingPointError) as error:
            raise EvoError(f"{config.task.name}: {error}") from error
        except MemoryError as error:
            raise EvoError(f"{config.task.name}: there is not enough memory; {one_line(error)}") from error
        return done


def _add_processor(path: Path, threads: int) -> None:
    """Record on what a run is worked on, on which its clocks depend, where that is not known yet."""
    here = f"{processor_name()}, {threads} thread{'s' * (threads > 1)}"
    known = Run(path).processors
    if here not in known:
        with suppress(EvoError):  # a damaged file of versions stops nobody
            versions = read_toml(read_text(path / "versions.toml"), "versions.toml")
            write_text(path / "versions.toml", tomli_w.dumps({**versions, "processors": [*known, here]}))


def _say_size(learner: Learner, watcher: Watcher) -> None:
    """Announce the size of large checkpoints."""
    size = sum(array.nbytes for array in learner.state().values())
    if size > _LARGE:
        watcher.phase(f"checkpoints of {size_text(size)}, of which two are kept: sep-cma-es and lm-ma-es keep far less")


def load(path: Path | str | Run, *, trust: bool = False) -> Run:
    """Open a run directory, to read its metrics, champion and configuration.

    trust: whether modules of your own that its files name, as in the task `mine:fitness`, may be imported, which runs
    their code. Without it they are imported only where you gave the same name in this process, or an installed package
    declares them by an entry point of the group `evo.extensions`. Raises EvoError.
    """
    return Run(path_of(path), trust)


def _versions() -> str:
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    # the bits of backprop depend on scipy's BLAS; those of a score do not
    return tomli_w.dumps({"started": now, "scipy": version("scipy"), **platform_facts()})
