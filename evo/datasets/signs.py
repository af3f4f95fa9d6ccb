"""Stop signs among other road signs: pictures of made-up scenes."""

import functools
from typing import NamedTuple

import numpy as np

from evo.datasets.dataset import Dataset
from evo.datasets.painting import CIRCLE, COLUMNS, MARK, paint, patterns, shape_row
from evo.datasets.splits import dataset_from, split_rows
from evo.numerics.randomness import generator
from evo.numerics.validation import number_between, whole_number
from evo.storage.memory import check_bytes

SIDE = 32  # pixels
_MOST_EXAMPLES = 50_000
_SQUARE, _OCTAGON, _UPSIDE_DOWN, _ON_A_CORNER = 4, 8, np.pi, np.pi / 4

# Each mark with half its width and height, relative to the sign's.
_MARKS = {
    "stop": (
        (0.75, 0.3),
        ["####.#####.###.###", "#......#...#.#.#.#", "####...#...#.#.###", "...#...#...#.#.#..", "####...#...###.#.."],
    ),
    "slow": (
        (0.75, 0.3),
        ["####.#...###.#...#", "#....#...#.#.#...#", "####.#...#.#.#.#.#", "...#.#...#.#.##.##", "####.###.###.#...#"],
    ),
    "50": ((0.6, 0.45), ["###.###", "#...#.#", "##..#.#", "..#.#.#", "##..###"]),
    "arrow": ((0.5, 0.6), ["..#..", ".###.", "#.#.#", "..#..", "..#.."]),
    "turn": ((0.45, 0.5), [".###.", "#...#", "..###", "...#.", "....."]),
    "danger": ((0.12, 0.3), ["##", "##", "##", "..", "##"]),
    "cross": ((0.5, 0.5), ["#...#", ".#.#.", "..#..", ".#.#.", "#...#"]),
    "park": ((0.45, 0.6), ["###.", "#..#", "###.", "#...", "#..."]),
    "bar": ((0.65, 0.17), ["#"]),
}
_CELLS, _SIZES = patterns([drawn for _, drawn in _MARKS.values()])

_WHITE, _BLACK, _GREY = np.array([0.95, 0.95, 0.93]), np.array([0.08, 0.08, 0.09]), np.array([0.5, 0.5, 0.52])
_RED, _ORANGE, _YELLOW = np.array([0.78, 0.06, 0.1]), np.array([0.95, 0.42, 0.05]), np.array([0.96, 0.76, 0.1])
_BLUE, _GREEN = np.array([0.08, 0.25, 0.65]), np.array([0.05, 0.45, 0.25])
_LEAF, _BARK = np.array([0.2, 0.38, 0.12]), np.array([0.33, 0.26, 0.2])
_SKIES = np.array([[0.45, 0.65, 0.95], [0.75, 0.8, 0.85], [0.6, 0.65, 0.72], [0.95, 0.7, 0.5], [0.3, 0.42, 0.6]])
_GROUNDS = np.array([[0.3, 0.45, 0.18], [0.42, 0.42, 0.43], [0.5, 0.42, 0.3], [0.65, 0.62, 0.56], [0.22, 0.3, 0.15]])
_BANDS = 4  # of the sky's gradient


class _Sign(NamedTuple):
    """A road sign: sides (0: a circle), rotation `turn` in radians, colours, and a mark of _MARKS or "" for none."""

    sides: int
    turn: float
    rim: np.ndarray
    face: np.ndarray
    mark: str
    ink: np.ndarray


_STOP = _Sign(_OCTAGON, 0.0, _WHITE, _RED, "stop", _WHITE)
_OTHERS = [
    _Sign(3, 0.0, _RED, _WHITE, "danger", _BLACK),
    _Sign(3, _UPSIDE_DOWN, _RED, _WHITE, "", _BLACK),  # give way
    _Sign(3, _UPSIDE_DOWN, _WHITE, _RED, "", _BLACK),
    _Sign(CIRCLE, 0.0, _RED, _WHITE, "50", _BLACK),
    _Sign(CIRCLE, 0.0, _WHITE, _RED, "bar", _WHITE),  # no entry
    _Sign(CIRCLE, 0.0, _WHITE, _RED, "slow", _WHITE),
    _Sign(CIRCLE, 0.0, _RED, _BLUE, "cross", _RED),  # no stopping
    _Sign(CIRCLE, 0.0, _WHITE, _BLUE, "arrow", _WHITE),
    _Sign(_SQUARE, 0.0, _WHITE, _BLUE, "park", _WHITE),
    _Sign(_SQUARE, 0.0, _WHITE, _RED, "slow", _WHITE),
    _Sign(_SQUARE, _ON_A_CORNER, _BLACK, _YELLOW, "turn", _BLACK),
    _Sign(_SQUARE, _ON_A_CORNER, _WHITE, _RED, "cross", _WHITE),
    _Sign(_SQUARE, _ON_A_CORNER, _BLACK, _ORANGE, "slow", _BLACK),  # road works
    _Sign(_OCTAGON, 0.0, _WHITE, _ORANGE, "slow", _WHITE),
    _Sign(_OCTAGON, 0.0, _WHITE, _BLUE, "slow", _WHITE),
    _Sign(_OCTAGON, 0.0, _WHITE, _GREEN, "arrow", _WHITE),
    _Sign(_OCTAGON, 0.0, _GREY, _GREY, "", _GREY),  # a stop sign from behind
]
_NO_SIGN = 0.08  # the share of the other pictures without any sign


def signs(*, seed: int = 0, sequence: bool = False, examples: int = 4000, difficulty: float = 0.5) -> Dataset:
    """Road signs, stop sign or not: made-up pictures of 32 × 32 pixels, three colours from 0 to 1.

    A stop sign, in half of the pictures, is a red octagon with a white rim and its word; other signs may be red, orange
    or octagonal, but none is a red octagon. difficulty, 0 to 1: how small, turned, badly lit, blurred and covered the
    signs are, and how much stands around them. sequence: a picture is given row by row. Raises ValueError for options
    out of range.
    """
    whole_number("examples", examples, 10, _MOST_EXAMPLES)
    check_bytes(f"{examples:,} examples", SIDE * SIDE * 3 * 4 * 4 * examples, "take fewer")
    number_between("difficulty", difficulty, 0, 1)
    classes = np.arange(examples) % 2
    return dataset_from(
        "signs",
        {"seed": seed, "sequence": sequence, "examples": examples, "difficulty": difficulty},
        _pictures(whole_number("seed", seed, 0), examples, float(difficulty)) / np.float32(255),
        classes,
        split_rows(examples, seed, classes),
        shape=(SIDE, SIDE, 3),
        sequence=sequence,
        labels=("other", "stop"),
    )


@functools.lru_cache(maxsize=4)
def _pictures(seed: int, examples: int, difficulty: float) -> np.ndarray:
    """Make the pictures, uint8 (examples, SIDE, SIDE, 3): each second one holds a stop sign."""
    random = generator(seed, "signs")
    scenes = [_scene(random, _STOP if index % 2 else _other(random), difficulty) for index in range(examples)]
    shapes = np.zeros((examples, max(map(len, scenes)), COLUMNS))
    for index, scene in enumerate(scenes):
        shapes[index, : len(scene)] = scene
    counts = np.array([len(scene) for scene in scenes])
    return _photograph(paint(shapes, counts, _CELLS, _SIZES, SIDE), random, difficulty)


def _other(random: np.random.Generator) -> _Sign | None:
    return None if random.random() < _NO_SIGN else _OTHERS[random.integers(len(_OTHERS))]


def _scene(random: np.random.Generator, sign: _Sign | None, difficulty: float) -> list[list[float]]:
    """Return the shapes of a picture, the farthest first."""
    around = [_clutter(random.random(10).tolist()) for _ in range(random.poisson(2 + 6 * difficulty))]
    shapes = [*_landscape(random), *around]
    if sign is None:
        return shapes
    radius = random.uniform(0.34 - 0.18 * difficulty, 0.44)
    room = min(0.5 - 0.8 * radius, 0.04 + 0.3 * difficulty)  # of a sign at the edge, a little may be cut off
    x, y = random.uniform(0.5 - room, 0.5 + room, 2).tolist()
    squeezed = radius * random.uniform(1 - 0.5 * difficulty, 1)  # foreshortened
    lean = random.normal(0, 0.04 + 0.2 * difficulty)
    pole = shape_row(_SQUARE, (x, y + 1), (0.025, 1), 0, _tint(random, _GREY))
    board = _signboard(random, sign, (x, y), (squeezed, radius), lean)
    return [*shapes, pole, *board, *_cover(random, difficulty, x, y)]


def _landscape(random: np.random.Generator) -> list[list[float]]:
    """Return the sky, brighter towards the horizon, and grass, earth or asphalt below it."""
    horizon = random.uniform(0.45, 0.95)
    sky = _SKIES[random.integers(len(_SKIES))] * random.uniform(0.6, 1)
    bands = [
        shape_row(_SQUARE, (0.5, horizon * (band + 0.5) / _BANDS), (1, 0.5 / _BANDS + 0.02), 0, colour)
        for band, colour in enumerate(np.linspace(sky, 0.5 * (sky + 0.9), _BANDS).tolist())
    ]
    ground = _tint(random, _GROUNDS[random.integers(len(_GROUNDS))])
    return [*bands, shape_row(_SQUARE, (0.5, horizon + 0.5), (1, 0.5), random.normal(0, 0.05), ground)]


def _clutter(chances: list[float]) -> list[float]:
    """Return a tree, house, hill or car made from ten numbers in [0, 1); one in four has any colour, red too."""
    tree, any_colour, x, y, width, height, lean, *colour = chances
    kind = CIRCLE if tree < 0.4 else (3, _SQUARE, _SQUARE, _SQUARE, 6, _OCTAGON)[int((tree - 0.4) * 10)]
    if any_colour > 0.25:
        grey = 0.2 + 0.6 * colour[0]
        plain = [0.5 * grey, 0.8 * grey, 0.3 * grey] if kind == CIRCLE else [grey, 0.95 * grey, 0.85 * grey]
        colour = [0.8 * one + 0.2 * other for one, other in zip(plain, colour, strict=True)]
    size = 0.04 + 0.24 * width, 0.04 + 0.24 * height
    return shape_row(kind, (x, 0.15 + 0.8 * y), size, 0.4 * (lean - 0.5), colour)


def _signboard(
    random: np.random.Generator, sign: _Sign, middle: tuple[float, float], half: tuple[float, float], lean: float
) -> list[list[float]]:
    if sign.turn == _ON_A_CORNER:
        half = (half[0] * 0.75, half[1] * 0.75)
    inner = random.uniform(0.6, 0.7) if sign.sides == 3 else random.uniform(0.8, 0.9)
    rim, face, ink = (_tint(random, colour) for colour in (sign.rim, sign.face, sign.ink))
    board = [
        shape_row(sign.sides, middle, half, sign.turn + lean, rim),
        shape_row(sign.sides, middle, (half[0] * inner, half[1] * inner), sign.turn + lean, face),
    ]
    if sign.mark:
        (width, height), _ = _MARKS[sign.mark]
        kind = MARK + list(_MARKS).index(sign.mark)
        board.append(shape_row(kind, middle, (half[0] * width, half[1] * height), lean, ink))
    return board


def _cover(random: np.random.Generator, difficulty: float, x: float, y: float) -> list[list[float]]:
    """Return leaves or a post in front of the sign, or nothing."""
    if random.random() > 0.7 * difficulty:
        return []
    if random.random() < 0.4:
        post = random.normal(x, 0.2), 0.5
        return [shape_row(_SQUARE, post, (random.uniform(0.02, 0.06), 1), 0, _tint(random, _BARK))]
    away = random.uniform(0, 2 * np.pi)
    middle = x + 0.3 * np.cos(away), y + 0.3 * np.sin(away)
    leaves = random.normal(middle, 0.06, (5, 2)).tolist()
    return [shape_row(CIRCLE, (px, py), (0.08, 0.05), away, _tint(random, _LEAF)) for px, py in leaves]


def _tint(random: np.random.Generator, colour: np.ndarray) -> list[float]:
    """Return a colour, a little brighter or darker, and faded towards grey."""
    faded, bright = random.uniform(0, 0.25), random.uniform(0.85, 1.05)
    return ((1 - faded) * bright * colour + 0.5 * faded).tolist()


def _photograph(pictures: np.ndarray, random: np.random.Generator, difficulty: float) -> np.ndarray:
    """Return float32 pictures as a camera records them, uint8: lighting, haze, blur and noise."""
    count = len(pictures)

    def drawn(least: float, most: float, *shape: int) -> np.ndarray:
        return random.uniform(least, most, (count, *shape)).astype(np.float32)

    light = drawn(1 - 0.65 * difficulty, 1 + 0.3 * difficulty, 1, 1, 1)
    tint = drawn(1 - 0.2 * difficulty, 1 + 0.1 * difficulty, 1, 1, 3)
    shade = (
        1 + drawn(-0.5 * difficulty, 0.5 * difficulty, 1, 1, 1) * np.linspace(-1, 1, SIDE, dtype=np.float32)[:, None]
    )
    haze = drawn(0, 0.4 * difficulty, 1, 1, 1)
    seen = pictures * light * tint * shade
    seen += haze * (np.float32(0.7) - seen)
    weight = drawn(0, 0.33 * difficulty, 1, 1, 1)  # the blur's weight of each neighbour
    for axis in (1, 2):
        around = np.take(seen, np.maximum(np.arange(SIDE) - 1, 0), axis)
        around += np.take(seen, np.minimum(np.arange(SIDE) + 1, SIDE - 1), axis)
        seen += weight * (around - 2 * seen)
    seen += drawn(0, 0.08 * difficulty, 1, 1, 1) * random.standard_normal(seen.shape, np.float32)
    return np.round(np.clip(seen, 0, 1) * 255).astype(np.uint8)
