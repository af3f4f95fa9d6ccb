"""Run: a run as an object: configuration, metrics, champion, plots."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from evo.errors import EvoError
from evo.runs.record import Record
from evo.storage.run_directory import runs
from evo.visualize.notebook import box, curve, facts

if TYPE_CHECKING:
    from evo.runs.recovery import Recovery
    from evo.runs.viewing import Page


@final
class Run(Record):
    """A run directory, opened for reading: configuration, metrics, champion, plots. Raises EvoError where it is none.

    The error names the nearest folder that is a run. Its configuration and champion are read once, when they are first
    asked for: of a run that still learns, `evo.load` gives a later champion. trust: whether modules that its files name
    may be imported; see `evo.envs.reference`. config: its configuration, where that is known already; champions made
    with it share its task.
    """

    def plot(self, path: Path | str, kind: str | Sequence[str] = "fitness", seconds: float = 10.0) -> Path:
        """Draw its learning curve, or what `kind` names, .png, .svg or .pdf; return the path.

        kind: one or several of those of `evo plot --list`, as in `"gait,path"`. seconds: of gaits and torques at most.
        Raises EvoError.
        """
        from evo.runs.plots.page import names_of, plot_of  # pictures take long to import
        from evo.runs.plots.subject import subject_of

        return plot_of(subject_of(self), names_of(kind), seconds).save(path)

    def plot_landscape(self, path: Path | str) -> Path:
        """Draw the function around the champion and the search's path, .png, .svg or .pdf; return the path.

        Raises EvoError, also where the task is a world and no function.
        """
        return self.plot(path, "landscape")

    def plot_archive(self, path: Path | str) -> Path:
        """Draw the archive by the fitness of its elites on held-out episodes, .png, .svg or .pdf; return the path.

        Raises EvoError, also where the method fills none.
        """
        return self.plot(path, "archive")

    def plot_front(self, path: Path | str) -> Path:
        """Draw the front by its objectives on held-out episodes, .png, .svg or .pdf; return the path.

        Raises EvoError, also where the method searches for none.
        """
        return self.plot(path, "front")

    def plot_answers(self, path: Path | str) -> Path:
        """Draw the champion's predictions on the test split, .png, .svg or .pdf; return the path.

        Raises EvoError, also where the task is no data set.
        """
        return self.plot(path, "answers")

    def view(self, seconds: float = 10.0, fossils: int = 10, seed: int | None = None) -> "Page":
        """Return a page of its champion and fossils to turn around; a notebook shows it, `save` writes it.

        seconds: of each episode at most. fossils: at most. seed: the episode; by default the champion's report episode
        of median return. Raises EvoError, also where the task is no world of MuJoCo's.
        """
        from evo.runs.viewing import Shown, check_view, view

        check_view(seconds, seed, fossils)
        return view([Shown(self.champion, self, self.path.resolve().name)], fossils, seconds, seed)

    def view_archive(self, cells: int = 60, seconds: float = 4.0, seed: int | None = None) -> "Page":
        """Return its atlas: the map of its archive, and elites that walk where they are chosen.

        cells: elites at most that walk. seconds: of each episode at most. seed: of the episodes; by default an elite's
        held-out one of median return. Raises EvoError, also where it left no archive.
        """
        from evo.runs.atlas import view_archive

        return view_archive(self, cells, seconds, seed)

    def recover(
        self,
        lose: str = "",
        trials: int = 20,
        options: Mapping[str, Any] | None = None,
        threads: int | None = None,
        out: Path | str | None = None,
    ) -> "Recovery":
        """Find a gait in its archive for the creature without some limbs, in a few trials (Cully 2015).

        lose: names of bodies, with commas between them, as in `"hind_left_thigh"`. trials: at most. options: other
        damage, as options of its task. threads: as of `evo.run`. out: .npz file for the gait found, a champion of the
        damaged creature; the trials go beside it as .csv. Raises EvoError.
        """
        from evo.runs.recovery import recover

        return recover(self, lose, trials, options, threads, None if out is None else Path(out))

    def export(self, path: Path | str) -> Path:
        """Write it to one .zip for others: champion, configuration, metrics, films, a page, a card; return the path.

        The same run gives the same bytes. `champion.export` writes its policy alone. Raises EvoError.
        """
        from evo.runs.sharing import export_run

        return export_run(self, Path(path))

    def plot_network(self, path: Path | str) -> Path:
        """Draw the champion's network, .png, .svg or .pdf; return the path.

        Raises EvoError, also where it has none.
        """
        return self.plot(path, "network")

    def plot_species(self, path: Path | str) -> Path:
        """Draw the sizes of species over generations, stacked, and how complex networks became; return the path.

        path: .png, .svg or .pdf. Raises EvoError, also where the method has no species.
        """
        return self.plot(path, "species")

    def plot_ancestry(self, path: Path | str) -> Path:
        """Draw the champion's line of descent: when it gained nodes and links, in which species; return the path.

        path: .png, .svg or .pdf. Raises EvoError, also where the method has no species.
        """
        return self.plot(path, "ancestry")

    def _repr_html_(self) -> str:
        """Return what notebooks show: its champion's facts and the curve of its mean fitness."""
        try:
            champion, metrics = self.champion, self.metrics
            rows = [*champion.list_facts(), ("ended", self.ended or "not yet")]
            drawn = curve(metrics["steps"], metrics["mean"], "mean fitness", "step") if metrics else ""
        except EvoError as error:
            return box(repr(self), facts([("nothing to show", error)]))
        return box(str(self.path), facts(rows), drawn)


def latest(folder: Path = Path("runs")) -> Path:
    """Return the run in `folder` that was written last. Raises EvoError where there is none."""
    own = [path for path in runs(folder) if path.parent == folder]
    if not own:
        raise EvoError(f"{folder} holds no run; name one, or make one: evo run quadruped")
    # a writer takes the lock first; a copied run may have none
    return max(own, key=lambda path: max(each.stat().st_mtime for each in (path / "config.toml", *path.glob("lock"))))


def path_of(source: object) -> Path:
    """Return the path of a run, or a path as it is. Raises EvoError."""
    found = getattr(source, "path", source)
    if not isinstance(found, str | Path):
        raise EvoError(f"a run is its directory, or what evo.run and evo.load give; got a {type(source).__name__}")
    return Path(found)
