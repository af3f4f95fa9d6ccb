"""Provenance: whether anything but this process's bits is in a run, kept in its directory and its champions for ever.

The file `mixed` has a line for each way in which nodes of a cluster computed other bits. It is written before any
checkpoint or champion that they may have had a part in, and stays, wherever the run goes on.
"""

from collections.abc import Mapping
from pathlib import Path

from evo.errors import printable
from evo.evaluation.workers import NodeWorkers, Workers
from evo.numerics.platform_facts import platform_facts
from evo.storage.files import read_text, write_text
from evo.storage.run_directory import RunDirectory

NODES = "nodes"  # the fact of a champion, and what each line begins with
_FILE, _BYTES = "mixed", 2**16


def read_mixed(path: Path) -> tuple[str, ...]:
    """Return how a run's bits may be others than those of threads, a line each; none of most. Raises EvoError."""
    file = path / _FILE
    if not file.exists():
        return ()
    return tuple(printable(" ".join(line.split())) for line in read_text(file, _BYTES).splitlines() if line.strip())


def add_mixed(path: Path, line: str) -> None:
    """Add how a run's bits may be others, where that is not known yet. Raises EvoError."""
    lines = read_mixed(path)
    if printable(line) not in lines:
        write_text(path / _FILE, "".join(f"{one}\n" for one in (*lines, printable(line))))


class Provenance:
    """What is known of a run that learns in a directory by workers; without them, of this process alone."""

    def __init__(self, directory: RunDirectory | None = None, workers: Workers | None = None) -> None:
        self._directory = directory
        self._workers = workers if isinstance(workers, NodeWorkers) else None
        self._before = dict(self._workers.other_bits) if self._workers else {}  # of what was done before this run
        self.lines = () if directory is None else read_mixed(directory.path)

    def record(self) -> None:
        """Write to the directory what has happened since; before what came of it is saved. Raises EvoError."""
        if self._directory is None or self._workers is None:
            return
        seen = [
            printable(what)
            for what, count in self._workers.other_bits.items()
            if count > self._before.get(what, 0) and printable(what) not in self.lines
        ]
        if seen:
            lines = *self.lines, *seen
            write_text(self._directory.path / _FILE, "".join(f"{line}\n" for line in lines))
            self.lines = lines

    def marks(self) -> Mapping[str, str]:
        """Return the facts of a champion that say so; none of most. Raises EvoError."""
        self.record()
        told = "; ".join(line.removeprefix(f"{NODES} ") for line in self.lines)
        return {NODES: told} if told else {}

    def facts(self) -> Mapping[str, str]:
        """Return what the bits of a champion depend on. Raises EvoError."""
        return {**platform_facts(), **self.marks()}
