"""Tuning in a comparison: equal trials of every method, on seeds of their own; the best gives the report's settings."""

import csv
import html
import io
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

import evo
from evo.comparison import notes, study
from evo.comparison.comparison import Comparison
from evo.comparison.curves import budget_texts
from evo.comparison.display import study_display
from evo.comparison.member import Member, read_member
from evo.comparison.notes import budgets_note, tuning_note
from evo.comparison.plan import plan_study
from evo.comparison.terms import terms_of
from evo.comparison.tuning import choose, space_of, trial_settings, tuning_texts
from evo.comparison.writing import terminal_tables
from evo.config.resolve import read_config, resolve_config
from evo.config.search_spaces import draw
from evo.errors import EvoError
from evo.learners import METHODS
from evo.numerics.randomness import generator

TUNED: Mapping[str, Any] = {"seeds": 1, "steps": 200, "tune": 3, "video": False, "threads": 1}
BOTH = ["cma-es", "ga"]
RUN = evo.run  # as it is where a test does not replace it


def touched(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file() and path.name != "lock"}


def tuned(path: Path, methods: list[str] | None = None, **changes: Any) -> Comparison:
    return evo.compare("rastrigin", methods=methods or BOTH, out=path, **{**TUNED, **changes})


@pytest.fixture(scope="module", autouse=True)
def plain() -> Iterator[None]:
    """No picture of any run is drawn: what runs learn is the matter here."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(study.api, "show", lambda *_: None)
        yield


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    return tuned(tmp_path_factory.mktemp("tuned") / "s", [*BOTH, "random-search"])


def test_a_trial_depends_on_method_and_number_alone() -> None:
    first = [trial_settings("ars", trial, 1.0) for trial in range(4)]
    assert first[0] == {}  # the preset
    assert first == [trial_settings("ars", trial, 1.0) for trial in range(4)]
    assert len({str(settings) for settings in first}) == 4
    assert trial_settings("sep-cma-es", 1, 1.0) != trial_settings("cma-es", 1, 1.0)
    drawn = draw(space_of(METHODS["ars"]), generator(0, "tuning of ars", 1))
    assert first[1] == {f"method.{option}": value for option, value in drawn.items()}
    # what a name implies is no setting to search: ARS V1 takes all directions
    assert set(first[1]) - set(trial_settings("ars-v1", 1, 1.0)) == {"method.elite_directions"}


def test_trials_are_runs_on_other_seeds_than_the_reports(found: Comparison) -> None:
    folder = found.path / "tuning"
    assert {path.name for path in folder.iterdir()} == set(BOTH)
    for method in BOTH:
        trials = [read_member(folder / method / f"trial-{trial}") for trial in range(3)]
        assert [member.seed for member in trials] == [0, 1, 2]
        assert {member.config["budget.steps"] for member in trials} == {200}
        preset = plan_study("rastrigin", method, 1, 200, None, None, {}, found.path)
        (as_is,) = preset.members.values()
        width = 10.24  # of rastrigin's domain
        for trial, member in enumerate(trials):
            own = {**as_is.values, **trial_settings(method, trial, width), "seed": trial}
            assert member.config.values == {**own, "evaluation.report_episodes": 1}
        scores = [member.champion.score for member in trials]
        tuning = found.tunings[method]
        assert tuning.chosen == int(np.argmax(scores)) and tuning.score == max(scores)
        assert (tuning.trials, tuning.planned, tuning.preset) == (3, 3, scores[0])
        assert tuning.steps == sum(member.metrics["steps"][-1] for member in trials)
        best = trial_settings(method, tuning.chosen, width)
        assert {f"method.{key}": value for key, value in tuning.settings.items()} == best
        report = [member for member in found.members if member.method == method]
        assert [member.seed for member in report] == [100]
        assert {tuple(member.config[key] for key in best) for member in report} == {tuple(best.values())}


OWN = """
from evo.algorithms.strategies.cma_es import CMAES

class Tuned(CMAES):
    search_space = {"sigma": (0.1, 1.0), "population_size": [4, 8]}

class Wrong(CMAES):
    search_space = {"sigma": (1.0, 0.1)}

class Misspelt(CMAES):
    search_space = {"sgima": (0.1, 1.0)}
"""


def test_an_algorithm_of_ones_own_declares_what_is_searched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_tuned.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)
    name = "own_tuned:Tuned"
    found = tuned(tmp_path / "s", [name])
    tuning = found.tunings[name]
    assert tuning.space == "sigma 0.1 to 1; population_size one of 4, 8"
    record = read_config((found.path / "study.toml").read_text(), "study.toml", trust=True)
    assert record[f"tuning.chosen.{name}.trial"] == tuning.chosen
    for trial in (1, 2):
        config = read_member(found.path / "tuning" / name / f"trial-{trial}", trust=True).config
        assert 0.1 <= config["method.sigma"] <= 1.0 and config["method.population_size"] in (4, 8)
    again = tuned(tmp_path / "s", [name])
    assert again.tunings == found.tunings
    for wrong, expected in (
        ("Wrong", r"own_tuned:Wrong: search_space\['sigma'\] must be \(low, high\) with 0 < low < high"),
        ("Misspelt", r"its search space names method\.sgima; did you mean 'method\.sigma'"),
    ):
        with pytest.raises(EvoError, match=expected):
            tuned(tmp_path / "t", [f"own_tuned:{wrong}"])
    assert not (tmp_path / "t").exists()


def test_trials_beyond_ten_use_the_seeds_again(tmp_path: Path) -> None:
    plan = plan_study("rastrigin", "ga", 1, 200, None, None, {}, tmp_path, tune=12)
    assert [config.seed for config in plan.trials["ga"].values()] == [*range(10), 0, 1]
    assert "--tune 12" in plan.command


def test_what_was_found_is_in_the_record_and_told(found: Comparison) -> None:
    record = read_config((found.path / "study.toml").read_text(), "study.toml")
    assert record["tuning.trials"] == 3
    for method, tuning in found.tunings.items():
        chosen = {key: value for key, value in record.items() if key.startswith(f"tuning.chosen.{method}.")}
        expected = {"trial": tuning.chosen, **tuning.settings}
        assert chosen == {f"tuning.chosen.{method}.{key}": value for key, value in expected.items()}
        assert found.terms.settings[method]["tuned"] == "here, the best of 3 trials"
    assert "random-search" not in found.tunings
    (told,) = [line for line in found.terms.deviations if line.startswith("method settings tuned")]
    assert told.endswith("not here, as no search space is declared (random-search)")


def test_the_report_states_what_tuning_took(found: Comparison) -> None:
    note = tuning_note(found.members[0].config, found.terms.settings, found.tunings)
    assert "on one of the seeds 0 to 9" in note and "was not counted" in note
    assert "cma-es: sigma 0.03072 to 3.072; population_size one of 8, 16, 32, 64." in note
    untuned = found.terms.settings["random-search"]["tuned"]
    assert note.endswith(f"Without trials: {untuned} (random-search).")
    terminal = Console(file=io.StringIO(), width=100)
    terminal.print(terminal_tables(found))
    printed = terminal.file.getvalue()  # type: ignore[attr-defined]
    lines = tuning_texts(found.tunings)
    for name in ("table.md", "report.html"):
        text = html.unescape((found.path / name).read_text())
        assert note in text and all(cell in text for line in lines for cell in line)
    assert "best trial" in printed and all(line[2] in printed for line in lines)
    rows = {row["method"]: row for row in csv.DictReader(io.StringIO((found.path / "table.csv").read_text()))}
    for method, tuning in found.tunings.items():
        took = [rows[method][f"tuning_{name}"] for name in ("trials", "steps", "selection_steps", "core_minutes")]
        values = tuning.trials, tuning.steps, tuning.selection_steps, tuning.core_minutes
        assert [float(one) for one in took] == [float(one) for one in values]
        assert tuning.steps >= 3 * 200
    assert rows["random-search"]["tuning_trials"] == "0"


def test_the_report_states_equal_budgets(found: Comparison) -> None:
    assert [budget.clock for budget in found.budgets] == ["steps", "cpu_s", "wall_s"]
    table = budget_texts(found.budgets, [row.method for row in found.rows])
    note = budgets_note(found.members[0].config, found.metric)
    for name in ("table.md", "report.html"):
        text = html.unescape((found.path / name).read_text())
        assert note in text and all(cell in text for line in table for cell in line)
    rows = {row["method"]: row for row in csv.DictReader(io.StringIO((found.path / "table.csv").read_text()))}
    for budget in found.budgets:
        for method, (score,) in budget.scores.items():
            assert float(rows[method][f"equal_{budget.clock}"]) == budget.amount
            assert rows[method][f"return_iqm_at_equal_{budget.clock}"] == ("" if np.isnan(score) else str(score))


def test_a_comparison_without_tuning_says_what_is_known_of_its_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    def note(*methods: str, **settings: float) -> str:
        configs = {}
        for method in methods:
            flags = {"task.name": "Hopper-v5", "method.name": method, "seed": 100}
            own = [(f"method.{name}", value) for name, value in settings.items()]
            configs[Path(method)] = resolve_config(settings=own, flags=flags)
        return tuning_note(configs[Path(methods[0])], terms_of(configs).settings, {})

    told = note("ars", "ga")
    assert "presets were used (--tune N gives all of them the same trials)" in told
    assert "Settings tuned: for Hopper-v5 (ars); not for this task: general settings (ga)." in told
    assert told.endswith("What tuning the presets took was not counted (ars, ga).")
    monkeypatch.setattr(notes, "TUNING_STEPS", {"Hopper-v5": {"ars": 9_000_000}})
    counted = "Tuning the presets took, in env steps: ars 9,000,000."
    assert note("ars", "ga").endswith(f"{counted} What tuning the presets took was not counted (ga).")
    assert note("ars", "ars-v1").endswith("env steps: ars 9,000,000, ars-v1 9,000,000.")
    assert "presets were used" not in note("ars", sigma=0.5) and "by hand: sigma (ars)" in note("ars", sigma=0.5)


def test_a_tuned_study_is_reused_and_more_methods_may_join(found: Comparison) -> None:
    before = touched(found.path / "tuning")
    again = tuned(found.path, [*BOTH, "sep-cma-es"])
    after = touched(found.path / "tuning")
    assert {path: time for path, time in after.items() if "sep-cma-es" not in path.parts} == before
    assert {method: again.tunings[method] for method in BOTH} == {method: found.tunings[method] for method in BOTH}
    record = read_config((found.path / "study.toml").read_text(), "study.toml")
    assert {key.split(".")[2] for key in record if key.startswith("tuning.chosen.")} == {*BOTH, "sep-cma-es"}
    with pytest.raises(EvoError, match=r"is a study with tuning\.trials=3, not 4; choose another folder"):
        tuned(found.path, tune=4)
    with pytest.raises(EvoError, match=r"is a study with tuning\.trials=3, not None"):
        tuned(found.path, tune=None)


def interrupting(place: str) -> Callable[..., Any]:
    """evo.run, interrupted at the second generation of the run at this place."""

    def stop(row: Mapping[str, float]) -> None:
        if row["generation"] == 2:
            raise KeyboardInterrupt

    def started(*, out: Path, **options: Any) -> Any:
        return RUN(out=out, callback=stop if str(out).endswith(place) else None, **options)

    return started


def test_an_interrupted_study_goes_on(found: Comparison, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for place in ("tuning/ga/trial-1", "ga-seed100"):
        monkeypatch.setattr(study.api, "run", interrupting(place))
        with pytest.raises(KeyboardInterrupt):
            tuned(tmp_path / "s")
        with pytest.raises(EvoError, match="not finished"):
            read_member(tmp_path / "s" / place)
    before = touched(tmp_path / "s" / "tuning" / "cma-es")
    whole = tuned(tmp_path / "s")
    assert touched(tmp_path / "s" / "tuning" / "cma-es") == before
    for method in BOTH:  # as where nothing was interrupted, but for the time
        took, other = whole.tunings[method], found.tunings[method]
        assert replace(took, core_minutes=0.0) == replace(other, core_minutes=0.0)
    reports = {(member.method, member.seed): member.report_mean for member in found.members}
    assert all(reports[member.method, member.seed] == member.report_mean for member in whole.members)


def test_failed_trials_are_told_and_the_rest_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*, out: Path, **options: Any) -> Any:
        if "ga" in out.parts or out.name == "trial-0":
            raise EvoError("no luck today")
        return RUN(out=out, **options)

    monkeypatch.setattr(study.api, "run", failing)
    found = tuned(tmp_path / "s", seeds=1)
    assert [member.method for member in found.members] == ["cma-es"]
    assert found.failures == (
        "cma-es trial 0: no luck today",
        *(f"ga trial {trial}: no luck today" for trial in range(3)),
        "ga: every trial of its tuning failed",
    )
    tuning = found.tunings["cma-es"]
    assert (tuning.planned, tuning.trials) == (3, 2) and np.isnan(tuning.preset) and tuning.chosen > 0
    with pytest.raises(EvoError, match=r"every run of .* failed; the first: ga trial 0: no luck today"):
        tuned(tmp_path / "only", ["ga"])


def test_a_method_whose_trials_all_failed_is_named_in_its_own_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(**options: Any) -> Any:
        raise EvoError("no luck today")

    monkeypatch.setattr(study.api, "run", failing)
    shown = io.StringIO()
    with pytest.raises(EvoError, match="every run of"):
        tuned(tmp_path / "s", display=lambda configs: study_display(configs, Console(file=shown, width=200), False))
    for method in BOTH:
        assert f"{method} seed 100: failed; {method}: every trial of its tuning failed" in shown.getvalue()


def test_the_best_is_chosen_by_selection_and_never_by_the_report(found: Comparison) -> None:
    like = found.members[0]

    def scored(selection: float, report: float) -> Member:
        returns = {"selection_returns": np.array([selection]), "report_returns": np.array([report])}
        return replace(like, champion=replace(like.champion, **returns))

    nan = float("nan")
    trials = dict(enumerate([scored(1.0, 9.0), scored(3.0, 1.0), scored(3.0, 5.0), scored(nan, 9.0)]))
    assert choose(trials, like.config, 4).chosen == 1  # of equal ones the earliest
    assert choose({3: trials[3], 0: trials[0]}, like.config, 4).chosen == 0
    assert choose({3: trials[3]}, like.config, 4).chosen == 3


@pytest.mark.parametrize(
    ("methods", "tune", "expected"),
    [
        (["ga"], -1, "tune must be a number of trials for each method, from 2 to 1000, got -1"),
        (["ga"], 1001, "from 2 to 1000, got 1001"),
        (["ga"], 1, "tune=1 tries the preset alone"),
        (["random-search"], 3, "tune: no search space is declared for random-search; there is one for ars, "),
    ],
)
def test_a_mistake_in_tuning_gets_one_line(methods: list[str], tune: int, expected: str, tmp_path: Path) -> None:
    with pytest.raises(EvoError) as caught:
        tuned(tmp_path / "s", methods, tune=tune)
    assert expected in str(caught.value) and "\n" not in str(caught.value)
    assert not (tmp_path / "s").exists()


def test_finished_runs_of_a_tuned_study_say_so(found: Comparison, tmp_path: Path) -> None:
    runs = [member.path for member in found.members]
    again = evo.compare(*runs, out=tmp_path / "s", video=False, threads=1)
    assert again.tunings == found.tunings
    assert again.terms.settings["ga"]["tuned"] == "here, the best of 3 trials"
    own = {"method.sigma": 0.7, "evaluation.selection_share": 0.4}
    other = evo.run("rastrigin", method="cma-es", seed=100, steps=200, out=tmp_path / "r", settings=own, video=False)
    mixed = evo.compare(other.path, *runs[1:], out=tmp_path / "t", video=False, threads=1)
    assert [*mixed.tunings] == ["ga"]  # that of another run of CMA-ES is not this one's
    assert mixed.terms.settings["cma-es"]["tuned"] == "by hand: sigma; not here"


@pytest.mark.parametrize("trials", ['"x"', "nan", "1_000_000_000_000", "-3", "true", "[3]"])
def test_a_damaged_record_of_a_study_is_one_line(trials: str, found: Comparison, tmp_path: Path) -> None:
    runs = [member.path for member in found.members]
    shutil.copytree(found.path, tmp_path / "s")
    record = tmp_path / "s" / "study.toml"
    record.write_text(record.read_text().replace("trials = 3", f"trials = {trials}"))
    with pytest.raises(EvoError, match=r"study\.toml: tuning\.trials must be from 2 to 1000, got ") as caught:
        evo.compare(*(record.parent / path.name for path in runs), out=tmp_path / "t", video=False, threads=1)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "t").exists()


def test_finished_runs_are_not_tuned(found: Comparison, tmp_path: Path) -> None:
    with pytest.raises(EvoError, match="tune goes with a task; finished runs are compared as they are"):
        evo.compare(*(member.path for member in found.members), out=tmp_path / "s", tune=3)
