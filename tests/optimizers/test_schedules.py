"""Schedules: where they begin and end, that they stay within 0 to 1, and how they are written."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evo.optimizers.schedules import (
    SCHEDULES,
    Constant,
    Cosine,
    Linear,
    Schedule,
    StepDecay,
    WarmUp,
    schedule_from_text,
)

shares = st.floats(0, 1)
inside = st.floats(1e-3, 0.999)
steps = st.builds(
    StepDecay, st.floats(1e-3, 1), st.lists(inside, min_size=1, max_size=4, unique=True).map(lambda x: tuple(sorted(x)))
)
plain = st.sampled_from([Constant(), Linear(), Cosine()]) | steps
schedules = plain | st.builds(WarmUp, inside, plain)


@given(schedules, st.floats(-1, 2))
def test_factors_are_within_0_and_1_and_a_share_outside_counts_as_the_end(schedule: Schedule, share: float) -> None:
    assert 0 <= schedule(share) <= 1
    assert schedule(share) == schedule(min(max(share, 0.0), 1.0))


@given(plain, shares, shares)
def test_all_but_a_warm_up_never_rise(schedule: Schedule, one: float, other: float) -> None:
    assert schedule(min(one, other)) >= schedule(max(one, other))


@given(inside, plain, shares, shares)
def test_a_warm_up_rises_from_0_and_leaves_the_rest_to_what_follows(
    end: float, then: Schedule, one: float, other: float
) -> None:
    schedule = WarmUp(end, then)
    assert schedule(0.0) == 0.0
    assert schedule(min(one, other) * end) <= schedule(max(one, other) * end)
    assert schedule(end) == then(0.0) == 1.0
    assert schedule(1.0) == then(1.0)
    assert schedule(end + one * (1 - end)) == pytest.approx(then(one), abs=1e-9) or isinstance(then, StepDecay)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("constant", [1, 1, 1, 1, 1]),
        ("linear", [1, 0.75, 0.5, 0.25, 0]),
        ("cosine", [1, 0.5 + math.sqrt(0.125), 0.5, 0.5 - math.sqrt(0.125), 0]),
        ("step:0.5@0.25,0.6", [1, 0.5, 0.5, 0.25, 0.25]),
        ("warmup:0.5", [0, 0.5, 1, 1, 1]),
        ("warmup:0.5>linear", [0, 0.5, 1, 0.5, 0]),
        (" warmup:0.5 > step:0.1@0.5 ", [0, 0.5, 1, 0.1, 0.1]),
        ("step(0.5, 0.25, 0.6)", [1, 0.5, 0.5, 0.25, 0.25]),
        ("step(factor=0.5, shares=[0.25, 0.6])", [1, 0.5, 0.5, 0.25, 0.25]),
        ("step(0.5@0.25,0.6)", [1, 0.5, 0.5, 0.25, 0.25]),
        ("warmup(0.5) > linear()", [0, 0.5, 1, 0.5, 0]),
        ("warmup(share=0.5)", [0, 0.5, 1, 1, 1]),
    ],
)
def test_factors_at_quarters_of_the_budget(text: str, expected: list[float]) -> None:
    schedule = schedule_from_text(text)
    assert [schedule(quarter / 4) for quarter in range(5)] == pytest.approx(expected, abs=1e-15)


@given(schedules)
def test_what_is_written_is_read_again(schedule: Schedule) -> None:
    assert schedule_from_text(schedule.text) == schedule


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cosin", "unknown schedule 'cosin'; did you mean 'cosine'?"),
        ("warmip:0.1", "unknown schedule 'warmip'; did you mean 'warmup'?"),
        ("", "unknown schedule ''; one of constant, linear, cosine, step, warmup"),
        ("warmup:0.1>cosin", "unknown schedule 'cosin'; did you mean 'cosine'?"),
        ("linear:0.1", "schedule 'linear:0.1': 'linear' takes nothing after it"),
        ("cosine>linear", "only a warm-up comes before '>', as in 'warmup:0.1>cosine'"),
        ("warmup:0.1>warmup:0.2", "there is one warm-up, at the beginning, as in 'warmup:0.1>cosine'"),
        ("warmup", "schedule 'warmup': '' is no number; write it as 'warmup:0.1'"),
        ("warmup:1", "a warm-up's share of the budget must be within 0 to 1, got 1"),
        ("step", "schedule 'step': '' is no number; write it as 'step:0.5@0.3,0.6'"),
        ("step:0.5@", "schedule 'step:0.5@': '' is no number"),
        ("step:2@0.5", "a step's factor must be in (0, 1], got 2"),
        ("step:0.5@0.6,0.3", "the shares of the budget at which a step comes must rise within 0 to 1, got '0.6,0.3'"),
        ("step(0.5)", "the shares of the budget at which a step comes must rise within 0 to 1, got ''"),
        ("step(factors=0.5)", "step has no option 'factors'; did you mean 'factor'?"),
        ("step(0.5, shares=[0.3])", "write its numbers alone, or each by its name"),
        ("step(factor=[1], shares=0.3)", "[1] is no number; write it as 'step:0.5@0.3,0.6'"),
        ("warmup(0.1, 0.2)", "a warm-up has one share, as in 'warmup:0.1'"),
        ("warmup(0.1", "a '(' is never closed"),
        ("step:nan@0.5", "a step's factor must be in (0, 1], got nan"),
    ],
)
def test_what_cannot_be_read_is_refused_in_one_line(text: str, message: str) -> None:
    with pytest.raises(ValueError) as error:
        schedule_from_text(text)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


@given(st.sampled_from(["", *SCHEDULES, "warmup"]), st.text(alphabet="steplinar0.1@,:=()[]>' \n", max_size=25))
def test_whatever_is_written_is_a_schedule_or_a_value_error(word: str, rest: str) -> None:
    try:
        assert schedule_from_text(word + rest)(0.5) >= 0
    except ValueError as error:
        assert "\n" not in str(error)
