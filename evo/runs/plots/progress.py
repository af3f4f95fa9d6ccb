"""How a run learned: fitness, sigma and diversity over steps."""

from collections.abc import Mapping, Sequence

from evo.errors import EvoError
from evo.runs.pictures import pictures_of
from evo.runs.plots.kind import Kind
from evo.runs.plots.subject import Subject
from evo.visualize.charts import Row
from evo.visualize.curves import diagnostics

_SIGMA = {"sigma": "sigma, deviation of the search", "axis_ratio": "longest axis / shortest axis"}
_DIVERSITY = {
    "diversity": "diversity, distance of genomes",
    "diversity_within": "diversity within islands",
    "species": "species",
    "novelty": "novelty, distance of behaviours",
    "coverage": "share of cells filled",
    "qd_score": "sum of the elites' fitness",
}


def known_columns(kind: Kind, subject: Subject) -> dict[str, str]:
    """Return those of a kind's columns that a run has. Raises EvoError where it has none of them."""
    metrics = subject.metrics
    found = {name: words for name, words in kind.columns.items() if name in metrics}
    if not found:
        assert subject.run is not None  # it has metrics
        method = subject.run.config.method.name
        raise EvoError(f"{subject.title}: {method} records no {kind.name} ({', '.join(kind.columns)}) in its metrics")
    return found


def _fitness(subjects: Sequence[Subject], seconds: float) -> list[Row]:
    (subject,) = subjects
    assert subject.metrics and subject.run is not None
    return pictures_of(subject.champion.spec.kind).curve(subject.run)


def _learned(subject: Subject) -> bool:
    return subject.run is not None and bool(subject.run.metrics)


def _diagnostic(name: str, summary: str, columns: Mapping[str, str]) -> Kind:
    def rows(subjects: Sequence[Subject], seconds: float) -> list[Row]:
        (subject,) = subjects
        return diagnostics(subject.metrics, known_columns(kind, subject), subject.champion.spec.kind.step_unit)

    def fits(subject: Subject) -> bool:
        return _learned(subject) and any(column in subject.metrics for column in columns)

    kind = Kind(name, summary, rows, fits, columns)
    return kind


FITNESS = Kind(
    "fitness", "best, mean and spread in training, and held-out scores", _fitness, _learned, {"selection": ""}
)
SIGMA = _diagnostic("sigma", "the size of a method's steps, where it searches with some sigma", _SIGMA)
DIVERSITY = _diagnostic(
    "diversity", "how unlike individuals, species or behaviours are, where it is recorded", _DIVERSITY
)
