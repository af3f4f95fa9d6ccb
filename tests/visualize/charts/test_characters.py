"""Charts in plain characters: only ASCII, within the width, and true to the numbers."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from evo.visualize.charts import Chart, Line, Lines, Page, Raster, Row, Spans
from evo.visualize.charts.characters import chart_in_characters, page_in_characters

_FLOATS = st.floats(width=64, allow_nan=True, allow_infinity=True, min_value=None, max_value=None)


@given(hnp.arrays(np.float64, st.integers(0, 40), elements=_FLOATS), st.booleans(), st.booleans(), st.integers(40, 120))
def test_any_line_fits(values: np.ndarray, log: bool, stepped: bool, width: int) -> None:
    with np.errstate(all="ignore"):
        lines = Lines("steps", "return", [Line(np.arange(len(values)) * 1.0, values, "a", stepped=stepped)], log=log)
        text = chart_in_characters(lines, width)
    assert text.isascii() and max(map(len, text.splitlines())) <= width + 2


@given(hnp.arrays(np.bool_, hnp.array_shapes(min_dims=2, max_dims=2, max_side=150)), st.integers(40, 120))
def test_spans_are_true_where_there_is_room(on: np.ndarray, width: int) -> None:
    text = chart_in_characters(Spans([f"f{row}" for row in range(len(on))], on, 0.05), width)
    assert text.isascii() and max(map(len, text.splitlines())) <= max(width, 20)
    for line, row in zip(text.splitlines(), on, strict=False):
        drawn = line.partition("|")[2].rstrip("|")
        if len(drawn) == len(row):
            assert drawn == "".join("#" if one else "." for one in row)
        assert ("#" in drawn) <= row.any() and ("." in drawn) <= (not row.all())


def test_a_line_begins_and_ends_where_its_points_are() -> None:
    text = chart_in_characters(Lines("x", "y", [Line(np.array([0.0, 5.0]), np.array([-2.0, 8.0]))]), 60)
    rows = [line.partition("|")[2] for line in text.splitlines() if "|" in line]
    assert rows[0].index("*") > 40 and rows[-1][0] == "*"
    assert text.splitlines()[1].split("|")[0].strip() == "8" and "-2 |" in text


def test_a_matrix_is_shaded_by_size() -> None:
    text = chart_in_characters(Raster(np.array([[0.0, 0.5, -1.0]]), "to", 1.0, names=["one"]), 60)
    assert text.splitlines()[0] == "one | +@|"


def test_marks_follow_the_legend() -> None:
    def line(colour: str, height: float, faint: bool = False) -> Line:
        return Line(np.arange(3.0), np.full(3, height), "", colour, faint=faint)

    chart: Chart = Lines("x", "y", [line("#111111", 2.0), line("#111111", 1.5, faint=True), line("#222222", 1.0)])
    text = page_in_characters(Page("two", [Row([chart], 2.0)], [("one", "#111111"), ("other", "#222222")]))
    assert text.startswith("two\n\n* one\no other\n\n")
    rows = [{*line.partition("|")[2]} - {" "} for line in text.splitlines() if "|" in line]
    assert rows[0] == {"*"} and rows[6] == {"."} and rows[-1] == {"o"}
