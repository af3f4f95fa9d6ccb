"""Arguments and options that several commands share.

A command still lists them in its signature, which is where typer reads what it takes, and hands each on by name: a
table of budgets passed as a whole would save lines and hide from both readers what the command has.
"""

from pathlib import Path
from typing import Annotated

import typer

from evo.cli import completion
from evo.runs.terminal import Output

Task = Annotated[
    str | None,
    typer.Argument(
        help="a task, e.g. quadruped, HalfCheetah-v5, digits, rastrigin; see `evo list`",
        show_default=False,
        autocompletion=completion.tasks,
    ),
]
Runs = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="RUN...",
        help="run directories or champion files (default: the latest in runs/)",
        show_default=False,
        autocompletion=completion.runs,
    ),
]
Method = Annotated[
    str | None,
    typer.Option(
        "--method",
        "-m",
        help="a method, e.g. ars, openai-es, ga, ppo; see `evo list`",
        autocompletion=completion.methods,
    ),
]
Network = Annotated[
    str | None,
    typer.Option(
        "--network", "-n", help="a network, e.g. linear, mlp:64,64, lstm:16", autocompletion=completion.networks
    ),
]
Dim = Annotated[int | None, typer.Option("--dim", help="dimension of a function such as rastrigin")]
Seed = Annotated[int | None, typer.Option("--seed", "-s", help="seed of every random number in the run (default: 0)")]
Generations = Annotated[int | None, typer.Option("--generations", "-g", help="stop after so many generations")]
Steps = Annotated[
    int | None, typer.Option("--steps", help="stop after so many env steps, evaluations of a function, or examples")
]
Epochs = Annotated[
    float | None, typer.Option("--epochs", help="stop after so many passes over the training split of a data set")
]
Minutes = Annotated[float | None, typer.Option("--minutes", help="stop after so many minutes")]
Until = Annotated[float | None, typer.Option("--until", help="stop when the champion's held-out fitness reaches this")]
StepTimeout = Annotated[
    float | None,
    typer.Option("--step-timeout", help="give up a step of a Gymnasium environment after so many seconds"),
]
Threads = Annotated[
    int | None, typer.Option("--threads", help="number of threads (default: one for each available processor)")
]
Workers = Annotated[
    str | None,
    typer.Option("--workers", help="ray, or ray:HOST:6379: evaluate on the nodes of a Ray cluster, with the same bits"),
]
Measures = Annotated[
    str | None, typer.Option("--measures", help="measures that span a map, as in feet or x,y: method.measures")
]
NoVideo = Annotated[bool, typer.Option("--no-video", help="do not film the champion at the end")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="print nothing but the result")]
Trust = Annotated[
    bool, typer.Option("--trust", help="import the modules of your own that a run, champion or configuration names")
]
ModelRoot = Annotated[
    Path | None, typer.Option("--model-root", help="folder that must hold all files that a model file names")
]
RunPath = Annotated[
    Path | None,
    typer.Argument(
        help="a run directory (default: the latest in runs/)", show_default=False, autocompletion=completion.runs
    ),
]
Log = Annotated[
    list[str] | None,
    typer.Option("--log", help="pass the metrics on to tensorboard, wandb or mlflow; repeatable"),
]


def named_or_latest(paths: list[Path] | None, console: Output) -> list[Path]:
    """Return the runs that the user names, or else the latest one, which is said. Raises EvoError without any."""
    if paths:
        return paths
    from evo.runs.run import latest

    found = latest()
    console.say(f"run     {found}")
    return [found]
