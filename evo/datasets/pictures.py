"""Data sets of the user's own pictures: a folder with one sub-folder for each class."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from evo.datasets.dataset import Dataset
from evo.datasets.endings import ENDINGS
from evo.datasets.picture_file import LARGEST, colours, ends_of, read_picture
from evo.datasets.splits import dataset_from, split_rows
from evo.numerics.validation import whole_number

_MOST_NUMBERS = 2**28  # of all pictures


def folder(*, folder: str = "", size: int = 32, grey: bool = False, seed: int = 0, sequence: bool = False) -> Dataset:
    """Pictures of your own: a folder with a sub-folder for each class.

    A picture is turned upright, cropped to a centred square and resized to size × size pixels from 0 to 1, in three
    colours or grey; transparency becomes white. Up to 16 bits are scaled by their depth; whole numbers of 32 bits, and
    floats unless all are from 0 to 1, from the least to the greatest in all pictures. Files without a picture's
    extension, or whose names begin with a dot, are skipped. sequence: a picture is given row by row. Raises ValueError
    naming the folder or file.
    """
    whole_number("size", size, 1, LARGEST)
    if not folder:
        raise ValueError("pictures need their folder, as in folder='pictures'")
    files = _files(Path(folder))
    labels = tuple(files)
    paths = [path for label in labels for path in files[label]]
    classes = np.repeat(np.arange(len(labels)), [len(files[label]) for label in labels])
    channels = 1 if grey else 3
    if (total := len(paths) * size * size * channels) > _MOST_NUMBERS:
        raise ValueError(
            f"{folder}: {len(paths):,} pictures are {total:,} numbers, more than {_MOST_NUMBERS:,}: reduce size"
        )
    try:
        rows = split_rows(len(paths), seed, classes)
    except ValueError as error:
        raise ValueError(f"{folder}: {error}") from error
    ends = ends_of(paths, folder)
    return dataset_from(
        "folder",
        {"folder": folder, "size": size, "grey": grey, "seed": seed, "sequence": sequence},
        np.stack([_square(path, size, grey, ends) for path in paths]),
        classes,
        rows,
        shape=(size, size, channels),
        sequence=sequence,
        labels=labels,
    )


def _files(folder: Path) -> dict[str, list[Path]]:
    """List the pictures of each class, both sorted by name. Raises ValueError."""
    if not folder.is_dir():
        raise ValueError(f"there is no folder {folder}")
    try:
        inner = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
        files = {path.name: sorted(each for each in path.iterdir() if _is_picture(each)) for path in inner}
    except OSError as error:
        raise ValueError(f"cannot read {error.filename or folder}: {error.strerror}") from error
    if len(files) < 2:
        raise ValueError(f"{folder} has {len(files)} sub-folders: one for each class is needed, and two classes")
    for name, found in files.items():
        if not found:
            raise ValueError(f"{folder / name} holds no pictures ({', '.join(ENDINGS)})")
    return files


def _is_picture(path: Path) -> bool:
    return path.suffix.lower() in ENDINGS and not path.name.startswith(".") and path.is_file()


def _square(path: Path, size: int, grey: bool, ends: tuple[float, float]) -> np.ndarray:
    """Read the centred square of a picture, float32 (size, size, channels). Raises ValueError. ends: of `ends_of`."""
    square = ImageOps.fit(read_picture(path, size, ends), (size, size), Image.Resampling.LANCZOS)
    return colours(square, grey)
