"""A member of a study on another machine: an ordinary run in a process of its own, and what it writes is sent home.

The run is the command `evo run` or `evo resume` in a temporary folder there. It ends with the process that started it,
saves what it has when it is asked to stop, and whatever else becomes of it, the study's machine has the run as it was
when it last saved.
"""

import ctypes
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from evo.cluster.trial import MachineTrial, try_machine
from evo.config.resolve import read_config, resolve_config
from evo.storage.files import names_in
from evo.storage.messages import pack, unpack
from evo.storage.mirror import PIECE, Mirror, Piece, Source

_CHILD = (
    "import sys; from evo.comparison.away import end_with; end_with(int(sys.argv.pop(1)));"
    "import runpy; runpy.run_module('evo', run_name='__main__')"
)
_GLANCE = 0.05  # seconds between looks at what the run has written
_SENDING = 0.05  # share of the time that may be spent on sending checkpoints
_TOLD = 2**14  # bytes of what a failed run printed that are sent
_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG of Linux
_STOPPED = "Tt"  # states of a process that a signal has stopped


class Report(NamedTuple):
    """What has become of a member.

    alive: whether its process does anything. code: its exit status once it has ended, minus the signal that killed it.
    text: what it then printed as errors.
    """

    pieces: Sequence[Piece]
    alive: bool
    code: int | None
    text: str


class Supervisor:
    """Runs a member after the other in a process of their own, for as long as this process lives.

    path: where the study finds modules, after those that are found here. folder: where it works, if there is one here.
    """

    def __init__(self, path: Sequence[str], folder: str) -> None:
        with suppress(OSError):
            os.chdir(folder)
        sys.path += [place for place in path if place not in sys.path]
        self._child: subprocess.Popen[bytes] | None = None
        self._scratch: tuple[Path, int] | None = None  # the folder of the member, and the lock on it
        self._mirror: Mirror | None = None

    def hello(self) -> None:
        """Answer: the process is there."""

    def take(self, message: bytes) -> None:
        """Take pieces of a run that was begun elsewhere, before `start`."""
        self._mirror = self._mirror or Mirror(self._run)
        for piece in _pieces_of(*unpack(message)):
            self._mirror.take(piece)

    def start(self, config: str, threads: int, home: str) -> MachineTrial:
        """Start or resume the run; return this machine's trial for it. home: what errors call its directory."""
        found = resolve_config(read_config(config, "a member of a study", trust=True))
        trial = try_machine(found)
        words = ["run", "--config", str(self._run.parent / "config.toml"), "--out", str(self._run)]
        if self._mirror is not None:
            self._mirror.close()
            words = ["resume", str(self._run)]
        (self._run.parent / "config.toml").write_text(config)
        self._source, self._home = Source(self._run, known=self._mirror is not None), home
        self._moment: Iterator[Piece] | None = None  # what is being sent
        self._began, self._rest = 0.0, 0.0  # when that began, and until when nothing else is
        self._live = self._mirror is not None  # whether the other side has a run to add rows to
        self._final, self._mirror = False, None
        with open(self._run.parent / "errors", "wb") as errors:
            self._child = subprocess.Popen(
                [sys.executable, "-c", _CHILD, str(os.getpid()), *words, *_options(threads)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                # it finds the modules that the trial was made with
                env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
                start_new_session=True,
            )
        return trial

    def news(self, patience: float) -> bytes:
        """Return what the run has written since the last call; wait so many seconds for a checkpoint."""
        assert self._child is not None
        until = time.monotonic() + patience
        while self._child.poll() is None and time.monotonic() < until and not self._may_send():
            time.sleep(_GLANCE)
        code = self._child.poll()
        if self._moment is None and (self._may_send() or (code is not None and not self._final)):
            self._moment, self._began = self._source.moment(), time.monotonic()
            self._final = code is not None
        pieces, size = list[Piece](), 0
        while size < PIECE and (piece := self._next()) is not None:
            pieces.append(piece)
            size += len(piece.data)
        over = self._final and self._moment is None
        text = self._told() if over else ""
        alive = code is not None or _state(self._child.pid) not in _STOPPED
        if over:
            self._clean()
        return _pack(pieces, alive=alive, code=code if over else None, text=text)

    def stop(self) -> None:
        """Ask the run to save what it has, and to end."""
        if self._child is not None:
            self._child.terminate()

    @property
    def _run(self) -> Path:
        if self._scratch is None:
            self._scratch = _make_scratch()
        return self._scratch[0] / "run"

    def _may_send(self) -> bool:
        """Whether there is something to be sent besides rows."""
        return self._moment is not None or (time.monotonic() >= self._rest and self._source.is_due())

    def _next(self) -> Piece | None:
        if self._moment is not None:
            if (piece := next(self._moment, None)) is not None:
                return piece
            took = time.monotonic() - self._began
            self._moment, self._rest, self._live = None, time.monotonic() + took / _SENDING, True
        return next(self._source.rows(), None) if self._live else None

    def _told(self) -> str:
        """Return what the run printed as errors, its directory called as at home."""
        with open(self._run.parent / "errors", "rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _TOLD))
            return file.read().decode(errors="replace").replace(str(self._run), self._home)

    def _clean(self) -> None:
        if self._scratch is not None:
            shutil.rmtree(self._scratch[0], ignore_errors=True)
            os.close(self._scratch[1])
        self._scratch = self._child = None


def messages_of(pieces: Iterator[Piece]) -> Iterator[bytes]:
    """Yield pieces as messages for `Supervisor.take`."""
    together, size = list[Piece](), 0
    for piece in pieces:
        together.append(piece)
        size += len(piece.data)
        if size >= PIECE:
            yield _pack(together)
            together, size = [], 0
    if together:
        yield _pack(together)


def unpack_report(message: bytes) -> Report:
    """Return what `Supervisor.news` reports. Raises ValueError for another message."""
    values, arrays = unpack(message)
    alive, code, text = values.get("alive"), values.get("code"), values.get("text")
    if type(alive) is not bool or type(code) not in (int, type(None)) or type(text) is not str:
        raise ValueError("it is no report on a run")
    return Report(_pieces_of(values, arrays), alive, code, text)


def _pack(pieces: Sequence[Piece], **values: Any) -> bytes:
    heads = [[piece.name, piece.offset, piece.size, len(piece.data)] for piece in pieces]
    data = np.frombuffer(b"".join(piece.data for piece in pieces), np.uint8)
    return pack({**values, "pieces": heads}, {"data": data})


def _pieces_of(values: dict[str, Any], arrays: dict[str, np.ndarray]) -> list[Piece]:
    try:
        data, place, pieces = arrays["data"].tobytes(), 0, []
        for name, offset, size, length in values["pieces"]:
            if type(name) is not str or not all(type(one) is int and one >= 0 for one in (offset, size, length)):
                raise ValueError("its pieces are none")
            pieces.append(Piece(name, offset, size, data[place : place + length]))
            place += length
    except (KeyError, TypeError) as error:
        raise ValueError(f"it holds no pieces: {error}") from error
    if place != len(data):
        raise ValueError("its pieces have other lengths")
    return pieces


def end_with(parent: int) -> None:
    """End this process when the one that started it ends, however that happens."""
    ctypes.CDLL(None, use_errno=True).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
    if os.getppid() != parent:  # it has ended meanwhile
        os._exit(1)


def _options(threads: int) -> list[str]:
    return ["--threads", str(threads), "--no-video", "--quiet", "--trust"]


def _state(process: int) -> str:
    """Return the letter that the operating system has for the state of a process; empty where there is none."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return ""


def _make_scratch() -> tuple[Path, int]:
    """Return a new temporary folder, and the lock by which this process holds it; remove those of processes gone."""
    folder = Path(tempfile.gettempdir()) / f"evo-members-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    busy = _lock(folder, wait=True)
    try:
        for name in names_in(folder):
            if (lock := _lock(folder / name)) is not None:
                shutil.rmtree(folder / name, ignore_errors=True)
                os.close(lock)
        made = Path(tempfile.mkdtemp(dir=folder))
        held = _lock(made)
        assert held is not None
        return made, held
    finally:
        if busy is not None:
            os.close(busy)


def _lock(folder: Path, wait: bool = False) -> int | None:
    """Return a lock on a folder, held until this process ends or closes it; None where another holds it."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:
        os.close(descriptor)
        return None
    return descriptor
