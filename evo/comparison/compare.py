"""`evo.compare`: methods compared on one task, in new runs on equal terms or in finished runs."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from evo.cluster.named import workers_of
from evo.comparison.artefacts import write_artefacts
from evo.comparison.comparison import Comparison
from evo.comparison.curves import equal_budgets
from evo.comparison.display import StudyWatcher, study_display
from evo.comparison.findings import findings_of
from evo.comparison.member import Member, with_last
from evo.comparison.plan import plan_study
from evo.comparison.ray_hosts import nodes_of
from evo.comparison.study import conduct, make_study_folder, read_members, recorded_tunings
from evo.comparison.table import method_rows
from evo.comparison.terms import Terms, deviations_of, terms_of
from evo.comparison.thresholds import thresholds_of
from evo.comparison.tuning import Tuning
from evo.config.config import Config
from evo.config.values import Settings, pairs_of
from evo.errors import EvoError
from evo.evaluation.workers import Workers
from evo.runs.run import Run, path_of
from evo.storage.paths import command, fresh_path, task_slug

# Makes the display of a study, given the configurations of its members in the order of work.
StudyDisplay = Callable[[Sequence[Config]], AbstractContextManager[StudyWatcher]]


def compare(
    *what: Path | str | Run,
    methods: Sequence[str] | str | None = None,
    seeds: int | None = None,
    steps: int | None = None,
    minutes: float | None = None,
    network: str | None = None,
    settings: Settings = (),
    tune: int | None = None,
    out: Path | str | None = None,
    threads: int | None = None,
    workers: Workers | str | None = None,
    video: bool = True,
    display: StudyDisplay | None = None,
    trust: bool = False,
) -> Comparison:
    """Compare methods on a task: `evo.compare("quadruped", methods=["ars", "ga"], seeds=5, steps=500_000)`.

    what: a task, or two or more directories of finished runs. On a task, every method runs on `seeds` seeds (5: 100 to
    104) with the same network (`mlp:64,64`; `preset` leaves each method its own), normalised observations (clipped as
    each method's preset has it, PPO's at ±10; network.clip_observation in `settings` clips all alike), and budget for
    each run (1,000,000 env steps), and is scored equally often (selection takes 0.4 of the training's env steps). SAC
    and TD3, whose policies must end in `squash` and whose observations cannot be normalised, have that network with
    this action layer (`mlp:64,64>squash`) on raw observations, which the terms tell. Otherwise a method keeps its
    preset; but none trains on an altered task unless all do (settings of training.*).
    methods: names, or one text with commas between them. settings: dotted keys of task.*, training.*, evaluation.*,
    network.normalise and network.clip_observation, as --set. tune: before its report seeds run, each method gets so
    many trials of a random search over its search space, each a run with that budget on one of the seeds 0 to 9, in
    `tuning` of the directory; the first is the preset, and the best by its champion's score on the selection episodes
    gives the settings. None or 0: presets as they are. A method without a search space is not tuned. out: the
    directory, by default for a task `runs/studies/<task>-<methods>`, in which finished runs are reused and interrupted
    ones resumed. Finished runs are only read; they may differ in network and budget. threads: for runs and pictures
    alike. workers: as of `evo.run`, but on the nodes of a cluster runs go side by side, each whole on one, with so many
    threads, by default as many as the node with the fewest processors has. video: film a race of the champions.
    display: makes the display of the work, as `study_display` does. trust: whether modules that finished runs name may
    be imported (see `evo.load`).
    Ctrl-C saves everything before KeyboardInterrupt is raised. A run that fails is a line in `failures`.
    Raises EvoError for anything the user can put right, and where every run failed.
    """
    named = [path_of(one) if isinstance(one, Run) else one for one in what]
    show = display or (lambda configs: study_display(configs, Console(quiet=True), quiet=True))
    target = None if out is None else Path(out)
    workers = workers_of(threads, workers)
    if not named:
        raise EvoError("no task given; for example: evo compare HalfCheetah-v5")
    are_runs = [(Path(name) / "config.toml").exists() for name in named]
    if any(are_runs):
        asked = {"methods": methods, "seeds": seeds, "steps": steps, "minutes": minutes, "network": network}
        for name, value in {**asked, "tune": tune, "settings": settings or None}.items():
            if value is not None:
                raise EvoError(f"{name} goes with a task; finished runs are compared as they are")
        return _compare_runs([Path(name) for name in named], target, workers, video, show, trust)
    if len(named) > 1:
        raise EvoError(
            f"none of {', '.join(map(str, named))} is a run directory; compare two or more of those, or methods on a "
            f"task: evo compare {named[0]} --methods ars,ga"
        )
    plan = plan_study(str(named[0]), methods, seeds, steps, minutes, network, dict(pairs_of(settings)), target, tune)
    terms_of(plan.members)  # refused before any work
    with show(
        [*(config for trials in plan.trials.values() for config in trials.values()), *plan.members.values()]
    ) as watcher:
        with nodes_of(workers, threads, watcher.phase) as nodes:
            done = conduct(plan, workers, watcher, nodes)
        terms = terms_of(done.plan.members, done.tunings)
        return _conclude(
            plan.path, plan.command, terms, done.members, done.tunings, done.failures, workers, video, watcher
        )


def _compare_runs(
    paths: Sequence[Path], out: Path | None, workers: Workers, video: bool, show: StudyDisplay, trust: bool
) -> Comparison:
    members = read_members(paths, trust)
    tunings = recorded_tunings(members, trust)
    terms = terms_of({member.path: member.config for member in members}, tunings)
    methods = dict.fromkeys(member.config.method.name for member in members)
    stem = f"{task_slug(members[0].config.task.name)}-{'-'.join(methods)}"
    path = out or fresh_path(Path("runs") / "studies" / stem)
    make_study_folder(path)
    told = "\n".join(member.config.toml() for member in members)
    again = command("compare", *paths, "--out", path, config=told)
    with show([member.config for member in members]) as watcher:
        for index in range(len(members)):
            watcher.state(index, "reused")
        return _conclude(path, again, terms, members, tunings, [], workers, video, watcher)


def _conclude(
    path: Path,
    command: str,
    terms: Terms,
    members: Sequence[Member],
    tunings: Mapping[str, Tuning],
    failures: Sequence[str],
    workers: Workers,
    video: bool,
    watcher: StudyWatcher,
) -> Comparison:
    """Compute the results, write and draw them."""
    watcher.phase("scoring what was learned last")
    members = [with_last(member, workers) for member in members]
    thresholds = thresholds_of(members)
    rows = method_rows(members, thresholds)
    comparison = Comparison(
        path=path,
        command=command,
        terms=replace(terms, deviations=(*terms.deviations, *deviations_of(members))),
        members=tuple(members),
        tunings=tunings,
        thresholds=thresholds,
        budgets=tuple(equal_budgets(members)),
        rows=tuple(rows),
        findings=tuple(findings_of(members, rows, thresholds)),
        failures=tuple(failures),
    )
    missing = write_artefacts(comparison, workers, video, watcher.phase)
    return replace(comparison, failures=(*failures, *missing))
