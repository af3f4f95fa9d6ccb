"""Genomes as text and JSON, and neat-python's printed form."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evo.genomes.graph_text import genome_from_json, genome_to_json, genome_to_text, wiring_from_neat_python
from evo.operators.graph_genes import ARRAYS, take
from tests.support.graph_genes import act, genomes

GENES = genomes(21, 20, 15, recurrent=False)


def test_json_is_read_back_exactly() -> None:
    for genome in range(20):
        one = take(GENES, np.array([genome]))
        again = genome_from_json(genome_to_json(one), recurrent=False)
        for name in ARRAYS:
            np.testing.assert_array_equal(getattr(again, name), getattr(one, name), err_msg=name)
            assert getattr(again, name).dtype == getattr(one, name).dtype


def test_text_has_every_gene() -> None:
    one = take(GENES, np.array([3]))
    text = genome_to_text(one)
    assert text.count("innovation") == len(one.innovations) and text.count("disabled") == (~one.enabled).sum()
    assert text.startswith("3 inputs, 2 outputs") and len(text.splitlines()) == 1 + len(one.ids) + len(one.weights)


WHOLE = json.loads(genome_to_json(take(GENES, np.array([3]))))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"format": "other"}, 'its "format" must be'),
        ({"inputs": 0}, "one of each at least"),
        ({"inputs": 2**70}, "too many"),
        ({"inputs": True}, "'inputs' is True, where int is meant"),
        ({"nodes": []}, "does not begin with all outputs"),
        ({"nodes": 3}, "'nodes' is 3, where list is meant"),
        ({"links": [{"innovation": 1}]}, "'source' is None|'innovation'|'source'"),
        ({"nodes": [{**WHOLE["nodes"][0], "activation": "tanhh"}]}, "activation 'tanhh' is none of"),
        ({"nodes": [{**WHOLE["nodes"][0], "rate": 0}, *WHOLE["nodes"][1:]]}, "rate outside"),
        ({"links": [{**WHOLE["links"][0], "innovation": 2**70}]}, "no graph genome"),
    ],
)
def test_damaged_json_is_refused_in_one_line(change: dict[str, object], why: str) -> None:
    with pytest.raises(ValueError, match=why) as error:
        genome_from_json(json.dumps(WHOLE | change))
    assert str(error.value).startswith("no graph genome: ") and "\n" not in str(error.value)


@given(st.integers(0, len(genome_to_json(take(GENES, np.array([3])))) - 1), st.text(max_size=3))
@settings(max_examples=200, deadline=None)
def test_any_text_is_a_genome_or_one_line(place: int, put: str) -> None:
    text = genome_to_json(take(GENES, np.array([3])))
    try:
        genome_from_json(text[:place] + put + text[place + len(put) :])
    except ValueError as error:
        assert str(error).startswith("no graph genome: ") and "\n" not in str(error)


PRINTED = """Key: 7
Fitness: 3.9
Nodes:
\t0 DefaultNodeGene(key=0, bias=-1.5, response=1.0, activation=sigmoid, aggregation=sum)
\t4 DefaultNodeGene(key=4, bias=0.25, response=2.0, activation=tanh, aggregation=sum)
Connections:
\tDefaultConnectionGene(key=(-2, 0), weight=0.5, enabled=True)
\tDefaultConnectionGene(key=(-1, 0), weight=9.0, enabled=False)
\tDefaultConnectionGene(key=(-1, 4), weight=-0.75, enabled=True)
\tDefaultConnectionGene(key=(4, 0), weight=1.25, enabled=True)
"""


def test_what_neat_python_prints_has_its_values() -> None:
    wiring = wiring_from_neat_python(PRINTED, 2, 1)
    wiring.check_order()
    found = act(wiring, np.array([0.3, -0.8]), [0.0, 0.0], recurrent=False)[wiring.outputs[0]]
    hidden = math.tanh(2.5 * (0.25 + 2.0 * -0.75 * 0.3))
    expected = 1 / (1 + math.exp(-5.0 * (-1.5 + 0.5 * -0.8 + 1.25 * hidden)))
    assert math.isclose(found, expected, rel_tol=1e-12)
    for text, why in (
        ("", "node 0 is not there"),
        (PRINTED.replace("tanh", "lelu"), "lelu of sum"),
        (PRINTED.replace("(-2, 0)", "(-3, 0)"), "from -3 to 0"),
        (PRINTED.replace("(-1, 4)", "(0, 4)"), "a cycle"),
    ):
        with pytest.raises(ValueError, match=why):
            wiring_from_neat_python(text, 2, 1)
    assert len(wiring_from_neat_python(PRINTED.replace("(-1, 4)", "(0, 4)"), 2, 1, recurrent=True).weights) == 3
