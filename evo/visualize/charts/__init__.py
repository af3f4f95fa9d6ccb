"""Charts: what is to be seen, as plain numbers and names; drawn on paper or in characters."""

from evo.visualize.charts.chart import COLUMNS, Chart, Line, Lines, Page, Raster, Row, Spans

__all__ = ["COLUMNS", "Chart", "Line", "Lines", "Page", "Raster", "Row", "Spans"]
