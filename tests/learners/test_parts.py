"""Parts of a generation that were kept: what a damaged checkpoint holds of them is refused."""

import numpy as np
import pytest

from evo.learners.parts import Parts
from evo.problems.function import ClassicLandscape
from evo.problems.named_functions import FUNCTIONS


def test_a_part_whose_fitness_is_no_numbers_is_refused() -> None:
    none = np.zeros(0, np.uint8)
    state = {
        "seeds": np.array([1]),
        "fitness": np.zeros(3),
        "returns": np.zeros((3, 1)),
        "statistics": np.zeros((0, 1)),
    }
    state |= {"counts": np.array([3, 3]), "failures": none, "errors": none}
    parts = Parts(ClassicLandscape("sphere", FUNCTIONS["sphere"], 2, False, 0))
    parts.restore({f"0/{name}": array for name, array in state.items()})
    assert parts.state()["0/fitness"].tolist() == [0, 0, 0]
    state["fitness"] = np.array(["a", "b", "c"])
    with pytest.raises(ValueError, match="part 0: its fitness, returns or statistics are not float64"):
        parts.restore({f"0/{name}": array for name, array in state.items()})
