"""Replay buffer: the latest transitions of a learner, from which its minibatches are drawn.

Lin 1992, "Self-improving reactive agents based on reinforcement learning, planning and teaching". The transitions lie
in memory, which the system hands out as the buffer fills; a checkpoint holds those that are there.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple, final

import numpy as np

from evo.envs.engine.compile import njit
from evo.envs.engine.random import mixed
from evo.errors import EvoError
from evo.numerics.randomness import generator
from evo.storage.memory import check_bytes, size_text
from evo.storage.run_directory import CHECKPOINT_BYTES

_COPIES = 2  # the buffer, and a checkpoint of it that is being written


class Columns(NamedTuple):
    """Where the parts of a transition begin in its row: observation, action, reward, continues, following observation.

    continues: 0 where the task ended the episode, so that nothing is to be had after it, else 1. width: of a row.
    """

    action: int
    reward: int
    continues: int
    following: int
    width: int

    @classmethod
    def of(cls, observation_size: int, action_size: int) -> "Columns":
        reward = observation_size + action_size
        return cls(observation_size, reward, reward + 1, reward + 2, reward + 2 + observation_size)


class Overwritten(NamedTuple):
    """What an `append` replaced: rows (count, width), and where the ring's end and the number of rows were."""

    rows: np.ndarray
    end: int
    size: int


@final
class ReplayBuffer:
    """A ring of the latest `capacity` transitions, each a row of `width` float32 numbers.

    rows: float32 (capacity, width), of which the first `size` are filled. seed: minibatches depend on it.
    Raises EvoError where it would not fit into memory, or into a checkpoint.
    """

    def __init__(self, capacity: int, width: int, seed: int) -> None:
        what, needed = f"a replay buffer of {capacity:,} steps", 4.0 * capacity * width
        check_bytes(what, _COPIES * needed, "take a smaller method.capacity")
        if needed > CHECKPOINT_BYTES:
            most = f"a checkpoint holds at most {size_text(CHECKPOINT_BYTES)}"
            raise EvoError(f"{what} takes {size_text(needed)}, and {most}; take a smaller method.capacity")
        self.rows = np.zeros((capacity, width), np.float32)
        self.end = self.size = 0
        self._base = np.uint64(generator(seed, "replay").bit_generator.random_raw())

    def append(self, rows: np.ndarray) -> Overwritten:
        """Put rows (count, width), at most `capacity`, in the place of the oldest ones; return what they replaced."""
        places = (self.end + np.arange(len(rows))) % len(self.rows)
        before = Overwritten(self.rows[places], self.end, self.size)
        self.rows[places] = rows
        self.end, self.size = (self.end + len(rows)) % len(self.rows), min(self.size + len(rows), len(self.rows))
        return before

    def take_back(self, before: Overwritten) -> None:
        """Undo the last `append`."""
        self.end, self.size = before.end, before.size
        self.rows[(self.end + np.arange(len(before.rows))) % len(self.rows)] = before.rows

    def sample(self, first: int, updates: int, batch: int) -> np.ndarray:
        """Return the rows of the minibatches of updates `first`, `first` + 1, …: int64 (updates, batch).

        They are drawn uniformly, with replacement, and depend only on the seed, the update's number and `size`.
        """
        order = np.empty((updates, batch), np.int64)
        _sample(self._base, first, self.size, order)
        return order

    def state(self) -> dict[str, np.ndarray]:
        """Return the filled rows, a copy, and the ring's end."""
        return {"rows": self.rows[: self.size].copy(), "end": np.array(self.end, np.int64)}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Resume exactly where `state()` was taken. Raises ValueError for rows that do not fit this buffer."""
        rows, end = state["rows"], int(state["end"])
        capacity, width = self.rows.shape
        if rows.ndim != 2 or rows.shape[1] != width or rows.dtype != np.float32 or len(rows) > capacity:
            raise ValueError(f"replay buffer: {rows.dtype} rows {rows.shape} do not fit into {self.rows.shape}")
        if end != (len(rows) if len(rows) < capacity else end % capacity):
            raise ValueError(f"replay buffer: {len(rows)} rows do not end at {end}")
        self.rows[: len(rows)], self.size, self.end = rows, len(rows), end


@njit(cache=True)
def _sample(base: Any, first: int, size: int, order: Any) -> None:
    for update in range(order.shape[0]):
        stream = mixed(base + np.uint64(first + update))
        for place in range(order.shape[1]):
            order[update, place] = np.int64(mixed(stream + np.uint64(place)) % np.uint64(size))
