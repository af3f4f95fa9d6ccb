"""Pictures of species and of ancestry name what they show, and lose nobody."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from evo.errors import EvoError
from evo.visualize.species import _draw_stream, ancestry_picture, colour_of, species_picture

METRICS = {
    "generation": np.arange(1, 5),
    "nodes": np.array([0, 0, 1, 2]),
    "links": np.array([2, 2, 4, 5]),
    "complexity": np.array([2.0, 2.5, 3.0, 3.5]),
}
CENSUSES = [
    (np.array([0]), np.array([10])),
    (np.array([0, 3]), np.array([7, 3])),
    (np.array([3, 4]), np.array([6, 4])),
    (np.array([3]), np.array([10])),
]
LINE = {
    "generations": np.array([1, 3, 4]),
    "species": np.array([0, 3, 3]),
    "nodes": np.array([0, 1, 1]),
    "links": np.array([2, 4, 5]),
}


def test_every_individual_has_its_place_in_the_stream() -> None:
    axes = Figure().subplots()
    _draw_stream(axes, np.arange(1, 5), CENSUSES)
    areas = [area.get_paths()[0].vertices for area in axes.collections]
    for generation, height in ((1, 10), (2, 10), (3, 10), (4, 10)):
        tops = [area[area[:, 0] == generation][:, 1].max() for area in areas]
        assert max(tops) == height
    widths = [np.ptp(area[area[:, 0] == 2][:, 1]) for area in areas]
    assert widths == [7, 3, 0]  # of species 0, 3 and 4 in generation 2
    assert {text.get_text() for text in axes.texts} == {"0", "3", "4"}


@pytest.mark.parametrize("generations", [1, 4])
def test_the_picture_of_species_says_what_its_lines_are(generations: int, tmp_path: Path) -> None:
    metrics = {name: values[:generations] for name, values in METRICS.items()}
    species_picture(np.arange(1, generations + 1), CENSUSES[:generations], metrics, "$^$", tmp_path / "species.svg")
    text = (tmp_path / "species.svg").read_text()
    told = ("$^$", "individuals, by species", "links of the fittest", "links, mean", "hidden nodes of the fittest")
    assert all(f"<!-- {words} -->" in text for words in told)


def test_an_ancestry_tells_what_was_gained(tmp_path: Path) -> None:
    ancestry_picture(LINE, 4, "a title", tmp_path / "ancestry.svg")
    text = (tmp_path / "ancestry.svg").read_text()
    assert all(f"<!-- {words} -->" in text for words in ("a title", "species", "+1 node", "+2 links", "+1 link"))


def test_a_line_of_one_and_a_line_of_many_are_drawn(tmp_path: Path) -> None:
    ancestry_picture({name: values[:1] for name, values in LINE.items()}, 1, "", tmp_path / "one.png")
    many = {name: np.arange(200) for name in LINE}
    ancestry_picture(many, 199, "", tmp_path / "many.svg")
    assert "+1 link" not in (tmp_path / "many.svg").read_text()  # nobody could read them


def test_species_of_consecutive_numbers_have_different_colours() -> None:
    colours = np.array([colour_of(number) for number in range(200)])
    assert ((colours >= 0) & (colours <= 1)).all()
    assert np.abs(np.diff(colours, axis=0)).max(axis=1).min() > 0.1


def test_other_suffixes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(EvoError, match=r"the suffix must be \.png"):
        ancestry_picture(LINE, 4, "", tmp_path / "ancestry.gif")
