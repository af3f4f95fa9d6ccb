"""Files of a comparison in its folder: report.html, tables, figures and a film."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from evo.comparison.comparison import Comparison
from evo.comparison.figures import learning_curves, robustness_figure
from evo.comparison.notes import learning_caption, members_note, methods_note, thresholds_note
from evo.comparison.page import Content, write_page
from evo.comparison.race import race
from evo.comparison.robustness import DRAWS, EPISODES, Robustness, robustness
from evo.comparison.statistics import interquartile_mean
from evo.comparison.table import method_header, method_texts
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
    write_text(path / "table.csv", methods_csv(comparison.rows, thresholds))
    write_text(path / "members.csv", members_csv(members))
    write_text(path / "table.md", _markdown(comparison))

    captions: dict[Path, str] = {}  # of the figures that were drawn
    learning, robust, film = path / "learning.svg", path / "robustness.svg", path / "race.mp4"

    def draw_learning() -> None:
        for figure in (learning, learning.with_suffix(".png")):
            dashed = learning_curves(members, figure, thresholds)
        seeds = max(row.seeds for row in comparison.rows)
        captions[learning] = learning_caption(config, dashed, comparison.metric, seeds)

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
            methods_header=method_header(comparison.step_unit, comparison.metric),
            methods_rows=method_texts(comparison.rows),
            methods_note=methods_note(config, comparison.metric),
            thresholds_header=threshold_header(thresholds),
            thresholds_rows=threshold_texts(comparison.rows),
            thresholds_note=_thresholds_note(comparison),
            members_header=member_header(comparison.step_unit, comparison.metric),
            members_rows=member_texts(members),
            members_note=members_note(config),
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


def _markdown(comparison: Comparison) -> str:
    """Return the text of table.md: the findings, the methods, every member, and the terms."""
    thresholds, terms, config = comparison.thresholds, comparison.terms, comparison.members[0].config
    parts = [
        f"# {_title(comparison)}",
        f"`{comparison.command}`",
        _to_list(comparison.findings),
        markdown(method_header(comparison.step_unit, comparison.metric), method_texts(comparison.rows)),
        methods_note(config, comparison.metric),
        markdown(threshold_header(thresholds), threshold_texts(comparison.rows)),
        _thresholds_note(comparison),
        markdown(member_header(comparison.step_unit, comparison.metric), member_texts(comparison.members)),
        members_note(config),
        "Equal for all: " + "; ".join(f"{name} {value}" for name, value in terms.shared) + ".",
    ]
    for title, lines in (("Not equal:", terms.deviations), ("Failed:", comparison.failures)):
        if lines:
            parts.append(f"{title}\n\n{_to_list(lines)}")
    return "\n\n".join(part.strip() for part in parts if part) + "\n"


def _thresholds_note(comparison: Comparison) -> str:
    measured = resolution(comparison.rows, comparison.step_unit, comparison.metric)
    return f"{measured} {thresholds_note(comparison.members[0].config, comparison.thresholds, comparison.metric)}"


def _to_list(lines: Sequence[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)
