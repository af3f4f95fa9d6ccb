"""Warm start: a run that begins from the champion of another, or from an elite of its archive."""

import os
from pathlib import Path
from typing import Any

from evo.config.config import Config
from evo.errors import EvoError
from evo.runs.champion import Champion
from evo.runs.record import Record, champion_of

COPY = "start.npz"  # in the run directory, so that it can be resumed when the other run is gone


def settings_from(path: Path, trust: bool = False, cell: str | None = None) -> dict[str, Any]:
    """Return configuration keys of a run that begins from the champion at `path`: its task and network.

    cell: begin from the elite of this cell of its archive instead. trust: as of a Run. Raises EvoError.
    """
    champion = _found(path, cell, trust)
    network = {
        "network.layers": champion.network_text,
        "network.normalise": champion.normalise,
        "network.clip_observation": champion.clip_observation,
    }
    return {
        "task.name": champion.task_name,
        **{f"task.{name}": value for name, value in champion.task_options.items()},
        **{key: value for key, value in network.items() if key not in champion.spec.kind.without},
        "start.champion": str(path),
        **({} if cell is None else {"start.cell": cell}),
        "start.digest": champion.digest,
    }


def start_of(config: Config, folder: Path | None = None) -> Champion | None:
    """Return the champion that a configuration begins from, or None; the copy in the run's folder if there is one.

    Raises EvoError where it is missing or no longer the same.
    """
    named = config.start.champion
    if named is None:
        return None
    copied = folder is not None and (folder / COPY).exists()
    path, cell = (folder / COPY, None) if folder is not None and copied else (Path(named), config.start.cell)
    champion = _found(path, cell)
    if config.start.digest not in (None, champion.digest):
        what = "champion" if cell is None else f"elite of cell {cell}"
        raise EvoError(f"{path} is no longer the {what} that this run begins from; begin anew with --from {path}")
    return champion


def _found(path: Path, cell: str | None, trust: bool = False) -> Champion:
    """Return the champion at `path`, or the elite of a cell of its archive. Raises EvoError."""
    if cell is None:
        return champion_of(path, trust)
    if os.path.isfile(path):
        raise EvoError(f"cell {cell!r}: a champion file has no archive; name its run directory")
    return Record(path, trust).elite(cell)
