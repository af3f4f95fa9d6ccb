"""Genomes as lists of mutation seeds (Such et al. 2017), decoded when needed.

Such, Madhavan, Conti, Lehman, Stanley & Clune 2017, "Deep Neuroevolution: Genetic Algorithms Are a Competitive
Alternative for Training Deep Neural Networks for Reinforcement Learning", where tau are the seeds:
theta^n = psi(theta^{n-1}, tau_n) = theta^{n-1} + sigma epsilon(tau_n).

epsilon(tau) is `np.random.default_rng(tau).standard_normal(parameters)`, drawn in compiled code, so a seed list can be
read anywhere. A list is int64, (mutations,), its oldest seed first.
"""

from collections.abc import Sequence
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from evo.envs.engine.compile import njit
from evo.envs.engine.random import standard_normal, streams

_Floats = NDArray[np.float64]
_Seeds = NDArray[np.int64]
_SEED = np.dtype(np.int64).itemsize


@njit(cache=True, error_model="numpy")
def _mutate(params: Any, sigma: float, stream: Any, out: Any) -> None:
    for index in range(out.size):
        out[index] = params[index] + sigma * standard_normal(stream)


@final
class Reconstruction:
    """Parameters of seed lists, reconstructed by repeating their mutations and cached.

    They are `initial`, (parameters,), plus the first mutation, of deviation `initial_sigma`, plus the later ones, of
    `sigma` each, one after the other in float64.

    Cached are the common beginning of all lists of interest, and within `megabytes` of memory (10⁶ bytes; one list at
    least) those lists themselves, or their nearest known ancestors: never more than there are lists. Whatever does not
    fit is reconstructed from its longest known beginning. No result depends on the cache.
    """

    def __init__(self, initial: _Floats, initial_sigma: float, sigma: float, megabytes: float) -> None:
        self.initial, self.initial_sigma, self.sigma = initial, initial_sigma, sigma
        self.megabytes = megabytes
        self._most = max(1, int(min(megabytes * 1e6, 2.0**62) / initial.nbytes))
        # Beginnings of lists, as bytes, and their parameters.
        self._shared: dict[bytes, _Floats] = {b"": initial}  # the empty list, and the common one of those of interest
        self._recent: dict[bytes, _Floats] = {}  # the least recently used first
        self._origins: dict[bytes, bytes] = {}  # where lists of interest not yet reconstructed start from

    def parameters(self, seeds: _Seeds) -> _Floats:
        """Return the parameters of a seed list, (parameters,), read-only."""
        wanted = seeds.tobytes()
        if wanted in self._shared:
            return self._shared[wanted]
        params = self._recent.pop(wanted, None)
        if params is None:
            nearest = self._nearest(wanted)
            origin, params = (self._shared | self._recent)[nearest], np.empty_like(self.initial)
            for mutations in range(len(nearest) // _SEED, len(seeds)):
                self.mutate(origin, mutations, seeds[mutations], params)
                origin = params
            if self._origins.pop(wanted, None) is not None and nearest not in self._origins.values():
                self._recent.pop(nearest, None)
        self._recent[wanted] = params
        if len(self._recent) > self._most:
            del self._recent[next(iter(self._recent))]
        return params

    def mutate(self, params: _Floats, mutations: int, seed: np.int64, out: NDArray[Any]) -> None:
        """Write params plus one more mutation to out; both (parameters,), out may be params.

        mutations: how many params have had already, as the first one has another deviation.
        """
        _mutate(params, self.sigma if mutations else self.initial_sigma, streams(np.array([seed]))[0], out)

    def attend(self, lists: Sequence[_Seeds]) -> None:
        """Set the lists of interest, for which the cache is kept from now on."""
        common = lists[0][: common_length(lists)]
        self._shared = {b"": self.initial, common.tobytes(): self.parameters(common)}
        self._origins = {seeds.tobytes(): self._nearest(seeds.tobytes()) for seeds in lists}
        wanted = set(self._origins.values()) - self._shared.keys()
        self._recent = {known: params for known, params in self._recent.items() if known in wanted}

    def _nearest(self, wanted: bytes) -> bytes:
        """Return the longest beginning of a list whose parameters are known."""
        return max((known for known in (*self._shared, *self._recent) if wanted.startswith(known)), key=len)


def common_length(lists: Sequence[_Seeds]) -> int:
    """Return the number of seeds that all lists begin with."""
    shortest = min(map(len, lists))
    alike = np.all([seeds[:shortest] == lists[0][:shortest] for seeds in lists], axis=0)
    return shortest if alike.all() else int(np.argmin(alike))


@final
class SeedPopulation:
    """A population of seed lists that share parents: elites unchanged, then children with one more mutation.

    The first `elites` of `parents` come first; child k is `parents[ancestors[k]]` with the additional mutation
    `seeds[k]`; both are (children,). Reading rows is fastest when children of one parent are neighbours.
    """

    def __init__(
        self,
        reconstruction: Reconstruction,
        parents: Sequence[_Seeds],
        elites: int,
        ancestors: NDArray[np.intp],
        seeds: _Seeds,
    ) -> None:
        self.reconstruction = reconstruction
        self.parents = parents
        self.elites = elites
        self.ancestors = ancestors
        self.seeds = seeds

    def __len__(self) -> int:
        return self.elites + len(self.seeds)

    @property
    def size(self) -> int:
        return len(self.reconstruction.initial)

    def seed_list(self, individual: int) -> _Seeds:
        """Return the seeds of one individual, (mutations,)."""
        if individual < self.elites:
            return self.parents[individual]
        child = individual - self.elites
        return np.append(self.parents[self.ancestors[child]], self.seeds[child])

    def row(self, individual: int, out: NDArray[Any]) -> None:
        if individual < self.elites:
            np.copyto(out, self.reconstruction.parameters(self.parents[individual]), casting="same_kind")
            return
        child = individual - self.elites
        parent = self.parents[self.ancestors[child]]
        # A child is not cached: most children leave no descendants.
        self.reconstruction.mutate(self.reconstruction.parameters(parent), len(parent), self.seeds[child], out)

    def dense(self) -> _Floats:
        rows = np.empty((len(self), self.size))
        for individual, row in enumerate(rows):
            self.row(individual, row)
        return rows
