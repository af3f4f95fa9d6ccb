"""Data sets of the user's own pictures: a folder with one sub-folder for each class."""

import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps
from PIL.TiffImagePlugin import TiffImageFile

from evo.datasets.dataset import Dataset
from evo.datasets.splits import dataset_from, split_rows
from evo.envs.notes import note
from evo.numerics.validation import whole_number

_ENDINGS = (".bmp", ".gif", ".jpeg", ".jpg", ".pbm", ".pgm", ".png", ".pnm", ".ppm", ".tif", ".tiff", ".webp")
_FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")  # Pillow's other readers are never used
_LARGEST, _MOST_PIXELS, _MOST_NUMBERS = 512, 2**26, 2**28  # a side; a file's pixels; all pictures' numbers
_BRIGHTEST = np.float32(255)
_SAMPLE_FORMAT, _UNSIGNED = 339, (1,)  # TIFF's tag SampleFormat, and its default value
_BITS, _PHOTOMETRIC, _WHITE_IS_ZERO = 258, 262, 0  # TIFF's tags BitsPerSample and PhotometricInterpretation


def folder(*, folder: str = "", size: int = 32, grey: bool = False, seed: int = 0, sequence: bool = False) -> Dataset:
    """Pictures of your own: a folder with a sub-folder for each class.

    A picture is turned upright, cropped to a centred square and resized to size × size pixels from 0 to 1, in three
    colours or grey; transparency becomes white. Up to 16 bits are scaled by their depth; whole numbers of 32 bits, and
    floats unless all are from 0 to 1, from the least to the greatest in all pictures. Files without a picture's
    extension, or whose names begin with a dot, are skipped. sequence: a picture is given row by row. Raises ValueError
    naming the folder or file.
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
    ends = _ends(paths, folder)
    return dataset_from(
        "folder",
        {"folder": folder, "size": size, "grey": grey, "seed": seed, "sequence": sequence},
        np.stack([_picture(path, size, grey, ends) for path in paths]) / _BRIGHTEST,
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
            raise ValueError(f"{folder / name} holds no pictures ({', '.join(_ENDINGS)})")
    return files


def _is_picture(path: Path) -> bool:
    return path.suffix.lower() in _ENDINGS and not path.name.startswith(".") and path.is_file()


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    """Open the picture in a file; any exception raised inside becomes a ValueError naming the file."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # serious faults raise errors, and others show in the picture
            with Image.open(path, formats=_FORMATS) as opened:
                if opened.width * opened.height > _MOST_PIXELS:
                    raise ValueError(f"{opened.width} × {opened.height} pixels are more than {_MOST_PIXELS:,}")
                yield opened
    except Exception as error:  # forged bytes make Pillow's readers raise almost anything
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ValueError(f"cannot read {path}: {reason}") from error


def _has_no_depth(picture: Image.Image) -> bool:
    """Return whether a picture's numbers have no known depth, so that white is unknown.

    Of formats other than TIFF, Pillow's mode I holds 16 bits.
    """
    return picture.mode == "F" or (picture.mode == "I" and isinstance(picture, TiffImageFile))


def _numbers(picture: Image.Image, upright: Image.Image) -> np.ndarray:
    """Return the numbers of a picture turned upright; Pillow reads unsigned 32-bit TIFF numbers as signed."""
    numbers = np.asarray(upright)
    if isinstance(picture, TiffImageFile) and picture.mode == "I":
        kind = picture.tag_v2.get(_SAMPLE_FORMAT, _UNSIGNED)
        return numbers.view(np.uint32) if kind == _UNSIGNED else numbers
    return numbers


def _ends(paths: list[Path], folder: str) -> tuple[float, float]:
    """Return the numbers of black and white for all pictures without a known depth. Raises ValueError."""
    least, most = math.inf, -math.inf
    lacking, having = list[Path](), list[Path]()
    for path in paths:
        with _opened(path) as picture:
            (lacking if _has_no_depth(picture) else having).append(path)
            if lacking and lacking[-1] == path:
                numbers = _numbers(picture, picture)
                if not np.isfinite(numbers).all():
                    raise ValueError("some of its numbers are not finite")
                least, most = min(least, float(numbers.min())), max(most, float(numbers.max()))
    if not lacking or (least >= 0 and most <= 1):
        return 0.0, 1.0
    if having:
        raise ValueError(
            f"{folder}: numbers in {lacking[0].name} go from {least:g} to {most:g}, those of {having[0].name} have a "
            "depth: bring all pictures to 8 or 16 bits"
        )
    note(f"{folder}: numbers from {least:g}, black, to {most:g}, white, in all pictures")
    return least, most if most > least else least + max(1.0, abs(least))


def _black_and_white(picture: Image.Image, ends: tuple[float, float]) -> tuple[float, float]:
    """Return the numbers of black and white in a picture of more than 8 bits; ends: see `_picture`."""
    black, white = ends if _has_no_depth(picture) else (0.0, 65535.0)
    if isinstance(picture, TiffImageFile):
        if not _has_no_depth(picture):
            white = 2.0 ** picture.tag_v2.get(_BITS, (16,))[0] - 1.0  # 12 bits too
        if picture.tag_v2.get(_PHOTOMETRIC) == _WHITE_IS_ZERO:  # Pillow turns only 8 bits round
            return white, black
    return black, white


def _picture(path: Path, size: int, grey: bool, ends: tuple[float, float]) -> np.ndarray:
    """Read a picture as uint8 (size, size, channels). Raises ValueError.

    ends: the numbers of black and white for pictures without a known depth.
    """
    with _opened(path) as opened:
        opened.draft("RGB", (2 * size, 2 * size))  # a large JPEG is decoded no larger than needed
        upright = ImageOps.exif_transpose(opened)
        if opened.mode.startswith(("I", "F")):  # Pillow's own conversion would make everything above 255 white
            black, white = _black_and_white(opened, ends)
            shares = (_numbers(opened, upright).astype(np.float64) - black) / (white - black)
            upright = Image.fromarray(np.round(np.clip(shares, 0, 1) * 255).astype(np.uint8), "L")
        upright = upright.convert("RGBA")
        canvas = Image.new("RGBA", upright.size, "white")
        square = ImageOps.fit(Image.alpha_composite(canvas, upright), (size, size), Image.Resampling.LANCZOS)
    return np.asarray(square.convert("L" if grey else "RGB"), np.uint8).reshape(size, size, -1)
