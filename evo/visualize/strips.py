"""Filmstrips: several frames in one picture; captions; the line of progress."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Frame = NDArray[np.uint8]  # [height, width, 3], sRGB


def filmstrip(
    frames: Sequence[Frame], columns: int, gap: int = 4, background: tuple[int, int, int] = (255, 255, 255)
) -> Frame:
    """Tile frames row by row into one picture.

    Args:
        frames: [height, width, 3] uint8, all of one size; at least one.
        columns: frames in a row; the last row may be shorter.
        gap: pixels between frames.
        background: the gaps' colour.

    Returns:
        [rows * (height + gap) - gap, columns * (width + gap) - gap, 3] uint8; no wider than the frames there are.

    Raises:
        ValueError: no frames, frames of unequal sizes, or fewer than one column.
    """
    if not len(frames) or columns < 1:
        raise ValueError(f"a filmstrip of {len(frames)} frames in {columns} columns has no size")
    if len({frame.shape for frame in frames}) > 1:
        raise ValueError(f"the frames have several sizes: {sorted({frame.shape for frame in frames})}")
    columns = min(columns, len(frames))
    rows = -(-len(frames) // columns)
    height, width, _ = frames[0].shape
    strip = np.empty((rows * (height + gap) - gap, columns * (width + gap) - gap, 3), np.uint8)
    strip[:] = background
    for index, frame in enumerate(frames):
        top, left = index // columns * (height + gap), index % columns * (width + gap)
        strip[top : top + height, left : left + width] = frame
    return strip


def caption(frame: Frame, text: str, size: int | None = None) -> Frame:
    """Return a copy of a frame with a line of light text on a translucent plate, in its lower left corner.

    Args:
        frame: [height, width, 3] uint8.
        text: one line.
        size: of the letters, pixels; by default a twentieth of the height, and at least ten.
    """
    height = frame.shape[0]
    size = size or max(round(height / 20), 10)
    picture = Image.fromarray(frame).convert("RGBA")
    layer = Image.new("RGBA", picture.size)
    draw = ImageDraw.Draw(layer)
    font = ImageFont.load_default(size=size)
    margin, padding = round(0.7 * size), round(0.45 * size)
    anchor = (margin + padding, height - margin - padding)
    left, _, right, _ = draw.textbbox(anchor, text, font=font, anchor="ls")
    # The plate's height depends on the font, not the text: it must not jump as the words change.
    plate = (left - padding, anchor[1] - 0.80 * size - padding, right + padding, anchor[1] + 0.22 * size + padding)
    draw.rounded_rectangle(plate, radius=0.35 * size, fill=(24, 32, 44, 150))
    draw.text(anchor, text, font=font, anchor="ls", fill=(255, 255, 255, 245))
    return np.asarray(Image.alpha_composite(picture, layer).convert("RGB"))


def progress_line(frame: Frame, share: float, marks: NDArray[np.float64]) -> Frame:
    """Return a copy of a frame with a line along its lower edge that is full at its end.

    Args:
        frame: [height, width, 3] uint8.
        share: of the film that has been shown, from 0 to 1.
        marks: [marks], the shares at which scenes begin; gaps in the line.
    """
    height, width, _ = frame.shape
    thick = max(round(height / 120), 2)
    colour, opacity = np.empty((width, 3)), np.full((width, 1), 0.6)
    colour[:] = (24, 32, 44)  # of the captions' plate
    colour[: round(share * width)], opacity[: round(share * width)] = 255.0, 0.9
    for mark in marks:
        opacity[round(mark * width) : round(mark * width) + max(thick // 2, 1)] = 0.0
    lined = frame.copy()
    lined[-thick:] = (frame[-thick:] + (colour - frame[-thick:]) * opacity).round().astype(np.uint8)
    return lined
