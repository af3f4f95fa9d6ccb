"""Warm start: a run that begins from the champion of another."""

from pathlib import Path
from typing import Any

from evo.config.config import Config
from evo.errors import EvoError
from evo.runs.champion import Champion
from evo.runs.run import champion_of

COPY = "start.npz"  # in the run directory, so that it can be resumed when the other run is gone


def settings_from(path: Path, trust: bool = False) -> dict[str, Any]:
    """Return configuration keys of a run that begins from the champion at `path`: its task and network.

    trust: as of a Run. Raises EvoError.
    """
    champion = champion_of(path, trust)
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
        "start.digest": champion.digest,
    }


def start_of(config: Config, folder: Path | None = None) -> Champion | None:
    """Return the champion that a configuration begins from, or None; the copy in the run's folder if there is one.

    Raises EvoError where it is missing or no longer the same.
    """
    named = config.start.champion
    if named is None:
        return None
    path = folder / COPY if folder is not None and (folder / COPY).exists() else Path(named)
    champion = champion_of(path)
    if config.start.digest not in (None, champion.digest):
        raise EvoError(f"{path} is no longer the champion that this run begins from; begin anew with --from {path}")
    return champion
