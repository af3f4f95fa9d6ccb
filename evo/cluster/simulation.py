"""Simulated nodes: a transport in virtual time, to see what a driver does with many nodes, and where it saturates."""

import heapq
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from typing import NamedTuple

import numpy as np

from evo.cluster.dispatch import Order
from evo.cluster.nodes import Answer, Lost, Ready, Trial

_BATCH = 0.01  # seconds in which answers come together


@dataclass(frozen=True)
class Machine:
    """How a simulated node behaves.

    seconds: that a slice takes there. spread: standard deviation of the logarithm of how much longer a message takes.
    latency: seconds of each way. joins, dies, hangs: times in seconds. returns: seconds after which a node that died or
    was given up is back.
    """

    seconds: float = 1.0
    spread: float = 0.0
    latency: float = 0.001
    joins: float = 0.0
    dies: float = math.inf
    hangs: float = math.inf
    returns: float = math.inf


class _Event(NamedTuple):
    time: float
    number: int
    kind: str
    node: str
    life: int
    ticket: int
    message: bytes
    shared: Sequence[bytes]


class SimulatedNodes:
    """Nodes by name, whose messages `answer` answers at once, while the clock says how long it took them."""

    def __init__(self, machines: dict[str, Machine], answer: Answer, random: np.random.Generator) -> None:
        self.machines, self.sent = machines, 0
        self._answer, self._random = answer, random
        self._now, self._numbers = 0.0, count()
        self._events: list[_Event] = []
        self._lives = dict.fromkeys(machines, 0)
        self._busy = dict.fromkeys(machines, 0.0)
        self._joined: list[str] = []
        self._up = set[str]()
        self._gone: list[Lost] = []
        for name, machine in machines.items():
            self._add(machine.joins, "joins", name)
            self._add(machine.dies, "dies", name)

    def _add(
        self, time: float, kind: str, node: str, ticket: int = -1, message: bytes = b"", shared: Sequence[bytes] = ()
    ) -> None:
        if time < math.inf:
            life = self._lives[node]
            heapq.heappush(self._events, _Event(time, next(self._numbers), kind, node, life, ticket, message, shared))

    def clock(self) -> float:
        return self._now

    def spend(self, seconds: float) -> None:
        """Let time pass in which the driver does something else."""
        self._now += seconds

    def changes(self, trial: Trial) -> tuple[Sequence[Ready], Sequence[Lost]]:
        while self._events and self._events[0].time <= self._now and self._events[0].kind != "answers":
            self._change(heapq.heappop(self._events))
        joined, gone = self._joined, self._gone
        self._joined, self._gone = [], []
        answer = self._answer(*trial) if joined else b""
        return [Ready(name, 1, {}, trial, answer) for name in joined], gone

    def unready(self) -> Sequence[str]:
        return [name for name in self._joined if name in self._up]

    def _change(self, event: _Event) -> None:
        if event.kind == "joins":
            self._busy[event.node] = self._now
            self._joined.append(event.node)
            self._up.add(event.node)
        elif event.life == self._lives[event.node]:
            self._gone.append(Lost(event.node, "it died"))
            self.give_up(event.node, for_good=False)

    def send(self, order: Order, message: bytes, shared: Sequence[bytes]) -> None:
        self.sent += 1
        machine = self.machines[order.node]
        taken = machine.seconds * order.load * math.exp(machine.spread * self._random.standard_normal())
        begins = max(self._now + machine.latency, self._busy[order.node])
        if begins < machine.hangs:
            self._busy[order.node] = begins + taken
            self._add(begins + taken + machine.latency, "answers", order.node, order.ticket, message, shared)

    def receive(self, patience: float) -> Sequence[tuple[int, bytes]]:
        until, found = self._now + patience, list[tuple[int, bytes]]()
        while self._events and self._events[0].time <= until:
            event = heapq.heappop(self._events)
            self._now = max(self._now, event.time)
            if event.kind != "answers":
                self._change(event)
                break
            if event.life == self._lives[event.node]:  # not of a life before
                found.append((event.ticket, self._answer(event.message, event.shared)))
                until = min(until, self._now + _BATCH)
        else:
            if not found:
                self._now = until
        return found

    def give_up(self, node: str, for_good: bool) -> None:
        self._lives[node] += 1
        self._up.discard(node)
        if not for_good:
            self._add(self._now + self.machines[node].returns, "joins", node)

    def restart(self) -> None:
        self._joined.clear()
        self._gone.clear()
        for name in sorted(self._up):
            self._lives[name] += 1
            self._add(self._now, "joins", name)
        self._up.clear()

    def close(self) -> None:
        self._events.clear()
