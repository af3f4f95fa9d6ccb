"""A run as one reads it: its configuration, metrics, champion and pictures."""

from pathlib import Path

import numpy as np

from evo.champion import Champion
from evo.config import Config, read_config, resolve_config
from evo.rundir import RunDirectory


class Run:
    """A run directory, opened for reading. Raises EvoError where `path` is not one, naming the nearest that is."""

    def __init__(self, path: Path | str) -> None:
        self.directory = RunDirectory.open(Path(path))

    @property
    def path(self) -> Path:
        return self.directory.path

    @property
    def config(self) -> Config:
        """Its fully resolved configuration."""
        return resolve_config(read_config(self.directory.config_text, str(self.path / "config.toml")))

    @property
    def champion(self) -> Champion:
        """Its champion so far."""
        return Champion.load(self.directory.champion_path)

    @property
    def metrics(self) -> dict[str, np.ndarray]:
        """Columns of metrics.csv, float64 (generations,)."""
        return self.directory.metrics()

    @property
    def ended(self) -> str | None:
        """Why it learned no more, as in `1,000,000 steps`; None while it learns, and where an older evo ran it."""
        return self.directory.ended

    def plot(self, path: Path | str) -> Path:
        """Draw its learning curve, .png, .svg or .pdf; returns the path. Raises EvoError."""
        from evo.plots import learning_curve

        config = self.config
        title = f"{config['task.name']}  {config['method.name']}  seed {config['seed']}"
        learning_curve(self.metrics, title, Path(path))
        return Path(path)

    def __repr__(self) -> str:
        return f"Run({str(self.path)!r})"


def champion_of(path: Path | str) -> Champion:
    """The champion of a run directory, or in a champion file. Raises EvoError."""
    source = Path(path)
    return Champion.load(source) if source.is_file() else Run(source).champion
