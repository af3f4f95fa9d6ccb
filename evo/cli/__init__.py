"""The command line: it parses arguments, calls the public functions and prints; heavy imports wait until needed."""

import os
import sys
import warnings
from typing import Annotated

import typer

from evo.cli.comparing import compare
from evo.cli.configuring import config
from evo.cli.listing import list_, remove
from evo.cli.measuring import bench, doctor
from evo.cli.plotting import plot
from evo.cli.recovering import recover
from evo.cli.running import resume, run
from evo.cli.sharing import export, gallery, import_
from evo.cli.showing import evaluate, replay, robustness
from evo.cli.viewing import view
from evo.cli.watching import watch
from evo.runs.terminal import Output, accept_any_encoding, show_notes, show_warning

app = typer.Typer(
    name="evo",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Evolve neural-network controllers for walking creatures, or train them by backprop, and compare.",
)
app.command()(run)
app.command()(resume)
app.command()(compare)
app.command()(replay)
app.command()(view)
app.command()(watch)
app.command()(plot)
app.command()(evaluate)
app.command()(robustness)
app.command()(recover)
app.command()(export)
app.command("import")(import_)
app.command()(gallery)
app.command("list")(list_)
app.command()(remove)
app.command()(config)
app.command()(doctor)
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
