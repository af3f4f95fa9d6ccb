"""`evo replay`, `evo evaluate` and `evo robustness`: what a champion does."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from evo.cli import completion
from evo.cli.options import Quiet, StepTimeout, Threads, Trust, Workers, named_or_latest
from evo.runs.terminal import Output

if TYPE_CHECKING:
    from evo.runs.fitness import Verification


def replay(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="RUN...",
            help="a run directory or a champion.npz (default: the latest in runs/); several with --race",
            show_default=False,
            autocompletion=completion.runs,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="file: .mp4, .gif, .webp, .png for a strip of stills, .html for a page"),
    ] = None,
    evolution: Annotated[
        bool, typer.Option("--evolution", help="film how the run learned, from first to last")
    ] = False,
    scenes: Annotated[
        int | None,
        typer.Option("--scenes", help="generations in a film with --evolution, the champion's last (default: 6)"),
    ] = None,
    race: Annotated[
        bool, typer.Option("--race", help="film the champions of the named runs side by side, by default to race.mp4")
    ] = False,
    crowd: Annotated[
        int | None,
        typer.Option(
            "--crowd",
            metavar="N",
            help="film N tiles: the champion among individuals of the run's next generation, as in --crowd 16",
        ),
    ] = None,
    network: Annotated[
        bool,
        typer.Option("--network", help="show the network too; with --out FILE.svg (.png, .pdf), it alone"),
    ] = False,
    cell: Annotated[
        str | None, typer.Option("--cell", help="show the elite of a cell of the archive: 12, or in a grid 3,7")
    ] = None,
    front: Annotated[
        int | None, typer.Option("--front", help="show an individual of the front by its place: 0 is the first")
    ] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", help="seed of the episode (default: that of the episode of median return)")
    ] = None,
    width: Annotated[int | None, typer.Option(help="width in pixels (default: 640; in tiles 1280)")] = None,
    height: Annotated[int | None, typer.Option(help="height in pixels (default: 360; in tiles 720)")] = None,
    seconds: Annotated[float, typer.Option(help="most seconds of an episode to film, and 4 with --evolution")] = 20.0,
    named: Annotated[
        str | None, typer.Option("--format", help="size by name: 720p, 1080p, or square (1080 by 1080)")
    ] = None,
    poster: Annotated[bool, typer.Option("--poster", help="also write a still beside the film, NAME.png")] = False,
    preview: Annotated[
        bool, typer.Option("--preview", help="a small film, quickly: 256 by 144 pixels; in tiles 640 by 360")
    ] = False,
    step_timeout: StepTimeout = None,
    threads: Threads = None,
    quiet: Quiet = False,
    trust: Trust = False,
) -> None:
    """Check that a champion reproduces its score, then film it; on functions and data sets, plot it.

    A film shows an episode of the champion, or else:
    --evolution: how its run learned, from first to last;
    --crowd 16: the champion among individuals of its run's next generation;
    --race: the champions of several runs side by side, each on its own task.
    """
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from evo.api import running as api
    from evo.errors import EvoError
    from evo.runs.display import is_live
    from evo.runs.pictures import replay_pictures
    from evo.runs.record import champion_of

    wide, high = _size(named, width, height, preview, tiled=race or crowd is not None)
    console = Output()
    paths = paths or [] if race else named_or_latest(paths, console)
    if len(paths) > 1 and not race:
        raise EvoError(f"{len(paths)} runs make one film side by side: add --race, or name one run")
    asked = iter(paths)

    def checked(check: "Verification") -> None:
        path = next(asked)
        if not quiet:
            if race:
                console.say(f"run     {path}")
            console.say(str(check))
            champion = champion_of(path, trust)
            if cell is None and front is None and champion.report_returns is not None:
                console.say(f"reported {champion.reported_fitness}")

    columns = (TextColumn("filming"), BarColumn(), MofNCompleteColumn(), TextColumn("frames,"), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=quiet or not is_live(console)) as bar:
        filming = bar.add_task("filming", total=None, visible=False)
        shown = api.replay(
            paths if race else paths[0],
            out,
            evolution=evolution,
            scenes=scenes,
            crowd=crowd,
            network=network,
            cell=cell,
            front=front,
            seed=seed,
            width=wide,
            height=high,
            poster=poster,
            seconds=seconds,
            threads=threads,
            checked=checked,
            step_timeout=step_timeout,
            trust=trust,
            progress=lambda done, frames: bar.update(filming, completed=done, total=frames, visible=True),
        )
    label = "film" if race else replay_pictures(champion_of(paths[0], trust).spec.kind, network, out).label
    console.say(f"{label:7} {shown}")


def _size(
    named: str | None, width: int | None, height: int | None, preview: bool, tiled: bool = False
) -> tuple[int, int]:
    """Return a film's width and height. Raises EvoError for a format that is unknown, or beside another size."""
    from evo.errors import EvoError
    from evo.runs.pictures.pictures import FILM_SIZE, PREVIEW_SIZE, TILED_PREVIEW_SIZE, TILED_SIZE
    from evo.runs.replay import FORMATS

    if named is None:
        customary = ((FILM_SIZE, PREVIEW_SIZE), (TILED_SIZE, TILED_PREVIEW_SIZE))[tiled][preview]
        return customary[0] if width is None else width, customary[1] if height is None else height
    if named not in FORMATS:
        raise EvoError(f"no format {named!r}: {', '.join(FORMATS)}, or --width and --height")
    if width is not None or height is not None or preview:
        raise EvoError(f"--format {named} is a size of its own: leave out --width, --height and --preview")
    return FORMATS[named]


def evaluate(
    path: Annotated[
        Path,
        typer.Argument(help="a run directory or a champion.npz", show_default=False, autocompletion=completion.runs),
    ],
    episodes: Annotated[
        int | None,
        typer.Option("--episodes", "-e", help="number of episodes, where a seed changes anything (default: 100)"),
    ] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", "-s", help="seed of the first episode (default: the run's own report seeds)")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="another option of the task, e.g. task.friction=0.5; repeatable"),
    ] = None,
    split: Annotated[
        str | None, typer.Option("--split", help="split of a data set: train, validation or test (default: test)")
    ] = None,
    last: Annotated[
        bool, typer.Option("--last", help="score what the run learned last instead of its champion")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print a record, with every return")] = False,
    workers: Workers = None,
    step_timeout: StepTimeout = None,
    trust: Trust = False,
) -> None:
    """Score a champion again, on other episodes, other options of its task, or another split of its data set."""
    import json

    from evo.config.values import pairs_of
    from evo.errors import EvoError
    from evo.runs.evaluation import score
    from evo.runs.record import champion_of
    from evo.runs.run import Run

    if last and path.is_file():
        raise EvoError(f"{path} is a champion alone; what was learned last is in its run directory")
    champion = Run(path, trust).last if last else champion_of(path, trust)
    if step_timeout is not None:
        champion = champion.with_timeout(step_timeout)
    options = dict(pairs_of(settings or ()))
    for key in options:
        if not key.startswith("task."):
            raise EvoError(
                f"a champion is evaluated on other options of its task, as in task.friction=0.5; got {key!r}"
            )
    options = {key.removeprefix("task."): value for key, value in options.items()}
    fitness = score(champion, episodes, seed, options, split, workers)
    about: dict[str, Any] = {
        "path": str(path),
        "task": champion.task_name,
        "options": options,
        "method": champion.method,
        "network": champion.network_text,
        "seed": champion.seed,
        "generation": champion.generation,
        "candidate": "last" if last else "champion",
    }
    if as_json:
        Output().say(json.dumps({**about, **fitness.record()}, indent=1, default=str))
        return
    rows = [(about["candidate"], f"{path}, generation {champion.generation:,}")]
    rows += [(f"task.{name}", str(value)) for name, value in options.items()]
    rows += [("split", split or "test")] if champion.spec.kind.splits else []
    rows += fitness.lines()
    wide = max(len(label) for label, _ in rows)
    for label, text in rows:
        Output().say(f"{label.ljust(wide)}  {text}")


def robustness(
    path: Annotated[
        Path,
        typer.Argument(help="a run directory or a champion.npz", show_default=False, autocompletion=completion.runs),
    ],
    episodes: Annotated[int, typer.Option(help="episodes under each condition")] = 20,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="write the numbers to this .csv too")] = None,
    threads: Threads = None,
    trust: Trust = False,
) -> None:
    """Score a champion when it is heavier, weaker, on ice, pushed, senses badly, or has lost a limb."""
    from evo.diagnosis.robustness import robustness as card_of
    from evo.storage.files import write_text

    card = card_of(path, episodes, threads, trust)
    Output().say(str(card))
    if out is not None:
        write_text(out, card.csv())
        Output().say(f"written {out}")
