"""The benchmark of learning in NEAT's lives: a results file that goes on, and a table of its rows."""

from pathlib import Path

import pytest

from benchmarks import neat_learning
from benchmarks.neat_learning import CASES, GENERATIONS, LESSONS, Row, measure, measure_all, read, table


def test_what_is_measured_is_kept_and_not_repeated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def made_up(case: str, seed: int) -> Row:
        asked.append((case, seed))
        return Row(case, seed, 0.5 + seed / 500, 3, 1_000_000, 2.5)

    monkeypatch.setattr(neat_learning, "measure", made_up)
    path = tmp_path / "rows.csv"
    first = measure_all(range(100, 105), path)
    assert len(asked) == 5 * len(CASES) and set(read(path)) == set(first)
    rows = measure_all(range(100, 110), path)
    assert len(asked) == len(rows) == 10 * len(CASES)
    lines = table(rows)
    assert [line[0] for line in lines[1:]] == list(CASES)
    assert lines[1][1:] == ["60", "0.709", "0.709", lines[1][4], "3.0", "1.00", "2.5"]


def test_a_life_costs_three_looks_at_each_example(monkeypatch: pytest.MonkeyPatch) -> None:
    assert CASES["NEAT, as much computation"][1] == GENERATIONS * (1 + 3 * LESSONS)
    monkeypatch.setattr(neat_learning, "CASES", {"Lamarck": ("lamarck", 2)})
    row = measure("Lamarck", 0)
    assert row.examples == 2 * 50 * 64 * (1 + LESSONS) and 0.3 < row.accuracy < 1
