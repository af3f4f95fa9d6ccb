"""A picture's file, read by Pillow with limits: turned upright, on white, 8 bits a colour."""

import math
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps
from PIL.TiffImagePlugin import TiffImageFile

from evo.envs.notes import note

LARGEST = 512  # most pixels along a side of what is made of a picture
_FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")  # Pillow's other readers are never used
_MOST_PIXELS = 2**26  # of a file
_SAMPLE_FORMAT, _UNSIGNED = 339, (1,)  # TIFF's tag SampleFormat, and its default value
_BITS, _PHOTOMETRIC, _WHITE_IS_ZERO = 258, 262, 0  # TIFF's tags BitsPerSample and PhotometricInterpretation


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


def ends_of(paths: Sequence[Path], place: str) -> tuple[float, float]:
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
            f"{place}: numbers in {lacking[0].name} go from {least:g} to {most:g}, those of {having[0].name} have a "
            "depth: bring all pictures to 8 or 16 bits"
        )
    note(f"{place}: numbers from {least:g}, black, to {most:g}, white, in all pictures")
    return least, most if most > least else least + max(1.0, abs(least))


def _black_and_white(picture: Image.Image, ends: tuple[float, float]) -> tuple[float, float]:
    """Return the numbers of black and white in a picture of more than 8 bits; ends: see `read_picture`."""
    black, white = ends if _has_no_depth(picture) else (0.0, 65535.0)
    if isinstance(picture, TiffImageFile):
        if not _has_no_depth(picture):
            white = 2.0 ** picture.tag_v2.get(_BITS, (16,))[0] - 1.0  # 12 bits too
        if picture.tag_v2.get(_PHOTOMETRIC) == _WHITE_IS_ZERO:  # Pillow turns only 8 bits round
            return white, black
    return black, white


def read_picture(path: Path, size: int, ends: tuple[float, float]) -> Image.Image:
    """Read a picture turned upright, RGBA on white. Raises ValueError naming the file.

    size: pixels of a side that are wanted; a large JPEG is decoded to no more than twice as many. ends: the numbers of
    black and white for pictures without a known depth.
    """
    with _opened(path) as opened:
        opened.draft("RGB", (2 * size, 2 * size))
        upright = ImageOps.exif_transpose(opened)
        if opened.mode.startswith(("I", "F")):  # Pillow's own conversion would make everything above 255 white
            black, white = _black_and_white(opened, ends)
            shares = (_numbers(opened, upright).astype(np.float64) - black) / (white - black)
            upright = Image.fromarray(np.round(np.clip(shares, 0, 1) * 255).astype(np.uint8), "L")
        upright = upright.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", upright.size, "white"), upright)


def colours(picture: Image.Image, grey: bool) -> np.ndarray:
    """Return a picture's colours, or its grey, from 0 to 1: float32 (height, width, channels)."""
    values = np.asarray(picture.convert("L" if grey else "RGB"), np.uint8)
    return values.reshape(picture.height, picture.width, -1) / np.float32(255)
