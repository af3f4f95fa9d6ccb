"""Pages of plots: which kinds there are, which a newcomer wants to see first, and what is made of them."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from evo.envs.engine.physics import EngineError
from evo.errors import EvoError, nearest
from evo.runs.plots.effort import EFFORT
from evo.runs.plots.gait import GAIT
from evo.runs.plots.kind import Kind
from evo.runs.plots.path import PATH
from evo.runs.plots.phase import PHASE
from evo.runs.plots.pictures import WHOLE
from evo.runs.plots.progress import DIVERSITY, FITNESS, SIGMA
from evo.runs.plots.subject import Subject
from evo.runs.plots.weights import WEIGHTS
from evo.visualize.charts import Page, Row
from evo.visualize.notebook import picture

KINDS = {kind.name: kind for kind in (FITNESS, SIGMA, DIVERSITY, GAIT, PATH, EFFORT, PHASE, WEIGHTS)}
_FIRST = (FITNESS, PATH, GAIT, EFFORT)  # of a creature, for who names no kind
_ELSE = (FITNESS, SIGMA, DIVERSITY, WEIGHTS)  # of what acts in no world
SECONDS = 10.0  # of gaits and torques, where the user says nothing


class Plot:
    """A plot that can be written to a file, or printed; a notebook shows it inline.

    draw: writes it to a file, .png, .svg or .pdf. tell: returns it in plain characters, in lines of at most so many.
    """

    def __init__(self, draw: Callable[[Path], None], tell: Callable[[int], str]) -> None:
        self._draw, self._tell = draw, tell

    def save(self, path: Path | str) -> Path:
        """Write it, .png, .svg or .pdf; return the path. Raises EvoError."""
        self._draw(Path(path))
        return Path(path)

    def text(self, width: int = 80) -> str:
        """Return it in plain characters. width: of a line. Raises EvoError for a picture that has no such form."""
        return self._tell(width)

    def _repr_html_(self) -> str:
        with TemporaryDirectory() as folder:
            return picture(self.save(Path(folder) / "plot.svg"))


def summaries() -> dict[str, str]:
    """Return what each kind of plot shows, by its name."""
    return {name: kind.summary for name, kind in KINDS.items()} | {name: whole.summary for name, whole in WHOLE.items()}


def names_of(kinds: str | Iterable[str]) -> list[str]:
    """Return names of kinds, given as in `gait,path` or one by one, each once. Raises EvoError for one there is not."""
    given = [kinds] if isinstance(kinds, str) else [*kinds]
    names = [name.strip() for text in given for name in str(text).split(",")]
    for name in names:
        if name not in KINDS and name not in WHOLE:
            raise EvoError(f"there is no kind of plot {name!r}{nearest(name, [*KINDS, *WHOLE])}")
    whole = [name for name in names if name in WHOLE]
    if whole and len(set(names)) > 1:
        raise EvoError(
            f"{whole[0]} is a picture by itself: plot it alone, without {next(n for n in names if n != whole[0])}"
        )
    return list(dict.fromkeys(names))


def default_kinds(subject: Subject) -> list[str]:
    """Return the kinds that a newcomer wants to see of a subject: those among a few that say something about it."""
    wanted = _FIRST if subject.champion.spec.kind.acts else _ELSE
    found = [kind.name for kind in wanted if kind.fits(subject)]
    return found or [FITNESS.name]  # which says what is missing


def plot_of(subject: Subject, kinds: Sequence[str], seconds: float = SECONDS) -> Plot:
    """Return a plot of one subject; kinds: their names, checked by `names_of`. Raises EvoError."""
    if kinds and kinds[0] in WHOLE:
        return _whole(subject, kinds[0])
    rows = [row for name in kinds for row in rows_of(KINDS[name], [subject], seconds)]
    return in_both_forms(Page(subject.title, rows))


def rows_of(kind: Kind, subjects: Sequence[Subject], seconds: float) -> list[Row]:
    """Return a kind's charts. Raises EvoError."""
    try:
        return kind.rows(subjects, seconds)
    except EngineError as error:
        raise EvoError(f"{subjects[0].title}: {error}") from error


def in_both_forms(page: Page) -> Plot:
    """Return a page of charts as a plot."""

    def draw(path: Path) -> None:
        from evo.visualize.charts.paper import draw_page  # matplotlib takes long to import

        draw_page(page, path)

    def tell(width: int) -> str:
        from evo.visualize.charts.characters import page_in_characters

        return page_in_characters(page, width)

    return Plot(draw, tell)


def _whole(subject: Subject, name: str) -> Plot:
    run = subject.run
    if run is None:
        raise EvoError(f"{name} is drawn of a run directory; {subject.title} is a champion alone")

    def tell(width: int) -> str:
        raise EvoError(f"{name} is no picture for a terminal: give a file, --out {name}.png")

    return Plot(lambda path: WHOLE[name].draw(run, path), tell)
