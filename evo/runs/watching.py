"""A run followed while it trains: its page, and the news that the page asks for (see `page_server`)."""

import hashlib
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from evo.envs.task import Task
from evo.errors import EvoError, one_line, printable
from evo.learners.learner import Candidate, check_candidate
from evo.numerics.randomness import report_seeds
from evo.runs.champion import Champion
from evo.runs.page_server import Answer, serve
from evo.runs.pictures.network import NetworkWatch
from evo.runs.record import Record
from evo.runs.signals import advising
from evo.runs.viewing import check_size, check_view, curve_of, world_of
from evo.storage.housekeeping import is_held
from evo.storage.paths import command
from evo.storage.run_directory import RunDirectory
from evo.visualize.page import (
    curve_to_json,
    describe_scene,
    drawn_geoms,
    lane_of,
    live_document,
    record_episode,
    to_json,
)

_PAUSE = 1.0  # seconds from one look at the files to the next, at least
_REST = 4  # times as long as a look took: one that records episodes leaves the processors to the run
_LONGEST = 8.0  # seconds of that rest, at most
_CHAMPION = "champion"


class Follower:
    """What the page of a run shows; `look` reads the run's files again and publishes what is new.

    publish: takes path → Answer. seconds: of an episode at most. fossils: at most. seed: of every episode. Episodes are
    recorded once and kept under keys that name what acts and when its file was written.
    """

    def __init__(
        self,
        path: Path,
        publish: Callable[[dict[str, Answer]], None],
        seconds: float = 10.0,
        fossils: int = 10,
        seed: int | None = None,
        trust: bool = False,
    ) -> None:
        check_view(seconds, seed, fossils)
        self._path, self._publish, self._trust = path, publish, trust
        self._seconds, self._fossils = seconds, fossils
        self._seed = int(report_seeds(1)[0]) if seed is None else seed
        self._config_text, self._world_text = "", ""
        self._run = Record(path, trust)
        self._page = Answer("text/html", live_document(printable(path.resolve().name)).encode())
        self._forget()
        self._send({"state": "opening", "said": "The run is being read."}, [])

    def _forget(self) -> None:
        self._base: Champion | None = None  # the first champion seen: its compiled task serves for all others
        self._watch: NetworkWatch | None = None
        self._scene = ""
        self._parts: dict[str, bytes] = {}
        self._lanes: dict[str, float] = {}
        self._generations: dict[str, int] = {}
        self._failed: dict[str, str] = {}
        self._plain = ""

    def look(self) -> None:
        """Read the run's files and publish the news, first what is there already, then episode by episode."""
        if not (self._path / "config.toml").is_file():
            self._send({"state": "gone", "said": "The run is no longer there: it was removed or renamed."}, [])
            return
        try:
            text = RunDirectory.open(self._path).config_text
            if text != self._config_text:
                self._run = Record(self._path, self._trust)
                config = self._run.config
                world = repr((config.task.name, dict(config.task.given), config.network))
                if world != self._world_text:  # not resumed with another budget, but another run of this name
                    self._forget()
                self._config_text, self._world_text = text, world
            news = self._news()
            wanted = [] if self._plain else self._wanted()
            self._send(news, wanted, complete=False)
            for key, label, generation, read in sorted(wanted, key=lambda each: each[1] != _CHAMPION):
                if label == _CHAMPION or self._base is not None:  # fossils are read by what a champion says
                    self._record(key, label, generation, read)
                    news = self._news()  # the run goes on meanwhile
                    self._send(news, wanted, complete=False)
            self._send(news, wanted)
        except EvoError as error:
            self._send({"state": "trouble", "said": str(error)}, [])

    def _news(self) -> dict[str, Any]:
        run, curve = self._run, curve_of(self._run)
        state, said = self._state()
        if curve is not None:
            generation, steps, best = curve.generation[-1], curve.steps[-1], curve.best.max()
            said = f"Generation {generation:,.0f}, {steps:,.0f} {curve.unit}s, best {best:,.6g}. {said}"
        if not self._plain and not run.config.task.kind.acts:
            self._plain = f"{run.config.task.name} has no world to be shown: here is its curve."
        return {
            "state": state,
            "said": printable(said),
            "curve": None if curve is None else curve_to_json(curve),
            "plain": printable(self._plain),
            "waiting": self._waiting(),
        }

    def _waiting(self) -> str:
        """Return why no champion is shown yet."""
        path = self._run.directory.champion_path
        reason = self._failed.get(self._key(path, -1))
        return (
            printable(f"Its champion cannot be shown: {reason}") if reason else "Waiting for the run's first champion."
        )

    def _state(self) -> tuple[str, str]:
        ended = self._run.ended
        if ended is not None:
            return "ended", f"The run has ended: {ended}."
        if is_held(self._path):
            return "learning", "It is training."
        again = command("resume", self._path, config=self._config_text)
        return "stopped", f"It has stopped before its end; `{again}` goes on with it."

    def _wanted(self) -> list[tuple[str, str, int, Callable[[], Champion | Candidate]]]:
        """Return key, label, generation and how to read it of what is to be shown, the champion last."""
        if not self._run.directory.champion_path.exists():
            return []
        found: list[tuple[str, str, int, Callable[[], Champion | Candidate]]] = []
        for one in choose_steadily(self._run.directory.fossils(), self._fossils):
            key = self._key(self._path / "fossils" / f"{one:015d}.npz", one)
            if key not in self._failed:
                found.append((key, f"generation {one:,}", one, lambda one=one: self._fossil(one)))  # type: ignore[misc]
        key = self._key(self._run.directory.champion_path, -1)
        return [*found, (key, _CHAMPION, -1, self._champion)]

    def _key(self, path: Path, generation: int) -> str:
        try:
            status = os.stat(path)
        except OSError:  # a resumed run removes what it makes again
            return ""
        said = (generation, status.st_mtime_ns, status.st_size, self._seed, self._seconds)
        return hashlib.sha256(repr(said).encode()).hexdigest()[:24]

    def _champion(self) -> Champion:
        return Record(self._path, self._trust, self._run.config).champion

    def _fossil(self, generation: int) -> Candidate:
        assert self._base is not None
        return self._base.fossil(self._run.directory.read_fossil(generation))

    def _record(self, key: str, label: str, generation: int, read: Callable[[], Champion | Candidate]) -> None:
        """Record an episode under its key, once; one that cannot be recorded is left out from then on."""
        if key in self._parts or key in self._failed:
            return
        try:
            found = read()
            if isinstance(found, Champion):
                self._base = self._base or found
                check_candidate(found.candidate, self._base.candidate, self._base.problem)
                label, generation = f"champion, of generation {found.generation:,}", found.generation
                found = found.candidate
            assert self._base is not None
            task = self._world(self._base)
            trajectory = self._base.rollout_of(found, self._seed)
            geoms = drawn_geoms(task.model)
            episode = record_episode(task, geoms, trajectory, label, generation, self._seconds)
            self._watch = self._watch or NetworkWatch(self._base)
            episode = replace(episode, activity=self._watch.record(found, trajectory, len(episode.poses) - 1))
        except (EvoError, ValueError) as error:
            self._failed[key] = one_line(error)
            return
        self._lanes[key], self._generations[key] = lane_of(episode), generation
        self._parts[key] = to_json(episode.to_json()).encode()

    def _world(self, champion: Champion) -> Task:
        """Return the world that is shown, and describe it. Where it cannot be shown the page has the curve alone."""
        try:
            task = world_of(champion)
            check_size([task], self._fossils + 1, self._seconds)
        except EvoError as error:
            self._plain = str(error)
            raise
        if not self._scene:
            scene = to_json(describe_scene(task.model, task.control_period)).encode()
            self._scene = hashlib.sha256(scene).hexdigest()[:24]
            self._parts[self._scene] = scene
        return task

    def _send(
        self, news: dict[str, Any], wanted: Sequence[tuple[str, str, int, object]], complete: bool = True
    ) -> None:
        """Publish the news with those of the wanted episodes that are recorded; forget episodes wanted no longer.

        complete: whether all are recorded that can be; until then a page keeps those that it has.
        """
        shown = [key for key, *_ in wanted if key in self._parts]
        if news["state"] != "ended":  # the newest comes last, the champion or not: at the end, the champion
            shown.sort(key=lambda key: self._generations[key])
        if wanted:
            kept = {self._scene, *shown}
            self._parts = {key: part for key, part in self._parts.items() if key in kept}
        about = {
            "name": printable(self._path.resolve().name),
            "scene": self._scene if shown else None,
            "lane": max((self._lanes[key] for key in shown), default=1.0),
            "episodes": shown,
            "complete": complete or all(key in self._parts or key in self._failed for key, *_ in wanted),
        }
        parts = {f"part/{key}": Answer("application/json", part) for key, part in self._parts.items()}
        said = Answer(
            "application/json", to_json({"curve": None, "plain": "", "waiting": "", **about, **news}).encode()
        )
        self._publish({"": self._page, "news": said, **parts})


def choose_steadily(generations: Sequence[int], count: int) -> list[int]:
    """Return at most `count` of the generations, ascending: the first, the newest, and multiples of a power of two.

    Where another generation comes, few of the chosen change, so that little is recorded anew.
    """
    if count <= 0 or not generations:
        return []
    stride, kept = 1, list(generations)
    # generation 0 is a multiple of every stride
    while len(chosen := {generations[0], *kept, generations[-1]}) > count and stride <= generations[-1]:
        stride *= 2
        kept = [one for one in generations if one % stride == 0]
    return sorted(chosen)[-count:]


def watch(
    path: Path,
    started: Callable[[str, bool], None],
    port: int | None = None,
    seconds: float = 10.0,
    fossils: int = 10,
    seed: int | None = None,
    trust: bool = False,
) -> None:
    """Serve the page of a run, and follow the run as long as somebody looks; a signal ends it.

    started: called with the address, and whether it is the same when the server is started again. Raises EvoError.
    """
    server, kept = serve(path, port)
    with server, advising(f"{command('watch', path)} goes on"):

        def publish(answers: dict[str, Answer]) -> None:
            server.answers = answers

        follower = Follower(path, publish, seconds, fossils, seed, trust)
        server.start()
        started(server.address, kept)
        while True:
            began = time.monotonic()
            follower.look()
            server.asked.clear()
            time.sleep(min(max(_PAUSE, _REST * (time.monotonic() - began)), _LONGEST))
            server.asked.wait()
