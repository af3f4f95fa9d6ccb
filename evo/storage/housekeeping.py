"""Housekeeping of run directories: which is being written, how large one is, and removing it."""

import fcntl
import os
import re
import shutil
import socket
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from evo.errors import EvoError, one_line, printable
from evo.grammar import parse_toml
from evo.storage.files import TEMPORARY, cannot_write, open_without_waiting, temporary_beside
from evo.storage.run_directory import RunDirectory

# What a run makes: folders and files, by their paths below it. What a logger keeps in its own folder is its business.
_LOGS = r"logs/(tensorboard|wandb|mlflow)"
_FOLDERS = re.compile(rf"checkpoints(/[0-9]{{15,}})?|fossils|videos|plots|logs|{_LOGS}(/.*)?", re.DOTALL)
_FILES = re.compile(
    r"config\.toml|versions\.toml|metrics\.csv|(archive|champion|front|last|start)\.npz|ended|mixed|lock"
    r"|checkpoints/[0-9]{15,}/(state\.npz|done)|fossils/[0-9]{15,}\.npz"
    rf"|(videos|plots)/[^/]+\.(mp4|gif|webp|png|svg|pdf|html)|{_LOGS}(\.json|/.*)|(.*/)?\.DS_Store",
    re.DOTALL | re.IGNORECASE,
)


def is_held(path: Path) -> bool:
    """Return whether a live process writes the run at `path`.

    The lock is tried only where its holder may live: for that moment a run that starts would be refused.
    """
    try:
        with open(path / "lock", "rb", opener=open_without_waiting) as lock:
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
    _check_contents(path)
    if is_held(path):
        raise EvoError(f"{path} is being written by a live run; stop it or wait")


def _check_contents(path: Path) -> None:
    """Raise EvoError for anything in a run's folder that evo did not make, and for another disk in it."""
    if mounted := [point for point in _mount_points() if path.resolve() in point.parents]:
        raise EvoError(f"{mounted[0]} is mounted there, from elsewhere: unmount it first")
    for folder, folders, files in os.walk(path, onerror=_refuse_unread):
        for name in list(folders):
            place = Path(folder, name)
            if Path(name).match(TEMPORARY):
                folders.remove(name)  # half made, or half removed
                continue
            inside = place.relative_to(path).as_posix()
            if _FOLDERS.fullmatch(inside) is None:
                raise _foreign(path, inside)
            if place.is_symlink() and "/" not in inside:
                raise EvoError(f"{place} is a link: evo did not make it; move it elsewhere first")
            if os.path.ismount(place):
                raise EvoError(f"{place} is mounted there, from elsewhere: unmount it first")
        for name in files:
            inside = Path(folder, name).relative_to(path).as_posix()
            if _FILES.fullmatch(inside) is None and not Path(name).match(TEMPORARY):
                raise _foreign(path, inside)


def _mount_points() -> list[Path]:
    """Return where Linux has mounted something; `ismount` does not see a folder of the same disk. Else empty."""
    try:
        lines = Path("/proc/self/mountinfo").read_text(errors="surrogateescape").splitlines()
    except OSError:
        return []
    escaped = re.compile(r"\\([0-7]{3})")
    return [Path(escaped.sub(lambda code: chr(int(code[1], 8)), line.split()[4])) for line in lines]


def _foreign(path: Path, inside: str) -> EvoError:
    return EvoError(f"{path} holds {printable(inside)!r}, which evo did not make: move it elsewhere first")


def _refuse_unread(error: OSError) -> NoReturn:
    raise EvoError(f"cannot look into {error.filename}: {one_line(error)}") from error


def remove_run(path: Path) -> int:
    """Remove a run's folder; return the bytes of its files. Raises EvoError where it must stay (`check_removable`).

    The folder is renamed first: it is never seen half removed under its own name.
    """
    check_removable(path)
    with RunDirectory.open(path, write=True):  # takes the lock
        _check_contents(path)  # again: only now can no run write it
        own = path.resolve()  # `runs/a/../a` is no way to anything once it has gone
        size, doomed = size_of(own), temporary_beside(own)
        try:
            os.rename(own, doomed)
        except OSError as error:
            raise cannot_write(path, error) from error
        try:
            shutil.rmtree(doomed)
        except OSError as error:
            raise EvoError(f"cannot remove all of {path}: {one_line(error)}; what is left is {doomed}") from error
    return size
