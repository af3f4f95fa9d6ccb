"""The command line: it parses arguments, calls the public functions and prints; heavy imports wait until needed."""

import os
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from evo.cli.measuring import bench
from evo.comparison.defaults import (
    DEFAULT_METHODS,
    DEFAULT_NETWORK,
    DEFAULT_SEEDS,
    DEFAULT_STEPS,
    FIRST_SEED,
    PRESET_NETWORK,
)
from evo.runs.terminal import READER_LEFT, Output, accept_any_encoding, show_notes, show_warning

if TYPE_CHECKING:
    from evo.runs.fitness import Verification

app = typer.Typer(
    name="evo",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Evolve neural-network controllers for walking creatures; stop, resume, and watch them.",
)

_SHOWN = {"world": "film", "function": "map", "data set": "picture"}  # what `replay` makes of each kind of task
_Task = Annotated[
    str | None, typer.Argument(help="e.g. HalfCheetah-v5, quadruped, rastrigin; see `evo list`", show_default=False)
]
_Method = Annotated[str | None, typer.Option("--method", "-m", help="e.g. ars, openai-es, ga, ppo; see `evo list`")]
_Network = Annotated[str | None, typer.Option("--network", "-n", help="linear, mlp:64,64, mlp:32:relu")]
_Dim = Annotated[int | None, typer.Option("--dim", help="how many numbers a function takes, e.g. rastrigin")]
_Seed = Annotated[int | None, typer.Option("--seed", "-s", help="of every random number in the run (default: 0)")]
_Generations = Annotated[int | None, typer.Option("--generations", "-g", help="stop after so many generations")]
_Steps = Annotated[
    int | None, typer.Option("--steps", help="stop after so many env steps, evaluations of a function, or examples")
]
_Epochs = Annotated[
    float | None, typer.Option("--epochs", help="stop after as many examples as the data set's training split has")
]
_Minutes = Annotated[float | None, typer.Option("--minutes", help="stop after so many minutes")]
_Until = Annotated[float | None, typer.Option("--until", help="stop when the held-out fitness reaches this")]
_StepTimeout = Annotated[
    float | None,
    typer.Option("--step-timeout", help="seconds after which a step of a Gymnasium environment is given up"),
]
_Threads = Annotated[int | None, typer.Option("--threads", help="processors to use (default: all this process may)")]
_NoVideo = Annotated[bool, typer.Option("--no-video", help="do not film the champion at the end")]
_Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="print nothing but the result")]
_Trust = Annotated[
    bool, typer.Option("--trust", help="import the modules of your own that a run, champion or config names")
]
_ModelRoot = Annotated[
    Path | None, typer.Option("--model-root", help="the folder that all files a model file names must lie in")
]
_Path = Annotated[
    Path | None, typer.Argument(help="a run directory (default: the latest in runs/)", show_default=False)
]


@app.command()
def run(
    task: _Task = None,
    method: _Method = None,
    network: _Network = None,
    dim: _Dim = None,
    seed: _Seed = None,
    generations: _Generations = None,
    steps: _Steps = None,
    epochs: _Epochs = None,
    minutes: _Minutes = None,
    until: _Until = None,
    step_timeout: _StepTimeout = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="run directory (default: a new one in runs/)")] = None,
    threads: _Threads = None,
    config: Annotated[Path | None, typer.Option("--config", help="a config.toml to start from")] = None,
    start: Annotated[
        Path | None, typer.Option("--from", help="a run whose champion to begin from, on its task with its network")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="key=value, e.g. task.frame_skip=5 or method.noise=0.05; repeatable"),
    ] = None,
    model_root: _ModelRoot = None,
    trust: _Trust = False,
    no_video: _NoVideo = False,
    quiet: _Quiet = False,
) -> None:
    """Evolve a creature on TASK; leaves a run directory with its champion and a film of it."""
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
            config=config,
            start=start,
            settings=[*(settings or ()), *([f"task.model_root={model_root.absolute()}"] if model_root else ())],
            video=not no_video,
            display=watch,
            trust=trust,
        ),
        quiet,
    )


@app.command()
def resume(
    path: _Path = None,
    generations: _Generations = None,
    steps: _Steps = None,
    epochs: _Epochs = None,
    minutes: _Minutes = None,
    until: _Until = None,
    step_timeout: _StepTimeout = None,
    threads: _Threads = None,
    trust: _Trust = False,
    no_video: _NoVideo = False,
    quiet: _Quiet = False,
) -> None:
    """Go on with a stopped run where it was; a budget given here replaces the run's own."""
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
            video=not no_video,
            display=watch,
            trust=trust,
        ),
        quiet,
    )


def _work(start: Callable[[Any], Any], quiet: bool) -> None:
    """Start or resume a run behind a display, then print its results."""
    from evo.config.resolve import FUNCTION
    from evo.runs.display import display
    from evo.storage.paths import from_here

    console, here = Output(), Path.cwd()
    try:
        finished = start(lambda config: display(config, console, quiet))
    except SystemExit as ended:
        if ended.code == READER_LEFT:
            sys.stderr.write("evo: stopped, since nobody reads the output any more; `evo resume` goes on\n")
        raise
    champion = finished.champion
    kind = champion.kind
    fitness = f"[bold]{champion.reported_fitness}[/]" + ("" if kind == FUNCTION else " never seen in training")
    console.print(f"champion of generation {champion.generation}: {fitness}", highlight=False, soft_wrap=True)
    if kind == FUNCTION:
        console.print(f"at {_numbers(champion.params)}", highlight=False, soft_wrap=True)
    console.say(f"ended: {finished.ended}")
    film, plots = finished.path / "videos" / "champion.mp4", finished.path / "plots"
    shown = (("film", film), ("map", plots / "landscape.png"), ("picture", plots / "answers.png"))
    for label, path in (("run", finished.path), *shown):
        if path.exists():
            console.say(f"{label:7} {from_here(path, here)}")


def _numbers(values: Any, most: int = 10) -> str:
    """Return the coordinates of a point as text, only the first `most` of a long one."""
    return ", ".join(f"{value:.4g}" for value in values[:most]) + (", …" if len(values) > most else "")


@app.command()
def compare(
    what: Annotated[
        list[str] | None,
        typer.Argument(help="a task, or the directories of two or more finished runs", show_default=False),
    ] = None,
    methods: Annotated[
        str | None,
        typer.Option("--methods", help=f"e.g. ars,ga or mine:Search (default: {','.join(DEFAULT_METHODS)})"),
    ] = None,
    seeds: Annotated[
        int | None, typer.Option("--seeds", help=f"how many, from {FIRST_SEED} up (default: {DEFAULT_SEEDS})")
    ] = None,
    steps: Annotated[
        int | None, typer.Option("--steps", help=f"env steps of each run (default: {DEFAULT_STEPS})")
    ] = None,
    minutes: Annotated[float | None, typer.Option("--minutes", help="of each run, instead of steps")] = None,
    network: Annotated[
        str | None,
        typer.Option(
            "--network", "-n", help=f"of all, or `{PRESET_NETWORK}`: each method's own (default: {DEFAULT_NETWORK})"
        ),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="key=value for all, e.g. task.frame_skip=5; repeatable"),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="directory (default: runs/studies/<task>-<methods>)")
    ] = None,
    threads: _Threads = None,
    trust: _Trust = False,
    no_video: Annotated[bool, typer.Option("--no-video", help="do not film a race of the champions")] = False,
    quiet: _Quiet = False,
) -> None:
    """Compare methods on TASK on equal terms, or finished runs; leaves a directory with report, figures and tables.

    Observations are normalised for all and clipped as each method does it, or by --set network.clip_observation=10.
    A study that was stopped goes on when the same command is given again.
    """
    from evo.comparison.compare import compare as compare_methods
    from evo.comparison.display import study_display
    from evo.comparison.writing import terminal_tables
    from evo.runs.signals import advising

    console = Output()
    with advising("what was done is saved, and the same command goes on from there"):
        found = compare_methods(
            *(what or ()),
            methods=methods,
            seeds=seeds,
            steps=steps,
            minutes=minutes,
            network=network,
            settings=settings or (),
            out=out,
            threads=threads,
            video=not no_video,
            display=lambda configs: study_display(configs, console, quiet),
            trust=trust,
        )
    console.print(terminal_tables(found))
    lines = [*found.findings, *(f"not equal: {line}" for line in found.terms.deviations)]
    lines += [f"failed: {line}" for line in found.failures]
    for line in [*lines, f"report {found.path / 'report.html'}"]:
        console.say(line)


@app.command()
def replay(
    path: Annotated[
        Path | None,
        typer.Argument(help="a run directory or a champion.npz (default: the latest in runs/)", show_default=False),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help=".mp4, .gif, .webp, or .png for a strip of stills")
    ] = None,
    evolution: Annotated[
        bool, typer.Option("--evolution", help="film how the run learned, from first to last")
    ] = False,
    seed: Annotated[
        int | None, typer.Option("--seed", help="of the episode (default: the one of median return)")
    ] = None,
    width: Annotated[int | None, typer.Option(help="pixels (default: 640)")] = None,
    height: Annotated[int | None, typer.Option(help="pixels (default: 360)")] = None,
    seconds: Annotated[float, typer.Option(help="film at most so much of an episode, and 4 s with --evolution")] = 20.0,
    preview: Annotated[bool, typer.Option("--preview", help="a small film, quickly: 256 by 144 pixels")] = False,
    step_timeout: _StepTimeout = None,
    threads: _Threads = None,
    quiet: _Quiet = False,
    trust: _Trust = False,
) -> None:
    """Check that a champion reproduces its score, then film it, or draw the function that it is a point on."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from evo.api import running as api
    from evo.runs.display import is_live
    from evo.runs.run import champion_of, latest

    console = Output()
    if path is None:
        path = latest()
        console.say(f"run     {path}")

    def checked(check: "Verification") -> None:
        if not quiet:
            console.say(str(check))

    columns = (TextColumn("filming"), BarColumn(), MofNCompleteColumn(), TextColumn("frames,"), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=quiet or not is_live(console)) as bar:
        filming = bar.add_task("filming", total=None, visible=False)
        shown = api.replay(
            path,
            out,
            evolution=evolution,
            seed=seed,
            width=width or (256 if preview else 640),
            height=height or (144 if preview else 360),
            seconds=seconds,
            threads=threads,
            checked=checked,
            step_timeout=step_timeout,
            trust=trust,
            progress=lambda done, frames: bar.update(filming, completed=done, total=frames, visible=True),
        )
    kind = champion_of(path, trust).kind
    console.say(f"{_SHOWN[kind]:7} {shown}")


@app.command()
def robustness(
    path: Annotated[Path, typer.Argument(help="a run directory or a champion.npz", show_default=False)],
    episodes: Annotated[int, typer.Option(help="of each hardship")] = 20,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="write the numbers to this .csv too")] = None,
    threads: _Threads = None,
    trust: _Trust = False,
) -> None:
    """What is left of a champion's return when it is heavier, weaker, on ice, numb, pushed, or has lost a limb."""
    from evo.diagnosis.robustness import robustness as card_of
    from evo.storage.files import write_text

    card = card_of(path, episodes, threads, trust)
    Output().say(str(card))
    if out is not None:
        write_text(out, card.csv())
        Output().say(f"written {out}")


@app.command("list")
def list_() -> None:
    """List tasks, methods, networks, and the runs below runs/."""
    from evo.runs.catalogue import catalogue

    console = Output()
    for title, rows in catalogue().items():
        console.print(f"[bold]{title}[/]")
        wide = max((len(name) for name, _ in rows), default=0)
        for name, about in rows:
            console.print(f"  {escape(name.ljust(wide))}  [dim]{escape(about)}[/]", highlight=False, soft_wrap=True)


@app.command()
def doctor(
    path: Annotated[
        Path | None, typer.Argument(help="a run directory: what is wrong with it?", show_default=False)
    ] = None,
    trust: _Trust = False,
) -> None:
    """Check that this machine can do everything; or, given a run that does not learn, say what to try."""
    from evo.diagnosis.diagnosis import doctor as examined
    from evo.errors import shown

    console = Output()
    findings = examined(path, trust)
    for finding in findings:
        mark = "[green]ok[/] " if finding.ok else "[red]no[/] "
        advice = "" if finding.ok or not finding.advice else f"; {finding.advice}"
        text = escape(shown(f"{finding.name}: {finding.detail}{advice}"))
        console.print(f"{mark} {text}", highlight=False, soft_wrap=True)
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)


app.command()(bench)


@app.callback(invoke_without_command=True)
def _version(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="print the version and leave")] = False,
) -> None:
    if version:
        from evo.version import __version__

        Output().say(f"evo {__version__}")
        raise typer.Exit


def _working_folder() -> str:
    from evo.errors import EvoError

    try:
        return os.getcwd()
    except FileNotFoundError:
        raise EvoError("the folder you are in has been deleted; cd to one that is there") from None


def main() -> None:
    """Run the `evo` command; a user's mistake is one line on standard error and exit status 2, a warning one line."""
    from evo.errors import EvoError

    accept_any_encoding()
    warnings.showwarning = show_warning
    show_notes()
    try:
        # as `python -m evo` does: a user's task is found in the working directory
        if (here := _working_folder()) not in sys.path:
            sys.path.insert(0, here)
        app()
    except EvoError as error:
        sys.stderr.write(f"evo: {error}\n")
        sys.exit(2)
