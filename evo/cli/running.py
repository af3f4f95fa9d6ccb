"""`evo run` and `evo resume`."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from evo.cli.options import (
    Dim,
    Epochs,
    Generations,
    Log,
    Measures,
    Method,
    Minutes,
    ModelRoot,
    Network,
    NoVideo,
    Quiet,
    RunPath,
    Seed,
    Steps,
    StepTimeout,
    Task,
    Threads,
    Trust,
    Until,
    Workers,
)
from evo.runs.terminal import READER_LEFT, Output


def run(
    task: Task = None,
    method: Method = None,
    network: Network = None,
    dim: Dim = None,
    seed: Seed = None,
    generations: Generations = None,
    steps: Steps = None,
    epochs: Epochs = None,
    minutes: Minutes = None,
    until: Until = None,
    step_timeout: StepTimeout = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="run directory (default: a new one in runs/)")] = None,
    threads: Threads = None,
    workers: Workers = None,
    config: Annotated[Path | None, typer.Option("--config", help="a config.toml whose settings to use")] = None,
    start: Annotated[
        Path | None, typer.Option("--from", help="a run whose champion to begin from, on its task, with its network")
    ] = None,
    cell: Annotated[
        str | None, typer.Option("--cell", help="with --from, begin from the elite of this cell of its archive instead")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="a setting, e.g. task.frame_skip=5 or method.sigma=0.05; repeatable"),
    ] = None,
    measures: Measures = None,
    model_root: ModelRoot = None,
    log: Log = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="print the settings and what the run would cost; write nothing")
    ] = False,
    trust: Trust = False,
    no_video: NoVideo = False,
    quiet: Quiet = False,
) -> None:
    """Train a network on TASK, by evolution or backprop; leaves a run directory with the champion and a film of it."""
    from evo.api import running as api

    _work(
        lambda watch: api.run(
            task,
            method=method,
            network=network,
            dim=dim,
            seed=seed,
            generations=generations,
            steps=steps,
            epochs=epochs,
            minutes=minutes,
            until=until,
            step_timeout=step_timeout,
            out=out,
            threads=threads,
            workers=workers,
            config=config,
            start=start,
            cell=cell,
            settings=[
                *(settings or ()),
                *([f"method.measures={measures}"] if measures is not None else ()),
                *([f"task.model_root={model_root.absolute()}"] if model_root else ()),
            ],
            log=log or (),
            video=not no_video,
            display=watch,
            planned=_show_plan if dry_run else None,
            trust=trust,
        ),
        quiet,
    )


def resume(
    path: RunPath = None,
    generations: Generations = None,
    steps: Steps = None,
    epochs: Epochs = None,
    minutes: Minutes = None,
    until: Until = None,
    step_timeout: StepTimeout = None,
    threads: Threads = None,
    workers: Workers = None,
    log: Log = None,
    trust: Trust = False,
    no_video: NoVideo = False,
    quiet: Quiet = False,
) -> None:
    """Resume a stopped run exactly where it was; a budget given here replaces the run's own."""
    from evo.api import running as api
    from evo.runs.run import latest

    path = path or latest()
    _work(
        lambda watch: api.resume(
            path,
            generations=generations,
            steps=steps,
            epochs=epochs,
            minutes=minutes,
            until=until,
            step_timeout=step_timeout,
            threads=threads,
            workers=workers,
            log=log or (),
            video=not no_video,
            display=watch,
            trust=trust,
        ),
        quiet,
    )


def _show_plan(config: Any, learner: Any) -> None:
    """Print a run's settings and what it would cost, and leave."""
    from evo.config.resolve import read_config
    from evo.runs.plan import plan_of

    console, settings = Output(), read_config(config.toml(), "config.toml")
    console.say(config.toml().rstrip())
    console.say("")
    for name, text in plan_of(settings["task.name"], settings, learner).lines():
        console.say(f"{name:10}  {text}")
    raise typer.Exit


def _work(start: Callable[[Any], Any], quiet: bool) -> None:
    """Start or resume a run behind a display, then print its results."""
    from evo.runs.display import display
    from evo.runs.evaluation import whereabouts
    from evo.runs.pictures import Wishes, pictures_of
    from evo.storage.paths import command, from_here

    console, here, shown = Output(), Path.cwd(), list[Any]()

    def watch(config: Any) -> Any:
        shown.append(display(config, console, quiet))
        return shown[-1]

    try:
        finished = start(watch)
    except SystemExit as ended:
        if ended.code == READER_LEFT:
            sys.stderr.write("evo: stopped, since nobody reads the output any more; `evo resume` goes on\n")
        raise
    champion = finished.champion
    kind = champion.spec.kind
    fitness = f"[bold]{champion.reported_fitness}[/]" + (" never seen in training" if kind.held_out else "")
    console.print(f"champion of generation {champion.generation}: {fitness}", highlight=False, soft_wrap=True)
    pictures = pictures_of(kind)
    for line in pictures.describe(champion):
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    if kind.acts and not quiet and (where := whereabouts(champion)):
        console.say(where)
    if not any(one.end_printed for one in shown):
        console.say(f"ended: {finished.ended}")
    for line in finished.mixed:
        console.say(f"mixed   {line}")
    plots = finished.directory.plots
    places = (("archive", plots / "archive.png"), ("front", plots / "front.png"))
    for label, path in (("run", finished.path), (pictures.label, pictures.place(finished, Wishes())), *places):
        if path.exists():
            console.say(f"{label:7} {from_here(path, here)}")
    if not quiet:
        text, path = finished.directory.config_text, from_here(finished.path, here)
        more = ("resume", path, "--generations", str(2 * max(champion.generation, 50)))
        console.say(f"next    {command(*more, config=text)}   continues")
        console.say(
            f"        {command('evaluate', path, config=text)}   scores it again; --set changes the task's options"
        )
