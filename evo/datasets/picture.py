"""The pixels of one picture: where each is, and its colour; what a pattern-producing network is grown on.

Stanley 2007, "Compositional pattern producing networks": a network of x, y and the distance from the centre is a
picture of any resolution.
"""

from pathlib import Path

import numpy as np
from PIL import Image

from evo.datasets.dataset import Dataset
from evo.datasets.picture_file import LARGEST, colours, ends_of, read_picture
from evo.datasets.splits import dataset_from, shuffle
from evo.envs.notes import note
from evo.numerics.validation import whole_number

NAME = "picture"
_INPUTS = 3


def picture(*, file: str = "", size: int = 32, grey: bool = False, seed: int = 0) -> Dataset:
    """The pixels of a picture of your own: from where one is (x, y, distance from the centre) to its colour.

    file: the picture, turned upright; transparency becomes white. size: pixels along its longer side, to which it is
    shrunk, at most 512. Colours are red, green and blue from 0 to 1, or grey. Every pixel is in all three splits, in
    an order of this seed. Raises ValueError naming the file.
    """
    whole_number("size", size, 2, LARGEST)
    if not file:
        raise ValueError("a picture needs its file, as in picture:photo.png")
    path = Path(file)
    whole = read_picture(path, size, ends_of([path], file))
    scale = min(1.0, size / max(whole.size))
    width, height = (max(1, round(side * scale)) for side in whole.size)
    if width * height < 2:
        raise ValueError(f"{file}: {whole.width} × {whole.height} pixels are no picture")
    if scale < 1.0:
        note(f"{path.name}: {whole.width} × {whole.height} pixels, learned as {width} × {height}; size= takes more")
    targets = colours(whole.resize((width, height), Image.Resampling.BOX), grey)
    every = shuffle(width * height, seed, "order of pixels")
    return dataset_from(
        NAME,
        {"file": file, "size": size, "grey": grey, "seed": seed},
        pixels(width, height),
        targets.reshape(width * height, 1, -1),
        (every, every, every),
        shape=(_INPUTS,),
    )


def pixels(width: int, height: int) -> np.ndarray:
    """Return where the pixels of a picture are, row by row: x, y and distance, float64 (width × height, 3).

    The middle is 0, 0, and the ends of the longer side are −1 and 1, at any resolution; y grows downwards. The distance
    is 1 at these ends.
    """
    longer = max(width, height)
    y, x = np.meshgrid(*((2 * np.arange(side) + 1 - side) / longer for side in (height, width)), indexing="ij")
    return np.stack([x, y, np.sqrt(x * x + y * y)], axis=-1).reshape(-1, _INPUTS)


def size_of(inputs: np.ndarray) -> tuple[int, int]:
    """Return width and height of the picture whose pixels these are, (pixels, 3) in any order."""
    return len(np.unique(inputs[:, 0])), len(np.unique(inputs[:, 1]))
