"""Members on hosts that are slow, die, hang, return or compute other bits: each ends once, and is at one place."""

import math
import os
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evo.cluster.trial import MachineTrial
from evo.comparison.side_by_side import Host, News, SideBySide
from evo.config.config import Config
from evo.config.resolve import resolve_config
from evo.errors import EvoError

CONFIG = resolve_config(flags={"task.name": "sphere", "task.dim": 2, "budget.generations": 1})
OURS, OTHERS = MachineTrial({"vectors": "avx512"}, "1"), MachineTrial({"vectors": "sse4"}, "2")


@dataclass(frozen=True)
class Machine:
    """A node with one host.

    speed: of members' seconds. joins, dies, hangs: times. returns: seconds until it is back.
    """

    speed: float = 1.0
    joins: float = 0.0
    dies: float = math.inf
    hangs: float = math.inf
    returns: float = math.inf
    trial: MachineTrial | str = OURS


@dataclass
class At:
    path: Path
    since: float
    had: float
    told: bool = False
    asked: bool = False  # to stop


@dataclass
class Simulated:
    """Hosts in virtual time; a member of so many seconds saves every five."""

    machines: dict[str, Machine]  # by names; a host is NAME#LIFE
    seconds: dict[Path, float]
    kill_at: float = math.inf  # when this process gets SIGINT
    fails: frozenset[Path] = frozenset()  # members whose process dies at once
    now: float = 0.0
    saved: dict[Path, float] = field(default_factory=dict)
    at: dict[str, At] = field(default_factory=dict)
    there: dict[str, str] = field(default_factory=dict)  # machine → its host
    lives: int = 0
    left: dict[str, float] = field(default_factory=dict)  # when a machine is back
    begun: list[tuple[str, Path]] = field(default_factory=list)
    came: list[tuple[str, Path]] = field(default_factory=list)
    gone: list[News] = field(default_factory=list)
    marks: list[tuple[Path, str]] = field(default_factory=list)
    ready: list[Host] = field(default_factory=list)
    opened: list[Host] = field(default_factory=list)  # that are ready when there is news

    def clock(self) -> float:
        return self.now

    def look(self, wanted: int) -> Sequence[Host]:
        for name, machine in self.machines.items():
            if name in self.there and machine.dies <= self.now:
                self.machines[name] = replace(machine, dies=math.inf)
                self.lose(name, "it died")
        for name, machine in self.machines.items():
            back = max(machine.joins, self.left.get(name, 0.0)) <= self.now
            if name not in self.there and back and len(self.there) < wanted:
                self.lives += 1
                self.there[name] = f"{name}#{self.lives}"
                self.opened.append(Host(self.there[name], f"node of {name}"))
        ready, self.ready = self.ready, []
        return [host for host in ready if host.name in self.there.values()]

    def expected(self) -> bool:
        return bool(self.opened or self.ready)

    def lose(self, name: str, why: str) -> None:
        host = self.there[name]
        self.give_up(host, for_good=False)
        self.gone.append(News(host, gone=why))

    def begin(self, host: str, path: Path, config: Config) -> None:
        assert host not in self.at
        assert all(at.path != path for at in self.at.values()), "it is elsewhere already"
        self.begun.append((host.split("#")[0], path))
        if host not in self.there.values():  # it is gone, which `news` tells next
            return
        self.at[host] = At(path, self.now, self.saved.get(path, 0.0))

    def news(self, patience: float) -> Sequence[News]:
        if self.now < self.kill_at <= self.now + patience:
            os.kill(os.getpid(), signal.SIGINT)
        self.now += patience
        self.ready, self.opened = self.ready + self.opened, []
        found, self.gone = self.gone, []
        for name, at in list(self.at.items()):
            machine = self.machines[name.split("#")[0]]
            if machine.hangs <= self.now:
                continue
            if not at.told:
                at.told = True
                found.append(News(name, trial=machine.trial))
                continue
            done = at.had + (self.now - at.since) * machine.speed
            whole = done >= self.seconds[at.path]
            mark = done if whole or at.asked else done - done % 5.0
            saved = mark > self.saved.get(at.path, 0.0)
            if at.path in self.fails or whole or at.asked:
                del self.at[name]
            if at.path in self.fails:
                found.append(News(name, lost="its process ended with signal 9"))
                continue
            if saved:
                self.saved[at.path] = mark
                self.came.append((name.split("#")[0], at.path))
            found.append(News(name, came=saved, saved=saved, over=whole or at.asked))
        return found

    def mark(self, host: str, how: str) -> None:
        assert self.saved.get(self.at[host].path, 0.0) == self.at[host].had, "something has come home already"
        self.marks.append((self.at[host].path, how))

    def stop(self, host: str) -> None:
        self.at[host].asked = True

    def give_up(self, host: str, for_good: bool) -> None:
        name = host.split("#")[0]
        self.at.pop(host, None)
        if self.there.get(name) == host:
            del self.there[name]
        if for_good or self.left.get(name) != math.inf:
            self.left[name] = math.inf if for_good else self.now + self.machines[name].returns


@dataclass
class Study:
    """What becomes of members. finished: those found finished when they are to begin."""

    hosts: Simulated
    finished: frozenset[Path] = frozenset()
    ended: dict[Path, Exception | None] = field(default_factory=dict)
    alone: list[Path] = field(default_factory=list)
    nodes: dict[Path, list[str]] = field(default_factory=dict)
    home: dict[Path, float] = field(default_factory=dict)  # what was saved when something came home

    def begin(self, path: Path, node: str) -> bool:
        self.nodes.setdefault(path, []).append(node)
        if path in self.finished:
            self.end(path)
        return path not in self.finished

    def come(self, path: Path, saved: bool) -> None:
        assert path not in self.ended
        if saved:
            self.home[path] = self.hosts.saved[path]

    def end(self, path: Path, error: Exception | None = None) -> None:
        assert path not in self.ended, "it has ended twice"
        self.ended[path] = error

    def here(self, path: Path) -> None:
        assert not self.hosts.at
        self.alone.append(path)
        self.hosts.now += self.hosts.seconds[path] - self.hosts.saved.get(path, 0.0)
        self.end(path)


def run(
    machines: Sequence[Machine], seconds: Sequence[float], mixed: bool = False, **how: Any
) -> tuple[Study, Simulated, list[str]]:
    """Finish members of so many seconds on machines; return what became of them, the hosts, and what was told."""
    paths = {Path(f"member{number}"): one for number, one in enumerate(seconds)}
    finished = frozenset(how.pop("finished", ()))
    hosts = Simulated({f"host{number}": one for number, one in enumerate(machines)}, paths, **how)
    study, told = Study(hosts, finished), list[str]()
    runs: Mapping[Path, Config] = dict.fromkeys(paths, CONFIG)
    SideBySide(hosts, 1, told.append, mixed, lambda config: OURS).finish(runs, study)
    assert study.ended.keys() == paths.keys()
    return study, hosts, told


TIMES = st.floats(0, 150)
MACHINES = st.builds(
    Machine,
    speed=st.floats(0.2, 5),
    joins=st.just(0.0) | TIMES,
    dies=st.just(math.inf) | TIMES,
    hangs=st.just(math.inf) | TIMES,
    returns=st.just(math.inf) | st.floats(0, 60),
    trial=st.sampled_from([OURS, OURS, OURS, OTHERS, "it has no memory"]),
)


@given(st.lists(MACHINES, max_size=4), st.lists(st.floats(0, 60), min_size=1, max_size=6), st.booleans())
def test_whatever_hosts_do_each_member_ends_once(
    machines: Sequence[Machine], seconds: Sequence[float], mixed: bool
) -> None:
    study, hosts, told = run(machines, seconds, mixed)
    for path, error in study.ended.items():
        if error is not None:  # only one that was lost again and again
            assert "times without progress" in str(error)
            assert sum(one == path for _, one in hosts.begun) >= 3
    for name, machine in hosts.machines.items():  # nothing came home from one that is refused
        if machine.trial != OURS and not (mixed and machine.trial == OTHERS):
            assert all(host != name for host, _ in hosts.came)
    assert bool(study.alone) <= any("alone" in line for line in told)


def test_members_go_side_by_side() -> None:
    study, hosts, told = run([Machine(), Machine(), Machine()], [30.0] * 6)
    assert hosts.now < 70
    assert not told and not study.alone
    assert {host for host, _ in hosts.begun} == {"host0", "host1", "host2"}


def test_a_lost_member_goes_on_elsewhere_from_what_came_home() -> None:
    study, hosts, told = run([Machine(dies=22.0), Machine(joins=10.0)], [30.0])
    assert hosts.begun == [("host0", Path("member0")), ("host1", Path("member0"))]
    assert hosts.now < 35  # twenty seconds had come home
    assert told == ["node node of host0 is lost: it died"]
    assert study.ended == {Path("member0"): None}


def test_a_host_that_hangs_is_given_up_in_bounded_time() -> None:
    study, hosts, told = run([Machine(hangs=7.0), Machine(joins=8.0)], [30.0])
    assert told == ["node node of host0 is lost: it does not answer"]
    assert hosts.now < 7 + 60 + 30
    assert [host for host, _ in hosts.begun] == ["host0", "host1"]
    assert not study.alone


def test_a_host_that_hangs_before_it_begins_is_given_up_later() -> None:
    _, hosts, told = run([Machine(hangs=0.0), Machine(joins=1.0)], [30.0])  # it may be compiling
    assert told == ["node node of host0 is lost: it does not answer"]
    assert 600 < hosts.now < 700


def test_a_member_that_is_lost_three_times_has_failed() -> None:
    study, hosts, _ = run([Machine()], [30.0, 30.0], fails=frozenset({Path("member0")}))
    error = study.ended[Path("member0")]
    assert isinstance(error, EvoError)
    assert str(error) == "it was lost 3 times without progress, the last time: its process ended with signal 9"
    assert study.ended[Path("member1")] is None
    assert [host for host, _ in hosts.begun] == ["host0"] * 4


def test_a_member_that_is_lost_everywhere_has_failed_and_nodes_stay() -> None:
    study, hosts, told = run([Machine()] * 2, [300.0, 600.0, 30.0], fails=frozenset({Path("member2")}))
    error = study.ended[Path("member2")]
    assert isinstance(error, EvoError) and "it was lost 4 times without progress" in str(error)
    assert [host for host, _ in hosts.begun[2:]] == ["host0"] * 3 + ["host1"]
    assert study.ended[Path("member0")] is study.ended[Path("member1")] is None and not told


class BadMachine(Simulated):
    """Members that begin on host0 are lost at once."""

    def news(self, patience: float) -> Sequence[News]:
        found = [News(name, lost="its process ended with signal 9") for name in self.at if name.startswith("host0")]
        for news in found:
            del self.at[news.host]
        return [*found, *super().news(patience)]


def test_a_member_that_is_lost_on_a_bad_node_goes_on_on_another() -> None:
    paths = {Path("member0"): 30.0, Path("member1"): 60.0, Path("member2"): 30.0}
    hosts = BadMachine({"host0": Machine(), "host1": Machine()}, paths)
    study = Study(hosts)
    SideBySide(hosts, 1, print, False, lambda config: OURS).finish(dict.fromkeys(paths, CONFIG), study)
    assert study.ended == dict.fromkeys(paths)
    assert {path for host, path in hosts.came if host == "host1"} == set(paths)


def test_a_node_that_is_lost_three_times_gets_no_more() -> None:
    class Failing(Simulated):
        def look(self, wanted: int) -> Sequence[Host]:
            if self.there.get("host0") in self.at:
                self.lose("host0", "no memory")
            return super().look(wanted)

    paths = {Path("member0"): 30.0, Path("member1"): 30.0}
    hosts = Failing({"host0": Machine(returns=1.0), "host1": Machine()}, paths)
    study, told = Study(hosts), list[str]()
    SideBySide(hosts, 1, told.append, False, lambda config: OURS).finish(dict.fromkeys(paths, CONFIG), study)
    assert [host for host, _ in hosts.begun].count("host0") == 3
    assert "node node of host0 was lost 3 times, and nothing came home: it gets no more members" in told


@pytest.mark.parametrize("mixed", [False, True])
def test_a_node_with_other_bits_is_refused_or_mixed(mixed: bool) -> None:
    study, hosts, told = run([Machine(trial=OTHERS), Machine(joins=5.0)], [30.0, 30.0], mixed)
    assert len(told) == 1
    assert "computes other bits: vectors sse4 instead of avx512" in told[0]
    assert ("is refused" in told[0]) == (not mixed)
    assert [host for host, _ in hosts.begun].count("host0") == 1
    assert set(study.nodes) == {Path("member0"), Path("member1")}
    assert hosts.now > 60 or mixed
    mark = "nodes that compute other bits: vectors sse4 instead of avx512"
    assert hosts.marks == ([(hosts.begun[0][1], mark)] if mixed else [])


def test_without_nodes_the_study_goes_on_alone_and_on_nodes_as_soon_as_there_are_any() -> None:
    study, hosts, told = run([Machine(joins=100.0)], [60.0, 60.0, 60.0])
    assert study.alone == [Path("member0")]
    assert hosts.begun == [("host0", Path("member1")), ("host0", Path("member2"))]
    assert told == [
        "no node is ready (none is there, or its processors are in use): the study goes on alone in this process, one "
        "run after another, and on nodes as soon as one is ready"
    ]


def test_what_is_finished_is_not_begun() -> None:
    study, hosts, _ = run([Machine()], [30.0, 30.0], finished=[Path("member0")])
    assert hosts.begun == [("host0", Path("member1"))]
    assert study.ended == {Path("member0"): None, Path("member1"): None}


def test_a_signal_saves_all_members_before_it_ends_the_study() -> None:
    paths = {Path("member0"): 100.0, Path("member1"): 100.0, Path("member2"): 100.0}
    hosts = Simulated({"host0": Machine(), "host1": Machine(hangs=20.0)}, paths, kill_at=33.0)
    study = Study(hosts)
    with pytest.raises(KeyboardInterrupt):
        SideBySide(hosts, 1, print, False, lambda config: OURS).finish(dict.fromkeys(paths, CONFIG), study)
    assert 32 < hosts.saved[Path("member0")] < 36
    assert study.home == hosts.saved  # of all that came home note is taken
    assert hosts.saved[Path("member1")] == 15.0  # it hangs, and nobody waits for it longer than this:
    assert hosts.now < 33 + 21
    assert Path("member2") not in hosts.saved
    assert not study.ended


def test_what_comes_between_making_it_and_its_members_is_no_waiting() -> None:
    paths = {Path("member0"): 30.0, Path("member1"): 30.0}
    hosts = Simulated({"host0": Machine()}, paths)
    study, told = Study(hosts), list[str]()
    made = SideBySide(hosts, 1, told.append, False, lambda config: OURS)
    hosts.now += 1000.0
    made.finish(dict.fromkeys(paths, CONFIG), study)
    assert not told and not study.alone


OTHER = CONFIG.changed({"task.dim": 3})


def test_while_this_process_compiles_no_host_is_given_up() -> None:
    paths = {Path("member0"): 150.0, Path("member1"): 30.0}
    hosts = Simulated({"host0": Machine(), "host1": Machine(joins=20.0)}, paths)
    study, told = Study(hosts), list[str]()

    def expect(config: Config) -> MachineTrial:
        hosts.now += 90.0 * (config is OTHER)
        return OURS

    SideBySide(hosts, 1, told.append, False, expect).finish(dict(zip(paths, (CONFIG, OTHER), strict=True)), study)
    assert not told
    assert hosts.begun == [("host0", Path("member0")), ("host1", Path("member1"))]


def test_a_member_whose_trial_fails_here_too_has_failed_and_its_node_stays() -> None:
    paths = {Path("member0"): 30.0, Path("member1"): 30.0}
    hosts = Simulated({"host0": Machine(returns=2.0)}, paths)
    study, told, error = Study(hosts), list[str](), EvoError("the task fails")

    def expect(config: Config) -> MachineTrial:
        if config is OTHER:
            raise error
        return OURS

    SideBySide(hosts, 1, told.append, False, expect).finish(dict(zip(paths, (OTHER, CONFIG), strict=True)), study)
    assert study.ended == {Path("member0"): error, Path("member1"): None}
    assert not told and not study.alone
    assert hosts.begun == [("host0", Path("member0")), ("host0", Path("member1"))]


def test_a_node_that_is_never_ready_is_told_of_and_gets_no_more() -> None:
    class Bare(Simulated):
        tries = 0

        def look(self, wanted: int) -> Sequence[Host]:
            if self.left.get("host0") != math.inf:
                self.tries += 1
                self.gone.append(News(f"host0#{self.tries}", gone="it has no evo", node="node of host0"))
                self.left["host0"] = self.now
            self.there["host0"] = ""
            return super().look(wanted)

    paths = {Path("member0"): 30.0, Path("member1"): 30.0}
    hosts = Bare({"host0": Machine(), "host1": Machine(joins=1.0)}, paths)
    study, told = Study(hosts), list[str]()
    SideBySide(hosts, 1, told.append, False, lambda config: OURS).finish(dict.fromkeys(paths, CONFIG), study)
    assert told[:3] == ["node node of host0 is lost: it has no evo"] * 3
    assert told[3:] == ["node node of host0 was lost 3 times, and nothing came home: it gets no more members"]
    assert hosts.tries == 3 and study.ended == dict.fromkeys(paths) and not study.alone
