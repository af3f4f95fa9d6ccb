"""Random numbers are pure functions of a seed and a purpose, and never change."""

import itertools
from typing import SupportsIndex

import numpy as np
import pytest

from evo.numerics.randomness import episode_seeds, generator, report_seeds, selection_seeds


def words(seed: SupportsIndex, purpose: str, *indices: SupportsIndex) -> list[int]:
    """The first raw words of a stream."""
    return [int(word) for word in generator(seed, purpose, *indices).bit_generator.random_raw(4)]


# Golden values: a change here changes every run ever made, so it must never happen.
GOLDEN_WORDS = {
    (0, "noise"): [7101072253709916155, 4237005172191119304],
    (1, "noise", 7): [17243822690848966500, 15815737496584510393],
    (123, "mutation", 7, 2): [11826773710373578772, 8930262766843034994],
    (2**100, "reset"): [4455221974423372983, 16241693851453835772],
}
GOLDEN_EPISODES = {
    (0, "training", 0): [1563015995986071626, 1463580200183928353, 2052659180046032470],
    (1, "training", 5): [900666170462586846, 3489070492837760929, 2125952285224327514],
}


@pytest.mark.parametrize("key", GOLDEN_WORDS)
def test_streams_never_change(key: tuple[int, str]) -> None:
    assert words(*key)[:2] == GOLDEN_WORDS[key]


@pytest.mark.parametrize("key", GOLDEN_EPISODES)
def test_episode_seeds_never_change(key: tuple[int, str, int]) -> None:
    assert episode_seeds(*key, 3).tolist() == GOLDEN_EPISODES[key]


def test_every_seed_purpose_and_index_has_its_own_stream() -> None:
    # Among these are the pairs that SeedSequence alone would confuse: () and (0,), (2**32,) and (0, 1).
    indices: list[tuple[int, ...]] = [(), (0,), (0, 0), (1,), (0, 1), (1, 0), (2**32,), (2**32 + 1,), (2**64,)]
    seeds = [0, 1, 2**32, 2**32 + 1, 2**63 - 1, 2**64, 2**200]
    purposes = ["", "noise", "mutation", "noise "]
    streams = [words(s, p, *i) for s, p, i in itertools.product(seeds, purposes, indices)]
    assert len({tuple(stream) for stream in streams}) == len(streams)


def test_a_stream_is_the_same_each_time_and_takes_numpy_integers() -> None:
    three, four = np.arange(3, 5)
    assert words(3, "noise", 4) == words(3, "noise", 4) == words(three, "noise", four)


def test_purposes_are_uncorrelated() -> None:
    count = 20_000
    draws = np.array([generator(5, purpose).standard_normal(count) for purpose in ("noise", "mutation", "reset")])
    correlation = np.corrcoef(draws) - np.eye(3)
    assert np.abs(correlation).max() < 4 / np.sqrt(count)


@pytest.mark.parametrize(("seed", "index"), [(-1, 0), (0, -1)])
def test_negative_numbers_are_refused(seed: int, index: int) -> None:
    with pytest.raises(ValueError, match="must be >= 0"):
        generator(seed, "noise", index)


def test_training_seeds_are_hashed_and_in_their_range() -> None:
    seeds = np.concatenate([episode_seeds(s, "training", g, 200) for s in range(5) for g in range(20)])
    assert seeds.dtype == np.int64
    assert seeds.min() >= 2**32
    assert len(np.unique(seeds)) == len(seeds)
    # Uniform over the range: the mean of n uniform numbers is within four standard errors of the middle.
    assert abs(seeds.mean() / 2**63 - 0.5) < 4 / np.sqrt(12 * len(seeds))


def test_more_episodes_leave_the_first_ones_alone() -> None:
    assert episode_seeds(1, "training", 2, 5).tolist() == episode_seeds(1, "training", 2, 50)[:5].tolist()
    assert episode_seeds(1, "training", 2, 0).shape == (0,)


def test_episode_seeds_depend_on_seed_purpose_and_generation() -> None:
    base = set(episode_seeds(1, "training", 2, 50).tolist())
    for other in ((2, "training", 2), (1, "racing", 2), (1, "training", 3)):
        assert base.isdisjoint(episode_seeds(*other, 50).tolist())


def test_selection_report_and_training_seeds_are_disjoint() -> None:
    selection, report = selection_seeds(1_000_000), report_seeds(1_000_000)
    assert selection[:3].tolist() == [1_000_000, 1_000_001, 1_000_002]
    assert report[:3].tolist() == [2_000_000, 2_000_001, 2_000_002]
    assert selection.max() < report.min()
    assert report.max() < episode_seeds(0, "training", 0, 10_000).min()


@pytest.mark.parametrize("count", [-1, 1_000_001])
def test_counts_that_would_overlap_are_refused(count: int) -> None:
    for seeds in (selection_seeds, report_seeds):
        with pytest.raises(ValueError, match=f"count={count}"):
            seeds(count)


def test_a_negative_number_of_episodes_is_refused() -> None:
    with pytest.raises(ValueError, match="count=-1"):
        episode_seeds(0, "training", 0, -1)
