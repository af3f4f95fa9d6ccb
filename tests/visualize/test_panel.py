"""Panels: a picture under a band that names what is in it."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from evo.visualize.panel import Standing, draw_panel, picture_height

STANDING = Standing("ars", "seed 1", "#0072b2", "1.0 s", "12", "-1,234", "0.3 m", None)


def picture_for(width: int, height: int) -> np.ndarray:
    return np.full((picture_height(width, height), width, 3), 200, np.uint8)


def test_an_ended_episode_says_so() -> None:
    picture = picture_for(160, 120)
    going = draw_panel(picture, 120, STANDING)
    over = draw_panel(picture, 120, replace(STANDING, ending="ended after 1.0 s"))
    band = len(going) - len(picture)
    assert band > 0
    assert band % 2 == 0
    np.testing.assert_array_equal(going[band:], picture)
    np.testing.assert_array_equal(going[:band], over[:band])
    assert over[-1].max() < 200  # darkened


@pytest.mark.parametrize(("width", "height"), [(96, 64), (157, 87), (267, 267), (638, 444), (1920, 540)])
def test_a_panel_has_the_size_asked_for_and_most_of_it_is_the_picture(width: int, height: int) -> None:
    panel = draw_panel(picture_for(width, height), height, STANDING)
    assert panel.shape == (height, width, 3)
    assert picture_height(width, height) > 0.5 * height


@settings(max_examples=60, deadline=None)
@example(name="two\nlines", note="\n", width=96)
@given(name=st.text(max_size=300), note=st.text(max_size=300), width=st.integers(96, 400))
def test_no_name_reaches_into_the_return(name: str, note: str, width: int) -> None:
    short = draw_panel(picture_for(width, 150), 150, replace(STANDING, name="", note=""))
    words = [text.encode("utf-8", "replace").decode() for text in (name, note)]
    long = draw_panel(picture_for(width, 150), 150, replace(STANDING, name=words[0], note=words[1]))
    band = 150 - picture_height(width, 150)
    kept = round(0.16 * width)  # where the return is written
    np.testing.assert_array_equal(long[band // 2 :, -kept:], short[band // 2 :, -kept:])
    assert long.shape == short.shape


def test_a_long_name_is_cut_with_an_ellipsis_and_stays_as_its_return_grows() -> None:
    long = replace(STANDING, name="a-run-of-a-very-long-name" * 4)
    early = draw_panel(picture_for(200, 150), 150, replace(long, earned="0"))
    late = draw_panel(picture_for(200, 150), 150, replace(long, earned="-1,234"))
    np.testing.assert_array_equal(early[:, :100], late[:, :100])
