"""Curves, robustness, figures, race and page of a comparison."""

import re
import subprocess
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import imageio_ffmpeg
import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

import evo
from evo.comparison.artefacts import robustness_caption
from evo.comparison.curves import budget_header, budget_texts, curve, curves, equal_budget, equal_budgets
from evo.comparison.figures import _draw_matched, _draw_thresholds, _end, learning_curves, robustness_figure
from evo.comparison.member import Member, read_member
from evo.comparison.page import Content, Tabulated, page, write_page
from evo.comparison.race import median_member, race
from evo.comparison.robustness import DRAWS, EPISODES, Robustness, _noise, robustness
from evo.comparison.writing import robustness_csv
from evo.config.kinds.control import Control
from evo.errors import EvoError
from evo.evaluation.workers import Threads
from evo.numerics.randomness import report_seeds
from evo.problems.control import Walking
from evo.visualize.charts import Page
from evo.visualize.charts.paper import draw_page
from evo.visualize.colours import PALETTE, colours_of
from evo.visualize.curves import learning_curve

NAN = float("nan")


def made_up(
    method: str, seed: int, steps: Sequence[float], selection: Sequence[float], last: float | None = None
) -> Member:
    """A member with rows of metrics; last: score of a champion found after them."""
    columns = {"steps": np.array(steps, float), "selection": np.array(selection, float)}
    columns |= {"cpu_s": columns["steps"] / 10, "wall_s": columns["steps"] / 20}
    columns |= {"generation": np.arange(1.0, len(steps) + 1)}
    task = SimpleNamespace(kind=Control())
    config: Any = SimpleNamespace(task=task, method=SimpleNamespace(name=method), seed=seed)
    champion: Any = SimpleNamespace(generation=0 if last is None else len(steps), score=last, metric="return")
    return Member(Path(f"{method}-{seed}"), config, champion, columns, None)


@pytest.fixture(scope="module")
def members(tmp_path_factory: pytest.TempPathFactory) -> list[Member]:
    """Two methods, two seeds each, two generations on point masses."""
    folder = tmp_path_factory.mktemp("runs")
    found = []
    for method in ("ars", "ga"):
        for seed in (1, 2):
            path = folder / f"{method}-{seed}"
            evo.run("point-mass", method=method, seed=seed, generations=2, out=path, video=False)
            found.append(read_member(path))
    return found


def test_scores_are_dated_when_they_were_taken() -> None:
    steps, selection = [10, 20, 30, 40, 50, 60], [1, 1, 1, 3, 3, 3]
    member = made_up("ars", 0, steps, selection)
    time, score = member.scores("steps")
    np.testing.assert_array_equal(time, [0, 30, 60])  # the score 3 was taken before the fourth generation
    np.testing.assert_array_equal(score, [1, 3, 3])
    np.testing.assert_array_equal(member.scores("cpu_s")[0], [0, 3, 6])
    np.testing.assert_array_equal(made_up("ars", 0, steps, [NAN, 1, 1, 3, 3, 3]).scores("steps")[0], [10, 30, 60])
    assert len(made_up("ars", 0, [10, 20], [NAN, NAN]).scores("steps")[0]) == 0


def test_a_champion_found_after_the_last_row_is_the_last_score() -> None:
    time, score = made_up("ars", 0, [10, 20], [1, 1], last=7.0).scores("steps")
    np.testing.assert_array_equal(time, [0, 20])
    np.testing.assert_array_equal(score, [1, 7])


def test_scores_of_a_run_are_those_its_watcher_saw(tmp_path: Path) -> None:
    seen: list[tuple[int, float]] = []

    class Watcher:
        def phase(self, text: str) -> None: ...
        def note(self, text: str) -> None: ...
        def on_frame(self, done: int, frames: int) -> None: ...
        def on_generation(self, row: object) -> None: ...
        def on_end(self, reason: str) -> None: ...
        def on_selection(self, champion: object, steps: int, score: float, rate: float) -> None:
            seen.append((steps, score))

    small = {"evaluation.selection_episodes": 2, "evaluation.report_episodes": 2, "evaluation.selection_share": 0.05}
    evo.run(
        "point-mass",
        generations=12,
        out=tmp_path / "run",
        video=False,
        settings=small,
        display=lambda _: nullcontext(Watcher()),
    )
    member = read_member(tmp_path / "run")
    time, score = member.scores("steps")
    assert len(seen) > 3
    assert set(zip(time[:-1], score[:-1], strict=True)) <= set(seen)
    for steps, value in seen[:-1]:
        assert score[np.searchsorted(time, steps, side="right") - 1] == value
    assert time[-1] == seen[-1][0] == member.metrics["steps"][-1]
    assert score[-1] == (seen[-1][1] if member.champion.generation == 12 else score[-2])
    assert member.steps_between_scores == np.diff([steps for steps, _ in seen]).mean()


def test_a_curve_holds_the_last_score_and_spans_where_all_seeds_run() -> None:
    group = [
        made_up("ars", 0, [10, 20, 30, 40], [0, 0, 0, 4]),
        made_up("ars", 1, [15, 25, 50], [NAN, 2, 6]),
        made_up("ars", 2, [10, 45], [1, 1], last=8.0),
    ]
    found = curves(group, "steps")["ars"]
    # from the last first score, at 15, to the first end, at 40
    np.testing.assert_array_equal(found.clock, [15, 25, 30, 40])
    values = np.array([[0, 0, 4, 4], [2, 6, 6, 6], [1, 1, 1, 1]])
    np.testing.assert_allclose(found.middle, values.mean(axis=0))  # of three none is trimmed
    np.testing.assert_allclose(found.low, [0.5, 0.5, 2.5, 2.5])
    np.testing.assert_allclose(found.high, [1.5, 3.5, 5, 5])


def test_the_middle_of_four_seeds_leaves_the_extremes_out() -> None:
    ends = [-1000.0, 1.0, 3.0, 1000.0]
    found = curve([(np.array([1.0, 2.0]), np.array([end, end])) for end in ends])
    np.testing.assert_array_equal(found.middle, [2, 2])


def test_seeds_that_never_run_at_once_have_no_middle() -> None:
    found = curve([(np.array([1.0, 2.0]), np.zeros(2)), (np.array([3.0, 4.0]), np.zeros(2))])
    assert len(found.clock) == len(found.middle) == 0
    assert len(found.seeds) == 2


def test_a_method_without_scores_has_no_curve() -> None:
    group = [made_up("ars", 0, [1, 2], [NAN, NAN]), made_up("ga", 0, [1, 2], [1, 2])]
    assert list(curves(group, "wall_s")) == ["ga"]


def test_an_equal_budget_is_what_every_run_reached_and_what_was_known_there() -> None:
    members = [
        made_up("ars", 1, [10, 20, 30], [NAN, 1, 5]),  # the score 1 was taken at 10, the score 5 at 20
        made_up("ars", 2, [10, 20, 40], [2, 2, 9]),
        made_up("ga", 1, [5, 15, 25], [0, 3, 4], last=7.0),  # the score 7 at 25, beyond nobody's end
        made_up("late", 1, [26, 52], [NAN, 8.0]),
    ]
    steps, cpu, wall = equal_budgets(members)
    assert (steps.clock, steps.amount, cpu.clock, cpu.amount, wall.amount) == ("steps", 25.0, "cpu_s", 2.5, 1.25)
    np.testing.assert_array_equal(steps.scores["ars"], [5, 9])
    np.testing.assert_array_equal(steps.scores["ga"], [7])
    np.testing.assert_array_equal(steps.scores["late"], [NAN])  # its first score was taken at 26
    slow = replace(members[2], metrics={**members[2].metrics, "cpu_s": np.array([1.0, 3.0, 9.0])})
    cpu = equal_budget([members[0], slow], "cpu_s")  # ga is at 1 of its 9 s where ars ends
    assert cpu.amount == 3.0 and cpu.scores["ga"] == [4.0] and cpu.scores["ars"] == [5.0]
    assert budget_header([steps, cpu, wall], Control()) == [
        *("method", "at 25 env steps", "at 3 s of CPU time", "at 1.25 s of wall-clock time")
    ]
    assert budget_texts([steps], ["ga", "ars", "late"]) == [["ga", "7"], ["ars", "7 (5 to 9)"], ["late", "–"]]


def test_the_equal_budget_is_drawn_where_methods_are_compared(tmp_path: Path) -> None:
    group = [made_up(method, 1, [10, 20], [1, 2]) for method in ("ars", "ga")]
    drawn = []
    for members in (group, group[:1]):
        learning_curves(members, tmp_path / "drawn.svg", {})
        drawn.append((tmp_path / "drawn.svg").read_text().count("stroke-dasharray: 1.1,2.2"))
    assert drawn == [3, 0]


def test_colours_are_distinct_and_in_order() -> None:
    assert len(set(PALETTE)) == len(PALETTE)
    assert colours_of(["ga", "ars", "ga"]) == {"ga": PALETTE[0], "ars": PALETTE[1]}


def test_robustness_is_the_same_twice_and_for_any_threads(members: list[Member]) -> None:
    small = {"sizes": (0.0, 0.1, 1.0), "draws": 3, "episodes": 2}
    first = robustness(members[:2], Threads(2), **small)
    np.testing.assert_array_equal(robustness(members[:2], Threads(1), **small).returns, first.returns)
    assert first.returns.shape == first.failed.shape == (2, 3)
    assert (first.methods, first.seeds) == (("ars", "ars"), (1, 2))
    for member, returns in zip(members, first.returns, strict=False):
        assert returns[0] == member.champion.evaluate(2).mean
        assert returns[0] != returns[1]


def test_robustness_without_noise_is_the_unperturbed_return(members: list[Member]) -> None:
    found = robustness(members[:1], Threads(2), sizes=(0.0, 0.0), draws=2, episodes=3)
    expected = members[0].champion.evaluate(seeds=report_seeds(3)).mean
    np.testing.assert_allclose(found.returns, [[expected, expected]], rtol=1e-12)


def test_noise_is_as_large_as_its_layer(members: list[Member]) -> None:
    network = evo.network("mlp:3", evo.task("point-mass"))
    first, second = network.sizes
    params = np.concatenate([np.full(first, 10.0), np.full(second, 0.1)])
    noise = _noise(network, params, seed=1, draws=400)
    assert noise[:, :first].std() == pytest.approx(10.0, rel=0.05)
    assert noise[:, first:].std() == pytest.approx(0.1, rel=0.05)


def test_actions_go_farther_astray_with_more_noise(members: list[Member]) -> None:
    found = robustness(members[:1], Threads(1), sizes=(0.0, 0.1, 0.3), draws=2, episodes=1)
    assert found.astray[0, 0] == 0 < found.astray[0, 1] < found.astray[0, 2] <= 2
    # by hand: the champion's own observations, answered by what has been perturbed
    champion, task = members[0].champion, evo.task("point-mass")
    trajectory = champion.rollout(int(report_seeds(1)[0]))
    noise = _noise(champion.network, champion.params, members[0].seed, 2)
    assert task.action_low is not None
    far = []
    for row in champion.params + 0.1 * noise:
        policy = champion.policy()
        policy.parameters[:] = row
        away = [
            policy(seen) - done for seen, done in zip(trajectory.observations[:-1], trajectory.actions, strict=True)
        ]
        far.append(np.array(away)[:200] / (task.action_high - task.action_low) * 2)
    assert found.astray[0, 1] == pytest.approx(np.sqrt(np.mean(np.square(far))), rel=1e-9)


def test_a_failed_episode_counts_as_the_worst(members: list[Member], monkeypatch: pytest.MonkeyPatch) -> None:
    evaluate = Walking.evaluate
    broken: list[tuple[int, int]] = []

    def failing(self: Walking, *arguments: Any) -> Any:
        evaluation = evaluate(self, *arguments)
        returns = np.arange(evaluation.returns.size, dtype=float).reshape(evaluation.returns.shape) + 1
        for place in broken:
            returns[place] = NAN
        return replace(evaluation, returns=returns)

    monkeypatch.setattr(Walking, "evaluate", failing)
    broken.append((2, 1))
    found = robustness(members[:1], Threads(2), sizes=(0.0, 0.5), draws=2, episodes=2)
    np.testing.assert_array_equal(found.returns, [[1.5, (3 + 4 + 5 + 1) / 4]])
    np.testing.assert_array_equal(found.failed, [[0, 1]])
    broken += [(row, column) for row in range(3) for column in range(2)]
    assert np.isnan(robustness(members[:1], Threads(2), sizes=(0.0, 0.5), draws=2, episodes=2).returns).all()


def test_the_caption_names_failures_and_what_was_measured() -> None:
    def measured(*failed: list[int]) -> Robustness:
        astray = np.array([[0.0, 0.4], [0.0, 0.1]])
        return Robustness((0.0, 0.1), ("ars", "ga"), (1, 2), np.ones((2, 2)), np.array(failed), astray)

    assert f"{DRAWS} draws on {EPISODES} report episodes" in robustness_caption(measured([0, 0], [0, 0]))
    assert "failed" not in robustness_caption(measured([0, 0], [0, 0]))
    assert robustness_caption(measured([0, 0], [1, 5])).endswith("worst other one: 6 of ga seed 2.")


def test_the_curve_of_a_run_suits_every_method(tmp_path: Path) -> None:
    rows = np.arange(1.0, 4.0)
    metrics = dict.fromkeys(("steps", "mean", "std", "best", "selection"), rows)
    draw_page(Page("PPO too", learning_curve(metrics)), tmp_path / "curve.svg")
    text = (tmp_path / "curve.svg").read_text()
    for label in ("training returns: mean ± standard deviation", "training returns: best"):
        assert f"<!-- {label} -->" in text
    assert "population" not in text


def test_shares_need_a_positive_return() -> None:
    returns = np.array([[10.0, 5.0], [-10.0, -20.0]])
    astray = np.array([[0.0, 0.4], [0.0, 0.5]])
    found = Robustness((0.0, 0.1), ("ars", "ga"), (1, 1), returns, np.zeros((2, 2), np.int64), astray)
    np.testing.assert_array_equal(found.shares, [[1, 0.5], [NAN, NAN]])
    header, *lines = robustness_csv(found).splitlines()
    assert header == "method,seed,noise,astray,return_mean,share,failed_episodes"
    assert lines == [
        *("ars,1,0.0,0.0,10.0,1.0,0", "ars,1,0.1,0.4,5.0,0.5,0"),
        *("ga,1,0.0,0.0,-10.0,,0", "ga,1,0.1,0.5,-20.0,,0"),
    ]
    # where actions are equally far astray, on straight lines between the sizes of noise, and not beyond them
    np.testing.assert_array_equal(found.shares_at(np.array([0.2, 0.45])), [[0.75, NAN], [NAN, NAN]])
    assert "Where the actions differ by 0.4 of half their range, " in (caption := robustness_caption(found))
    assert "every champion reaches (ars seed 1 goes no farther), the shares are ars 50 %." in caption
    assert "bands" not in caption and "bands" in robustness_caption(replace(found, seeds=(1, 2)))
    assert "none for the whole method: ga seed 1." in caption
    assert "root mean square distance of the actions from" in caption


def test_actions_that_are_choices_are_counted_where_they_are_others(members: list[Member], tmp_path: Path) -> None:
    settings = {"evaluation.selection_episodes": 1, "evaluation.report_episodes": 1, "method.population_size": 16}
    evo.run("CartPole-v1", method="ga", generations=1, out=tmp_path / "run", video=False, settings=settings)
    found = robustness([read_member(tmp_path / "run")] * 2, Threads(1), (0.0, 2.0), draws=2, episodes=1)
    assert found.choices and not robustness(members[:1], Threads(1), (0.0, 0.1), draws=1, episodes=1).choices
    for choices, words in ((True, "choices that differ"), (False, "half their range")):
        robustness_figure(replace(found, choices=choices), tmp_path / "drawn.svg")
        assert words in (tmp_path / "drawn.svg").read_text()
    caption = robustness_caption(replace(found, choices=True, astray=np.array([[0.0, 0.25], [0.0, 0.5]])))
    assert "share of choices other than those of" in caption and "Where 25 % of the choices differ, " in caption
    assert "distance" not in caption and "range" not in caption


def test_figures_show_each_method_in_its_colour(tmp_path: Path) -> None:
    methods = ("ars", "openai-es", "ga")
    group = [made_up(m, s, [1, 2, 3], [i, i + s, i + 2]) for i, m in enumerate(methods) for s in (1, 2)]
    group.append(made_up("none", 1, [1, 2], [NAN, NAN]))
    table = np.linspace(1, 2, 12).reshape(6, 2)
    table[5] = NAN
    names = tuple(m for m in methods for _ in (1, 2))
    measured = Robustness((0.0, 0.1), names, (1, 2) * 3, table, np.zeros((6, 2)), np.array([[0.0, 0.3]] * 6))
    for name, draw in (
        ("learning", lambda path: learning_curves(group, path, {"half": 1.5, "far $ & $ away": 1.0, "beyond": 1e6})),
        ("robustness", lambda path: robustness_figure(measured, path)),
    ):
        drawing, picture = tmp_path / f"{name}.svg", tmp_path / f"{name}.png"
        draw(drawing)
        draw(picture)
        text = drawing.read_text()
        assert all(colour in text for colour in colours_of(methods).values())
        with Image.open(picture) as image:
            assert image.width > 1200
        draw(tmp_path / "again.svg")
        assert (tmp_path / "again.svg").read_text().split("</metadata>")[1] == text.split("</metadata>")[1]
    with pytest.raises(EvoError, match="suffix"):
        learning_curves(group, tmp_path / "curves.bmp", {})


def test_an_axis_of_time_shows_the_bulk_of_runs_and_names_the_others(tmp_path: Path) -> None:
    assert _end([60, 70, 80, 150]) == pytest.approx(1.04 * 150)  # spread out, but each can be seen
    assert _end([60, 70, 80, 90, 1700]) == pytest.approx(1.04 * 90)
    assert _end([5.0]) == pytest.approx(1.04 * 5)
    usual = [made_up("ga", seed, [2000, 4000], [1, 2]) for seed in range(6)]  # 200 s of wall-clock
    slow = [made_up("ars", seed, [20_000, 40_000], [1, 2]) for seed in (6, 7)]
    for group, told in (
        (usual, []),
        ([*usual, slow[0]], ["ars seed 6 goes on to"]),
        (usual + slow, ["2 of ars go on,"]),
    ):
        learning_curves(group, tmp_path / "drawn.svg", {})
        text = (tmp_path / "drawn.svg").read_text()
        for clock, farthest in (("CPU time", "66.7 minutes"), ("wall-clock", "33.3 minutes")):
            assert f"<!-- {clock}" in text
            assert (farthest in text) == bool(told)
        assert text.count("→") == 2 * len(told) and all(text.count(f"<!-- {one}") == 2 for one in told)


def test_labels_of_thresholds_keep_apart_and_by_their_lines() -> None:
    axes = Figure().subplots()
    axes.set_ylim(0, 100)
    drawn = _draw_thresholds([axes], {"a": 20.0, "100 %": 80.0, "paper": 80.5, "above": 1000.0})
    places = {text.get_text(): text.xy[1] for text in axes.texts}
    assert list(places) == drawn == ["a", "100 %", "paper"]  # a caption must not explain what is left out
    assert places["a"] == pytest.approx(20)
    assert places["paper"] - places["100 %"] == pytest.approx(5)  # the height of a label
    assert places["paper"] + places["100 %"] == pytest.approx(80 + 80.5)  # and none moves farther than the other


def test_shares_over_distance_go_through_what_was_measured() -> None:
    returns, astray = np.array([[10.0, 4.0, 8.0, 2.0]]), np.array([[0.0, 0.001, 0.002, 0.4]])
    found = Robustness((0.0, 0.01, 0.02, 0.5), ("ars",), (1,), returns, np.zeros((1, 4)), astray)
    axes = Figure().subplots()
    _draw_matched(axes, found, np.array([True]), "#000000")
    thick = dict(axes.lines[0].get_xydata())
    assert [thick[place] for place in astray[0]] == pytest.approx([100, 40, 80, 20])


def test_the_race_is_as_long_and_as_wide_as_it_should_be(members: list[Member], tmp_path: Path) -> None:
    path = tmp_path / "new" / "race.mp4"
    race(members, path, Threads(2), seconds=0.5, width=320)
    frames, duration = imageio_ffmpeg.count_frames_and_secs(str(path))
    assert frames == 11  # control steps of 0.05 s, both ends
    assert duration == pytest.approx(11 / 20, abs=0.02)
    facts = subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), "-i", str(path)], capture_output=True, check=False).stderr
    assert re.search(rb"h264.* 320x\d+", facts)
    with pytest.raises(EvoError, match="no finished run"):
        race([], path, Threads(2))


def test_the_median_member_is_filmed() -> None:
    group: Any = [SimpleNamespace(report_mean=mean) for mean in (5.0, NAN, 1.0, 3.0)]
    assert median_member(group).report_mean == 3.0


class Reader(HTMLParser):
    """Collects what would be fetched, and checks that tags are balanced."""

    VOID = frozenset({"meta", "img", "br", "link", "input", "source"})

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[str] = []
        self.fetched: list[str] = []
        self.images: list[dict[str, str | None]] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.fetched += [
            value or "" for name, value in attributes if name in ("src", "href", "srcset", "poster", "data")
        ]
        if tag == "img":
            self.images.append(dict(attributes))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def content(tmp_path: Path, words: str = "word") -> Content:
    for name in ("figure.svg", "figure.png", "race.mp4"):
        (tmp_path / name).write_bytes(b'<svg xmlns="http://www.w3.org/2000/svg"/>')
    return Content(
        title=words,
        metric=words,
        command=words,
        terms=[(words, words)],
        deviations=[words],
        settings={words: {words: words}},
        methods=Tabulated([words, words], [[words, "1"]], words),
        thresholds=Tabulated([words, words], [[words, "1"]], words),
        budgets=Tabulated([words, words], [[words, "1"]], words),
        tuning=Tabulated([words, words], [[words, "1"]], words),
        members=Tabulated([words], [[words]], words),
        findings=[words],
        failures=[words],
        figures=[(tmp_path / "figure.svg", words), (tmp_path / "figure.png", words)],
        race=tmp_path / "race.mp4",
        commands=[words],
    )


@pytest.mark.parametrize(
    "words",
    ["plain", "<script>alert(1)</script>", '"><img src=http://evil.example/x>', "' onload='x", "</style>&amp;{}"],
)
def test_the_page_is_balanced_fetches_nothing_and_escapes_everything(tmp_path: Path, words: str) -> None:
    text = page(content(tmp_path, words))
    reader = Reader()
    reader.feed(text)
    reader.close()
    assert reader.open == []
    assert len(reader.fetched) == 3
    assert all(address.startswith("data:") for address in reader.fetched)
    assert "script" not in reader.tags
    assert [image["alt"] for image in reader.images] == [words, words]
    assert not re.search(r"url\(|@import|<link|<iframe", text)
    assert reader.tags[:2] == ["html", "head"]
    assert reader.tags.count("h1") == 1


def test_the_page_leaves_out_what_is_empty(tmp_path: Path) -> None:
    full = content(tmp_path)
    none = Tabulated([], [], "a note on nothing")
    empty = replace(full, deviations=[], settings={}, failures=[], findings=[], figures=[], race=None, methods=none)
    text = page(empty)
    assert none.note not in text and none.note in page(replace(full, tuning=none))  # that no tuning was done is told
    assert not any(word in text for word in ("Failures", "<video", "<img", "Settings", "Not equal", "Methods"))
    assert "Runs" in text


def test_a_page_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    write_page(path, content(tmp_path))
    before = path.read_bytes()
    for broken in (tmp_path / "missing.svg", tmp_path / "figure.txt"):
        with pytest.raises(EvoError, match=broken.name):
            write_page(path, replace(content(tmp_path), figures=[(broken, "gone")]))
    assert path.read_bytes() == before
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["figure.png", "figure.svg", "race.mp4", "report.html"]
