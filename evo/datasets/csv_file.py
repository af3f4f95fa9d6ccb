"""Tables of text: CSV files with a header, their columns named and of one length, whatever was in the file."""

import csv
import io
from pathlib import Path
from typing import NamedTuple

from evo.archive import read_text

_MOST_BYTES = 2**26
_SEPARATORS = ",;\t|"


class Column(NamedTuple):
    """A column of a table: its cells, and the line of the file that each of them ends on."""

    name: str
    cells: list[str]
    lines: list[int]


def read_csv(file: str) -> list[Column]:
    """The columns of a UTF-8 file whose first row names them; cells without the blanks around them.

    Cells are separated by the comma, semicolon, tab or bar that is the most frequent in the first line. Empty lines are
    left out. Raises ValueError naming file, line and column, EvoError where the file cannot be read.
    """
    text = read_text(Path(file), _MOST_BYTES).removeprefix("\ufeff")
    first = next(io.StringIO(text, newline=""), "")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(_SEPARATORS, key=first.count), strict=True)
    header: list[str] = []
    rows: list[list[str]] = []
    lines: list[int] = []
    try:
        for row in reader:
            cells = [cell.strip() for cell in row]
            if not any(cells) and len(cells) < 2:
                continue
            if not header:
                header = cells
                _check_header(header, reader.line_num)
            elif len(cells) != len(header):
                raise ValueError(f"line {reader.line_num} has {len(cells)} cells, the header {len(header)}")
            else:
                rows.append(cells)
                lines.append(reader.line_num)
    except (csv.Error, ValueError) as error:
        place = f"line {reader.line_num}: " if isinstance(error, csv.Error) else ""
        raise ValueError(f"{file}: {place}{error}") from error
    if not rows:
        raise ValueError(f"{file}: it has no rows" + (" below its header" if header else ""))
    columns = [Column(name, list(cells), lines) for name, cells in zip(header, zip(*rows, strict=True), strict=True)]
    for column in columns:
        if "" in column.cells:
            line = lines[column.cells.index("")]
            raise ValueError(f"{file}, line {line}, column {column.name!r}: the cell is empty; fill it, or take it out")
    return columns


def number(cell: str) -> float | None:
    """The number in a cell, which may be infinite or none (NaN); None where it is a word."""
    try:
        return None if "_" in cell else float(cell)
    except ValueError:
        return None


def _check_header(header: list[str], line: int) -> None:
    for at, name in enumerate(header):
        if not name:
            raise ValueError(f"line {line}: column {at + 1} has no name")
        if name in header[:at]:
            raise ValueError(f"line {line}: two columns are called {name!r}")
    if all(number(name) is not None for name in header):
        raise ValueError(f"line {line} holds numbers only: the first row must name the columns")
