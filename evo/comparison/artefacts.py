"""Files of a comparison in its folder: report.html, tables, figures and a film."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from evo.comparison.comparison import Comparison
from evo.comparison.curves import budget_header, budget_texts
from evo.comparison.figures import learning_curves, robustness_figure
from evo.comparison.notes import (
    budgets_note,
    learning_caption,
    members_note,
    methods_note,
    thresholds_note,
    tuning_note,
)
from evo.comparison.page import Content, Tabulated, write_page
from evo.comparison.race import race
from evo.comparison.robustness import DRAWS, EPISODES, Robustness, robustness
from evo.comparison.statistics import interquartile_mean
from evo.comparison.table import method_header, method_texts
from evo.comparison.tuning import tuning_header, tuning_texts
from evo.comparison.writing import (
    markdown,
    member_header,
    member_texts,
    members_csv,
    methods_csv,
    resolution,
    robustness_csv,
    threshold_header,
    threshold_texts,
)
from evo.envs.engine.physics import EngineError
from evo.errors import EvoError
from evo.evaluation.workers import Workers
from evo.storage.files import write_text
from evo.storage.paths import command


def write_artefacts(comparison: Comparison, workers: Workers, video: bool, phase: Callable[[str], None]) -> list[str]:
    """Write all files; return a line for each picture that could not be made.

    workers: to measure and film with. video: film the race too. phase: called with what is being done.

    Raises EvoError where the tables cannot be written.
    """
    path = comparison.path
    members, thresholds = comparison.members, comparison.thresholds
    config = members[0].config
    tables = _tables(comparison)
    write_text(path / "table.csv", methods_csv(comparison))
    write_text(path / "members.csv", members_csv(members))
    write_text(path / "table.md", _markdown(comparison, tables))

    captions: dict[Path, str] = {}  # of the figures that were drawn
    learning, robust, film = path / "learning.svg", path / "robustness.svg", path / "race.mp4"

    def draw_learning() -> None:
        for figure in (learning, learning.with_suffix(".png")):
            dashed = learning_curves(members, figure, thresholds)
        seeds = max(row.seeds for row in comparison.rows)
        several = len(comparison.rows) > 1
        captions[learning] = learning_caption(config, dashed, comparison.metric, seeds, several)

    def draw_robustness() -> None:
        measured = robustness(members, workers)
        write_text(path / "robustness.csv", robustness_csv(measured))
        for figure in (robust, robust.with_suffix(".png")):
            robustness_figure(measured, figure)
        captions[robust] = robustness_caption(measured)

    pictures = [("the learning curves", learning, draw_learning)]
    walks = config.task.kind.acts  # robustness and races are of worlds only
    if walks:
        pictures.append(("the robustness of the champions", robust, draw_robustness))
    if walks and video:
        pictures.append(("the race of the champions", film, lambda: race(members, film, workers)))
    drawn, missing = [], []
    for name, target, draw in pictures:
        phase(f"drawing {name}")
        try:
            draw()
            drawn.append(target)
        except (EvoError, EngineError) as error:
            missing.append(f"{name}: {error}")
            phase(missing[-1])
    phase("writing the report")
    write_page(
        path / "report.html",
        Content(
            title=_title(comparison),
            metric=comparison.metric,
            command=comparison.command,
            terms=comparison.terms.shared,
            deviations=comparison.terms.deviations,
            settings=comparison.terms.settings,
            **tables,
            findings=comparison.findings,
            failures=[*comparison.failures, *missing],
            figures=[*captions.items()],
            race=film if film in drawn else None,
            commands=[comparison.command, *(command("replay", one.path, config=one.config.toml()) for one in members)],
        ),
    )
    return missing


def robustness_caption(measured: Robustness) -> str:
    """Return the figure's caption, with the episodes that failed, if any did."""
    far = "share of choices other than" if measured.choices else "root mean square distance of the actions from"
    lines = "; lines and bands as above" if len(set(measured.seeds)) > 1 else ""
    caption = (
        "Returns of the champions with Gaussian noise on all parameters, relative to the root mean square of their "
        f"layer (the axis is not to scale): means of {DRAWS} draws on {EPISODES} report episodes each{lines}. Right: "
        f"the share of the return over the {far} those of the unperturbed champion in the same states."
    )
    led = measured.astray.max(axis=1)
    least, farthest = int(led.argmin()), float(led.min())  # up to which all are displaced
    at = measured.shares_at(np.array([farthest]))[:, 0]
    left = {
        method: interquartile_mean([share for name, share in zip(measured.methods, at, strict=True) if name == method])
        for method in measured.methods
    }
    known = [f"{method} {100 * share:.0f} %" for method, share in left.items() if not np.isnan(share)]
    members = [f"{method} seed {seed}" for method, seed in zip(measured.methods, measured.seeds, strict=True)]
    if known:
        there = f"Where {100 * farthest:.2g} % of the choices differ"
        if not measured.choices:
            there = f"Where the actions differ by {farthest:.2g} of half their range"
        caption += f" {there}, the largest change that every champion reaches ({members[least]} goes no farther), "
        caption += f"the shares are {', '.join(known)}."
    without = [name for name, share in zip(members, at, strict=True) if np.isnan(share)]
    if without:
        caption += f" No share, for want of a return, and so none for the whole method: {', '.join(without)}."
    failed = [f"{count} of {name}" for name, count in zip(members, measured.failed.sum(axis=1), strict=True) if count]
    if failed:
        caption += f" Failed episodes count as the champion's worst other one: {', '.join(failed)}."
    return caption


def _title(comparison: Comparison) -> str:
    return f"{comparison.members[0].config.task.name}: {', '.join(row.method for row in comparison.rows)}"


def _tables(comparison: Comparison) -> dict[str, Tabulated]:
    """Return the tables of a comparison, by the names that they have in `Content`, in the order of table.md."""
    rows, thresholds, config = comparison.rows, comparison.thresholds, comparison.members[0].config
    unit, metric, budgets = comparison.step_unit, comparison.metric, comparison.budgets
    standings = budget_texts(budgets, [row.method for row in rows])
    settings, tunings = comparison.terms.settings, comparison.tunings
    tuning = tuning_texts(tunings), tuning_note(config, settings, tunings)
    return {
        "methods": Tabulated(method_header(unit, metric), method_texts(rows), methods_note(config, metric)),
        "thresholds": Tabulated(threshold_header(thresholds), threshold_texts(rows), _thresholds_note(comparison)),
        "budgets": Tabulated(budget_header(budgets, config.task.kind), standings, budgets_note(config, metric)),
        "tuning": Tabulated(tuning_header(unit), *tuning),
        "members": Tabulated(member_header(unit, metric), member_texts(comparison.members), members_note(config)),
    }


def _markdown(comparison: Comparison, tables: Mapping[str, Tabulated]) -> str:
    """Return the text of table.md: the findings, the tables, and the terms."""
    terms = comparison.terms
    parts = [f"# {_title(comparison)}", f"`{comparison.command}`", _to_list(comparison.findings)]
    for table in tables.values():
        parts += [markdown(table.header, table.rows) if table.rows else "", table.note]
    parts.append("Equal for all: " + "; ".join(f"{name} {value}" for name, value in terms.shared) + ".")
    for title, lines in (("Not equal:", terms.deviations), ("Failed:", comparison.failures)):
        if lines:
            parts.append(f"{title}\n\n{_to_list(lines)}")
    return "\n\n".join(part.strip() for part in parts if part) + "\n"


def _thresholds_note(comparison: Comparison) -> str:
    measured = resolution(comparison.rows, comparison.step_unit, comparison.metric)
    return f"{measured} {thresholds_note(comparison.members[0].config, comparison.thresholds, comparison.metric)}"


def _to_list(lines: Sequence[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)
