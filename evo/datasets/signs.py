"""Stop signs among other road signs: pictures of made-up scenes."""

import functools

import numpy as np

from evo.datasets.dataset import Dataset
from evo.datasets.painting import CIRCLE, COLUMNS, MARK, NORMALS, paint, patterns, shape_row
from evo.datasets.splits import dataset_from, split_rows
from evo.randomness import generator
from evo.ranges import number_between, whole_number

SIDE = 32  # pixels
_MOST_EXAMPLES = 50_000
_SQUARE, _OCTAGON = 4, 8

_MARKS = {
    "stop": [
        "####.#####.###.###",
        "#......#...#.#.#.#",
        "####...#...#.#.###",
        "...#...#...#.#.#..",
        "####...#...###.#..",
    ],
    "slow": [
        "####.#...###.#...#",
        "#....#...#.#.#...#",
        "####.#...#.#.#.#.#",
        "...#.#...#.#.##.##",
        "####.###.###.#...#",
    ],
    "go": [".###...##.", "#.....#..#", "#.##..#..#", "#..#..#..#", ".###...##."],
    "50": ["###.###", "#...#.#", "##..#.#", "..#.#.#", "##..###"],
    "arrow": ["..#..", ".###.", "#.#.#", "..#..", "..#.."],
    "turn": [".###.", "#...#", "....#", "..#.#", ".#..."],
    "danger": ["##", "##", "##", "..", "##"],
    "cross": ["#...#", ".#.#.", "..#..", ".#.#.", "#...#"],
    "park": ["###.", "#..#", "###.", "#...", "#..."],
    "bar": ["#######"],
}
_CELLS, _SIZES = patterns(list(_MARKS.values()))
_NAMES = tuple(_MARKS)

_WHITE, _BLACK = np.array([0.95, 0.95, 0.95]), np.array([0.08, 0.08, 0.08])
_RED, _ORANGE, _YELLOW = np.array([0.78, 0.06, 0.1]), np.array([0.95, 0.45, 0.05]), np.array([0.96, 0.78, 0.1])
_BLUE, _GREEN, _GREY = np.array([0.08, 0.25, 0.65]), np.array([0.05, 0.45, 0.25]), np.array([0.5, 0.5, 0.52])
