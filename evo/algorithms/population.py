"""Populations: what an algorithm asks to have evaluated, one row of parameters an individual."""

from typing import Any, Protocol, final

import numpy as np
from numpy.typing import NDArray

from evo.algorithms.bounds import EVERYWHERE, Box


class Population(Protocol):
    """Individuals that need not be stored: rows are made when they are asked for."""

    def __len__(self) -> int:
        """The number of individuals."""
        ...

    @property
    def size(self) -> int:
        """The number of parameters of an individual."""
        ...

    def row(self, individual: int, out: NDArray[Any]) -> None:
        """Write the parameters of one individual into `out`, (parameters,), cast to its floating type."""
        ...

    def dense(self) -> NDArray[np.float64]:
        """All individuals, (individuals, parameters); a view or a copy, to be read only."""
        ...


@final
class DensePopulation:
    """A population stored as it is: `array` is (individuals, parameters)."""

    def __init__(self, array: NDArray[np.float64]) -> None:
        self.array = np.ascontiguousarray(array, dtype=np.float64).view()
        self.array.flags.writeable = False

    def __len__(self) -> int:
        return len(self.array)

    @property
    def size(self) -> int:
        return int(self.array.shape[1])

    def row(self, individual: int, out: NDArray[Any]) -> None:
        np.copyto(out, self.array[individual], casting="same_kind")

    def dense(self) -> NDArray[np.float64]:
        return self.array


@final
class PerturbedPopulation:
    """Antithetic pairs around a centre: individual 2k is `center + scale * noise[k]`, 2k + 1 is its mirror image.

    `center` is (parameters,), `noise` (pairs, parameters); only these are stored. Mirrored sampling: Brockhoff, Auger,
    Hansen, Arnold & Hohm 2010, "Mirrored Sampling and Sequential Selection for Evolution Strategies".
    """

    def __init__(self, center: NDArray[np.float64], noise: NDArray[np.float64], scale: float) -> None:
        self.center = center
        self.noise = noise
        self.scale = scale

    def __len__(self) -> int:
        return 2 * len(self.noise)

    @property
    def size(self) -> int:
        return int(self.noise.shape[1])

    def row(self, individual: int, out: NDArray[Any]) -> None:
        step = self.scale * self.noise[individual // 2]
        np.copyto(out, self.center - step if individual % 2 else self.center + step, casting="same_kind")

    def dense(self) -> NDArray[np.float64]:
        rows = np.empty((len(self), self.size))
        steps = self.scale * self.noise
        rows[0::2] = self.center + steps
        rows[1::2] = self.center - steps
        return rows


@final
class SampledPopulation:
    """Samples of a normal distribution: individual k is `center + scale * steps[k]`, made from `noise[k]` ~ N(0, I).

    `center` is (parameters,), `steps` and `noise` are (individuals, parameters); `box` maps the samples to where they
    are evaluated.
    """

    def __init__(
        self,
        center: NDArray[np.float64],
        scale: float,
        steps: NDArray[np.float64],
        noise: NDArray[np.float64],
        box: Box = EVERYWHERE,
    ) -> None:
        self.center = center
        self.scale = scale
        self.steps = steps
        self.noise = noise
        self.box = box

    def __len__(self) -> int:
        return len(self.steps)

    @property
    def size(self) -> int:
        return int(self.steps.shape[1])

    def row(self, individual: int, out: NDArray[Any]) -> None:
        np.copyto(out, self.box.inside(self.center + self.scale * self.steps[individual]), casting="same_kind")

    def dense(self) -> NDArray[np.float64]:
        return self.box.inside(self.center + self.scale * self.steps)
