"""Populations as plain arrays, by which another process makes the same individuals.

Where a population is made from less than its rows, that is what travels, once for all its slices: the centre and the
states of the noise's stream, or the seeds of mutations. Of other populations each slice carries its own rows. The rows
are the same bits, as they are computed by the same operations.
"""

import functools
from collections.abc import Mapping
from typing import Any, NamedTuple

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
# What may travel: name → number of axes, kinds of numbers.
_FORMS = dict.fromkeys(("center", "sigma", "initial", "spreads", "rows"), (1, "f"))
_FORMS |= dict.fromkeys(("chosen", "lists", "lengths", "ancestors", "seeds"), (1, "i"))
_FORMS |= {"scale": (0, "fiu"), "streams": (2, "u"), "elites": (0, "i")}


class Description(NamedTuple):
    """What a population is made from.

    lasting: arrays that are the same in every generation. passing: those of this generation.
    """

    lasting: _Arrays
    passing: _Arrays


def describe(population: Population) -> Description | None:
    """Return the arrays by which `rebuild` makes the whole population; None where nothing less than its rows does."""
    if isinstance(population, Subpopulation):
        whole = describe(population.population)
        if whole is None:
            return None
        chosen = whole.passing.get("chosen")
        indices = np.asarray(population.indices if chosen is None else chosen[population.indices])
        return Description(whole.lasting, whole.passing | {"chosen": indices})
    if isinstance(population, PerturbedPopulation) and isinstance(population.noise, Noise):
        noise = population.noise
        found = {
            "center": population.center,
            "scale": np.array(population.scale),
            "streams": noise.streams(np.arange(len(noise))),
        }
        return Description({}, found if noise.sigma is None else found | {"sigma": noise.sigma})
    if isinstance(population, SeedPopulation):
        made = population.reconstruction
        return Description(
            {"initial": made.initial, "spreads": np.array([made.initial_sigma, made.sigma, made.megabytes])},
            {
                "lists": np.concatenate(population.parents),
                "lengths": np.array([len(seeds) for seeds in population.parents]),
                "elites": np.array(population.elites),
                "ancestors": population.ancestors,
                "seeds": population.seeds,
            },
        )
    return None


def describe_rows(population: Population, individuals: range, dtype: DTypeLike) -> _Arrays:
    """Return arrays by which `rebuild` makes some individuals: their rows, cast to the type that is evaluated."""
    lengths = lengths_of(population)[individuals.start : individuals.stop]
    rows = [np.empty(length, dtype) for length in lengths]
    for individual, row in zip(individuals, rows, strict=True):
        population.row(individual, row)
    return {"rows": np.concatenate(rows), "lengths": lengths}


def rebuild(arrays: Mapping[str, NDArray[Any]]) -> Population:
    """Return the individuals that `describe`, lasting and passing together, or `describe_rows` described.

    They may come from outside, and rows are made in compiled code, which does not check what it is given: raises
    ValueError for other arrays.
    """
    try:
        for name, array in arrays.items():
            axes, kinds = _FORMS.get(name, (0, ""))
            if array.ndim != axes or array.dtype.kind not in kinds or not array.dtype.isnative:
                raise ValueError(f"{name} of shape {array.shape}, {array.dtype}")
        made = _rebuild(arrays)
        return _chosen(made, arrays["chosen"]) if "chosen" in arrays else made
    except KeyError as error:
        raise ValueError(f"a population without {error}") from error


def _rebuild(arrays: Mapping[str, NDArray[Any]]) -> Population:
    if "streams" in arrays:
        center, sigma = arrays["center"], arrays.get("sigma")
        if arrays["streams"].shape[1:] != (4,) or (sigma is not None and sigma.shape != center.shape):
            raise ValueError("noise of another size than its centre")
        noise = Noise.from_streams(arrays["streams"], len(center), sigma)
        return PerturbedPopulation(center, noise, float(arrays["scale"]))
    if "initial" in arrays:
        lists, ancestors, seeds = _parts(arrays["lists"], arrays["lengths"]), arrays["ancestors"], arrays["seeds"]
        elites = int(arrays["elites"])
        fits = len(ancestors) == len(seeds) and np.isin(ancestors, np.arange(len(lists))).all()
        if not fits or not 0 <= elites <= len(lists) or min(seeds.min(initial=0), arrays["lists"].min(initial=0)) < 0:
            raise ValueError("children without parents, or seeds below 0")
        first_spread, spread, megabytes = map(float, arrays["spreads"])
        if not (len(arrays["initial"]) and megabytes >= 0):
            raise ValueError("parameters that cannot be made again")
        initial = arrays["initial"].astype(np.float64).tobytes()
        return SeedPopulation(
            _reconstruction(initial, first_spread, spread, megabytes), lists, elites, ancestors, seeds
        )
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


@functools.lru_cache(maxsize=1)
def _reconstruction(initial: bytes, initial_sigma: float, sigma: float, megabytes: float) -> Reconstruction:
    """Return the same one for all slices of a run, as it remembers the parameters of parents."""
    return Reconstruction(np.frombuffer(initial), initial_sigma, sigma, megabytes)
