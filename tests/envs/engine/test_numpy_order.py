"""What NumPy, BLAS and libm compute is found out and repeated to the bit, whichever of their variants is at hand."""

import json
import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numba import njit
from numpy.typing import NDArray

from evo.envs.engine import numpy_order
from evo.envs.engine.numpy_order import FOUND, IMITATED, UNKNOWN, unlike, variant_of
from tests.support.machines import MACHINES, OTHER_CORES
from tests.support.processes import python

Floats = NDArray[np.float64]
# squares below 1e300, so that no sum overflows
vectors = st.integers(0, 256).flatmap(lambda size: arrays(np.float64, size, elements=st.floats(-1e149, 1e149)))


@njit
def sum_of_squares(values: Any) -> float:
    return numpy_order.sum_of_squares(values)


@given(vectors)
def test_sum_of_squares_equals_numpys(values: Floats) -> None:
    assert sum_of_squares(values) == np.sum(np.square(values))


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_every_size_up_to_256(scale: float) -> None:
    rng = np.random.default_rng(0)
    for size in range(257):
        for values in rng.normal(size=(20, size)) * scale:
            assert sum_of_squares(values) == np.sum(np.square(values)), size


def test_order_matters() -> None:
    """A plain sum differs for most vectors, so the tests above can fail."""
    rng = np.random.default_rng(1)
    differing = 0
    for values in rng.normal(size=(200, 23)):
        plain = 0.0
        for value in values:
            plain += value * value
        differing += plain != np.sum(np.square(values))
    assert differing > 50


@njit
def _norm(vector: Any) -> float:
    return numpy_order.norm3(vector[0], vector[1], vector[2] if vector.size > 2 else 0.0)


@njit
def _moment(weights: Any, numbers: Any) -> float:
    total = 0.0
    for index in range(weights.size):
        total = numpy_order.add_weighted(total, weights[index], numbers[index])
    return total


@njit
def _square(x: float, two: float) -> float:
    return numpy_order.square(x, two)


def test_this_machine_has_no_unknown_arithmetic() -> None:
    assert unlike() == []


@pytest.mark.parametrize("size", [2, 3])
def test_norms_are_numpys(size: int) -> None:
    for vector in np.random.default_rng(2).normal(size=(10_000, size)):
        # a copy: OpenBLAS's oldest kernel adds numbers that do not begin at a multiple of 16 bytes in another order
        assert _norm(vector) == np.linalg.norm(vector.copy())


def test_weighted_sums_are_numpys() -> None:
    random = np.random.default_rng(3)
    for size in range(1, 40):
        weights, places = random.uniform(0, 9, size), random.normal(size=(size, 3))
        assert _moment(weights, places[:, 0]) == np.einsum("b,bj->j", weights, places)[0]


def test_squares_of_numbers_are_numpys() -> None:
    for x in np.random.default_rng(4).normal(size=20_000):
        assert _square(float(x), 2.0) == x**2


@njit
def _fused(a: float, b: float, c: float) -> float:
    return numpy_order.fused(a, b, c)


def test_a_fused_product_is_rounded_once() -> None:
    for a, b, c in np.random.default_rng(5).normal(size=(1_000, 3)).tolist():
        assert _fused(a, b, c) == numpy_order.fused(a, b, c) == float(Fraction(a) * Fraction(b) + Fraction(c))


@pytest.mark.parametrize("variant", [*numpy_order._NORMS.values(), *numpy_order._STEPS.values()])
def test_compiled_a_variant_is_what_the_probe_tried(variant: Callable[..., float]) -> None:
    compiled = njit(lambda x, y, z: variant(x, y, z))
    for numbers in np.random.default_rng(6).normal(size=(1_000, 3)).tolist():
        assert compiled(*numbers) == variant(*numbers)


def test_questions_tell_the_variants_apart() -> None:
    for name, imitated in IMITATED.items():
        answers = {kind: [variant(one) for one in imitated.questions] for kind, variant in imitated.variants.items()}
        for kind, given_by in answers.items():
            simulated = imitated._replace(ask=dict(enumerate(given_by)).get, questions=range(len(given_by)))
            variants = {other: dict(enumerate(answer)).get for other, answer in answers.items()}
            found = variant_of(simulated._replace(variants=variants))
            # a libm whose power is correctly rounded squares as a product does
            assert found == kind or (name == "x**2" and answers[found] == given_by)


def test_an_answer_in_a_way_of_its_own_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    def odd(vector: Any) -> Any:
        return math.nextafter(np.linalg.norm(vector), math.inf)

    norm = IMITATED["np.linalg.norm"]._replace(ask=odd)
    monkeypatch.setattr(numpy_order, "IMITATED", {**IMITATED, "np.linalg.norm": norm})
    found = numpy_order._find()
    assert found == {**FOUND, "np.linalg.norm": UNKNOWN}
    assert unlike(found) == ["np.linalg.norm follows no rule that evo knows: rewards of Pusher-v5 and Reacher-v5"]


OTHER_MACHINE = """
import json
import numpy as np
from evo.envs.engine import compile as kernels
from evo.envs.engine import numpy_order
wrong = 0
for size in (2, 3):
    for vector in np.random.default_rng(0).normal(size=(2000, size)):
        x, y, z = (*vector.tolist(), 0.0)[:3]
        wrong += int(numpy_order.norm3(x, y, z) != np.linalg.norm(vector.copy()))
print(json.dumps([wrong, numpy_order.unlike(), dict(numpy_order.FOUND), kernels.source_digest()]))
"""


def test_other_processors_are_known_and_have_kernels_of_their_own() -> None:
    """OpenBLAS, and NumPy without some features, do here what they do on each of these."""
    digests: dict[Any, str] = {}
    for environment in [*MACHINES, *({"OPENBLAS_CORETYPE": core} for core in OTHER_CORES)]:
        wrong, strange, found, digest = json.loads(python(OTHER_MACHINE, **environment))
        assert (wrong, strange) == (0, []), environment
        assert digests.setdefault(tuple(found.items()), digest) == digest
    assert len(set(digests.values())) == len(digests)
