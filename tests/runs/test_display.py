"""What a run looks like: plain lines in a pipe, a live panel on a terminal, nothing when quiet."""

import io
import math
import re
from contextlib import nullcontext
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

import evo
from evo.config.resolve import resolve_config
from evo.errors import EvoError
from evo.numerics.formatting import number
from evo.runs.display import Forecast, LiveDisplay, PlainLines, curve, display, duration

SMALL = {"evaluation.selection_episodes": 2, "evaluation.report_episodes": 2}


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0 s"), (59.6, "1 min 00 s"), (185, "3 min 05 s"), (7800, "2 h 10 min"), (-3, "0 s")]
)
def test_durations_read_well(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (float("nan"), "–"),
        (0.0, "0.0"),
        (-0.01234, "-0.0123"),
        (9.876, "9.88"),
        (-12.34, "-12.3"),
        (12345.0, "12,345.0"),
    ],
)
def test_numbers_read_well(value: float, text: str) -> None:
    assert number(value) == text


@given(st.lists(st.floats(allow_nan=True), max_size=300), st.integers(1, 80), st.integers(1, 10))
def test_a_curve_always_fits_its_frame(values: list[float], width: int, height: int) -> None:
    rows = curve(values, width, height)
    assert len(rows) == height
    assert {len(row) for row in rows} == {width}


def test_a_curve_rises_with_its_values() -> None:
    rows = curve([0.0, 1.0, 2.0, 3.0], width=4, height=2)
    assert rows == ["  ▃█", "▁▆██"]


def shown(kind: type[PlainLines] | type[LiveDisplay], path: Path) -> str:
    console = Console(file=io.StringIO(), force_terminal=kind is LiveDisplay, width=100, height=40)
    evo.run(
        "cartpole",
        generations=3,
        out=path,
        video=False,
        settings=SMALL,
        display=lambda config: display(config, console, quiet=False),
    )
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_plain_lines_tell_what_matters(tmp_path: Path) -> None:
    text = shown(PlainLines, tmp_path / "run")
    for word in ("compiling", "env steps a second", "generation     3", "best", "mean", "held-out", "steps/s"):
        assert word in text
    assert text.count("held-out: the champion's score on what training never sees") == 1
    assert "\x1b" not in text


def test_the_live_panel_shows_the_run(tmp_path: Path) -> None:
    text = shown(LiveDisplay, tmp_path / "run")
    for word in ("evo/CartPole-v0", "generation", "held-out", "time left", "mean fitness", "done"):
        assert word in text


def test_a_data_set_is_told_in_epochs_and_a_function_by_its_best_point() -> None:
    row = {"generation": 4.0, "steps": 3000.0, "best": 1.0, "mean": 0.5, "failures": 0.0, "wall_s": 1.0}
    for task, said, legend in (
        ("spirals", r"^epoch +\d\.\d\d +3,000 examples ", "held-out"),
        ("sphere", r"^generation +4 +3,000 evaluations ", "champion: the best point so far"),
    ):
        for kind in (PlainLines, LiveDisplay):
            console = Console(file=io.StringIO(), force_terminal=kind is LiveDisplay, width=100, height=40)
            with kind(resolve_config(flags={"task.name": task, "budget.steps": 10_000}), console) as shown_to:
                shown_to.on_generation(row)
            assert isinstance(console.file, io.StringIO)
            text = re.sub(r"(\x1b\[[\d;?]*\w|│|\s)+", " ", console.file.getvalue()).strip()
            assert kind is LiveDisplay or re.search(said, text)
            assert kind is PlainLines or (legend in text and said.split()[0].removeprefix("^") in text)


def test_brackets_are_printed_as_they_are() -> None:
    console = Console(file=io.StringIO())
    config = resolve_config(flags={"task.name": "cartpole", "budget.generations": 1})
    PlainLines(config, console).phase('run `pip install "gymnasium[classic-control]"`')
    assert isinstance(console.file, io.StringIO)
    assert "gymnasium[classic-control]" in console.file.getvalue()


def test_the_live_panel_keeps_the_brackets_of_a_path() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=100, height=40)
    config = resolve_config(flags={"task.name": "cartpole", "budget.generations": 1})
    with LiveDisplay(config.changed({"task.name": "/home/[old]/red].xml"}), console) as live:
        live.phase("evolving")
    assert isinstance(console.file, io.StringIO)
    assert "/home/[old]/red].xml" in console.file.getvalue()


def test_the_live_panel_leaves_room_for_a_terminal_that_is_made_narrower() -> None:
    """Lines as wide as a wide terminal would be wrapped by a narrower one, and old frames stay on it."""
    console = Console(file=io.StringIO(), force_terminal=True, width=200, height=40)
    with LiveDisplay(resolve_config(flags={"task.name": "cartpole", "budget.generations": 1}), console) as live:
        live.note("a note")
        live.on_frame(3, 300)
        live._live.refresh()  # as it does eight times a second
    assert isinstance(console.file, io.StringIO)
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", console.file.getvalue())
    assert max(map(len, text.splitlines())) <= 80
    assert "a note\n" in text
    assert "filming the champion: 3 of 300 frames" in text


def test_the_forecast_follows_the_budget() -> None:
    share = [("evaluation.selection_share", 0.1)]  # whatever the preset says
    flags = {"task.name": "HalfCheetah-v5", "budget.steps": 1000, "budget.generations": 10}
    config = resolve_config(settings=share, flags=flags)
    forecast = Forecast(config)
    row = {"steps": 250.0, "generation": 5.0, "wall_s": 1.0, "selection_s": 0.0}
    assert forecast.fraction(row) == 0.5  # whichever is reached first
    assert forecast.seconds_left(row) is None  # nothing to go by yet
    assert "about 8 s" in forecast.estimate(100.0, 250)
    assert "once learning has begun" in forecast.estimate(math.nan, 0)
    timed = resolve_config(flags={"task.name": "HalfCheetah-v5", "budget.minutes": 2.5})
    assert Forecast(timed).estimate(math.nan, 0) == "2.5 minutes at most"
    endless = resolve_config(flags={"task.name": "HalfCheetah-v5", "budget.until": 100.0})
    assert Forecast(endless).fraction(row) is None


def test_the_time_left_follows_the_pace_of_the_last_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    forecast = Forecast(resolve_config(flags={"task.name": "pendulum", "method.name": "sac", "budget.steps": 1000}))
    now, steps = 0.0, 0.0
    monkeypatch.setattr("evo.runs.display.time.monotonic", lambda: now)
    for pace, seconds in ((100.0, 5), (1.0, 200)):  # it gathers experience, then it learns
        for _ in range(seconds):
            now, steps = now + 1.0, steps + pace
            left = forecast.seconds_left({"steps": steps})
    assert left is not None and abs(left - 300.0) < 1.0  # 300 steps, one a second


def test_a_log_says_once_why_a_run_ended(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from evo.cli import app

    words = ["run", "sphere", "--dim", "2", "--no-video", "--out", str(tmp_path / "run"), "--generations"]
    app([*words, "2"], standalone_mode=False)
    assert capsys.readouterr().out.count("ended: 2 generations") == 1
    again = ["resume", str(tmp_path / "run"), "--no-video"]
    for more in (["--generations", "3", "--quiet"], []):  # nothing but the result; nothing to be done
        app([*again, *more], standalone_mode=False)
        assert capsys.readouterr().out.count("ended: 3 generations") == 1


def test_a_watcher_that_lacks_an_event_is_refused_before_anything_is_learned(tmp_path: Path) -> None:
    class Former:
        phase = note = learned = selected = filmed = ended = print

    out = tmp_path / "run"
    with pytest.raises(
        EvoError, match="watcher Former has no on_frame, on_selection, on_generation, on_end: each"
    ) as it:
        evo.run("sphere", generations=1, out=out, display=lambda _: nullcontext(Former()))  # type: ignore[arg-type]
    assert "\n" not in str(it.value)
    assert not (out / "metrics.csv").exists()
    assert evo.resume(out, video=False).champion.generation == 1
