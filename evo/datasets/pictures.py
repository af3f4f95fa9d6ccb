"""Pictures of one's own: a folder with one sub-folder for each class."""

import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from evo.datasets.dataset import Dataset
from evo.datasets.splits import dataset_from, split_rows
from evo.ranges import whole_number

_ENDINGS = (".bmp", ".gif", ".jpeg", ".jpg", ".pbm", ".pgm", ".png", ".pnm", ".ppm", ".tif", ".tiff", ".webp")
_FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")  # Pillow's other readers are never asked
_LARGEST, _MOST_PIXELS, _MOST_NUMBERS = 512, 2**26, 2**28  # a side; a file; all pictures, as they are kept
_WHITE = np.float32(255)


def folder(*, folder: str = "", size: int = 32, grey: bool = False, seed: int = 0, sequence: bool = False) -> Dataset:
    """Pictures of your own: a folder with a sub-folder for each class

    A picture is turned upright, cut to a square about its middle and brought to size × size pixels from 0 to 1, of
    three colours or grey, whatever its depth; what is transparent becomes white. Files whose names are not those of
    pictures, or begin with a dot, are passed over. sequence: a picture comes row by row. Raises ValueError naming the
    folder or file.
    """
    whole_number("size", size, 1, _LARGEST)
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
    return dataset_from(
        "folder",
        {"folder": folder, "size": size, "grey": grey, "seed": seed, "sequence": sequence},
        np.stack([_picture(path, size, grey) for path in paths]) / _WHITE,
        classes,
        rows,
        shape=(size, size, channels),
        sequence=sequence,
        labels=labels,
    )


def _files(folder: Path) -> dict[str, list[Path]]:
    """The pictures of each class, both in the order of their names. Raises ValueError."""
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
            raise ValueError(f"{folder / name} holds no pictures ({', '.join(_ENDINGS)})")
    return files


def _is_picture(path: Path) -> bool:
    return path.suffix.lower() in _ENDINGS and not path.name.startswith(".") and path.is_file()


def _picture(path: Path, size: int, grey: bool) -> np.ndarray:
    """uint8 (size, size, channels). Raises ValueError naming the file."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what matters of a file is an error, or is seen
            with Image.open(path, formats=_FORMATS) as opened:
                if opened.width * opened.height > _MOST_PIXELS:
                    raise ValueError(f"{opened.width} × {opened.height} pixels are more than {_MOST_PIXELS:,}")
                opened.draft("RGB", (2 * size, 2 * size))  # of a large JPEG, no more is decoded than is used
                upright = _of_eight_bits(ImageOps.exif_transpose(opened)).convert("RGBA")
        white = Image.new("RGBA", upright.size, "white")
        square = ImageOps.fit(Image.alpha_composite(white, upright), (size, size), Image.Resampling.LANCZOS)
    except Exception as error:  # forged bytes make Pillow's readers raise almost anything
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ValueError(f"cannot read {path}: {reason}") from error
    return np.asarray(square.convert("L" if grey else "RGB"), np.uint8).reshape(size, size, -1)


def _of_eight_bits(picture: Image.Image) -> Image.Image:
    """A grey picture of more bits, scaled by its own depth: Pillow's conversion makes white of all above 255.

    Raises ValueError for numbers that have no depth.
    """
    if not picture.mode.startswith(("I", "F")):
        return picture
    numbers = np.asarray(picture)
    if picture.mode == "F":
        white = 1.0
        if not (numbers.min() >= 0 and numbers.max() <= 1):  # false for NaN too
            raise ValueError(f"its numbers go from {numbers.min():g} to {numbers.max():g}; floats must lie from 0 to 1")
    else:  # what Pillow holds in 32 bits has 16, but for a TIFF of that depth
        white = 65535.0 if numbers.max(initial=0) <= 65535 else 2.0**31 - 1
    return Image.fromarray(np.round(np.clip(numbers / white, 0, 1) * 255).astype(np.uint8), "L")
