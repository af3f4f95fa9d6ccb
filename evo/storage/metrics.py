"""metrics.csv: one line per row; numbers read back exactly."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import final

import numpy as np
from numpy.typing import NDArray

from evo.errors import EvoError
from evo.storage.files import append_text, read_text, write_text

METRICS_BYTES = 2**31
_LONGEST_LINE = 2**14  # bytes
AS_WRITTEN: Mapping[str, str] = {}
_NAME = re.compile(r"[\w.:/ -]+")


@final
class MetricsFile:
    """The metrics.csv at `path`, which need not exist yet; `warnings` gains a line when rows are missing.

    Only the holder of the run's lock may call `append` and `keep`, as the columns are read once and then cached.
    """

    def __init__(self, path: Path, warnings: list[str]) -> None:
        self._path = path
        self._warnings = warnings
        self._columns: list[str] | None = None  # None until the file has been read

    def append(self, row: Mapping[str, float | int]) -> None:
        """Append one row; the first row's keys become the columns.

        Raises ValueError when the keys differ from the columns (their order is free) or do not suit a CSV header, and
        EvoError when the disk refuses.
        """
        if self._columns is None:
            self._columns = self._repair(None)
        if self._columns is None:
            columns = list(row)
            if unfit := [name for name in columns if not _NAME.fullmatch(name)]:
                raise ValueError(f"metrics columns {unfit}: use letters, digits and _ . : / -")
            if not columns:
                raise ValueError("a metrics row needs at least one column")
            write_text(self._path, f"{','.join(columns)}\n{_line(row, columns)}")
            self._columns = columns
            return
        if set(row) != set(self._columns):
            raise ValueError(f"metrics row has the columns {list(row)}, but {self._path} has {self._columns}")
        append_text(self._path, _line(row, self._columns))

    def read(self, renamed: Mapping[str, str] = AS_WRITTEN) -> dict[str, NDArray[np.float64]]:
        """Return the columns, each (rows,); empty before the first row. A torn last line is left out.

        renamed: old name → new name of columns that an older evo wrote.
        Raises EvoError when another line is damaged, and on access to a column that does not exist.
        """
        lines = self._lines()
        if not lines:
            return {}
        columns = _names(lines[0], self._path, renamed)
        # checked before allocating: a header alone may promise more numbers than memory holds
        for index, line in enumerate(lines[1:]):
            if line.count(",") != len(columns) - 1:
                raise self._refuse_damaged(index)
        values = np.empty((len(lines) - 1, len(columns)))
        for index, line in enumerate(lines[1:]):
            try:
                values[index] = [float(text) for text in line.split(",")]
            except ValueError as error:
                raise self._refuse_damaged(index) from error
        return _Columns(self._path, {name: values[:, index].copy() for index, name in enumerate(columns)})

    def last(self) -> dict[str, float]:
        """Return the last whole row, without reading the others; {} before the first, and where it is damaged."""
        if not self._path.exists():
            return {}
        with open(self._path, "rb") as file:
            header = file.readline(_LONGEST_LINE).decode(errors="replace").rstrip("\n").split(",")
            file.seek(max(file.tell(), file.seek(0, 2) - 2 * _LONGEST_LINE))
            lines = file.read().decode(errors="replace").split("\n")[:-1]  # a torn last line is left out
        try:
            return dict(zip(header, map(float, lines[-1].split(",")), strict=True)) if lines else {}
        except ValueError:
            return {}

    def _refuse_damaged(self, row: int) -> EvoError:
        return EvoError(f"cannot read {self._path}: line {row + 2} is damaged; delete that line")

    def keep(self, rows: int, renamed: Mapping[str, str] = AS_WRITTEN) -> None:
        """Keep only the first `rows` rows and drop a torn last line; warn when there are fewer.

        renamed: old name → new name of columns that an older evo wrote; they are rewritten.
        Raises ValueError for rows < 0, and EvoError when the disk refuses.
        """
        if rows < 0:
            raise ValueError(f"rows={rows}: must be >= 0")
        self._columns = self._repair(rows, renamed)

    def _repair(self, rows: int | None, renamed: Mapping[str, str] = AS_WRITTEN) -> list[str] | None:
        """Drop torn lines and all rows past `rows` (None: keep all); return the columns, None without a header."""
        lines = self._lines()
        if rows is not None:
            if len(lines) < rows + 1 and rows > 0:
                self._warnings.append(f"{self._path} has {max(len(lines) - 1, 0)} rows where {rows} were expected")
            lines = lines[: rows + 1]
        columns = _names(lines[0], self._path, renamed) if lines else None
        text = "".join(f"{line}\n" for line in [*([",".join(columns)] if columns else []), *lines[1:]])
        if self._path.exists() and read_text(self._path, METRICS_BYTES) != text:
            write_text(self._path, text)
        return columns

    def _lines(self) -> list[str]:
        if not self._path.exists():
            return []
        text = read_text(self._path, METRICS_BYTES)
        return text.split("\n")[:-1]  # after the last newline comes a torn line, or nothing


class _Columns(dict[str, NDArray[np.float64]]):
    """Columns by name; a missing one raises EvoError blaming the file."""

    def __init__(self, path: Path, columns: Mapping[str, NDArray[np.float64]]) -> None:
        super().__init__(columns)
        self._path = path

    def __missing__(self, name: str) -> NDArray[np.float64]:
        raise EvoError(f"{self._path} has no column {name!r}: it is damaged, or no metrics of this evo")


def _names(header: str, path: Path, renamed: Mapping[str, str]) -> list[str]:
    columns = [renamed.get(name, name) for name in header.split(",")]
    if not all(_NAME.fullmatch(name) for name in columns) or len(set(columns)) < len(columns):
        raise EvoError(f"cannot read {path}: its first line does not name columns; bring back the one that evo wrote")
    return columns


def _line(row: Mapping[str, float | int], columns: list[str]) -> str:
    # repr gives the shortest digits that read back to the same number; NumPy's own repr says np.float64(…).
    values = (row[name] for name in columns)
    return (
        ",".join(repr(int(value) if isinstance(value, int | np.integer) else float(value)) for value in values) + "\n"
    )
