"""The replay buffer against a plain queue; minibatches that only the seed and the update's number determine."""

from collections import deque

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evo.errors import EvoError
from evo.learners import replay_buffer
from evo.learners.replay_buffer import Columns, ReplayBuffer


def rows(count: int, start: int = 0, width: int = 3) -> np.ndarray:
    return np.repeat(np.arange(start, start + count, dtype=np.float32)[:, np.newaxis], width, axis=1)


def held(buffer: ReplayBuffer) -> list[float]:
    """What it holds, the oldest first."""
    first = buffer.end if buffer.size == len(buffer.rows) else 0
    return np.roll(buffer.rows[: buffer.size, 0], -first).tolist()


@settings(max_examples=60)
@given(capacity=st.integers(1, 9), counts=st.lists(st.integers(0, 9), max_size=8))
def test_it_holds_the_latest_as_a_queue_does(capacity: int, counts: list[int]) -> None:
    buffer, queue, seen = ReplayBuffer(capacity, 3, 0), deque[float](maxlen=capacity), 0
    for count in counts:
        given = rows(min(count, capacity), seen)
        seen += len(given)
        before, state = held(buffer), buffer.state()
        buffer.take_back(buffer.append(given))
        assert held(buffer) == before
        for name, array in buffer.state().items():
            np.testing.assert_array_equal(array, state[name])
        buffer.append(given)
        queue.extend(given[:, 0].tolist())
        assert held(buffer) == list(queue)


def test_minibatches_are_uniform_and_depend_on_seed_number_and_size() -> None:
    one, other = ReplayBuffer(100, 3, 5), ReplayBuffer(100, 3, 6)
    for buffer in (one, other):
        buffer.append(rows(100))
    drawn = one.sample(7, 400, 64)
    counts = np.bincount(drawn.ravel(), minlength=100)
    assert len(counts) == 100
    assert np.sum((counts - 256.0) ** 2 / 256.0) < 99 + 5 * np.sqrt(2 * 99)  # chi-squared
    np.testing.assert_array_equal(one.sample(107, 1, 64)[0], drawn[100])
    assert (other.sample(7, 400, 64) != drawn).mean() > 0.95
    assert (drawn[1:] != drawn[:-1]).mean() > 0.95
    few = ReplayBuffer(100, 3, 5)
    few.append(rows(3))
    assert set(few.sample(0, 10, 8).ravel()) == {0, 1, 2}


def test_restored_it_is_the_same() -> None:
    for count in (4, 10, 13):
        one, other = ReplayBuffer(10, 3, 1), ReplayBuffer(10, 3, 1)
        one.append(rows(4))
        one.append(rows(count - 4, 4)) if count > 4 else None
        other.restore(one.state())
        for buffer in (one, other):
            buffer.append(rows(3, 50))
        np.testing.assert_array_equal(one.rows, other.rows)
        np.testing.assert_array_equal(one.sample(3, 2, 5), other.sample(3, 2, 5))


@pytest.mark.parametrize(
    ("held", "end"),
    [
        (np.zeros((3, 4), np.float32), 3),  # of another width
        (np.zeros((3, 3)), 3),
        (np.zeros((11, 3), np.float32), 1),
        (np.zeros((3, 3), np.float32), 2),
        (np.zeros((10, 3), np.float32), 10),
        (np.zeros((10, 3), np.float32), -1),
    ],
)
def test_what_does_not_fit_is_refused(held: np.ndarray, end: int) -> None:
    with pytest.raises(ValueError, match="replay buffer: "):
        ReplayBuffer(10, 3, 1).restore({"rows": held, "end": np.array(end)})


def test_one_larger_than_memory_or_a_checkpoint_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(EvoError, match=r"^a replay buffer of 100,000,000,000 steps: that needs .* smaller method.capa"):
        ReplayBuffer(10**11, 42, 0)
    monkeypatch.setattr(replay_buffer, "CHECKPOINT_BYTES", 100)
    with pytest.raises(EvoError, match=r"^a replay buffer of 10 steps takes 120 bytes, and a checkpoint holds at most"):
        ReplayBuffer(10, 3, 0)


def test_columns_stand_side_by_side() -> None:
    assert Columns.of(17, 6) == (17, 23, 24, 25, 42)
