"""Who is lost again and again, and who rests after a loss: the same rules for slices and for whole members."""

import math

TRIES = 3  # times that one may be lost without having achieved anything
_REST = 2.0  # seconds that a node rests after something on it was lost


class Losses:
    """How often each was lost since it achieved something, and how long it rests; times are on the caller's clock."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}

    def lose(self, name: str) -> bool:
        """Count a loss; return whether it is the one after which there is no other try."""
        self._counts[name] = self._counts.get(name, 0) + 1
        return self._counts[name] == TRIES

    def forgive(self, name: str) -> None:
        """Forget the losses of one that achieved something."""
        self._counts.pop(name, None)

    def is_over(self, name: str) -> bool:
        """Return whether one has had all its tries."""
        return self._counts.get(name, 0) >= TRIES


class Rests:
    """Which nodes rest, for a while or for good; times are on the caller's clock."""

    def __init__(self) -> None:
        self._until: dict[str, float] = {}

    def rest(self, node: str, now: float, for_good: bool) -> None:
        """Let a node rest; one that rests for good goes on resting."""
        self._until[node] = max(math.inf if for_good else now + _REST, self._until.get(node, 0.0))

    def rests(self, node: str, now: float) -> bool:
        return self._until.get(node, 0.0) > now

    def clear(self) -> None:
        """Let all go on."""
        self._until.clear()
