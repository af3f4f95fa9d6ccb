"""Slices of populations as plain arrays, by which another process makes the same individuals.

Where a population is made from less than its rows, that is what travels: the centre and the states of the noise's
stream, or the seeds of mutations. The rows are the same bits, as they are computed by the same operations.
"""

import functools
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from evo.genomes.noise import Noise
from evo.genomes.population import (
    DensePopulation,
    PerturbedPopulation,
    Population,
    RaggedPopulation,
    Subpopulation,
    lengths_of,
)
from evo.genomes.seed_lists import Reconstruction, SeedPopulation

_Arrays = dict[str, NDArray[Any]]


def describe(population: Population, individuals: NDArray[np.intp], dtype: DTypeLike) -> _Arrays:
    """Return arrays by which `rebuild` makes some of a population's individuals.

    dtype: the type in which their parameters are evaluated, of rows that travel as they are.
    """
    if isinstance(population, Subpopulation):
        return describe(population.population, population.indices[individuals], dtype)
    if isinstance(population, PerturbedPopulation) and isinstance(population.noise, Noise):
        return _describe_perturbed(population, population.noise, individuals)
    if isinstance(population, SeedPopulation):
        return _describe_seed_lists(population, individuals)
    lengths = lengths_of(population)[individuals]
    rows = [np.empty(length, dtype) for length in lengths]
    for individual, row in zip(individuals, rows, strict=True):
        population.row(int(individual), row)
    return {"rows": np.concatenate(rows), "lengths": lengths}


def rebuild(arrays: Mapping[str, NDArray[Any]]) -> Population:
    """Return the individuals that `describe` described. Raises KeyError for other arrays."""
    if "streams" in arrays:
        center = arrays["center"]
        noise = Noise.from_streams(arrays["streams"], len(center), arrays.get("sigma"))
        return Subpopulation(PerturbedPopulation(center, noise, float(arrays["scale"])), arrays["individuals"])
    if "initial" in arrays:
        lists = np.split(arrays["lists"], np.cumsum(arrays["lengths"])[:-1])
        reconstruction = _reconstruction(arrays["initial"].tobytes(), *map(float, arrays["spreads"]))
        made = SeedPopulation(reconstruction, lists, len(lists), arrays["ancestors"], arrays["seeds"])
        return Subpopulation(made, arrays["individuals"])
    rows = np.split(arrays["rows"], np.cumsum(arrays["lengths"])[:-1])
    return DensePopulation(np.array(rows)) if len({*map(len, rows)}) == 1 else RaggedPopulation(rows)


def _describe_perturbed(population: PerturbedPopulation, noise: Noise, individuals: NDArray[np.intp]) -> _Arrays:
    pairs, places = np.unique(individuals // 2, return_inverse=True)
    found = {
        "center": population.center,
        "scale": np.array(population.scale),
        "streams": noise.streams(pairs),
        "individuals": 2 * places + individuals % 2,
    }
    return found if noise.sigma is None else found | {"sigma": noise.sigma}


def _describe_seed_lists(population: SeedPopulation, individuals: NDArray[np.intp]) -> _Arrays:
    children = individuals >= population.elites
    born = individuals[children] - population.elites
    parents = np.where(children, 0, individuals)
    parents[children] = population.ancestors[born]
    kept, places = np.unique(parents, return_inverse=True)
    made = np.array(places)  # an individual of its own is a parent, a child comes after all parents
    made[children] = len(kept) + np.arange(len(born))
    lists = [population.parents[parent] for parent in kept]
    from_seeds = population.reconstruction
    return {
        "initial": from_seeds.initial,
        "spreads": np.array([from_seeds.initial_sigma, from_seeds.sigma, from_seeds.megabytes]),
        "lists": np.concatenate(lists),
        "lengths": np.array([len(seeds) for seeds in lists]),
        "ancestors": places[children],
        "seeds": population.seeds[born],
        "individuals": made,
    }


@functools.lru_cache(maxsize=1)
def _reconstruction(initial: bytes, initial_sigma: float, sigma: float, megabytes: float) -> Reconstruction:
    """Return the same one for all slices of a run, as it remembers the parameters of parents."""
    return Reconstruction(np.frombuffer(initial), initial_sigma, sigma, megabytes)
