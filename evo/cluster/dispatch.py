"""Who evaluates which slices, and when a slice is tried again: decisions alone, without a clock or a network.

A piece of work is so many slices at consecutive places. Nodes get them in messages of several, by guided
self-scheduling (Polychronopoulos & Kuck 1987, "Guided Self-Scheduling: A Practical Scheduling Scheme for Parallel
Supercomputers"): a node's share of half of what waits, as fast nodes answer more. What a message may take follows from
how long slices took so far; one that takes longer is sent to another node too, and the first answer counts. No result
depends on any of it.
"""

import heapq
import math
from collections.abc import Callable, Container
from dataclasses import dataclass, field
from itertools import chain
from typing import NamedTuple

_LONGEST = 1.0  # seconds that a message should take, so that what is lost with a node is little
_SHARE = 0.5  # of what waits that is given out at a time
_LATE = 4.0  # times what was expected, and
_SPARE = 5.0  # seconds besides: then a message is late
_FIRST = 600.0  # seconds that a message may take as long as nothing is known of any node
_MEMORY = 0.25  # weight of a node's newest message in its seconds a slice

Fitting = Callable[[range], range]


class Order(NamedTuple):
    """A message of `load` slices, sent to `node` at time `sent`; it is late after `until`.

    places: of the slices in this work; empty where its answer does not count, as it is of another.
    """

    ticket: int
    node: str
    places: range
    load: int
    sent: float
    until: float


@dataclass
class Node:
    """What is known of a node.

    cores: its processors. seconds: that a slice takes there; None before its first answer. orders: those it has, oldest
    first. late: whether it owes an answer for too long: it gets no more until it owes none such. since: when it began
    with the oldest of its orders, or had none. joined: when it did. slices, steps: that it answered, and their env
    steps. waited: the seconds in which it had none.
    """

    name: str
    cores: int
    joined: float
    since: float
    seconds: float | None = None
    orders: dict[int, Order] = field(default_factory=dict)
    late: bool = False
    slices: int = 0
    steps: int = 0
    waited: float = 0.0


class _Waiting(NamedTuple):
    """Places that nobody works on. whole: sent before, to a node that may still answer: they stay one message."""

    places: range
    whole: bool


class Dispatch:
    """The nodes there are, and the slices that wait, are in work or are done; times are seconds on the caller's clock.

    Call `begin` with a piece of work, send each order of `next_order`, and tell what happens by `join`, `leave`,
    `answered` and `find_late`. Nodes and what is known of them last from work to work.
    """

    def __init__(self) -> None:
        self.nodes: dict[str, Node] = {}
        self.again = 0  # messages that were sent to another node too, or instead
        self.flying = 0  # slices that nodes have, twice those that two have
        self._free: tuple[dict[str, None], dict[str, None]] = (
            {},
            {},
        )  # nodes without an order, and those that take another
        self._speed, self._cores = 0.0, 0  # slices a second, and cores, of the nodes whose seconds are known
        self._unknown = 0  # cores of the others
        self._orders: dict[int, Order] = {}
        self._limits: list[tuple[float, int]] = []  # heap of the times at which orders are late
        self._tickets = 0
        self._waiting: list[_Waiting] = []
        self._missing: set[int] = set()
        self._fitting: Fitting = lambda places: places

    @property
    def finished(self) -> bool:
        """Whether each slice has an answer."""
        return not self._missing

    def join(self, name: str, cores: int, now: float) -> None:
        """Take in a node, which must be ready to evaluate."""
        self.nodes[name] = Node(name, cores, joined=now, since=now)
        self._unknown += cores
        self._place(self.nodes[name])

    def leave(self, name: str) -> None:
        """Drop a node; what it had waits for others."""
        node = self.nodes.pop(name)
        self._count(node, -1)
        for free in self._free:
            free.pop(name, None)
        for order in node.orders.values():
            del self._orders[order.ticket]
            self.flying -= len(order.places)
        for order in node.orders.values():
            copies = [one for one in self._orders.values() if one.places == order.places]
            if all(one.until == math.inf for one in copies):  # none, or late ones
                self._return(order.places, whole=bool(copies))

    def begin(self, count: int, fitting: Fitting) -> None:
        """Begin a piece of work of `count` slices; `fitting` returns the first of some that can be one message."""
        self._missing, self._fitting = set(range(count)), fitting
        self._waiting = [_Waiting(range(count), whole=False)] if count else []
        for order in list(self._orders.values()):  # of the work before: nobody waits for it, but its node is busy
            self._keep(order._replace(places=range(0)))
        self.flying = 0

    def next_order(self, now: float) -> Order | None:
        """Return what to send next; None where every node has enough or nothing waits."""
        waiting = self._first()
        if waiting is None:
            return None
        for name in chain(*self._free):
            node = self.nodes[name]
            if not waiting.whole or all(order.places != waiting.places for order in node.orders.values()):
                places = self._take(self._wanted(node))
                return self._make(node, places, len(places), now)
        return None

    def extra_order(self, load: int, others: Container[str], now: float) -> Order | None:
        """Return an order of slices whose answer does not count, for a node that has room and is none of `others`."""
        name = next((name for name in chain(*self._free) if name not in others), None)
        return None if name is None else self._make(self.nodes[name], range(0), load, now)

    def _first(self) -> _Waiting | None:
        """Return the first that waits for an answer."""
        while self._waiting and self._missing.isdisjoint(self._waiting[0].places):
            self._waiting.pop(0)
        return self._waiting[0] if self._waiting else None

    def _take(self, wanted: int) -> range:
        """Return the first waiting places, as many as are wanted and can be one message; they no longer wait."""
        places, whole = self._waiting.pop(0)
        if whole:
            return places
        taken = self._fitting(places[:wanted])
        if taken.stop < places.stop:
            self._waiting.insert(0, _Waiting(range(taken.stop, places.stop), whole=False))
        return taken

    def _wanted(self, node: Node) -> int:
        """Return how many slices a node shall have; of one that is not known, a slice for each core."""
        a_core = self._speed / self._cores if self._cores else 1.0
        speed = 1 / node.seconds if node.seconds else node.cores * a_core
        share = speed / (self._speed + self._unknown * a_core)
        most = _LONGEST / node.seconds if node.seconds else node.cores
        return max(1, int(min(_SHARE * share * (len(self._missing) - self.flying), most)))

    def _make(self, node: Node, places: range, load: int, now: float) -> Order:
        if not node.orders:
            node.waited += now - node.since
            node.since = now
        slices = load + sum(order.load for order in node.orders.values())
        order = Order(self._tickets, node.name, places, load, now, self._limit(node, slices, now))
        self._tickets += 1
        heapq.heappush(self._limits, (order.until, order.ticket))
        self.flying += len(places)
        self._keep(order)
        self._place(node)
        return order

    def _limit(self, node: Node, slices: int, now: float) -> float:
        """Return when so many slices are late; a node that is not known may take as long as the others, by cores."""
        if node.seconds is None and not self._cores:
            return now + _FIRST
        return now + _SPARE + _LATE * slices * (node.seconds or self._cores / self._speed / node.cores)

    def _limit_first(self, now: float) -> None:
        """Once anything is known, limit the messages that were sent before."""
        for order in list(self._orders.values()):
            if self.nodes[order.node].seconds is None and order.until < math.inf:
                until = min(order.until, self._limit(self.nodes[order.node], order.load, now))
                heapq.heappush(self._limits, (until, order.ticket))
                self._keep(order._replace(until=until))

    def _keep(self, order: Order) -> None:
        self._orders[order.ticket] = self.nodes[order.node].orders[order.ticket] = order

    def _place(self, node: Node) -> None:
        """Put a node among those that are free as it is now."""
        for count, free in enumerate(self._free):
            free.pop(node.name, None)
            if len(node.orders) == count and not node.late and (count == 0 or node.seconds is not None):
                free[node.name] = None

    def _count(self, node: Node, sign: int) -> None:
        """Add a node to the speed of all, or take it away."""
        if node.seconds is None:
            self._unknown += sign * node.cores
        else:
            self._speed += sign / node.seconds
            self._cores += sign * node.cores

    def answered(self, ticket: int, now: float) -> Order | None:
        """Take an answer; return its order, or None where nobody waits for it."""
        order = self._orders.pop(ticket, None)
        if order is None:
            return None
        self.flying -= len(order.places)
        node = self.nodes[order.node]
        del node.orders[ticket]
        node.late = any(one.until == math.inf for one in node.orders.values())
        self._count(node, -1)
        taken = max(1e-6, now - max(order.sent, node.since)) / order.load
        node.seconds = taken if node.seconds is None else (1 - _MEMORY) * node.seconds + _MEMORY * taken
        node.slices += order.load
        first = not self._cores
        self._count(node, 1)
        if first:
            self._limit_first(now)
        node.since = now
        self._place(node)
        counts = bool(order.places) and self._missing.issuperset(order.places)
        self._missing.difference_update(order.places)
        return order if counts else None

    def find_late(self, now: float) -> list[Order]:
        """Return the orders that are late, and let others try too; each is found once."""
        found = []
        while self._limits and self._limits[0][0] <= now:
            order = self._orders.get(heapq.heappop(self._limits)[1])
            if order is not None and order.until <= now:
                node = self.nodes[order.node]
                node.late = True
                self._place(node)
                self._keep(order._replace(until=math.inf))
                self._return(order.places, whole=True)
                found.append(order)
        return found

    def patience(self, now: float) -> float:
        """Return the seconds until an order may be late."""
        return max(0.0, self._limits[0][0] - now) if self._limits else math.inf

    def take_alone(self) -> range | None:
        """Return slices to be evaluated without a node where there is none; they count as done."""
        if self.nodes or self._first() is None:
            return None
        places = self._take(1)
        self._missing.difference_update(places)
        return places

    def _return(self, places: range, whole: bool) -> None:
        """Let places wait again that have no answer; whole: as they are, as another node may answer them."""
        if not self._missing.isdisjoint(places) and _Waiting(places, True) not in self._waiting:
            self._waiting.insert(0, _Waiting(places, whole))
            self.again += 1
