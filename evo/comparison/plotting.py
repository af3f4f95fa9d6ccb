"""Plots of one run or of several, in which runs that differ in their seeds alone have one colour."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from evo.comparison.curves import curve
from evo.comparison.member import Member
from evo.comparison.terms import labels
from evo.errors import EvoError
from evo.runs.champion import Champion
from evo.runs.plots.kind import Kind
from evo.runs.plots.page import KINDS, SECONDS, Plot, default_kinds, in_both_forms, names_of, plot_of, rows_of
from evo.runs.plots.pictures import WHOLE
from evo.runs.plots.progress import FITNESS, known_columns
from evo.runs.plots.subject import Subject, subject_of
from evo.runs.record import champion_of
from evo.runs.run import Run, path_of
from evo.visualize.charts import Line, Lines, Page, Row
from evo.visualize.colours import colours_of
from evo.visualize.curves import in_rows
from evo.visualize.plots import check_picture

_MOST = 200  # runs


def plot(
    *runs: Path | str | Run | Champion,
    kind: str | Iterable[str] = (),
    out: Path | str | None = None,
    seconds: float = SECONDS,
    seed: int | None = None,
    trust: bool = False,
) -> Plot:
    """Return a plot of runs, or of champions; `save` writes it, `text` gives it in characters, a notebook shows it.

    Runs of equal settings but their seeds have one colour: the line is the interquartile mean of the seeds, the band
    their middle half. Episodes are those of the champions, recorded anew: what one sees is what was scored.

    kind: one or several of those of `evo plot --list`, as in `"gait,path"`; by default what a newcomer wants to see.
    out: .png, .svg or .pdf file to write it to. seconds: of gaits, torques and phase portraits at most. seed: of the
    episodes; by default each champion's report episode of median return. trust: as of `load`. Raises EvoError.
    """
    if out is not None:
        check_picture(Path(out))
    if not 0 < seconds <= 86_400:
        raise EvoError(f"seconds must be more than 0 and at most a day, got {seconds}")
    if seed is not None and seed < 0:
        raise EvoError(f"seed must be at least 0, got {seed}")
    if not 1 <= len(runs) <= _MOST:
        raise EvoError(f"a plot of {len(runs):,} runs: name 1 to {_MOST}")
    names = names_of(kind)
    subjects = [_subject(one, seed, trust) for one in runs]
    found = plot_of(subjects[0], names or default_kinds(subjects[0]), seconds) if len(subjects) == 1 else None
    found = found or _together(subjects, names, seconds)
    if out is not None:
        found.save(out)
    return found


def _subject(given: Path | str | Run | Champion, seed: int | None, trust: bool) -> Subject:
    if not isinstance(given, Champion):
        source = path_of(given)
        if not source.is_file():
            return replace(subject_of(given if isinstance(given, Run) else Run(source, trust)), seed=seed)
        given = champion_of(source, trust)
    return Subject(given, None, f"{given.task_name}  {given.method}  seed {given.seed}", seed=seed)


def _together(given: Sequence[Subject], names: Sequence[str], seconds: float) -> Plot:
    """Return a plot of several subjects."""
    if names and names[0] in WHOLE:
        raise EvoError(f"{names[0]} is drawn of one run, and here are {len(given)}: plot them one by one")
    subjects = _grouped(given)
    common = [name for name in default_kinds(subjects[0]) if all(KINDS[name].fits(one) for one in subjects)]
    if not names and not common:
        raise EvoError(f"there is no kind of plot that suits all of {', '.join(one.title for one in given)}")
    rows: list[Row] = []
    for name in names or common:
        kind = KINDS[name]
        rows += _overlay(kind, subjects) if kind.columns else rows_of(kind, subjects, seconds)
    tasks = dict.fromkeys(one.champion.task_name for one in subjects)
    counts = {one.label: sum(other.label == one.label for other in subjects) for one in subjects}
    said = {label: f"{label}, {count} seeds" if count > 1 else label for label, count in counts.items()}
    legend = [(said[one.label], one.colour) for one in {one.label: one for one in subjects}.values()]
    return in_both_forms(Page(", ".join(tasks), rows, legend))


def _grouped(given: Sequence[Subject]) -> list[Subject]:
    """Return subjects with the labels and colours of their settings; those of champions alone are their methods."""
    configs = [one.run.config for one in given if one.run is not None]
    methods = iter(labels(configs))
    several = len({one.champion.task_name for one in given}) > 1
    found = [one.champion.method if one.run is None else next(methods) for one in given]
    if several:
        pairs = zip(found, given, strict=True)
        found = [f"{one.champion.task_name} {label}" for label, one in pairs]
    colours = colours_of(found)
    return [replace(one, label=label, colour=colours[label]) for one, label in zip(given, found, strict=True)]


def _overlay(kind: Kind, subjects: Sequence[Subject]) -> list[Row]:
    """Return a kind's columns over steps, a line and a band for each group of seeds."""
    first = subjects[0].champion.spec.kind
    if alien := [one for one in subjects if one.champion.spec.kind.step_unit != first.step_unit]:
        raise EvoError(f"{alien[0].title} counts {alien[0].champion.spec.kind.step_unit}s, not {first.step_unit}s")
    known = [known_columns(kind, one) for one in subjects]
    columns = {name: words for name, words in known[0].items() if all(name in each for each in known)}
    if not columns:
        raise EvoError(f"these runs record no {kind.name} in a column that all of them have")
    charts = []
    for name, words in columns.items():
        held_out = kind is FITNESS
        up = f"held-out {subjects[0].champion.metric}" if held_out else words
        lines = [line for group in _groups(subjects) for line in _group_lines(group, name, held_out)]
        charts.append(Lines(f"{first.step_unit}s", up, lines))
    return in_rows(charts, 1 if len(charts) == 1 else 2, 3.2 if len(charts) == 1 else 2.3)


def _groups(subjects: Sequence[Subject]) -> list[list[Subject]]:
    groups: dict[str, list[Subject]] = {}
    for one in subjects:
        groups.setdefault(one.label, []).append(one)
    return [*groups.values()]


def _group_lines(group: Sequence[Subject], column: str, held_out: bool) -> list[Line]:
    """Return the line of a group of seeds with its band, and a faint one for each seed."""
    seeds = [_scores(one) if held_out else (one.metrics["steps"], one.metrics[column]) for one in group]
    seeds = [each for each in seeds if len(each[0])]
    colour = group[0].colour
    if not seeds:
        return []
    whole = curve(seeds)
    middle = Line(whole.clock, whole.middle, "", colour, whole.low, whole.high, stepped=True, width=2.0)
    return [middle, *(Line(x, y, "", colour, stepped=True, faint=True) for x, y in seeds if len(group) > 1)]


def _scores(subject: Subject) -> tuple[np.ndarray, np.ndarray]:
    run = subject.run
    assert run is not None  # it has metrics
    return Member(run.path, run.config, subject.champion, subject.metrics, run.ended).scores("steps")
