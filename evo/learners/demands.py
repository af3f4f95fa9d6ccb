"""What several learners demand: a world to act in, a critic that its text describes, bounds of networks' parameters."""

import numpy as np

from evo.autodiff.descent import Bounds
from evo.networks import Network, network_from_text
from evo.problems.control import Walking
from evo.problems.problem import Problem


def require_world(name: str, problem: Problem, instead: str = "cma-es, or adam on a data set") -> Walking:
    """Return the problem. Raises ValueError where it is no world. name: the method's; instead: methods that do."""
    if not isinstance(problem, Walking):
        raise ValueError(f"name {name} needs a world, and this task is not one: take {instead}")
    return problem


def critic_from_text(text: str, inputs: int) -> Network:
    """Return a critic, a network of one output. Raises ValueError that names the option."""
    try:
        return network_from_text(text, inputs, 1)
    except ValueError as error:
        raise ValueError(f"critic: {error}") from error


def bounds_of(parameters: np.ndarray, *parts: tuple[Network, slice]) -> Bounds:
    """Return the bounds of the parameters of several networks, each in a slice of the parameters."""
    found = [(part.indices(len(parameters))[0], network.bounds(parameters[part])) for network, part in parts]
    places = [at + places for at, (places, _, _) in found]
    least, greatest = ([bounds[which] for _, bounds in found] for which in (1, 2))
    return Bounds(np.concatenate(places), np.concatenate(least), np.concatenate(greatest))
