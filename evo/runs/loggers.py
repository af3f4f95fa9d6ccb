"""Loggers: TensorBoard, Weights & Biases and MLflow, as readers of metrics.csv.

A logger reads rows that are safely in the file. The run's folder keeps, for each logger, how many rows it has taken, in
`logs/NAME.json`; so a resumed run goes on where it was, and rows that it recomputes are not logged twice. What a logger
raises ends that logger with a note, and never the run.
"""

import importlib
import importlib.util
import json
import math
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from evo.envs.foreign import contained
from evo.errors import EvoError, nearest, one_line, printable
from evo.storage.files import make_folder, read_text, write_text

FOLDER = "logs"  # in the run's folder
_SECONDS = 1.0  # between readings: a fast learner makes thousands of rows meanwhile
Row = Mapping[str, float]


class Logger(Protocol):
    """Takes rows of metrics. `rewrites`: whether rows that it has may be given again, in place of those."""

    rewrites: bool

    def open(self, folder: Path, name: str, settings: Mapping[str, Any], identity: str | None) -> str | None:
        """Begin, or go on with what `identity` names; return the name by which it goes on.

        folder: for its files. name: of the run. settings: the run's configuration, by dotted keys.
        """

    def write(self, rows: Sequence[Row]) -> None:
        """Take rows, the finite numbers of each by column, and hand them on to its disk or server."""

    def close(self) -> None:
        """Finish."""


class TensorBoard:
    """Event files in `logs/tensorboard`, by tensorboardX; a row's step is its env steps."""

    rewrites = True

    def open(self, folder: Path, name: str, settings: Mapping[str, Any], identity: str | None) -> str | None:
        self._folder = folder
        self._writer: Any = None
        return None

    def write(self, rows: Sequence[Row]) -> None:
        if self._writer is None:
            # events of a killed run from this step on are void: they are written again
            first = int(rows[0]["steps"])
            maker = importlib.import_module("tensorboardX").SummaryWriter
            # files of one second would bear one name
            self._writer = maker(str(self._folder), purge_step=first, filename_suffix=f".{first:015d}")
        for row in rows:
            for column, value in row.items():
                if column != "steps":
                    self._writer.add_scalar(column, value, int(row["steps"]))
        self._writer.flush()

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()


class WandB:
    """A run of Weights & Biases; offline, in `logs/wandb`, where nobody is logged in."""

    rewrites = False

    def open(self, folder: Path, name: str, settings: Mapping[str, Any], identity: str | None) -> str | None:
        wandb = importlib.import_module("wandb")
        mode = os.environ.get("WANDB_MODE") or ("online" if wandb.login(prompt=False) else "offline")
        self._run = wandb.init(
            project=os.environ.get("WANDB_PROJECT", "evo"),
            name=name,
            id=identity,
            resume="allow",
            dir=str(folder),
            mode=mode,
            config=dict(settings),
            settings=wandb.Settings(silent=True, console="off"),
        )
        self._run.define_metric("*", step_metric="steps")
        return str(self._run.id)

    def write(self, rows: Sequence[Row]) -> None:
        for row in rows:
            self._run.log(dict(row), step=int(row["generation"]))

    def close(self) -> None:
        self._run.finish()


class MLflow:
    """A run of MLflow, where MLFLOW_TRACKING_URI says; a row's step is its env steps."""

    rewrites = False

    def open(self, folder: Path, name: str, settings: Mapping[str, Any], identity: str | None) -> str | None:
        mlflow = importlib.import_module("mlflow")
        self._mlflow, self._client = mlflow, mlflow.MlflowClient()
        if identity is not None:
            self._id = identity
            self._client.update_run(identity, status="RUNNING")
            return identity
        experiment = os.environ.get("MLFLOW_EXPERIMENT_NAME", "evo")
        found = self._client.get_experiment_by_name(experiment)
        number = self._client.create_experiment(experiment) if found is None else found.experiment_id
        self._id = str(self._client.create_run(number, run_name=name).info.run_id)
        parameters = [mlflow.entities.Param(key, str(value)[:500]) for key, value in settings.items()]
        self._client.log_batch(self._id, params=parameters)
        return self._id

    def write(self, rows: Sequence[Row]) -> None:
        now, metric = round(1000 * time.time()), self._mlflow.entities.Metric
        for row in rows:
            metrics = [metric(column, value, now, int(row["steps"])) for column, value in row.items()]
            self._client.log_batch(self._id, metrics=metrics)

    def close(self) -> None:
        self._client.set_terminated(self._id)


LOGGERS: Mapping[str, tuple[Callable[[], Logger], str]] = {  # name → class, the package that it needs
    "tensorboard": (TensorBoard, "tensorboardX"),
    "wandb": (WandB, "wandb"),
    "mlflow": (MLflow, "mlflow"),
}


def check_loggers(names: str | Sequence[str]) -> tuple[str, ...]:
    """Return the names of loggers. Raises EvoError for one that is unknown, or whose package is not installed."""
    names = (names,) if isinstance(names, str) else tuple(dict.fromkeys(names))
    for name in names:
        if name not in LOGGERS:
            raise EvoError(f"unknown logger {name!r}{nearest(name, LOGGERS)}")
        package = LOGGERS[name][1]
        if importlib.util.find_spec(package) is None:
            raise EvoError(f"the logger {name} needs {package}: pip install 'evo-creatures[{name}]'")
    return names


class Follower:
    """Hands the rows of a run's metrics.csv to one logger, from where it was."""

    def __init__(self, name: str, run: Path, settings: Mapping[str, Any], note: Callable[[str], None]) -> None:
        """Open the logger; a failure is noted.

        run: the run's folder. note: takes a message for the user.
        """
        self._name, self._run, self._note = name, run, note
        self._record = run / FOLDER / f"{name}.json"
        self._taken, self._offset = 0, 0  # rows that the logger has; bytes that were read
        self._identity: str | None = None
        self._columns: list[str] = []
        self._logger: Logger | None = LOGGERS[name][0]()
        self._guard(lambda logger: self._open(logger, settings))

    def _open(self, logger: Logger, settings: Mapping[str, Any]) -> None:
        folder = self._run / FOLDER / self._name
        make_folder(folder)
        if self._record.exists():
            known = json.loads(read_text(self._record))
            self._taken, self._identity = int(known["rows"]), known["id"]
        if logger.rewrites:
            self._taken = min(self._taken, self._rows_in_file())
        self._identity = logger.open(folder, self._run.name, settings, self._identity)
        self._remember()
        self._skip = self._taken  # rows at the file's beginning that it has

    def _rows_in_file(self) -> int:
        path = self._run / "metrics.csv"
        return max(path.read_bytes().count(b"\n") - 1, 0) if path.exists() else 0

    def read(self) -> None:
        """Hand on the whole rows that were added to the file since the last time; a failure is noted."""
        self._guard(self._read)

    def _read(self, logger: Logger) -> None:
        path = self._run / "metrics.csv"
        if not path.exists():
            return
        with open(path, "rb") as file:
            file.seek(self._offset)
            text = file.read()
        whole = text[: text.rfind(b"\n") + 1]  # the rest is being written
        self._offset += len(whole)
        lines = whole.decode().splitlines()
        if not self._columns and lines:
            self._columns = lines.pop(0).split(",")
        new, self._skip = lines[self._skip :], max(self._skip - len(lines), 0)
        rows = [dict(zip(self._columns, map(float, line.split(",")), strict=True)) for line in new]
        if rows:
            logger.write([{name: value for name, value in row.items() if math.isfinite(value)} for row in rows])
            self._taken += len(rows)
            self._remember()

    def _remember(self) -> None:
        write_text(self._record, json.dumps({"id": self._identity, "rows": self._taken}) + "\n")

    def close(self) -> None:
        """Hand on the last rows and finish; a failure is noted."""
        self.read()
        self._guard(lambda logger: logger.close())

    def _guard(self, work: Callable[[Logger], None]) -> None:
        """Do something with the logger; if it fails there is none from then on."""
        if self._logger is not None:
            try:
                with contained():
                    work(self._logger)
            except Exception as error:  # a logger may fail in any way, and must not end the run
                self._logger = None
                reason = printable(f"{type(error).__name__}: {one_line(error)}", 300)
                self._note(f"the logger {self._name} has stopped ({reason}); metrics.csv has every row")


@contextmanager
def following(
    names: Sequence[str], run: Path, settings: Mapping[str, Any], note: Callable[[str], None]
) -> Iterator[Callable[[Row], None]]:
    """Follow a run's metrics.csv with loggers; yield a function to call after each row, which reads once a second.

    run: its folder, whose metrics.csv holds no row that will be recomputed. note: takes a message for the user.
    """
    followers = [Follower(name, run, settings, note) for name in names]
    read = time.monotonic()

    def follow(row: Row) -> None:
        nonlocal read
        if followers and time.monotonic() - read > _SECONDS:
            for follower in followers:
                follower.read()
            read = time.monotonic()

    try:
        yield follow
    finally:
        for follower in followers:
            follower.close()
