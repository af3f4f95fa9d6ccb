"""Arguments and options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

from evo.cli import completion

Task = Annotated[
    str | None,
    typer.Argument(
        help="e.g. HalfCheetah-v5, quadruped, rastrigin; see `evo list`",
        show_default=False,
        autocompletion=completion.tasks,
    ),
]
Method = Annotated[
    str | None,
    typer.Option(
        "--method", "-m", help="e.g. ars, openai-es, ga, ppo; see `evo list`", autocompletion=completion.methods
    ),
]
Network = Annotated[
    str | None,
    typer.Option("--network", "-n", help="linear, mlp:64,64, mlp:32:relu", autocompletion=completion.networks),
]
Dim = Annotated[int | None, typer.Option("--dim", help="how many numbers a function takes, e.g. rastrigin")]
Seed = Annotated[int | None, typer.Option("--seed", "-s", help="of every random number in the run (default: 0)")]
Generations = Annotated[int | None, typer.Option("--generations", "-g", help="stop after so many generations")]
Steps = Annotated[
    int | None, typer.Option("--steps", help="stop after so many env steps, evaluations of a function, or examples")
]
Epochs = Annotated[
    float | None, typer.Option("--epochs", help="stop after as many examples as the data set's training split has")
]
Minutes = Annotated[float | None, typer.Option("--minutes", help="stop after so many minutes")]
Until = Annotated[float | None, typer.Option("--until", help="stop when the held-out fitness reaches this")]
StepTimeout = Annotated[
    float | None,
    typer.Option("--step-timeout", help="seconds after which a step of a Gymnasium environment is given up"),
]
Threads = Annotated[int | None, typer.Option("--threads", help="processors to use (default: all this process may)")]
NoVideo = Annotated[bool, typer.Option("--no-video", help="do not film the champion at the end")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="print nothing but the result")]
Trust = Annotated[
    bool, typer.Option("--trust", help="import the modules of your own that a run, champion or config names")
]
ModelRoot = Annotated[
    Path | None, typer.Option("--model-root", help="the folder that all files a model file names must lie in")
]
RunPath = Annotated[
    Path | None,
    typer.Argument(
        help="a run directory (default: the latest in runs/)", show_default=False, autocompletion=completion.runs
    ),
]
Log = Annotated[
    list[str] | None,
    typer.Option("--log", help="a logger that follows the metrics: tensorboard, wandb or mlflow; repeatable"),
]
