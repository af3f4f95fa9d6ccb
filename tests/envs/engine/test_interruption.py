"""A signal's exception is raised where an evaluation may stop, and nowhere else."""

import pytest

from evo.envs.engine import interruption


class StopError(Exception):
    pass


@pytest.fixture(autouse=True)
def nothing_pending() -> None:
    interruption.forget()


def test_what_must_not_be_left_is_not_left() -> None:
    reached = list[str]()

    def work() -> None:
        with interruption.waiting():
            with interruption.deferred():
                interruption.request(StopError())
                reached.append("the end of it")
            reached.append("beyond")

    with pytest.raises(StopError):
        work()
    assert reached == ["the end of it"]
    interruption.check()  # it was raised once


def test_waiting_goes_on_after_what_must_not_be_left() -> None:
    with interruption.waiting():
        with interruption.deferred():
            pass
        with pytest.raises(StopError):
            interruption.request(StopError())


def test_where_nobody_waits_it_stays_deferred() -> None:
    with interruption.deferred():
        interruption.request(StopError())
    with pytest.raises(StopError):
        interruption.check()


def test_another_exception_comes_first() -> None:
    @interruption.deferred()
    def work() -> None:
        interruption.request(StopError())
        raise ValueError("the code's own")

    with pytest.raises(ValueError, match="the code's own"), interruption.waiting():
        work()
    with pytest.raises(StopError):
        interruption.check()
