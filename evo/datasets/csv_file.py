"""CSV files with a header, read into named columns of one length."""

import csv
import io
import itertools
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from evo.envs.notes import note
from evo.storage.files import read_text

_MOST_BYTES = 2**26
_SEPARATORS = ",;\t|"
_LOOKED_AT = 2**16  # characters at the beginning that the separator is detected from
_QUOTED = re.compile('"(?:[^"]|"")*"')
_THIN = "[ \u00a0\u202f'\u2019]"  # other thousands separators: spaces of three widths, apostrophes
_POINT = re.compile(rf"[+-]?\d{{1,3}}(?:(?:,\d{{3}})+|(?:{_THIN}\d{{3}})+)(?:\.\d*)?")  # 1,234.5
_COMMA = re.compile(
    rf"[+-]?(?:\d*|\d{{1,3}}(?:\.\d{{3}})+|\d{{1,3}}(?:{_THIN}\d{{3}})+),\d+(?:[eE][+-]?\d+)?"
)  # 1.234,5
_GROUPS = re.compile(r"[+-]?\d{1,3}(?:\.\d{3})+")  # 1.234, in a table with decimal commas
_EITHER = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")  # 1,234 may be either


class Column(NamedTuple):
    """A column of a table: its cells, and the line of the file that each of them ends on.

    values: the cells' numbers, which may be infinite or NaN; None where a cell is a word.
    """

    name: str
    cells: list[str]
    lines: list[int]
    values: list[float | int | None]


def read_csv(file: str) -> list[Column]:
    """Read the columns of a UTF-8 file whose first row names them; blanks around cells are stripped.

    The separator is the comma, semicolon, tab or bar that occurs equally often in every line, outside quotes; of
    several, the most frequent other than the comma, which may be a decimal one. Numbers may have decimal commas where
    the comma is not the separator, and separators of thousands; a note reports either. Empty lines are skipped. Raises
    ValueError naming file, line and column, EvoError where the file cannot be read.
    """
    text = read_text(Path(file), _MOST_BYTES).removeprefix("\ufeff")
    separator = _separator(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
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
    table = [list(cells) for cells in zip(*rows, strict=True)]
    for name, cells in zip(header, table, strict=True):
        if "" in cells:
            line = lines[cells.index("")]
            raise ValueError(f"{file}, line {line}, column {name!r}: the cell is empty; fill it, or take it out")
    try:
        values = _numbers(table, separator, header, file)
        _check_first_row(header, table, values)
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from error
    return [Column(name, cells, lines, found) for name, cells, found in zip(header, table, values, strict=True)]


def number(cell: str) -> float | int | None:
    """Return the number in a cell, which may be infinite or NaN; None for a word.

    A whole number that float64 cannot represent is returned as an int.
    """
    try:
        value = None if "_" in cell else float(cell)
    except ValueError:
        return None
    if value is not None and 2**53 <= abs(value) < 1e30 and re.fullmatch(r"[+-]?\d+", cell) and int(cell) != value:
        return int(cell)
    return value


def _separator(text: str) -> str:
    plain = _QUOTED.sub("", text[:_LOOKED_AT])
    lines = [line for line in plain.splitlines() if line.strip()]
    if len(text) > _LOOKED_AT and len(lines) > 1:
        del lines[-1]  # the last line may be cut
    if not lines:
        return ","
    steady = [each for each in _SEPARATORS if lines[0].count(each) and len({line.count(each) for line in lines}) == 1]
    return max(steady or _SEPARATORS, key=lambda each: (bool(steady) and each != ",", lines[0].count(each)))


def _numbers(
    table: Sequence[list[str]], separator: str, header: Sequence[str], file: str
) -> list[list[float | int | None]]:
    """Return the numbers of each column, recognising the common notations.

    Raises ValueError for a column with two readings.
    """
    plain = [[number(cell) for cell in cells] for cells in table]
    grouped = [_all_match(cells, found, _POINT) for cells, found in zip(table, plain, strict=True)]
    commas = [separator != "," and _all_match(cells, found, _COMMA) for cells, found in zip(table, plain, strict=True)]
    sure = [
        column
        for column, is_one in enumerate(commas)
        if is_one and not all(_EITHER.fullmatch(cell) for cell in _words(table[column], plain[column]))
    ]
    values = []
    for column, (cells, found) in enumerate(zip(table, plain, strict=True)):
        if commas[column] and grouped[column] and not sure:
            example = next(cell for cell in cells if _EITHER.fullmatch(cell))
            raise ValueError(
                f"column {header[column]!r}: {example!r} may be {example.replace(',', '.')} or "
                f"{example.replace(',', '')}: write numbers with a point, and without separators of thousands"
            )
        if commas[column]:
            found = [number(re.sub(rf"\.|{_THIN}", "", cell).replace(",", ".")) for cell in cells]
        elif grouped[column]:
            found = [number(re.sub(rf",|{_THIN}", "", cell)) for cell in cells]
        elif sure and all(_GROUPS.fullmatch(cell) for cell in cells):
            found = [number(cell.replace(".", "")) for cell in cells]
        values.append(found)
    thousands = [column for column, is_one in enumerate(grouped) if is_one and not commas[column]]
    for columns, what in ((sure, "decimal commas"), (thousands, "separators of thousands")):
        if columns:
            at = columns[0]
            cell = _words(table[at], plain[at])[0]
            shown = "a tab" if separator == "\t" else repr(separator)
            value = values[at][table[at].index(cell)]
            note(f"{file}: numbers have {what} ({cell} is read as {value:.15g}), and {shown} separates its columns")
    return values


def _words(cells: Sequence[str], found: Sequence[float | int | None]) -> list[str]:
    """Return the cells of a column that do not parse as numbers unchanged."""
    return [cell for cell, value in zip(cells, found, strict=True) if value is None]


def _all_match(cells: Sequence[str], found: Sequence[float | int | None], way: re.Pattern[str]) -> bool:
    """Return whether a column has words and all of them match the notation `way`."""
    words = _words(cells, found)
    return bool(words) and all(way.fullmatch(cell) for cell in words)


def _check_header(header: list[str], line: int) -> None:
    for at, name in enumerate(header):
        if not name:
            raise ValueError(f"line {line}: column {at + 1} has no name")
        if name in header[:at]:
            raise ValueError(f"line {line}: two columns are called {name!r}")
    if all(number(name) is not None for name in header):
        raise ValueError(f"line {line} holds numbers only: the first row must name the columns")


def _check_first_row(
    header: Sequence[str], table: Sequence[list[str]], values: Sequence[list[float | int | None]]
) -> None:
    """Raise ValueError where the first row looks like an example instead of column names.

    It does if each numeric column has a number in its place, and either one of its words occurs again below it or one
    of its numbers has decimals. Evenly spaced names of a scale, such as wavelengths, may have decimals.
    """
    numeric = [name for name, found in zip(header, values, strict=True) if None not in found]
    again = [name for name, cells, found in zip(header, table, values, strict=True) if None in found and name in cells]
    numbers = [number(name) for name in numeric]
    broken = [name for name, value in zip(numeric, numbers, strict=True) if value is not None and value % 1]
    steps = [
        second > first for first, second in itertools.pairwise(numbers) if first is not None and second is not None
    ]
    scale = len(steps) > 8 and len(set(steps)) == 1
    if numeric and None not in numbers and (again or (broken and not scale)):
        shown = ", ".join(header)
        raise ValueError(
            f"its first row ({shown if len(shown) < 60 else shown[:60] + '…'}) looks like an example, as those below: "
            "the first row must name the columns; put their names above it"
        )
