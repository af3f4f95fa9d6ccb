"""A run directory on one machine's disk, mirrored on another's while it is written.

A mirror is at every moment what a run killed at some moment leaves, and can be resumed. A run writes its files in the
order of `_FILES`, and each is replaced whole, but for metrics.csv, which grows. So they are opened in the reverse
order, which makes what was opened later at least as new as what was opened before it; and they are put into the mirror
in the order of writing. Nothing that comes from another machine is trusted to be a run: names, sizes and places are
checked, and files go under names that a run directory has.
"""

import os
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import BinaryIO, NamedTuple

from evo.errors import EvoError
from evo.storage.files import (
    append_text,
    cannot_write,
    make_folder,
    names_in,
    open_without_waiting,
    read_text,
    refuse_link,
    sync_file,
    sync_folder,
    temporary_beside,
)
from evo.storage.metrics import METRICS_BYTES
from evo.storage.run_directory import CHECKPOINT_BYTES, ENDED_BYTES, RunDirectory

PIECE = 2**23  # bytes of a file that travel at once
_LISTING = "."  # name of the piece that completes the files of a moment: their names
_METRICS, _CONFIG, _VERSIONS = "metrics.csv", "config.toml", "versions.toml"
_LONGEST_LINE = 2**15  # bytes
_MOST_NAMES = 10_000
_FOSSIL = re.compile(r"[0-9]{15,}\.npz")
_STEPS = re.compile(r"[0-9]{15,}")  # name of a checkpoint's folder

# Names in a run directory in the order in which a run writes them, and how many bytes they may have.
_FILES: Sequence[tuple[re.Pattern[str], int]] = [
    (re.compile(pattern), limit)
    for pattern, limit in (
        (r"versions\.toml", 2**20),
        (r"start\.npz", 2**31),
        (r"mixed", 2**16),
        (r"metrics\.csv", METRICS_BYTES),
        (r"fossils/[0-9]{15,}\.npz", 2**31),
        (r"ended", ENDED_BYTES),
        (r"last\.npz", 2**31),
        (r"champion\.npz", 2**31),
        (r"checkpoints/[0-9]{15,}/state\.npz", CHECKPOINT_BYTES + 2**24),
        (r"checkpoints/[0-9]{15,}/done", 0),
        (r"config\.toml", 2**24),
        (r"(archive|front)\.npz", 2**34),
        (r"(plots|videos)/\w[\w.-]*\.(png|svg|pdf|mp4|webp|gif|html)", 2**30),
    )
]


class Piece(NamedTuple):
    """A part of a file: `data` from byte `offset` on, of `size` bytes. name: relative to the run directory."""

    name: str
    offset: int
    size: int
    data: bytes


def _rank(name: str) -> int:
    """Return a name's place in the order of writing. Raises ValueError for one that no run directory has."""
    for rank, (pattern, _) in enumerate(_FILES):
        if pattern.fullmatch(name):
            return rank
    raise ValueError(f"{name[:100]!r} is no file of a run directory")


class Source:
    """A run directory that another process may be writing, to be mirrored.

    known: whether the mirror has what is there now.
    """

    def __init__(self, path: Path, known: bool = False) -> None:
        self._path = path
        self._sent: dict[str, tuple[int, int, int]] = {}  # name → identity of the file that the mirror has
        self._metrics = 0, 0  # inode of metrics.csv, and how much of it the mirror has
        if known:
            self._sent = {name: found for name in self._names() if (found := _identity(path / name)) is not None}
            with suppress(FileNotFoundError), _open(path / _METRICS) as file:
                self._metrics = os.fstat(file.fileno()).st_ino, _whole_lines(file)

    def rows(self) -> Iterator[Piece]:
        """Yield what metrics.csv has gained, in whole lines."""
        with suppress(FileNotFoundError), _open(self._path / _METRICS) as file:
            yield from self._rows(file)

    def _rows(self, file: BinaryIO) -> Iterator[Piece]:
        inode, end = os.fstat(file.fileno()).st_ino, _whole_lines(file)
        sent = self._metrics[1] if self._metrics[0] == inode else 0  # another file: it was written anew
        while sent < end:
            file.seek(sent)
            data = file.read(min(PIECE, end - sent))
            self._metrics = inode, sent + len(data)
            yield Piece(_METRICS, sent, end, data)
            sent += len(data)

    def is_due(self) -> bool:
        """Return whether there is a run, and a checkpoint of it that the mirror has not got."""
        newest = self._newest()
        if newest is None:
            return not self._sent and (self._path / _CONFIG).exists()
        return self._sent.get(newest) != _identity(self._path / newest)

    def moment(self) -> Iterator[Piece]:
        """Yield pieces of the files that have changed since, all as of one moment; the last piece completes them."""
        with ExitStack() as opened:
            files: dict[str, BinaryIO] = {}
            for name in self._names():
                with suppress(FileNotFoundError):  # it was removed meanwhile
                    files[name] = opened.enter_context(_open(self._path / name))
            for name, file in reversed(files.items()):
                if name == _METRICS:
                    yield from self._rows(file)
                    continue
                found = _identity_of(os.fstat(file.fileno()))
                if self._sent.get(name) != found:
                    yield from _pieces(name, file, found[1])
                    self._sent[name] = found
            if files:
                listing = "\n".join(files).encode()
                yield Piece(_LISTING, 0, len(listing), listing)

    def _names(self) -> list[str]:
        """Return the names of the files to be mirrored, the last written first."""
        newest = self._newest()
        folders = ("", "fossils/", "plots/", "videos/")
        names = [f"{folder}{name}" for folder in folders for name in names_in(self._path / folder)]
        names = [name for name in names if any(pattern.fullmatch(name) for pattern, _ in _FILES)]
        names += [] if newest is None else [newest, newest.replace("state.npz", "done")]
        return sorted(names, key=_rank, reverse=True)

    def _newest(self) -> str | None:
        """Return the name of the newest whole checkpoint's state."""
        for folder in reversed(names_in(self._path / "checkpoints")):
            name = f"checkpoints/{folder}/state.npz"
            if _STEPS.fullmatch(folder) and (self._path / "checkpoints" / folder / "done").exists():
                return name
        return None


class Mirror:
    """The mirror at `path` of a run directory elsewhere, whose lock it holds from when it is a run, until `close`.

    Raises EvoError where another process writes it, or the disk refuses, and ValueError for pieces of no run.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._directory: RunDirectory | None = None
        self._staging: Path | None = None
        self._sizes: dict[str, int] = {}  # of the files that are staged
        self._before: Callable[[Path], None] | None = None
        if (path / _CONFIG).exists():
            self._directory = RunDirectory.open(path, write=True)
            with suppress(FileNotFoundError), _open(path / _METRICS) as file:
                os.truncate(path / _METRICS, _whole_lines(file))  # what a killed writer left of a line

    def mark(self, write: Callable[[Path], None]) -> None:
        """Let `write` write to the run directory before anything more gets there."""
        self._before = write

    def close(self) -> None:
        """Release the lock, and drop what is not complete."""
        if self._staging is not None:
            shutil.rmtree(self._staging, ignore_errors=True)
        if self._directory is not None:
            self._directory.close()

    def take(self, piece: Piece) -> bool:
        """Take the next piece; return whether the files of a moment are complete, and in their places."""
        try:
            return self._take(piece)
        except OSError as error:
            raise cannot_write(self._path, error) from error

    def _take(self, piece: Piece) -> bool:
        name, offset, size, data = piece
        if name == _LISTING:
            names = data.decode().split("\n")
            if offset or size != len(data) or len(names) > _MOST_NAMES:
                raise ValueError("its list of files is none")
            self._complete({one for one in names if _rank(one) >= 0})
            return True
        if not 0 <= offset <= offset + len(data) <= size <= _FILES[_rank(name)][1]:
            raise ValueError(f"{name} has {size} bytes, more than it may have")
        staged = self._staging is not None and (self._staging / name).exists()
        if name == _METRICS and offset and not staged:
            if self._directory is None or (self._path / name).stat().st_size != offset:
                raise ValueError("rows of its metrics.csv are missing")
            self._write_mark()
            append_text(self._path / name, data.decode())
            return False
        self._stage(piece)
        if name == _METRICS and offset + len(data) == size and self._directory is not None:
            self._write_mark()
            self._adopt(name)
        return False

    def _stage(self, piece: Piece) -> None:
        """Keep a piece apart until its file, and all others of its moment, are complete."""
        if self._staging is None:
            make_folder(self._path)
            self._staging = temporary_beside(self._path / _CONFIG)
        path = self._staging / piece.name
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "ab" if piece.offset else "wb") as file:
            if file.tell() != piece.offset:
                raise ValueError(f"a part of its {piece.name} is missing")
            file.write(piece.data)
        self._sizes[piece.name] = piece.size
        if len(self._sizes) > _MOST_NAMES:
            raise ValueError("it has more files than a run may have")

    def _complete(self, names: set[str]) -> None:
        """Put the staged files in their places, and remove what the other directory no longer has."""
        if self._staging is not None:
            found = [path for path in self._staging.rglob("*") if path.is_file()]
            staged = sorted((path.relative_to(self._staging).as_posix() for path in found), key=_rank)
            for name in staged:
                if (self._staging / name).stat().st_size != self._sizes[name]:
                    raise ValueError(f"a part of its {name} is missing")
            if self._directory is None:
                if not {_CONFIG, _VERSIONS} <= set(staged):
                    raise ValueError("it has no config.toml")
                texts = read_text(self._staging / _CONFIG), read_text(self._staging / _VERSIONS)
                self._directory = RunDirectory.create(self._path, *texts)
                staged = [name for name in staged if name not in (_CONFIG, _VERSIONS)]
            self._write_mark()
            for name in staged:
                self._adopt(name)
            shutil.rmtree(self._staging)
            self._staging = None
            self._sizes.clear()
        for name in names_in(self._path / "fossils"):
            if _FOSSIL.fullmatch(name) and f"fossils/{name}" not in names:
                self._remove(self._path / "fossils" / name)
        if "ended" not in names:
            self._remove(self._path / "ended")
        checkpoints = [name for name in names_in(self._path / "checkpoints") if _STEPS.fullmatch(name)]
        newest = max((name.split("/")[1] for name in names if name.startswith("checkpoints/")), default="")
        older = [name for name in checkpoints if name < newest][-1:]
        for name in checkpoints:
            if newest and name not in (newest, *older):
                self._remove(self._path / "checkpoints" / name)

    def _write_mark(self) -> None:
        write, self._before = self._before, None
        if write is not None:
            write(self._path)

    def _adopt(self, name: str) -> None:
        """Put a staged file in its place: a checkpoint's folder only with its state."""
        assert self._staging is not None
        staged, place = self._staging / name, self._path / name
        sync_file(staged)
        folder = place.parent
        if folder != self._path:
            top = self._path / name.partition("/")[0]
            refuse_link(top)
            top.mkdir(exist_ok=True)
        if name.startswith("checkpoints/") and not folder.exists():
            (staged.parent / "done").touch()
            sync_folder(staged.parent)
            os.rename(staged.parent, folder)
            folder = folder.parent
        elif staged.exists():  # else it came with its folder
            refuse_link(folder)
            os.replace(staged, place)
        sync_folder(folder)

    @staticmethod
    def _remove(path: Path) -> None:
        """Remove a file or a checkpoint, which is never seen half removed under its own name."""
        doomed = temporary_beside(path)
        with suppress(FileNotFoundError):
            os.rename(path, doomed)
            if doomed.is_dir() and not doomed.is_symlink():
                shutil.rmtree(doomed)
            else:
                doomed.unlink()


def _pieces(name: str, file: BinaryIO, size: int) -> Iterator[Piece]:
    """Yield a file whole; the file that was opened, even where its name leads to another meanwhile."""
    offset = 0
    while offset < size or not offset:
        data = file.read(min(PIECE, size - offset))
        if len(data) < min(PIECE, size - offset):
            raise EvoError(f"cannot read {name}: it became shorter")
        yield Piece(name, offset, size, data)
        offset += len(data)
        if not size:
            return


def _open(path: Path) -> BinaryIO:
    return open(path, "rb", opener=_no_link)


def _no_link(path: str, flags: int) -> int:
    return open_without_waiting(path, flags | os.O_NOFOLLOW)


def _whole_lines(file: BinaryIO) -> int:
    """Return where the last whole line ends."""
    size = os.fstat(file.fileno()).st_size
    first = file.seek(max(0, size - _LONGEST_LINE))
    return first + file.read(size - first).rfind(b"\n") + 1


def _identity(path: Path) -> tuple[int, int, int] | None:
    try:
        return _identity_of(os.stat(path, follow_symlinks=False))
    except FileNotFoundError:
        return None


def _identity_of(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_ino, status.st_size, status.st_mtime_ns
