"""The card of an exported run: what it is, how well it does, and how to see and repeat it, as Markdown."""

import re
from collections.abc import Sequence
from pathlib import Path

from evo.errors import EvoError, printable
from evo.runs.fitness import Fitness
from evo.runs.record import Record
from evo.storage.bundle import PAGE
from evo.storage.files import read_text, read_toml
from evo.storage.paths import command

_SIGNS = re.compile(r"([\\`*_{}\[\]<>()#+!|~&@:])")  # that Markdown reads as more than text
_FILE = (".xml", ".mjcf", ".urdf")


def card_of(run: Record, archive: str, members: Sequence[str]) -> str:
    """Return the card of a run: nothing in it is a stranger's Markdown, and the same run has the same card.

    archive: name of the zip that it is exported to. members: the names of the other files in it. Raises EvoError.
    """
    champion, config = run.champion, run.directory.config_text
    chosen, unit = Fitness(champion.selection_returns, champion.metric), run.config.task.kind.step_unit
    rows = [
        ("task", champion.task_name),
        *((f"task.{name}", repr(value)) for name, value in champion.task_options.items()),
        ("method", champion.method),
        ("seed", str(champion.seed)),
        ("network", champion.network_text or "none: a point is sought"),
        ("parameters", f"{len(champion.params):,}"),
        ("champion of", f"generation {champion.generation:,}, after {champion.steps:,} {unit}s"),
        ("chosen by", str(chosen)),
        ("score", _score(run)),
        ("ended", run.ended or "not yet: it was exported while it could go on"),
        ("digest", champion.digest),
        *_versions(run.path),
    ]
    table = "\n".join(f"| {_plain(name)} | {_plain(value)} |" for name, value in rows)
    notes = []
    if PAGE in members:
        notes.append(f"`{PAGE}` is a page on which the creature can be turned around: open it in a browser.\n")
    if _is_own(run):
        notes.append(f"The task is made from {_plain(champion.task_name)}, which is not in this zip.\n")
    listed = "\n".join(f"- `{name}`" for name in members)
    return f"""# {_plain(run.title)}

| | |
|---|---|
{table}

{"".join(notes)}
## See it again

With evo installed:

```bash
{command("replay", archive, config=config)}
{command("evaluate", archive, config=config)}
{command("import", archive)}
```

The first checks that the champion reproduces its score, bit for bit, and films it; the second scores it again on the
episodes that it was reported on; the third makes a run directory of the zip. To train it anew, from the same seed to
the same result:

```bash
{command("run", "--config", "config.toml", config=config)}
```

## In the zip

{listed}
"""


def _plain(text: str) -> str:
    """Return a text as Markdown that shows just this text."""
    return _SIGNS.sub(r"\\\1", printable(text))


def _score(run: Record) -> str:
    if run.champion.report_returns is None:
        return "not reported yet: a run is scored on its report episodes where it ends"
    unseen = ", never seen in training" if run.config.task.kind.held_out else ""
    return f"{run.champion.reported_fitness}{unseen}"


def _is_own(run: Record) -> bool:
    name = run.champion.task_name
    return ":" in name or name.lower().endswith(_FILE)


def _versions(path: Path) -> list[tuple[str, str]]:
    """Return what the run was made with, as its file of versions says; nothing where that is damaged."""
    try:
        found = read_toml(read_text(path / "versions.toml"), "versions.toml")
    except EvoError:
        return []
    texts = {name: value if isinstance(value, list) else [value] for name, value in found.items()}
    return [(name, ", ".join(map(str, values))) for name, values in texts.items()]
