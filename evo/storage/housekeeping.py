"""Housekeeping of run directories: which is being written, how large one is, and removing it."""

import fcntl
import os
import shutil
import socket
from contextlib import suppress
from pathlib import Path

from evo.errors import EvoError, printable
from evo.grammar import parse_toml
from evo.storage.files import TEMPORARY, cannot_write, names_in, temporary_beside
from evo.storage.run_directory import RunDirectory

# What a run makes, and what may lie beside it without being anybody's work.
_OURS = {"config.toml", "metrics.csv", "checkpoints", "champion.npz", "fossils", "last.npz", "ended", "videos", "plots"}
_OURS |= {"versions.toml", "lock", "start.npz", "logs", ".DS_Store"}


def is_held(path: Path) -> bool:
    """Return whether a live process writes the run at `path`.

    The lock is tried only where its holder may live: for that moment a run that starts would be refused.
    """
    try:
        with open(path / "lock", "rb") as lock:
            process, _, host = lock.read(200).decode(errors="replace").strip().partition(" ")
            if host == socket.gethostname() and process.isdigit() and not _lives(int(process)):
                return False
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
    except OSError:  # no lock, or one that cannot be asked for
        pass
    return False


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # another user's
    return True


def size_of(path: Path) -> int:
    """Return the bytes of all files below a folder; links are not followed."""
    total = 0
    for folder, _, names in os.walk(path):
        for name in names:
            with suppress(OSError):  # removed meanwhile
                total += os.lstat(os.path.join(folder, name)).st_size
    return total


def check_removable(path: Path) -> None:
    """Raise EvoError unless `path` is a run's own folder, with nothing in it but what evo made, that nobody writes."""
    if path.is_symlink():
        raise EvoError(f"{path} is a link: name the run itself, {path.resolve()}")
    try:
        written = parse_toml(RunDirectory.open(path).config_text)
    except ValueError:
        written = {}
    if "evo" not in written or "task" not in written:
        raise EvoError(f"{path} is not a run: its config.toml is not one that evo wrote")
    others = [name for name in names_in(path) if name not in _OURS and not Path(name).match(TEMPORARY)]
    if others:
        found = printable(sorted(others)[0])
        raise EvoError(f"{path} holds {found!r}, which evo did not make: move it elsewhere first")
    if is_held(path):
        raise EvoError(f"{path} is being written by a live run; stop it or wait")


def remove_run(path: Path) -> int:
    """Remove a run's folder; return the bytes of its files. Raises EvoError where it must stay (`check_removable`).

    The folder is renamed first: it is never seen half removed under its own name.
    """
    check_removable(path)
    with RunDirectory.open(path, write=True):  # takes the lock
        size = size_of(path)
        try:
            doomed = temporary_beside(path)
            os.rename(path, doomed)
            shutil.rmtree(doomed)
        except OSError as error:
            raise cannot_write(path, error) from error
    return size
