"""`evo watch`: a run followed in a browser while it trains."""

import os
from contextlib import suppress
from typing import Annotated

import typer

from evo.cli.options import RunPath, Trust
from evo.runs.terminal import Output


def watch(
    path: RunPath = None,
    port: Annotated[
        int | None,
        typer.Option("--port", help="port of this machine; 0: any that is free (default: the first free from 8471 on)"),
    ] = None,
    seconds: Annotated[float, typer.Option("--seconds", help="most seconds of an episode to show")] = 10.0,
    fossils: Annotated[int, typer.Option("--fossils", help="most fossils to show; 0: the champion alone")] = 10,
    seed: Annotated[
        int | None, typer.Option("--seed", help="seed of the episodes (default: the first report seed)")
    ] = None,
    trust: Trust = False,
) -> None:
    """Follow a run in a browser of this machine while it trains: its curve grows, its newest champion walks."""
    from evo.runs.run import latest
    from evo.runs.watching import watch as follow

    console = Output()
    path = path or latest()
    with suppress(OSError):
        os.nice(10)  # the run that is followed goes first

    def started(address: str, kept: bool) -> None:
        console.say(f"run     {path}")
        console.say(f"page    {address}")
        console.say("        open it in a browser of this machine; Ctrl-C ends the server, never the run")
        if not kept:
            console.say("        started again, it has another address")

    follow(path, started, port=port, seconds=seconds, fossils=fossils, seed=seed, trust=trust)
