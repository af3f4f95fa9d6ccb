"""RunDirectory: config, metrics, checkpoints, champion, fossils, videos and plots of a run.

    config.toml    metrics.csv    checkpoints/<steps>/{state.npz, done}    champion.npz    fossils/<generation>.npz
    last.npz    ended    mixed    videos/  plots/  versions.toml  lock

Every file under its own name is whole, even if the process is killed at any moment; leftovers have temporary names and
the next writer removes them. One process writes a run at a time: it holds a lock that is released when it dies.
"""

import fcntl
import os
import re
import shutil
import socket
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self, final

import numpy as np
from numpy.typing import NDArray

from evo.errors import EvoError, nearest, printable
from evo.storage.files import (
    TEMPORARY,
    cannot_write,
    make_folder,
    names_in,
    read_arrays,
    read_text,
    refuse_link,
    sync_file,
    sync_folder,
    temporary_beside,
    write_arrays,
    write_text,
)
from evo.storage.metrics import AS_WRITTEN, MetricsFile
from evo.storage.paths import command

FOSSILS = 200
CHECKPOINTS = 2
ENDED_BYTES = 2**16
CHECKPOINT_BYTES = 2**34  # a replay buffer of a million Humanoid observations takes 3 GB
_HALF_MADE = {"lock", "versions.toml"}  # what an interrupted `create` leaves behind


@final
class RunDirectory:
    """One run's folder, created by `create` or opened by `open`; a context manager that releases the lock.

    `warnings` collects one line for everything that was skipped or could not be cleaned up. Methods that write the
    run's own record (`append_metrics`, `keep_metrics`, `save_…`, `drop_fossils`, `record_end`) raise RuntimeError on a
    run opened for reading or closed, and EvoError when the disk refuses.
    """

    def __init__(self, path: Path, lock: BinaryIO | None) -> None:
        """Store path and lock; callers use `create` or `open`."""
        self._path = path
        self._lock = lock
        self._damaged: set[int] = set()  # steps of checkpoints that could not be read
        self.warnings: list[str] = []
        self._metrics = MetricsFile(path / "metrics.csv", self.warnings)

    @classmethod
    def create(cls, path: Path, config_text: str, versions_text: str) -> Self:
        """Create the folder (and its parents) and take its lock.

        Raises EvoError when `path` exists and is not an empty folder, or cannot be written.
        """
        make_folder(path)
        run = cls(path, None)
        try:
            _refuse_used(path)
            run._take_lock()
            _refuse_used(path)  # again: another process may have created a run here before the lock was taken
            write_text(path / "versions.toml", versions_text)
            write_text(path / "config.toml", config_text)  # last, as this file makes the folder a run
            sync_folder(path.parent)
        except OSError as error:
            run.close()
            raise cannot_write(path, error) from error
        except BaseException:
            run.close()
            raise
        return run

    @classmethod
    def open(cls, path: Path, write: bool = False) -> Self:
        """Open an existing run; `write` takes the lock and removes what a killed writer left.

        Raises EvoError when there is no run at `path`, or, to write, when a live process holds the lock or the folder
        cannot be written.
        """
        _require_run(path)
        run = cls(path, None)
        if write:
            try:
                for name in ("checkpoints", "fossils", "videos", "plots"):
                    refuse_link(path / name)
                run._take_lock()
            except BaseException:
                run.close()
                raise
            run._remove_temporaries(path, path / "fossils")
            run._clean_checkpoints()
        return run

    def close(self) -> None:
        """Release the lock. Harmless when repeated."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @property
    def path(self) -> Path:
        return self._path

    @property
    def config_text(self) -> str:
        """Return the present text of config.toml. Raises EvoError when it cannot be read."""
        return read_text(self._path / "config.toml")

    @property
    def champion_path(self) -> Path:
        """Return the path of champion.npz, whether or not it exists yet."""
        return self._path / "champion.npz"

    @property
    def last_path(self) -> Path:
        """Return the path of last.npz, the learner's first final candidate in a champion's form, existing or not."""
        return self._path / "last.npz"

    @property
    def videos(self) -> Path:
        """Return the folder of videos, created if missing. Raises EvoError when it cannot be created."""
        return self._folder("videos")

    @property
    def plots(self) -> Path:
        """Return the folder of plots, created if missing. Raises EvoError when it cannot be created."""
        return self._folder("plots")

    # Metrics: metrics.csv.

    def append_metrics(self, row: Mapping[str, float | int]) -> None:
        """Append one row; the first row's keys become the columns. Raises ValueError for other or unfit keys."""
        self._require_lock()
        self._metrics.append(row)

    def metrics(self, renamed: Mapping[str, str] = AS_WRITTEN) -> dict[str, NDArray[np.float64]]:
        """Return the columns of metrics.csv, each (rows,); {} before the first row.

        renamed: old name → new name of columns that an older evo wrote. Raises EvoError for a damaged line.
        """
        return self._metrics.read(renamed)

    def keep_metrics(self, rows: int, renamed: Mapping[str, str] = AS_WRITTEN) -> None:
        """Keep only the first `rows` rows, drop a torn last line and rename columns; warn when there are fewer rows."""
        self._require_lock()
        self._metrics.keep(rows, renamed)

    # Checkpoints: whole or absent; the two newest are kept.

    def save_checkpoint(self, steps: int, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Save the state after `steps` steps, replacing an earlier one of the same steps.

        This checkpoint and the newest readable one before it are kept. All others are removed, those with more steps
        too: they belong to a future abandoned when the run resumed from an earlier state. Raises ValueError for steps <
        0.
        """
        self._require_lock()
        if steps < 0:
            raise ValueError(f"steps={steps}: must be >= 0")
        if sum(array.nbytes for array in arrays.values()) > CHECKPOINT_BYTES:
            raise EvoError(f"the state is larger than {CHECKPOINT_BYTES} bytes; use a smaller replay buffer")
        checkpoints = self._folder("checkpoints")
        final = checkpoints / f"{steps:015d}"
        try:
            # A checkpoint must not count more metrics rows than are on the disk.
            sync_file(self._path / "metrics.csv")
            refuse_link(final)
            if final.exists():
                _write_state(final, arrays)  # its one file is replaced atomically
            else:
                temporary = temporary_beside(final)
                try:
                    temporary.mkdir()
                    _write_state(temporary, arrays)
                    os.rename(temporary, final)
                finally:
                    shutil.rmtree(temporary, ignore_errors=True)
            sync_folder(checkpoints)
        except OSError as error:
            raise cannot_write(final, error) from error
        self._damaged.discard(steps)
        older = [found for found in _checkpoints(checkpoints) if found < steps and found not in self._damaged]
        kept = {steps, *older[-(CHECKPOINTS - 1) :]}
        for found, folder in _checkpoints(checkpoints).items():
            if found not in kept:
                self._remove_folder(folder)
        self._clean_checkpoints()

    def newest_checkpoint(self) -> tuple[int, dict[str, NDArray[Any]]] | None:
        """Return steps and state of the newest whole checkpoint; None when none was ever saved.

        Damaged ones are skipped, each leaving a line in `warnings`. Raises EvoError when all of them are damaged.
        """
        found = _checkpoints(self._path / "checkpoints")
        reason = ""
        for steps, folder in reversed(found.items()):
            if not (folder / "done").is_file():
                reason = f"checkpoint {folder} was never marked as done"
            else:
                try:
                    return steps, read_arrays(folder / "state.npz", CHECKPOINT_BYTES)
                except EvoError as error:
                    reason = str(error)
            self._damaged.add(steps)
            self.warnings.append(f"skipped a damaged checkpoint: {reason}")
        if found:
            again = command("run", "--config", self._path / "config.toml", config=self.config_text)
            raise EvoError(f"no checkpoint of {self._path} can be read ({reason}); start afresh: {again}")
        return None

    # Fossils: the best individuals of at most FOSSILS generations.

    def save_fossil(self, generation: int, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Save the best of a generation if it is on the stride of `fossil_stride`; remove fossils no longer on it.

        When every generation is offered, the kept set depends on the newest generation only.
        """
        self._require_lock()
        stride = fossil_stride(generation)
        if generation % stride == 0:
            write_arrays(self._folder("fossils") / _fossil_name(generation), arrays)
        for fossil in self.fossils():
            if fossil % stride:
                self._remove_file(self._path / "fossils" / _fossil_name(fossil))

    def fossils(self) -> list[int]:
        """Return the generations that have a fossil, ascending."""
        return sorted(
            int(name[:-4]) for name in names_in(self._path / "fossils") if re.fullmatch(r"[0-9]{15,}\.npz", name)
        )

    def read_fossil(self, generation: int) -> dict[str, NDArray[Any]]:
        """Return the arrays of one fossil. Raises EvoError when it is missing or damaged."""
        known = self.fossils()
        if generation not in known:
            closest = f"; the nearest is {min(known, key=lambda fossil: abs(fossil - generation))}" if known else ""
            raise EvoError(f"{self._path} has no fossil of generation {generation}{closest}")
        return read_arrays(self._path / "fossils" / _fossil_name(generation))

    def drop_fossils(self, after: int) -> None:
        """Remove the fossils of generations > `after`; a resumed run makes them again."""
        self._require_lock()
        for fossil in self.fossils():
            if fossil > after:
                self._remove_file(self._path / "fossils" / _fossil_name(fossil))

    # Why the run ended: the file `ended`.

    @property
    def ended(self) -> str | None:
        """Return why learning ended; None while it continues, and for runs older than this record. Raises EvoError."""
        path = self._path / "ended"
        return printable(" ".join(read_text(path, ENDED_BYTES).split())) if path.exists() else None

    def record_end(self, reason: str | None) -> None:
        """Record in one line why learning ended; None removes the record, as the run continues."""
        self._require_lock()
        if reason is None:
            self._remove_file(self._path / "ended")
        else:
            write_text(self._path / "ended", f"{reason}\n")

    # The folder itself.

    def _folder(self, name: str) -> Path:
        folder = self._path / name
        refuse_link(folder)
        try:
            folder.mkdir(exist_ok=True)
        except OSError as error:
            raise cannot_write(folder, error) from error
        return folder

    def _require_lock(self) -> None:
        if self._lock is None:
            raise RuntimeError(f"{self._path} is open for reading only, or closed: RunDirectory.open(path, write=True)")

    def _take_lock(self) -> None:
        """Take the lock for as long as this object lives. Raises EvoError when another process holds it."""
        path = self._path / "lock"
        try:
            # Never remove the file: two processes could then lock two files of the same name.
            lock = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666), "r+b", buffering=0)
        except OSError as error:
            raise cannot_write(path, error) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(lock.fileno(), 200, 0).decode(errors="replace").split()
            lock.close()
            raise EvoError(
                f"{self._path} is being written by a live run ({_describe(holder)}); stop it or wait"
            ) from error
        except OSError as error:
            self.warnings.append(f"cannot lock {path} ({error.strerror}); make sure that nobody else writes this run")
        self._lock = lock
        try:
            os.ftruncate(lock.fileno(), 0)
            os.pwrite(lock.fileno(), f"{os.getpid()} {socket.gethostname()}\n".encode(), 0)
        except OSError as error:
            raise cannot_write(path, error) from error

    def _remove_temporaries(self, *folders: Path) -> None:
        for path in [path for folder in folders for path in folder.glob(TEMPORARY)]:
            if path.is_dir() and not path.is_symlink():
                self._remove_folder(path)
            else:
                self._remove_file(path)

    def _clean_checkpoints(self) -> None:
        checkpoints = self._path / "checkpoints"
        self._remove_temporaries(checkpoints, *_checkpoints(checkpoints).values())

    def _remove_file(self, path: Path) -> None:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            self.warnings.append(f"cannot remove {path}: {error.strerror}")

    def _remove_folder(self, path: Path) -> None:
        """Remove a folder, renamed first so that it is never seen half removed under its own name."""
        try:
            doomed = temporary_beside(path)
            os.rename(path, doomed)
            shutil.rmtree(doomed)
        except OSError as error:
            self.warnings.append(f"cannot remove {path}: {error.strerror}")


def fossil_stride(generation: int) -> int:
    """Return the least power of two with at most FOSSILS multiples in 0 … `generation`. Raises ValueError below 0."""
    if generation < 0:
        raise ValueError(f"generation={generation}: must be >= 0")
    stride = 1
    while generation // stride + 1 > FOSSILS:
        stride *= 2
    return stride


def runs(folder: Path) -> list[Path]:
    """Return the run folders in `folder` and in `folder/reference`, oldest first; none when the folder is missing."""
    found = []
    for place in (folder, folder / "reference"):
        for name in names_in(place):
            with suppress(OSError):
                # Only the run changes this file; the folder's own time changes with any new video.
                modified = os.stat(place / name / "config.toml").st_mtime_ns
                found.append((modified, place / name))
    return [path for _, path in sorted(found)]


def _refuse_used(path: Path) -> None:
    """Raise EvoError for a folder that is not empty, OSError when it cannot be listed."""
    used = [name for name in os.listdir(path) if name not in _HALF_MADE and not Path(name).match(TEMPORARY)]
    if "config.toml" in used:
        again = command("resume", path, config=read_text(path / "config.toml"))
        raise EvoError(f"{path} holds a run already; choose another folder as out, or go on with: {again}")
    if used:
        raise EvoError(f"{path} is not an empty folder; choose another folder as out, or go on with: evo resume PATH")


def _require_run(path: Path) -> None:
    """Raise EvoError, suggesting the nearest run's name, unless `path` is a run's folder."""
    if os.path.isfile(path / "config.toml"):
        return
    if os.path.isdir(path):
        inside = [run.name for run in runs(path)]
        advice = nearest(path.name, inside) if inside else "; name a folder that `evo run` made"
        raise EvoError(f"{path} is not a run: it has no config.toml{advice}")
    if os.path.exists(path):
        raise EvoError(f"{path} is a file, not a run; name the run's folder")
    beside = [run.name for run in runs(path.parent)]
    advice = nearest(path.name, beside) if beside else f"; {path.parent} holds no runs, `evo run` makes one"
    raise EvoError(f"there is no run at {path}{advice}")


def _describe(holder: list[str]) -> str:
    process, host = holder if len(holder) == 2 else ("unknown", socket.gethostname())
    return f"process {process}" if host == socket.gethostname() else f"process {process} on {host}"


def _write_state(folder: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write state.npz, then the mark `done` that it is whole. Raises EvoError or OSError."""
    write_arrays(folder / "state.npz", arrays)
    os.close(os.open(folder / "done", os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW, 0o666))
    sync_folder(folder)


def _checkpoints(folder: Path) -> dict[int, Path]:
    """Return the folder of each checkpoint by its steps, ascending."""
    steps = sorted(int(name) for name in names_in(folder) if re.fullmatch(r"[0-9]{15,}", name))
    return {found: place for found in steps if not (place := folder / f"{found:015d}").is_symlink()}


def _fossil_name(generation: int) -> str:
    return f"{generation:015d}.npz"
