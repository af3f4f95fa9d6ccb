"""Kind: one kind of charts, by its name."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from evo.runs.plots.subject import Subject
from evo.visualize.charts import Row


@dataclass(frozen=True)
class Kind:
    """One kind of charts.

    summary: what it shows, in a line. rows: makes the charts of some subjects, in rows; seconds: of an episode that are
    shown at most, where time runs along. Raises EvoError where there is nothing to show. fits: whether it has something
    to say about a subject. columns: of metrics.csv, name → words, for a kind that plots those over steps: several runs
    are then overlaid.
    """

    name: str
    summary: str
    rows: Callable[[Sequence[Subject], float], list[Row]]
    fits: Callable[[Subject], bool]
    columns: Mapping[str, str] = field(default_factory=dict)


def acts(subject: Subject) -> bool:
    """Return whether a subject acts in a world whose episodes are recorded whole."""
    from evo.envs.task import Task

    return subject.champion.spec.kind.acts and isinstance(subject.champion.task, Task)


def of(subject: Subject, what: str) -> str:
    """Return the title of a chart of one subject, which is named where there are others."""
    return f"{subject.label}, seed {subject.champion.seed}: {what}" if subject.label else what
