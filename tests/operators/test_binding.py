"""Operators by name: the tables, options written as text, and what is said of mistakes."""

import functools
import inspect
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evo.algorithms import ALGORITHMS, GA
from evo.envs.reference import resolve
from evo.numerics.randomness import generator
from evo.operators import CROSSOVER, MUTATION, REPLACEMENT, SELECTION
from evo.operators.binding import operator_from_text, suitable_operator
from evo.operators.crossover import group_crossover, uniform_crossover
from evo.operators.mutation import bit_flip_mutation, polynomial_mutation
from evo.operators.permutation import partially_mapped_crossover
from evo.operators.recombination import simulated_binary_crossover
from evo.operators.selection import boltzmann_selection, tournament_selection, truncation_selection

# Table -> the arguments with which all of its operators are called.
TABLES: list[tuple[Mapping[str, str], list[str]]] = [
    (SELECTION, ["random", "fitness", "count"]),
    (CROSSOVER, ["random", "first", "second"]),
    (MUTATION, ["random", "population"]),
    (REPLACEMENT, ["fitness", "children_fitness", "ages"]),
]
EVERY = [(name, table, arguments) for table, arguments in TABLES for name in table]


@pytest.mark.parametrize(("name", "table", "arguments"), EVERY, ids=[name for name, _, _ in EVERY])
def test_operators_of_a_table_are_called_alike(name: str, table: Mapping[str, str], arguments: list[str]) -> None:
    parameters = inspect.signature(resolve(table[name])).parameters
    positional = [parameter.name for parameter in parameters.values() if parameter.kind is not parameter.KEYWORD_ONLY]
    # Lexicase selection is of cases, in the place of the fitness.
    assert [{"cases": "fitness"}.get(argument, argument) for argument in positional] == arguments


@pytest.mark.parametrize("table", [table for table, _ in TABLES])
def test_tables_are_in_order_and_name_every_function_once(table: Mapping[str, str]) -> None:
    assert list(table) == sorted(table)
    assert len(set(table.values())) == len(table)


def test_a_name_alone_is_the_function_itself() -> None:
    assert operator_from_text("tournament", SELECTION) is tournament_selection


def test_a_callable_is_its_own_operator() -> None:
    bound = functools.partial(tournament_selection, size=3)
    assert operator_from_text(bound, SELECTION) is bound


@pytest.mark.parametrize(
    ("text", "table", "function", "options"),
    [
        ("tournament:size=4", SELECTION, tournament_selection, {"size": 4}),
        ("boltzmann:temperature=2", SELECTION, boltzmann_selection, {"temperature": 2}),
        ("tournament(size=4)", SELECTION, tournament_selection, {"size": 4}),
        ("tournament(4)", SELECTION, tournament_selection, {"size": 4}),
        ("tournament:4", SELECTION, tournament_selection, {"size": 4}),
        (" sbx( 1e1 , high = inf )", CROSSOVER, simulated_binary_crossover, {"eta": 10.0, "high": float("inf")}),
        ("evo.operators.selection:truncation_selection(3)", CROSSOVER, truncation_selection, {"truncation": 3}),
        ("sbx: eta = 1e1, high=inf", CROSSOVER, simulated_binary_crossover, {"eta": 10.0, "high": float("inf")}),
        ("neuron:groups=[0, 0, 1]", CROSSOVER, group_crossover, {"groups": [0, 0, 1]}),
        (
            "polynomial:low=[-1, 0.5],high=3,probability=0.25",
            MUTATION,
            polynomial_mutation,
            {"low": [-1, 0.5], "high": 3, "probability": 0.25},
        ),
        (
            "evo.operators.selection:truncation_selection:truncation=3",
            CROSSOVER,
            truncation_selection,
            {"truncation": 3},
        ),
    ],
)
def test_options_are_bound(text: str, table: Mapping[str, str], function: Any, options: dict[str, Any]) -> None:
    operator = operator_from_text(text, table)
    assert isinstance(operator, functools.partial)
    assert operator.func is function
    assert operator.args == ()
    assert operator.keywords == options
    assert {name: type(value) for name, value in operator.keywords.items()} == {
        name: type(value) for name, value in options.items()
    }


def test_a_bound_operator_acts_with_its_options() -> None:
    fitness = np.arange(9.0)
    bound = operator_from_text("truncation:truncation=1", SELECTION)
    assert bound(generator(0, "selection"), fitness, 5).tolist() == [8] * 5
    first, second = np.zeros((1, 4)), np.ones((1, 4))
    children = operator_from_text("neuron:groups=[5, 5, 5, 5]", CROSSOVER)(generator(0, "crossover"), first, second)
    assert np.ptp(children) == 0


def test_what_is_known_is_bound_where_it_is_an_option_and_not_written() -> None:
    known = {"low": 0, "high": 5, "groups": np.zeros(4, int)}
    reset = operator_from_text("uniform-reset:high=2", MUTATION, known)
    assert isinstance(reset, functools.partial)
    assert reset.keywords == {"low": 0, "high": 2}
    assert operator_from_text("bit-flip", MUTATION, known) is bit_flip_mutation
    neurons = operator_from_text("neuron", CROSSOVER, known)
    assert np.ptp(neurons(generator(0, "crossover"), np.zeros((1, 4)), np.ones((1, 4)))) == 0


@pytest.mark.parametrize(
    "chosen", ["pmx", partially_mapped_crossover, functools.partial(partially_mapped_crossover), "order"]
)
def test_what_does_not_suit_is_told_what_does(chosen: Any) -> None:
    with pytest.raises(ValueError, match=r"(pmx|order) does not suit real genomes; one of none, uniform$"):
        suitable_operator(chosen, CROSSOVER, ("none", "uniform"), "real genomes")


def test_what_suits_or_is_in_no_table_is_bound() -> None:
    def own(random: np.random.Generator, first: Any, second: Any) -> Any:
        return first

    for chosen in (own, uniform_crossover):
        assert suitable_operator(chosen, CROSSOVER, ("uniform",), "real genomes") is chosen
    assert suitable_operator("uniform", CROSSOVER, ("uniform",), "real genomes") is uniform_crossover


@pytest.mark.parametrize(
    ("text", "table", "message"),
    [
        ("tournement", SELECTION, "unknown operator 'tournement'; did you mean 'tournament'?"),
        ("Tournament:size=4", SELECTION, "unknown operator 'Tournament'; did you mean 'tournament'?"),
        ("sbx", SELECTION, "unknown operator 'sbx'; "),
        ("", REPLACEMENT, "unknown operator ''; one of aging, comma, elitist, "),
        ("tournament:sise=4", SELECTION, "tournament has no option 'sise'; did you mean 'size'?"),
        ("roulette:size=4", SELECTION, "roulette has no option 'size'"),
        ("tournament:random=4", SELECTION, "tournament has no option 'random'; "),
        ("tournament:size=4.5", SELECTION, "tournament: size=4.5: must be a whole number"),
        ("tournament:size=true", SELECTION, "tournament: size=True: must be a whole number"),
        ("tournament:size='4'", SELECTION, "tournament: size='4': must be a whole number"),
        ("sbx:eta=[1]", CROSSOVER, "sbx: eta=[1]: must be a number"),
        ("bit-flip:probability='all'", MUTATION, "bit-flip: probability='all': must be a number"),
        ("polynomial:low=['a'],high=1", MUTATION, "polynomial: low=['a']: must be a number or a list of numbers"),
        ("polynomial:low=0", MUTATION, "polynomial needs high: polynomial:high=…"),
        ("uniform-reset", MUTATION, "uniform-reset needs low and high: uniform-reset:low=…,high=…"),
        ("tournament:size", SELECTION, "tournament: size='size': must be a whole number"),
        ("tournament:size=four", SELECTION, "tournament: size='four': must be a whole number"),
        ("tournament:size='four", SELECTION, "options must read name=value,name=value"),
        ("tournament(3, 4)", SELECTION, "'tournament(3, 4)': tournament takes 1 option in its order, not 2: size"),
        ("tournament(3, size=4)", SELECTION, "'tournament(3, size=4)': 'size' is given twice"),
        ("tournament(size=4, 3)", SELECTION, "options must read name=value,name=value"),
        ("tournament(3", SELECTION, "'tournament(3': options must read name=value,name=value"),
        ("tournament(size=3)x", SELECTION, "options must read name=value,name=value"),
        ("Tournament(4)", SELECTION, "unknown operator 'Tournament'; did you mean 'tournament'?"),
        ("roulette(4)", SELECTION, "'roulette(4)': roulette takes no options"),
        ("tournament:size=4,size=5", SELECTION, "options must read name=value,name=value"),
        (
            "tournement:size",
            SELECTION,
            "'tournement', neither in the working directory nor on Python's path; did you mean 'tournament'?",
        ),
        ("evo.operators.selection:tournament", SELECTION, "has no attribute 'tournament'"),
        ("evo.operators:SELECTION", SELECTION, "'evo.operators:SELECTION' is no function"),
    ],
)
def test_a_mistake_is_said_in_one_line(text: str, table: Mapping[str, str], message: str) -> None:
    with pytest.raises(ValueError) as error:
        operator_from_text(text, table)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_a_call_is_a_value() -> None:
    for text in (
        "ga(16, select=truncation(4), mutate=gaussian(0.1))",
        "ga:16,select=truncation(4),mutate=gaussian(0.1)",
    ):
        bound = operator_from_text(text, ALGORITHMS)
        assert isinstance(bound, functools.partial) and bound.func is GA
        assert list(bound.keywords.values()) == [16, "truncation(4)", "gaussian(0.1)"]
        bound(np.zeros(3), 0)


@given(
    st.sampled_from(sorted(MUTATION)),
    st.text(alphabet="lowhigprbaty=,.:()[]{}'\"01-9 \n\\", max_size=30),
    st.sampled_from([":", "("]),
)
def test_whatever_is_written_binds_or_is_a_value_error(name: str, options: str, sign: str) -> None:
    try:
        operator = operator_from_text(f"{name}{sign}{options}{')' * (sign == '(')}", MUTATION)
    except ValueError as error:
        assert "\n" not in str(error)
    else:
        assert callable(operator)
