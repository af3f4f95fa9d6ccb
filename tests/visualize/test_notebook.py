"""What notebooks show: self-contained, escaped, never an error."""

import dataclasses
import importlib.util
import shutil
import xml.dom.minidom
from pathlib import Path

import numpy as np
import pytest

import evo
from evo.errors import EvoError
from evo.visualize.notebook import box, curve, facts, picture, table
from tests.support.places import REFERENCE


def parsed(html: str) -> xml.dom.minidom.Document:
    """The HTML, which is XML too; it fetches nothing."""
    assert "http" not in html and "<script" not in html
    return xml.dom.minidom.parseString(html)


def test_a_run_shows_its_champion_and_its_curve(finished_run: Path) -> None:
    run = evo.load(finished_run)
    page = parsed(run._repr_html_())
    assert len(page.getElementsByTagName("polyline")[0].getAttribute("points").split()) == len(run.metrics["steps"])
    cells = [cell.firstChild.nodeValue for cell in page.getElementsByTagName("td")]  # type: ignore[union-attr]
    assert {"evo/CartPole-v0", "ars, seed 4", str(run.champion.reported_fitness), "3 generations"} <= {*cells}


def test_a_run_that_cannot_be_read_shows_why(finished_run: Path, tmp_path: Path) -> None:
    shutil.copytree(finished_run, tmp_path / "run")
    (tmp_path / "run" / "champion.npz").write_bytes(b"torn")
    assert "cannot read" in evo.load(tmp_path / "run")._repr_html_()


def test_texts_are_escaped() -> None:
    evil = "<script>alert('x')</script>&\x1b[31m"
    champion = dataclasses.replace(evo.load(REFERENCE / "cartpole").champion, method=evil)
    for html in (
        champion._repr_html_(),
        box(evil, facts([(evil, evil)]), table([evil], [[evil]])),
        curve(np.arange(3.0), np.arange(3.0), evil, "step"),
    ):
        parsed(html)
        assert "&lt;script&gt;" in html and "\x1b" not in html


def test_curves_of_odd_numbers() -> None:
    steps = np.arange(1000.0)
    for values in (np.where(steps % 2, np.nan, steps), np.full(1000, 3.0), np.where(steps < 500, -1.7e308, 1.7e308)):
        points = parsed(curve(steps, values, "fitness", "step")).getElementsByTagName("polyline")[0]
        numbers = np.array([pair.split(",") for pair in points.getAttribute("points").split()], float)
        assert 2 <= len(numbers) <= 300 and np.isfinite(numbers).all()
        assert numbers[:, 0].min() >= 0 and numbers[:, 1].max() <= 110
    assert curve(steps[:1], steps[:1], "fitness", "step") == curve(steps, steps * np.nan, "fitness", "step") == ""


def test_a_comparison_shows_its_methods(tmp_path: Path) -> None:
    html = picture(REFERENCE / "studies" / "quadruped" / "learning.svg")
    assert html.startswith("<div><img") and "base64," in html and picture(tmp_path / "absent.svg") == ""
    for method in ("ga", "cem"):
        evo.run("sphere", dim=2, method=method, generations=3, out=tmp_path / method, video=False, threads=1)
    shown = evo.compare(tmp_path / "ga", tmp_path / "cem", out=tmp_path / "study", video=False)._repr_html_()
    assert "Comparison on sphere" in shown and "<td>ga</td>" in shown and "report.html" in shown
    assert "data:image/svg+xml;base64," in shown


def test_metrics_as_a_data_frame(finished_run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = evo.load(finished_run)
    if importlib.util.find_spec("pandas") is not None:
        frame = run.metrics_frame()
        assert list(frame.columns) == list(run.metrics) and len(frame) == 3
        np.testing.assert_array_equal(frame["best"].to_numpy(), run.metrics["best"])
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(EvoError, match="needs pandas: pip install pandas"):
        run.metrics_frame()
