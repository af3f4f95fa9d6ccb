"""Notes of a comparison: what its columns and curves hold, for readers who meet them for the first time."""

from collections.abc import Collection, Mapping, Sequence

from evo.comparison.terms import group_texts
from evo.comparison.tuning import TRIAL_SEEDS, Tuning
from evo.config.config import Config
from evo.config.presets import TUNING_STEPS
from evo.learners import find_method

_PAPER = "ARS paper: the return that Mania et al. 2018 train to, on version 1 of the task"


def scoring_of(config: Config) -> tuple[str, str]:
    """Return what candidates are scored on while they train, and what champions are on in the end.

    For example ("20 selection episodes", "100 report episodes"). The ranking is by the latter.
    """
    if splits := config.task.kind.splits:
        return f"the {splits[1]} split", f"the {splits[2]} split"
    return _episodes(config, "selection"), _episodes(config, "report")


def methods_note(config: Config, metric: str) -> str:
    """Return what the columns of the methods' and the runs' tables hold. metric: of fitness."""
    return (
        f"{metric}: of the champions on {scoring_of(config)[1]}, by which none was chosen. IQM: interquartile mean of "
        "the seeds. last candidate: the same for what was learned last (– where it was not kept). CPU s and "
        "wall s: processor and wall-clock seconds of training; selection s: wall-clock seconds of selection, which "
        f"they do not include. Costs and {config.task.kind.step_unit}s are means of the seeds."
    )


def members_note(config: Config) -> str:
    """Return what the column std of the runs' table holds; "" where there is one score and nothing to spread."""
    return f"std: standard deviation over {scoring_of(config)[1]}." if config.evaluation.report_episodes > 1 else ""


def thresholds_note(config: Config, thresholds: Mapping[str, float], metric: str) -> str:
    """Return what the thresholds are, and what a cell of their table holds."""
    searched, reported = scoring_of(config)
    shares = "25 to 100 %: shares of the way from the lowest first score of any run to the best method's IQM. "
    return (
        (shares if "100 %" in thresholds else "")
        + (f"{_PAPER}. " if "ARS paper" in thresholds else "")
        + "Cells: medians of the seeds, and how many seeds reached the threshold; –: half of them or more did not. It "
        + f"counts as reached at the first {metric} on {searched} that is as high; a method may end lower on "
        + f"{reported}."
    )


def budgets_note(config: Config, metric: str) -> str:
    """Return what the table of equal budgets holds."""
    return (
        f"Each column is the largest amount of training that every run reached, without selection. Cells: the {metric} "
        f"on {scoring_of(config)[0]} as last measured by then: interquartile mean of the seeds, lowest to highest seed "
        "(–: a seed had none yet). CPU time is that of all threads; seconds are those of the machine that it ran on, "
        "with whatever else ran there."
    )


def tuning_note(config: Config, settings: Mapping[str, Mapping[str, str]], tunings: Mapping[str, Tuning]) -> str:
    """Return how the methods were tuned, and what is not known of it. settings: of the terms, by method."""
    presets = _presets_effort(config, [*settings])
    if not tunings:
        tuned = {method: own["tuned"] for method, own in settings.items()}
        used = "" if any(text.startswith("by hand") for text in tuned.values()) else ": presets were used"
        return (
            f"No method was tuned for this comparison{used} (--tune N gives all of them the same trials). Settings "
            f"tuned: {group_texts(tuned)}. {presets}"
        )
    spaces = ". ".join(f"{method}: {one.space}" for method, one in tunings.items())
    others = {method: own["tuned"] for method, own in settings.items() if method not in tunings}
    return (
        f"Each trial is a run with the budget of the others, on one of the seeds 0 to {TRIAL_SEEDS - 1}. The first is "
        "the preset; the others are drawn at random from the method's search space, ranges log-uniformly. The best, by "
        f"its champion's score on {scoring_of(config)[0]}, is what the report seeds run. {presets} Searched: {spaces}."
        + (f" Without trials: {group_texts(others)}." if others else "")
    )


def _presets_effort(config: Config, methods: Sequence[str]) -> str:
    """Return what is known of the work that went into the presets of methods, by their labels."""
    counted = TUNING_STEPS.get(config.task.name, {})
    families = {label: find_method(label.partition(" ")[0]) for label in methods}
    known = {label: counted[one.family] for label, one in families.items() if one is not None and one.family in counted}
    others = [label for label in methods if label not in known]
    unit = config.task.kind.step_unit
    told = f"Tuning the presets took, in {unit}s: {', '.join(f'{label} {steps:,}' for label, steps in known.items())}."
    missing = f"What tuning the presets took was not counted ({', '.join(others)})."
    return " ".join([*([told] if known else []), *([missing] if others else [])])


def learning_caption(config: Config, dashed: Collection[str], metric: str, seeds: int, several: bool) -> str:
    """Return the caption of the learning curves.

    dashed: thresholds that are drawn. seeds: the most of a method. several: whether there are several methods.
    """
    searched, reported = scoring_of(config)
    lines = "One seed for each method"
    if seeds > 1:
        lines = "Thin lines: seeds. Thick lines: interquartile mean of a method's seeds, as long as all of them run. "
        lines += "Bands: their middle half"
    shares = "shares of the way from the lowest first score to the best method's final one"
    meant = [shares] * any("%" in name for name in dashed) + [_PAPER] * ("ARS paper" in dashed)
    text = f"Held-out {metric} on {searched} in the course of training, over its cost without selection. {lines}"
    if meant:
        text += f". Dashed: {'; '.join(meant)}"
    text += ". Upright dotted lines: the largest budget that every run reached" if several else ""
    return f"{text}. The tables have the champions' scores on {reported}."


def _episodes(config: Config, which: str) -> str:
    count = {"selection": config.evaluation.selection_episodes, "report": config.evaluation.report_episodes}[which]
    if not config.task.kind.held_out:
        return "one evaluation" if count == 1 else f"{count:,} {which} evaluations"
    return f"{count:,} {which} episode{'s' * (count != 1)}"
