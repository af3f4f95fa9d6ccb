"""What several learners demand: a world to act in, and a critic that its text describes."""

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
