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
# What may be in a slice: name → number of axes, kinds of numbers.
_FORMS = dict.fromkeys(("center", "sigma", "initial", "spreads", "rows"), (1, "f"))
_FORMS |= dict.fromkeys(("individuals", "lists", "lengths", "ancestors", "seeds"), (1, "i"))
_FORMS |= {"scale": (0, "fiu"), "streams": (2, "u")}


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
    """Return the individuals that `describe` described. Raises ValueError for other arrays.

    They may come from outside, and rows are made in compiled code, which does not check what it is given.
    """
    try:
        for name, array in arrays.items():
            axes, kinds = _FORMS.get(name, (0, ""))
            if array.ndim != axes or array.dtype.kind not in kinds or not array.dtype.isnative:
                raise ValueError(f"{name} of shape {array.shape}, {array.dtype}")
        return _rebuild(arrays)
    except KeyError as error:
        raise ValueError(f"a population without {error}") from error


def _rebuild(arrays: Mapping[str, NDArray[Any]]) -> Population:
    if "streams" in arrays:
        center, sigma = arrays["center"], arrays.get("sigma")
        if arrays["streams"].shape[1:] != (4,) or (sigma is not None and sigma.shape != center.shape):
            raise ValueError("noise of another size than its centre")
        noise = Noise.from_streams(arrays["streams"], len(center), sigma)
        return _chosen(PerturbedPopulation(center, noise, float(arrays["scale"])), arrays["individuals"])
    if "initial" in arrays:
        lists, ancestors, seeds = _parts(arrays["lists"], arrays["lengths"]), arrays["ancestors"], arrays["seeds"]
        fits = len(ancestors) == len(seeds) and np.isin(ancestors, np.arange(len(lists))).all()
        if not fits or min(seeds.min(initial=0), arrays["lists"].min(initial=0)) < 0:
            raise ValueError("children without parents, or seeds below 0")
        first_spread, spread, megabytes = map(float, arrays["spreads"])
        if not (len(arrays["initial"]) and megabytes >= 0):
            raise ValueError("parameters that cannot be made again")
        initial = arrays["initial"].astype(np.float64).tobytes()
        made = SeedPopulation(
            _reconstruction(initial, first_spread, spread, megabytes), lists, len(lists), ancestors, seeds
        )
        return _chosen(made, arrays["individuals"])
    rows = _parts(arrays["rows"], arrays["lengths"])
    return DensePopulation(np.array(rows)) if len({*map(len, rows)}) == 1 else RaggedPopulation(rows)


def _parts(numbers: NDArray[Any], lengths: NDArray[Any]) -> list[NDArray[Any]]:
    """Return consecutive parts of these lengths. Raises ValueError where they are no such parts."""
    if not len(lengths) or lengths.min() < 0 or sum(lengths.tolist()) != len(numbers):
        raise ValueError(f"{len(numbers)} numbers, not in {len(lengths)} parts of such lengths")
    return np.split(numbers, np.cumsum(lengths)[:-1])


def _chosen(population: Population, individuals: NDArray[Any]) -> Population:
    """Return some of the individuals. Raises ValueError for one that there is not."""
    if not len(individuals) or individuals.min() < 0 or individuals.max() >= len(population):
        raise ValueError(f"individuals that are not among {len(population)}")
    return Subpopulation(population, individuals)


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
